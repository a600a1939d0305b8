"""Profiles: one source convention each, as a table that is read strictly and never as code.

A profile says how its telemetry is recognised (`detect`), where each key goes (`rows`), which families of keys make up
one structure (`folds`), and what span names, span events, log records and metrics mean. The words of a table are
documented in docs/profiles.md; `from_table` is their definition.

Laws: an unknown word, concept, operation or reason is refused with its line; a row either leads somewhere or says why not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from semconv.ops import Step, compiled
from semconv.table import Defect, Path, digest, flag, mapping, number, one_of, sequence, text, texts
from semconv.target import KINDS, OPERATION, Target
from semconv.value import Value

LAYERS: Final = {"current": 0, "legacy": 1, "vendor": 2}
"""Claims are heard in this order; rows for one key in the opposite order, so that a vendor's table may refine the registry."""

REASONS: Final[Mapping[str, str]] = {
    "no_concept": "minor",
    "no_concept_at_version": "minor",
    "partial_no_concept": "minor",
    "user_defined": "info",
    "vendor_internal": "minor",
    "internal_id": "info",
    "foreign": "none",
    "derivable": "none",
    "not_a_provider": "info",
    "duplicate_equal": "none",
    "superseded": "info",
    "conflict_lost": "major",
    "ambiguous": "minor",
    "scope_collapsed": "minor",
    "enum_no_equivalent": "minor",
    "enum_collapsed": "info",
    "type_coerced": "info",
    "precision_lost": "minor",
    "unit_ambiguous": "minor",
    "unparseable": "major",
    "unstructured": "major",
    "sentinel": "info",
    "partial": "minor",
    "info_folded": "info",
    "accounting": "major",
    "aggregate": "info",
    "flattened": "minor",
    "order_unknown": "info",
    "index_gap": "info",
    "part_unrepresentable": "major",
    "path_lost": "info",
    "event_dropped": "major",
    "link_dropped": "major",
    "span_dropped": "major",
    "log_unjoined": "major",
    "metric_type_mismatch": "major",
    "status_changed": "minor",
    "kind_changed": "info",
    "name_changed": "info",
    "redacted_at_source": "none",
    "truncated_at_source": "none",
    "absent_at_source": "none",
    "sampled": "none",
    "size_limit": "major",
    "count_limit": "major",
    "depth_limit": "major",
    "malformed": "major",
}
"""Every reason of loss there is, and how much it matters."""

_INDEX: Final = re.compile(r"\{[a-z]\}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")


