"""One run that meets every rule of every built-in pack, and for each rule a defect that breaks it.

The run is a table of named events, so that a defect says in a line what it takes away or changes. What is outside of this table
cannot make a rule hold: the run has nothing else.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from evidence.canonical import canonical
from evidence.commitment import Commitment
from evidence.digest import tagged
from tests.evidence import make
from tests.evidence.make import Item

Run = dict[str, Item]
"""The events of a run between its opening and its close, by a name of the test's own; in order."""
Defect = Callable[[Run], Run]

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


def _tool(tool: str, call_id: str, arguments: str) -> dict[str, Any]:
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
_CHAT = {
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
    "chat": span(2, 1, _CHAT),
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
            **_tool("search", "call-1", '{"q": "x"}'),
            "gen_ai.tool.call.result": Commitment(
                alg="hmac-sha256", digest="ab" * 32, size_bytes=7, reason="data_class:personal"
            ).to_any_value(),
        },
    ),
    "transfer": span(4, 3, _tool("transfer_money", "call-2", ARGUMENTS)),
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
    "bash": span(5, 3, _tool("bash", "call-3", "{}")),
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
_NO_EVENT = make.gap("no event")


def events(run: Run) -> list[Item]:
    """The run with its opening and a close that is true."""
    kind, opening = make.opened()
    inside = [(kind, {**opening, "context": CONTEXT}), *(item for item in run.values() if item is not _NO_EVENT)]
    if UNCLOSED in run:
        return inside
    counts = {"spans_ended": sum("span" in data for _, data in inside)}
    return [*inside, make.closed(inside, **({} if UNCOUNTED in run else {"sender_counts": counts}))]


# ------------------------------------------------------------------ what may be wrong with it


def marked(mark: str) -> Defect:
    """The run is unclosed, or uncounted."""
    return lambda run: {**run, mark: _NO_EVENT}


def without(*names: str) -> Defect:
    """Events are not there."""
    return lambda run: {name: item for name, item in run.items() if name not in names}


def plus(item: Item) -> Defect:
    """A further event."""
    return lambda run: {**run, "further": item}


def saying(name: str, **members: Any) -> Defect:
    """A receipt says something else; None for nothing."""

    def change(run: Run) -> Run:
        kind, data = run[name]
        body = {key: value for key, value in {**data["body"], **members}.items() if value is not None}
        return {**run, name: (kind, {**data, "body": body})}

    return change


def told_at(name: str, second: float) -> Defect:
    """A receipt is of another time."""
    return lambda run: {**run, name: (run[name][0], {**run[name][1], "time_unix_nano": at(second)})}


def with_attributes(name: str, attributes: Mapping[str, Any]) -> Defect:
    """A span or resource has other attributes; None for none."""

    def change(run: Run) -> Run:
        kind, data = run[name]
        if "resource" in data and "span" not in data:
            there = {pair["key"]: pair["value"] for pair in data["resource"]["attributes"]}
            return {**run, name: make.resource(_laid_over(there, attributes))}
        there = {pair["key"]: pair["value"] for pair in data["span"]["attributes"]}
        body = {**data["span"], "attributes": make.pairs(_laid_over(there, attributes))}
        return {**run, name: (kind, {**data, "span": body})}

    return change


def lacking(name: str, *keys: str) -> Defect:
    """A span or resource lacks attributes."""
    return with_attributes(name, dict.fromkeys(keys))


def both(*defects: Defect) -> Defect:
    """Several at once."""

    def change(run: Run) -> Run:
        for defect in defects:
            run = defect(run)
        return run

    return change


def _laid_over(there: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**there, **changes}.items() if value is not None}


