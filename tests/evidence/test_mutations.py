"""What each change of a run does to the states of all sixteen signals: exactly what this table says, and nothing else.

The run is the golden one in which all are captured. `Gone` takes events out, `Lacks` takes fields out of an event, `Withheld` puts a
commitment in their place. A row names the signals that change; every other one must stay as it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from evidence import event as types
from evidence.scores import Assessment
from evidence.signals import registry
from tests.evidence.golden_runs import ALL_CAPTURED, EVERYTHING, WITHHELD, counts_of
from tests.evidence.make import Item, closed, decoded, opened
from tests.evidence.test_golden import CONTEXT

POLICY_IS_SAID, *INSIDE, _END = EVERYTHING
NAMES = (
    "resource",
    "agent",
    "sub_agent",
    "chat_that_asks",
    "decision",
    "tool",
    "second_decision",
    "approval",
    "transfer",
    "retrieval",
    "memory",
    "failed_chat",
    "chat",
)
CHATS = ("chat_that_asks", "failed_chat", "chat")
TOOLS = ("tool", "transfer")
MODEL_SIGNALS = ("model_identity", "prompt_lineage", "llm_io_bodies", "sampling_params")
PLAIN_WITHHELD = {
    "affidavit.redacted": {"alg": "hmac-sha256", "digest": "ab" * 32, "size_bytes": 12, "reason": "policy"}
}


@dataclass(frozen=True)
class Gone:
    """Without some events; `opened`, `closed`, `policy` and `counts` are said by the run itself."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


@dataclass(frozen=True)
class Lacks:
    """One event without some fields."""

    name: str
    fields: tuple[str, ...]

    def __init__(self, name: str, *fields: str) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fields", fields)


class Withheld(Lacks):
    """One event with commitments in place of some fields."""


Mutation = Gone | Lacks
Change = dict[str, str]


def all_become(state: str, *signals: str) -> Change:
    return dict.fromkeys(signals, state)


