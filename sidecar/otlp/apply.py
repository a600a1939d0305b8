"""A translation carried out on a flat message (`sidecar.otlp.flat`): what the exporters send.

Law: `to_json(apply(item)) == semconv.apply(to_json(item))` for spans, log records and metrics. What the translation
does not name stays as it is byte for byte, with the fields that this version of the protocol does not know.
"""

from collections.abc import Collection, Mapping

from semconv.measure import Ratio, scaled
from semconv.translation import Translation
from semconv.value import Value
from sidecar.otlp import pair
from sidecar.otlp.flat import Flat

_OPTIONAL = ("sum", "min", "max")
"""Numbers of a histogram's point that may be absent."""


def apply(item: Flat, translation: Translation, *, keep_unmapped: bool = True) -> None:
    """Turn a flat span, log record or metric into its translation, in place.

    Args:
        item: the item that was translated.
        translation: what the translator said of it.
        keep_unmapped: an attribute of which something is lost stays under its own name, so that nothing disappears
            from a backend. False leaves only what the target has a key for.
    """
    unmapped = () if keep_unmapped else translation.unmapped
    message = item.DESCRIPTOR.name
    if message == "Metric":
        _metric(item, translation, unmapped)
        return
    _attributes(item, translation.attributes, {*translation.removed, *unmapped})
    if message == "Span":
        _span(item, translation)
    else:
        _log(item, translation)


def _span(span: Flat, translation: Translation) -> None:
    if translation.name is not None:
        span.name = translation.name
    if translation.kind is not None:
        span.kind = translation.kind
    for place in sorted(translation.events_removed, reverse=True):
        del span.events[place]


def _log(record: Flat, translation: Translation) -> None:
    if translation.event_name is not None:
        record.event_name = translation.event_name
    if translation.body_removed:
        record.ClearField("body")


def _metric(metric: Flat, translation: Translation, unmapped: Collection[str]) -> None:
    if translation.name is not None:
        metric.name = translation.name
    if translation.unit is not None:
        metric.unit = translation.unit
    kind = metric.WhichOneof("data")
    if kind is None or not (translation.points or unmapped or translation.scale):
        return
    changes = {change.index: change for change in translation.points}
    for place, point in enumerate(getattr(metric, kind).data_points):
        change = changes.get(place)
        new, removed = (change.attributes, change.removed) if change else ({}, ())
        _attributes(point, new, {*removed, *unmapped})
        if translation.scale:
            _in_unit(point, translation.scale)


def _in_unit(point: Flat, by: Ratio) -> None:
    """A point, or an exemplar of one, with its numbers in another unit; those that were integers are so no longer."""
    fields = point.DESCRIPTOR.fields_by_name
    if "as_int" in fields and point.WhichOneof("value") == "as_int":
        point.as_double = scaled(point.as_int, by)
    elif "as_int" in fields and point.WhichOneof("value") == "as_double":
        point.as_double = scaled(point.as_double, by)
    for name in _OPTIONAL:
        if name in fields and point.HasField(name):
            setattr(point, name, scaled(getattr(point, name), by))
    if "explicit_bounds" in fields:
        point.explicit_bounds[:] = [scaled(bound, by) for bound in point.explicit_bounds]
    for exemplar in point.exemplars if "exemplars" in fields else ():
        _in_unit(exemplar, by)


def _attributes(item: Flat, new: Mapping[str, Value], gone: Collection[str]) -> None:
    """New values in their old places, new keys after them by name, and without the keys that are gone.

    Of a key that stands there twice the last is the one that counts, and the one that stays.
    """
    if not new and not gone:
        return
    pairs = list(item.attributes)
    keys = pair.keys(pairs)
    placed = set()
    for place in range(len(pairs) - 1, -1, -1):
        key = keys[place]
        if key in new and key not in placed:
            placed.add(key)
            pairs[place] = pair.replaced(pairs[place], key, new[key])
        elif key in new or key in gone:
            del pairs[place]
    pairs += [pair.write(key, new[key]) for key in sorted(new.keys() - placed)]
    item.attributes[:] = pairs
