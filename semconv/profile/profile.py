"""Profiles: one source convention each, as a table and never as code.

A profile says how its telemetry is recognised (`detect`), where each key goes (`rows`), which families of keys make up
one structure (`folds`), and what span names, span events, log records and metrics mean. The words of a table are
described in profiles/README.md; `semconv.profile.reader` is their definition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from semconv.ops import Step
from semconv.table import Defect, Path
from semconv.value import Value

LAYERS: Final = {"current": 0, "legacy": 1, "vendor": 2}
"""Claims are heard in this order; rows for one key in the opposite order, so that a vendor's table may refine the registry."""

_INDEX: Final = re.compile(r"\{[a-z]\}")
_NAMESPACED: Final = re.compile(r"[.:/]")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_SEGMENTS_MAX: Final = 64
"""Segments of a key that `**` may stand for the end of. No producer nests deeper, and what it stands for becomes a tree."""
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
    loses: str = ""
    """Why what its operations leave out need not stay: a note in the report."""
    take: str = ""
    """Of a whole conversation only the `answer`, the assistant's messages at its end, or only the `history` before it."""
    also: tuple[Row, ...] = ()
    """What else the value says; its atoms go where the row itself sends them."""


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
                return (*found, ".".join(parts[place:])) if place < len(parts) <= _SEGMENTS_MAX else None
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
    says: tuple[tuple[str, Value], ...] = ()
    """What follows from the name: concepts and values, flagged as synthesized."""

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
    """What a span event or log record holds: a message (`to`), attributes of the span (`lift`, `attributes`), or `lost`.

    Without `body` the attributes of a span event are the message, of a log record it is the body.
    """

    pattern: str
    """The event's name, or its beginning before a star."""
    when: When = ALWAYS
    to: str = ""
    role: str = ""
    body: str = ""
    """The attribute that is the body: the row is for events that have it. Empty when the attributes together are the message."""
    rename: Mapping[str, str] = field(default_factory=dict)
    lift: bool = False
    """Keys of the registry are attributes of the span."""
    attributes: Mapping[str, Row] = field(default_factory=dict)
    """Attributes that are, under another name."""
    lost: str = ""
    yields: str = "superseded"

    def matches(self, name: str) -> bool:
        """Whether the row is for events of this name."""
        return _starts(name, self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricRow:
    """A metric's other name, if every one of its points has one of the values."""

    name: str
    """The metric's name; of what is lost also its beginning before a star."""
    to: str
    lost: str
    points: tuple[tuple[str, tuple[str, ...]], ...]
    unit: str
    """In which its numbers are where it names none."""

    def matches(self, name: str) -> bool:
        """Whether the row is for metrics of this name."""
        return _starts(name, self.name)


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
        if has_index(self.pattern):
            return pattern(self.pattern, 0, Row(), ()).match(name) is not None
        return _starts(name, self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """One source convention."""

    id: str
    version: str
    digest: str
    extends: str
    """The profile it is laid over and stands in for wherever it matches; empty when none."""
    layer: int
    marks: tuple[Mark, ...]
    threshold: int
    namespaces: tuple[str, ...]
    bare_keys: bool
    """Keys without a namespace belong to the convention as well."""
    kind_says_nothing: bool
    """The convention does not use OTLP's span kind: whatever is there is a default."""
    identity: bool
    """Keys of the registry are rows to themselves."""
    sentinels: Mapping[str, str]
    accounting: Mapping[str, str]
    exact: Mapping[str, tuple[tuple[int, Row | FoldKey], ...]]
    patterns: tuple[Pattern, ...]
    places: tuple[Path, ...]
    """Where in the table the entry of each number in the order stands."""
    enums: Mapping[str, Mapping[str, str]]
    """The tables of values its rows may look into, by name: its own and the shared ones."""
    names: tuple[NameRow, ...]
    kinds: tuple[KindRow, ...]
    implied: tuple[Implied, ...]
    events: tuple[EventRow, ...]
    logs: tuple[EventRow, ...]
    """What is said of log records only: asked before `events`, of which those that are messages serve both."""
    metrics: tuple[MetricRow, ...]

    def owns(self, name: str) -> bool:
        """Whether a key or event name belongs to the convention, with a row or without."""
        return name.startswith(self.namespaces) or (self.bare_keys and _NAMESPACED.search(name) is None)

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
        found += [row.when for row in (*self.events, *self.logs)]
        return found + [row.when for row in self.implied]


# ------------------------------------------------------------------ keys with holes


def pattern(key: str, order: int, entry: Row | FoldKey, path: Path) -> Pattern:
    """The pattern of a key with holes, for an entry of a table. Raises `Defect` when something follows `**`."""
    segments = tuple(key.split("."))
    if "**" in segments[:-1]:
        raise Defect(path, "`**` stands for all that follows: nothing comes after it")
    fixed = next(at for at, segment in enumerate(segments) if is_pattern(segment))
    return Pattern(
        prefix=".".join(segments[:fixed]) + ("." if fixed else ""), segments=segments, order=order, entry=entry
    )


def has_index(key: str) -> bool:
    """Whether a key has a hole for a number."""
    return _INDEX.search(key) is not None


def is_pattern(key: str) -> bool:
    """Whether a key has holes."""
    return "*" in key or has_index(key)


def _starts(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