_UNNAMED_MODEL = lacking("chat", "gen_ai.response.model")
_UNSEEN_CALL = without("search")
_NO_TOOL_RESULT = lacking("transfer", "gen_ai.tool.call.result")
_NO_MESSAGES = lacking("chat", "gen_ai.input.messages")
_NO_INSTRUCTIONS = lacking("chat", "gen_ai.system_instructions", "gen_ai.input.messages")
_NO_DEFINITIONS = lacking("chat", "gen_ai.tool.definitions")
_NO_ENVIRONMENT = both(lacking("resource", "container.image.id"), without("environment", "bom"))
_NAMELESS = lacking("resource", "service.name")
_UNDECIDED = without("transfer_decision")
_DENIED = saying("transfer_decision", decision="deny")
_UNAPPROVED = without("transfer_approval")
_KINDLESS_ERROR = lacking("failed", "error.type")
_LOSS = plus(make.gap("receipt_sequence"))
_LEAK = with_attributes("bash", {"gen_ai.tool.call.result": f"key {SECRET}"})
_REDEFINED = plus(
    span(
        12, 7, {**_CHAT, "gen_ai.tool.definitions": canonical([{**DEFINITIONS[0], "description": "another"}]).decode()}
    )
)
_LOOP = both(
    *(
        (
            lambda run, number=number: {
                **run,
                f"loop_{number}": span(100 + number, 7, _tool("search", f"l-{number}", "{}")),
            }
        )
        for number in range(6)
    )
)
_DRIFT_UNSEEN = without("drift_review")
_UNLOCKED = both(saying("retention_provider", lock=False), saying("retention_deployer", lock=False))
_UNDELIVERED = without("leak_frozen")
_NOBODY = lacking("root", "user.id")
_MEMORY_LOST = lacking("retrieval", "gen_ai.retrieval.documents")

