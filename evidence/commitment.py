"""A body that was withheld, and what stands in its place: enough to prove it later, nothing of what it says.

In an event the attribute keeps its key; its value is `{"kvlistValue": {"values": [{"key": "affidavit.redacted", ...}]}}`
with `alg`, `digest`, `size_bytes` and `reason` inside. A placeholder word commits to nothing: such a body is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = "affidavit.redacted"
_SIZE_MAX = 2**53 - 1  # the largest integer of RFC 8785: no body is larger


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """What is said about one withheld body."""

    alg: str
    """How `digest` was made of the body, for instance `sha256` or `hmac-sha256`."""
    digest: str
    size_bytes: int
    reason: str = ""

    def to_any_value(self) -> dict[str, Any]:
        """The OTLP/JSON value that stands in place of the body."""
        members = [
            {"key": "alg", "value": {"stringValue": self.alg}},
            {"key": "digest", "value": {"stringValue": self.digest}},
            {"key": "reason", "value": {"stringValue": self.reason}},
            {"key": "size_bytes", "value": {"intValue": str(self.size_bytes)}},
        ]
        return {"kvlistValue": {"values": [{"key": KEY, "value": {"kvlistValue": {"values": members}}}]}}

    def to_json(self) -> dict[str, Any]:
        """The commitment as `closure-v1` writes it."""
        return {"alg": self.alg, "digest": self.digest, "size_bytes": self.size_bytes}


def read_commitment(value: Mapping[str, Any]) -> Commitment | None:
    """The commitment in an OTLP/JSON value, or None when the value is something else or commits to nothing."""
    entries = _entries(value)
    if len(entries) != 1 or entries[0].get("key") != KEY:
        return None
    members = {entry.get("key"): entry.get("value", {}) for entry in _entries(entries[0].get("value", {}))}
    alg, digest, reason = (members.get(name, {}).get("stringValue", "") for name in ("alg", "digest", "reason"))
    size = members.get("size_bytes", {}).get("intValue", "")
    if not alg or not digest or not size.isdecimal() or int(size) > _SIZE_MAX:
        return None
    return Commitment(alg=alg, digest=digest, size_bytes=int(size), reason=reason)


def _entries(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = value.get("kvlistValue", {}).get("values", [])
    return entries
