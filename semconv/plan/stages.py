"""The stages of a plan: what is done to a run, one source key or family of keys at a time. Each of them is total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from semconv.messages.conformity import conforms
from semconv.messages.messages import read
from semconv.messages.shapes import Shapes
from semconv.ops import Miss
from semconv.plan.inverse import undo
from semconv.plan.run import EQUAL, LOST, WON, Run
from semconv.plan.settle import CARRIED, GONE, READABLE, Way, book, offer_body, settle
from semconv.profile.profile import EventRow
from semconv.translation import Loss
from semconv.value import Texts, Value, exactly, json_text, parsed, same, size
from semconv.view import Attributes, EventView

_TEXT_ONLY: Final = frozenset({str})


class Stage(Protocol):
    """One thing a plan does to a run."""

    def do(self, run: Run) -> None:
        """Do it."""


@dataclass(frozen=True, slots=True)
class KeyStage:
    """One source key, and its rows in the order they are tried."""

    key: str
    ways: tuple[Way, ...]
    sentinels: Mapping[str, str]
    """Values that say the content was taken out at the source, and the reason; not asked of the target's own keys."""

    def do(self, run: Run) -> None:
        """The first row that applies settles it; if none does, the last one's reason is the loss."""
        key, reason = self.key, "no_concept"
        value = run.attributes[key]
        if self.sentinels and isinstance(value, str) and value in self.sentinels:
            run.seen_at_source(self.sentinels[value])
            run.kept += 1
            return
        for at, way in enumerate(self.ways):
            outcome = settle(run, key, value, way, 1)
            if isinstance(outcome, Miss):
                reason = outcome.reason
                if way.row.evict:
                    break
                continue
            if outcome in GONE:
                run.removed.append(key)
                run.lossy = run.lossy or outcome is CARRIED or not self._alone(run, value, at)
            return
        run.drop(key, reason)
        if any(way.row.evict for way in self.ways):
            run.evicted.add(key)
            run.removed.append(key)
            run.irreversible = True

    def _alone(self, run: Run, value: Value, at: int) -> bool:
        """Whether on the way back no row before this one gives another value: it would have been taken first."""
        return all(
            run.now(way.key) is None or exactly(undo(way.row.ops, run.now(way.key)), value)
            for way in self.ways[:at]
            if way.key
        )


@dataclass(frozen=True, slots=True)
class OwnStage:
    """A key of the target itself that mostly is as it should be: looked at quickly, and settled like any other if not."""

    key: str
    way: Way

    def do(self, run: Run) -> None:
        """Keep what is right, settle the rest."""
        if self.right(run.attributes[self.key], run.shapes, run.scope.texts, structured=run.structured):
            run.kept += 1
        else:
            KeyStage(self.key, (self.way,), {}).do(run)

    def right(self, value: Value, shapes: Shapes, texts: Texts, *, structured: bool) -> bool:
        """Whether the value is as the target has it. `texts` are those that were parsed already."""
        if self.way.type == "string[]":
            return type(value) is list and _TEXT_ONLY.issuperset(map(type, value))
        if structured:
            return conforms(self.way.shape, value, shapes)
        if type(value) is not str:
            return False
        return type(body := parsed(value, texts)) is list and conforms(self.way.shape, body, shapes)


@dataclass(frozen=True, slots=True)
class FoldStage:
    """A family of keys that make one structure."""

    way: Way
    keys: tuple[str, ...]
    skeleton: Any
    """The structure, with keys where their values go."""
    gaps: bool
    sentinels: Mapping[str, str]

    def do(self, run: Run) -> None:
        """Read the structure and claim its key, or lose all of the family together."""
        if self.sentinels:
            for key in self.keys:
                value = run.attributes[key]
                if isinstance(value, str) and value in self.sentinels:
                    run.seen_at_source(self.sentinels[value])
        way = self.way
        body = _filled(self.skeleton, run.attributes)
        reading = read(way.shape, body, run.shapes, role=way.role, parse_text=way.row.parts_in_text)
        won = LOST if reading is None else offer_body(run, way.key, reading, way.shape)
        if reading is None or won is LOST:
            for key in self.keys:
                run.lose(way.key, key, "unstructured" if reading is None else way.row.yields, 1)
            return
        book(run, way.key, reading, len(self.keys), equal=won is EQUAL)
        if self.gaps:
            run.notes.append(Loss(way.key, "index_gap", 0))
        run.removed += self.keys
        run.lossy = True


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundEvent:
    """A row for span events, bound to a target."""

    row: EventRow
    way: Way | None
    attributes: Mapping[str, Way]

    def takes(self, event: EventView) -> bool:
        """Whether the row is for this event: it has the attribute that is to be the body."""
        return not self.row.body or self.row.body in event.attributes


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one event says of an attribute of the span."""

    index: int
    label: str
    value: Value
    way: Way | None


@dataclass(frozen=True, slots=True)
class EventStage:
    """The span events a profile knows."""

    rows: Mapping[str, tuple[BoundEvent, ...]]
    """By the event's name, in the order they are asked."""
    lift: Mapping[str, Way]
    """For events that hold attributes of the span: the ways of registry keys."""

    def apply(self, run: Run, events: Sequence[EventView]) -> None:
        """Fold, lift or lose every event there is a row for; the others are kept."""
        groups: dict[str, list[tuple[int, EventView, BoundEvent]]] = {}
        lifted: list[tuple[int, EventView, BoundEvent]] = []
        for index, event in enumerate(events):
            bound = next((bound for bound in self.rows.get(event.name, ()) if bound.takes(event)), None)
            if bound is None:
                run.kept += 1 + len(event.attributes)
            elif bound.row.lift or bound.attributes:
                lifted.append((index, event, bound))
            elif bound.way is None:
                _lose_event(run, event, bound.row.lost or "no_concept_at_version")
            else:
                groups.setdefault(bound.way.key, []).append((index, event, bound))
        for group in groups.values():
            _fold(run, group)
        if lifted:
            self._lift(run, lifted)

    def _lift(self, run: Run, lifted: list[tuple[int, EventView, BoundEvent]]) -> None:
        """Events whose attributes are the span's; one goes when all of its attributes found their place."""
        claims: dict[str, list[_Claim]] = {}
        for index, event, bound in lifted:
            for key in sorted(event.attributes):
                if event.attributes[key] is None:  # it says nothing
                    run.derived += 1
                    continue
                way = bound.attributes.get(key) or (self.lift.get(key) if bound.row.lift else None)
                claim = _Claim(index, f"@events/{event.name}/{key}", event.attributes[key], way)
                claims.setdefault(way.key if way and way.key else claim.label, []).append(claim)
        staying = {claim.index for several in claims.values() for claim in _settled(run, several)}
        for index, _, _ in lifted:
            if index in staying:
                run.kept += 1
            else:
                run.folded += 1
                run.events_removed.append(index)


