"""Telemetry of one event as the translation leaves it, and plain values of what OTLP/JSON writes.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

Law: whoever reads evidence for people must get through all of it, so nothing here raises on content: what is not of the
form it should have reads as absent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evidence.canonical import JsonObject
from evidence.event import LOG, METRIC, SPAN
from evidence.redaction.commitment import KEY, MARK, Commitment, marks, read_commitment, read_member

MEMBERS: Mapping[str, str] = {SPAN: "span", LOG: "log", METRIC: "metric"}
"""Types of event that hold telemetry, and the member that it is in."""

_NANOS_END = 2**64  # OTLP has times as unsigned 64-bit integers
_STATUS_ERROR = 2  # OTLP Status.StatusCode
_SEVERITY_ERROR = 17  # OTLP SeverityNumber: ERROR and FATAL are 17 to 24


@dataclass(frozen=True)
class Item:
    """A span, log record or metric."""

    kind: str
    """`span`, `log` or `metric`."""
    received: JsonObject
    """As it came, in OTLP/JSON."""
    data: JsonObject
    """The event's data: the item with what translation changed and lost."""

    @cached_property
    def attributes(self) -> dict[str, JsonObject]:
        """OTLP/JSON values by key, after translation."""
        found = dict(pairs(self.received.get("attributes")))
        for key in texts(self.mapped.get("removed")):
            found.pop(key, None)
        found.update(pairs(self.mapped.get("attributes")))
        return found

    @property
    def mapped(self) -> JsonObject:
        """What translation changed; empty for nothing."""
        return mapping(self.data.get("mapped"))

    @property
    def name(self) -> str:
        """Name of the span, event name of the log record, or name of the metric; "" for none."""
        if self.kind == "log":
            named = text(self.mapped.get("event_name")) or self.text("event.name")
            return named or text(self.received.get("eventName"))
        return text(self.mapped.get("name")) or text(self.received.get("name"))

    @property
    def start_nanos(self) -> int:
        """When it began or was, in nanoseconds since 1970; 0 for unknown."""
        if self.kind == "log":
            return nanos(self.received.get("timeUnixNano")) or nanos(self.received.get("observedTimeUnixNano"))
        return nanos(self.received.get("startTimeUnixNano"))

    @property
    def end_nanos(self) -> int:
        """When a span ended; 0 for unknown, and for what is no span."""
        return nanos(self.received.get("endTimeUnixNano")) if self.kind == "span" else 0

    @property
    def failed(self) -> bool:
        """Whether the span's status is an error, or the record's severity is."""
        if self.kind == "log":
            severity = self.received.get("severityNumber")
            return (type(severity) is int and severity >= _SEVERITY_ERROR) or "error.type" in self.attributes
        return mapping(self.received.get("status")).get("code") == _STATUS_ERROR

    @property
    def losses(self) -> dict[str, int]:
        """How many paths translation lost, by reason."""
        lost = mapping(self.data.get("loss"))
        return {reason: len(paths) for reason, paths in sorted(lost.items()) if isinstance(paths, list)}

    def id(self, name: str) -> str:
        """An id of the received item, such as `spanId`; "" for none and for one of zeros."""
        value = text(self.received.get(name))
        return value if value.strip("0") else ""

    def text(self, key: str) -> str:
        """The text of an attribute; "" for none and for what is no text."""
        return text(self.attributes.get(key, {}).get("stringValue"))

    def value(self, key: str) -> Any:  # noqa: ANN401 - whatever an attribute can hold
        """The plain value of an attribute; None for none."""
        return plain(self.attributes.get(key))

    def count(self, key: str) -> int:
        """The attribute as a number of 0 or more; 0 for anything else."""
        found = self.value(key)
        return int(found) if type(found) in {int, float} and 0 <= found < _NANOS_END else 0

    def withheld(self) -> Iterator[tuple[str, Commitment]]:
        """The attributes of which only a commitment is there."""
        for key, value in self.attributes.items():
            if ("kvlistValue" in value or "stringValue" in value) and (commitment := withheld_in(value)):
                yield key, commitment


def read_item(event: JsonObject) -> Item | None:
    """The telemetry of an event that passed `evidence.event.check`; None for an event without any."""
    member = MEMBERS.get(event["type"])
    return Item(member, event["data"][member], event["data"]) if member else None


def commitment_in(value: object) -> Commitment | None:
    """`read_commitment` of a value of any shape."""
    try:
        return read_commitment(value) if isinstance(value, dict) else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def withheld_in(value: object) -> Commitment | None:
    """The commitment that stands for all of a value: of OTLP/JSON, of plain JSON, or of a text that is one mark."""
    if isinstance(value, dict):
        value = value.get("stringValue", value)
    if isinstance(value, str):
        found = next(marks(value), None) if value.startswith(KEY) else None
        return found if found and found.to_mark() == value else None
    return read_member(value) or commitment_in(value)


def readable(value: str) -> str:
    """A text with its marks of what is withheld in words."""
    return MARK.sub(lambda mark: f"[withheld: {mark[4] or 'no reason said'}, {mark[3]} bytes]", value)


def plain(value: object) -> Any:  # noqa: ANN401 - whatever an attribute can hold
    """The plain value of an OTLP/JSON AnyValue; None for what is none. Bytes stay base64 text."""
    if not isinstance(value, dict):
        return None
    if "arrayValue" in value:
        return [plain(item) for item in sequence(mapping(value["arrayValue"]).get("values"))]
    if "kvlistValue" in value:
        return {key: plain(item) for key, item in pairs(mapping(value["kvlistValue"]).get("values"))}
    if "intValue" in value:
        return integer(value["intValue"])
    return value.get("stringValue", value.get("doubleValue", value.get("boolValue", value.get("bytesValue"))))


def pairs(value: object) -> Iterator[tuple[str, JsonObject]]:
    """Key and value of each OTLP/JSON KeyValue in a list, without those that hold nothing."""
    for pair in sequence(value):
        if isinstance(pair, dict) and isinstance(key := pair.get("key"), str):
            item = pair.get("value")
            if item and isinstance(item, dict):
                yield key, item


def nanos(value: object) -> int:
    """A time of OTLP/JSON in nanoseconds since 1970; 0 for none and for what is out of range."""
    found = integer(value)
    return found if found is not None and 0 < found < _NANOS_END else 0


def integer(value: object) -> int | None:
    """A 64-bit integer of OTLP/JSON, which is a number or its decimal text; None for anything else."""
    if type(value) is int:
        return value
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.removeprefix("-").isdecimal():
        return int(value)
    return None


def mapping(value: object) -> JsonObject:
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """`value` when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """`value` when it is text, else "" ."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """The texts in a list."""
    return [item for item in sequence(value) if isinstance(item, str)]
