"""Redacts entries before they are recorded: their parts, their data, and what is said about a run.

Law: an entry is redacted by a function of itself and its run's key, so that a replayed frame gives the same, and a repetition is
still seen to be one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from evidence.canonical import canonical
from evidence.digest import tagged
from evidence.redaction.disclosures import PieceMaker
from sidecar.journal import Frame
from sidecar.otlp.signal import ENCODINGS
from sidecar.recorder.entry import Entry, Part
from sidecar.redaction import Redactor, as_bytes

__all__ = ["Redacting"]

_PARTS_KEPT = 512


class Redacting:
    """The redaction of a recorder's entries.

    Args:
        redactor: the policy at work.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.policy = redactor.policy
        self._parts: OrderedDict[tuple[bytes, str], Part] = OrderedDict()

    # ---------------------------------------------------------------- before a run is known

    def may_hold(self, frame: Frame) -> bool:
        """Whether anything may be withheld of a frame. A body in JSON may have escapes, and is looked at item by item."""
        return ENCODINGS.get(frame.encoding) != "protobuf" or self._redactor.may_hold(frame.body)

    def naming_digest(self, part: Part) -> str:
        """The digest that a run may be called by: of the part without anything that is withheld."""
        if not self._holds(part):
            return part.digest
        return tagged(canonical(self._redactor.masked(part.name, part.data)))

    # ---------------------------------------------------------------- in a run

    def entry(self, key: bytes, entry: Entry) -> Entry:
        """The entry as it may be recorded in the run that has this key."""
        if not entry.may_hold:
            return entry
        if entry.item is None:
            return self._plain(key, entry)
        parts = tuple(self._part(key, part) for part in entry.parts)
        is_around = any(new is not old for new, old in zip(parts, entry.parts, strict=True))
        if not is_around and not self._redactor.may_hold(entry.item.message.SerializeToString()):
            return entry
        resource, scope = parts
        data = entry.data | {"resource": resource.digest, "scope": scope.digest}
        pieces = PieceMaker(key, (entry.kind, *entry.place))
        around = (resource.data["resource"], scope.data["scope"]) if is_around else None
        made = self._redactor.telemetry(entry.kind, data, entry.item, pieces, around)
        subject = made.data["metric"].get("name") or None if entry.kind == "metric" else entry.subject
        return replace(entry, data=made.data, parts=parts, item=made.item, subject=subject, pieces=pieces)

    def text(self, key: bytes, text: str, place: int) -> tuple[str, PieceMaker]:
        """The detail of a gap at a place in a run."""
        pieces = PieceMaker(key, ("gap", place))
        return self._redactor.text(text, pieces, "/detail"), pieces

    # ---------------------------------------------------------------- parts of it

    def _plain(self, key: bytes, entry: Entry) -> Entry:
        if not entry.data or not self._redactor.may_hold(as_bytes(entry.data)):
            return entry
        pieces = PieceMaker(key, (entry.kind, *entry.place))
        data = self._redactor.plain(entry.data, pieces)
        subject = data["kind"] if entry.kind == "receipt" else entry.subject
        return replace(entry, data=data, subject=subject, pieces=pieces)

    def _part(self, key: bytes, part: Part) -> Part:
        """The part as it is recorded in a run; the very same when nothing is withheld of it."""
        if not self._holds(part):
            return part
        known = self._parts.get((key, part.digest))
        if known is None:
            pieces = PieceMaker(key, (part.name, part.digest))
            body = self._redactor.shared(part.name, part.data, pieces)
            digest = tagged(canonical(body))
            known = Part(digest, part.type, {"digest": digest, **body}, pieces=pieces) if len(pieces) else part
            self._parts[key, part.digest] = known
            if len(self._parts) > _PARTS_KEPT:
                self._parts.popitem(last=False)
        return known

    def _holds(self, part: Part) -> bool:
        return part.may_hold or not self.policy.is_secrets_only
