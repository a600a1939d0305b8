"""Plans by shape: detection of profiles, and the caches that make the second item of a shape cheap.

An item's *shape* is its scope, its keys with their types, and the names of its events. From the shape and the values that
conditions ask about follows everything but values. What is known of a key is kept by key, plans by shape; both bounded.

Law: a plan depends on the item and the tables alone, never on what came before, on the order of attributes or of profiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from semconv.plan.assign import Hearing, make_plan
from semconv.plan.bind import Binder, is_tabled
from semconv.plan.kept import Kept
from semconv.plan.plan import NOTHING, Entry, KeyFacts, Plan, Shape, Signal
from semconv.profile.profile import Pattern, Profile, Row
from semconv.target import OPERATION, Target

SHAPES_BYTES_MAX: Final = 1 << 25
"""What the shapes that are kept may weigh, with their plans. Senders choose keys, and how long they are."""
KEYS_BYTES_MAX: Final = 1 << 23
"""What the keys may weigh whose facts are kept."""
_ENTRY_BYTES: Final = 512
"""What an entry weighs beside its text: of a cache, and of a plan for each key or event."""
PLANS_PER_SHAPE_MAX: Final = 256
T = TypeVar("T")
_NUMBER: Final = re.compile(r"(?<=\.)(?:0|[1-9][0-9]{0,8})(?=\.|\Z)")
_HOLE: Final = re.compile(r"[*{]")
_ASKED: Final = (str, bool)
_TRUTH: Final[Mapping[str, bool]] = {"true": True, "false": False}


class Planner:
    """Makes and keeps the plans for one signal."""

    def __init__(self, profiles: Sequence[Profile], target: Target, *, signal: Signal) -> None:
        self.profiles = tuple(sorted(profiles, key=lambda profile: profile.id))
        self.target = target
        self.signal = signal
        self._binder = Binder(target)
        self._marks = _ByHead(
            (mark.pattern, (at, number, mark))
            for at, profile in enumerate(self.profiles)
            for number, mark in enumerate(profile.marks)
            if mark.kind == "keys"
        )
        self._tables = _ByHead(
            (key, at)
            for at, profile in enumerate(self.profiles)
            for key in [*profile.exact, *(".".join(pattern.segments) for pattern in profile.patterns)]
        )
        self._vocabulary = _vocabulary(self.profiles)
        self._below = _below(self.profiles)
        self._facts: Kept[str, KeyFacts] = Kept(KEYS_BYTES_MAX)
        self._kin: Kept[str, tuple[KeyFacts, Mapping[int, list[_Holes]]]] = Kept(KEYS_BYTES_MAX)
        """By a key with its numbers made nought: what is known of it, and the patterns that match it, by profile."""
        numbered = [name for name in self._names() if _NUMBER.search(name)]
        self._numbered = frozenset(_NUMBER.sub("0", name) for name in numbered)
        self._numbered_families = any(_HOLE.search(name) or name.endswith(".") for name in numbered)
        self._shapes: Kept[tuple[Any, ...], Shape] = Kept(SHAPES_BYTES_MAX)
        self.resource_marks = _resource_marks(self.profiles)
        """Keys of resources and the values of each that make a difference."""

    def shape(self, scope: str, keys: tuple[str, ...], types: tuple[type, ...], events: frozenset[str]) -> Shape:
        """The shape, new or known."""
        identity = (scope, keys, types, events)
        shape = self._shapes.get(identity)
        if shape is None:
            words = self._vocabulary
            switches = sorted(key for key, kind in zip(keys, types, strict=True) if kind in _ASKED and key in words)
            shape = Shape(
                keys=keys,
                types=types,
                scope=scope,
                events=events,
                switches=tuple((key, words[key]) for key in switches),
            )
            characters = len(scope) + sum(map(len, keys)) + sum(map(len, events))
            self._shapes.keep(identity, shape, 2 * characters + _weight(shape))
        return shape

    def plan(self, shape: Shape, values: tuple[str | None, ...], resource: tuple[str | None, ...]) -> Plan:
        """The plan for a shape, the values its switches have, and those of the resource marks."""
        choice = values + resource
        plan = shape.plans.get(choice)
        if plan is None:
            if len(shape.plans) >= PLANS_PER_SHAPE_MAX:
                shape.plans.clear()
            plan = shape.plans[choice] = self._make(shape, values, resource)
            self._shapes.weigh(_weight(shape))
        return plan

    def _make(self, shape: Shape, values: tuple[str | None, ...], resource: tuple[str | None, ...]) -> Plan:
        by_key = dict(zip((key for key, _ in shape.switches), values, strict=True))
        facts = [self._facts_of(key) for key in shape.keys]
        margins = self._detect(
            shape, facts, by_key, dict(zip([key for key, _ in self.resource_marks], resource, strict=True))
        )
        if not margins:
            return NOTHING
        heard = sorted(margins, key=lambda at: (self.profiles[at].layer, -margins[at], self.profiles[at].id))
        matching = {at: self.profiles[at] for at in heard}
        hearing = Hearing(shape, facts, matching, by_key, self._binder, signal=self.signal)
        return make_plan(hearing, [margins[at] for at in heard])

    # ------------------------------------------------------------------ what is known of a key

    def _facts_of(self, key: str) -> KeyFacts:
        known = self._facts.get(key)
        if known is None:
            known = self._learn(key)
            self._facts.keep(key, known, 2 * len(key) + _ENTRY_BYTES)
        return known

    def _names(self) -> Iterable[str]:
        """Every name a table has for a key: where a number stands in one, keys with other numbers are others."""
        yield from self.target.attributes
        for profile in self.profiles:
            yield from profile.exact
            yield from profile.namespaces
            yield from (mark.pattern for mark in profile.marks)
            yield from (".".join(pattern.segments) for pattern in profile.patterns)

    def _learn(self, key: str) -> KeyFacts:
        """What a key is. Keys that differ in numbers alone are the same but for what stands in the holes: asked once."""
        kind = _NUMBER.sub("0", key)
        if kind == key or kind in self._numbered or self._numbered_families:
            return self._ask(key)
        kin = self._kin.get(kind)
        if kin is None:
            facts = self._ask(kind)
            among = {
                at: sorted(
                    (_Holes(pattern) for pattern in self.profiles[at].patterns if pattern.match(kind) is not None),
                    key=_order,
                )
                for at in facts.rows
            }
            kin = (facts, among)
            self._kin.keep(kind, kin, 2 * len(kind) + _ENTRY_BYTES)
        facts, patterns = kin
        parts = key.split(".")
        return KeyFacts(
            marks=facts.marks,
            rows={at: tuple([holes.entry(parts) for holes in asked]) for at, asked in patterns.items()},
            concept=facts.concept and key,
            owners=facts.owners,
        )

    def _ask(self, key: str) -> KeyFacts:
        head = key.partition(".")[0]
        spec = self.target.attributes.get(key)
        return KeyFacts(
            marks=tuple((at, number) for at, number, mark in self._marks.of(head) if mark.matches(key)),
            rows={at: found for at in self._tables.of(head) if (found := self.profiles[at].rows(key))},
            concept=spec.concept if spec else key if self.target.knows(key) else None,
            owners=tuple(at for at, profile in enumerate(self.profiles) if profile.owns(key)),
        )

    # ------------------------------------------------------------------ detection

    def _detect(
        self,
        shape: Shape,
        facts: Sequence[KeyFacts],
        values: Mapping[str, str | None],
        resource: Mapping[str, str | None],
    ) -> dict[int, int]:
        """How far above its threshold each matching profile is, by its place. Each mark counts once."""
        signs = {sign for known in facts for sign in known.marks}
        margins = {}
        for at, profile in enumerate(self.profiles):
            score = 0
            for number, mark in enumerate(profile.marks):
                if mark.kind == "keys":
                    hit = (at, number) in signs
                elif mark.kind == "values":
                    hit = values.get(mark.pattern) == mark.value
                elif mark.kind == "scopes":
                    hit = mark.matches(shape.scope)
                elif mark.kind == "resource":
                    hit = resource.get(mark.pattern) == mark.value
                else:
                    hit = any(mark.matches(name) for name in shape.events)
                score += mark.weight if hit else 0
            if score >= profile.threshold:
                margins[at] = score - profile.threshold
        covered = {base for at in margins for base in self._below[at]}
        return {at: margin for at, margin in margins.items() if at not in covered}


class _ByHead(Generic[T]):
    """What concerns keys, by their first segment: of all the tables few have a word on a key."""

    def __init__(self, patterns: Iterable[tuple[str, T]]) -> None:
        """Each with the key, the beginning of one before a star, or the key with holes it is for."""
        self._anywhere: dict[T, None] = {}
        self._heads: dict[str, dict[T, None]] = {}
        for pattern, one in patterns:
            sure = pattern[: found.start()] if (found := _HOLE.search(pattern)) else pattern
            head, dot, _ = sure.partition(".")
            (self._heads.setdefault(head, {}) if dot or sure == pattern else self._anywhere)[one] = None

    def of(self, head: str) -> list[T]:
        """What may concern the keys that begin with a segment."""
        return [*self._heads.get(head, ()), *self._anywhere]


def _below(profiles: Sequence[Profile]) -> tuple[tuple[int, ...], ...]:
    """For each profile the places of those it is laid over: its table has what theirs have, so it stands in for them."""
    places = {profile.id: at for at, profile in enumerate(profiles)}
    bases = [places.get(profile.extends, at) for at, profile in enumerate(profiles)]
    found = []
    for place in range(len(profiles)):
        below, at = [], place
        while bases[at] != at:
            at = bases[at]
            below.append(at)
        found.append(tuple(below))
    return tuple(found)


class _Holes:
    """A pattern that matches, and where in the key its holes are."""

    __slots__ = ("order", "places", "row", "tail")

    def __init__(self, pattern: Pattern) -> None:
        self.order, self.row = pattern.order, pattern.entry
        self.places = [
            place for place, segment in enumerate(pattern.segments) if segment != "**" and _HOLE.match(segment)
        ]
        self.tail = pattern.segments.index("**") if "**" in pattern.segments else 0

    def entry(self, parts: list[str]) -> Entry:
        """The row for a key, with what its holes hold."""
        holes = [parts[place] for place in self.places]
        if self.tail:
            holes.append(".".join(parts[self.tail :]))
        return self.order, self.row, tuple(holes)


def _weight(shape: Shape) -> int:
    """What a shape weighs, or a plan for it, in bytes and without its text."""
    return _ENTRY_BYTES * (1 + len(shape.keys) + len(shape.events))


def _resource_marks(profiles: Sequence[Profile]) -> tuple[tuple[str, frozenset[str]], ...]:
    """By key, sorted."""
    words: dict[str, set[str]] = {}
    for mark in [mark for profile in profiles for mark in profile.marks if mark.kind == "resource"]:
        words.setdefault(mark.pattern, set()).add(mark.value)
    return tuple(sorted((key, frozenset(values)) for key, values in words.items()))


def _order(holes: _Holes) -> int:
    return holes.order


def _vocabulary(profiles: Sequence[Profile]) -> dict[str, dict[str | bool, str]]:
    """For every key that a condition, a mark or a table asks about, the values that make a difference."""
    words: dict[str, dict[str | bool, str]] = {}
    operations = words.setdefault(OPERATION, {})
    for profile in profiles:
        for key, values in profile.questions():
            words.setdefault(key, {}).update({value: value for value in values})
            words[key].update({_TRUTH[value]: value for value in values if value in _TRUTH})
        for key, entries in profile.exact.items():
            if profile.sentinels:
                words.setdefault(key, {}).update({value: value for value in profile.sentinels})
            for _, row in entries:
                if isinstance(row, Row) and row.ops and is_tabled(row):
                    known = words.setdefault(key, {})
                    for step in row.ops:
                        known.update({value: value for value in step.argument[0]})
        for when in profile.whens():
            operations.update({operation: operation for operation in when.operation})
    return words
