"""Reading rows: what a table says of the value of a key, or of a member inside it.

Laws: an unknown word, concept, operation or reason is refused by its path; a row either leads somewhere or says why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from semconv.ops import Enums, compiled
from semconv.profile.profile import ALWAYS, Row, Split, When
from semconv.reasons import REASONS
from semconv.table import Defect, Path, flag, mapping, nearest, one_of, sequence, text, texts
from semconv.target import OPERATION, Target

Objects = Mapping[str, Mapping[tuple[str, ...], Row]]
"""Objects that are the same wherever they turn up, the bodies of providers' APIs first: by name, paths of members to rows."""

ROW: Final = (
    "key", "when", "to", "op", "role", "parts_in_text", "split", "object", "rest", "lost", "derived", "sum_of", "keep", "same_as",
    "copy", "yields", "evict", "secondary", "take", "also", "loses",
)  # fmt: skip


class RowReader:
    """Reads rows for one target."""

    def __init__(self, target: Target, enums: Enums, objects: Objects) -> None:
        self.target = target
        self.enums = enums
        self.objects = objects

    def row(self, table: dict[str, Any], path: Path) -> Row:
        """A row, from a mapping whose words are known."""
        ways = [word for word in ("to", "split", "object", "lost", "derived", "sum_of", "keep") if word in table]
        if ways == ["split", "object"]:
            ways = ["split"]
        if len(ways) != 1 and ways != ["to", "lost"]:
            got = ", ".join(ways) or "none"
            raise Defect(path, f"expected one of to, split, object, lost, derived, sum_of, keep; got {got}")
        if "op" in table and ways[0] not in ("to", "split", "object"):
            raise Defect((*path, "op"), f"a row that is {ways[0]} has no use for an operation")
        steps = compiled(table["op"], (*path, "op"), self.enums) if "op" in table else ()
        if table.get("to") == OPERATION and not {step.name for step in steps} <= {"enum", "refuse"}:
            raise Defect((*path, "op"), "what says the operation is looked up: only enum and refuse lead to it")
        return Row(
            when=self.when(table.get("when"), (*path, "when")),
            to=self.concept(table["to"], (*path, "to")) if "to" in table else "",
            ops=steps,
            reversible=all(step.inverse is not None for step in steps),
            loses=self.loses(table, path) if "loses" in table else "",
            secondary=flag(table.get("secondary", False), (*path, "secondary")),
            role=word(table, "role", path),
            parts_in_text=flag(table.get("parts_in_text", False), (*path, "parts_in_text")),
            split=self.split(table, path) if ways[0] in ("split", "object") else None,
            lost=reason(table["lost"], (*path, "lost")) if "lost" in table else "",
            derived=flag(table.get("derived", False), (*path, "derived")),
            sum_of=tuple(
                self.concept(concept, (*path, "sum_of"))
                for concept in texts(table.get("sum_of", []), (*path, "sum_of"))
            ),
            keep=flag(table.get("keep", False), (*path, "keep")),
            same_as=word(table, "same_as", path),
            copy=flag(table.get("copy", False), (*path, "copy")),
            yields=reason(table.get("yields", "conflict_lost"), (*path, "yields")),
            evict=flag(table.get("evict", False), (*path, "evict")),
            take=one_of(table["take"], (*path, "take"), ("answer", "history")) if "take" in table else "",
            also=tuple(
                self.claim(other, (*path, "also", at))
                for at, other in enumerate(listed(table.get("also", []), (*path, "also")))
            ),
        )

    def loses(self, table: dict[str, Any], path: Path) -> str:
        """Why what the operations of a row leave out need not stay."""
        if "to" not in table or "lost" in table or "op" not in table:
            raise Defect(
                (*path, "loses"), "it is for what the operations of a row with `to` leave out, where it is not `lost`"
            )
        return reason(table["loses"], (*path, "loses"))

    def member(self, value: object, path: Path) -> Row:
        """A row for something inside: it has no key of its own."""
        return self.row(mapping(value, path, known=set(ROW) - {"key"}), path)

    def claim(self, value: object, path: Path) -> Row:
        """A further claim: it sends no atoms anywhere, so all it may have is a concept and operations."""
        return self.row(mapping(value, path, known={"to", "op", "role", "parts_in_text", "take"}, need=["to"]), path)

    def split(self, table: dict[str, Any], path: Path) -> Split:
        """Its own members first, then those of the object it is known to be."""
        inner = mapping(table.get("split", {}), (*path, "split"))
        rest = self.member(table.get("rest", {"lost": "partial_no_concept"}), (*path, "rest"))
        members = {tuple(name.split(".")): self.member(row, (*path, "split", name)) for name, row in inner.items()}
        if "object" in table:
            name = one_of(table["object"], (*path, "object"), self.objects)
            members = {**members, **{way: row for way, row in self.objects[name].items() if way not in members}}
        return Split(members=tuple(members.items()), rest=rest)

    def when(self, value: object, path: Path) -> When:
        """A condition; none is one that always holds."""
        if value is None:
            return ALWAYS
        table = mapping(value, path, known={"operation", "value", "present", "any", "absent", "scope"})
        return When(
            operation=texts(table.get("operation", []), (*path, "operation")),
            values=tuple(
                (key, values(allowed, (*path, "value", key)))
                for key, allowed in mapping(table.get("value", {}), (*path, "value")).items()
            ),
            present=texts(table.get("present", []), (*path, "present")),
            any=texts(table.get("any", []), (*path, "any")),
            absent=texts(table.get("absent", []), (*path, "absent")),
            scope=texts(table.get("scope", []), (*path, "scope")),
        )

    def concept(self, value: object, path: Path) -> str:
        """A concept the target knows, with a key there or without."""
        concept = text(value, path)
        if not self.target.knows(concept.replace("*", "x")):
            hint = nearest(concept, (*self.target.keys, *self.target.absent))
            why = "it is no key of the registry and none it declares absent"
            raise Defect(path, f"unknown concept {concept!r}: {why}{hint}", "unknown-concept")
        return concept


def objects(table: dict[str, Any], target: Target, enums: Enums) -> Objects:
    """The objects of a table; one may be made of those before it.

    Raises:
        Defect: by path, for `semconv.table.read` to turn into a line.
    """
    read: dict[str, Mapping[tuple[str, ...], Row]] = {}
    reader = RowReader(target, enums, read)
    for name, members in table.items():
        rows = mapping(members, (name,))
        read[name] = {tuple(member.split(".")): reader.member(row, (name, member)) for member, row in rows.items()}
    return read


def reason(value: object, path: Path) -> str:
    """A reason of loss."""
    return one_of(value, path, REASONS)


def word(table: dict[str, Any], name: str, path: Path) -> str:
    """A text that a table may have; empty when it has none."""
    return text(table[name], (*path, name)) if name in table else ""


def listed(value: object, path: Path) -> list[Any]:
    """One thing or a list of them."""
    return sequence(value, path) if isinstance(value, list) else [value]


def values(value: object, path: Path) -> tuple[str, ...]:
    """Values a condition asks for; of texts the empty one is one."""
    return ("",) if value == "" else tuple(item if item == "" else text(item, path) for item in listed(value, path))
