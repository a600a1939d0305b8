"""Perturbed runs: valid again, the same for a seed, and other than the run in exactly what the fault names."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import event as types
from evidence.bundle.sequence import EventSequence
from evidence.canonical import canonical
from evidence.digest import tagged
from evidence.errors import EventError, EvidenceError, PackError
from evidence.event import EvidenceEvent
from evidence.redaction.commitment import read_commitment
from evidence.soak.faults import FAULTS, RECEIVER_FAULTS, Fault
from evidence.soak.perturbation import perturbed, profiles, read_profiles
from evidence.timestamp import from_unix_nano
from tests.evidence import make
from tests.tools.examples import times

Events = list[tuple[dict[str, Any], bytes]]
RESOURCES = {name: {"attributes": make.pairs({"service.name": name})} for name in ("agent", "tool")}
SHARED = {name: tagged(canonical({"resource": content})) for name, content in RESOURCES.items()}
SCOPE = {"scope": {"name": "a scope"}}
SCOPE_DIGEST = tagged(canonical(SCOPE))
PROFILES = list(profiles().by_name)


def placed(item: make.Item, resource: str) -> make.Item:
    kind, data = item
    return kind, {**data, "resource": SHARED[resource], "scope": SCOPE_DIGEST}


def resource(name: str) -> make.Item:
    return types.RESOURCE, {"digest": SHARED[name], "resource": RESOURCES[name]}


def translated(item: make.Item, removed: list[str], attributes: dict[str, Any]) -> make.Item:
    kind, data = item
    mapped = {"profiles": ["p"], "removed": removed, "attributes": make.pairs(attributes)}
    return kind, {**data, "mapped": mapped, "loss": {"no-target": ["x"]}}


def receipt(number: int) -> make.Item:
    body = {"number": number}
    fields = {"sequence": number, "time_unix_nano": str(make.START + 7), "idempotency_key": f"k{number}"}
    return make.receipt("step", body, **fields)


SPANS = [
    placed(make.span(1, {"gen_ai.operation.name": "invoke_agent"}), "agent"),
    placed(
        make.span(2, make.CHAT, parentSpanId=f"{1:016x}", events=[{"timeUnixNano": str(make.START), "name": "e"}]),
        "agent",
    ),
    translated(
        placed(make.span(3, {"input.value": "raw words", "llm.model": "m"}, parentSpanId=f"{1:016x}"), "tool"),
        ["input.value"],
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "raw words"},
    ),
]
LOG = placed(make.log(2, {"event.name": "e"}, timeUnixNano=str(make.START)), "agent")
METRIC = (types.METRIC, {"resource": SHARED["agent"], "scope": SCOPE_DIGEST, "metric": {"name": "m"}})
INSIDE = [
    (types.RUN_OPENED, {"run_id": make.RUN_ID, "part": 1, "reason": "open", "context": {"policy": {"id": "p"}}}),
    resource("agent"),
    (types.SCOPE, {"digest": SCOPE_DIGEST, **SCOPE}),
    SPANS[0],
    receipt(1),
    SPANS[1],
    LOG,
    resource("tool"),
    SPANS[2],
    METRIC,
    receipt(2),
    make.gap("rejected"),
    receipt(3),
]
COUNTS = {"spans_ended": "3", "logs": "1", "receipts": "3"}
RUN = make.decoded([*INSIDE, make.closed(INSIDE, sender_counts=COUNTS, outcome={"ok": True})])
"""A run such as the recorder writes: two processes, each kind of item, a gap, and the sender's own counts."""


def under(*faults: Fault, run: Events = RUN, seed: int = 7, iteration: int = 1) -> Events:
    return list(perturbed(run, faults, seed=seed, iteration=iteration, total=len(run)))


def accepted(events: Events) -> EventSequence:
    """What the strict reader says of the lines; the events must be what the lines say."""
    sequence = EventSequence(run_id=make.RUN_ID, first_seq=0)
    for event, line in events:
        assert sequence.add(line) == event
    return sequence


def fault(kind: str, *of: str, **values: Any) -> Fault:
    return Fault(kind=kind, of=frozenset(of), **values)