# ------------------------------------------------------------------ conditions


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a condition may ask about: all of it belongs to a span's shape, none to other values."""

    scope: str
    keys: frozenset[str]
    values: Mapping[str, str | None]
    operation: str | None = None

    def has(self, pattern: str) -> bool:
        """Whether there is the key, or one that begins as the pattern does before its star."""
        if not pattern.endswith("*"):
            return pattern in self.keys
        return any(key.startswith(pattern[:-1]) for key in self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A condition; every part that is given must hold."""

    operation: tuple[str, ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    present: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    """Of these, at least one key is there."""
    absent: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()

    def holds(self, around: Surroundings) -> bool:
        """Whether the condition is met."""
        return (
            (not self.operation or around.operation in self.operation)
            and all(around.values.get(key) in allowed for key, allowed in self.values)
            and all(around.has(key) for key in self.present)
            and (not self.any or any(around.has(key) for key in self.any))
            and not any(around.has(key) for key in self.absent)
            and (not self.scope or any(_starts(around.scope, prefix) for prefix in self.scope))
        )


ALWAYS: Final = When()


# ------------------------------------------------------------------ rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """Where the value of a key, or of a member inside it, goes: one of to, split, lost, derived, sum_of, keep."""

    when: When = ALWAYS
    to: str = ""
    """The concept it claims."""
    ops: tuple[Step, ...] = ()
    role: str = ""
    """Whose words a body without a role is."""
    parts_in_text: bool = False
    split: Split | None = None
    lost: str = ""
    """The reason why it has no home; beside `to`, when only something about it has one (how many, say)."""
    derived: bool = False
    sum_of: tuple[str, ...] = ()
    """It is derivable if it is the sum of these concepts, otherwise lost."""
    keep: bool = False
    same_as: str = ""
    """When it holds what this key holds, it says nothing of its own."""
    copy: bool = False
    """The source key is an attribute in its own right and stays."""
    yields: str = "conflict_lost"
    """The reason when another claim to the concept came first with another value."""
    evict: bool = False
    """When nothing takes its value, the target's own key must not keep it either."""
    secondary: bool = False
    """It says once more what a stronger source says: beside one it is not even read, and it stays where it is."""
    reversible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """An object taken apart: paths of members to rows, and a row for what is left."""

    members: tuple[tuple[tuple[str, ...], Row], ...]
    rest: Row


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """A family of keys that together are one structure."""

    to: str
    role: str
    parts_in_text: bool
    yields: str
    when: When


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldKey:
    """One member of a family, and where in the structure its value stands."""

    fold: Fold
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pattern:
    """A key with holes: `{i}` a number, `*` one segment, `**` all that follow."""

    prefix: str
    segments: tuple[str, ...]
    order: int
    entry: Row | FoldKey

    def match(self, key: str) -> tuple[str, ...] | None:
        """What stands in the holes, in order; `**` gives its segments joined by dots."""
        if not key.startswith(self.prefix):
            return None
        found: list[str] = []
        parts = key.split(".")
        for place, segment in enumerate(self.segments):
            if segment == "**":
                return (*found, ".".join(parts[place:])) if place < len(parts) else None
            if place >= len(parts):
                return None
            if _INDEX.fullmatch(segment):
                if not _NUMBER.fullmatch(parts[place]):
                    return None
                found.append(parts[place])
            elif segment == "*":
                found.append(parts[place])
            elif segment != parts[place]:
                return None
        return tuple(found) if len(parts) == len(self.segments) else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NameRow:
    """A span name that says something: the text around one variable, and the concept that is claimed by it."""

    prefix: str
    to: str
    suffix: str
    when: When

    def match(self, name: str) -> str | None:
        """What the variable holds, empty where the pattern has none, None when the name is another."""
        end = len(name) - len(self.suffix)
        if not name.startswith(self.prefix) or not name.endswith(self.suffix) or end < len(self.prefix):
            return None
        inner = name[len(self.prefix) : end]
        return inner if bool(inner) == bool(self.to) else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Implied:
    """A value that follows from the span's shape alone; flagged as synthesized."""

    to: str
    value: Value
    when: When


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KindRow:
    """The span kind of spans that come without a telling one."""

    kind: int
    when: When


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventRow:
    """What a span event holds: a message (`to`), attributes of the span (`lift`), or nothing with a home (`lost`)."""

    to: str = ""
    role: str = ""
    body: str = ""
    """The attribute that is the body; empty when the attributes together are the message."""
    rename: Mapping[str, str] = field(default_factory=dict)
    lift: bool = False
    lost: str = ""
    yields: str = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricRow:
    """A metric's other name, if every one of its points has one of the values."""

    name: str
    to: str
    lost: str
    points: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One sign of a convention and its weight."""

    kind: str
    pattern: str
    """A name, the beginning of one before a star, or a key with holes as rows have them."""
    value: str
    weight: int

    def matches(self, name: str) -> bool:
        """Whether a key, scope or event name is a sign of this kind."""
        if "{" in self.pattern:
            return _pattern(self.pattern, 0, Row(), ()).match(name) is not None
        return _starts(name, self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """One source convention."""

    id: str
    version: str
    digest: str
    layer: int
    marks: tuple[Mark, ...]
    threshold: int
    namespaces: tuple[str, ...]
    kind_says_nothing: bool
    """The convention does not use OTLP's span kind: whatever is there is a default."""
    identity: bool
    """Keys of the registry are rows to themselves."""
    sentinels: Mapping[str, str]
    accounting: Mapping[str, str]
    exact: Mapping[str, tuple[tuple[int, Row | FoldKey], ...]]
    patterns: tuple[Pattern, ...]
    names: tuple[NameRow, ...]
    kinds: tuple[KindRow, ...]
    implied: tuple[Implied, ...]
    events: Mapping[str, EventRow]
    logs: Mapping[str, str]
    """Log event name to the reason why its body goes nowhere."""
    metrics: tuple[MetricRow, ...]

    def rows(self, key: str) -> tuple[tuple[int, Row | FoldKey, tuple[str, ...]], ...]:
        """The entries for a key in the order of the table, each with what its holes hold."""
        found: list[tuple[int, Row | FoldKey, tuple[str, ...]]] = [
            (at, entry, ()) for at, entry in self.exact.get(key, ())
        ]
        for pattern in self.patterns:
            holes = pattern.match(key)
            if holes is not None:
                found.append((pattern.order, pattern.entry, holes))
        return tuple(sorted(found, key=lambda item: item[0]))

    def questions(self) -> list[tuple[str, tuple[str, ...]]]:
        """Every key and the values of it that a condition or mark asks for."""
        asked = [(mark.pattern, (mark.value,)) for mark in self.marks if mark.kind == "values"]
        return asked + [pair for when in self.whens() for pair in when.values]

    def whens(self) -> list[When]:
        """Every condition of the table."""
        entries = [entry for entries in self.exact.values() for _, entry in entries]
        entries += [pattern.entry for pattern in self.patterns]
        found = [entry.fold.when if isinstance(entry, FoldKey) else entry.when for entry in entries]
        found += [row.when for row in self.names]
        found += [row.when for row in self.kinds]
        return found + [row.when for row in self.implied]


# ------------------------------------------------------------------ reading a table

_TOP: Final = (
    "id", "version", "source", "extends", "layer", "detect", "namespaces", "otlp_kind", "identity", "sentinels",
    "accounting", "enums", "rows", "folds", "names", "kinds", "implied", "events", "logs", "metrics",
)  # fmt: skip
_ROW: Final = (
    "key", "when", "to", "op", "role", "parts_in_text", "split", "rest", "lost", "derived", "sum_of", "keep", "same_as",
    "copy", "yields", "evict", "secondary",
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
    for order, (key, entry, path) in enumerate(reader.entries(table)):
        if _is_pattern(key):
            patterns.append(_pattern(key, order, entry, path))
        else:
            exact.setdefault(key, []).append((order, entry))
    _reachable(exact, table)
    return Profile(
        id=text(table["id"], ("id",)),
        version=text(table["version"], ("version",)),
        digest=digest(table),
        layer=LAYERS[one_of(table.get("layer", "vendor"), ("layer",), LAYERS)],
        marks=_marks(table["detect"], target if table.get("layer", "vendor") == "vendor" else None),
        threshold=number(table["detect"].get("threshold", 1), ("detect", "threshold")),
        namespaces=texts(table.get("namespaces", []), ("namespaces",)),
        kind_says_nothing=one_of(table.get("otlp_kind", "meant"), ("otlp_kind",), ("meant", "default")) == "default",
        identity=flag(table.get("identity", False), ("identity",)),
        sentinels={name: _reason(value, ("sentinels", name)) for name, value in _table(table, "sentinels").items()},
        accounting={name: text(value, ("accounting", name)) for name, value in _table(table, "accounting").items()},
        exact={key: tuple(entries) for key, entries in exact.items()},
        patterns=tuple(patterns),
        names=tuple(reader.name(row, path) for row, path in _items(table, "names")),
        kinds=tuple(reader.kind(row, path) for row, path in _items(table, "kinds")),
        implied=tuple(reader.implied(row, path) for row, path in _items(table, "implied")),
        events={name: event for row, path in _items(table, "events") for name, event in reader.event(row, path)},
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
        )

    def split(self, table: dict[str, Any], path: Path) -> Split:
        members = []
        for name, member in mapping(table["split"], (*path, "split")).items():
            at = (*path, "split", name)
            members.append((tuple(name.split(".")), self.row(mapping(member, at, known=_ROW), at)))
        rest = mapping(table.get("rest", {"lost": "partial_no_concept"}), (*path, "rest"), known=_ROW)
        return Split(members=tuple(members), rest=self.row(rest, (*path, "rest")))

    def when(self, value: object, path: Path) -> When:
        if value is None:
            return ALWAYS
        table = mapping(value, path, known={"operation", "value", "present", "any", "absent", "scope"})
        return When(
            operation=texts(table.get("operation", []), (*path, "operation")),
            values=tuple(
                (key, texts(allowed, (*path, "value", key)))
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

    def event(self, row: object, path: Path) -> list[tuple[str, EventRow]]:
        words = {"event", "to", "role", "body", "rename", "lift", "lost", "yields"}
        table = mapping(row, path, known=words, need=["event"])
        if sum(word in table for word in ("to", "lift", "lost")) != 1:
            raise Defect(path, "expected one of to, lift, lost")
        event = EventRow(
            to=self.concept(table["to"], (*path, "to")) if "to" in table else "",
            role=table.get("role", ""),
            body=table.get("body", ""),
            rename=mapping(table.get("rename", {}), (*path, "rename")),
            lift=flag(table.get("lift", False), (*path, "lift")),
            lost=_reason(table["lost"], (*path, "lost")) if "lost" in table else "",
            yields=_reason(table.get("yields", "superseded"), (*path, "yields")),
        )
        return [(name, event) for name in texts(table["event"], (*path, "event"))]

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
            raise Defect(path, f"unknown concept {concept!r}: it is no key of the registry and none it declares absent")
        return concept


def extended(table: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """A table laid over the one it extends: its own rows come first, its own words win."""
    merged = dict(base)
    for word, value in table.items():
        below = base.get(word)
        if isinstance(value, list) and isinstance(below, list):
            merged[word] = value + [item for item in below if item not in value]
        elif isinstance(value, dict) and isinstance(below, dict):
            merged[word] = extended(value, below)
        else:
            merged[word] = value
    merged.pop("extends", None)
    return merged


def _marks(detect: object, target: Target | None) -> tuple[Mark, ...]:
    """The marks of a table; those of a vendor must not be keys of the target, which every translated item has."""
    kinds = ("scopes", "keys", "values", "resource", "events")
    table = mapping(detect, ("detect",), known={*kinds, "threshold"})
    marks = []
    for kind in kinds:
        for pattern, weight in mapping(table.get(kind, {}), ("detect", kind)).items():
            path = ("detect", kind, pattern)
            name, _, value = pattern.partition("=")
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


def _reachable(exact: Mapping[str, Sequence[tuple[int, Row | FoldKey]]], table: dict[str, Any]) -> None:
    """No row stands behind one that always takes the key."""
    for key, entries in exact.items():
        for _, entry in entries[:-1]:
            if isinstance(entry, Row) and entry.when == ALWAYS and _takes_all(entry):
                later = [at for at, row in enumerate(table.get("rows", [])) if key in texts(row["key"], ())]
                raise Defect(("rows", later[-1], "key"), f"{key!r} never gets here: an earlier row takes it always")


def _takes_all(row: Row) -> bool:
    whole = row.derived or row.keep or (row.to and not row.ops) or (row.lost and not row.to)
    return bool(whole) and not row.split and not row.same_as


def _pattern(key: str, order: int, entry: Row | FoldKey, path: Path) -> Pattern:
    segments = tuple(key.split("."))
    if "**" in segments[:-1]:
        raise Defect(path, "`**` stands for all that follows: nothing comes after it")
    fixed = next(at for at, segment in enumerate(segments) if _is_pattern(segment))
    return Pattern(
        prefix=".".join(segments[:fixed]) + ("." if fixed else ""), segments=segments, order=order, entry=entry
    )


def _is_pattern(key: str) -> bool:
    return "*" in key or bool(_INDEX.search(key))


def _starts(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _enum(value: object, path: Path) -> dict[str, str]:
    return {source: text(target, (*path, source)) for source, target in mapping(value, path).items()}


def _reason(value: object, path: Path) -> str:
    return one_of(value, path, REASONS)


def _table(table: dict[str, Any], word: str) -> dict[str, Any]:
    return mapping(table.get(word, {}), (word,))


def _items(table: dict[str, Any], word: str) -> list[tuple[Any, Path]]:
    return [(row, (word, at)) for at, row in enumerate(sequence(table.get(word, []), (word,)))]
