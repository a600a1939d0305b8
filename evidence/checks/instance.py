"""One instance that a selector may pick: where it is, and the values of its names.

Law: a value is plain JSON, or `Withheld` when it is only committed to, or None when it is absent; nothing raises on content.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from evidence.canonical import JsonObject, canonical
from evidence.checks.item import integer, mapping, nanos, pairs, plain, text
from evidence.checks.ledger import Place
from evidence.checks.presence import Presence
from evidence.digest import is_tagged
from evidence.errors import CanonicalError
from evidence.event import LOG, RECEIPT, SPAN
from evidence.redaction.commitment import Commitment
from evidence.timestamp import to_unix_nano

Value = Any
"""Plain JSON, `Withheld`, or None."""

_SPAN_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")  # OTLP Span.SpanKind
_TEXT_MAX = 96  # longer texts are told apart by their digest, so that what is held on to is bounded
_CANONICAL_MAX = 1 << 20  # bytes of text that are parsed for the digest of their canonical form


class Instance:
    """An event, or something inside one.

    Args:
        event: the event.
        path: where it is inside the event, as a JSON pointer in a fragment: `#/data/...`.
        look_up: the value of a name.
    """

    __slots__ = ("event", "look_up", "place")

    def __init__(self, event: JsonObject, path: str, look_up: Callable[[str], Value]) -> None:
        self.event = event
        self.look_up = look_up
        self.place: Place = (event["seq"], event["id"] + path)

    def value(self, name: str) -> Value:
        """What stands under a name."""
        return _about(self.event, name) if name[0] == "@" else self.look_up(name)

    @property
    def time(self) -> int:
        """`@time`: when it was over, in nanoseconds since 1970."""
        return int(self.value("@time"))

    @property
    def start(self) -> int:
        """`@start` of a span or of what is in one, else `@time`."""
        return int(self.value("@start" if self.event["type"] == SPAN else "@time") or 0)


class AttributeInstance(Instance):
    """An event of which the attributes are asked for.

    Args:
        event: the event.
        path: of its attributes.
        attributes: OTLP/JSON values by key.
        presence: tells what is there.
        is_marked: `Presence.is_marked` of the event.
    """

    __slots__ = ("attributes", "is_marked", "known", "presence")

    def __init__(
        self,
        event: JsonObject,
        path: str,
        attributes: Mapping[str, JsonObject],
        presence: Presence,
        is_marked: bool = True,  # noqa: FBT001, FBT002 - made for every span
    ) -> None:
        self.event = event
        self.place = (event["seq"], event["id"] + path)
        self.attributes = attributes
        self.presence = presence
        self.is_marked = is_marked
        self.known: dict[str, Value] = {}
        """The values that were asked for: several checks ask for the same."""

    def value(self, name: str) -> Value:
        """What stands under a name."""
        if name not in self.known:
            self.known[name] = _about(self.event, name) if name[0] == "@" else self._attribute(name)
        return self.known[name]

    def _attribute(self, name: str) -> Value:
        value = self.attributes.get(name)
        state = self.presence.state(name, value, self.is_marked) if value else None
        return plain(value) if state is True else state


def body_values(body: JsonObject, presence: Presence) -> Callable[[str], Value]:
    """The values of a receipt's members, for an `Instance`; `a.b` is member b of member a."""

    def look_up(name: str) -> Value:
        value: Value = body
        for member in name.split("."):
            value = value.get(member) if isinstance(value, dict) else None
        state = presence.plain_state(value)
        return value if state is True else state

    return look_up


def _about(event: JsonObject, name: str) -> Value:
    data = event["data"]
    found = None
    if event["type"] == SPAN:
        found = _about_span(data["span"], name)
    elif event["type"] == LOG:
        found = _about_log(data["log"], name)
    elif event["type"] == RECEIPT:
        found = _about_receipt(data, name)
    return found or (to_unix_nano(event["time"]) if name == "@time" else None)


def _about_span(span: JsonObject, name: str) -> Value:
    if name in {"@time", "@end"}:
        return nanos(span.get("endTimeUnixNano"))
    if name == "@start":
        return nanos(span.get("startTimeUnixNano"))
    if name == "@kind":
        kind = span.get("kind", 0)
        return _SPAN_KINDS[kind] if type(kind) is int and 0 <= kind < len(_SPAN_KINDS) else "unspecified"
    return _exception_type(span) if name == "@exception_type" else _id(span.get(_IDS[name]))


