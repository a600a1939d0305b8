"""The stages of a plan: what is done to a run, one source key or family of keys at a time. Each of them is total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from semconv.messages import read
from semconv.ops import Miss
from semconv.profile import EventRow
from semconv.run import EQUAL, LOST, WON, Run
from semconv.settle import CARRIED, Way, book, offer_body
from semconv.shapes import Shapes, conforms
from semconv.translation import Loss
from semconv.value import Value, same, size
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
        for way in self.ways:
            outcome = way.act(run, key, value, way, 1)
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
class OwnStage:
    """A key of the target itself that mostly is as it should be: looked at quickly, and settled like any other if not."""

    key: str
    way: Way

    def do(self, run: Run) -> None:
        """Keep what is right, settle the rest."""
        if self.right(run.attributes[self.key], run.shapes, structured=run.structured):
            run.kept += 1
        else:
            KeyStage(self.key, (self.way,), {}).do(run)

    def right(self, value: Value, shapes: Shapes, *, structured: bool) -> bool:
        """Whether the value is as the target has it."""
        if self.way.type == "string[]":
            return type(value) is list and _TEXT_ONLY.issuperset(map(type, value))
        if structured:
            return conforms(self.way.shape, value, shapes)
        if type(value) is not str:
            return False
        try:
            return type(body := orjson.loads(value)) is list and conforms(self.way.shape, body, shapes)
        except ValueError:
            return False


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
            outcome = way.act(run, label, event.attributes[key], way, 1) if way else Miss("no_concept")
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
