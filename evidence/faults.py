"""Faults between an agent and its recorder: what each does to the events on their way.

Law: a fault changes what it names and nothing else. Which events it meets is drawn by their ids, so a fault meets the
same events whatever other faults do. What a sender says of itself (its counts, the numbers of its receipts) stays said.

A fault of content acts on an item as its translation left it: it is written as an agent of the current conventions would
have sent it, so that translating it again changes nothing, and then loses what the fault takes.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from heapq import heappop, heappush
from typing import Any

from evidence.canonical import JsonObject, canonical
from evidence.commitment import Commitment
from evidence.draw import Draw
from evidence.event import LOG, RECEIPT, RESOURCE, RUN_CLOSED, RUN_OPENED, SCOPE, SPAN
from evidence.rerecording import ITEMS, Arrival
from evidence.signals import registry
from evidence.timestamp import from_unix_nano

_NANOS = 1_000_000_000
_TIME_END = 2**64  # OTLP has times as fixed64
_IDLE = "idle"
_RUN = "run"
"""The name by which a fault of the whole run draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a profile; which members it has is in `FAULTS` and `RECEIVER_FAULTS`."""

    kind: str
    of: frozenset[str] = frozenset()
    """Kinds of item that it meets: span, log, metric, receipt."""
    chance: float = 1.0
    together: str = ""
    """`trace` or `resource`: all items of one meet the fault, or none."""
    burst: int = 1
    """Items in a row that are lost at once."""
    places: int = 0
    """By how many later arrivals an item is overtaken at most."""
    characters: int = 0
    """What is kept of a text value."""
    keep: int = 0
    """Attributes that are kept."""
    seconds: float = 0.0
    least: float = 0.0
    most: float = 0.0
    octets: int = 0

    def meets(self, event: JsonObject, draw: Draw) -> bool:
        """Whether this event is one of those drawn."""
        return ITEMS.get(event["type"]) in self.of and draw.happens(self.chance, self._name(event))

    def _name(self, event: JsonObject) -> str:
        data = event["data"]
        if self.together == "resource":
            return str(data.get("resource", event["id"]))
        if self.together == "trace":
            item = data.get(ITEMS[event["type"]], data)
            return str(item.get("traceId") or data.get("trace_id") or event["id"])
        return str(event["id"])


Stream = Iterator[Arrival]
Stage = Callable[[Stream, Fault, Draw, int], Stream]
"""Arrivals, the fault, its draws and the number of events of the whole run; the arrivals as the fault leaves them."""


# ---------------------------------------------------------------- what does not arrive, or not there


def _lose(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    left = 0
    for arrival in stream:
        left = fault.burst if not left and fault.meets(arrival.event, draw) else left
        if left and ITEMS.get(arrival.event["type"]) in fault.of:
            left -= 1
            arrival = arrival._replace(absent=True)  # noqa: PLW2901 - the arrival, met
        yield arrival


def _repeat(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    for arrival in stream:
        yield arrival
        if not arrival.absent and fault.meets(arrival.event, draw):
            yield arrival._replace(again=True)


def _conflict(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """The span comes again as it was when it began, without what was set on it later."""
    for arrival in stream:
        yield arrival
        if not arrival.absent and fault.meets(arrival.event, draw):
            data = _translated(arrival.event)
            data["span"] = {key: value for key, value in data["span"].items() if key not in {"attributes", "events"}}
            yield _with_data(arrival, data)


def _reorder(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    late: list[tuple[int, int, Arrival]] = []
    for position, arrival in enumerate(stream):
        if arrival.event["type"] == RUN_CLOSED:
            while late:
                yield heappop(late)[2]
        if not arrival.absent and fault.meets(arrival.event, draw):
            places = 1 + draw.below(fault.places, f"{arrival.event['id']}/places")
            heappush(late, (position + places, position, arrival))
            yield arrival._replace(absent=True)
        else:
            yield arrival
        while late and late[0][0] <= position:
            yield heappop(late)[2]
    while late:
        yield heappop(late)[2]


def _close_early(stream: Stream, fault: Fault, draw: Draw, total: int) -> Stream:
    """What comes after the close is another part's: an amendment."""
    last = int(total * draw.between(fault.least, fault.most, _RUN))
    for position, arrival in enumerate(stream):
        is_late = position > last and arrival.event["type"] in ITEMS
        yield arrival._replace(absent=True) if is_late else arrival


# ---------------------------------------------------------------- beginning and end


