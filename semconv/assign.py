"""Making a plan: every key of a shape is assigned to one row, and claims are put in the order in which they are heard.

Rows for a key are asked from the most special profile to the most general, so that a vendor's table may refine the
registry. Claims to a key of the target are heard the other way round: what is there already, then what the conventions'
own older names say, then vendors by how surely they were detected.

Law: the result depends on the set of keys, not on their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import NoneType
from typing import Any

from semconv.bind import Binder, bind, bind_own, is_certain, is_tabled, leaves_as_is, looked_up
from semconv.inverse import undo
from semconv.ops import Step
from semconv.plan import KeyFacts, Plan, Shape, Signal
from semconv.profile import EventRow, Fold, FoldKey, Implied, MetricRow, NameRow, Profile, Row, Surroundings
from semconv.record import EVENT_NAMES, RecordStage
from semconv.run import Run
from semconv.settle import EXACT, LONG, READABLE, Way, way
from semconv.skeleton import skeleton
from semconv.stages import BoundEvent, EventStage, FoldStage, ImpliedStage, KeyStage, OwnStage, Stage
from semconv.target import FINISH_REASONS, INFERENCE_DETAILS, OPERATION
from semconv.translation import METRICS, Loss

Rank = tuple[Any, ...]
"""When a claim is heard: place of the profile, place of the row, the key as numbers and words."""

_NATIVE = -1
"""The place of what an item has under the target's own keys: before any profile."""
_LAST = 1 << 16
"""The place after every profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A key and the rows that are tried for it."""

    key: str
    rank: Rank
    ways: tuple[Way, ...]
    sentinels: Mapping[str, str]
    exact: bool = False
    """Whether the shape knows if the value is a sentinel."""


@dataclass(slots=True, kw_only=True)
class _Family:
    """The keys of one fold."""

    rank: Rank
    sentinels: Mapping[str, str]
    members: list[tuple[str, FoldKey, tuple[str, ...]]] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    """A plan in the making."""

    kept: int = 0
    derived: list[str] = field(default_factory=list)
    loss: list[Loss] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)
    constants: list[tuple[str, str, str]] = field(default_factory=list)
    stages: list[tuple[Rank, Stage]] = field(default_factory=list)
    sums: list[Stage] = field(default_factory=list)
    source_side: list[str] = field(default_factory=list)
    lossy: bool = False
    doubtful: list[tuple[str, tuple[Step, ...]]] = field(default_factory=list)