TABLE: dict[str, list[tuple[Mutation, Change]]] = {
    "agent_identity": [
        (Gone("resource", "agent", "sub_agent"), all_become("unknown", "agent_identity", "environment_provenance", "delegation_chain")),
        (Gone("agent"), {}),
        (Lacks("resource", "service.name"), all_become("missing", "agent_identity")),
        (Lacks("agent", "gen_ai.agent.name"), all_become("missing", "agent_identity")),
        (Withheld("resource", "service.name"), all_become("redacted", "agent_identity")),
        (Withheld("agent", "gen_ai.agent.name"), all_become("redacted", "agent_identity")),
    ],
    "model_identity": [
        (Gone(*CHATS), all_become("unknown", *MODEL_SIGNALS, "tool_definitions", "errors_incidents")),
        (Gone("chat"), {}),
        (Lacks("chat", "gen_ai.provider.name"), all_become("missing", "model_identity")),
        (Lacks("chat", "gen_ai.request.model"), all_become("missing", "model_identity")),
        (Lacks("chat", "gen_ai.response.model"), all_become("missing", "model_identity")),
        (Lacks("failed_chat", "gen_ai.request.model"), all_become("missing", "model_identity")),
        (Withheld("chat", "gen_ai.response.model"), all_become("redacted", "model_identity")),
        (Lacks("chat", "gen_ai.operation.name"), {}),
    ],
    "prompt_lineage": [
        (Gone(*CHATS), all_become("unknown", *MODEL_SIGNALS, "tool_definitions", "errors_incidents")),
        (Gone("failed_chat"), all_become("unknown", "errors_incidents")),
        (Lacks("chat", "gen_ai.system_instructions"), {}),
        (Lacks("chat", "gen_ai.system_instructions", "gen_ai.input.messages"), all_become("missing", "prompt_lineage", "llm_io_bodies")),
        (Withheld("chat", "gen_ai.system_instructions"), {}),
        (Withheld("chat", "gen_ai.system_instructions", "gen_ai.input.messages"), all_become("redacted", "prompt_lineage", "llm_io_bodies")),
    ],
    "llm_io_bodies": [
        (Gone(*CHATS), all_become("unknown", *MODEL_SIGNALS, "tool_definitions", "errors_incidents")),
        (Gone("chat"), {}),
        (Lacks("chat", "gen_ai.output.messages"), all_become("missing", "llm_io_bodies")),
        (Lacks("chat", "gen_ai.input.messages"), all_become("missing", "llm_io_bodies")),
        (Lacks("chat_that_asks", "gen_ai.output.messages"), all_become("missing", "llm_io_bodies")),
        (Withheld("chat", "gen_ai.output.messages"), all_become("redacted", "llm_io_bodies")),
        (Withheld("chat_that_asks", "gen_ai.output.messages"), all_become("redacted", "llm_io_bodies")),
    ],
    "tool_calls": [
        (Gone(*TOOLS), all_become("missing", "tool_calls") | all_become("unknown", "tool_io_bodies")),
        (Gone(*TOOLS, "chat_that_asks"), all_become("unknown", "tool_calls", "tool_io_bodies", "tool_definitions")),
        (Gone("tool"), all_become("missing", "tool_calls")),
        (Gone("transfer"), {}),
        (Lacks("tool", "gen_ai.tool.name"), all_become("missing", "tool_calls")),
        (Lacks("tool", "gen_ai.tool.call.id"), all_become("missing", "tool_calls")),
        (Lacks("transfer", "gen_ai.tool.call.id"), all_become("missing", "tool_calls", "human_approvals")),
        (Withheld("transfer", "gen_ai.tool.name"), all_become("redacted", "tool_calls")),
    ],
    "tool_io_bodies": [
        (Gone(*TOOLS), all_become("missing", "tool_calls") | all_become("unknown", "tool_io_bodies")),
        (Gone("transfer"), {}),
        (Lacks("tool", "gen_ai.tool.call.result"), all_become("missing", "tool_io_bodies")),
        (Lacks("tool", "gen_ai.tool.call.arguments"), all_become("missing", "tool_io_bodies")),
        (Lacks("transfer", "gen_ai.tool.call.arguments"), all_become("missing", "tool_io_bodies", "human_approvals")),
        (Withheld("tool", "gen_ai.tool.call.result"), all_become("redacted", "tool_io_bodies")),
        (Withheld("transfer", "gen_ai.tool.call.arguments"), all_become("redacted", "tool_io_bodies", "human_approvals")),
    ],
    "tool_definitions": [
        (Gone("chat_that_asks"), all_become("unknown", "tool_definitions")),
        (Lacks("chat_that_asks", "gen_ai.tool.definitions"), all_become("missing", "tool_definitions")),
        (
            Lacks("chat_that_asks", "gen_ai.tool.definitions", "gen_ai.output.messages"),
            all_become("unknown", "tool_definitions") | all_become("missing", "llm_io_bodies"),
        ),
        (Withheld("chat_that_asks", "gen_ai.tool.definitions"), all_become("redacted", "tool_definitions")),
    ],
    "policy_decisions": [
        (Gone("decision", "second_decision"), all_become("missing", "policy_decisions")),
        (Gone("decision", "second_decision", "policy"), all_become("unknown", "policy_decisions")),
        (Gone("decision"), all_become("missing", "policy_decisions")),
        (Gone("policy"), {}),
        (Lacks("decision", "decision"), all_become("missing", "policy_decisions")),
        (Lacks("decision", "policy_id"), all_become("missing", "policy_decisions")),
        (Lacks("decision", "tool_call_id"), all_become("missing", "policy_decisions")),
        (Lacks("decision", "tool_name"), {}),
        (Withheld("decision", "policy_id"), all_become("redacted", "policy_decisions")),
    ],
    "human_approvals": [
        (Gone("approval"), all_become("missing", "human_approvals")),
        (Gone("approval", "policy"), all_become("unknown", "human_approvals")),
        (Lacks("approval", "approver"), all_become("missing", "human_approvals")),
        (Lacks("approval", "decision"), all_become("missing", "human_approvals")),
        (Lacks("approval", "argument_digest"), all_become("missing", "human_approvals")),
        (Withheld("approval", "approver"), all_become("redacted", "human_approvals")),
    ],
    "delegation_chain": [
        (Gone("sub_agent"), all_become("unknown", "delegation_chain")),
        (Lacks("sub_agent", "gen_ai.agent.name"), all_become("missing", "delegation_chain", "agent_identity")),
        (Withheld("sub_agent", "gen_ai.agent.name"), all_become("redacted", "delegation_chain", "agent_identity")),
    ],
    "memory_context": [
        (Gone("retrieval", "memory"), all_become("unknown", "memory_context")),
        (Gone("memory"), {}),
        (Lacks("retrieval", "gen_ai.retrieval.documents"), all_become("missing", "memory_context")),
        (Lacks("memory", "gen_ai.memory.record.id"), all_become("missing", "memory_context")),
        (Withheld("retrieval", "gen_ai.retrieval.documents"), all_become("redacted", "memory_context")),
    ],
    "sampling_params": [
        (Gone(*CHATS), all_become("unknown", *MODEL_SIGNALS, "tool_definitions", "errors_incidents")),
        (Gone("chat"), {}),
        (Lacks("chat", "gen_ai.request.temperature"), all_become("missing", "sampling_params")),
        (Withheld("chat", "gen_ai.request.temperature"), all_become("redacted", "sampling_params")),
    ],
    "environment_provenance": [
        (Gone("resource"), all_become("unknown", "environment_provenance")),
        (Lacks("resource", "vcs.ref.head.revision"), all_become("missing", "environment_provenance")),
        (Withheld("resource", "vcs.ref.head.revision"), all_become("redacted", "environment_provenance")),
    ],
    # What the run says of itself is written by the recorder: there is nothing in it to withhold.
    "session_lifecycle": [
        (Gone("opened", "closed"), all_become("missing", "session_lifecycle", "capture_health")),
        (Gone("opened"), all_become("missing", "session_lifecycle")),
        (Gone("closed"), all_become("missing", "session_lifecycle", "capture_health")),
    ],
    "capture_health": [
        (Gone("closed"), all_become("missing", "session_lifecycle", "capture_health")),
        (Gone("counts"), all_become("missing", "capture_health")),
    ],
    "errors_incidents": [
        (Gone("failed_chat"), all_become("unknown", "errors_incidents")),
        (Lacks("failed_chat", "error.type"), all_become("missing", "errors_incidents")),
        (Withheld("failed_chat", "error.type"), all_become("redacted", "errors_incidents")),
    ],
}  # fmt: skip
ROWS = [(signal, index) for signal, rows in TABLE.items() for index in range(len(rows))]


