"""Faults of clocks: each process has its own, and any of them may be set."""

from typing import Any

from evidence.event import LOG, RECEIPT, SPAN
from evidence.soak.draw import Draw
from evidence.soak.faults.fault import Fault, Stream, with_data
from evidence.soak.rerecording import ITEMS, Arrival
from evidence.timestamp import from_unix_nano

_NANOS = 1_000_000_000
_TIME_END = 2**64  # OTLP has times as fixed64


def shift_clock(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Each process has a clock of its own, which is wrong by one amount; all receipts have another."""
    for arrival in stream:
        kind = ITEMS.get(arrival.event["type"])
        if kind not in fault.of or arrival.absent:
            yield arrival
            continue
        clock = arrival.event["data"].get("resource", "receipts")
        yield _shifted(arrival, int(draw.between(-fault.seconds, fault.seconds, clock) * _NANOS))


_TIMES = {
    SPAN: ("endTimeUnixNano", "startTimeUnixNano"),
    LOG: ("timeUnixNano", "observedTimeUnixNano"),
    RECEIPT: ("time_unix_nano",),
}
"""The times in an item; the first that is there is the event's."""


def _shifted(arrival: Arrival, nanos: int) -> Arrival:
    event = arrival.event
    kind, data = event["type"], dict(event["data"])
    item = data if kind == RECEIPT else dict(data[ITEMS[kind]])
    told = [name for name in _TIMES[kind] if _nanos(item.get(name))]
    for name in told:
        item[name] = _moved(item[name], nanos)
    if isinstance(events := item.get("events"), list):
        item["events"] = [{**each, "timeUnixNano": _moved(each.get("timeUnixNano"), nanos)} for each in events]
    if not told or not nanos:
        return arrival
    if kind != RECEIPT:
        data[ITEMS[kind]] = item
    return with_data(arrival, data, time=from_unix_nano(int(item[told[0]])))


def step_clock(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """The span ends before it began."""
    for arrival in stream:
        span = arrival.event["data"].get("span", {})
        start = _nanos(span.get("startTimeUnixNano"))
        if arrival.absent or not start or not fault.meets(arrival.event, draw):
            yield arrival
            continue
        end = _moved(span["startTimeUnixNano"], -int(fault.seconds * _NANOS))
        data = {**arrival.event["data"], "span": {**span, "endTimeUnixNano": end}}
        yield with_data(arrival, data, time=from_unix_nano(int(end)))


def _nanos(value: object) -> int:
    """A time as OTLP/JSON has it; 0 for none and for what is no time."""
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < _TIME_END else 0


def _moved(value: Any, nanos: int) -> Any:  # noqa: ANN401 - whatever stands in a place for a time
    return str(min(max(1, _nanos(value) + nanos), _TIME_END - 1)) if _nanos(value) else value