def _settled(run: Run, claims: list[_Claim]) -> list[_Claim]:
    """Claims to one attribute, each given its fate; those that were not carried over."""
    if len(claims) > 1 and (way := claims[0].way) is not None and way.shape in READABLE:
        lists = [run.scope.inside(claim.value) for claim in claims]
        if all(isinstance(items, list) for items in lists):
            return _joined(run, way, claims, lists)
    left = []
    for claim in claims:
        way = claim.way
        outcome = settle(run, claim.label, claim.value, way, 1) if way else Miss("no_concept")
        if isinstance(outcome, Miss):
            run.drop(claim.label, outcome.reason, 1, size(claim.value))
        if outcome not in GONE:
            left.append(claim)
    return left


def _joined(run: Run, way: Way, claims: list[_Claim], lists: list[Any]) -> list[_Claim]:
    """Lists that several events give one attribute, one after the other; what was said before is not said again."""
    said = [item for items in {json_text(items): items for items in lists}.values() for item in items]
    reading = read(way.shape, said, run.shapes, role=way.role)
    won = LOST if reading is None else offer_body(run, way.key, reading, way.shape)
    if reading is None or won is LOST:
        for claim in claims:
            run.lose(way.key, claim.label, "unstructured" if reading is None else way.row.yields, 1, size(claim.value))
        return claims
    book(run, way.key, reading, len(claims), equal=won is EQUAL)
    return []


def _fold(run: Run, group: list[tuple[int, EventView, BoundEvent]]) -> None:
    """Events that claim one key: together they are its messages, in the order they came."""
    items: list[Value] = []
    for _, event, bound in group:
        items += _event_messages(run, event, bound.row)
    way = group[0][2].way
    assert way is not None  # what has none was lost before
    reading = read(way.shape, items, run.shapes, role=way.role)
    won = LOST if reading is None else offer_body(run, way.key, reading, way.shape)
    for index, event, bound in group:
        if won is LOST:
            _lose_event(run, event, "unstructured" if reading is None else bound.row.yields)
            continue
        run.folded += 1 + len(event.attributes)
        run.events_removed.append(index)
        run.notes.append(Loss(f"@events/{event.name}", "info_folded", 0))  # the time it happened


def _event_messages(run: Run, event: EventView, row: EventRow) -> list[Value]:
    """The messages of an event, with what stands beside them: what the span says too is left out."""
    beside = {row.rename.get(key, key): value for key, value in event.attributes.items() if key != row.body}
    items: list[Any] = _inside_body(run, event.attributes.get(row.body), row) if row.body else [{}]
    beside = {key: value for key, value in beside.items() if not ("." in key and same(run.now(key), value))}
    first = items[0] if items else {}
    if beside:
        said = {key: _inside_or_self(run, value) for key, value in beside.items()}
        items = [{**said, **first} if isinstance(first, dict) else {**said, "content": first}, *items[1:]]
    return _spoken_by(row, items)


def said_in(run: Run, body: Value, row: EventRow) -> list[Any]:
    """The messages of a body: text of JSON or what it says, one or a list of them."""
    return _spoken_by(row, _inside_body(run, body, row))


def _spoken_by(row: EventRow, items: list[Any]) -> list[Any]:
    """The items with the row's role, where neither they nor an object in them say whose words they are."""
    return [{"role": row.role, **item} if row.role and _says_no_role(item) else item for item in items]


def _says_no_role(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    return not any("role" in inner for inner in (item, *item.values()) if isinstance(inner, dict))


def _inside_body(run: Run, body: Value, row: EventRow) -> list[Any]:
    inside = run.scope.inside(body)
    found = body if inside is None else inside
    items: list[Any] = found if isinstance(found, list) else [{} if found is None else found]
    if row.rename:
        items = [
            {row.rename.get(name, name): value for name, value in item.items()} if isinstance(item, dict) else item
            for item in items
        ]
    return items


def _inside_or_self(run: Run, value: Value) -> Value:
    inside = run.scope.inside(value)
    return value if inside is None else inside


def _lose_event(run: Run, event: EventView, reason: str) -> None:
    lost = len(event.name) + sum([size(value) for value in event.attributes.values()])
    run.drop(f"@events/{event.name}", reason, 1 + len(event.attributes), lost)
