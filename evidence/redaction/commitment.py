"""A body that was withheld, and what stands in its place: enough to prove it later, nothing of what it says.

Three forms say the same: in text, and in place of any text, a mark `affidavit.redacted(alg=...,digest=...,size_bytes=...,reason=...)`,
which needs no escape in JSON; in plain JSON the member `{"affidavit.redacted": {...}}`; in OTLP/JSON the same as a kvlist, for
senders that withhold by themselves. A placeholder word commits to nothing: such a body is missing.

Law: a body that is not known to its last byte cannot be found by trying: each digest is keyed with a salt of its own.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evidence.limits import INTEGER_MAX

KEY = "affidavit.redacted"
HMAC_SHA256 = "hmac-sha256"
"""RFC 2104 over the UTF-8 of the body, keyed with its salt."""
SALT_BYTES = 32
MARK = re.compile(
    r"affidavit\.redacted\(alg=([a-z0-9-]{1,32}),digest=([0-9a-f]{32,128}),size_bytes=(0|[1-9][0-9]{0,15}),reason=([A-Za-z0-9_./*-]{0,128})\)"
)
"""What stands in a text in place of a part of it, or of all."""


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

    def to_mark(self) -> str:
        """What stands in a text in its place."""
        return f"{KEY}(alg={self.alg},digest={self.digest},size_bytes={self.size_bytes},reason={self.reason})"

    def to_member(self) -> dict[str, Any]:
        """The plain JSON value that stands in place of the body."""
        return {KEY: {**self.to_json(), "reason": self.reason}}

    def is_of(self, body: str, salt: bytes) -> bool:
        """Whether this is the commitment to that body."""
        made = commit(body, salt)
        return (
            self.alg == HMAC_SHA256
            and self.size_bytes == made.size_bytes
            and hmac.compare_digest(self.digest, made.digest)
        )

    def to_json(self) -> dict[str, Any]:
        """The commitment as `closure-v1` writes it."""
        return {"alg": self.alg, "digest": self.digest, "size_bytes": self.size_bytes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """One piece that is withheld, before it is committed to."""

    pointer: str
    """JSON pointer of the text or member that it was in."""
    index: int
    """Which of the pieces there it is, from 0."""
    name: str
    """Key of the attribute or path of the member that it was in; empty for none."""
    form: str
    """What the body is: `text`, or the canonical JSON of an `otlp` or a plain `json` value."""
    body: str
    reason: str


def commit(body: str, salt: bytes, reason: str = "") -> Commitment:
    """The commitment to a body."""
    data = body.encode()
    digest = hmac.new(salt, data, hashlib.sha256).hexdigest()
    return Commitment(alg=HMAC_SHA256, digest=digest, size_bytes=len(data), reason=reason)


def marks(text: str) -> Iterator[Commitment]:
    """The commitments that stand in a text as marks, in order."""
    if KEY in text:
        for alg, digest, size, reason in MARK.findall(text):
            yield Commitment(alg=alg, digest=digest, size_bytes=int(size), reason=reason)


def read_member(value: object) -> Commitment | None:
    """The commitment in a plain JSON value, or None when it is something else."""
    inner = value.get(KEY) if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(inner, dict):
        return None
    alg, digest, size, reason = (inner.get(name) for name in ("alg", "digest", "size_bytes", "reason"))
    if not isinstance(alg, str) or not isinstance(digest, str) or type(size) is not int or not 0 <= size <= INTEGER_MAX:
        return None
    return Commitment(alg=alg, digest=digest, size_bytes=size, reason=reason if isinstance(reason, str) else "")


def read_commitment(value: Mapping[str, Any]) -> Commitment | None:
    """The commitment in an OTLP/JSON value, or None when the value is something else or commits to nothing."""
    entries = _entries(value)
    if len(entries) != 1 or entries[0].get("key") != KEY:
        return None
    members = {entry.get("key"): entry.get("value", {}) for entry in _entries(entries[0].get("value", {}))}
    alg, digest, reason = (members.get(name, {}).get("stringValue", "") for name in ("alg", "digest", "reason"))
    size = members.get("size_bytes", {}).get("intValue", "")
    if not alg or not digest or not size.isdecimal() or int(size) > INTEGER_MAX:
        return None
    return Commitment(alg=alg, digest=digest, size_bytes=int(size), reason=reason)


def _entries(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = value.get("kvlistValue", {}).get("values", [])
    return entries
