"""One run that meets every rule of every built-in pack.

It is a table of named events, so that a defect (`tests.evidence.packs.defects`) says in a line what it takes away or changes. What is
outside of this table cannot make a rule hold: the run has nothing else.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from evidence.canonical import canonical
from evidence.digest import tagged
from evidence.redaction.commitment import Commitment
from tests.evidence import make
from tests.evidence.make import Item

Run = dict[str, Item]
"""The events of a run between its opening and its close, by a name of the test's own; in order."""

_BEGIN = make.START + 10_000_000_000
_SECOND = 1_000_000_000

ARGUMENTS = '{"amount": 5, "to": "bob"}'
DOCUMENTS = '[{"id":"d1","content":"a document","score":0.9}]'
DEFINITIONS = [
    {"type": "function", "name": name, "description": "a tool"} for name in ("search", "transfer_money", "bash")
]
SECRET = "AKIA" + "Q3EGRIZXMHVNTB7C"


def digest(text: str) -> str:
    return tagged(text.encode())


def at(second: float) -> str:
    """A moment of the run: spans begin at 0."""
    return str(_BEGIN + int(second * _SECOND))


def span(number: int, second: float, attributes: Mapping[str, Any], parent: int | None = 1, **fields: Any) -> Item:
    times = {"startTimeUnixNano": at(second), "endTimeUnixNano": at(second + 0.5)}
    parents = {} if parent is None else {"parentSpanId": f"{parent:016x}"}
    return make.span(number, attributes, **times, **parents, **fields)


def receipt(kind: str, second: float, body: Mapping[str, Any], within: int | None = None) -> Item:
    """A receipt of the agent's clock, within the span of that number."""
    where = {} if within is None else {"trace_id": make.TRACE, "span_id": f"{within:016x}"}
    return make.receipt(kind, body, time_unix_nano=at(second), **where)


def _call(call_id: str, tool: str, arguments: str) -> dict[str, Any]:
    return {"type": "tool_call", "id": call_id, "name": tool, "arguments": orjson.loads(arguments)}


def tool_call(tool: str, call_id: str, arguments: str) -> dict[str, Any]:
    return {
        **make.TOOL,
        "gen_ai.tool.name": tool,
        "gen_ai.tool.call.id": call_id,
        "gen_ai.tool.call.arguments": arguments,
    }


_ASKS = [
    _call("call-1", "search", '{"q": "x"}'),
    _call("call-2", "transfer_money", ARGUMENTS),
    _call("call-3", "bash", "{}"),
]
CHAT_THAT_ASKS = {
    **make.CHAT,
    "gen_ai.output.messages": orjson.dumps([{"role": "assistant", "parts": _ASKS}]).decode(),
    "gen_ai.tool.definitions": orjson.dumps(DEFINITIONS).decode(),
    "gen_ai.response.finish_reasons": {"arrayValue": {"values": [{"stringValue": "tool_calls"}]}},
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 3,
}
_DECISION = {"decision": "allow", "policy_id": "p-1", "rule": "r-1"}
_INCIDENT = {"severity": "high", "aware_at": "2026-11-21T10:00:00Z"}
_AUTHORITY = {"recipient": "authority:market-surveillance"}

