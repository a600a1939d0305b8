"""Reading profiles from their tables, strictly: the definition of every word a table may use.

Laws: an unknown word, concept, operation or reason is refused with its line; a row either leads somewhere or says why not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from semconv.errors import ProfileError
from semconv.ops import compiled
from semconv.profile import (
    ALWAYS,
    LAYERS,
    EventRow,
    Fold,
    FoldKey,
    Implied,
    KindRow,
    Mark,
    MetricRow,
    NameRow,
    Pattern,
    Profile,
    Row,
    Split,
    When,
    is_pattern,
    pattern,
)
from semconv.reasons import REASONS
from semconv.sources import Source, sources
from semconv.table import Defect, Path, digest, flag, mapping, nearest, number, one_of, sequence, text, texts
from semconv.target import KINDS, OPERATION, Target

_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")


_TOP: Final = (
    "id", "version", "source", "extends", "override", "layer", "detect", "namespaces", "bare_keys", "otlp_kind", "identity", "sentinels",
    "accounting", "enums", "rows", "folds", "names", "kinds", "implied", "events", "logs", "metrics",
)  # fmt: skip
_ROW: Final = (
    "key", "when", "to", "op", "role", "parts_in_text", "split", "rest", "lost", "derived", "sum_of", "keep", "same_as",
    "copy", "yields", "evict", "secondary", "also",
)  # fmt: skip


def from_table(table: dict[str, Any], target: Target, shared: Mapping[str, Mapping[str, str]]) -> Profile:
    """The profile a table describes, its concepts checked against the target.

    Raises:
        Defect: by path, for `semconv.table.read` to turn into a line.
    """
    mapping(table, (), known=_TOP, need=["id", "version", "detect"])
    enums = {**shared, **{name: _enum(value, ("enums", name)) for name, value in _table(table, "enums").items()}}
    reader = _Reader(target, enums)
    exact: dict[str, list[tuple[int, Row | FoldKey]]] = {}
    patterns: list[Pattern] = []
    entries = reader.entries(table)
    for order, (key, entry, path) in enumerate(entries):
        if is_pattern(key):
            patterns.append(pattern(key, order, entry, path))
        else:
            exact.setdefault(key, []).append((order, entry))
    return Profile(
        id=text(table["id"], ("id",)),
        version=text(table["version"], ("version",)),
        digest=digest(table),
        extends=text(table["extends"], ("extends",)) if "extends" in table else "",
        layer=LAYERS[one_of(table.get("layer", "vendor"), ("layer",), LAYERS)],
        marks=_marks(table["detect"], target if table.get("layer", "vendor") == "vendor" else None),
        threshold=number(table["detect"].get("threshold", 1), ("detect", "threshold")),
        namespaces=texts(table.get("namespaces", []), ("namespaces",)),
        bare_keys=flag(table.get("bare_keys", False), ("bare_keys",)),
        kind_says_nothing=one_of(table.get("otlp_kind", "meant"), ("otlp_kind",), ("meant", "default")) == "default",
        identity=flag(table.get("identity", False), ("identity",)),
        sentinels={name: _reason(value, ("sentinels", name)) for name, value in _table(table, "sentinels").items()},
        accounting={name: text(value, ("accounting", name)) for name, value in _table(table, "accounting").items()},
        exact={key: tuple(entries) for key, entries in exact.items()},
        patterns=tuple(patterns),
        places=tuple(path for _, _, path in entries),
        enums=enums,
        names=tuple(reader.name(row, path) for row, path in _items(table, "names")),
        kinds=tuple(reader.kind(row, path) for row, path in _items(table, "kinds")),
        implied=tuple(reader.implied(row, path) for row, path in _items(table, "implied")),
        events=tuple(event for row, path in _items(table, "events") for event in reader.event(row, path)),
        logs={name: reason for row, path in _items(table, "logs") for name, reason in reader.log(row, path)},
        metrics=tuple(reader.metric(row, path) for row, path in _items(table, "metrics")),
    )


class _Reader:
    """Reads the parts of one table."""

    def __init__(self, target: Target, enums: Mapping[str, Mapping[str, str]]) -> None:
        self.target = target
        self.enums = enums

    def entries(self, table: dict[str, Any]) -> list[tuple[str, Row | FoldKey, Path]]:
        """Folds before rows: a structure is heard before what is said beside it."""
        found: list[tuple[str, Row | FoldKey, Path]] = []
        for row, path in _items(table, "folds"):
            mapping(row, path, known={"to", "keys", "role", "parts_in_text", "yields", "when"}, need=["to", "keys"])
            fold = Fold(
                to=self.concept(row["to"], (*path, "to")),
                role=row.get("role", ""),
                parts_in_text=flag(row.get("parts_in_text", False), (*path, "parts_in_text")),
                yields=_reason(row.get("yields", "superseded"), (*path, "yields")),
                when=self.when(row.get("when"), (*path, "when")),
            )
            for key, place in mapping(row["keys"], (*path, "keys")).items():
                steps = tuple(text(place, (*path, "keys", key)).split("."))
                found.append((key, FoldKey(fold=fold, path=steps), (*path, "keys", key)))
        for row, path in _items(table, "rows"):
            entry = self.row(mapping(row, path, known=_ROW, need=["key"]), path)
            found += [(key, entry, path) for key in texts(row["key"], (*path, "key"))]
        return found

    def row(self, table: dict[str, Any], path: Path) -> Row:
        ways = [word for word in ("to", "split", "lost", "derived", "sum_of", "keep") if word in table]
        if len(ways) != 1 and ways != ["to", "lost"]:
            got = ", ".join(ways) or "none"
            raise Defect(path, f"expected one of to, split, lost, derived, sum_of, keep; got {got}")
        if "op" in table and ways[0] not in ("to", "split"):
            raise Defect((*path, "op"), f"a row that is {ways[0]} has no use for an operation")
        steps = compiled(table["op"], (*path, "op"), self.enums) if "op" in table else ()
        if table.get("to") == OPERATION and not {step.name for step in steps} <= {"enum", "refuse"}:
            raise Defect((*path, "op"), "what says the operation is looked up: only enum and refuse lead to it")
        return Row(
            when=self.when(table.get("when"), (*path, "when")),
            to=self.concept(table["to"], (*path, "to")) if "to" in table else "",
            ops=steps,
            reversible=all(step.inverse is not None for step in steps),
            secondary=flag(table.get("secondary", False), (*path, "secondary")),
            role=table.get("role", ""),
            parts_in_text=flag(table.get("parts_in_text", False), (*path, "parts_in_text")),
            split=self.split(table, path) if "split" in table else None,
            lost=_reason(table["lost"], (*path, "lost")) if "lost" in table else "",
            derived=flag(table.get("derived", False), (*path, "derived")),
            sum_of=tuple(
                self.concept(concept, (*path, "sum_of"))
                for concept in texts(table.get("sum_of", []), (*path, "sum_of"))
            ),
            keep=flag(table.get("keep", False), (*path, "keep")),
            same_as=table.get("same_as", ""),
            copy=flag(table.get("copy", False), (*path, "copy")),
            yields=_reason(table.get("yields", "conflict_lost"), (*path, "yields")),
            evict=flag(table.get("evict", False), (*path, "evict")),
            also=tuple(
                self.claim(other, (*path, "also", at))
                for at, other in enumerate(_listed(table.get("also", []), (*path, "also")))
            ),
        )

    def claim(self, value: object, path: Path) -> Row:
        """A further claim: it sends no atoms anywhere, so all it may have is a concept and operations."""
        return self.row(mapping(value, path, known={"to", "op", "role", "parts_in_text"}, need=["to"]), path)

    def split(self, table: dict[str, Any], path: Path) -> Split:
        inner = mapping(table["split"], (*path, "split"))
        rest = self.member(table.get("rest", {"lost": "partial_no_concept"}), (*path, "rest"))
        members = [(tuple(name.split(".")), self.member(row, (*path, "split", name))) for name, row in inner.items()]
        return Split(members=tuple(members), rest=rest)

    def when(self, value: object, path: Path) -> When:
        if value is None:
            return ALWAYS
        table = mapping(value, path, known={"operation", "value", "present", "any", "absent", "scope"})
        return When(
            operation=texts(table.get("operation", []), (*path, "operation")),
            values=tuple(
                (key, _values(allowed, (*path, "value", key)))
                for key, allowed in mapping(table.get("value", {}), (*path, "value")).items()
            ),
            present=texts(table.get("present", []), (*path, "present")),
            any=texts(table.get("any", []), (*path, "any")),
            absent=texts(table.get("absent", []), (*path, "absent")),
            scope=texts(table.get("scope", []), (*path, "scope")),
        )

    def name(self, row: object, path: Path) -> NameRow:
        table = mapping(row, path, known={"pattern", "when"}, need=["pattern"])
        parts = _VARIABLE.split(text(table["pattern"], (*path, "pattern")))
        if len(parts) not in (1, 3):
            raise Defect((*path, "pattern"), f"expected at most one variable, got {len(parts) // 2}")
        prefix, variable, suffix = parts if len(parts) == 3 else (parts[0], "", "")
        to = self.concept(variable, (*path, "pattern")) if variable else ""
        return NameRow(prefix=prefix, to=to, suffix=suffix, when=self.when(table.get("when"), (*path, "when")))

    def kind(self, row: object, path: Path) -> KindRow:
        table = mapping(row, path, known={"kind", "when"}, need=["kind", "when"])
        kind = one_of(table["kind"], (*path, "kind"), KINDS)
        return KindRow(kind=KINDS[kind], when=self.when(table["when"], (*path, "when")))

    def implied(self, row: object, path: Path) -> Implied:
        table = mapping(row, path, known={"to", "value", "when"}, need=["to", "value", "when"])
        to = self.concept(table["to"], (*path, "to"))
        return Implied(to=to, value=table["value"], when=self.when(table["when"], (*path, "when")))

    def event(self, row: object, path: Path) -> list[EventRow]:
        words = {"event", "when", "to", "role", "body", "rename", "lift", "attributes", "lost", "yields"}
        table = mapping(row, path, known=words, need=["event"])
        if sum(any(word in table for word in way) for way in (("to",), ("lift", "attributes"), ("lost",))) != 1:
            raise Defect(path, "expected one of to, lift, attributes, lost")
        members = mapping(table.get("attributes", {}), (*path, "attributes"))
        event = EventRow(
            pattern="",
            when=self.when(table.get("when"), (*path, "when")),
            to=self.concept(table["to"], (*path, "to")) if "to" in table else "",
            role=table.get("role", ""),
            body=table.get("body", ""),
            rename=mapping(table.get("rename", {}), (*path, "rename")),
            lift=flag(table.get("lift", False), (*path, "lift")),
            attributes={key: self.member(value, (*path, "attributes", key)) for key, value in members.items()},
            lost=_reason(table["lost"], (*path, "lost")) if "lost" in table else "",
            yields=_reason(table.get("yields", "superseded"), (*path, "yields")),
        )
        return [replace(event, pattern=name) for name in texts(table["event"], (*path, "event"))]

    def member(self, value: object, path: Path) -> Row:
        """A row for something inside: it has no key of its own."""
        return self.row(mapping(value, path, known=set(_ROW) - {"key"}), path)

    def log(self, row: object, path: Path) -> list[tuple[str, str]]:
        table = mapping(row, path, known={"event", "lost"}, need=["event", "lost"])
        reason = _reason(table["lost"], (*path, "lost"))
        return [(name, reason) for name in texts(table["event"], (*path, "event"))]

    def metric(self, row: object, path: Path) -> MetricRow:
        table = mapping(row, path, known={"name", "to", "lost", "points"}, need=["name"])
        if ("to" in table) == ("lost" in table):
            raise Defect(path, "expected one of to, lost")
        points = mapping(table.get("points", {}), (*path, "points"))
        return MetricRow(
            name=text(table["name"], (*path, "name")),
            to=table.get("to", ""),
            lost=_reason(table["lost"], (*path, "lost")) if "lost" in table else "",
            points=tuple((key, texts(values, (*path, "points", key))) for key, values in points.items()),
        )

    def concept(self, value: object, path: Path) -> str:
        concept = text(value, path)
        if not self.target.knows(concept.replace("*", "x")):
            hint = nearest(concept, (*self.target.keys, *self.target.absent))
            why = "it is no key of the registry and none it declares absent"
            raise Defect(path, f"unknown concept {concept!r}: {why}{hint}", "unknown-concept")
        return concept


def _marks(detect: object, target: Target | None) -> tuple[Mark, ...]:
    """The marks of a table; those of a vendor must not be keys of the target, which every translated item has."""
    kinds = ("scopes", "keys", "values", "resource", "events", "metrics")
    table = mapping(detect, ("detect",), known={*kinds, "threshold"})
    marks = []
    for kind in kinds:
        for sign, weight in mapping(table.get(kind, {}), ("detect", kind)).items():
            path = ("detect", kind, sign)
            name, _, value = sign.partition("=")
            if (kind in ("values", "resource")) != bool(value):
                raise Defect(
                    path, "expected key=value" if kind in ("values", "resource") else "a value is not asked here"
                )
            mark = Mark(kind=kind, pattern=name, value=value, weight=number(weight, path))
            own = (
                next((key for key in target.attributes if mark.matches(key)), None)
                if target and kind == "keys"
                else None
            )
            if own:
                raise Defect(path, f"{own!r} is a key of the target: what was translated would bear this mark")
            marks.append(mark)
    return tuple(marks)


def _enum(value: object, path: Path) -> dict[str, str]:
    return {source: text(target, (*path, source)) for source, target in mapping(value, path).items()}


def _reason(value: object, path: Path) -> str:
    return one_of(value, path, REASONS)


def _table(table: dict[str, Any], word: str) -> dict[str, Any]:
    return mapping(table.get(word, {}), (word,))


def _listed(value: object, path: Path) -> list[Any]:
    return sequence(value, path) if isinstance(value, list) else [value]


def _values(value: object, path: Path) -> tuple[str, ...]:
    """Values a condition asks for; of texts the empty one is one."""
    return ("",) if value == "" else tuple(item if item == "" else text(item, path) for item in _listed(value, path))


def _items(table: dict[str, Any], word: str) -> list[tuple[Any, Path]]:
    return [(row, (word, at)) for at, row in enumerate(sequence(table.get(word, []), (word,)))]


def profiles(target: Target, enums: Mapping[str, Mapping[str, str]], user: Mapping[str, bytes]) -> list[Profile]:
    """The built-in profiles and the user's over them.

    Raises:
        ProfileError: a table is not as it should be, or extends a profile there is not.
    """
    return [_profile(source, target, enums) for source in sources(user)]


def _profile(source: Source, target: Target, enums: Mapping[str, Mapping[str, str]]) -> Profile:
    try:
        return from_table(source.content, target, enums)
    except Defect as defect:
        written, line = source.place(defect.path)
        raise ProfileError(written.file, line, str(defect)) from defect
