"""The fixed runs whose closure reports are golden files: for each what it shows, and what it must come to, said by hand.

`States` name the signals that something is expected of; all others are unknown. `write_golden` writes the reports; nothing
here is computed by what is tested.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence import event as types
from evidence.digest import sha256_hex
from evidence.packs import load
from evidence.redaction.commitment import Commitment
from tests.evidence.make import CHAT, START, TOOL, Item, closed, gap, log, opened, receipt, resource, span, whole

WEIGHTS = {
    "model_identity": 3,
    "prompt_lineage": 2,
    "llm_io_bodies": 3,
    "tool_calls": 3,
    "tool_io_bodies": 3,
    "tool_definitions": 1,
    "memory_context": 2,
    "sampling_params": 2,
    "environment_provenance": 1,
}
"""The replay-critical signals and their weights, from the notes and not from the registry."""

PACK = b"""\
name: golden
version: "1"
kind: quality
description: What the golden runs are read with
x-assay: {requires_signals: [agent_identity, model_identity, llm_io_bodies, tool_calls, session_lifecycle]}
rules:
  - id: G-1
    title: Models are named
    severity: error
    signals: [{id: model_identity, min_state: captured}]
    remedy: Name them.
"""
OTHER_PACK = PACK.replace(b"name: golden", b"name: golden-other").replace(b"agent_identity, ", b"human_approvals, ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Events, what they are scored by, and what must come out."""

    items: Sequence[Item]
    confidence: str
    states: Mapping[str, str]
    """Signals that are expected: `captured`, `redacted` or `missing`."""
    packs: Sequence[bytes] = (PACK,)
    first_seq: int = 0

    def loaded(self) -> list[Any]:
        return [load(source) for source in self.packs]


# ------------------------------------------------------------------ material

PARENT = "00000000000000ff"
PROVENANCE = resource({"service.name": "agent", "vcs.ref.head.revision": "c0ffee"})
WITHHELD = Commitment(alg="hmac-sha256", digest="ab" * 32, size_bytes=12, reason="policy").to_any_value()
ASKS = CHAT | {
    "gen_ai.output.messages": '[{"parts":[{"type":"tool_call","id":"call-1","name":"search","arguments":{}}]}]',
    "gen_ai.tool.definitions": '[{"type":"function","name":"search"}]',
}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
RETRIEVAL = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": '[{"id":"d1","score":0.5}]'}
MEMORY = {"gen_ai.operation.name": "search_memory", "gen_ai.memory.record.id": "7"}
EMBEDDINGS = {"gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai", "gen_ai.request.model": "emb"}
FAILED_CHAT = {key: CHAT[key] for key in CHAT if key not in {"gen_ai.response.model", "gen_ai.output.messages"}} | {
    "error.type": "timeout"
}
MCP = {"gen_ai.operation.name": "execute_tool", "mcp.method.name": "tools/call", "gen_ai.tool.name": "search"}
BODIES = ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages")
TOOL_BODIES = ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result")
POLICY = {"policy": {"id": "p", "version": "1", "gated_tools": ["search*"], "approval_tools": ["transfer_*"]}}
TRANSFER = TOOL | {"gen_ai.tool.name": "transfer_money", "gen_ai.tool.call.arguments": '{"to": "b", "amount": 5}'}
TRANSFER_INSIDE = MCP | {"gen_ai.tool.name": "transfer_money"}
ARGUMENTS = sha256_hex(b'{"amount":5,"to":"b"}')
BEFORE, AFTER = str(START - 1_000), str(START + 1_000)


def without(attributes: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if key not in keys}


