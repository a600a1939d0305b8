"""What must be so of scores whatever the run: laws that hold between a run and the same run with one thing changed."""

import gc
import tracemalloc
from functools import cache

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import event as types
from evidence.digest import sha256_hex
from evidence.limits import Limits
from evidence.manifest import CLOSURE
from evidence.scores import Assessment
from tests.evidence.golden_runs import (
    AGENT,
    EMBEDDINGS,
    EVERYTHING,
    FAILED_CHAT,
    MCP,
    MEMORY,
    RETRIEVAL,
    RUNS,
    counted,
    counts_of,
    decision,
)
from tests.evidence.make import (
    CHAT,
    TOOL,
    TRACE,
    Item,
    changed,
    closed,
    decoded,
    log,
    pack,
    receipt,
    resource,
    sealed,
    span,
    unpack,
)
from tests.evidence.test_golden import CONTEXT
from tests.tools.examples import times

RANK = ("low", "medium", "high").index


def report(items, limits=Limits()):  # noqa: B008 - frozen
    assessment = Assessment([], limits=limits)
    for event, line in decoded(items):
        assessment.add(event, line)
    return assessment.scores(CONTEXT).closure


def states(closure):
    return {name: detail["status"] for name, detail in closure["completeness"]["by_signal"].items()}


# ------------------------------------------------------------------ filling in

WHOLE = {
    "chat": (CHAT, {}),
    "chat_inside": (CHAT, {"parentSpanId": f"{1:016x}"}),
    "failed_chat": (FAILED_CHAT, {"failed": True}),
    "chat_with_tools": (CHAT | {"gen_ai.tool.definitions": '[{"type":"function","name":"search"}]'}, {}),
    "tool": (TOOL, {}),
    "tool_inside": (TOOL | MCP, {"parentSpanId": f"{1:016x}"}),
    "failed_tool": (TOOL | {"error.type": "ValueError"}, {"failed": True}),
    "retrieval": (RETRIEVAL, {}),
    "memory": (MEMORY, {}),
    "embeddings": (EMBEDDINGS, {}),
    "agent": (AGENT, {"parentSpanId": f"{1:016x}"}),
    "resource": ({"service.name": "a", "vcs.ref.head.revision": "c"}, {}),
}
"""Events with everything that is demanded of them, and nothing that asks for more."""
NOT_DEMANDED = {"gen_ai.operation.name", "mcp.method.name"}
"""What an event is, rather than what is demanded of it: with another one it would be another event."""


@st.composite
def partial_events(draw):
    """Kinds of event, and what each lacks."""
    kinds = draw(st.lists(st.sampled_from(sorted(WHOLE)), min_size=1, max_size=6))
    return [(kind, draw(st.sets(st.sampled_from(sorted(WHOLE[kind][0].keys() - NOT_DEMANDED))))) for kind in kinds]


def made(events):
    items = []
    for number, (kind, absent) in enumerate(events, 1):
        attributes, fields = WHOLE[kind]
        kept = {key: value for key, value in attributes.items() if key not in absent}
        items.append(resource(kept) if kind == "resource" else span(number, kept, **fields))
    return counted(*items)


@settings(max_examples=times(1.5))
@given(partial_events(), st.data())
def test_filling_in_what_was_missing_in_an_event_never_lowers_the_score(events, data):
    place = data.draw(st.integers(0, len(events) - 1))
    kind, absent = events[place]
    filled = data.draw(st.sets(st.sampled_from(sorted(absent)))) if absent else set()
    after = [*events[:place], (kind, absent - filled), *events[place + 1 :]]
    assert report(made(after))["closure"]["score"] >= report(made(events))["closure"]["score"]


@settings(max_examples=times(0.5))
@given(partial_events())
def test_with_everything_filled_in_everything_expected_is_captured(events):
    whole = report(made([(kind, set()) for kind, _ in events]))
    assert set(states(whole).values()) <= {"captured", "unknown"}


