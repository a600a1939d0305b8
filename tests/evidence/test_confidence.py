"""The table of counters, and the confidence that follows from it: dropping an event never raises it."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evidence import formulas
from evidence.bundle.reader import EvidenceBundle
from evidence.canonical import canonical
from evidence.capture.counters import LEVELS, doubts, faults, read_counters
from evidence.capture.health import COUNTERS, CaptureHealth
from evidence.errors import PackError
from evidence.signals import registry
from evidence.strict_yaml import load
from sidecar.offline import Inputs, seal_files
from sidecar.tables import load_translator
from tests.evidence.make import decoded, gap, log, receipt, span, whole
from tests.tools.otlp import CORPUS

# ------------------------------------------------------------------ the table


def test_every_counter_stands_in_the_table_with_what_it_means():
    counters = registry().counters
    assert set(counters) == COUNTERS
    assert all(counter.meaning.strip() and counter.level in LEVELS for counter in counters.values())


def table(**levels):
    whole_table = {level: {} for level in LEVELS}
    for name, counter in registry().counters.items():
        whole_table[counter.level][name] = counter.meaning
    return json.dumps({**whole_table, **levels}, indent=1).encode()


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"low": {"taste": "bad"}}, "no counter 'taste'"),
        ({"low": {"spans": "again"}}, "'spans' stands twice"),
        ({"medium": {}}, "expected every counter, got none of clock_skew"),
        ({"middling": {}}, "unknown key 'middling'"),
        ({"plain": {"spans": ""}}, "an empty string"),
    ],
)
def test_a_table_with_a_counter_unknown_twice_or_left_out_is_refused_by_line(levels, message):
    with pytest.raises(PackError, match=rf"table.yaml:\d+: .*{message}"):
        read_counters(load(table(**levels), "table.yaml"))


@pytest.mark.parametrize("counter", sorted(COUNTERS))
def test_a_counter_is_what_its_level_says(counter):
    counters = registry().counters
    level = counters[counter].level
    health = {**dict.fromkeys(COUNTERS, 0), counter: 1}
    inputs = {"expected": 1, "counters": health, "table": registry().confidence}
    assert formulas.compute("confidence_table_v1", inputs)[0] == (level if level in {"low", "medium"} else "high")
    assert (counter in doubts(health, counters)) is (level == "low")
    assert (counter in faults(health, counters)) is (level != "plain")


def test_a_counter_of_another_version_is_a_fault_and_no_error():
    assert faults({"from_the_future": 1}, registry().counters) == {"from_the_future": 1}


# ------------------------------------------------------------------ dropping an event

RANK = ["low", "medium", "high"]


def confidence(events) -> int:
    capture = CaptureHealth()
    for event, line in events:
        capture.add(event, line)
    inputs = {"expected": 1, "counters": capture.result(), "table": registry().confidence}
    return RANK.index(str(formulas.compute("confidence_table_v1", inputs)[0]))


FLAWS = st.sampled_from(
    [{}, {"droppedEventsCount": 1}, {"endTimeUnixNano": "1"}, {"flags": 2}, {"traceState": "ot=th:8"}]
)
SPANS = st.builds(
    lambda number, parent, flaw: span(number, **flaw, **({"parentSpanId": f"{parent:016x}"} if parent else {})),
    st.integers(1, 6),
    st.integers(0, 6),
    FLAWS,
)
ITEMS = st.one_of(
    SPANS,
    st.builds(lambda number: log(number, {"a": number}), st.integers(1, 6)),
    st.builds(lambda number: receipt("note", {}, sequence=number), st.integers(1, 6)),
    st.builds(lambda number: receipt("note", {"n": number}), st.integers(1, 6)),
    st.builds(gap, st.sampled_from(["journal", "receipt_sequence", "sender_spans_ended"]), st.integers(1, 3)),
)
COUNTS = st.none() | st.fixed_dictionaries(
    {},
    optional={name: st.integers(0, 8).map(str) for name in ("spans_started", "spans_ended", "spans_dropped", "logs")},
)


@given(st.lists(ITEMS, max_size=12), COUNTS, st.data())
def test_dropping_an_event_of_a_made_run_never_raises_the_confidence(items, counts, data):
    events = decoded(whole(*items, **({} if counts is None else {"sender_counts": counts})))
    taken = data.draw(st.integers(0, len(events) - 1))
    assert confidence(events[:taken] + events[taken + 1 :]) <= confidence(events)


SENT = st.lists(ITEMS, max_size=12, unique_by=lambda item: item[1].get("span", {}).get("spanId", str(item)))


@given(SENT, st.data())
def test_a_run_that_lost_an_item_before_it_was_recorded_is_trusted_no_more_than_the_whole_one(items, data):
    """When the sender counted all it sent, what is lost on the way shows although the recorder never saw it."""
    kinds = [kind.split(".")[-2] for kind, _ in items]
    counts = {"spans_ended": kinds.count("span"), "logs": kinds.count("log"), "receipts": kinds.count("receipt")}
    lost = data.draw(st.sampled_from([at for at, kind in enumerate(kinds) if kind != "gap"] or [None]))
    assume(lost is not None)
    left = items[:lost] + items[lost + 1 :]
    as_sent, as_recorded = (decoded(whole(*each, sender_counts=counts)) for each in (items, left))
    assert confidence(as_recorded) == 0 <= confidence(as_sent)


RECORDINGS = (
    "openinference-instrumentation-langchain@0.1.80/agent_tools_loop.traces.otlp.pb",
    "opentelemetry-instrumentation-genai-langchain@1.3b0/langgraph_multi_agent.latest-span_and_event.traces.otlp.pb",
    "pydantic-ai-slim@2.68.0/tools_loop.traces.otlp.pb",
    "vercel-ai-sdk@7.0.173",
    "claude-code-native@0.2.186",
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The events of recorded runs, by bundle."""
    out = tmp_path_factory.mktemp("recorded")
    files = [file for name in RECORDINGS for file in sorted((CORPUS / name).glob("*.pb")) or [CORPUS / name]]
    sealed = seal_files(
        Inputs(files),
        out,
        packs=[],
        translator=load_translator("gen-ai-dev", {}),
        profiles={},
        run_key=("affidavit.run.id", "trace_id"),
        signer=None,
    )
    runs = []
    for each in list(sealed):
        with EvidenceBundle.open(out / each.file) as bundle:
            runs.append(list(bundle.events()))
    return runs


def counted(events):
    """A recorded run as its sender would have closed it."""
    *before, (closing, _) = events
    said = {name: str(closing["data"][kind]) for name, kind in (("spans_ended", "spans"), ("logs", "logs"))}
    closing = {**closing, "data": {**closing["data"], "sender_counts": said}}
    return [*before, (closing, canonical(closing))]


def test_dropping_any_event_of_a_recorded_run_never_raises_the_confidence(recorded):
    assert len(recorded) > 10
    levels = set()
    for run in recorded:
        for events in (run, counted(run)):
            levels.add(before := confidence(events))
            for taken in range(len(events)):
                assert confidence(events[:taken] + events[taken + 1 :]) == 0 <= before
    assert levels == {1, 2}  # without the sender's counts, and with them
