"""Plans: what to do with every item of one shape, worked out once.

An item's *shape* is its scope, its keys with their types, and the names of its events. From the shape and the values that
conditions ask about follows everything but values: which profiles match, which row takes which key, who is heard first.
Plans are kept by shape, and what is known of a key by key; both caches are bounded.

Law: a plan does not depend on the order of attributes or of profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from semconv import ops
from semconv.messages import Shapes
from semconv.profile import Fold, FoldKey, Implied, MetricRow, NameRow, Profile, Row, Surroundings
from semconv.settle import EXACT, READABLE, Way, split_way, way
from semconv.stages import EventStage, FoldStage, ImpliedStage, KeyStage, OwnStage, Stage
from semconv.target import FINISH_REASONS, OPERATION, Target
from semconv.translation import Loss
from semconv.value import Value

SHAPE_KEYS_MAX: Final = 1 << 16
"""Keys over all shapes kept; a shape costs about a hundred bytes a key."""
KEYS_MAX: Final = 1 << 14
"""Keys whose rows are kept."""
PLANS_PER_SHAPE_MAX: Final = 256


_TABLED: Final = ("enum", "refuse")
"""Operations that are a look into a table: of values that are not in it they change none."""

Entry = tuple[int, Row | FoldKey, tuple[str, ...]]


@dataclass(slots=True, eq=False)
class Plan:
    """What to do with items of one shape. Without profiles everything is kept."""

    profiles: tuple[str, ...] = ()
    margins: tuple[int, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()
    """Renames that nothing can contest."""
    constants: tuple[tuple[str, Value], ...] = ()
    """Values looked up beforehand, for keys that nothing can contest."""
    stages: tuple[Stage, ...] = ()
    late: tuple[Stage, ...] = ()
    """Those that ask what the others came to."""
    names: tuple[tuple[NameRow, str], ...] = ()
    events: EventStage | None = None
    kept: int = 0
    """Attributes nothing is to be done with."""
    converted: int = 0
    derived: int = 0
    lossy: bool = False
    removed: tuple[str, ...] = ()
    """Derivable keys, and those of the moves."""
    loss: tuple[Loss, ...] = ()
    unknown: tuple[str, ...] = ()
    sentinels: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[OwnStage, ...] | None = None
    """The stages when they only look whether all is right already."""
    kind_says_nothing: bool = False
    kind: int | None = None
    """The span kind a table gives to spans that come without a telling one."""
    log_reasons: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, tuple[MetricRow, ...]] = field(default_factory=dict)


NOTHING: Final = Plan()


@dataclass(slots=True, eq=False)
class Shape:
    """A shape, and its plans by the values conditions ask about."""

    keys: tuple[str, ...]
    types: tuple[type, ...]
    scope: str
    events: frozenset[str]
    switches: tuple[tuple[str, Mapping[str, str]], ...]
    plans: dict[tuple[str | None, ...], Plan] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Key:
    """What is known of a key whatever the item."""

    marks: tuple[tuple[int, int], ...]
    rows: tuple[tuple[int, tuple[Entry, ...]], ...]
    concept: str | None
    owners: tuple[int, ...]


class Planner:
    """Makes plans for one kind of item."""

    def __init__(self, profiles: Sequence[Profile], target: Target, shapes: Shapes, *, structured: bool) -> None:
        self.profiles = tuple(sorted(profiles, key=lambda profile: profile.id))
        self.target = target
        self.shapes = shapes
        self.structured = structured
        self._vocabulary = _vocabulary(self.profiles)
        self._keys: dict[str, _Key] = {}
        self._shapes: dict[tuple[Any, ...], Shape] = {}
        self._shape_keys = 0
        self.resource_marks = tuple(
            sorted({mark.pattern for profile in self.profiles for mark in profile.marks if mark.kind == "resource"})
        )

    def shape(self, scope: str, keys: tuple[str, ...], types: tuple[type, ...], events: frozenset[str]) -> Shape:
        """The shape, new or known."""
        identity = (scope, keys, types, events)
        shape = self._shapes.get(identity)
        if shape is None:
            if self._shape_keys + len(keys) > SHAPE_KEYS_MAX:
                self._shapes.clear()
                self._shape_keys = 0
            switches = tuple(
                (key, self._vocabulary[key])
                for key, kind in sorted(zip(keys, types, strict=True), key=lambda item: item[0])
                if kind is str and key in self._vocabulary
            )
            shape = self._shapes[identity] = Shape(
                keys=keys, types=types, scope=scope, events=events, switches=switches
            )
            self._shape_keys += len(keys)
        return shape

    def plan(self, shape: Shape, values: tuple[str | None, ...], resource: tuple[str | None, ...]) -> Plan:
        """The plan for a shape and the values its switches have."""
        choice = values + resource
        plan = shape.plans.get(choice)
        if plan is None:
            if len(shape.plans) >= PLANS_PER_SHAPE_MAX:
                shape.plans.clear()
            plan = shape.plans[choice] = self._make(shape, values, resource)
        return plan

    # what is known of a key

    def _key(self, key: str) -> _Key:
        known = self._keys.get(key)
        if known is None:
            if len(self._keys) >= KEYS_MAX:
                self._keys.clear()
            known = self._keys[key] = self._learn(key)
        return known

    def _learn(self, key: str) -> _Key:
        marks, rows, owners = [], [], []
        for at, profile in enumerate(self.profiles):
            for number, mark in enumerate(profile.marks):
                if mark.kind == "keys" and mark.matches(key):
                    marks.append((at, number))
            found = profile.rows(key)
            if found:
                rows.append((at, found))
            if any(key.startswith(space) for space in profile.namespaces):
                owners.append(at)
        spec = self.target.attributes.get(key)
        concept = spec.concept if spec else key if self.target.knows(key) else None
        return _Key(marks=tuple(marks), rows=tuple(rows), concept=concept, owners=tuple(owners))

    # detection

    def _detect(
        self, shape: Shape, values: Mapping[str, str | None], resource: tuple[str | None, ...]
    ) -> dict[int, int]:
        """How far above its threshold each matching profile is, by its place."""
        signs: set[tuple[int, int]] = set()
        for key in shape.keys:
            signs.update(self._key(key).marks)
        from_resource = dict(zip(self.resource_marks, resource, strict=True))
        found = {}
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
                    hit = from_resource.get(mark.pattern) == mark.value
                else:
                    hit = any(mark.matches(name) for name in shape.events)
                score += mark.weight if hit else 0
            if score >= profile.threshold:
                found[at] = score - profile.threshold
        return found

    # the plan

    def _make(self, shape: Shape, values: tuple[str | None, ...], resource: tuple[str | None, ...]) -> Plan:
        by_key = dict(zip((key for key, _ in shape.switches), values, strict=True))
        margins = self._detect(shape, by_key, resource)
        if not margins:
            return NOTHING
        heard = sorted(margins, key=lambda at: (self.profiles[at].layer, -margins[at], self.profiles[at].id))
        return _Maker(self, shape, by_key, heard, margins).plan()

    def way(self, row: Row, holes: Sequence[str] = ()) -> Way:
        """A row bound to the target."""
        if row.split:
            members = tuple((path, "#/" + "/".join(path), self.way(member)) for path, member in row.split.members)
            return split_way(row, members, self.way(row.split.rest))
        if row.sum_of:
            keys = tuple(self.target.key_of(concept) or concept for concept in row.sum_of)
            return way(replace(row, sum_of=keys))
        if not row.to:
            return way(row)
        concept = row.to[:-1] + holes[-1] if row.to.endswith("*") and holes else row.to
        key = self.target.key_of(concept)
        return way(Row(lost="no_concept_at_version", when=row.when)) if key is None else self.bound(row, key)

    def bound(self, row: Row, key: str) -> Way:
        """A row that claims a key of the target."""
        spec = self.target.attributes.get(key)
        shape = spec.shape if spec else ""
        role = row.role or ("assistant" if shape == "output_messages" else "user")
        return way(row, key=key, kind=self.target.type_of(key), shape=shape, role=role)


class _Maker:
    """Makes one plan."""

    def __init__(
        self,
        planner: Planner,
        shape: Shape,
        values: Mapping[str, str | None],
        heard: list[int],
        margins: Mapping[int, int],
    ) -> None:
        self.planner = planner
        self.target = planner.target
        self.shape = shape
        self.heard = heard
        self.margins = margins
        self.profiles = [planner.profiles[at] for at in heard]
        self.types = dict(zip(shape.keys, shape.types, strict=True))
        around = Surroundings(scope=shape.scope, keys=frozenset(shape.keys), values=values)
        self.around = Surroundings(around.scope, around.keys, values, self._operation(around))

    def plan(self) -> Plan:
        """The plan: every key assigned, claims in the order they are heard."""
        result = Plan(
            profiles=tuple(profile.id for profile in self.profiles),
            margins=tuple(self.margins[at] for at in self.heard),
            kind_says_nothing=any(profile.kind_says_nothing for profile in self.profiles),
            kind=next(
                (row.kind for profile in self.profiles for row in profile.kinds if row.when.holds(self.around)), None
            ),
            sentinels={text: reason for profile in self.profiles for text, reason in profile.sentinels.items()},
            log_reasons={name: reason for profile in self.profiles for name, reason in profile.logs.items()},
            events=self._events(),
            names=self._names(),
            metrics=self._metrics(),
        )
        singles: list[tuple[tuple[Any, ...], str, tuple[Way, ...]]] = []
        folds: dict[Fold, tuple[tuple[Any, ...], list[tuple[str, FoldKey, tuple[str, ...]]]]] = {}
        loss: list[Loss] = []
        unknown: list[str] = []
        removed: list[str] = []
        for key in self.shape.keys:
            known = self.planner._key(key)  # noqa: SLF001  # the maker is a part of the planner
            rows, fold, rank = self._rows(key, known)
            if fold is not None:
                folds.setdefault(fold[0].fold, (rank, []))[1].append((key, *fold))
            elif rows:
                rank = (-1, 0) if any(way.key == key for way in rows) else rank
                singles.append(((*rank, _natural(key)), key, rows))
            elif known.concept is not None and self._identity():
                own = self._own(key, known.concept)
                if own is None:
                    result.kept += 1
                elif own.row.lost:
                    loss.append(Loss(key, own.row.lost))
                else:
                    singles.append(((-1, 0, _natural(key)), key, (own,)))
            elif any(at in self.margins for at in known.owners):
                loss.append(Loss(key, "no_concept"))
                unknown.append(key)
            else:
                result.kept += 1
        contested = self._contested(singles, folds)
        moves: list[tuple[str, str]] = []
        constants: list[tuple[str, str, str]] = []
        stages: list[tuple[tuple[Any, ...], Stage]] = []
        sums: list[Stage] = []
        for rank, key, ways in sorted(singles, key=lambda item: item[0]):
            row = ways[0].row
            plain = len(ways) == 1 and not row.same_as
            first = plain and self._is_first(key, ways[0], rank, contested)
            mine = len(ways) == 1 and ways[0].key == key
            redacted = bool(result.sentinels) and self.types[key] is str
            if plain and row.lost and not ways[0].key and ways[0].rest is None and not redacted:
                loss.append(Loss(key, row.lost))
            elif (plain and row.keep) or (mine and self._says_the_same(key, ways[0])):
                result.kept += 1
            elif mine and not row.ops and (ways[0].shape in READABLE or ways[0].type == "string[]"):
                stages.append((rank, OwnStage(key, ways[0])))
            elif plain and row.derived:
                result.derived += 1
                removed.append(key)
            elif first and (not row.ops or self._says_the_same(key, ways[0])):
                moves.append((key, ways[0].key))
            elif first and (said := self._looked_up(key, ways[0])) is not None:
                constants.append((key, ways[0].key, said))
            elif any(way.row.sum_of for way in ways):
                sums.append(KeyStage(key, ways))
            else:
                stages.append((rank, KeyStage(key, ways)))
        for family, (rank, members) in folds.items():
            stages.append(((*rank, ()), self._fold_stage(family, members)))
        result.moves = tuple(moves)
        result.constants = tuple((target, said) for _, target, said in constants)
        result.converted = len(constants)
        result.lossy = bool(constants or removed or loss)
        result.removed = tuple(
            sorted([*removed, *(source for source, _ in moves), *(source for source, _, _ in constants)])
        )
        result.stages = tuple(stage for _, stage in sorted(stages, key=lambda item: item[0]))
        result.late = (*self._implied(), *sums)
        result.loss = tuple(sorted(loss, key=lambda entry: entry.path))
        if not moves and not constants and not result.late and result.events is None:
            checks = [stage for stage in result.stages if isinstance(stage, OwnStage)]
            result.checks = tuple(checks) if len(checks) == len(result.stages) else None
        result.unknown = tuple(sorted(unknown))
        return result

    # which operation

    def _operation(self, around: Surroundings) -> str | None:
        """The operation that follows from the shape and its values; conditions that ask for one are not met yet."""
        key = self.target.key_of(OPERATION) or OPERATION
        if key in around.keys and self.types.get(key) is str:
            return self._said(self._rows_for(key, around), around.values.get(key)) or around.values.get(key)
        for profile in self.profiles:
            claims = [
                (order, source, entry)
                for source in around.keys
                for order, entry, _ in profile.rows(source)
                if isinstance(entry, Row) and entry.to == OPERATION and entry.when.holds(around)
            ]
            for _, source, row in sorted(claims, key=lambda claim: claim[:2]):
                found = self._said([row], around.values.get(source))
                if found:
                    return found
        for profile in self.profiles:
            for implied in profile.implied:
                if implied.to == OPERATION and implied.when.holds(around):
                    return str(implied.value)
        return None

    def _rows_for(self, key: str, around: Surroundings) -> list[Row]:
        rows: list[Row] = []
        for profile in reversed(self.profiles):
            rows += [entry for _, entry, _ in profile.rows(key) if isinstance(entry, Row) and entry.when.holds(around)]
        return rows

    @staticmethod
    def _said(rows: Iterable[Row], value: str | None) -> str | None:
        for row in rows:
            found = ops.run(row.ops, value, ops.Scope({})) if value is not None else None
            if isinstance(found, str):
                return found
        return None

    # which row takes a key

    def _identity(self) -> bool:
        return any(profile.identity for profile in self.profiles)

    def _rows(
        self, key: str, known: _Key
    ) -> tuple[tuple[Way, ...], tuple[FoldKey, tuple[str, ...]] | None, tuple[int, int]]:
        """The ways for a key in the order they are tried, or the fold that takes it; and when its claim is heard."""
        ways: list[Way] = []
        rank = (0, 0)
        entries = dict(known.rows)
        for place in sorted(range(len(self.heard)), key=lambda place: (-self.profiles[place].layer, place)):
            for order, entry, holes in entries.get(self.heard[place], ()):
                if isinstance(entry, FoldKey):
                    if not ways and entry.fold.when.holds(self.around):
                        return (), (entry, holes), (place, order)
                elif entry.when.holds(self.around):
                    rank = rank if ways else (place, order)
                    ways.append(self.planner.way(entry, holes))
                    if self._certain(key, ways[-1]):
                        return tuple(ways), None, rank
        return tuple(ways), None, rank

    def _certain(self, key: str, bound: Way) -> bool:
        """Whether a row takes the key whatever it holds, so that no other is asked."""
        row = bound.row
        if row.to:
            fits = self.types[key] is EXACT.get(bound.type) or bound.type == "any"
            return fits and not row.ops and bound.shape not in READABLE
        return bound.rest is None

    def _own(self, key: str, concept: str) -> Way | None:
        """What is to be done with a key of the registry itself; None when it is fine as it is."""
        target_key = self.target.key_of(concept)
        if target_key is None:
            return way(Row(lost="no_concept_at_version"))
        own = self.planner.bound(Row(to=concept), target_key)
        if target_key != key:
            return own
        if not any(key.startswith(space) for space in self.target.namespaces):
            return None
        if own.shape in READABLE or own.type == "string[]":
            return own
        found = self.types[key]
        if own.type == "any":
            return own if found in (list, dict) and not self.planner.structured else None
        return None if found is EXACT[own.type] else own

    def _says_the_same(self, key: str, bound: Way) -> bool:
        """Whether a key's own enum leaves the value it has as it is: known from the shape's values alone."""
        if not bound.row.ops or self.types[key] is not str or not _tabled(bound.row):
            return False
        value = self.around.values.get(key)
        if value is None:  # in none of the tables
            return not any(step.name == "enum" and step.argument[1] for step in bound.row.ops)
        return ops.run(bound.row.ops, value, ops.Scope({})) == value

    def _looked_up(self, key: str, bound: Way) -> str | None:
        """What an enum makes of the value a key has, where the shape's values tell."""
        value = self.around.values.get(key)
        if value is None or not _tabled(bound.row):
            return None
        said = ops.run(bound.row.ops, value, ops.Scope({}))
        return said if isinstance(said, str) else None

    # who may contest what

    def _contested(
        self, singles: Sequence[tuple[Any, str, tuple[Way, ...]]], folds: Mapping[Fold, tuple[Any, Any]]
    ) -> Mapping[str, Any]:
        """For each key that is claimed, when the first claim to it is heard."""
        heard: list[tuple[Any, str]] = [
            (rank, key) for rank, _, ways in singles for bound in ways for key in _targets(bound)
        ]
        for fold, (rank, _) in folds.items():
            heard += [((*rank, ()), self.target.key_of(concept) or "") for concept in (fold.to, FINISH_REASONS)]
        first: dict[str, Any] = {}
        for rank, key in sorted(heard):
            first.setdefault(key, rank)
        return first

    def _is_first(self, key: str, bound: Way, rank: tuple[Any, ...], contested: Mapping[str, Any]) -> bool:
        """Whether a claim can only win, and with the value's own type."""
        return bool(
            bound.key
            and not bound.row.copy
            and not bound.row.lost
            and bound.key not in self.types
            and contested[bound.key] == rank
            and bound.shape not in READABLE
            and self.types[key] is EXACT.get(bound.type)
        )

    # the other parts

    def _fold_stage(self, fold: Fold, members: list[tuple[str, FoldKey, tuple[str, ...]]]) -> Stage:
        row = Row(to=fold.to, role=fold.role, parts_in_text=fold.parts_in_text, yields=fold.yields)
        bound = self.planner.way(row)
        members = sorted(members, key=lambda item: _natural(item[0]))
        if not bound.key:
            return _Several(tuple(KeyStage(key, (bound,)) for key, _, _ in members))
        tree: dict[str, Any] = {}
        placed: list[str] = []
        homeless: list[str] = []
        for key, entry, holes in members:
            (placed if _place(tree, _filled_path(entry.path, holes), key) else homeless).append(key)
        skeleton, gaps = _listed(tree)
        stage = FoldStage(way=bound, keys=tuple(placed), skeleton=skeleton, label=bound.key, gaps=gaps)
        lost = way(Row(lost="part_unrepresentable"))
        return _Several((stage, *(KeyStage(key, (lost,)) for key in homeless))) if homeless else stage

    def _names(self) -> tuple[tuple[NameRow, str], ...]:
        return tuple(
            (row, self.target.key_of(row.to) or "" if row.to else "")
            for profile in self.profiles
            for row in profile.names
            if row.when.holds(self.around)
        )

    def _implied(self) -> list[Stage]:
        stages: list[Stage] = []
        for profile in self.profiles:
            for implied in profile.implied:
                key = self.target.key_of(implied.to)
                if key is not None and implied.when.holds(self.around):
                    stages.append(ImpliedStage(key, implied.value, _rule(implied)))
        return stages

    def _events(self) -> EventStage | None:
        rows = {}
        for profile in reversed(self.profiles):
            for name in self.shape.events:
                event = profile.events.get(name)
                if event is not None:
                    way = self.planner.way(Row(to=event.to, role=event.role)) if event.to else None
                    rows[name] = (event, way if way and way.key else None)
        if not rows:
            return None
        lift = {
            key: self.planner.bound(Row(), key)
            for key in self.target.attributes
            if key.partition(".")[0] in ("gen_ai", "openai")
        }
        return EventStage(rows=rows, lift=lift if any(row.lift for row, _ in rows.values()) else {})

    def _metrics(self) -> Mapping[str, tuple[MetricRow, ...]]:
        rows: dict[str, tuple[MetricRow, ...]] = {}
        for profile in self.profiles:
            for row in profile.metrics:
                rows[row.name] = (*rows.get(row.name, ()), row)
        return rows