def _exception_type(span: JsonObject) -> str | None:
    """https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/"""
    if "events" not in span:
        return None
    raised = [mapping(event) for event in span.get("events", ()) if mapping(event).get("name") == "exception"]
    said = dict(pairs(raised[-1].get("attributes"))) if raised else {}
    return text(plain(said.get("exception.type"))) or None


def _about_log(log: JsonObject, name: str) -> Value:
    if name == "@time":
        return nanos(log.get("timeUnixNano")) or nanos(log.get("observedTimeUnixNano"))
    if name == "@kind":
        return text(log.get("eventName")) or None
    return _id(log.get(_IDS[name])) if name in _IDS else None


def _about_receipt(data: JsonObject, name: str) -> Value:
    if name == "@time":
        return nanos(data.get("time_unix_nano"))
    if name == "@kind":
        return data["kind"]
    return _id(data.get(name[1:]))


_IDS = {"@span_id": "spanId", "@trace_id": "traceId", "@parent_span_id": "parentSpanId"}


def _id(value: object) -> str | None:
    found = text(value).lower()
    return found if found.strip("0") else None


# ------------------------------------------------------------------ comparing values


def short(text: str) -> str:
    """A text that is held on to: itself, or its digest when it is long."""
    return text if len(text) <= _TEXT_MAX else "#" + hashlib.sha256(text.encode(errors="replace")).hexdigest()


def comparable(value: Value) -> str:
    """A value as a text that equal values share: short, whatever the value."""
    if type(value) is str:
        found = value[7:] if value.startswith("sha256:") and is_tagged(value) else value
    elif value is True or value is False:
        found = "true" if value else "false"
    else:
        found = str(value) if type(value) is int else _json(value).decode(errors="replace")
    return short(found)


def texts_of(value: Value) -> list[str]:
    """A value as texts: one, or those of a list's elements."""
    if isinstance(value, list):
        return [each for item in value if not isinstance(item, list) for each in texts_of(item)]
    if isinstance(value, str):
        return [value]
    if value is None or isinstance(value, (dict, tuple)):
        return []
    return [comparable(value)]


def words_of(value: Value) -> frozenset[str]:
    """A list as the set of its texts, a text as the set of its words."""
    return frozenset(value.split() if isinstance(value, str) else texts_of(value))


def number_of(value: Value) -> float | None:
    """A value as a number: one, or the decimal text of an integer, as JSON has those of 64 bits; None for anything else."""
    if type(value) is float:
        return value
    return integer(value)


def digests_of(value: Value) -> tuple[str, ...]:
    """The SHA-256 digests, in hexadecimal, that a value may be known by.

    Of its text as it is and of the canonical form of the JSON in it; of what is withheld, the digest of a commitment by
    plain SHA-256 to the whole of it.
    """
    if isinstance(value, tuple):
        return tuple(each.digest.removeprefix("sha256:") for each in value if each.alg == "sha256" and len(value) == 1)
    found: dict[str, None] = {}
    if isinstance(value, str):
        data = value.encode(errors="replace")
        found[hashlib.sha256(data).hexdigest()] = None
        try:
            value = orjson.loads(data) if len(data) <= _CANONICAL_MAX else None
        except orjson.JSONDecodeError:
            value = None
    if value is not None and (data := _json(value)):
        found[hashlib.sha256(data).hexdigest()] = None
    return tuple(found)


def _json(value: Value) -> bytes:
    """The canonical form; empty when there is none."""
    try:
        return canonical(value)
    except (CanonicalError, RecursionError):
        return b""


# ------------------------------------------------------------------ what is inside an event


def tool_definitions(value: JsonObject) -> tuple[JsonObject, ...]:
    """The tools in `gen_ai.tool.definitions`: name, digest, description and server of each, as far as it says so."""
    found = plain(value)
    if isinstance(found, str):
        try:
            found = orjson.loads(found)
        except orjson.JSONDecodeError:
            return ()
    return tuple(_tool(each) for each in found if isinstance(each, dict)) if isinstance(found, list) else ()


def _tool(definition: JsonObject) -> JsonObject:
    inner = mapping(definition.get("function"))
    said = {
        "name": text(definition.get("name")) or text(inner.get("name")),
        "description": text(definition.get("description")) or text(inner.get("description")),
        "server": text(definition.get("server")) or text(definition.get("server_label")),
        "digest": hashlib.sha256(_json(definition)).hexdigest(),
    }
    return {name: value for name, value in said.items() if value}


def of_commitment(each: Commitment) -> JsonObject:
    """The names of an instance of kind `withheld`."""
    said = {"alg": each.alg, "digest": each.digest, "size_bytes": each.size_bytes, "reason": each.reason}
    return {name: value for name, value in said.items() if value != ""}
