"""What makes a span, log record or metric unacceptable although its bytes are in order.

Law: the receiver answers partial success by this table and the recorder skips by it, so that both always mean the same
items; a rejected item never spoils the others of its request.

OTLP calls a span's `trace_id` and `span_id` required and invalid when zero or of the wrong length (trace.proto), so
such a span is rejected: it belongs to no run. The same ids of a log record are optional, and one with invalid ids
"is not associated with a trace" (logs.proto): it is taken, and `trace_id_of` says that it has none. The parent of a
span, links and exemplars only point elsewhere; a wrong pointer is evidence, not a reason to refuse. Nor is an end
before the start, a span given twice or an odd name.

https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
"""

from collections.abc import Callable

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sidecar.otlp.signal import Item, OtlpSignal

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8

_ZERO_TRACE_ID = bytes(TRACE_ID_BYTES)
_ZERO_SPAN_ID = bytes(SPAN_ID_BYTES)


def reject_span(span: Span) -> str | None:
    """Why a span is not taken: an id that is missing, zero or of the wrong length."""
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) == TRACE_ID_BYTES and len(span_id) == SPAN_ID_BYTES:
        if trace_id == _ZERO_TRACE_ID:
            return "trace_id is zero"
        return "span_id is zero" if span_id == _ZERO_SPAN_ID else None
    if len(trace_id) != TRACE_ID_BYTES:
        return f"trace_id has {len(trace_id)} bytes, expected {TRACE_ID_BYTES}"
    return f"span_id has {len(span_id)} bytes, expected {SPAN_ID_BYTES}"


def trace_id_of(item: Span | LogRecord) -> bytes:
    """The trace that an item belongs to; empty when it belongs to none."""
    trace_id = item.trace_id
    return trace_id if len(trace_id) == TRACE_ID_BYTES and trace_id != _ZERO_TRACE_ID else b""


def parent_span_id_of(span: Span) -> bytes:
    """The parent of a span as given, of any length; empty for a root span, which some producers write as zeros."""
    parent = span.parent_span_id
    return b"" if parent == _ZERO_SPAN_ID else parent


RULES: dict[OtlpSignal, Callable[[Item], str | None] | None] = {
    OtlpSignal.TRACES: reject_span,
    OtlpSignal.LOGS: None,
    OtlpSignal.METRICS: None,
}
"""The rule of each signal; None where nothing is rejected."""
