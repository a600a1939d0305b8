"""Recorded runs under soak: turns, budgets, limits, and what does not read."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.bundle import seal
from evidence.limits import DEFAULT
from evidence.packs import builtin, load
from evidence.soak.perturbation import profiles
from evidence.soak.soak import DecisionPolicy, Soak, assess
from sidecar.errors import ConfigError
from sidecar.sim.bundles import Bundles
from sidecar.sim.soak import Plan, run_soak
from sidecar.sim.target import Trouble
from tests.evidence import make

GOOD = make.whole(make.resource({"service.name": "agent"}), make.span(1, make.CHAT))
BAD = make.whole(make.span(1, {"gen_ai.operation.name": "chat"}))


def plan(**changes) -> Plan:
    facts = {
        "packs": (builtin("baseline"),),
        "profile": profiles().named("none"),
        "iterations": 6,
        "seed": 7,
        "time_budget_seconds": 1000,
        "policy": DecisionPolicy(),
        "keep_runs": True,
    }
    return Plan(**(facts | changes))


@pytest.fixture
def folder(tmp_path) -> Path:
    """A good run, a bad one, and one that does not read."""
    made = tmp_path / "runs"
    made.mkdir()
    make.sealed(made, items=GOOD, name="1-good.evidence.tar.gz")
    make.sealed(made, items=BAD, name="2-bad.evidence.tar.gz")
    (made / "3-torn.evidence.tar.gz").write_bytes((made / "1-good.evidence.tar.gz").read_bytes()[:200])
    (made / "events").unlink()
    return made


def statuses(soak: Soak) -> list[str]:
    return [run["status"] for run in soak.runs]


def test_the_bundles_of_a_folder_take_turns_and_one_that_does_not_read_is_no_failure(folder):
    target = Bundles(folder)
    soak = run_soak(target, plan())
    assert statuses(soak) == ["pass", "fail", "infra_error"] * 2
    assert (soak.passes, soak.failures, dict(soak.infra)) == (2, 2, {"bundle_invalid": 2})
    assert soak.first_failure_at == 2
    assert target.newest_closed_at == make.meta().closed_at
    assert soak.runs[0]["duration_ms"] == 0  # a hundred nanoseconds, by its own times


def test_a_bundle_that_stays_decoded_and_one_that_is_read_again_come_to_the_same(folder):
    storm = plan(profile=profiles().named("storm"), iterations=30)
    decoded, streamed = Bundles(folder), Bundles(folder, decoded_bytes_max=0)
    assert run_soak(decoded, storm).runs == run_soak(streamed, storm).runs
    assert decoded._decoded
    assert not streamed._decoded


def test_a_bundle_is_really_looked_at_each_time(folder):
    """Of a bundle that is read again what was changed meanwhile shows, at its next turn."""
    target = Bundles(folder / "1-good.evidence.tar.gz", decoded_bytes_max=0)
    shown = []

    def change(_: int) -> None:
        shutil.copyfile(folder / "2-bad.evidence.tar.gz", folder / "1-good.evidence.tar.gz")
        shown.append(True)

    assert statuses(run_soak(target, plan(iterations=2, on_iteration=change))) == ["pass", "fail"]


def test_each_iteration_is_judged_anew(folder, monkeypatch):
    judged = []
    monkeypatch.setattr("sidecar.sim.soak.assess", lambda *a, **k: judged.append(1) or assess(*a, **k))
    run_soak(Bundles(folder / "1-good.evidence.tar.gz"), plan(iterations=17))
    assert len(judged) == 17


@pytest.mark.parametrize(
    ("policy", "runs"),
    [({}, 6), ({"stop_on_first_failure": True}, 2), ({"max_failures": 1}, 2), ({"max_failures": 2}, 5)],
)
def test_the_policy_ends_it_early(folder, policy, runs):
    assert len(run_soak(Bundles(folder), plan(policy=DecisionPolicy(**policy))).runs) == runs


class Clock:
    """Seconds that pass with each look."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_the_time_budget_ends_it_and_is_told(folder):
    bundle = Bundles(folder / "1-good.evidence.tar.gz")
    soak = run_soak(bundle, plan(iterations=1000, time_budget_seconds=10), Clock(0.5))
    assert dict(soak.infra) == {"time_budget_exceeded": 1}
    assert 0 < soak.passes < 10
    assert statuses(soak)[-1] == "infra_error"
    assert not soak.pass_all


