"""Closure reports of fixed runs: the whole report is a golden file, and what it comes to is held by an oracle of a few lines.

Rewrite the files with `python -m tests.evidence.write_golden`. A change of them is a change for everybody who reads reports.
"""

from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import jsonschema
import orjson
import pytest
import rfc8785

from evidence.digest import sha256_hex
from evidence.formulas import Context
from evidence.scores import Assessment
from evidence.signals import registry
from tests.evidence.golden_runs import RUNS, WEIGHTS
from tests.evidence.make import DIGEST, decoded

GOLDEN = Path(__file__).parent / "golden"
SCHEMA_BYTES = files("evidence").joinpath("schemas", "closure-v1.schema.json").read_bytes()
VALIDATOR = jsonschema.Draft202012Validator(
    orjson.loads(SCHEMA_BYTES), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
CONTEXT = Context(
    run_id="run-1",
    computed_at="2026-01-01T00:00:00.000000000Z",
    manifest_digest=DIGEST,
    events_digest="sha256:" + "cd" * 32,
)


def assess(run, **options):
    assessment = Assessment(run.loaded(), **options)
    for event, line in decoded(run.items, first_seq=run.first_seq):
        assessment.add(event, line)
    return assessment.scores(CONTEXT)


@pytest.fixture(scope="module")
def assessed():
    """The scores of every run."""
    return {name: assess(run) for name, run in RUNS.items()}


@pytest.fixture(scope="module")
def reports(assessed):
    """The closure report of every run."""
    return {name: scores.closure for name, scores in assessed.items()}


def test_there_are_enough_runs_and_a_file_for_each():
    assert len(RUNS) >= 60
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.closure.json" for name in RUNS}


@pytest.mark.parametrize("name", RUNS)
def test_a_report_is_the_golden_one(name, reports):
    """Rewrite with: python -m tests.evidence.write_golden"""
    assert reports[name] == orjson.loads((GOLDEN / f"{name}.closure.json").read_bytes())


@pytest.mark.parametrize("name", RUNS)
def test_events_all_at_once_give_what_they_give_one_by_one(name):
    run = RUNS[name]
    events = decoded(run.items, first_seq=run.first_seq)
    single, together = Assessment(run.loaded()), Assessment(run.loaded())
    for event, line in events:
        single.add(event, line)
    together.add_all(events)
    assert together.scores(CONTEXT) == single.scores(CONTEXT)
    assert together.scores(CONTEXT).rules == single.scores(CONTEXT).rules
    assert together.capture_health() == single.capture_health()


@pytest.mark.parametrize("name", RUNS)
def test_a_report_is_valid_closure_v1(name, reports):
    VALIDATOR.validate(reports[name])


@pytest.mark.parametrize("name", RUNS)
def test_a_report_comes_to_what_was_said_of_the_run_by_hand(name, reports):
    """The oracle: states by hand, weights by hand, and three lines of arithmetic."""
    report, run = reports[name], RUNS[name]
    states = {signal: detail["status"] for signal, detail in report["completeness"]["by_signal"].items()}
    assert {signal: state for signal, state in states.items() if state != "unknown"} == run.states
    expected = [signal for signal in WEIGHTS if run.states.get(signal)]
    captured = [signal for signal in expected if run.states[signal] == "captured"]
    whole = sum(WEIGHTS[signal] for signal in expected)
    score = Fraction(sum(WEIGHTS[signal] for signal in captured), whole) if whole else Fraction(0)
    assert report["closure"]["score"] == float(score)
    assert report["closure"]["captured"] == captured
    assert report["closure"]["missing"] == [signal for signal in expected if signal not in captured]
    assert report["closure"]["confidence"] == run.confidence


@pytest.mark.parametrize("name", RUNS)
def test_completeness_is_told_apart_by_state_and_counts_what_is_withheld(name, assessed):
    run, scores = RUNS[name], assessed[name]
    part = scores.closure["completeness"]
    for pack in run.loaded():
        there = [signal for signal in pack.requires_signals if run.states.get(signal) in {"captured", "redacted"}]
        assert scores.completeness[pack.id] == float(Fraction(len(there), len(pack.requires_signals)))
    required = [
        signal for signal in registry().signals if any(signal in pack.requires_signals for pack in run.loaded())
    ]
    by_state = {
        state: [s for s in required if run.states.get(s, "unknown") == state] for state in ("captured", "redacted")
    }
    assert part["required"] == required
    assert (part["captured"], part["redacted"]) == (by_state["captured"], by_state["redacted"])
    assert part["unknown"] == [s for s in required if s not in part["captured"] + part["redacted"]]


def test_the_weights_are_those_of_the_notes():
    assert {name: signal.weight for name, signal in registry().signals.items() if signal.weight} == WEIGHTS


def test_evidence_paths_name_events_of_the_run_and_something_in_them(reports):
    for name, report in reports.items():
        events = {event["id"]: event for event, _ in decoded(RUNS[name].items, first_seq=RUNS[name].first_seq)}
        for signal, detail in report["completeness"]["by_signal"].items():
            assert len(detail["evidence_paths"]) <= 8, (name, signal)
            assert bool(detail["evidence_paths"]) == (detail["status"] != "unknown"), (name, signal)
            for path in detail["evidence_paths"]:
                event_id, _, pointer = path.partition("#")
                assert event_id in events or pointer.startswith("/run"), (name, signal, path)
                if event_id in events and detail["status"] == "captured":
                    assert pointer.split("/")[2] in events[event_id]["data"], (name, signal, path)


# ------------------------------------------------------------------ the form of a report


def test_the_schema_is_the_normative_one():
    """Its content has one digest; a change of it is a change of the contract with others."""
    assert sha256_hex(rfc8785.dumps(orjson.loads(SCHEMA_BYTES))) == NORMATIVE


NORMATIVE = "5830638dc4a0b5e9e54314ec399c71b17333962a05cdb52aa7d2f7765f2c0e22"


def test_every_number_in_a_report_is_one_that_every_platform_writes_alike(assessed):
    """Integers below 2^53, and floats that are the nearest double of a ratio of two of them, in their shortest spelling."""
    for name, scores in assessed.items():
        for data in (scores.closure_bytes(), scores.receipts_bytes()):
            value = orjson.loads(data)
            assert rfc8785.dumps(value) == data, name
            for place, number in _numbers(value):
                if isinstance(number, float):
                    assert place.endswith(("/score", "/completeness")) or "/completeness/" in place, (name, place)
                    assert float(Fraction(number).limit_denominator(64)) == number, (name, place)
                else:
                    assert abs(number) < 2**53, (name, place)


def _numbers(value, place=""):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, f"{place}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item, place)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield place, value
