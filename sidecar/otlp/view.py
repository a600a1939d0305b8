"""Flat messages (`sidecar.otlp.flat`) as the views that the translator reads, without OTLP/JSON in between.

Law: for every item, `view.span(flat, surroundings(resource, scope))` equals `semconv.otlp_json.span_view` over the
`to_json` forms of the three; the same for log records and metrics.
"""

from collections.abc import Sequence
from operator import attrgetter

from semconv.otlp_json import Surroundings
from semconv.view import EventView, LogView, MetricView, SpanView
from sidecar.otlp.flat import Flat
from sidecar.otlp.pair import attributes, plain


def surroundings(resource: Flat, scope: Flat) -> Surroundings:
    """What a resource and a scope give to each item below them."""
    return {
        "resource": attributes(resource.attributes),
        "scope_name": scope.name,
        "scope_version": scope.version,
        "scope_attributes": attributes(scope.attributes),
    }


def span(msg: Flat, around: Surroundings) -> SpanView:
    """The view of a span."""
    pairs, name, kind, code, message, events, links, state, flags, *dropped, trace_id, span_id = _SPAN(msg)
    own = attributes(pairs)
    return SpanView(
        name=name,
        attributes=own,
        kind=kind,
        status_code=code,
        status_message=message,
        events=[_event(event) for event in events] if events else [],
        links=[_link(link) for link in links] if links else [],
        trace_state=state,
        flags=flags,
        dropped_attributes_count=dropped[0],
        dropped_events_count=dropped[1],
        dropped_links_count=dropped[2],
        duplicate_keys=len(pairs) - len(own),
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        **around,
    )


def log(msg: Flat, around: Surroundings) -> LogView:
    """The view of a log record."""
    pairs = msg.attributes
    own = attributes(pairs)
    return LogView(
        event_name=msg.event_name,
        body=plain(msg.body),
        attributes=own,
        severity_number=msg.severity_number,
        severity_text=msg.severity_text,
        flags=msg.flags,
        dropped_attributes_count=msg.dropped_attributes_count,
        duplicate_keys=len(pairs) - len(own),
        trace_id=msg.trace_id.hex(),
        span_id=msg.span_id.hex(),
        **around,
    )


def metric(msg: Flat, around: Surroundings) -> MetricView:
    """The view of a metric."""
    kind = msg.WhichOneof("data")
    pairs: list[Sequence[bytes]] = [point.attributes for point in getattr(msg, kind).data_points] if kind else []
    points = [attributes(own) for own in pairs]
    return MetricView(
        name=msg.name,
        points=points,
        type=_METRIC_TYPES[kind],
        unit=msg.unit,
        description=msg.description,
        metadata=attributes(msg.metadata),
        duplicate_keys=sum(map(len, pairs)) - sum(map(len, points)),
        **around,
    )


def _event(msg: Flat) -> EventView:
    return EventView(msg.name, attributes(msg.attributes), msg.time_unix_nano, msg.dropped_attributes_count)


def _link(msg: Flat) -> dict[str, object]:
    return {
        "trace_id": msg.trace_id.hex(),
        "span_id": msg.span_id.hex(),
        "trace_state": msg.trace_state,
        "attributes": attributes(msg.attributes),
        "flags": msg.flags,
        "dropped_attributes_count": msg.dropped_attributes_count,
    }


_SPAN = attrgetter(
    "attributes",
    "name",
    "kind",
    "status.code",
    "status.message",
    "events",
    "links",
    "trace_state",
    "flags",
    "dropped_attributes_count",
    "dropped_events_count",
    "dropped_links_count",
    "trace_id",
    "span_id",
)
"""All of a span that its view has, in one call."""

_METRIC_TYPES = {
    None: "",
    "gauge": "gauge",
    "sum": "sum",
    "histogram": "histogram",
    "exponential_histogram": "exponentialHistogram",
    "summary": "summary",
}