# ------------------------------------------------------------------ for every profile


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=times(0.3))
@given(seed=st.integers(0, 2**53), iteration=st.integers(1, 10**6))
def test_a_perturbed_run_is_a_valid_sequence_with_a_true_closing_event(name, seed, iteration):
    profile = profiles().named(name).drawn(seed, iteration)
    events = under(*profile.run, seed=seed, iteration=iteration)
    accepted(events)
    closing = [event["data"] for event, _ in events if event["type"] == types.RUN_CLOSED]
    counts = Counter(event["type"] for event, _ in events)
    for data in closing:
        assert data["events"] == len(events)
        assert [data[key] for key in ("spans", "logs", "metrics", "receipts")] == [
            counts[kind] for kind in (types.SPAN, types.LOG, types.METRIC, types.RECEIPT)
        ]
    known: set[str] = set()
    for event, _ in events:
        known |= {event["data"]["digest"]} if event["type"] in {types.RESOURCE, types.SCOPE} else set()
        assert {event["data"][key] for key in ("resource", "scope") if type(event["data"].get(key)) is str} <= known


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_that_meets_nothing_leaves_every_byte(kind):
    """`rerecorded` writes the run as the recorder did, numbers, closing event and gaps included."""
    never = Fault(kind=kind, of=frozenset(FAULTS[kind].items), chance=0.0, least=1.0, most=1.0, characters=10**9)
    assert under(never) == RUN


def test_without_faults_the_run_is_what_it_was_even_if_no_recorder_of_ours_wrote_it():
    odd = make.decoded(make.whole(make.resource({"service.name": "nobody refers to it"}), make.gap("sender_logs")))
    assert under(run=odd) == odd


def test_the_run_itself_is_not_touched():
    before = [(canonical(event), line) for event, line in RUN]
    for profile in profiles().by_name.values():
        under(*profile.run)
    assert [(canonical(event), line) for event, line in RUN] == before


GOLDEN: dict[str, str] = {
    "none": "f297a72b82aedb33",
    "telemetry-loss": "f297a72b82aedb33",
    "batch-loss": "f297a72b82aedb33",
    "sampled-traces": "0b09e13a1571b48f",
    "silent-process": "f9df4b0b76470dfe",
    "receipts-lost": "e501bda2cb800ede",
    "truncated": "f297a72b82aedb33",
    "attribute-limit": "f297a72b82aedb33",
    "duplicates": "600ea545d0d58ec4",
    "conflicting-ids": "f297a72b82aedb33",
    "out-of-order": "c63e37a360808abb",
    "clock-skew": "da6cf4f5466c4631",
    "clock-step": "bb6fa130c8676371",
    "close-lost": "95d151427c264c98",
    "context-lost": "0d72395a65bf1db3",
    "late": "fbb089e0df5418f2",
    "unclosed": "9e6182c9beabadc6",
    "storm": "9dbf5fd9486a0c9b",
    "busy": "f297a72b82aedb33",
    "slow": "f297a72b82aedb33",
    "resets": "f297a72b82aedb33",
    "restarts": "f297a72b82aedb33",
    "rough-network": "f297a72b82aedb33",
}


def digests() -> dict[str, str]:
    """One digest over a few iterations for each profile that the signal registry, which names bodies, has no part in."""
    found = {}
    for name, profile in profiles().by_name.items():
        if {"strip", "withhold"} & {each.kind for chosen in (profile, *profile.one_of) for each in chosen.run}:
            continue
        lines = [line for n in range(1, 4) for _, line in under(*profile.drawn(7, n).run, seed=7, iteration=n)]
        found[name] = hashlib.sha256(b"\n".join(lines)).hexdigest()[:16]
    return found


def test_the_same_seed_gives_the_same_bytes_as_it_ever_did():
    assert digests() == GOLDEN


@pytest.mark.parametrize("hash_seed", ["0", "1", "31337"])
def test_neither_the_process_nor_its_hash_seed_matters(hash_seed):
    code = "from tests.evidence.test_perturbation import GOLDEN, digests; assert digests() == GOLDEN"
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env=environment)


def test_iterations_and_seeds_differ():
    loss = fault("lose", "span", "log", "receipt", chance=0.5)
    found = {tuple(line for _, line in under(loss, seed=seed, iteration=n)) for seed in range(4) for n in range(1, 5)}
    assert len(found) > 8


def test_a_fault_meets_the_same_events_whatever_else_goes_wrong():
    loss = fault("lose", "span", chance=0.4)
    alone = {event["subject"] for event, _ in with_subjects(under(loss, run=MANY))}
    beside = under(loss, fault("lose", "log", chance=0.5), fault("lose", "receipt", chance=0.5), run=MANY)
    assert {event["subject"] for event, _ in with_subjects(beside)} == alone


def with_subjects(events: Events) -> Events:
    return [pair for pair in events if "subject" in pair[0]]