@settings(max_examples=times(0.5))
@given(partial_events(), st.data())
def test_a_log_record_fills_in_what_its_span_lacks_as_well_as_the_span_itself(events, data):
    place = data.draw(st.integers(0, len(events) - 1))
    kind, absent = events[place]
    said = {
        key: WHOLE[kind][0][key] for key in absent if key.startswith(("gen_ai.input", "gen_ai.output", "gen_ai.sys"))
    }
    *inside, _ = made(events)
    told = [*inside, log(place + 1, said)] if said and kind != "resource" else inside
    before, after = report(made(events)), report([*told, closed(told, sender_counts=counts_of(told))])
    assert after["closure"]["score"] >= before["closure"]["score"]


# ------------------------------------------------------------------ leaving out


@pytest.mark.parametrize("name", RUNS)
def test_an_event_that_is_taken_out_never_raises_the_confidence(name):
    run = RUNS[name]
    before = report(run.items)["closure"]["confidence"]
    for place in range(len(run.items)):
        left = [item for number, item in enumerate(run.items) if number != place]
        assert RANK(report(left)["closure"]["confidence"]) <= RANK(before), (name, place)


@settings(max_examples=times(0.5))
@given(partial_events(), st.data())
def test_an_event_that_does_not_arrive_never_raises_the_confidence_when_the_sender_counted(events, data):
    """The recorder's own counts are true to what came; the sender's are to what it sent."""
    start, *inside, end = made(events)
    place = data.draw(st.integers(0, len(inside) - 1))
    arrived = [start, *inside[:place], *inside[place + 1 :]]
    after = report([*arrived, closed(arrived, sender_counts=end[1]["sender_counts"])])
    assert RANK(after["closure"]["confidence"]) <= RANK(report(made(events))["closure"]["confidence"])


# ------------------------------------------------------------------ sealing again

ABOUT_THE_BUNDLE = ("bundle_digest", "generated_at")


def scores_in(path):
    found = orjson.loads(unpack(path)[CLOSURE])
    return {name: part for name, part in found.items() if name not in ABOUT_THE_BUNDLE}


@cache
def first_sealed(tmp):
    return scores_in(sealed(tmp, EVERYTHING, name="first.evidence.tar.gz").path)


