"""A translation carried out on the protobuf message itself: what the exporters send.

Law: `to_json(apply(item)) == semconv.apply(to_json(item))` for spans, log records and metrics. What the translation
does not name stays as it is byte for byte, with the fields that this version of the protocol does not know.
"""

from collections.abc import Collection, Mapping
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from semconv.translation import Translation
from semconv.value import Value


def apply(item: Span | LogRecord | Metric, translation: Translation, *, keep_unmapped: bool = True) -> None:
    """Turn an item into its translation, in place.

    Args:
        item: the item that was translated.
        translation: what the translator said of it.
        keep_unmapped: an attribute of which something is lost stays under its own name, so that nothing disappears
            from a backend. False leaves only what the target has a key for.
    """
    unmapped = () if keep_unmapped else translation.unmapped
    if isinstance(item, Metric):
        _metric(item, translation, unmapped)
        return
    _attributes(item, translation.attributes, {*translation.removed, *unmapped})
    if isinstance(item, Span):
        _span(item, translation)


def _span(span: Span, translation: Translation) -> None:
    if translation.name is not None:
        span.name = translation.name
    if translation.kind is not None:
        span.kind = translation.kind  # type: ignore[assignment]  # the stubs ask for the enum, which is open
    for place in sorted(translation.events_removed, reverse=True):
        del span.events[place]


def _metric(metric: Metric, translation: Translation, unmapped: Collection[str]) -> None:
    if translation.name is not None:
        metric.name = translation.name
    kind = metric.WhichOneof("data")
    if kind is None or not (translation.points or unmapped):
        return
    changes = {change.index: change for change in translation.points}
    for place, point in enumerate(getattr(metric, kind).data_points):
        change = changes.get(place)
        new, removed = (change.attributes, change.removed) if change else ({}, ())
        _attributes(point, new, {*removed, *unmapped})


def _attributes(item: Any, new: Mapping[str, Value], gone: Collection[str]) -> None:  # noqa: ANN401  (several messages)
    """New values in their old places, new keys after them by name, and without the keys that are gone.

    Of a key that stands there twice the last is the one that counts, and the one that stays.
    """
    if not new and not gone:
        return
    pairs = item.attributes
    keys = [pair.key for pair in pairs]
    placed = set()
    for place in range(len(keys) - 1, -1, -1):
        key = keys[place]
        if key in new and key not in placed:
            placed.add(key)
            pair = pairs[place]
            pair.ClearField("key_strindex")
            pair.ClearField("value")
            pair.MergeFrom(type(pair)(value=_any_value(new[key])))
        elif key in new or key in gone:
            del pairs[place]
    for key in sorted(new.keys() - placed):
        pairs.add(key=key, value=_any_value(new[key]))


def _any_value(value: Value) -> dict[str, Any]:
    """What an AnyValue message of this value is made from."""
    if isinstance(value, list):
        return {"array_value": {"values": [_any_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlist_value": {"values": [{"key": key, "value": _any_value(item)} for key, item in value.items()]}}
    return {} if value is None else {_FIELDS[type(value)]: value}


_FIELDS: dict[type, str] = {
    str: "string_value",
    bool: "bool_value",
    int: "int_value",
    float: "double_value",
    bytes: "bytes_value",
}
