"""Carrying out a plan on one item: claims are offered in order, and every atom is put into one bucket.

A `Run` is the state for one item and lives as long as its translation takes. The steps a plan consists of are here too,
each of them total. Precedence: what the item already has under a target's key stands; then the first claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from semconv import ops
from semconv.messages import Reading, Shapes, conforms, read
from semconv.ops import Miss, Scope
from semconv.profile import EventRow, Row
from semconv.table import Path
from semconv.translation import Loss
from semconv.value import Value, json_text, leaves, same, size
from semconv.view import Attributes, EventView

READABLE: Final = (
    "input_messages",
    "output_messages",
    "system_instructions",
    "tool_definitions",
    "retrieval_documents",
)
"""Shapes with a structure the message model knows."""

FINISH_REASONS: Final = "gen_ai.response.finish_reasons"

_ABSENT: Final[Any] = object()
_LOSSES_PER_KEY_MAX: Final = 64
"""Members of one document named singly; the rest of them is one entry."""

WON, EQUAL, LOST = range(3)
CARRIED, STAYS, DROPPED = "carried", "stays", "dropped"
Outcome = str | Miss


class Run:
    """The state of one translation."""

    __slots__ = (
        "attributes",
        "conflicts",
        "converted",
        "derived",
        "dropped",
        "events_removed",
        "evicted",
        "extra",
        "finish_reasons_key",
        "folded",
        "irreversible",
        "kept",
        "loss",
        "lossy",
        "notes",
        "out",
        "removed",
        "renamed",
        "scope",
        "sentinels",
        "shapes",
        "source_side",
        "structured",
        "synthesized",
    )

    def __init__(
        self,
        attributes: Attributes,
        shapes: Shapes,
        sentinels: Mapping[str, str],
        finish_key: str | None,
        *,
        structured: bool,
    ) -> None:
        self.attributes = attributes
        self.shapes = shapes
        self.sentinels = sentinels
        self.finish_reasons_key = finish_key
        self.structured = structured
        self.scope = Scope(attributes)
        self.out: Attributes = {}
        self.removed: list[str] = []
        self.loss: list[Loss] = []
        self.notes: list[Loss] = []
        self.conflicts: list[tuple[str, str]] = []
        self.synthesized: list[tuple[str, str]] = []
        self.source_side: dict[str, int] = {}
        self.events_removed: list[int] = []
        self.evicted: set[str] = set()
        self.extra = self.kept = self.renamed = self.converted = self.folded = self.derived = self.dropped = 0
        self.lossy = self.irreversible = False

    def now(self, key: str) -> Value:
        """What the translated item has under a key so far, None when nothing."""
        if key in self.out:
            return self.out[key]
        return None if key in self.evicted else self.attributes.get(key)

    def offer(self, key: str, value: Value) -> int:
        """Claim a target key: WON, EQUAL to what stands there, or LOST to it."""
        current = self.out.get(key, _ABSENT)
        if current is _ABSENT:
            current = _ABSENT if key in self.evicted else self.attributes.get(key, _ABSENT)
        if current is _ABSENT:
            self.out[key] = value
            return WON
        return EQUAL if same(current, value) else LOST

    def drop(self, path: str, reason: str, atoms: int = 1, bytes_lost: int | None = None) -> None:
        """Put atoms into the bucket of the lost."""
        self.loss.append(Loss(path, reason, atoms, bytes_lost))
        self.dropped += atoms
        self.lossy = True

    def lose(self, key: str, path: str, reason: str, atoms: int, bytes_lost: int | None = None) -> None:
        """Put atoms there because another claim stands."""
        self.drop(path, reason, atoms, bytes_lost)
        if reason == "conflict_lost":
            self.conflicts.append((key, path))

    def rendered(self, value: Value) -> Value:
        """A structured value as the signal carries it: JSON text, except where structure is native."""
        return value if self.structured or not isinstance(value, dict | list) else json_text(value)


# ------------------------------------------------------------------ one claim


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """A row bound to a target: which key, and what may stand under it."""

    row: Row
    key: str = ""
    """The target's key; empty when the row claims nothing."""
    type: str = "any"
    shape: str = ""
    members: tuple[tuple[Path, Way], ...] = ()
    rest: Way | None = None
    role: str = "user"