RESEALED = {
    "another_part": {"part": 7},
    "an_amendment": {"part": 2, "amends": "ab" * 32},
    "a_chain": {"previous_bundle": {"bundle_id": "ab" * 32, "manifest_sha256": "cd" * 32}},
    "another_time": {"closed_at": "2031-05-05T05:05:05.000000005Z"},
    "another_reason": {"close_reason": "idle"},
    "another_producer": {"producer": {"name": "affidavit", "version": "9.9.9"}},
    "redaction": {"redaction": {"policy_digest": "sha256:" + "ef" * 32}},
    "another_loss_report": {"mapping_loss": b'{"schema":"mapping-loss-v1","totals":{}}'},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("resealed")


@pytest.mark.parametrize("change", RESEALED)
def test_the_same_events_sealed_with_other_facts_have_the_same_scores(folder, change):
    again = sealed(folder, EVERYTHING, name=f"{change}.evidence.tar.gz", **RESEALED[change])
    assert scores_in(again.path) == first_sealed(folder)


def test_the_same_members_in_another_container_have_the_same_scores(folder):
    members = unpack(sealed(folder, EVERYTHING, name="members.evidence.tar.gz").path)
    other = changed(members, lambda manifest: manifest["limits"].update(max_events=5_000))
    path = pack(other.items(), folder / "other.evidence.tar.gz")
    assert path.read_bytes() != (folder / "members.evidence.tar.gz").read_bytes()
    assert scores_in(path) == first_sealed(folder)


@pytest.mark.parametrize(
    "limits", [Limits(evidence_paths_max=1), Limits(events_max=100), Limits(line_bytes_max=10_000)]
)
def test_limits_that_are_not_reached_change_no_state_and_no_score(limits):
    one, other = report(EVERYTHING), report(EVERYTHING, limits)
    assert states(one) == states(other)
    assert one["closure"] == other["closure"]


# ------------------------------------------------------------------ order


def outcome(items):
    """The report without places, which name events by their number."""
    found = report(items)
    by_signal = found["completeness"]["by_signal"]
    return found["closure"], {name: (detail["status"], detail["reason"]) for name, detail in by_signal.items()}


@settings(max_examples=times(0.5))
@given(st.sampled_from(sorted(RUNS)), st.randoms(use_true_random=False))
def test_the_order_in_which_events_arrive_changes_nothing_but_their_numbers(name, order):
    """Spans, logs and receipts come in any order: children before parents, and decisions told late with their own time."""
    start, *inside, end = RUNS[name].items
    if start[0] != types.RUN_OPENED or end[0] != types.RUN_CLOSED:
        inside, start, end = RUNS["everything_captured"].items[1:-1], EVERYTHING[0], EVERYTHING[-1]
    shuffled = list(inside)
    order.shuffle(shuffled)
    assert outcome([start, *shuffled, end]) == outcome([start, *inside, end])


def test_a_receipt_without_a_time_of_its_own_is_as_late_as_it_arrives():
    late = receipt("policy_decision", {"decision": "allow", "policy_id": "p", "tool_call_id": "call-1"})
    gated = span(1, TOOL | {"affidavit.policy.gated": True})
    assert states(report(counted(late, gated)))["policy_decisions"] == "missing"
    assert states(report(counted(decision("1"), gated)))["policy_decisions"] == "captured"


# ------------------------------------------------------------------ many times over


def times_over(times: int) -> list[Item]:
    """The golden run's inside again and again, each with ids of its own."""
    items: list[Item] = [EVERYTHING[0]]
    for turn in range(times):
        text = orjson.dumps(EVERYTHING[1:-1]).decode()
        text = text.replace(f'"{TRACE}"', f'"{sha256_hex(str(turn).encode())[:32]}"')
        text = text.replace('"call-1"', f'"call-1-{turn}"').replace('"call-2"', f'"call-2-{turn}"')
        text = text.replace('\\"call-1\\"', f'\\"call-1-{turn}\\"')
        items += [(kind, data) for kind, data in orjson.loads(text)]
    return [*items, closed(items, sender_counts=counts_of(items))]


@pytest.mark.parametrize("times", [2, 50])
def test_a_healthy_run_many_times_over_is_as_healthy(times):
    found = report(times_over(times))
    assert states(found) == states(report(EVERYTHING))
    assert found["closure"] == report(EVERYTHING)["closure"]
    details = found["completeness"]["by_signal"].values()
    assert all(len(detail["evidence_paths"]) <= 8 for detail in details)


def test_what_an_assessment_holds_does_not_grow_with_the_number_of_events():
    """Beyond the bounds, which are small here, nothing is kept for an event."""
    limits = Limits(open_instances_max=20, spans_tracked_max=20, looks_max=64)
    lacking = [span(number, {"gen_ai.operation.name": "chat"}) for number in range(1, 40)]

    def held(times: int) -> int:
        assessment = Assessment([], limits=limits)
        lines = decoded([*times_over(times)[:-1], *lacking])
        tracemalloc.start()
        for event, line in lines:
            assessment.add(event, line)
        gc.collect()  # which also gives back what Python keeps of freed tuples
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert assessment.scores(CONTEXT)
        return size

    held(2)  # what is made once
    assert held(400) < held(100) + 10_000, "three bytes an event"


def test_a_run_that_begins_and_never_ends_is_scored_at_every_moment():
    """Asking early gives what is known so far, and changes nothing of what comes later."""
    assessment = Assessment([])
    for event, line in decoded(EVERYTHING):
        assessment.add(event, line)
        assessment.scores(CONTEXT)
    assert assessment.scores(CONTEXT).closure == report(EVERYTHING)
