"""An event of ours as one of Assay's.

Law: the event stands whole in the other's `data`, under `affidavit`, one for one and in order; beside it, where the facts are
there, what Assay's own types say. Nothing is filled in that the run does not say: a call that nobody decided is no decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evidence import event as ours
from evidence.assay import timestamp
from evidence.assay.event_types import PROFILE_FINISHED, PROFILE_STARTED, TOOL_DECISION
from evidence.assay.receipts import DECISION
from evidence.canonical import JsonObject
from evidence.checks.item import read_item
from evidence.redaction.detectors import findings, suspect
from evidence.timestamp import to_unix_nano

MEMBER = "affidavit"
"""The member of `data` that holds the event whole."""
OMITTED = "affidavit.omitted.v1"
"""Stands for an event that is too large or too deep for the format."""

_CALLS_MAX = 20_000
_DECISIONS = ("allow", "deny")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What is written for one event, without what is the same in all."""

    type: str
    data: JsonObject
    time: str
    subject: str | None
    traceparent: str | None
    policy_id: str | None
    secrets: bool
    told: tuple[str, ...]
    """Members of `data` that Assay's own type has, beside the event itself."""

    def arguments(self) -> dict[str, Any]:
        """For `AssayWriter.event`."""
        return {
            "type_": self.type,
            "data": self.data,
            "time": self.time,
            "secrets": self.secrets,
            "subject": self.subject,
            "traceparent": self.traceparent,
            "assaypolicyid": self.policy_id,
        }


@dataclass(slots=True)
class ToolNames:
    """The tools of calls by call id, from the spans of a run: a decision may name the call alone."""

    _names: dict[str, str] = field(default_factory=dict)

    def add(self, event: JsonObject) -> None:
        """Look at an event."""
        if event["type"] != ours.SPAN or len(self._names) >= _CALLS_MAX:
            return
        item = read_item(event)
        if item is not None and (call_id := item.text("gen_ai.tool.call.id")):
            self._names.setdefault(call_id, item.text("gen_ai.tool.name"))

    def of(self, body: Mapping[str, Any]) -> str:
        """The tool that a decision is about; empty when nothing says it."""
        named = body.get("tool_name")
        if isinstance(named, str) and named:
            return named
        call_id = body.get("tool_call_id")
        return self._names.get(call_id, "") if isinstance(call_id, str) else ""


def export(event: JsonObject, line: bytes, names: ToolNames, manifest: JsonObject | None) -> Exported:
    """One event of ours, in their terms.

    Args:
        event: the event.
        line: its canonical bytes.
        names: tools of the run by call id.
        manifest: the bundle's manifest, to be carried with this event; None with all but the first.
    """
    type_, told = _typed(event, names)
    whole: JsonObject = {"event": event}
    if manifest is not None:
        whole["manifest"] = manifest
    body = event["data"].get("body") if event["type"] == ours.RECEIPT else None
    policy_id = body.get("policy_id") if type_ == TOOL_DECISION and isinstance(body, dict) else None
    return Exported(
        type=type_,
        data={**told, MEMBER: whole},
        time=timestamp.from_unix_nano(to_unix_nano(event["time"])),
        subject=event.get("subject"),
        traceparent=event.get("traceparent"),
        policy_id=policy_id if isinstance(policy_id, str) and policy_id else None,
        secrets=suspect(line) and next(findings(line.decode()), None) is not None,
        told=tuple(told),
    )


def omitted(event: JsonObject, line_sha256: str, line_bytes: int, why: str) -> dict[str, Any]:
    """What stands for an event that does not fit, for `AssayWriter.event`."""
    said = {"id": event["id"], "type": event["type"], "sha256": line_sha256, "bytes": line_bytes, "why": why}
    return {
        "type_": OMITTED,
        "data": {MEMBER: {"omitted": said}},
        "time": timestamp.from_unix_nano(to_unix_nano(event["time"])),
        "secrets": False,
    }


def _typed(event: JsonObject, names: ToolNames) -> tuple[str, JsonObject]:
    """Assay's type for an event and what it says in it, or our own type and nothing."""
    data = event["data"]
    if event["type"] == ours.RUN_OPENED:
        return PROFILE_STARTED, {"source": event["source"]}
    if event["type"] == ours.RUN_CLOSED:
        return PROFILE_FINISHED, {"event_count": data["events"], "status": data["reason"]}
    if event["type"] == ours.RECEIPT and data["kind"] == DECISION:
        body = data["body"]
        if body.get("decision") in _DECISIONS and (tool := names.of(body)):
            return TOOL_DECISION, {"tool": tool, "decision": body["decision"], **_reasons(body)}
    return event["type"], {}


def _reasons(body: Mapping[str, Any]) -> JsonObject:
    reason = body.get("reason") or body.get("rule")
    found = {"reason_code": reason, "policy_digest": body.get("policy_digest")}
    return {name: value for name, value in found.items() if isinstance(value, str) and value}