def many() -> Events:
    """Forty spans with logs and receipts between them, each span with its id as subject."""
    items: list[tuple[make.Item, str | None]] = []
    for number in range(1, 41):
        items += [(make.span(number), f"{number:016x}"), (make.log(number, {}), None), (receipt(number), None)]
    chosen = [(make.opened(), None), *items]
    chosen.append((make.closed([item for item, _ in chosen]), None))
    events = []
    for seq, ((kind, data), subject) in enumerate(chosen):
        time = from_unix_nano(make.START + seq)
        event = EvidenceEvent(
            run_id=make.RUN_ID, seq=seq, type=kind, time=time, data=data, source=make.SOURCE, subject=subject
        )
        events.append((event.to_json(), event.line()))
    return events


MANY = many()


# ------------------------------------------------------------------ what each fault does, and nothing else


def change(events: Events) -> dict[str, Any]:
    """How a run differs from `RUN`: types lost and added, items that say something else, the order, the closing event."""
    kinds, were = ([event["type"].removeprefix("affidavit.") for event, _ in each] for each in (events, RUN))
    found: dict[str, Any] = {}
    if lost := Counter(were) - Counter(kinds):
        found["lost"] = dict(lost)
    if added := Counter(kinds) - Counter(were):
        found["added"] = dict(added)
    known = {canonical(event["data"]) for event, _ in RUN}
    other = [e for e, _ in events if canonical(e["data"]) not in known and e["type"] != types.RUN_CLOSED]
    changed = [event["type"].removeprefix("affidavit.") for event in other if event["type"] != types.RUN_GAP]
    if changed:
        found["changed"] = dict(Counter(changed))
    if gaps := [(e["data"]["kind"], e["data"]["count"]) for e, _ in events if e["type"] == types.RUN_GAP][1:]:
        found["gaps"] = gaps
    if not lost and not added and kinds != were:
        found["order"] = True
    closing = next((event["data"] for event, _ in events if event["type"] == types.RUN_CLOSED), {})
    said = RUN[-1][0]["data"]
    if differs := sorted(key for key in said.keys() | closing.keys() if said.get(key) != closing.get(key)):
        found["closing"] = differs
    return found


FAULT_TABLE: list[tuple[str, Fault, dict[str, Any]]] = [
    (
        "spans lost",
        fault("lose", "span", chance=1.0),
        {
            "lost": {"otel.span.v1": 3, "otel.resource.v1": 1},
            "added": {"run.gap.v1": 1},
            "gaps": [("sender_spans_ended", 3)],
            "closing": ["events", "spans"],
        },
    ),
    (
        "logs lost",
        fault("lose", "log", chance=1.0),
        {"lost": {"otel.log.v1": 1}, "added": {"run.gap.v1": 1}, "gaps": [("sender_logs", 1)], "closing": ["logs"]},
    ),
    (
        "metrics lost, which nobody counted",
        fault("lose", "metric", chance=1.0),
        {"lost": {"otel.metric.v1": 1}, "closing": ["events", "metrics"]},
    ),
    (
        "receipts lost, of which no number tells any more",
        fault("lose", "receipt", chance=1.0),
        {
            "lost": {"receipt.v1": 3},
            "added": {"run.gap.v1": 1},
            "gaps": [("sender_receipts", 3)],
            "closing": ["events", "receipts"],
        },
    ),
    (
        "a process silent, with its resource",
        fault("lose", "span", "log", "metric", chance=0.5, together="resource"),
        {
            "lost": {"otel.span.v1": 2, "otel.log.v1": 1, "otel.metric.v1": 1, "otel.resource.v1": 1},
            "added": {"run.gap.v1": 2},
            "gaps": [("sender_spans_ended", 2), ("sender_logs", 1)],
            "closing": ["events", "logs", "metrics", "spans"],
        },
    ),
    (
        "repetitions, of which those of spans and receipts are told and not written",
        fault("repeat", "span", "receipt", chance=1.0),
        {"closing": ["duplicates"]},
    ),
    (
        "repetitions of logs and metrics, which nobody can tell",
        fault("repeat", "log", "metric", chance=1.0),
        {"added": {"otel.log.v1": 1, "otel.metric.v1": 1}, "closing": ["events", "logs", "metrics"]},
    ),
    (
        "spans told twice in two ways",
        fault("conflict", "span", chance=1.0),
        {"added": {"otel.span.v1": 3}, "changed": {"otel.span.v1": 3}, "closing": ["events", "spans"]},
    ),
    ("disorder", fault("reorder", "span", "log", "metric", "receipt", chance=0.9, places=5), {"order": True}),
    ("bodies stripped", fault("strip", "span", "log", chance=1.0), {"changed": {"otel.span.v1": 2}}),
    ("bodies withheld", fault("withhold", "span", "log", chance=1.0), {"changed": {"otel.span.v1": 2}}),
    ("long texts cut", fault("truncate", "span", "log", chance=1.0, characters=20), {"changed": {"otel.span.v1": 1}}),
    (
        "attributes over a limit",
        fault("drop_attributes", "span", chance=1.0, keep=2),
        {"changed": {"otel.span.v1": 2}},
    ),
    (
        "clocks apart",
        fault("shift_clock", "span", "log", "receipt", seconds=5.0),
        {"changed": {"otel.span.v1": 3, "otel.log.v1": 1, "receipt.v1": 3}},
    ),
    ("a clock set back", fault("step_clock", "span", chance=1.0, seconds=1.0), {"changed": {"otel.span.v1": 3}}),
    (
        "closed early",
        fault("close_early", least=0.6, most=0.6),
        {
            "lost": {"otel.metric.v1": 1, "receipt.v1": 2},
            "added": {"run.gap.v1": 1},
            "gaps": [("sender_receipts", 2)],
            "closing": ["events", "metrics", "receipts"],
        },
    ),
    ("the opening lost", fault("lose_open"), {"changed": {"run.opened.v1": 1}}),
    ("the close lost", fault("lose_close"), {"closing": ["outcome", "reason", "sender_counts"]}),
    ("never closed", fault("stop"), {"lost": {"run.closed.v1": 1}, "closing": sorted(RUN[-1][0]["data"])}),
]


