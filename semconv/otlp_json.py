"""OTLP/JSON and plain values: `any_value` one way, `plain` the other, and the views over whole items.

The form is that of the OTLP specification (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding):
64-bit integers are decimal strings, NaN and the infinities are strings, bytes are base64, enums are integers.
A negative zero is a string as well: canonical JSON (RFC 8785) has none among its numbers.
Law: `plain(any_value(v)) == v` for every value; a document of another shape is an `OtlpJsonError`, never a guess.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypedDict

from semconv.errors import OtlpJsonError
from semconv.value import Value
from semconv.view import Attributes, EventView, LogView, MetricView, SpanView

DEPTH_MAX: Final = 128
"""Arrays and maps inside each other in one AnyValue."""

METRIC_TYPES: Final = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")

_INTEGER_END: Final = 2**53
_SPECIAL: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}


def any_value(value: Value) -> dict[str, Any]:
    """The OTLP/JSON AnyValue of a plain value; `{}` is the empty one."""
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": double_form(value)}
    if value is None:
        return {}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]} if value else {}}
    return {"kvlistValue": {"values": key_values(value)} if value else {}}


def key_values(plain_attributes: Mapping[str, Value]) -> list[dict[str, Any]]:
    """The KeyValue list of a mapping, in the mapping's order."""
    return [{"key": key, "value": any_value(value)} for key, value in plain_attributes.items()]


def plain(value: Mapping[str, Any], _depth: int = DEPTH_MAX) -> Value:
    """The plain value of an OTLP/JSON AnyValue.

    Raises:
        OtlpJsonError: it is no AnyValue, or nests deeper than `DEPTH_MAX`.
    """
    field, raw = _member(value)
    read = _READERS.get(field)
    return read(raw, _depth) if read else None


def attributes(items: Sequence[Mapping[str, Any]]) -> Attributes:
    """The attributes of a KeyValue list; of duplicate keys the last wins."""
    return _key_values(items, DEPTH_MAX)


class Surroundings(TypedDict):
    """What the items of one scope have in common. Made once for all of them, and shared by their views."""

    resource: Attributes
    scope_name: str
    scope_version: str
    scope_attributes: Attributes


def surroundings(resource: Mapping[str, Any], scope: Mapping[str, Any]) -> Surroundings:
    """What a resource and a scope object give to each item below them. Raises as `span_view` does."""
    return {
        "resource": attributes(_list(_mapping(resource, "resource").get("attributes", []), "resource.attributes")),
        "scope_name": _typed(_mapping(scope, "scope").get("name", ""), str, "scope.name"),
        "scope_version": _typed(scope.get("version", ""), str, "scope.version"),
        "scope_attributes": attributes(_list(scope.get("attributes", []), "scope.attributes")),
    }


def span_view(span: Mapping[str, Any], around: Surroundings) -> SpanView:
    """The view of one OTLP/JSON span.

    Raises:
        OtlpJsonError: something in it is not of the form OTLP/JSON gives it.
    """
    status = _mapping(span.get("status", {}), "status")
    own = _list(span.get("attributes", []), "attributes")
    plain_own = attributes(own)
    return SpanView(
        name=_typed(span.get("name", ""), str, "name"),
        attributes=plain_own,
        kind=_integer(span.get("kind", 0), "kind"),
        status_code=_integer(status["code"], "status.code") if "code" in status else 0,
        status_message=_typed(status["message"], str, "status.message") if "message" in status else "",
        events=[_event(event) for event in _list(span["events"], "events")] if "events" in span else [],
        links=[_link(link) for link in _list(span["links"], "links")] if "links" in span else [],
        **around,
        trace_state=_typed(span["traceState"], str, "traceState") if "traceState" in span else "",
        flags=_integer(span.get("flags", 0), "flags"),
        dropped_attributes_count=_counted(span, "droppedAttributesCount"),
        dropped_events_count=_counted(span, "droppedEventsCount"),
        dropped_links_count=_counted(span, "droppedLinksCount"),
        duplicate_keys=len(own) - len(plain_own),
        trace_id=_typed(span.get("traceId", ""), str, "traceId"),
        span_id=_typed(span.get("spanId", ""), str, "spanId"),
    )


def log_view(record: Mapping[str, Any], around: Surroundings) -> LogView:
    """The view of one OTLP/JSON log record. Raises as `span_view` does."""
    own = _list(record.get("attributes", []), "attributes")
    plain_own = attributes(own)
    return LogView(
        event_name=_typed(record.get("eventName", ""), str, "eventName"),
        body=plain(record.get("body", {})),
        attributes=plain_own,
        severity_number=_integer(record.get("severityNumber", 0), "severityNumber"),
        severity_text=_typed(record.get("severityText", ""), str, "severityText"),
        **around,
        flags=_integer(record.get("flags", 0), "flags"),
        dropped_attributes_count=_integer(record.get("droppedAttributesCount", 0), "droppedAttributesCount"),
        duplicate_keys=len(own) - len(plain_own),
        trace_id=_typed(record.get("traceId", ""), str, "traceId"),
        span_id=_typed(record.get("spanId", ""), str, "spanId"),
    )


