"""An Assay event as a receipt of a run of ours, and back.

Law: the event stands whole in the receipt, so `original(body)` is the event, byte for byte once it is canonical; what rules
read besides stands beside it under our own names. Nothing is added that the event does not say.
"""

import re
from collections.abc import Mapping
from typing import Any

from evidence.assay import timestamp
from evidence.assay.event_types import TOOL_DECISION
from evidence.assay.reader import AssayFacts
from evidence.canonical import JsonObject

MEMBER = "assay"
"""The member of a receipt's body, and of a run's context, that holds what was converted."""
FORMAT = "assay evidence bundle v1"
DECISION = "policy_decision"

_KIND = re.compile(r"[A-Za-z0-9._/-]{1,256}", re.ASCII)
_OTHER_KIND = "assay.event"
_TIME_END = 2**63
"""A recorder holds times before 2262 and none before 1970."""
_DECISIONS = ("allow", "deny")
_NAMES: Mapping[str, str] = {
    "tool": "tool_name",
    "tool_call_id": "tool_call_id",
    "policy_digest": "policy_digest",
    "reason_code": "reason",
    "decision": "decision",
}
"""Members of Assay's tool decision, and the same in a `policy_decision` of ours."""
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", re.ASCII)


def kind_of(event: JsonObject) -> str:
    """The kind of receipt that an event becomes: a decision that our rules can read, else its own type."""
    data = event["data"]
    if event["type"] == TOOL_DECISION and isinstance(data, dict):
        tool, decision = data.get("tool"), data.get("decision")
        if isinstance(tool, str) and tool and decision in _DECISIONS:
            return DECISION
    return event["type"] if _KIND.fullmatch(event["type"]) else _OTHER_KIND


def body_of(event: JsonObject) -> JsonObject:
    """The body of the receipt that an event becomes."""
    body: JsonObject = {MEMBER: event, "time_source": "event" if unix_nano_of(event) else "none"}
    if kind_of(event) == DECISION:
        data = event["data"]
        body |= {ours: data[name] for name, ours in _NAMES.items() if isinstance(data.get(name), str)}
        body |= {"policy_id": event["assaypolicyid"]} if "assaypolicyid" in event else {}
    return body


def unix_nano_of(event: JsonObject) -> int:
    """When the event says that it was; 0 when a receipt has no way to say that."""
    return held(timestamp.to_unix_nano(event["time"]))


def held(unix_nano: int) -> int:
    """A time as a recorder holds it; 0 for one that it does not."""
    return unix_nano if 0 < unix_nano < _TIME_END else 0


def trace_of(event: JsonObject) -> tuple[str, str]:
    """Trace id and span id of the event in hexadecimal; empty when it has none, or none that W3C trace context allows."""
    match = _TRACE.fullmatch(event.get("traceparent", ""))
    if match is None or not match[1].strip("0") or not match[2].strip("0"):
        return "", ""
    return match[1], match[2]


def context_of(facts: AssayFacts, converter: Mapping[str, str]) -> JsonObject:
    """What the converted run says of where it comes from: the manifest whole, and the digests of the file that was read."""
    return {
        MEMBER: {
            "format": FORMAT,
            "converted_by": dict(converter),
            "container_sha256": facts.container_sha256,
            "container_bytes": facts.container_bytes,
            "source": facts.claims.source,
            "manifest": facts.manifest,
            "events_sha256": facts.events_sha256,
            "unbound": [claim.member for claim in facts.claims.unbound],
        }
    }


def original(holder: object) -> Any:  # noqa: ANN401 - what a sender put there
    """What was converted, from the body of a receipt or the context of a run; None when there is nothing such."""
    value = holder.get(MEMBER) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else None
