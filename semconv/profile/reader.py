"""Reading profiles from their tables, strictly: the definition of every word a table may use.

Laws: an unknown word, concept, operation or reason is refused with its line; a row either leads somewhere or says why not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from semconv.errors import ProfileError
from semconv.profile.profile import (
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
    has_index,
    is_pattern,
    pattern,
)
from semconv.profile.rows import ROW, RowReader, reason, word
from semconv.profile.shared import Shared
from semconv.profile.sources import Source, sources
from semconv.table import Defect, Path, digest, flag, mapping, number, one_of, sequence, text, texts
from semconv.target import KINDS, Target

_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")


_TOP: Final = (
    "id", "version", "source", "extends", "override", "layer", "detect", "namespaces", "bare_keys", "otlp_kind", "identity", "sentinels",
    "accounting", "enums", "rows", "folds", "names", "kinds", "implied", "events", "logs", "metrics",
)  # fmt: skip


def from_table(table: dict[str, Any], target: Target, shared: Shared) -> Profile:
    """The profile a table describes, its concepts checked against the target.

    Raises:
        Defect: by path, for `semconv.table.read` to turn into a line.
    """
    mapping(table, (), known=_TOP, need=["id", "version", "detect"])
    enums = {**shared.enums, **{name: _enum(value, ("enums", name)) for name, value in _table(table, "enums").items()}}
    reader = _Reader(target, enums, shared.objects)
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
        sentinels={name: reason(value, ("sentinels", name)) for name, value in _table(table, "sentinels").items()},
        accounting={name: text(value, ("accounting", name)) for name, value in _table(table, "accounting").items()},
        exact={key: tuple(entries) for key, entries in exact.items()},
        patterns=tuple(patterns),
        places=tuple(path for _, _, path in entries),
        enums=enums,
        names=tuple(reader.name(row, path) for row, path in _items(table, "names")),
        kinds=tuple(reader.kind(row, path) for row, path in _items(table, "kinds")),
        implied=tuple(reader.implied(row, path) for row, path in _items(table, "implied")),
        events=tuple(event for row, path in _items(table, "events") for event in reader.event(row, path)),
        logs=tuple(event for row, path in _items(table, "logs") for event in reader.log(row, path)),
        metrics=tuple(metric for row, path in _items(table, "metrics") for metric in reader.metric(row, path)),
    )


class _Reader(RowReader):
    """Reads the parts of one table."""

    def entries(self, table: dict[str, Any]) -> list[tuple[str, Row | FoldKey, Path]]:
        """Folds before rows: a structure is heard before what is said beside it."""
        found: list[tuple[str, Row | FoldKey, Path]] = []
        for row, path in _items(table, "folds"):
            mapping(row, path, known={"to", "keys", "role", "parts_in_text", "yields", "when"}, need=["to", "keys"])
            fold = Fold(
                to=self.concept(row["to"], (*path, "to")),
                role=word(row, "role", path),
                parts_in_text=flag(row.get("parts_in_text", False), (*path, "parts_in_text")),
                yields=reason(row.get("yields", "superseded"), (*path, "yields")),
                when=self.when(row.get("when"), (*path, "when")),
            )
            for key, place in mapping(row["keys"], (*path, "keys")).items():
                at = (*path, "keys", key)
                found.append((key, FoldKey(fold=fold, path=_steps(text(place, at), key, at)), at))
        for row, path in _items(table, "rows"):
            entry = self.row(mapping(row, path, known=ROW, need=["key"]), path)
            found += [(key, entry, path) for key in texts(row["key"], (*path, "key"))]
        return found

    def name(self, row: object, path: Path) -> NameRow:
        table = mapping(row, path, known={"pattern", "when", "says"}, need=["pattern"])
        parts = _VARIABLE.split(text(table["pattern"], (*path, "pattern")))
        if len(parts) not in (1, 3):
            raise Defect((*path, "pattern"), f"expected at most one variable, got {len(parts) // 2}")
        prefix, variable, suffix = parts if len(parts) == 3 else (parts[0], "", "")
        to = self.concept(variable, (*path, "pattern")) if variable else ""
        said = mapping(table.get("says", {}), (*path, "says"))
        return NameRow(
            prefix=prefix,
            to=to,
            suffix=suffix,
            when=self.when(table.get("when"), (*path, "when")),
            says=tuple((self.concept(name, (*path, "says", name)), value) for name, value in said.items()),
        )

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
            role=word(table, "role", path),
            body=word(table, "body", path),
            rename={
                name: text(other, (*path, "rename", name))
                for name, other in mapping(table.get("rename", {}), (*path, "rename")).items()
            },
            lift=flag(table.get("lift", False), (*path, "lift")),
            attributes={key: self.member(value, (*path, "attributes", key)) for key, value in members.items()},
            lost=reason(table["lost"], (*path, "lost")) if "lost" in table else "",
            yields=reason(table.get("yields", "superseded"), (*path, "yields")),
        )
        return [replace(event, pattern=name) for name in texts(table["event"], (*path, "event"))]

    def log(self, row: object, path: Path) -> list[EventRow]:
        known = {"event", "when", "to", "role", "body", "rename", "lost", "yields"}
        return self.event(mapping(row, path, known=known, need=["event"]), path)

    def metric(self, row: object, path: Path) -> list[MetricRow]:
        table = mapping(row, path, known={"name", "to", "lost", "points", "unit"}, need=["name"])
        if ("to" in table) == ("lost" in table):
            raise Defect(path, "expected one of to, lost")
        names = texts(table["name"], (*path, "name"))
        if "to" in table and any(name.endswith("*") for name in names):
            raise Defect(
                (*path, "name"), "the beginning of a name is for what is lost: metrics of several names are not one"
            )
        points = mapping(table.get("points", {}), (*path, "points"))
        return [
            MetricRow(
                name=name,
                to=word(table, "to", path),
                lost=reason(table["lost"], (*path, "lost")) if "lost" in table else "",
                points=tuple((key, texts(values, (*path, "points", key))) for key, values in points.items()),
                unit=word(table, "unit", path),
            )
            for name in names
        ]


def _steps(place: str, key: str, path: Path) -> tuple[str, ...]:
    """The steps of a place in a structure; what stands in them for a hole is filled from the key's, in their order."""
    steps = tuple(place.split("."))
    asked = ["{}" if step.startswith("{") else step for step in steps if step.startswith(("{", "*"))]
    given = ["{}" if has_index(segment) else segment for segment in key.split(".") if is_pattern(segment)]
    if asked != given[: len(asked)]:
        holes = ", ".join(given) or "none"
        raise Defect(path, f"expected the holes of the key in their order ({holes}), got {', '.join(asked)}")
    return steps


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
            if has_index(name):
                pattern(name, 0, Row(), path)
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


def _table(table: dict[str, Any], word: str) -> dict[str, Any]:
    return mapping(table.get(word, {}), (word,))


def _items(table: dict[str, Any], word: str) -> list[tuple[Any, Path]]:
    return [(row, (word, at)) for at, row in enumerate(sequence(table.get(word, []), (word,)))]


def profiles(target: Target, shared: Shared, user: Mapping[str, bytes]) -> list[Profile]:
    """The built-in profiles and the user's over them.

    Raises:
        ProfileError: a table is not as it should be, or extends a profile there is not.
    """
    return [_profile(source, target, shared) for source in sources(user)]


def _profile(source: Source, target: Target, shared: Shared) -> Profile:
    try:
        return from_table(source.content, target, shared)
    except Defect as defect:
        written, line = source.place(defect.path)
        raise ProfileError(written.file, line, str(defect)) from defect
