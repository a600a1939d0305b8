"""Faults of what arrives, and when: loss, repetition, disorder, and a beginning or an end that nobody told."""

from heapq import heappop, heappush

from evidence.event import RESOURCE, RUN_CLOSED, RUN_OPENED, SCOPE
from evidence.soak.draw import Draw
from evidence.soak.faults.fault import RUN, Fault, Stream, with_data
from evidence.soak.rerecording import ITEMS, Arrival

_IDLE = "idle"


def lose(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Loses items: singly, so many in a row, or all of a trace or resource together."""
    left = 0
    for arrival in stream:
        left = fault.burst if not left and fault.meets(arrival.event, draw) else left
        if left and ITEMS.get(arrival.event["type"]) in fault.of:
            left -= 1
            arrival = arrival._replace(absent=True)  # noqa: PLW2901 - the arrival, met
        yield arrival


def repeat(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Sends items again, as they are."""
    for arrival in stream:
        yield arrival
        if not arrival.absent and fault.meets(arrival.event, draw):
            yield arrival._replace(again=True)


def reorder(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Lets items be overtaken by later ones."""
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


def close_early(stream: Stream, fault: Fault, draw: Draw, total: int) -> Stream:
    """What comes after the close is another part's: an amendment."""
    last = int(total * draw.between(fault.least, fault.most, RUN))
    for position, arrival in enumerate(stream):
        is_late = position > last and arrival.event["type"] in ITEMS
        yield arrival._replace(absent=True) if is_late else arrival


# ---------------------------------------------------------------- beginning and end


def lose_open(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """The run is then opened by what comes first of it."""
    opening: Arrival | None = None
    shared: list[Arrival] = []  # resources and scopes, which a recorder writes with the item that refers to them
    for arrival in stream:
        kind = arrival.event["type"]
        if kind == RUN_OPENED and draw.happens(fault.chance, RUN):
            opening = arrival
            yield arrival._replace(absent=True)
        elif opening is None:
            yield arrival
        elif kind in {RESOURCE, SCOPE}:
            shared.append(arrival)
        else:
            if not arrival.absent:
                yield _opened_by(ITEMS.get(kind, "close"), opening)
                opening = None
            yield from shared
            shared.clear()
            yield arrival
    if opening is not None:
        yield opening
    yield from shared


def _opened_by(kind: str, opening: Arrival) -> Arrival:
    data = {name: value for name, value in opening.event["data"].items() if name != "context"}
    if data["reason"] == "open":
        data["reason"] = kind
    return opening if data == opening.event["data"] else with_data(opening, data)


def lose_close(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Loses `CloseRun`: the run ends idle, and what the sender said with it is not there."""
    for arrival in stream:
        data = arrival.event["data"]
        if arrival.event["type"] == RUN_CLOSED and data["reason"] == "explicit" and draw.happens(fault.chance, RUN):
            said = {"sender_counts", "outcome"}
            data = {name: value for name, value in data.items() if name not in said} | {"reason": _IDLE}
            yield with_data(arrival, data)
        else:
            yield arrival


def stop(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Stops the recorder before it closes the run."""
    for arrival in stream:
        is_met = arrival.event["type"] == RUN_CLOSED and draw.happens(fault.chance, RUN)
        yield arrival._replace(absent=True) if is_met else arrival