def metric_view(metric: Mapping[str, Any], around: Surroundings) -> MetricView:
    """The view of one OTLP/JSON metric. Raises as `span_view` does."""
    kind = next((name for name in METRIC_TYPES if name in metric), "")
    data = _mapping(metric.get(kind, {}), kind or "metric")
    raw = [
        _list(point.get("attributes", []), "attributes") for point in _list(data.get("dataPoints", []), "dataPoints")
    ]
    points = [attributes(items) for items in raw]
    return MetricView(
        name=_typed(metric.get("name", ""), str, "name"),
        points=points,
        type=kind,
        unit=_typed(metric.get("unit", ""), str, "unit"),
        description=_typed(metric.get("description", ""), str, "description"),
        metadata=attributes(_list(metric.get("metadata", []), "metadata")),
        **around,
        duplicate_keys=sum(map(len, raw)) - sum(map(len, points)),
    )


def _event(event: Mapping[str, Any]) -> EventView:
    return EventView(
        name=_typed(_mapping(event, "event").get("name", ""), str, "event.name"),
        attributes=attributes(_list(event.get("attributes", []), "event.attributes")),
        time_unix_nano=_integer(event.get("timeUnixNano", 0), "event.timeUnixNano"),
        dropped_attributes_count=_integer(event.get("droppedAttributesCount", 0), "event.droppedAttributesCount"),
    )


def _link(link: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "trace_id": _typed(_mapping(link, "link").get("traceId", ""), str, "link.traceId"),
        "span_id": _typed(link.get("spanId", ""), str, "link.spanId"),
        "trace_state": _typed(link.get("traceState", ""), str, "link.traceState"),
        "attributes": attributes(_list(link.get("attributes", []), "link.attributes")),
        "flags": _integer(link.get("flags", 0), "link.flags"),
        "dropped_attributes_count": _integer(link.get("droppedAttributesCount", 0), "link.droppedAttributesCount"),
    }


def _key_values(items: Sequence[Mapping[str, Any]], depth: int) -> Attributes:
    found: Attributes = {}
    for item in items:
        try:
            key, [(field, raw)] = item["key"], item["value"].items()  # nearly all: a key, and a value of one member
        except (KeyError, TypeError, ValueError, AttributeError):
            key, value = _mapping(item, "KeyValue").get("key", ""), item.get("value")
            field, raw = _member({} if value is None else value)
        if type(key) is not str:
            raise OtlpJsonError(f"key: expected str, got {type(key).__name__}")
        if field == "stringValue" and type(raw) is str:  # most attributes
            found[key] = raw
        else:
            read = _READERS.get(field)
            found[key] = read(raw, depth) if read else None
    return found


def _member(value: Mapping[str, Any]) -> tuple[str, Any]:
    """The member of an AnyValue that holds its value, with its name; no name when it is empty."""
    return next(((field, value[field]) for field in _READERS if field in _mapping(value, "AnyValue")), ("", None))


def _array(value: object, depth: int) -> Value:
    if depth <= 1:
        raise OtlpJsonError(f"arrayValue: nested deeper than {DEPTH_MAX}")
    return [plain(item, depth - 1) for item in _list(_mapping(value, "arrayValue").get("values", []), "values")]


def _kvlist(value: object, depth: int) -> Value:
    if depth <= 1:
        raise OtlpJsonError(f"kvlistValue: nested deeper than {DEPTH_MAX}")
    return _key_values(_list(_mapping(value, "kvlistValue").get("values", []), "values"), depth - 1)


def _bytes(value: object, _depth: int) -> bytes:
    try:
        return base64.b64decode(_typed(value, str, "bytesValue"), validate=True)
    except binascii.Error as error:
        raise OtlpJsonError("bytesValue: not base64") from error


def double(value: object, _depth: int = 0) -> float:
    """The number of an OTLP/JSON double. Raises `OtlpJsonError`."""
    if isinstance(value, str) and value in _SPECIAL:
        return _SPECIAL[value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise OtlpJsonError(f"doubleValue: expected a number, got {type(value).__name__}")


def _counted(item: Mapping[str, Any], name: str) -> int:
    return _integer(item[name], name) if name in item else 0


def _integer(value: object, where: str) -> int:
    if type(value) is int:
        return value
    if type(value) is str:
        try:
            return int(value)
        except ValueError as error:
            raise OtlpJsonError(f"{where}: not an integer") from error
    raise OtlpJsonError(f"{where}: expected an integer, got {type(value).__name__}")


def double_form(value: float) -> float | str:
    """A double as JSON has it. An integral one is an integer, as canonical JSON spells it: then it is so at once."""
    if value.is_integer() and abs(value) < _INTEGER_END:
        return int(value) if value or math.copysign(1.0, value) > 0 else "-0"
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _mapping(value: Any, where: str) -> Mapping[str, Any]:  # noqa: ANN401  # parsed JSON may be anything
    if type(value) is dict or isinstance(value, Mapping):  # the abstract class is slow to ask
        return value
    raise OtlpJsonError(f"{where}: expected an object, got {type(value).__name__}")


def _list(value: Any, where: str) -> list[Any]:  # noqa: ANN401  # parsed JSON may be anything
    if isinstance(value, list):
        return value
    raise OtlpJsonError(f"{where}: expected an array, got {type(value).__name__}")


def _typed(value: Any, kind: type[str], where: str) -> str:  # noqa: ANN401  # parsed JSON may be anything
    if isinstance(value, kind):
        return value
    raise OtlpJsonError(f"{where}: expected {kind.__name__}, got {type(value).__name__}")


_READERS: Final[Mapping[str, Callable[[Any, int], Value]]] = {
    "stringValue": lambda value, _depth: value if type(value) is str else _typed(value, str, "stringValue"),
    "boolValue": lambda value, _depth: value is True,
    "intValue": lambda value, _depth: _integer(value, "intValue"),
    "doubleValue": double,
    "arrayValue": _array,
    "kvlistValue": _kvlist,
    "bytesValue": _bytes,
}