def test_the_table_has_every_fault():
    assert {each.kind for _, each, _ in FAULT_TABLE} == FAULTS.keys()


@pytest.mark.parametrize(("what", "met", "expected"), FAULT_TABLE, ids=[what for what, _, _ in FAULT_TABLE])
def test_a_fault_changes_exactly_what_it_names(what, met, expected):
    events = under(met)
    accepted(events)
    assert change(events) == expected


def spans(events: Events) -> list[dict[str, Any]]:
    return [event["data"] for event, _ in events if event["type"] == types.SPAN]


def attributes(data: dict[str, Any]) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in data["span"]["attributes"]}


def test_stripping_takes_a_body_and_the_words_it_was_translated_from():
    _, chat, tool = spans(under(fault("strip", "span", chance=1.0)))
    bodies = {"gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages"}
    assert attributes(chat).keys() == make.CHAT.keys() - bodies
    assert attributes(tool).keys() == {"llm.model", "gen_ai.operation.name"}
    assert b"raw words" not in canonical(tool)
    assert "mapped" not in tool
    assert "loss" not in tool


def test_withholding_leaves_a_commitment_that_says_the_size_and_nothing_else():
    _, chat, tool = spans(under(fault("withhold", "span", chance=1.0)))
    commitment = read_commitment(attributes(tool)["gen_ai.tool.call.arguments"])
    assert commitment is not None
    assert (commitment.alg, commitment.reason) == ("hmac-sha256", "perturbation")
    assert commitment.size_bytes == len("raw words")
    assert b"raw words" not in canonical(tool)
    assert attributes(chat)["gen_ai.request.model"] == {"stringValue": "gpt-x"}


def test_a_limit_keeps_so_many_attributes_and_says_how_many_went():
    agent, chat, _ = spans(under(fault("drop_attributes", "span", chance=1.0, keep=2)))
    assert agent == spans(RUN)[0]
    assert chat["span"]["droppedAttributesCount"] == len(make.CHAT) - 2
    assert [key for key in make.CHAT if key in attributes(chat)] == list(attributes(chat))


def test_texts_in_arrays_are_cut_as_well():
    value = {"arrayValue": {"values": [{"stringValue": "long" * 20}, {"intValue": "1"}]}}
    run = make.decoded(make.whole(make.span(1, {"a": value, "b": "x" * 30, "c": 5})))
    (data,) = spans(under(fault("truncate", "span", chance=1.0, characters=8), run=run))
    kept = {"arrayValue": {"values": [{"stringValue": "longlong"}, {"intValue": "1"}]}}
    assert attributes(data) == {"a": kept, "b": {"stringValue": "x" * 8}, "c": {"intValue": "5"}}


