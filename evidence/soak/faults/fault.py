"""One fault, and what every kind of fault is made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from evidence.canonical import JsonObject
from evidence.soak.draw import Draw
from evidence.soak.rerecording import ITEMS, Arrival

RUN = "run"
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


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: the members it must and may have, and what it does."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    """What `of` may name."""
    stage: Stage | None = None
    """None for faults at the receiver, which are carried out there."""


def with_data(arrival: Arrival, data: JsonObject, **envelope: str) -> Arrival:
    """The arrival saying something else."""
    return arrival._replace(event={**arrival.event, **envelope, "data": data}, line=b"")