@dataclass(frozen=True, slots=True)
class _Several:
    """Stages that stand at one place."""

    stages: tuple[Stage, ...]

    def do(self, run: Any) -> None:  # noqa: ANN401  # Run; the protocol says so
        """All of them in turn."""
        for stage in self.stages:
            stage.do(run)


# ------------------------------------------------------------------ helpers


def _targets(bound: Way) -> list[str]:
    inner = [key for _, _, member in bound.members for key in _targets(member)]
    if bound.rest is not None:
        inner += _targets(bound.rest)
    return [bound.key, *inner] if bound.key else inner


def _natural(key: str) -> tuple[Any, ...]:
    """A sort key in which message 10 comes after message 9."""
    return tuple(
        (0, int(part), part) if part.isdecimal() and part.isascii() and len(part) < 10 else (1, 0, part)
        for part in key.split(".")
    )


def _rule(implied: Implied) -> str:
    asked = [f"{key}={'|'.join(values)}" for key, values in implied.when.values]
    return ", ".join([*asked, *implied.when.present]) or "shape"


def _filled_path(path: tuple[str, ...], holes: tuple[str, ...]) -> tuple[str | int, ...]:
    """A path with its holes filled: numbers for `{i}`, the segments `**` stood for."""
    at = 0
    steps: list[str | int] = []
    for step in path:
        if step == "**":
            steps += holes[-1].split(".")
        elif step == "*":
            steps.append(holes[at])
            at += 1
        elif step.startswith("{"):
            steps.append(int(holes[at]))
            at += 1
        else:
            steps.append(step)
    return tuple(steps)