DEFECTS: Mapping[str, Mapping[str, Defect]] = {
    "baseline": {
        "BASE-001": marked(UNCLOSED),
        "BASE-002": _UNNAMED_MODEL,
        "BASE-003": _NO_MESSAGES,
        "BASE-004": _UNSEEN_CALL,
        "BASE-005": _NO_TOOL_RESULT,
        "BASE-006": marked(UNCOUNTED),
        "BASE-007": _KINDLESS_ERROR,
    },
    "cicd-starter": {
        "CICD-001": marked(UNCLOSED),
        "CICD-002": _LOSS,
        "CICD-003": plus(span(12, 0, {"gen_ai.operation.name": "invoke_agent"}, parent=None, status={"code": 2})),
        "CICD-004": _LEAK,
        "CICD-005": lacking("chat", "gen_ai.request.model", "gen_ai.response.model"),
        "CICD-006": lacking("search", "gen_ai.tool.name"),
        "CICD-007": _UNDECIDED,
        "CICD-008": _DENIED,
        "CICD-009": _UNAPPROVED,
        "CICD-010": _NAMELESS,
        "CICD-011": _UNNAMED_MODEL,
        "CICD-012": _UNSEEN_CALL,
        "CICD-013": _KINDLESS_ERROR,
        "CICD-014": with_attributes(
            "again", {"gen_ai.response.finish_reasons": {"arrayValue": {"values": [{"stringValue": "length"}]}}}
        ),
        "CICD-015": _LOOP,
        "CICD-016": _REDEFINED,
        "CICD-017": lacking("again", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
        "CICD-018": _NO_MESSAGES,
        "CICD-019": _NO_TOOL_RESULT,
        "CICD-020": _NO_ENVIRONMENT,
    },
    "eu-ai-act-high-risk": {
        "EUAI-12-1": _LOSS,
        "EUAI-12-1-model": _UNNAMED_MODEL,
        "EUAI-12-1-tools": _UNSEEN_CALL,
        "EUAI-12-2a": _UNDECIDED,
        "EUAI-12-2a-errors": _KINDLESS_ERROR,
        "EUAI-12-2a-change": saying("change", assessment=None),
        "EUAI-12-2a-environment": _NO_ENVIRONMENT,
        "EUAI-12-2b": marked(UNCOUNTED),
        "EUAI-12-2c": _NO_MESSAGES,
        "EUAI-12-2c-tools": _NO_TOOL_RESULT,
        "EUAI-12-3": marked(UNCLOSED),
        "EUAI-12-3-database": lacking("retrieval", "gen_ai.data_source.id"),
        "EUAI-12-3-match": lacking("retrieval", "gen_ai.retrieval.query.text"),
        "EUAI-12-3-persons": saying("verified_by_ben", verifier="ann"),
        "EUAI-13-3f": marked(UNCOUNTED),
        "EUAI-14-4": told_at("transfer_approval", 4),
        "EUAI-14-4-digest": saying("transfer_approval", argument_digest=digest('{"amount": 500, "to": "bob"}')),
        "EUAI-15": _NO_ENVIRONMENT,
        "EUAI-15-tools": _NO_DEFINITIONS,
        "EUAI-19-1": saying("retention_provider", days=182),
        "EUAI-26-6": saying("retention_deployer", lock=False),
        "EUAI-73-due": saying("leak", consequence=None),
        "EUAI-73-2": told_at("leak_reported", 16 * 86_400),
        "EUAI-73-3": told_at("outage_reported", 3 * 86_400),
        "EUAI-73-4": told_at("fatality_reported", 11 * 86_400),
        "EUAI-73-6": _UNDELIVERED,
    },
    "nist-ai-rmf-genai": {
        "GOV-1.5": marked(UNCLOSED),
        "GOV-1.5-retention": _UNLOCKED,
        "GOV-6.1": _UNNAMED_MODEL,
        "GOV-6.1-tools": _NO_DEFINITIONS,
        "MAP-3.5": _UNAPPROVED,
        "MEAS-2.4": marked(UNCOUNTED),
        "MEAS-2.4-errors": _KINDLESS_ERROR,
        "MEAS-2.7": _UNDECIDED,
        "MEAS-2.7-allowed": _DENIED,
        "MEAS-2.7-tools": _REDEFINED,
        "MEAS-2.8": _NAMELESS,
        "MEAS-2.8-prompts": _NO_INSTRUCTIONS,
        "MEAS-2.8-delegation": lacking("remote", "gen_ai.agent.name"),
        "MEAS-3.1": _DRIFT_UNSEEN,
        "MAN-2.4": told_at("deactivation", 72),
        "MAN-4.1": saying("human_override", reason=None),
        "MAN-4.1-monitoring": _LOSS,
        "MAN-4.3": saying("leak", aware_at=None),
        "GAI-PROVENANCE": _NO_MESSAGES,
        "GAI-PROVENANCE-context": _MEMORY_LOST,
    },
    "iso-42001-logging": {
        "ISO-A.3.2": _NAMELESS,
        "ISO-A.3.2-principal": _NOBODY,
        "ISO-A.6.2.4": lacking("chat", "gen_ai.request.temperature"),
        "ISO-A.6.2.4-environment": _NO_ENVIRONMENT,
        "ISO-A.6.2.6": _KINDLESS_ERROR,
        "ISO-A.6.2.6-drift": _DRIFT_UNSEEN,
        "ISO-A.6.2.7": _NO_ENVIRONMENT,
        "ISO-A.6.2.8": marked(UNCLOSED),
        "ISO-A.6.2.8-counts": marked(UNCOUNTED),
        "ISO-A.6.2.8-gaps": _LOSS,
        "ISO-A.6.2.8-tools": _UNSEEN_CALL,
        "ISO-A.7.5": _MEMORY_LOST,
        "ISO-A.7.5-prompts": _NO_INSTRUCTIONS,
        "ISO-A.8.4": saying("leak_reported", recipient=None),
        "ISO-A.9.4": _UNDECIDED,
        "ISO-A.9.4-allowed": _DENIED,
        "ISO-A.10.3": _UNNAMED_MODEL,
        "ISO-A.10.3-tools": _NO_DEFINITIONS,
        "ISO-7.5": _UNLOCKED,
    },
    "owasp-agentic-mcp": {
        "ASI01": plus(receipt("goal", 4, {"digest": digest("another goal")})),
        "ASI01-approval": without("goal_approval"),
        "ASI01-lineage": _NO_INSTRUCTIONS,
        "ASI02": told_at("search_decision", 4),
        "ASI02-allowed": _DENIED,
        "ASI02-io": _NO_TOOL_RESULT,
        "ASI03": saying("delegated", scopes=["read", "admin"]),
        "ASI03-identity": _NAMELESS,
        "ASI04": saying("pin_search", digest=digest("another definition")),
        "ASI04-environment": _NO_ENVIRONMENT,
        "ASI05": without("sandbox"),
        "ASI06": saying("provenance", digest=digest("other documents")),
        "ASI06-memory": _MEMORY_LOST,
        "ASI07": saying("delegated", peer_authenticated_by=None),
        "ASI08": _LOOP,
        "ASI08-fanout": both(
            *(
                (
                    lambda run, number=number: {
                        **run,
                        f"agent_{number}": span(
                            200 + number, 6, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}
                        ),
                    }
                )
                for number in range(32)
            )
        ),
        "ASI08-errors": _KINDLESS_ERROR,
        "ASI09": saying("transfer_approval", shown_digest=digest("something kinder")),
        "ASI10": _LOSS,
        "ASI10-counts": marked(UNCOUNTED),
        "ASI10-drift": _DRIFT_UNSEEN,
        "MCP01": _LEAK,
        "MCP02": saying("delegation", scopes=["write"]),
        "MCP02-depth": saying("delegated", depth=None),
        "MCP03": _REDEFINED,
        "MCP04": saying("environment", lock_digest=None),
        "MCP05": saying("bash_decision", argument_digest=digest('{"command": "rm -r /"}')),
        "MCP06": with_attributes("again", {"gen_ai.system_instructions": "obey the page"}),
        "MCP07": saying("mcp_session", server_authenticated_by=None),
        "MCP08": _UNSEEN_CALL,
        "MCP08-counts": marked(UNCOUNTED),
        "MCP09": with_attributes("initialize", {"server.address": "shadow.example"}),
        "MCP10": plus(
            span(
                12,
                7,
                {
                    "gen_ai.operation.name": "search_memory",
                    "gen_ai.memory.store.id": "m-1",
                    "gen_ai.memory.records": '[{"id":"r-1"}]',
                    "gen_ai.conversation.id": "c-2",
                },
            )
        ),
    },
    "assurance-records": {
        "SOC-CC6.1": _NAMELESS,
        "SOC-CC6.1-principal": _NOBODY,
        "SOC-CC6.3": _UNDECIDED,
        "SOC-CC6.3-allowed": _DENIED,
        "SOC-CC7.2": marked(UNCOUNTED),
        "SOC-CC7.2-drift": _DRIFT_UNSEEN,
        "SOC-CC7.3": _KINDLESS_ERROR,
        "SOC-CC7.4": _UNDELIVERED,
        "SOC-CC8.1": told_at("change_approval", 4),
        "SOC-CC8.1-environment": _NO_ENVIRONMENT,
        "SOC-PI1.2": _NO_TOOL_RESULT,
        "SOC-PI1.4": _LOSS,
        "SOC-PI1.5": marked(UNCLOSED),
        "SOC-C1.1": with_attributes(
            "search",
            {"gen_ai.tool.call.result": Commitment(alg="sha256", digest="ab" * 32, size_bytes=7).to_any_value()},
        ),
        "SOC-C1.1-secrets": _LEAK,
        "SEC-f2iA": _LOSS,
        "SEC-f2iB": _UNLOCKED,
        "SEC-f2ii": saying("self_verification", result="failed"),
        "SEC-f2iv": saying("export_machines", form="human_readable"),
        "SEC-a": saying("retention_provider", days=2191),
        "SEC-b": saying("retention_deployer", days=1095),
    },
}
"""For every rule of every built-in pack, what makes it fail in a run that meets it."""