def settle(run: Run, label: str, value: Value, way: Way, atoms: int = 1) -> Outcome:
    """Give one value the fate its row says.

    Args:
        run: the state.
        label: the path of the value, for the account.
        value: what stands there.
        way: the row and its target.
        atoms: how many atoms the value is.

    Returns:
        CARRIED: the source has nothing more to say; STAYS: it stays where it is; DROPPED: something of it is lost;
        or a Miss: the row does not apply, and nothing has been counted.
    """
    row = way.row
    if row.same_as and same(run.attributes.get(row.same_as, _ABSENT), value):
        run.derived += atoms
        return CARRIED
    if way.rest is not None:
        return _take_apart(run, label, value, way, atoms)
    if row.lost and not row.to:
        run.drop(label, row.lost, atoms, None if "#/" not in label else size(value))
        return DROPPED
    if row.derived:
        run.derived += atoms
        run.lossy = True
        return CARRIED
    if row.sum_of:
        return _settle_sum(run, label, value, way, atoms)
    if row.keep:
        run.kept += atoms
        return STAYS
    new = ops.run(row.ops, value, run.scope) if row.ops else value
    if isinstance(new, Miss):
        return new
    if any(step.inverse is None for step in row.ops):
        run.lossy = True
    if way.shape in READABLE:
        return _settle_body(run, label, new, way, atoms)
    return _settle_value(run, label, value, new, way, atoms)


def _settle_value(  # noqa: PLR0917  # the second half of settle, with what its first half knows
    run: Run, label: str, value: Value, new: Value, way: Way, atoms: int
) -> Outcome:
    fitted = ops.fit(run.rendered(new) if way.type == "any" else new, way.type)
    if isinstance(fitted, Miss):
        return fitted
    unchanged = type(fitted) is type(value) and fitted == value
    if way.type != "any" and type(fitted) is not type(new) and type(new) is not list:
        run.notes.append(Loss(label, "type_coerced", 0))
        run.lossy = True
    if label == way.key:  # the target's own key
        if unchanged:
            run.kept += atoms
        else:
            run.out[label] = fitted
            run.converted += atoms
        return STAYS
    won = run.offer(way.key, fitted)
    if way.row.lost:
        if won is WON:
            run.synthesized.append((way.key, label))
        run.drop(label, way.row.lost, atoms, size(value))
        return DROPPED
    if way.row.copy:
        run.kept += atoms
        return STAYS
    if won is LOST:
        run.lose(way.key, label, way.row.yields, atoms, size(value))
        return DROPPED
    if won is EQUAL:
        run.derived += atoms
    elif unchanged:
        run.renamed += atoms
    else:
        run.converted += atoms
    return CARRIED


def _settle_body(run: Run, label: str, new: Value, way: Way, atoms: int) -> Outcome:
    """A structure the message model reads."""
    parsed = run.scope.inside(new)
    body = new if parsed is None else parsed
    own = label == way.key
    fine = isinstance(body, list) and conforms(way.shape, body, run.shapes)
    if own and fine and run.structured == (body is new):
        run.kept += atoms
        return STAYS
    reading = read(way.shape, body, run.shapes, role=way.role, parse_text=way.row.parts_in_text)
    if reading is None or (own and reading.rest):
        return Miss("unstructured")
    if own and reading.value == body and run.structured == (body is new):
        run.kept += atoms
        return STAYS
    count = leaves(body)
    rest = leaves(reading.rest) if reading.rest else 0
    won = WON
    if own:
        run.out[label] = run.rendered(reading.value)
    else:
        won = offer_body(run, way.key, reading, way.shape)
    run.extra += count - atoms
    if won is LOST:
        run.lose(way.key, label, way.row.yields, count, size(new))
        return DROPPED
    for name, member in reading.rest.items():
        run.drop(f"{label}#/{name}", "partial_no_concept", leaves(member), size(member))
    book(run, label, reading, count - rest, equal=won is EQUAL)
    return STAYS if own else DROPPED if rest else CARRIED


def book(run: Run, label: str, reading: Reading, atoms: int, *, equal: bool) -> None:
    """Put the atoms of a structure that was read into their buckets."""
    run.lossy = True
    if equal:
        run.derived += atoms
        return
    run.extra += reading.parsed_leaves
    atoms += reading.parsed_leaves
    derivable = min(reading.derivable, atoms)
    run.derived += derivable
    run.folded += atoms - derivable
    run.notes += [Loss(label, note, 0) for note in sorted(reading.notes)]


def offer_body(run: Run, key: str, reading: Reading, shape: str) -> int:
    """Claim a key with a structure: equal is what says the same, however it is written."""
    won = run.offer(key, run.rendered(reading.value))
    if won is LOST:
        current = run.now(key)
        standing = run.scope.inside(current) if isinstance(current, str) else current
        other = read(shape, standing, run.shapes) if standing is not None else None
        if other is not None and other.value == reading.value:
            won = EQUAL
    if won is WON and shape == "output_messages" and reading.finish_reasons and run.finish_reasons_key:
        run.offer(run.finish_reasons_key, list(reading.finish_reasons))
    return won