def test_every_process_has_one_clock_and_the_event_is_dated_by_it():
    events = under(fault("shift_clock", "span", "log", "receipt", seconds=5.0))
    moved: dict[str, set[int]] = {}
    for event, _ in events:
        data = event["data"]
        if event["type"] == types.SPAN:
            shift = int(data["span"]["endTimeUnixNano"]) - (make.START + 1)
            moved.setdefault(data["resource"], set()).add(shift)
            assert int(data["span"]["startTimeUnixNano"]) - make.START == shift
            assert event["time"] == from_unix_nano(make.START + 1 + shift)
        if event["type"] == types.RECEIPT:
            moved.setdefault("receipts", set()).add(int(data["time_unix_nano"]) - make.START - 7)
    assert [len(shifts) for shifts in moved.values()] == [1, 1, 1]
    assert len(set().union(*moved.values())) == 3
    assert all(abs(shift) <= 5e9 for shift in set().union(*moved.values()))


@given(st.integers(1, 2**64 - 1))
def test_a_clock_stays_within_what_otlp_can_say(nanos):
    run = make.decoded(make.whole(make.span(1, startTimeUnixNano=str(nanos), endTimeUnixNano=str(nanos))))
    for met in (fault("shift_clock", "span", seconds=3600.0), fault("step_clock", "span", chance=1.0, seconds=3600.0)):
        (data,) = spans(under(met, run=run))
        assert all(0 < int(data["span"][key]) < 2**64 for key in ("startTimeUnixNano", "endTimeUnixNano"))


def test_what_is_lost_in_a_burst_is_lost_in_a_row():
    events = under(fault("lose", "span", chance=0.1, burst=5), run=MANY, seed=3)
    left = [int(event["subject"], 16) for event, _ in with_subjects(events)]
    holes = [later - earlier - 1 for earlier, later in zip([0, *left], [*left, 41], strict=True)]
    assert {hole for hole in holes if hole} <= {5, 10, 15, 20} | {holes[-1]}
    assert sum(holes) > 5


def test_nothing_is_overtaken_by_more_than_it_may_be():
    events = under(fault("reorder", "span", "log", "receipt", chance=0.5, places=4), run=MANY)
    assert events[0] == MANY[0]
    assert events[-1][0]["data"] == MANY[-1][0]["data"]
    before = {canonical(event["data"]): place for place, (event, _) in enumerate(MANY)}
    places = [before[canonical(event["data"])] for event, _ in events]
    assert sorted(places) == list(range(len(MANY)))
    assert max(now - was for now, was in enumerate(places)) <= 4


def test_a_hole_in_the_numbers_of_receipts_shows():
    one = next(n for n in range(1, 99) if lost_receipts(n) == [2])
    events = under(fault("lose", "receipt", chance=0.3), iteration=one)
    gaps = [(event["data"]["kind"], event["data"]["count"]) for event, _ in events if event["type"] == types.RUN_GAP]
    assert gaps == [("rejected", 1), ("receipt_sequence", 1), ("sender_receipts", 1)]


def test_a_sender_may_claim_any_number():
    claims = {"spans_ended": str(2**64 - 1), "logs": "many"}
    run = make.decoded(make.whole(make.span(1), make.span(2), sender_counts=claims))
    events = under(fault("lose", "span", chance=0.5), run=run, seed=2)
    accepted(events)
    assert [event["data"]["count"] for event, _ in events if event["type"] == types.RUN_GAP] == [2**53 - 1]


def lost_receipts(iteration: int) -> list[int]:
    events = under(fault("lose", "receipt", chance=0.3), iteration=iteration)
    there = {event["data"]["sequence"] for event, _ in events if event["type"] == types.RECEIPT}
    return sorted({1, 2, 3} - there)


def test_a_resource_comes_with_the_first_item_that_refers_to_it():
    first = next(n for n in range(1, 99) if not spans(under(fault("lose", "span", chance=0.6), iteration=n))[:2:2])
    events = under(fault("lose", "span", chance=0.6), iteration=first)
    kinds = [event["type"] for event, _ in events]
    assert kinds.count(types.RESOURCE) <= 2
    accepted(events)


def test_a_run_opened_by_nobody_is_opened_by_what_comes_first():
    opening = under(fault("lose_open"))[0][0]["data"]
    assert opening == {"run_id": make.RUN_ID, "part": 1, "reason": "span"}
    receipts_first = under(fault("lose", "span", chance=1.0), fault("lose_open"))[0][0]["data"]
    assert receipts_first["reason"] == "receipt"


