"""What a plan has beside its keys: names, what is implied, events, the message that a log record is, metrics.

Law: of the rows for one event, record or metric the most special profile's are asked first, as for keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from semconv.plan.assign.draft import Draft
from semconv.plan.assign.hearing import Hearing
from semconv.plan.bind import bind
from semconv.plan.record import EVENT_NAMES, RecordStage
from semconv.plan.stages import BoundEvent, EventStage, ImpliedStage, Stage
from semconv.profile.profile import EventRow, Implied, MetricRow, NameRow, Row
from semconv.target import INFERENCE_DETAILS
from semconv.translation import METRICS


def names(hearing: Hearing) -> tuple[tuple[NameRow, str], ...]:
    """The rows that say something of an item's name, each with the key of the target that it claims."""
    return tuple(
        (_speaking(hearing, row), hearing.target.key_of(row.to) or "" if row.to else "")
        for profile in hearing.heard
        for row in profile.names
        if row.when.holds(hearing.around)
    )


def _speaking(hearing: Hearing, row: NameRow) -> NameRow:
    """The row with keys of the target where it has concepts."""
    said = tuple((key, value) for concept, value in row.says if (key := hearing.target.key_of(concept)) is not None)
    return replace(row, says=said) if row.says else row


def implied(hearing: Hearing) -> list[Stage]:
    """What a profile implies of every item it matches."""
    return [
        ImpliedStage(key, row.value, _rule(row))
        for profile in hearing.heard
        for row in profile.implied
        if row.when.holds(hearing.around) and (key := hearing.target.key_of(row.to)) is not None
    ]


def events(hearing: Hearing, draft: Draft) -> EventStage | None:
    """The rows for the events there are, the most special profile's first, as for keys."""
    rows: dict[str, tuple[BoundEvent, ...]] = {}
    for name in hearing.shape.events:
        found = [
            row
            for profile in hearing.asked
            for row in profile.events
            if row.matches(name) and row.when.holds(hearing.around)
        ]
        if not found and name not in hearing.target.events and name.startswith(hearing.spaces):
            found = [EventRow(pattern=name, lost="no_concept")]
            draft.unknown.append(f"@events/{name}")
        if found:
            rows[name] = tuple(_bound_event(hearing, row) for row in found)
    if not rows:
        return None
    lifts = any(bound.row.lift for several in rows.values() for bound in several)
    return EventStage(rows=rows, lift=hearing.binder.own if lifts else {})


def record(hearing: Hearing) -> RecordStage | None:
    """The row that says which message a log record is: of the most special profile's the first that holds."""
    rows = [row for profile in hearing.asked for row in (*profile.logs, *profile.events) if row.to or row.lost]
    for name in sorted(hearing.shape.events - hearing.target.events):
        for row in rows:
            there = not row.body or row.body in hearing.types
            if there and row.matches(name) and row.when.holds(hearing.around):
                named = [key for key in EVENT_NAMES if hearing.types.get(key) is str and key != row.body]
                held = (*named, row.body) if row.body else tuple(named)
                known = INFERENCE_DETAILS in hearing.target.events
                bound = _bound_event(hearing, row if known else EventRow(pattern=name, body=row.body))
                return RecordStage(name=name, becomes=INFERENCE_DETAILS, bound=bound, held=held)
    return None


def _bound_event(hearing: Hearing, row: EventRow) -> BoundEvent:
    to = bind(hearing.target, Row(to=row.to, role=row.role)) if row.to else None
    return BoundEvent(
        row=row,
        way=to if to and to.key else None,
        attributes={key: hearing.binder.bind(member) for key, member in row.attributes.items()},
    )


def metrics(hearing: Hearing, draft: Draft) -> Mapping[str, tuple[MetricRow, ...]]:
    """By name, the most special profile's first; a beginning of names counts for the name the metric has."""
    rows: dict[str, tuple[MetricRow, ...]] = {}
    for profile in hearing.asked:
        for row in profile.metrics:
            for name in {row.name, *filter(row.matches, hearing.shape.events)}:
                rows[name] = (*rows.get(name, ()), row)
    for name in hearing.shape.events if hearing.signal == "point" else ():
        if name not in rows and name not in hearing.target.measures and name.startswith(hearing.spaces):
            rows[name] = (MetricRow(name=name, to="", lost="no_concept", points=(), unit=""),)
            draft.unknown.append(METRICS + name)
    return rows


def _rule(implied: Implied) -> str:
    asked = [f"{key}={'|'.join(values)}" for key, values in implied.when.values]
    return ", ".join([*asked, *implied.when.present]) or "shape"