EXEMPLARY: Run = {
    "resource": make.resource({"service.name": "agent", "container.image.id": "sha256:" + "1" * 64}),
    # -------------------------------------------------- before the first span
    "environment": receipt("environment", -9, {"digest": digest("image"), "lock_digest": digest("lock")}),
    "bom": receipt("ai_bom", -9, {"bom_digest": digest("bom")}),
    "goal": receipt("goal", -9, {"digest": digest("goal")}),
    "goal_approval": receipt(
        "human_approval", -8, {"approver": "ann", "decision": "approve", "subject_digest": digest("goal 2")}
    ),
    "goal_changed": receipt("goal", -7, {"digest": digest("goal 2"), "change_id": "g-1"}),
    "change_approval": receipt(
        "human_approval", -8, {"approver": "ann", "decision": "approve", "subject_digest": digest("v2")}
    ),
    "change": receipt(
        "change",
        -7,
        {
            "component": "prompt",
            "from_digest": digest("v1"),
            "to_digest": digest("v2"),
            "assessment": "not_substantial",
            "assessed_by": "ann",
        },
    ),
    "server_allowed": receipt("server_allowed", -6, {"server": "mcp.example"}),
    **{
        f"pin_{definition['name']}": receipt(
            "tool_pin", -6, {"name": definition["name"], "digest": tagged(canonical(definition))}
        )
        for definition in DEFINITIONS
    },
    "delegation": receipt(
        "delegation",
        -5,
        {
            "delegation_id": "d-0",
            "delegator": "user:1",
            "delegate": "planner",
            "scopes": ["read", "write"],
            "parent_scopes": ["read", "write"],
            "depth": 0,
        },
    ),
    "retention_provider": receipt(
        "retention", -5, {"days": 2192, "lock": True, "role": "provider", "class": "six_years"}
    ),
    "retention_deployer": receipt(
        "retention", -5, {"days": 1096, "lock": True, "role": "deployer", "class": "three_years"}
    ),
    "self_verification": receipt(
        "self_verification", -4, {"verification_id": "v-1", "result": "verified", "bundle_digest": digest("earlier")}
    ),
    "export_people": receipt("export", -4, {"form": "human_readable", "digest": digest("html")}),
    "export_machines": receipt("export", -4, {"form": "electronic", "digest": digest("csv")}),
    # -------------------------------------------------- what the agent did
    "root": span(
        1,
        0,
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", "user.id": "u-1"},
        parent=None,
    ),
    "chat": span(2, 1, CHAT_THAT_ASKS),
    "search_decision": receipt("policy_decision", 2, {**_DECISION, "tool_call_id": "call-1", "tool_name": "search"}),
    "transfer_decision": receipt(
        "policy_decision",
        2,
        {**_DECISION, "tool_call_id": "call-2", "tool_name": "transfer_money", "argument_digest": digest(ARGUMENTS)},
    ),
    "transfer_approval": receipt(
        "human_approval",
        2.5,
        {
            "approver": "ann",
            "decision": "approve",
            "tool_call_id": "call-2",
            "tool_name": "transfer_money",
            "argument_digest": digest(ARGUMENTS),
            "shown_digest": digest(ARGUMENTS),
        },
    ),
    "bash_decision": receipt(
        "policy_decision",
        2,
        {**_DECISION, "tool_call_id": "call-3", "tool_name": "bash", "argument_digest": digest("{}")},
    ),
    "sandbox": receipt("sandbox", 2, {"sandbox": "gvisor", "tool_call_id": "call-3", "tool_name": "bash"}),
    "search": span(
        3,
        3,
        {
            **tool_call("search", "call-1", '{"q": "x"}'),
            "gen_ai.tool.call.result": Commitment(
                alg="hmac-sha256", digest="ab" * 32, size_bytes=7, reason="data_class:personal"
            ).to_any_value(),
        },
    ),
    "transfer": span(4, 3, tool_call("transfer_money", "call-2", ARGUMENTS)),
    "transfer_at_server": span(
        13,
        3.1,
        {
            "gen_ai.operation.name": "execute_tool",
            "mcp.method.name": "tools/call",
            "gen_ai.tool.name": "transfer_money",
            "jsonrpc.request.id": "7",
        },
        parent=4,
        kind=2,
    ),
    "bash": span(5, 3, tool_call("bash", "call-3", "{}")),
    "retrieval": span(
        6,
        4,
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": "faces-1",
            "gen_ai.retrieval.query.text": "who is this",
            "gen_ai.retrieval.documents": DOCUMENTS,
        },
    ),
    "provenance": receipt("provenance", 4, {"source": "faces-1", "digest": digest(DOCUMENTS)}, within=6),
    "verified_by_ann": receipt(
        "human_verification", 5, {"verifier": "ann", "decision": "confirm", "subject_digest": digest(DOCUMENTS)}
    ),
    "verified_by_ben": receipt(
        "human_verification", 5, {"verifier": "ben", "decision": "confirm", "subject_digest": digest(DOCUMENTS)}
    ),
    "memory": span(
        7,
        5,
        {
            "gen_ai.operation.name": "search_memory",
            "gen_ai.memory.store.id": "m-1",
            "gen_ai.memory.records": '[{"id":"r-1"}]',
            "gen_ai.conversation.id": "c-1",
        },
    ),
    "remote": span(
        8,
        6,
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "researcher", "server.address": "peer.example"},
    ),
    "delegated": receipt(
        "delegation",
        6,
        {
            "delegation_id": "d-1",
            "delegator": "planner",
            "delegate": "researcher",
            "scopes": ["read"],
            "parent_scopes": ["read", "write"],
            "depth": 1,
            "peer_authenticated_by": "mtls",
        },
        within=8,
    ),
    "initialize": span(
        9, 6, {"mcp.method.name": "initialize", "mcp.session.id": "s-1", "server.address": "mcp.example"}
    ),
    "mcp_session": receipt(
        "mcp_session",
        6,
        {"session_id": "s-1", "client_authenticated_by": "oauth", "server_authenticated_by": "tls"},
    ),
    "again": span(
        10,
        7,
        {**make.CHAT, "gen_ai.usage.input_tokens": 20, "gen_ai.usage.output_tokens": 2},
    ),
    "failed": span(11, 8, {**make.CHAT, "error.type": "429"}, status={"code": 2}),
    # -------------------------------------------------- what became of it
    "drift": receipt("drift", 9, {"drift_id": "x-1", "drift_type": "outcome", "severity": "red"}),
    "drift_review": receipt("drift_review", 10, {"drift_id": "x-1", "reviewer": "ann"}),
    "human_override": receipt("human_override", 10, {"actor": "ann", "reason": "wrong account"}),
    "kill": receipt("kill", 11, {"kill_id": "k-1", "actor": "ann", "reason": "drill"}),
    "deactivation": receipt("deactivation", 12, {"kill_id": "k-1"}),
    **{
        name: receipt("incident", 13, {**_INCIDENT, "incident_id": name, "consequence": consequence})
        for name, consequence in (("leak", "general"), ("outage", "critical_infrastructure"), ("fatality", "death"))
    },
    **{
        f"{name}_frozen": receipt("freeze", 14, {"incident_id": name, "bundle_digest": digest("earlier")})
        for name in ("leak", "outage", "fatality")
    },
    **{
        f"{name}_reported": receipt("incident_report", 86_400, {**_AUTHORITY, "incident_id": name})
        for name in ("leak", "outage", "fatality")
    },
}

CONTEXT = {
    "policy": {
        "id": "p-1",
        "version": "3",
        "digest": digest("policy"),
        "gated_tools": ["transfer_*", "bash", "search"],
        "approval_tools": ["transfer_*"],
    }
}


UNCLOSED, UNCOUNTED = "unclosed", "uncounted"
"""Names that stand for no event: the run has no close, or its close has no counts of the sender."""
NO_EVENT = make.gap("no event")


def events(run: Run) -> list[Item]:
    """The run with its opening and a close that is true."""
    kind, opening = make.opened()
    inside = [(kind, {**opening, "context": CONTEXT}), *(item for item in run.values() if item is not NO_EVENT)]
    if UNCLOSED in run:
        return inside
    counts = {"spans_ended": sum("span" in data for _, data in inside)}
    return [*inside, make.closed(inside, **({} if UNCOUNTED in run else {"sender_counts": counts}))]