def test_what_is_told_as_a_gap_while_the_run_goes_on_stays_told():
    for profile in profiles().by_name.values():
        told = [event["data"] for event, _ in under(*profile.run) if event["type"] == types.RUN_GAP]
        assert make.gap("rejected")[1] in told


MALFORMED: dict[str, Any] = {
    "attributes that are no list": {"attributes": {"a": 1}},
    "an attribute that is no object": {"attributes": ["a"]},
    "events that are no objects": {"events": ["e"], "attributes": make.pairs(make.CHAT)},
}


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED)
def test_telemetry_that_is_not_otlp_is_refused_in_words(fields):
    kind, data = make.span(1)
    run = make.decoded(make.whole((kind, {**data, "span": {**data["span"], **fields}, "mapped": {"attributes": [1]}})))
    with pytest.raises(EventError, match="not OTLP/JSON"):
        under(fault("truncate", "span", chance=1.0, characters=5), fault("shift_clock", "span", seconds=1.0), run=run)


# ------------------------------------------------------------------ the table of profiles


def table(profile: str) -> bytes:
    return f'id: affidavit-perturbations\nversion: "1"\nprofiles:\n{profile}'.encode()


GOOD = "  - {name: a, title: A, run: [{fault: lose, of: [span], chance: 0.5}]}\n"
BROKEN = {
    "an unknown fault": ("  - {name: a, title: A, run: [{fault: melt}]}\n", "t.yaml:4: expected one of lose"),
    "a fault of the receiver for a run": (
        "  - {name: a, title: A, run: [{fault: refuse, chance: 1}]}\n",
        "expected one of",
    ),
    "an unknown member": ("  - {name: a, title: A, run: [{fault: stop, places: 2}]}\n", "unknown key 'places'"),
    "a member too few": ("  - {name: a, title: A, run: [{fault: lose, of: [span]}]}\n", "expected the key 'chance'"),
    "no fault in its place": ("  - {name: a, title: A, run: []}\n", "expected at least one fault"),
    "a kind of item that the fault does not meet": (
        "  - {name: a, title: A, run: [{fault: conflict, of: [log], chance: 1}]}\n",
        "expected one of span",
    ),
    "no kind of item": ("  - {name: a, title: A, run: [{fault: lose, of: [], chance: 1}]}\n", "at least one kind"),
    "a chance above one": ("  - {name: a, title: A, run: [{fault: lose, of: [span], chance: 1.5}]}\n", "from 0 to 1"),
    "a chance of nothing": ("  - {name: a, title: A, run: [{fault: lose, of: [span], chance: 0}]}\n", "is no fault"),
    "a chance that is true": ("  - {name: a, title: A, run: [{fault: lose, of: [span], chance: true}]}\n", "a number"),
    "least above most": ("  - {name: a, title: A, run: [{fault: close_early, least: 0.9, most: 0.1}]}\n", "above most"),
    "a name that stands twice": (GOOD + GOOD, "stands twice"),
    "a choice that is not there": ("  - {name: a, title: A, one_of: [b]}\n", "stands above, got 'b'"),
    "a choice of itself": ("  - {name: a, title: A, one_of: [a]}\n", "stands above, got 'a'"),
    "a choice beside faults": (GOOD + "  - {name: b, title: B, one_of: [a], run: [{fault: stop}]}\n", "exclude"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN)
def test_a_table_of_profiles_is_refused_with_file_and_line(text, message):
    with pytest.raises(PackError, match=r"t\.yaml:\d+: ") as caught:
        read_profiles(table(text), "t.yaml")
    assert message in str(caught.value)


def test_a_table_of_profiles_is_read():
    read = read_profiles(table(GOOD + "  - {name: b, title: B, one_of: [a]}\n"), "t.yaml")
    assert list(read.by_name) == ["a", "b"]
    assert read.named("b").drawn(1, 1) == read.named("a")
    with pytest.raises(EvidenceError, match="'c': expected one of a, b"):
        read.named("c")


def test_every_fault_there_is_has_a_profile():
    met = [each for profile in profiles().by_name.values() for each in (*profile.run, *profile.receiver)]
    assert {each.kind for each in met} == FAULTS.keys() | RECEIVER_FAULTS.keys()


def test_mixed_draws_each_of_its_profiles_and_none_needs_a_receiver():
    mixed = profiles().named("mixed")
    drawn = {mixed.drawn(1, n).name for n in range(1, 400)}
    assert drawn == {each.name for each in mixed.one_of}
    assert not mixed.needs_receiver
    assert profiles().named("rough-network").needs_receiver