def _place(tree: dict[Any, Any], path: tuple[str | int, ...], key: str) -> bool:
    """Put a key at a path of a tree; False when something else is there or on the way."""
    for step in path[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return False
        tree = inner
    if path[-1] in tree:
        return False
    tree[path[-1]] = key
    return True


def _listed(tree: Any) -> tuple[Any, bool]:  # noqa: ANN401  # a document of keys
    """The tree with lists where numbers were, and whether numbers were missing in between."""
    if not isinstance(tree, dict):
        return tree, False
    inner = {step: _listed(value) for step, value in tree.items()}
    gaps = any(gap for _, gap in inner.values())
    numbers = sorted(step for step in inner if isinstance(step, int))
    if numbers and len(numbers) == len(inner):
        return [inner[step][0] for step in numbers], gaps or numbers != list(range(len(numbers)))
    return {str(step): value for step, (value, _) in inner.items()}, gaps


def _vocabulary(profiles: Sequence[Profile]) -> dict[str, dict[str, str]]:
    """For every key that conditions or operations ask about, the values that make a difference."""
    words: dict[str, dict[str, str]] = {}
    for profile in profiles:
        for key, values in profile.questions():
            words.setdefault(key, {}).update({value: value for value in values})
        for key, row in _tabled_rows(profile):
            known = words.setdefault(key, {})
            for step in row.ops:
                known.update({value: value for value in step.argument[0]})
    own = words.setdefault(OPERATION, {})
    for profile in profiles:
        for when in profile.whens():
            own.update({operation: operation for operation in when.operation})
    return words


def _tabled(row: Row) -> bool:
    return all(step.name in _TABLED for step in row.ops)


def _tabled_rows(profile: Profile) -> list[tuple[str, Row]]:
    """Rows whose result follows from their tables."""
    rows = [(key, entry) for key, entries in profile.exact.items() for _, entry in entries if isinstance(entry, Row)]
    return [(key, row) for key, row in rows if row.ops and _tabled(row)]
