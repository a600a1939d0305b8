"""The translated item in OTLP/JSON, made from the item as received and its translation.

Law: the input is never changed; what a translation does not name comes out as it went in, in its place.
The protobuf twin of these functions lives in the sidecar and does the same; `applied` does it to a view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from semconv.measure import Ratio, scaled
from semconv.otlp_json import METRIC_TYPES, any_value, double, double_form
from semconv.translation import Translation
from semconv.view import Attributes, LogView, MetricView, SpanView

Json = dict[str, Any]
View = TypeVar("View", SpanView, LogView, MetricView)

NUMBERS: Final = ("asDouble", "sum", "min", "max")
"""Members of a data point that are in the unit of its metric, beside bounds, exemplars and integers."""


def apply_json(span: Mapping[str, Any], translation: Translation, *, keep_unmapped: bool = True) -> Json:
    """The translated span.

    Args:
        span: the span in OTLP/JSON as it was translated.
        translation: what `Translator.span` said of it.
        keep_unmapped: an attribute of which something is lost stays under its own name, so that nothing disappears
            from a backend. False leaves only what the target has a key for.
    """
    result = _with_attributes(span, translation, keep_unmapped=keep_unmapped)
    if translation.name is not None:
        result["name"] = translation.name
    if translation.kind is not None:
        result["kind"] = translation.kind
    if translation.events_removed:
        gone = frozenset(translation.events_removed)
        events = [event for index, event in enumerate(span["events"]) if index not in gone]
        result["events"] = events
        if not events:
            del result["events"]
    return result


def apply_log_json(record: Mapping[str, Any], translation: Translation, *, keep_unmapped: bool = True) -> Json:
    """The translated log record, by the same rules as `apply_json`."""
    result = _with_attributes(record, translation, keep_unmapped=keep_unmapped)
    if translation.event_name is not None:
        result["eventName"] = translation.event_name
    if translation.body_removed:
        result.pop("body", None)
    return result


def apply_metric_json(metric: Mapping[str, Any], translation: Translation, *, keep_unmapped: bool = True) -> Json:
    """The translated metric: its name, its unit with its numbers in it, and the attributes of its points."""
    result = dict(metric)
    if translation.name is not None:
        result["name"] = translation.name
    if translation.unit is not None:
        result["unit"] = translation.unit
    kind = next((name for name in METRIC_TYPES if name in metric), None)
    unmapped = () if keep_unmapped else translation.unmapped
    if kind is None or not (translation.points or unmapped or translation.scale):
        return result
    changes = {point.index: point for point in translation.points}
    points = []
    for index, point in enumerate(metric[kind].get("dataPoints", ())):
        change = changes.get(index)
        new, gone = (change.attributes, change.removed) if change else ({}, ())
        scaled_point = _in_unit(point, translation.scale) if translation.scale else point
        points.append(_attributed(scaled_point, new, frozenset((*gone, *unmapped)).difference(new)))
    if points:
        result[kind] = {**metric[kind], "dataPoints": points}
    return result


def _in_unit(point: Json, by: Ratio) -> Json:
    """A point, or an exemplar of one, with its numbers in another unit; those that were integers are so no longer."""
    result = dict(point)
    if "asInt" in point:
        result["asDouble"] = double_form(scaled(int(result.pop("asInt")), by))
    for name in NUMBERS:
        if name in point:
            result[name] = double_form(scaled(double(point[name]), by))
    if "explicitBounds" in point:
        result["explicitBounds"] = [double_form(scaled(double(bound), by)) for bound in point["explicitBounds"]]
    if "exemplars" in point:
        result["exemplars"] = [_in_unit(exemplar, by) for exemplar in point["exemplars"]]
    return result


def applied(view: View, translation: Translation, *, keep_unmapped: bool = True) -> View:
    """The view of the translated item: equal to the view of what the other functions here make of the item."""
    unmapped: tuple[str, ...] = () if keep_unmapped else translation.unmapped
    if isinstance(view, MetricView):
        name = view.name if translation.name is None else translation.name
        unit = view.unit if translation.unit is None else translation.unit
        return replace(view, name=name, unit=unit, points=_changed_points(view.points, translation, unmapped))
    gone = (*translation.removed, *unmapped)
    attributes = _changed(view.attributes, translation.attributes, gone)
    if isinstance(view, LogView):
        return replace(
            view,
            attributes=attributes,
            event_name=view.event_name if translation.event_name is None else translation.event_name,
            body=None if translation.body_removed else view.body,
        )
    return replace(
        view,
        name=view.name if translation.name is None else translation.name,
        kind=view.kind if translation.kind is None else translation.kind,
        attributes=attributes,
        events=[event for index, event in enumerate(view.events) if index not in translation.events_removed],
    )


def _changed_points(points: list[Attributes], translation: Translation, unmapped: tuple[str, ...]) -> list[Attributes]:
    changed = [_changed(point, {}, unmapped) for point in points]
    for point in translation.points:
        gone = (*point.removed, *unmapped)
        changed[point.index] = _changed(points[point.index], point.attributes, gone)
    return changed


def _changed(attributes: Attributes, new: Attributes, gone: tuple[str, ...]) -> Attributes:
    return {key: value for key, value in attributes.items() if key not in gone} | new


def _with_attributes(item: Mapping[str, Any], translation: Translation, *, keep_unmapped: bool) -> Json:
    gone = translation.removed if keep_unmapped else (*translation.removed, *translation.unmapped)
    if not gone and not translation.attributes:
        return dict(item)
    return _attributed(item, translation.attributes, frozenset(gone))


def _attributed(item: Mapping[str, Any], new: Attributes, gone: frozenset[str]) -> Json:
    """The item with new values in their old places, new keys after them by name, and without the keys that are gone."""
    result = dict(item)
    pairs = item.get("attributes", [])
    last = {pair.get("key", ""): place for place, pair in enumerate(pairs)}
    attributes = []
    for place, pair in enumerate(pairs):
        key = pair.get("key", "")
        if key in new:
            if last[key] == place:
                attributes.append({"key": key, "value": any_value(new[key])})
        elif key not in gone:
            attributes.append(pair)
    attributes += [{"key": key, "value": any_value(new[key])} for key in sorted(new) if key not in last]
    result["attributes"] = attributes
    if not attributes:
        del result["attributes"]
    return result