def test_a_budget_that_is_gone_at_once_still_makes_a_report(folder):
    soak = run_soak(Bundles(folder), plan(time_budget_seconds=1), Clock(10))
    assert soak.results()["runs"] == 1
    assert soak.results()["pass_rate"] == 0.0


def test_the_time_budget_holds_inside_of_one_large_run(tmp_path):
    spans = [make.span(number, make.CHAT) for number in range(1, 2000)]
    make.sealed(tmp_path, items=make.whole(*spans))
    target = Bundles(tmp_path / "run-1.evidence.tar.gz")
    soak = run_soak(target, plan(iterations=1, time_budget_seconds=5), Clock(1))
    assert dict(soak.infra) == {"time_budget_exceeded": 1}


LIMITS = {
    "the container": {"bundle_bytes_max": 100},
    "what it inflates to": {"decoded_bytes_max": 100},
    "the manifest": {"manifest_bytes_max": 100},
    "the events' size": {"events_bytes_max": 100},
    "the number of events": {"events_max": 2},
    "a line": {"line_bytes_max": 50},
    "a path": {"path_bytes_max": 5},
    "nesting": {"json_depth_max": 3},
}


@pytest.mark.parametrize("bounds", LIMITS.values(), ids=LIMITS)
def test_every_limit_that_the_report_names_is_enforced(folder, bounds):
    limits = replace(DEFAULT, **bounds)
    soak = run_soak(Bundles(folder / "1-good.evidence.tar.gz", limits), plan(iterations=1, limits=limits))
    assert dict(soak.infra) == {"bundle_invalid": 1}


def test_amendments_are_no_runs(tmp_path):
    make.sealed(tmp_path, items=GOOD)
    late = make.lines([make.span(9, make.CHAT)], first_seq=4)
    (tmp_path / "late").write_bytes(b"".join(line + b"\n" for line in late))
    seal(
        events=tmp_path / "late",
        run=make.meta(part=2),
        packs=[builtin("baseline")],
        profiles={},
        mapping_loss=b'{"schema":"mapping-loss-v1"}',
        out=tmp_path / "run-1.part2.evidence.tar.gz",
    )
    target = Bundles(tmp_path)
    assert [path.name for path in target.paths] == ["run-1.evidence.tar.gz"]
    assert target.amendments == 1


def test_a_target_that_is_not_there_is_the_callers_fault(tmp_path):
    for missing in (tmp_path / "nothing", tmp_path):
        with pytest.raises(ConfigError, match="--target"):
            Bundles(missing)


def test_a_file_that_vanishes_is_an_error_of_input_and_output(folder):
    target = Bundles(folder / "2-bad.evidence.tar.gz")
    (folder / "2-bad.evidence.tar.gz").unlink()
    with pytest.raises(Trouble) as caught:
        target.runs(1, (), 1.0)
    assert caught.value.kind == "io_error"


def test_rules_apply_by_the_day_the_run_closed_or_the_day_asked_for(tmp_path):
    pack = load(PACK, "p.yaml")
    make.sealed(tmp_path, items=BAD)
    target = Bundles(tmp_path / "run-1.evidence.tar.gz")
    today = run_soak(target, plan(packs=(pack,), iterations=1))
    later = run_soak(target, plan(packs=(pack,), iterations=1, as_of="2031-01-01"))
    assert (today.failures, later.failures) == (0, 1)
    assert today.tolerated == {"later@1:L-1": 1}


PACK = b"""
name: later
version: "1"
kind: quality
description: A rule that applies from a day on
x-assay: {requires_signals: [model_identity]}
rules:
  - id: L-1
    title: Models are named
    severity: error
    applies_from: "2030-01-01"
    signals: [{id: model_identity, min_state: captured}]
  - id: L-2
    title: The run has a beginning and an end
    severity: error
    signals: [{id: session_lifecycle, min_state: captured}]
"""
