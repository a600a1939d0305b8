"""Records a run again from what arrives of it: the same rules as the recorder's, over events that were recorded before.

Law: what arrives as it was recorded comes out byte for byte. Otherwise the result is what the recorder would have written
had only this arrived, in this order: numbered without a hole, each resource and scope once and before the first item that
refers to it, a repetition counted and not written, the closing event true to what is there, and the gaps that it shows.

What the recorder said was withheld from the whole run stays said as it was, though items that held some of it may be gone.
Does not check its input: it was read strictly before (`evidence.bundle.reader`).
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from evidence.canonical import JsonObject, canonical
from evidence.capture.counts import count_of
from evidence.capture.receipt_numbers import ReceiptNumbers
from evidence.closing import CLOSING_GAPS, closing_gaps
from evidence.event import (
    LOG,
    METRIC,
    RECEIPT,
    REDACTION,
    RESOURCE,
    RUN_CLOSED,
    RUN_GAP,
    RUN_OPENED,
    SCOPE,
    SPAN,
)

ITEMS = {SPAN: "span", LOG: "log", METRIC: "metric", RECEIPT: "receipt"}
"""Types of event that were sent, and what each is called."""

_COUNTS = {SPAN: "spans", LOG: "logs", METRIC: "metrics", RECEIPT: "receipts"}
_NAMED = frozenset({SPAN, RECEIPT})  # items whose repetition the recorder can tell; of others it takes every one
_SHARED = frozenset({RESOURCE, SCOPE})
_REFERRING = frozenset({SPAN, LOG, METRIC})
_REFERENCES = ("resource", "scope")
_DATA_END = b',"datacontenttype":'  # `data` is the first member of an event in canonical order


class Arrival(NamedTuple):
    """One event on its way to the recorder."""

    event: JsonObject
    line: bytes
    """Its canonical form; empty when `data`, or the envelope, is no longer what was recorded."""
    again: bool = False
    """Whether it was sent before, as it is."""
    absent: bool = False
    """Whether it does not arrive here: it is lost, or comes later. Its place is told, for it says where what it refers to stood."""


def rerecorded(arrivals: Iterable[Arrival]) -> Iterator[tuple[JsonObject, bytes]]:
    """The events of the run and their lines, as a stream; it holds the resources and scopes that nothing refers to yet."""
    recorder = _Recorder()
    for arrival in arrivals:
        yield from recorder.take(arrival)
    yield from recorder.end()


class _Recorder:
    def __init__(self) -> None:
        self._next_seq: int | None = None
        self._events = 0
        self._counts = dict.fromkeys(_COUNTS.values(), 0)
        self._repetitions = 0
        self._numbers = ReceiptNumbers()
        self._part = 1
        self._last_words: list[Arrival] = []
        """What the recorder says of the whole run just before it closes it."""
        self._fresh: dict[str, Arrival] = {}
        """Resources and scopes that came just before the next item."""
        self._waiting: dict[str, Arrival] = {}
        """Those whose item did not come: they are written with the next one that refers to them."""

    def take(self, arrival: Arrival) -> Iterator[tuple[JsonObject, bytes]]:
        event = arrival.event
        kind, data = event["type"], event["data"]
        if self._next_seq is None:
            self._next_seq = event["seq"]
        if kind in _SHARED:
            self._fresh[data["digest"]] = arrival
            return
        referred = tuple(data[name] for name in _REFERENCES) if kind in _REFERRING else ()
        if self._fresh:
            yield from self._settle(referred)
        if arrival.absent or (kind == RUN_GAP and data["kind"] in CLOSING_GAPS):
            return
        if arrival.again and kind in _NAMED:
            self._repetitions += 1
            return
        for digest in referred:
            if part := self._waiting.pop(digest, None):
                yield self._write(part)
        if kind == REDACTION:
            self._last_words.append(arrival)
            return
        if kind == RUN_CLOSED:
            yield from self._close(arrival)
            return
        if kind == RUN_OPENED:
            self._part = data["part"]
        if kind in ITEMS:
            self._counts[_COUNTS[kind]] += 1
            if kind == RECEIPT:
                self._numbers.add(count_of(data.get("sequence")))
        yield self._write(arrival)

    def end(self) -> Iterator[tuple[JsonObject, bytes]]:
        yield from self._settle(())
        yield from map(self._write, self._last_words)

    def _settle(self, referred: Collection[str]) -> Iterator[tuple[JsonObject, bytes]]:
        """Tells what waits for an item from what the recorder had written for one that it could not record."""
        for digest, part in self._fresh.items():
            if digest in referred:
                self._waiting[digest] = part
            else:
                yield self._write(part)
        self._fresh.clear()

    def _close(self, arrival: Arrival) -> Iterator[tuple[JsonObject, bytes]]:
        event, data = arrival.event, arrival.event["data"]
        for kind, count, detail in closing_gaps(self._counts, self._numbers, self._part, data.get("sender_counts", {})):
            gap = {name: event[name] for name in event if name not in {"subject", "traceparent"}}
            gap |= {"type": RUN_GAP, "data": {"kind": kind, "count": count, "detail": detail}}
            yield self._write(Arrival(gap, b""))
        yield from map(self._write, self._last_words)
        self._last_words.clear()
        true = {**data, "events": self._events + 1, **self._counts}
        if self._repetitions:
            true["duplicates"] = data.get("duplicates", 0) + self._repetitions
        yield self._write(arrival if true == data else Arrival({**event, "data": true}, b""))

    def _write(self, arrival: Arrival) -> tuple[JsonObject, bytes]:
        event, line = arrival.event, arrival.line
        seq, self._next_seq = self._next_seq, (self._next_seq or 0) + 1
        self._events += 1
        if line and event["seq"] == seq:
            return event, line
        event = {**event, "id": f"{event['runid']}:{seq}", "seq": seq}
        head = line[: line.rfind(_DATA_END)] if line else b'{"data":' + canonical(event["data"])
        envelope = canonical({name: value for name, value in event.items() if name != "data"})
        return event, head + b"," + envelope[1:]