def mutated(mutation: Mutation) -> list[Item]:
    """The golden run after a mutation, closed with counts that are true."""
    gone = mutation.names if isinstance(mutation, Gone) else ()
    inside = [_changed(name, item, mutation) for name, item in zip(NAMES, INSIDE, strict=True) if name not in gone]
    start = [] if "opened" in gone else [opened() if "policy" in gone else POLICY_IS_SAID]
    items = [*start, *inside]
    counts: dict[str, Any] = {} if "counts" in gone else {"sender_counts": counts_of(items)}
    return items if "closed" in gone else [*items, closed(items, **counts)]


def _changed(name: str, item: Item, mutation: Mutation) -> Item:
    if isinstance(mutation, Gone) or name != mutation.name:
        return item
    kind, data = item
    withhold = isinstance(mutation, Withheld)
    if kind == types.RECEIPT:
        body = {key: value for key, value in data["body"].items() if key not in mutation.fields}
        return kind, {**data, "body": body | (dict.fromkeys(mutation.fields, PLAIN_WITHHELD) if withhold else {})}
    member = "resource" if kind == types.RESOURCE else "span"
    attributes = data[member]["attributes"]
    kept = [pair for pair in attributes if pair["key"] not in mutation.fields]
    assert len(kept) == len(attributes) - len(mutation.fields), f"{name} lacks one of {mutation.fields} as it is"
    put = [{"key": key, "value": WITHHELD} for key in mutation.fields] if withhold else []
    return kind, {**data, member: {**data[member], "attributes": kept + put}}


def states(items: Iterable[Item]) -> dict[str, str]:
    assessment = Assessment([])
    for event, line in decoded(items):
        assessment.add(event, line)
    report = assessment.scores(CONTEXT).closure
    return {signal: detail["status"] for signal, detail in report["completeness"]["by_signal"].items()}


def test_every_signal_is_in_the_table_and_captured_before_anything_is_changed():
    assert set(TABLE) == set(registry().signals) == set(ALL_CAPTURED)
    assert states(mutated(Gone())) == dict.fromkeys(TABLE, "captured")


@pytest.mark.parametrize("signal", TABLE)
def test_a_signal_reaches_every_state_that_it_can_have(signal):
    """A row that changes nothing is in the table to hold that; it is no substitute for one that does."""
    reached = {changes.get(signal, "captured") for _, changes in TABLE[signal]}
    is_said_by_the_run = signal in {"session_lifecycle", "capture_health"}
    assert reached >= ({"missing"} if is_said_by_the_run else {"missing", "redacted", "unknown"})


@pytest.mark.parametrize(("signal", "row"), ROWS)
def test_a_mutation_changes_exactly_the_expected_states(signal, row):
    mutation, changes = TABLE[signal][row]
    assert states(mutated(mutation)) == dict.fromkeys(TABLE, "captured") | changes, mutation


def _fields(signals: Sequence[str]) -> set[str]:
    return {
        name
        for signal in signals
        for check in registry().signals[signal].expected
        for name in getattr(check, "names", ())
    }


def test_every_field_that_a_signal_expects_alone_is_taken_out_somewhere():
    """Fields of a kind of event that the golden run has; those of the other kinds have golden runs of their own."""
    taken = {
        field
        for rows in TABLE.values()
        for mutation, _ in rows
        if isinstance(mutation, Lacks)
        for field in mutation.fields
    }
    there = {
        pair["key"]
        for _, data in INSIDE
        for pair in (data.get("span") or data.get("resource") or {}).get("attributes", ())
    }
    assert _fields(list(TABLE)) & there - taken == set()