class Assignment:
    """Makes the plan for one shape, one set of switch values and the profiles that match them."""

    def __init__(
        self,
        shape: Shape,
        facts: Sequence[KeyFacts],
        profiles: Mapping[int, Profile],
        values: Mapping[str, str | None],
        binder: Binder,
        *,
        signal: Signal,
    ) -> None:
        """`facts` are those of the shape's keys, `profiles` in the order they are heard, by their place in the planner."""
        self.shape = shape
        self.binder = binder
        self.target = binder.target
        self.signal = signal
        self.profiles = profiles
        self.heard = list(profiles.values())
        self.spaces = tuple(space for profile in self.heard for space in profile.namespaces)
        self.types = dict(zip(shape.keys, shape.types, strict=True))
        self.facts = dict(zip(shape.keys, facts, strict=True))
        unsaid = Surroundings(scope=shape.scope, keys=frozenset(shape.keys), values=values)
        self.around = Surroundings(unsaid.scope, unsaid.keys, values, self._operation(unsaid))

    def plan(self, margins: Sequence[int]) -> Plan:
        """The plan."""
        draft = _Draft()
        record = self._record() if self.signal == "log" else None
        if record is not None:
            draft.stages.append(((_NATIVE, -1), record))
        singles, families = self._assign(draft, record.held if record else ())
        for family in families.values():
            if all(entry.path[-1] == "role" for _, entry, _ in family.members):
                family.rank = (
                    _LAST,
                    *family.rank,
                )  # whose words, and none of them: whatever else says something is heard before
        first = self._first_claims(singles, families)
        for assigned in sorted(singles, key=lambda one: one.rank):
            self._place(assigned, draft, first)
        for fold, family in families.items():
            draft.stages.append(((*family.rank, ()), self._fold_stage(fold, family)))
        return self._finished(draft, margins)

    # ------------------------------------------------------------------ which operation

    def _operation(self, around: Surroundings) -> str | None:
        """The operation that follows from the shape and its values; conditions that ask for one are not met yet."""
        key = self.target.key_of(OPERATION) or OPERATION
        if self.types.get(key) is str:
            value = around.values.get(key)
            rows = self._rows_that_say(key, around, reversed(list(self.profiles)))
            return next((said for _, row in rows if (said := looked_up(row, value))), value)
        claims = [
            (place, order, source, row)
            for source in around.keys
            for place, at in enumerate(self.profiles)
            for order, row in self._rows_that_say(source, around, [at])
        ]
        for _, _, source, row in sorted(claims, key=lambda claim: claim[:3]):
            said = looked_up(row, around.values.get(source))
            if said:
                return said
        return next(
            (
                str(implied.value)
                for profile in self.heard
                for implied in profile.implied
                if implied.to == OPERATION and implied.when.holds(around)
            ),
            None,
        )

    def _rows_that_say(self, key: str, around: Surroundings, places: Any) -> list[tuple[int, Row]]:  # noqa: ANN401  # any iterable of int
        return [
            (order, entry)
            for at in places
            for order, entry, _ in self.facts[key].rows.get(at, ())
            if isinstance(entry, Row) and entry.to == OPERATION and entry.when.holds(around)
        ]

    # ------------------------------------------------------------------ which row takes a key

    def _assign(self, draft: _Draft, held: tuple[str, ...]) -> tuple[list[Assigned], dict[Fold, _Family]]:
        singles: list[Assigned] = []
        families: dict[Fold, _Family] = {}
        identity = any(profile.identity for profile in self.heard)
        for key in self.shape.keys:
            if key in held:
                continue
            facts = self.facts[key]
            if self.types[key] is NoneType:  # it says nothing, and nothing that does is kept out by it
                draft.kept += 1
                continue
            found = self._rows(key, facts)
            if isinstance(found, _Family):
                family = families.setdefault(found.members[0][1].fold, found)
                if family is not found:
                    family.rank = min(family.rank, found.rank)
                    family.members += found.members
            elif found is not None:
                singles.append(found)
            elif facts.concept is not None and identity:
                own = bind_own(self.target, key, facts.concept, self.types[key], structured=self.signal == "log")
                if own is None:
                    draft.kept += 1
                else:
                    singles.append(Assigned(key=key, rank=(_NATIVE, 0, _natural(key)), ways=(own,), sentinels={}))
            elif any(at in self.profiles for at in facts.owners):
                draft.loss.append(Loss(key, "no_concept"))
                draft.unknown.append(key)
            else:
                draft.kept += 1
        return singles, families

    def _rows(self, key: str, facts: KeyFacts) -> Assigned | _Family | None:
        """The rows for a key in the order they are tried, or the fold that takes it."""
        ways: list[Way] = []
        rank: Rank = ()
        sentinels: Mapping[str, str] = {}
        exact = False
        order_asked = sorted(enumerate(self.profiles.items()), key=lambda item: (-item[1][1].layer, item[0]))
        for place, (at, profile) in order_asked:
            for order, entry, holes in facts.rows.get(at, ()):
                fold = entry.fold if isinstance(entry, FoldKey) else None
                if not (fold.when if fold else entry.when).holds(self.around):  # type: ignore[union-attr]  # a Row when no fold
                    continue
                if isinstance(entry, FoldKey):
                    if ways:
                        continue
                    return _Family(rank=(place, order), sentinels=profile.sentinels, members=[(key, entry, holes)])
                if not ways:
                    rank, sentinels = (place, order, _natural(key)), profile.sentinels
                    exact = key in profile.exact
                ways.append(self.binder.bind(entry, holes))
                if is_certain(ways[-1], self.types[key]):
                    return self._assigned(key, rank, ways, sentinels, exact=exact)
        return self._assigned(key, rank, ways, sentinels, exact=exact) if ways else None

    @staticmethod
    def _assigned(key: str, rank: Rank, ways: list[Way], sentinels: Mapping[str, str], *, exact: bool) -> Assigned:
        if any(bound.key == key for bound in ways):
            return Assigned(key=key, rank=(_NATIVE, 0, _natural(key)), ways=tuple(ways), sentinels={})
        return Assigned(key=key, rank=rank, ways=tuple(ways), sentinels=sentinels, exact=exact)

    # ------------------------------------------------------------------ what can be decided beforehand

    def _first_claims(self, singles: Sequence[Assigned], families: Mapping[Fold, _Family]) -> Mapping[str, Rank]:
        """For each key that is claimed, when the first claim to it is heard."""
        claims = [(one.rank, key) for one in singles for bound in one.ways for key in self.binder.targets_of(bound)]
        for fold, family in families.items():
            keys = (self.target.key_of(concept) or "" for concept in (fold.to, FINISH_REASONS))
            claims += [((*family.rank, ()), key) for key in keys]
        first: dict[str, Rank] = {}
        for rank, key in sorted(claims):
            first.setdefault(key, rank)
        return first

    def _place(self, one: Assigned, draft: _Draft, first: Mapping[str, Rank]) -> None:
        """Decide what follows from the shape; leave to a stage what depends on values."""
        key, bound = one.key, one.ways[0]
        row, kind, value = bound.row, self.types[key], self.around.values.get(key)
        if one.exact and value is not None and value in one.sentinels and not (row.derived or row.keep):
            draft.kept += 1
            draft.source_side.append(one.sentinels[value])
            return
        single = len(one.ways) == 1 and not row.same_as and not row.also
        redactable = bool(one.sentinels) and kind is str and not one.exact
        tabled = bool(row.ops) and kind is str and is_tabled(row)
        wins = single and self._wins(one, bound, first)
        if single and row.lost and not bound.key and bound.rest is None and not redactable:
            draft.loss.append(Loss(key, row.lost))
        elif single and (row.keep or (bound.key == key and tabled and leaves_as_is(row, value))):
            draft.kept += 1
        elif single and bound.key == key and not row.ops and (bound.shape in READABLE or bound.type == "string[]"):
            draft.stages.append((one.rank, OwnStage(key, bound)))
        elif single and row.derived and (value is not None or self.types[key] not in LONG):
            draft.derived.append(key)
        elif wins and not redactable and (not row.ops or (tabled and leaves_as_is(row, value))):
            draft.moves.append((key, bound.key))
            if row.ops and value is None:
                draft.doubtful.append((key, row.ops))
            else:
                draft.lossy = draft.lossy or undo(row.ops, value) != value
        elif wins and tabled and (said := looked_up(row, value)) is not None:
            draft.constants.append((key, bound.key, said))
            draft.lossy = draft.lossy or undo(row.ops, said) != value
        elif any(each.row.sum_of for each in one.ways):
            draft.sums.append(KeyStage(key, one.ways, one.sentinels))
        else:
            draft.stages.append((one.rank, KeyStage(key, one.ways, one.sentinels if redactable else {})))

    def _wins(self, one: Assigned, bound: Way, first: Mapping[str, Rank]) -> bool:
        """Whether a claim can only win, and with the value's own type."""
        return bool(
            bound.key
            and not bound.row.copy
            and not bound.row.lost
            and bound.key not in self.types
            and first[bound.key] == one.rank
            and bound.shape not in READABLE
            and self.types[one.key] is EXACT.get(bound.type)
        )

    # ------------------------------------------------------------------ the parts of the plan

    def _finished(self, draft: _Draft, margins: Sequence[int]) -> Plan:
        stages = tuple(stage for _, stage in sorted(draft.stages, key=lambda item: item[0]))
        late = (*self._implied(), *draft.sums)
        events = self._events(draft) if self.signal == "span" else None
        checks = tuple(stage for stage in stages if isinstance(stage, OwnStage))
        names, metrics = self._names(), self._metrics(draft)
        speaking = any(row.says for row, _ in names)
        only_checks = len(checks) == len(stages) and not (draft.moves or draft.constants or late or events or speaking)
        moved = [source for source, _ in draft.moves] + [source for source, _, _ in draft.constants]
        return Plan(
            profiles=tuple(profile.id for profile in self.heard),
            margins=tuple(margins),
            moves=tuple(draft.moves),
            constants=tuple((target, said) for _, target, said in draft.constants),
            stages=stages,
            late=late,
            names=names,
            events=events,
            checks=checks if only_checks else None,
            kept=draft.kept,
            converted=len(draft.constants),
            derived=len(draft.derived),
            removed=tuple(sorted([*draft.derived, *moved])),
            source_side=tuple(sorted(Counter(draft.source_side).items())),
            loss=tuple(sorted(draft.loss)),
            unknown=tuple(sorted(draft.unknown)),
            lossy=draft.lossy or bool(draft.derived),
            doubtful=tuple(draft.doubtful),
            kind_says_nothing=any(profile.kind_says_nothing for profile in self.heard),
            kind=next(
                (row.kind for profile in self.heard for row in profile.kinds if row.when.holds(self.around)), None
            ),
            is_message=any(isinstance(stage, RecordStage) for stage in stages),
            metrics=metrics,
        )

    def _fold_stage(self, fold: Fold, family: _Family) -> Stage:
        bound = bind(self.target, Row(to=fold.to, role=fold.role, parts_in_text=fold.parts_in_text, yields=fold.yields))
        members = sorted(family.members, key=lambda member: _natural(member[0]))
        if not bound.key:
            return _Several(tuple(KeyStage(key, (bound,), {}) for key, _, _ in members))
        made = skeleton((key, entry.path, holes) for key, entry, holes in members)
        stage = FoldStage(bound, made.keys, made.tree, made.gaps, family.sentinels)
        lost = way(Row(lost="part_unrepresentable"))
        return _Several((stage, *(KeyStage(key, (lost,), {}) for key in made.homeless))) if made.homeless else stage

    def _names(self) -> tuple[tuple[NameRow, str], ...]:
        return tuple(
            (self._speaking(row), self.target.key_of(row.to) or "" if row.to else "")
            for profile in self.heard
            for row in profile.names
            if row.when.holds(self.around)
        )

    def _speaking(self, row: NameRow) -> NameRow:
        """The row with keys of the target where it has concepts."""
        said = tuple((key, value) for concept, value in row.says if (key := self.target.key_of(concept)) is not None)
        return replace(row, says=said) if row.says else row

    def _implied(self) -> list[Stage]:
        return [
            ImpliedStage(key, implied.value, _rule(implied))
            for profile in self.heard
            for implied in profile.implied
            if implied.when.holds(self.around) and (key := self.target.key_of(implied.to)) is not None
        ]

    def _events(self, draft: _Draft) -> EventStage | None:
        """The rows for the events there are, the most special profile's first, as for keys."""
        rows: dict[str, tuple[BoundEvent, ...]] = {}
        asked = sorted(self.heard, key=lambda profile: -profile.layer)
        for name in self.shape.events:
            found = [
                row for profile in asked for row in profile.events if row.matches(name) and row.when.holds(self.around)
            ]
            if not found and name not in self.target.events and name.startswith(self.spaces):
                found = [EventRow(pattern=name, lost="no_concept")]
                draft.unknown.append(f"@events/{name}")
            if found:
                rows[name] = tuple(self._bound_event(row) for row in found)
        if not rows:
            return None
        lifts = any(bound.row.lift for several in rows.values() for bound in several)
        return EventStage(rows=rows, lift=self.binder.own if lifts else {})

    def _record(self) -> RecordStage | None:
        """The row that says which message a log record is: of the most special profile's the first that holds."""
        asked = sorted(self.heard, key=lambda profile: -profile.layer)
        rows = [row for profile in asked for row in (*profile.logs, *profile.events) if row.to or row.lost]
        for name in sorted(self.shape.events - self.target.events):
            for row in rows:
                there = not row.body or row.body in self.types
                if there and row.matches(name) and row.when.holds(self.around):
                    names = [key for key in EVENT_NAMES if self.types.get(key) is str and key != row.body]
                    held = (*names, row.body) if row.body else tuple(names)
                    known = INFERENCE_DETAILS in self.target.events
                    bound = self._bound_event(row if known else EventRow(pattern=name, body=row.body))
                    return RecordStage(name=name, becomes=INFERENCE_DETAILS, bound=bound, held=held)
        return None

    def _bound_event(self, row: EventRow) -> BoundEvent:
        to = bind(self.target, Row(to=row.to, role=row.role)) if row.to else None
        return BoundEvent(
            row=row,
            way=to if to and to.key else None,
            attributes={key: self.binder.bind(member) for key, member in row.attributes.items()},
        )

    def _metrics(self, draft: _Draft) -> Mapping[str, tuple[MetricRow, ...]]:
        """By name, the most special profile's first; a beginning of names counts for the name the metric has."""
        rows: dict[str, tuple[MetricRow, ...]] = {}
        for profile in sorted(self.heard, key=lambda profile: -profile.layer):
            for row in profile.metrics:
                for name in {row.name, *filter(row.matches, self.shape.events)}:
                    rows[name] = (*rows.get(name, ()), row)
        for name in self.shape.events if self.signal == "point" else ():
            if name not in rows and name not in self.target.measures and name.startswith(self.spaces):
                rows[name] = (MetricRow(name=name, to="", lost="no_concept", points=(), unit=""),)
                draft.unknown.append(METRICS + name)
        return rows


@dataclass(frozen=True, slots=True)
class _Several:
    """Stages that stand at one place."""

    stages: tuple[Stage, ...]

    def do(self, run: Run) -> None:
        """All of them in turn."""
        for stage in self.stages:
            stage.do(run)


def _natural(key: str) -> Rank:
    """A sort key in which message 10 comes after message 9."""
    return tuple(
        (0, int(part), part) if part.isdecimal() and part.isascii() and len(part) < 10 else (1, 0, part)
        for part in key.split(".")
    )


def _rule(implied: Implied) -> str:
    asked = [f"{key}={'|'.join(values)}" for key, values in implied.when.values]
    return ", ".join([*asked, *implied.when.present]) or "shape"
