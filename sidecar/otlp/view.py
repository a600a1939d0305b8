"""Protobuf spans, log records and metrics as the views that the translator reads, without OTLP/JSON in between.

Law: for every item, `view.span(pb, surroundings(resource, scope))` equals `semconv.otlp_json.span_view` over the
`to_json` forms of the three; the same for log records and metrics.
"""

from collections.abc import Iterable, Sequence

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from semconv.otlp_json import Surroundings
from semconv.value import Value
from semconv.view import Attributes, EventView, LogView, MetricView, SpanView


def surroundings(resource: Resource, scope: InstrumentationScope) -> Surroundings:
    """What a resource and a scope give to each item below them."""
    return {
        "resource": attributes(resource.attributes),
        "scope_name": scope.name,
        "scope_version": scope.version,
        "scope_attributes": attributes(scope.attributes),
    }


def span(msg: Span, around: Surroundings) -> SpanView:
    """The view of a span."""
    pairs = msg.attributes
    own = attributes(pairs)
    status = msg.status
    return SpanView(
        name=msg.name,
        attributes=own,
        kind=msg.kind,
        status_code=status.code,
        status_message=status.message,
        events=[_event(event) for event in msg.events],
        links=[_link(link) for link in msg.links],
        trace_state=msg.trace_state,
        flags=msg.flags,
        dropped_attributes_count=msg.dropped_attributes_count,
        dropped_events_count=msg.dropped_events_count,
        dropped_links_count=msg.dropped_links_count,
        duplicate_keys=len(pairs) - len(own),
        trace_id=msg.trace_id.hex(),
        span_id=msg.span_id.hex(),
        **around,
    )


def log(msg: LogRecord, around: Surroundings) -> LogView:
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


def metric(msg: Metric, around: Surroundings) -> MetricView:
    """The view of a metric."""
    kind = msg.WhichOneof("data")
    pairs: list[Sequence[KeyValue]] = [point.attributes for point in getattr(msg, kind).data_points] if kind else []
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


def attributes(pairs: Iterable[KeyValue]) -> Attributes:
    """The plain values of attributes; of a key given twice the last wins."""
    found: Attributes = {}
    for pair in pairs:
        value = pair.value
        found[pair.key] = value.string_value or plain(value)  # the commonest type first: one read instead of two
    return found


def plain(msg: AnyValue) -> Value:
    """The plain form of an AnyValue; None when it holds nothing, or an index into a table that only profiles have."""
    name = msg.WhichOneof("value")
    if name in _SCALARS:
        return getattr(msg, name)  # type: ignore[no-any-return]  # the table says that it is a scalar
    if name == "array_value":
        return [plain(item) for item in msg.array_value.values]
    return attributes(msg.kvlist_value.values) if name == "kvlist_value" else None


def _event(msg: Span.Event) -> EventView:
    return EventView(msg.name, attributes(msg.attributes), msg.time_unix_nano, msg.dropped_attributes_count)


def _link(msg: Span.Link) -> dict[str, object]:
    return {
        "trace_id": msg.trace_id.hex(),
        "span_id": msg.span_id.hex(),
        "trace_state": msg.trace_state,
        "attributes": attributes(msg.attributes),
        "flags": msg.flags,
        "dropped_attributes_count": msg.dropped_attributes_count,
    }


_SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value"})

_METRIC_TYPES = {
    None: "",
    "gauge": "gauge",
    "sum": "sum",
    "histogram": "histogram",
    "exponential_histogram": "exponentialHistogram",
    "summary": "summary",
}
