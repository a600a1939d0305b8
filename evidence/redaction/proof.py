"""Holds disclosed pieces to the commitments in a bundle's events.

Law: a piece is proven when the commitment it names stands in its place of its event, under the name it tells, and is
that of its body under its salt; all pieces of a file are proven, or the first that is not is named. No message quotes a body.
"""

import re
from collections.abc import Iterable
from typing import Any

from evidence.canonical import JsonObject
from evidence.errors import DisclosureError
from evidence.redaction.commitment import Commitment, marks, read_commitment, read_member
from evidence.redaction.disclosures import Header, Piece

_POINTER = re.compile(r"(?:/(?:[^/~]|~[01])*)*", re.DOTALL)
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
"""As RFC 6901 spells them: another spelling would make two pieces of one."""
_PLAIN = ("body", "context", "outcome")
"""Members of an event's data that hold plain JSON."""


class Proof:
    """The pieces of one file, on their way to being proven.

    Raises:
        DisclosureError: two pieces are about the same place, or there is none.
    """

    def __init__(self, header: Header, pieces: Iterable[Piece]) -> None:
        self._header = header
        self._waiting: dict[str, list[Piece]] = {}
        places = set()
        for piece in pieces:
            if piece.place in places:
                raise DisclosureError(f"{_name(piece)}: disclosed twice")
            places.add(piece.place)
            self._waiting.setdefault(piece.event, []).append(piece)
        if not places:
            raise DisclosureError("nothing is disclosed")
        self.size = len(places)
        """How many pieces there are."""

    def begin(self, manifest: JsonObject) -> None:
        """Start with a bundle.

        Raises:
            DisclosureError: it is of another part or run.
        """
        for name, expected in (("run_id", self._header.run_id), ("part", self._header.part)):
            if manifest[name] != expected:
                raise DisclosureError(f"{name}: the disclosures are about another one than the bundle")

    def event(self, event: JsonObject) -> None:
        """Prove the pieces of one event.

        Raises:
            DisclosureError: one is not what was withheld there.
        """
        for piece in self._waiting.pop(event["id"], ()):
            there = commitment_at(event, piece.pointer, piece.index)
            if there is None:
                raise DisclosureError(f"{_name(piece)}: nothing is withheld there")
            if name_at(event, piece.pointer) != piece.name:
                raise DisclosureError(f"{_name(piece)}: it was withheld under another name")
            if there != piece.commitment:
                raise DisclosureError(f"{_name(piece)}: another commitment stands there")
            if not there.is_of(piece.body, piece.salt):
                raise DisclosureError(f"{_name(piece)}: its body is not what was withheld there")

    def finish(self) -> None:
        """Raise `DisclosureError` when a piece's event is not in the bundle."""
        for pieces in self._waiting.values():
            raise DisclosureError(f"{_name(pieces[0])}: there is no such event in the bundle")


def commitment_at(event: JsonObject, pointer: str, index: int) -> Commitment | None:
    """The commitment in that place of an event; None when there is none.

    Args:
        event: the event.
        pointer: JSON pointer (RFC 6901) of a text with marks, or of a value that is a commitment as a whole.
        index: which mark of the text.
    """
    found = _resolve(event, pointer)
    if isinstance(found, str):
        return next((mark for number, mark in enumerate(marks(found)) if number == index), None)
    if not isinstance(found, dict) or index:
        return None
    return read_member(found) or (read_commitment(found) if "kvlistValue" in found else None)


def name_at(event: JsonObject, pointer: str) -> str:
    """What stands in a place is called by the key of the attribute, or by the path of the member of a receipt, that it is in."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    root, inner = steps[1] if len(steps) > 1 else "", steps[2:]
    value = event.get("data", {}).get(root)
    if root in _PLAIN:
        names = []
        for step in inner:
            if isinstance(value, dict):
                names.append(step)
            value = _member(value, step)
        return ".".join(names)
    name = ""
    if inner[-1:] == ["key"]:
        return name
    for step in inner:
        if isinstance(value, dict) and "key" in value and step == "value":
            name = value["key"]
        elif root == "log" and step == "body" and not name:
            name = step
        value = _member(value, step)
    return name


def _resolve(value: Any, pointer: str) -> Any:  # noqa: ANN401 - JSON
    if _POINTER.fullmatch(pointer) is None:
        return None
    for token in pointer.split("/")[1:]:
        value = _member(value, token.replace("~1", "/").replace("~0", "~"))
    return value


def _member(value: Any, name: str) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
        return value[int(name)]
    return None


def _name(piece: Piece) -> str:
    return f"event {piece.event[:200]!a}, {piece.pointer[:200]!a}, piece {piece.index}"
