"""A log record that is a message of a model call becomes a record of the target's own event, with the message as an attribute.

The conventions of 1.28 to 1.36 sent each message as a record of its own, whose body it was. Today one record of
`gen_ai.client.inference.operation.details` has the messages of a call as attributes; it belongs to the span whose ids it bears.
The rows are those of span events (`EventRow`): whichever way a message came, it is read the same (docs/adr/0008).

Laws: a record is translated by itself, so the records of one call stay several, joined by trace and span id; a body goes when
all of it has found its place, and stays otherwise; a record without these ids is translated as well, and noted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from semconv.messages.messages import Reading, read
from semconv.plan.run import EQUAL, LOST, Run
from semconv.plan.settle import book, offer_body
from semconv.plan.stages import BoundEvent, said_in
from semconv.translation import Loss
from semconv.value import Value, leaves, size
from semconv.view import Attributes, LogView

EVENT_NAMES: Final = ("event.name", "event_name", "logrecord.event.name")
"""Attributes that hold the name where an emitter, or a bridge from a logging library, does not fill the record's own field."""
BODY: Final = "@body"


def names_of(event_name: str, attributes: Attributes) -> frozenset[str]:
    """Every name a record goes by: that of its own field, and those of the attributes that stand in for it."""
    said = [event_name, *[attributes[key] for key in EVENT_NAMES if key in attributes]]
    return frozenset([name for name in said if isinstance(name, str) and name])


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStage:
    """The message a record is, and its name. No other stage looks at the attributes in `held`."""

    name: str
    """The name by which the row was found."""
    becomes: str
    """The name of the target's event."""
    bound: BoundEvent
    held: tuple[str, ...]
    """Those that hold the name or the body."""

    def do(self, run: Run) -> None:
        """Fold the body into the messages it is, or lose it; give name, body and held attributes their buckets."""
        record, row, way = run.record, self.bound.row, self.bound.way
        assert record is not None  # only plans for log records have this stage
        value = record.attributes.get(row.body) if row.body else record.body
        if way is None:
            self._stay(run, record, value, row.lost or "no_concept_at_version")
            return
        reading = read(way.shape, said_in(run, value, row), run.shapes, role=way.role)
        won = LOST if reading is None else offer_body(run, way.key, reading, way.shape)
        if reading is None or won is LOST:
            self._stay(run, record, value, "unstructured" if reading is None else row.yields)
        else:
            self._go(run, record, value, reading, equal=won is EQUAL)

    def _go(self, run: Run, record: LogView, value: Value, reading: Reading, *, equal: bool) -> None:
        """The body is in the attribute: it goes, and the record takes the name of the target's event."""
        row = self.bound.row
        run.lossy = True  # the form of the body does not follow from the messages
        run.event_name = self.becomes
        if value is not None:
            count = run.scope.weighed(value)[1] if isinstance(value, str) else leaves(value)
            run.extra += count - 1
            book(run, row.body or BODY, reading, count, equal=equal)
        if row.body:
            run.removed.append(row.body)
            run.kept += record.body is not None
        else:
            run.body_removed = value is not None
        if not (record.trace_id and record.span_id):
            run.notes.append(Loss(BODY, "log_unjoined", 0))
        if record.event_name in ("", self.name):
            run.converted += bool(record.event_name)
        else:
            run.drop("@event_name", "name_changed", 1, size(record.event_name))
            run.irreversible = True
        for key in self.held:
            if key == row.body:
                continue
            if record.attributes[key] != self.name:
                run.kept += 1
                continue
            run.removed.append(key)
            run.converted += not record.event_name
            run.derived += bool(record.event_name)

    def _stay(self, run: Run, record: LogView, value: Value, reason: str) -> None:
        """The body has no home: all stays where it is."""
        row = self.bound.row
        run.kept += bool(record.event_name) + len(self.held)
        if row.body:
            run.kept += (record.body is not None) - 1
            run.drop(row.body, reason)
        elif value is not None:
            count = leaves(value)
            run.extra += count - 1
            run.drop(BODY, reason, count, size(value))