def _lose_open(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """The run is then opened by what comes first of it."""
    held: list[Arrival] = []
    for arrival in stream:
        kind = arrival.event["type"]
        if (kind == RUN_OPENED and draw.happens(fault.chance, _RUN)) or (held and kind in {RESOURCE, SCOPE}):
            held.append(arrival)
        else:
            if held:
                yield _opened_by(ITEMS.get(kind, "close"), held[0])
                yield from held[1:]
                held.clear()
            yield arrival
    yield from held


def _opened_by(kind: str, opening: Arrival) -> Arrival:
    data = {name: value for name, value in opening.event["data"].items() if name != "context"}
    if data["reason"] == "open":
        data["reason"] = kind
    return opening if data == opening.event["data"] else _with_data(opening, data)


def _lose_close(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    for arrival in stream:
        data = arrival.event["data"]
        if arrival.event["type"] == RUN_CLOSED and data["reason"] == "explicit" and draw.happens(fault.chance, _RUN):
            said = {"sender_counts", "outcome"}
            data = {name: value for name, value in data.items() if name not in said} | {"reason": _IDLE}
            yield _with_data(arrival, data)
        else:
            yield arrival


def _stop(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    for arrival in stream:
        is_met = arrival.event["type"] == RUN_CLOSED and draw.happens(fault.chance, _RUN)
        yield arrival._replace(absent=True) if is_met else arrival


# ---------------------------------------------------------------- content


def _strip(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    return _each(stream, fault, draw, _stripped)


def _withhold(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    return _each(stream, fault, draw, _withheld)


def _truncate(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    return _each(stream, fault, draw, _truncated)


def _drop_attributes(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    return _each(stream, fault, draw, _limited)


def _each(stream: Stream, fault: Fault, draw: Draw, change: Callable[[JsonObject, Fault, Draw, str], bool]) -> Stream:
    """Changes the items that are met; one in which there is nothing to change stays as it is."""
    for arrival in stream:
        if not arrival.absent and fault.meets(arrival.event, draw):
            data = _translated(arrival.event)
            item = data[ITEMS[arrival.event["type"]]]
            if change(item, fault, draw, arrival.event["id"]):
                yield _with_data(arrival, data)
                continue
        yield arrival


def _stripped(item: JsonObject, _fault: Fault, _draw: Draw, _name: str) -> bool:
    kept = [pair for pair in item["attributes"] if pair.get("key") not in _bodies()]
    changed = len(kept) != len(item["attributes"])
    item["attributes"] = kept
    return changed


def _withheld(item: JsonObject, _fault: Fault, draw: Draw, name: str) -> bool:
    changed = False
    for position, pair in enumerate(item["attributes"]):
        if pair.get("key") in _bodies():
            body = canonical(pair.get("value"))
            salt = draw.octets(f"{name}/{pair['key']}")
            commitment = Commitment(
                alg="hmac-sha256",
                digest=hmac.digest(salt, body, "sha256").hex(),
                size_bytes=len(body),
                reason="perturbation",
            )
            item["attributes"][position] = {"key": pair["key"], "value": commitment.to_any_value()}
            changed = True
    return changed


def _truncated(item: JsonObject, fault: Fault, _draw: Draw, _name: str) -> bool:
    """As the SDK's attribute value length limit: texts, and the texts in arrays.

    https://opentelemetry.io/docs/specs/otel/common/#attribute-limits
    """
    before = item["attributes"]
    item["attributes"] = [{**pair, "value": _cut(pair.get("value"), fault.characters)} for pair in before]
    return bool(item["attributes"] != before)


def _cut(value: Any, characters: int) -> Any:  # noqa: ANN401 - an OTLP/JSON AnyValue of any shape
    if not isinstance(value, dict):
        return value
    if isinstance(text := value.get("stringValue"), str) and len(text) > characters:
        return {**value, "stringValue": text[:characters]}
    if isinstance(array := value.get("arrayValue"), dict) and isinstance(array.get("values"), list):
        return {**value, "arrayValue": {**array, "values": [_cut(each, characters) for each in array["values"]]}}
    return value


def _limited(item: JsonObject, fault: Fault, draw: Draw, name: str) -> bool:
    """As the SDK's attribute count limit, which says how many went; which ones differs by language and is drawn."""
    attributes = item["attributes"]
    if len(attributes) <= fault.keep:
        return False
    order = sorted(range(len(attributes)), key=lambda position: draw.octets(f"{name}/{position}"))
    kept = sorted(order[: fault.keep])
    item["droppedAttributesCount"] = item.get("droppedAttributesCount", 0) + len(attributes) - len(kept)
    item["attributes"] = [attributes[position] for position in kept]
    return True


@cache
def _bodies() -> frozenset[str]:
    """The attributes that hold content, by the signal registry."""
    return frozenset(name for signal in registry().signals.values() for name in signal.bodies)


# ---------------------------------------------------------------- clocks


def _shift_clock(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
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
    if not told:
        return arrival
    if kind != RECEIPT:
        data[ITEMS[kind]] = item
    return _with_data(arrival, data, time=from_unix_nano(int(item[told[0]])))


def _step_clock(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """The span ends before it began."""
    for arrival in stream:
        span = arrival.event["data"].get("span", {})
        start = _nanos(span.get("startTimeUnixNano"))
        if arrival.absent or not start or not fault.meets(arrival.event, draw):
            yield arrival
            continue
        end = _moved(span["startTimeUnixNano"], -int(fault.seconds * _NANOS))
        data = {**arrival.event["data"], "span": {**span, "endTimeUnixNano": end}}
        yield _with_data(arrival, data, time=from_unix_nano(int(end)))


def _nanos(value: object) -> int:
    """A time as OTLP/JSON has it; 0 for none and for what is no time."""
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < _TIME_END else 0


def _moved(value: Any, nanos: int) -> Any:  # noqa: ANN401 - whatever stands in a place for a time
    return str(min(max(1, _nanos(value) + nanos), _TIME_END - 1)) if _nanos(value) else value


# ---------------------------------------------------------------- items


def _with_data(arrival: Arrival, data: JsonObject, **envelope: str) -> Arrival:
    return arrival._replace(event={**arrival.event, **envelope, "data": data}, line=b"")


def _translated(event: JsonObject) -> JsonObject:
    """The data of an event with the translation carried out, and nothing said of it any more. The item is a new object."""
    name = ITEMS[event["type"]]
    data = {key: value for key, value in event["data"].items() if key not in {"mapped", "loss"}}
    mapped = event["data"].get("mapped", {})
    item = dict(data[name])
    new = {pair["key"]: pair for pair in mapped.get("attributes", ())}
    gone = {*mapped.get("removed", ()), *new}
    item["attributes"] = [pair for pair in item.get("attributes", ()) if pair.get("key") not in gone] + list(
        new.values()
    )
    for own, said in (("name", "name"), ("kind", "kind"), ("eventName", "event_name")):
        if said in mapped:
            item[own] = mapped[said]
    if removed := set(mapped.get("events_removed", ())):
        item["events"] = [each for index, each in enumerate(item["events"]) if index not in removed]
    if mapped.get("body_removed"):
        item.pop("body", None)
    return {**data, name: item}


# ---------------------------------------------------------------- the tables


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: the members it must and may have, and what it does."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    """What `of` may name."""
    stage: Stage | None = None
    """None for faults at the receiver, which are carried out there."""


_TELEMETRY = ("span", "log")
_ALL = (*_TELEMETRY, "metric", "receipt")
_CLOCKED = (*_TELEMETRY, "receipt")

FAULTS: Mapping[str, Kind] = {
    "lose": Kind(("of", "chance"), ("burst", "together"), _ALL, _lose),
    "repeat": Kind(("of", "chance"), ("together",), _ALL, _repeat),
    "conflict": Kind(("of", "chance"), (), ("span",), _conflict),
    "reorder": Kind(("of", "chance", "places"), (), _ALL, _reorder),
    "strip": Kind(("of", "chance"), ("together",), _TELEMETRY, _strip),
    "withhold": Kind(("of", "chance"), ("together",), _TELEMETRY, _withhold),
    "truncate": Kind(("of", "chance", "characters"), ("together",), _TELEMETRY, _truncate),
    "drop_attributes": Kind(("of", "chance", "keep"), ("together",), _TELEMETRY, _drop_attributes),
    "shift_clock": Kind(("of", "seconds"), (), _CLOCKED, _shift_clock),
    "step_clock": Kind(("of", "chance", "seconds"), (), ("span",), _step_clock),
    "close_early": Kind(("least", "most"), (), (), _close_early),
    "lose_open": Kind((), ("chance",), (), _lose_open),
    "lose_close": Kind((), ("chance",), (), _lose_close),
    "stop": Kind((), ("chance",), (), _stop),
}
"""The faults between agent and recorder."""

RECEIVER_FAULTS: Mapping[str, Kind] = {
    "refuse": Kind(("chance", "seconds")),
    "delay": Kind(("chance", "seconds")),
    "reset": Kind(("chance", "octets")),
    "restart": Kind(("chance",)),
}
"""The faults at the receiver's door: each request, or each connection, is drawn by its number."""
