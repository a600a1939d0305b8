"""What is inside a row as it is written: its members, and those of the shared objects it names.

Law: total over tables that have been read; an object names none but those before it, so every way ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from semconv import table
from semconv.profile import words
from semconv.profile.words import Row

FILE: Final = "objects.yaml"
"""The table of the shared objects."""

_REST: Final[Row] = {"lost": "partial_no_concept"}


class Member(NamedTuple):
    """A row for a member."""

    name: str
    row: Row
    object: str
    """The shared object it is written in; empty when it is the row's own."""


class Objects:
    """The shared objects as they are written: name to members, path of a member to its row."""

    def __init__(self) -> None:
        self._data = table.builtin("tables", FILE)
        self.written: Mapping[str, Mapping[str, Row]] = table.parse(self._data, FILE)
        self._concepts: dict[str, set[str]] = {}
        for object_, members in self.written.items():
            self._concepts[object_] = {concept for row in members.values() for _, concept in self.claims(row)}

    def line(self, object_: str, member: str) -> int:
        """The line at which a member of an object is written."""
        return table.line(self._data, (object_, member))

    def find(self, row: Row, way: str) -> Member:
        """The row for the member at a way (`usage/prompt_tokens`): the one that names most of it, else that of the rest."""
        found = Member("the rest", row.get("rest", _REST), "")
        for member in sorted(self._members(row), key=lambda member: len(member.name)):
            name = member.name.replace(".", "/")
            if name == way:
                return member
            if way.startswith(f"{name}/"):
                apart = "split" in member.row or "object" in member.row
                found = self.find(member.row, way[len(name) + 1 :]) if apart else member
        return found

    def claims(self, row: Row) -> Iterator[tuple[str, str]]:
        """Every concept a row claims, by itself or inside, with the way to the claim; an object counts as a whole."""
        if isinstance(row.get("to"), str):
            yield "", row["to"]
        for concept in row.get("says", ()):
            yield "", concept
        for name, member in words.members(row):
            for inside, concept in self.claims(member):
                yield name + inside, concept
        for concept in sorted(self._concepts.get(row.get("object", ""), ())):
            yield f" (object `{row['object']}`)", concept

    def claiming(self) -> Iterator[tuple[str, str, Row, str]]:
        """Every claim that is written in an object itself: object, member, its row and the concept."""
        for object_, members in self.written.items():
            for name, row in members.items():
                for way, concept in self.claims(row):
                    if not way.endswith(")"):
                        yield object_, name, row, concept

    def _members(self, row: Row) -> Iterator[Member]:
        own = row.get("split", {})
        for name, inner in own.items():
            yield Member(name, inner, "")
        for name, inner in self.written.get(row.get("object", ""), {}).items():
            if name not in own:
                yield Member(name, inner, row["object"])
