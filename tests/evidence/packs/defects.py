"""What may be wrong with the exemplary run: for each rule of each built-in pack, what makes it fail."""

from collections.abc import Callable, Mapping
from typing import Any

from evidence.canonical import canonical
from evidence.redaction.commitment import Commitment
from tests.evidence import make
from tests.evidence.make import Item
from tests.evidence.packs.exemplary import (
    CHAT_THAT_ASKS,
    DEFINITIONS,
    NO_EVENT,
    SECRET,
    UNCLOSED,
    UNCOUNTED,
    Run,
    at,
    digest,
    receipt,
    span,
    tool_call,
)

Defect = Callable[[Run], Run]


def marked(mark: str) -> Defect:
    """The run is unclosed, or uncounted."""
    return lambda run: {**run, mark: NO_EVENT}


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
        12,
        7,
        {
            **CHAT_THAT_ASKS,
            "gen_ai.tool.definitions": canonical([{**DEFINITIONS[0], "description": "another"}]).decode(),
        },
    )
)
_LOOP = both(
    *(
        (
            lambda run, number=number: {
                **run,
                f"loop_{number}": span(100 + number, 7, tool_call("search", f"l-{number}", "{}")),
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