def _settle_sum(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """A total says nothing of its own when it is the sum of what stands there."""
    parts = [part for part in map(run.now, way.row.sum_of) if part is not None]
    total = ops.to_int(value)
    if parts and isinstance(total, int) and total == sum(part if type(part) is int else -1 for part in parts):
        run.derived += atoms
        return CARRIED
    run.drop(label, "no_concept", atoms, None if "#/" not in label else size(value))
    return DROPPED


def _take_apart(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """An object whose members go different ways; each leaf is an atom of its own."""
    parsed = ops.run(way.row.ops, value, run.scope) if way.row.ops else run.scope.inside(value)
    if isinstance(parsed, Miss):
        return parsed
    if not isinstance(parsed, dict) or not parsed:
        return ops.UNPARSEABLE
    run.extra += leaves(parsed) - atoms
    run.lossy = True
    left: Any = parsed
    dropped = False
    for path, member in way.members:
        found, there = _member(left, path)
        if not there:
            continue
        outcome = settle(run, f"{label}#/{'/'.join(map(str, path))}", found, member, leaves(found))
        if isinstance(outcome, Miss):
            continue
        dropped = dropped or outcome is not CARRIED
        left = _without(left, path)
    return DROPPED if _settle_rest(run, label, left, way) or dropped else CARRIED


def _settle_rest(run: Run, label: str, left: Attributes, way: Way) -> bool:
    """What no member row took; True when something of it is lost."""
    dropped = False
    for at, (name, found) in enumerate(sorted(left.items())):
        if way.rest is None:
            break
        if found is None:  # a member that says it is not there
            run.derived += 1
            continue
        path = f"{label}#/{name}" if at < _LOSSES_PER_KEY_MAX else f"{label}#/*"
        rest = way.rest
        if rest.key.endswith("*"):
            rest = Way(row=rest.row, key=rest.key[:-1] + name, type=rest.type)
        outcome = settle(run, path, found, rest, leaves(found))
        if isinstance(outcome, Miss):
            run.drop(path, outcome.reason, leaves(found), size(found))
            outcome = DROPPED
        dropped = dropped or outcome is not CARRIED
    return dropped


def _member(value: Value, path: Path) -> tuple[Value, bool]:
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return None, False
        value = value[str(step)]
    return value, True


def _without(value: Attributes, path: Path) -> Attributes:
    """The object without the member at a path; an object that is empty then goes with it."""
    head = str(path[0])
    rest = {name: item for name, item in value.items() if name != head}
    if len(path) > 1:
        inner = value[head]
        inner = _without(inner, path[1:]) if isinstance(inner, dict) else inner
        if inner:
            rest[head] = inner
    return rest


# ------------------------------------------------------------------ steps of a plan


class Stage(Protocol):
    """One thing a plan does to a run."""

    def do(self, run: Run) -> None:
        """Do it."""


@dataclass(frozen=True, slots=True)
class KeyStage:
    """One source key, and its rows in the order they are tried."""

    key: str
    ways: tuple[Way, ...]

    def do(self, run: Run) -> None:
        """The first row that applies settles it; if none does, the last one's reason is the loss."""
        key, reason = self.key, "no_concept"
        value = run.attributes[key]
        if run.sentinels and isinstance(value, str) and value in run.sentinels:
            source_reason = run.sentinels[value]
            run.source_side[source_reason] = run.source_side.get(source_reason, 0) + 1
            run.kept += 1
            return
        for way in self.ways:
            outcome = settle(run, key, value, way)
            if isinstance(outcome, Miss):
                reason = outcome.reason
                continue
            if outcome is CARRIED:
                run.removed.append(key)
            return
        run.drop(key, reason)
        if any(way.row.evict for way in self.ways):
            run.evicted.add(key)
            run.removed.append(key)
            run.irreversible = True


@dataclass(frozen=True, slots=True)
class FoldStage:
    """A family of keys that make one structure: `skeleton` is the structure with keys where values go."""

    way: Way
    keys: tuple[str, ...]
    skeleton: Any
    label: str
    gaps: bool

    def do(self, run: Run) -> None:
        """Read the structure and claim its key, or lose all of the family together."""
        if run.sentinels:
            self._count_sentinels(run)
        way, count = self.way, len(self.keys)
        body = _filled(self.skeleton, run.attributes)
        reading = read(way.shape, body, run.shapes, role=way.role, parse_text=way.row.parts_in_text)
        won = LOST if reading is None else offer_body(run, way.key, reading, way.shape)
        if reading is None or won is LOST:
            for key in self.keys:
                run.lose(way.key, key, "unstructured" if reading is None else way.row.yields, 1)
            return
        book(run, self.label, reading, count, equal=won is EQUAL)
        if self.gaps:
            run.notes.append(Loss(self.label, "index_gap", 0))
        run.removed += self.keys

    def _count_sentinels(self, run: Run) -> None:
        for key in self.keys:
            value = run.attributes[key]
            if isinstance(value, str) and value in run.sentinels:
                reason = run.sentinels[value]
                run.source_side[reason] = run.source_side.get(reason, 0) + 1


def _filled(skeleton: Any, attributes: Attributes) -> Any:  # noqa: ANN401  # a document
    kind = type(skeleton)
    if kind is str:
        return attributes[skeleton]
    if kind is dict:
        return {name: _filled(inner, attributes) for name, inner in skeleton.items()}
    return [_filled(inner, attributes) for inner in skeleton]


@dataclass(frozen=True, slots=True)
class ImpliedStage:
    """A value that follows from the shape of the item."""

    key: str
    value: Value
    rule: str

    def do(self, run: Run) -> None:
        """Claim the key if nothing stands there."""
        if run.offer(self.key, self.value) is WON:
            run.synthesized.append((self.key, self.rule))


@dataclass(frozen=True, slots=True)
class EventStage:
    """The span events a profile knows."""

    rows: Mapping[str, tuple[EventRow, Way | None]]
    lift: Mapping[str, Way]
    """For events that hold attributes of the span: the ways of registry keys."""

    def apply(self, run: Run, events: Sequence[EventView]) -> None:
        """Fold, lift or lose every event there is a row for; the others are kept."""
        groups: dict[str, list[tuple[int, EventView, EventRow, Way]]] = {}
        for index, event in enumerate(events):
            row, way = self.rows.get(event.name, (None, None))
            if row is None:
                run.kept += 1 + len(event.attributes)
            elif row.lift:
                self._lift(run, index, event)
            elif way is None:
                _lose_event(run, event, row.lost or "no_concept_at_version")
            else:
                groups.setdefault(way.key, []).append((index, event, row, way))
        for group in groups.values():
            self._fold(run, group)

    def _fold(self, run: Run, group: list[tuple[int, EventView, EventRow, Way]]) -> None:
        """Events that claim one key: together they are its messages, in the order they came."""
        items: list[Value] = []
        for _, event, row, _ in group:
            items += _event_messages(run, event, row)
        way = group[0][3]
        reading = read(way.shape, items, run.shapes, role=way.role)
        won = LOST if reading is None else offer_body(run, way.key, reading, way.shape)
        run.lossy = True
        for index, event, row, _ in group:
            if won is LOST:
                _lose_event(run, event, "unstructured" if reading is None else row.yields)
                continue
            run.folded += 1 + len(event.attributes)
            run.events_removed.append(index)
            run.notes.append(Loss(f"@events/{event.name}", "info_folded", 0))  # the time it happened

    def _lift(self, run: Run, index: int, event: EventView) -> None:
        """An event whose attributes are the span's; it goes when all of them found their place."""
        whole = True
        for key in sorted(event.attributes):
            label = f"@events/{event.name}/{key}"
            way = self.lift.get(key)
            outcome = settle(run, label, event.attributes[key], way) if way else Miss("no_concept")
            if isinstance(outcome, Miss):
                run.drop(label, outcome.reason, 1, size(event.attributes[key]))
            whole = whole and outcome is CARRIED
        if whole:
            run.folded += 1
            run.events_removed.append(index)
        else:
            run.kept += 1


def _event_messages(run: Run, event: EventView, row: EventRow) -> list[Value]:
    """The messages of an event, with what stands beside them: what the span says too is left out."""
    beside = {row.rename.get(key, key): value for key, value in event.attributes.items() if key != row.body}
    if row.body:
        body = event.attributes.get(row.body)
        inside = run.scope.inside(body)
        found = body if inside is None else inside
        items: list[Any] = found if isinstance(found, list) else [found]
    else:
        items = [{}]
    beside = {key: value for key, value in beside.items() if not ("." in key and same(run.now(key), value))}
    first = items[0] if items else {}
    if beside:
        said = {key: _inside_or_self(run, value) for key, value in beside.items()}
        items = [{**said, **first} if isinstance(first, dict) else {**said, "content": first}, *items[1:]]
    return [{"role": row.role, **item} if row.role and isinstance(item, dict) else item for item in items]


def _inside_or_self(run: Run, value: Value) -> Value:
    inside = run.scope.inside(value)
    return value if inside is None else inside


def _lose_event(run: Run, event: EventView, reason: str) -> None:
    lost = len(event.name) + sum([size(value) for value in event.attributes.values()])
    run.drop(f"@events/{event.name}", reason, 1 + len(event.attributes), lost)