def withheld(attributes: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {**attributes, **dict.fromkeys(keys, WITHHELD)}


def counts_of(items: Sequence[Item], **changes: int) -> dict[str, str]:
    """What a sender says that counted right."""
    number = {name: sum(kind == type_ for kind, _ in items) for name, type_ in _SENT.items()}
    said = {**number, "spans_started": number["spans_ended"], "spans_dropped": 0, "spans_unsampled": 0} | changes
    return {name: str(count) for name, count in said.items()}


_SENT = {"spans_ended": types.SPAN, "logs": types.LOG, "receipts": types.RECEIPT}


def counted(*items: Item, **changes: int) -> list[Item]:
    """A whole run whose sender sent its counts, true ones but for the changes."""
    return whole(*items, sender_counts=counts_of(items, **changes))


def governed(*items: Item) -> list[Item]:
    """A whole run that says which tools are under policy, whose sender sent its counts."""
    start = (types.RUN_OPENED, {**opened()[1], "context": POLICY})
    inside = [start, *items]
    return [*inside, closed(inside, sender_counts=counts_of(items))]


def decision(time: str, **changes: Any) -> Item:
    body = {"decision": "allow", "policy_id": "p", "tool_call_id": "call-1", "tool_name": "search", **changes}
    return receipt("policy_decision", body, time_unix_nano=time)


def approval(time: str, **changes: Any) -> Item:
    body = {"approver": "kim", "decision": "approve", "tool_call_id": "call-1", "argument_digest": ARGUMENTS, **changes}
    return receipt("human_approval", body, time_unix_nano=time)


def metric() -> Item:
    points = {"dataPoints": [{"asInt": "5", "timeUnixNano": str(START)}]}
    return types.METRIC, {"resource": _DIGEST, "scope": _DIGEST, "metric": {"name": "tokens", "sum": points}}


_DIGEST = "sha256:" + "ab" * 32

RUN_CAPTURED = {"session_lifecycle": "captured", "capture_health": "captured"}
CHAT_CAPTURED = dict.fromkeys(("model_identity", "prompt_lineage", "llm_io_bodies", "sampling_params"), "captured")
TOOL_CAPTURED = dict.fromkeys(("tool_calls", "tool_io_bodies"), "captured")
ENVIRONMENT = dict.fromkeys(("agent_identity", "environment_provenance"), "captured")
ASKS_CAPTURED = CHAT_CAPTURED | TOOL_CAPTURED | {"tool_definitions": "captured"}

EVERYTHING = governed(
    PROVENANCE,
    span(1, AGENT),
    span(2, AGENT | {"gen_ai.agent.name": "helper"}, parentSpanId=f"{1:016x}"),
    span(3, ASKS, parentSpanId=f"{2:016x}"),
    decision(BEFORE),
    span(4, TOOL, parentSpanId=f"{2:016x}"),
    decision(BEFORE, tool_call_id="call-2", tool_name="transfer_money"),
    approval(BEFORE, tool_call_id="call-2"),
    span(5, TRANSFER | {"gen_ai.tool.call.id": "call-2"}, parentSpanId=f"{2:016x}"),
    span(6, RETRIEVAL, parentSpanId=f"{2:016x}"),
    span(7, MEMORY, parentSpanId=f"{2:016x}"),
    span(8, FAILED_CHAT, parentSpanId=f"{2:016x}", failed=True),
    span(9, CHAT, parentSpanId=f"{1:016x}"),
)
"""A run in which all sixteen signals are captured."""

ALL_CAPTURED = (
    RUN_CAPTURED
    | ENVIRONMENT
    | ASKS_CAPTURED
    | dict.fromkeys(
        ("policy_decisions", "human_approvals", "delegation_chain", "memory_context", "errors_incidents"), "captured"
    )
)

# ------------------------------------------------------------------ the runs

WORKED_EXAMPLE = "worked_example"
"""The run that docs/signals.md goes through by hand."""

RUNS: dict[str, Run] = {
    # ------------------------------ the four states
    "nothing": Run(
        items=whole(), confidence="low", states={"session_lifecycle": "captured", "capture_health": "missing"}
    ),
    "everything_captured": Run(items=EVERYTHING, confidence="high", states=ALL_CAPTURED),
    "whole_chat_and_tool": Run(
        items=counted(PROVENANCE, span(1, CHAT), span(2, TOOL)),
        confidence="high",
        states=RUN_CAPTURED | ENVIRONMENT | CHAT_CAPTURED | TOOL_CAPTURED,
    ),
    "every_body_redacted": Run(
        items=counted(PROVENANCE, span(1, withheld(CHAT, *BODIES)), span(2, withheld(TOOL, *TOOL_BODIES))),
        confidence="high",
        states=RUN_CAPTURED
        | ENVIRONMENT
        | CHAT_CAPTURED
        | TOOL_CAPTURED
        | dict.fromkeys(("prompt_lineage", "llm_io_bodies", "tool_io_bodies"), "redacted"),
    ),
    "some_bodies_redacted": Run(
        items=counted(span(1, CHAT), span(2, withheld(CHAT, "gen_ai.output.messages")), span(3, CHAT)),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | {"llm_io_bodies": "redacted"},
    ),
    "redacted_beside_missing_is_missing": Run(
        items=counted(
            span(1, withheld(CHAT, "gen_ai.output.messages")), span(2, without(CHAT, "gen_ai.output.messages"))
        ),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | {"llm_io_bodies": "missing"},
    ),
    "one_of_many_missing": Run(
        items=counted(*(span(n, CHAT) for n in range(1, 20)), span(20, without(CHAT, "gen_ai.response.model"))),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | {"model_identity": "missing"},
    ),
    "many_of_one_missing": Run(
        items=counted(*(span(n, CHAT) for n in range(1, 5)), span(5, {"gen_ai.operation.name": "chat"})),
        confidence="high",
        states=RUN_CAPTURED | dict.fromkeys(CHAT_CAPTURED, "missing"),
    ),
    "all_of_many_missing": Run(
        items=counted(*(span(n, without(TOOL, "gen_ai.tool.call.result")) for n in range(1, 31))),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"tool_io_bodies": "missing"},
    ),
    "worked_example": Run(
        items=counted(
            resource({"service.name": "a"}), span(1, ASKS), span(2, without(TOOL, "gen_ai.tool.call.result"))
        ),
        confidence="high",
        states=RUN_CAPTURED
        | ENVIRONMENT
        | ASKS_CAPTURED
        | dict.fromkeys(("tool_io_bodies", "environment_provenance"), "missing"),
    ),
    # ------------------------------ what the run itself says
    "unclosed": Run(
        items=[opened(), span(1, CHAT)],
        confidence="low",
        states=CHAT_CAPTURED | {"session_lifecycle": "missing", "capture_health": "missing"},
    ),
    "unopened": Run(
        items=counted(span(1, CHAT))[1:],
        confidence="low",
        states=CHAT_CAPTURED | {"session_lifecycle": "missing", "capture_health": "captured"},
    ),
    "sender_without_counts": Run(
        items=whole(span(1, CHAT)),
        confidence="medium",
        states=CHAT_CAPTURED | {"session_lifecycle": "captured", "capture_health": "missing"},
    ),
    "an_event_taken_out_before_sealing": Run(
        items=[
            item
            for item in counted(span(1, CHAT), span(2, TOOL))
            if item[1].get("span", {}).get("spanId") != f"{2:016x}"
        ],
        confidence="low",
        states=RUN_CAPTURED | CHAT_CAPTURED,
    ),
    "gap_of_refused_items": Run(
        items=counted(span(1, CHAT), gap("rejected", 3)), confidence="low", states=RUN_CAPTURED | CHAT_CAPTURED
    ),
    "gap_in_the_receipts": Run(
        items=counted(span(1, CHAT), gap("receipt_sequence", 2)), confidence="low", states=RUN_CAPTURED | CHAT_CAPTURED
    ),
    "huge_counts": Run(
        items=counted(span(1, CHAT), gap("rejected", 2**53 - 1), gap("rejected", 2**53 - 1), logs=2**63),
        confidence="low",
        states=RUN_CAPTURED | CHAT_CAPTURED,
    ),
    "amendment_as_part_two": Run(
        items=[
            (types.RUN_OPENED, {"run_id": "run-1", "part": 2, "reason": "late"}),
            span(9, CHAT),
            (
                types.RUN_CLOSED,
                {"reason": "idle", "events": 3, "spans": 1, "logs": 0, "metrics": 0, "receipts": 0},
            ),
        ],
        confidence="medium",
        states=CHAT_CAPTURED | {"session_lifecycle": "captured", "capture_health": "missing"},
        first_seq=41,
    ),
    # ------------------------------ order, repetition, parents
    "duplicate_spans": Run(
        items=counted(span(1, CHAT), span(1, CHAT), spans_ended=1, spans_started=1),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED,
    ),
    "two_spans_of_one_id": Run(
        items=counted(span(1, CHAT), span(1, CHAT | {"gen_ai.response.model": "gpt-y"})),
        confidence="low",
        states=RUN_CAPTURED | CHAT_CAPTURED,
    ),
    "out_of_order": Run(
        items=counted(
            span(2, TOOL), log(1, {key: CHAT[key] for key in BODIES}), span(1, ASKS | dict.fromkeys(BODIES[:2]))
        ),
        confidence="high",
        states=RUN_CAPTURED | ASKS_CAPTURED,
    ),
    "orphan": Run(
        items=counted(span(1, CHAT, parentSpanId=PARENT)), confidence="medium", states=RUN_CAPTURED | CHAT_CAPTURED
    ),
    "parent_in_another_process": Run(
        items=counted(span(1, CHAT, parentSpanId=PARENT, flags=0x300)),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED,
    ),
    # ------------------------------ tool calls that a model asked for
    "requested_call_without_span": Run(
        items=counted(span(1, ASKS)),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | {"tool_definitions": "captured", "tool_calls": "missing"},
    ),
    "requested_call_with_span_before": Run(
        items=counted(span(2, TOOL), span(1, ASKS)), confidence="high", states=RUN_CAPTURED | ASKS_CAPTURED
    ),
    "requested_call_with_span_after": Run(
        items=counted(span(1, ASKS), span(2, TOOL)), confidence="high", states=RUN_CAPTURED | ASKS_CAPTURED
    ),
    "requested_call_with_span_of_another_call": Run(
        items=counted(span(1, ASKS), span(2, TOOL | {"gen_ai.tool.call.id": "call-2"})),
        confidence="high",
        states=RUN_CAPTURED | ASKS_CAPTURED | {"tool_calls": "missing"},
    ),
    "requested_call_told_in_span_and_log": Run(
        items=counted(span(1, ASKS), log(1, {"gen_ai.output.messages": ASKS["gen_ai.output.messages"]}), span(2, TOOL)),
        confidence="high",
        states=RUN_CAPTURED | ASKS_CAPTURED,
    ),
    "requested_call_of_an_agent_without_definitions": Run(
        items=counted(span(1, without(ASKS, "gen_ai.tool.definitions")), span(2, TOOL)),
        confidence="high",
        states=RUN_CAPTURED | ASKS_CAPTURED | {"tool_definitions": "missing"},
    ),
    # ------------------------------ content in log records
    "content_in_a_log_before_the_span": Run(
        items=counted(log(1, {key: CHAT[key] for key in BODIES}), span(1, without(CHAT, *BODIES))),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED,
    ),
    "content_in_logs_after_the_span": Run(
        items=counted(span(1, without(CHAT, *BODIES)), *(log(1, {key: CHAT[key]}) for key in BODIES)),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED,
    ),
    "content_in_a_log_of_another_span": Run(
        items=counted(span(1, without(CHAT, *BODIES)), log(2, {key: CHAT[key] for key in BODIES})),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | dict.fromkeys(("prompt_lineage", "llm_io_bodies"), "missing"),
    ),
    # ------------------------------ what only looks like content
    "placeholders_are_no_content": Run(
        items=counted(
            resource({"service.name": "unknown_service:node"}),
            span(1, CHAT | dict.fromkeys(BODIES, "__REDACTED__")),
            span(
                2,
                TOOL
                | {"gen_ai.tool.call.arguments": '{"to": "__REDACTED__"}', "gen_ai.tool.call.result": "[REDACTED]"},
            ),
        ),
        confidence="high",
        states=RUN_CAPTURED
        | CHAT_CAPTURED
        | TOOL_CAPTURED
        | dict.fromkeys(
            ("agent_identity", "environment_provenance", "prompt_lineage", "llm_io_bodies", "tool_io_bodies"), "missing"
        ),
    ),
    "messages_without_their_content": Run(
        items=counted(
            span(
                1,
                without(CHAT, "gen_ai.system_instructions")
                | {
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text"}]}]',
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[]}]',
                },
            )
        ),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | dict.fromkeys(("prompt_lineage", "llm_io_bodies"), "missing"),
    ),
    "a_body_cut_out_of_a_message": Run(
        items=counted(
            span(
                1,
                CHAT
                | {
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"what is this?"},'
                    '{"type":"blob","modality":"image","content":null}]}]'
                },
            )
        ),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | {"llm_io_bodies": "missing"},
    ),
    "commitments_inside_messages": Run(
        items=counted(
            span(
                1,
                CHAT
                | {
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":{"affidavit.redacted":'
                    '{"alg":"hmac-sha256","digest":"' + "cd" * 32 + '","reason":"policy","size_bytes":5}}}]}]'
                },
            )
        ),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | {"llm_io_bodies": "redacted"},
    ),
    # ------------------------------ kinds of operation
    "failed_call": Run(
        items=counted(span(1, FAILED_CHAT, failed=True)),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | {"errors_incidents": "captured"},
    ),
    "failed_call_of_no_kind": Run(
        items=counted(span(1, without(FAILED_CHAT, "error.type"), failed=True)),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | {"errors_incidents": "missing"},
    ),
    "failed_tool": Run(
        items=counted(
            span(1, without(TOOL, "gen_ai.tool.call.result") | {"error.type": "ValueError"}, failed=True), span(2, TOOL)
        ),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"errors_incidents": "captured"},
    ),
    "embeddings_only": Run(
        items=counted(span(1, EMBEDDINGS)), confidence="high", states=RUN_CAPTURED | {"model_identity": "captured"}
    ),
    "spans_without_operation": Run(
        items=counted(span(1, {"http.route": "/"}), span(2)), confidence="low", states=RUN_CAPTURED
    ),
    "retrieval_with_documents": Run(
        items=counted(span(1, RETRIEVAL)), confidence="high", states=RUN_CAPTURED | {"memory_context": "captured"}
    ),
    "retrieval_without_documents": Run(
        items=counted(span(1, RETRIEVAL), span(2, without(RETRIEVAL, "gen_ai.retrieval.documents"))),
        confidence="high",
        states=RUN_CAPTURED | {"memory_context": "missing"},
    ),
    "memory_written_and_read": Run(
        items=counted(
            span(1, MEMORY),
            span(2, {"gen_ai.operation.name": "create_memory", "gen_ai.memory.records": '[{"id":"7"}]'}),
            span(3, {"gen_ai.operation.name": "create_memory_store", "gen_ai.memory.store.id": "s"}),
        ),
        confidence="high",
        states=RUN_CAPTURED | {"memory_context": "captured"},
    ),
    "memory_deleted_without_saying_which": Run(
        items=counted(span(1, {"gen_ai.operation.name": "delete_memory"})),
        confidence="high",
        states=RUN_CAPTURED | {"memory_context": "missing"},
    ),
    "translated_attributes": Run(
        items=counted(
            (
                types.SPAN,
                {
                    **span(1, without(CHAT, "gen_ai.provider.name") | {"gen_ai.system": "openai"})[1],
                    "mapped": {
                        "attributes": [{"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}}],
                        "removed": ["gen_ai.system", "gen_ai.request.temperature"],
                        "profiles": ["older"],
                    },
                },
            )
        ),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | {"sampling_params": "missing"},
    ),
    "names_in_other_scripts": Run(
        items=counted(
            resource({"service.name": "агент-é-日本"}),
            span(1, AGENT | {"gen_ai.agent.name": "\U0001f916 שלום"}, name="вызов\u0000\u2028"),
            span(2, TOOL | {"gen_ai.tool.name": "zoek_naar_ßü", "gen_ai.tool.call.id": "呼び出し-1"}, failed=True),
        ),
        confidence="high",
        states=RUN_CAPTURED
        | TOOL_CAPTURED
        | {"agent_identity": "captured", "environment_provenance": "missing", "errors_incidents": "missing"},
    ),
    # ------------------------------ agents
    "sub_agent_named": Run(
        items=counted(span(1, AGENT), span(2, AGENT | {"gen_ai.agent.name": "helper"}, parentSpanId=f"{1:016x}")),
        confidence="low",
        states=RUN_CAPTURED | {"agent_identity": "captured", "delegation_chain": "captured"},
    ),
    "sub_agent_unnamed": Run(
        items=counted(span(1, AGENT), span(2, without(AGENT, "gen_ai.agent.name"), parentSpanId=f"{1:016x}")),
        confidence="low",
        states=RUN_CAPTURED | {"agent_identity": "missing", "delegation_chain": "missing"},
    ),
    # ------------------------------ policy and approval
    "gated_tool_decided_before": Run(
        items=governed(decision(BEFORE), span(1, TOOL)),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "captured"},
    ),
    "gated_tool_decided_under_its_name": Run(
        items=governed(decision(BEFORE, tool_call_id=None), span(1, without(TOOL, "gen_ai.tool.call.id"))),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "captured", "tool_calls": "missing"},
    ),
    "gated_tool_without_decision": Run(
        items=governed(span(1, TOOL)),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "missing"},
    ),
    "gated_tool_decided_afterwards": Run(
        items=governed(decision(AFTER), span(1, TOOL)),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "missing"},
    ),
    "gated_tool_with_decision_about_another_call": Run(
        items=governed(decision(BEFORE, tool_call_id="call-2"), span(1, TOOL)),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "missing"},
    ),
    "tool_outside_the_policy": Run(
        items=governed(span(1, TOOL | {"gen_ai.tool.name": "clock"})),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED,
    ),
    "approval_of_the_arguments": Run(
        items=governed(decision(BEFORE), approval(BEFORE, argument_digest="sha256:" + ARGUMENTS), span(1, TRANSFER)),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "captured", "human_approvals": "captured"},
    ),
    "approval_of_other_arguments": Run(
        items=governed(decision(BEFORE), approval(BEFORE, argument_digest="0" * 64), span(1, TRANSFER)),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "captured", "human_approvals": "missing"},
    ),
    "approval_after_the_fact": Run(
        items=governed(decision(BEFORE), approval(AFTER), span(1, TRANSFER)),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "captured", "human_approvals": "missing"},
    ),
    "rejection_and_a_call_all_the_same": Run(
        items=governed(decision(BEFORE), approval(BEFORE, decision="reject"), span(1, TRANSFER)),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "captured", "human_approvals": "missing"},
    ),
    "rejection_and_no_call": Run(
        items=governed(approval(BEFORE, decision="reject")),
        confidence="low",
        states=RUN_CAPTURED | {"human_approvals": "captured"},
    ),
    # ------------------------------ spans of one operation inside each other
    "spans_of_one_tool_call_inside_each_other": Run(
        items=counted(
            span(3, MCP | {"jsonrpc.request.id": "3"}, parentSpanId=f"{2:016x}", kind=2),
            span(2, MCP, parentSpanId=f"{1:016x}", kind=3),
            span(1, TOOL),
        ),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED,
    ),
    "a_decision_about_the_outer_span_is_about_all": Run(
        items=governed(
            decision(BEFORE, tool_name=None),
            approval(BEFORE),
            span(1, TRANSFER),
            span(2, TRANSFER_INSIDE, parentSpanId=f"{1:016x}", kind=3),
            span(3, TRANSFER_INSIDE | {"jsonrpc.request.id": "3"}, parentSpanId=f"{2:016x}", kind=2),
        ),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "captured", "human_approvals": "captured"},
    ),
    "undecided_spans_inside_each_other": Run(
        items=governed(
            span(3, TRANSFER_INSIDE | {"jsonrpc.request.id": "3"}, parentSpanId=f"{2:016x}", kind=2),
            span(2, TRANSFER_INSIDE, parentSpanId=f"{1:016x}", kind=3),
            span(1, TRANSFER),
        ),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "missing", "human_approvals": "missing"},
    ),
    "a_decision_about_one_of_two_calls_beside_each_other": Run(
        items=governed(
            decision(BEFORE, tool_name=None),
            approval(BEFORE),
            span(1, TRANSFER),
            span(2, TRANSFER | {"gen_ai.tool.call.id": "call-2"}, parentSpanId=f"{1:016x}"),
        ),
        confidence="high",
        states=RUN_CAPTURED | TOOL_CAPTURED | {"policy_decisions": "missing", "human_approvals": "missing"},
    ),
    "calls_of_one_tool_beside_each_other": Run(
        items=counted(span(1, TOOL), span(2, MCP, parentSpanId=PARENT, kind=2, flags=0x300)),
        confidence="high",
        states=RUN_CAPTURED | dict.fromkeys(TOOL_CAPTURED, "missing"),
    ),
    "spans_of_one_inference_inside_each_other": Run(
        items=counted(span(2, without(CHAT, *BODIES), parentSpanId=f"{1:016x}"), span(1, CHAT)),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED,
    ),
    "content_in_a_log_of_the_span_inside": Run(
        items=counted(
            span(2, without(CHAT, *BODIES), parentSpanId=f"{1:016x}"),
            span(1, without(CHAT, *BODIES)),
            log(2, {key: CHAT[key] for key in BODIES}),
        ),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED,
    ),
    "two_inferences_inside_one": Run(
        items=counted(
            span(2, without(CHAT, *BODIES), parentSpanId=f"{1:016x}"),
            span(3, without(CHAT, *BODIES), parentSpanId=f"{1:016x}"),
            span(1, CHAT),
        ),
        confidence="high",
        states=RUN_CAPTURED | CHAT_CAPTURED | dict.fromkeys(("prompt_lineage", "llm_io_bodies"), "missing"),
    ),
    # ------------------------------ telemetry of one kind
    "metrics_only": Run(items=counted(metric()), confidence="low", states=RUN_CAPTURED),
    "logs_only": Run(items=counted(log(1, {key: CHAT[key] for key in BODIES})), confidence="low", states=RUN_CAPTURED),
    "receipts_only": Run(
        items=counted(receipt("environment", {"digest": "sha256:00"}), receipt("note", {"text": "hi"})),
        confidence="low",
        states=RUN_CAPTURED,
    ),
    "environment_in_a_receipt": Run(
        items=counted(resource({"service.name": "a"}), receipt("environment", {"digest": "sha256:00"})),
        confidence="high",
        states=RUN_CAPTURED | ENVIRONMENT,
    ),
    "listed_tools_pinned": Run(
        items=counted(
            span(1, {"mcp.method.name": "tools/list"}), receipt("tool_pin", {"name": "search", "digest": "sha256:00"})
        ),
        confidence="high",
        states=RUN_CAPTURED | {"tool_definitions": "captured"},
    ),
    "listed_tools_unpinned": Run(
        items=counted(span(1, {"mcp.method.name": "tools/list"})),
        confidence="high",
        states=RUN_CAPTURED | {"tool_definitions": "missing"},
    ),
    # ------------------------------ packs
    "several_packs": Run(
        items=counted(span(1, CHAT)), confidence="high", states=RUN_CAPTURED | CHAT_CAPTURED, packs=(PACK, OTHER_PACK)
    ),
    "no_packs": Run(items=counted(span(1, CHAT)), confidence="high", states=RUN_CAPTURED | CHAT_CAPTURED, packs=()),
}
