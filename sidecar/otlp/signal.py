"""The three OTLP signals and what the specification calls their parts, as one table.

Law: no other module spells out which message, field or JSON key belongs to which signal.

https://opentelemetry.io/docs/specs/otlp/
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, TypeAlias

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

Encoding: TypeAlias = Literal["protobuf", "json"]
"""How a body is written."""

ENCODINGS: dict[int, Encoding] = {0: "protobuf", 1: "json"}
"""The encodings by their number in a journal frame."""

Request: TypeAlias = Any
"""An `Export*ServiceRequest`. Generated messages share no type that has their fields, so this is a name for the reader."""

Item: TypeAlias = Any
"""A Span, LogRecord or Metric message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    request: type[Message]
    response: type[Message]
    groups: str
    scopes: str
    items: str
    json_key: str
    rejected: str


class OtlpSignal(IntEnum):
    """One of the three OTLP signals; the number is that of its journal frames."""

    TRACES = 1
    LOGS = 2
    METRICS = 3

    @property
    def request(self) -> type[Message]:
        """The message a client exports."""
        return _PARTS[self].request

    @property
    def response(self) -> type[Message]:
        """The message a server answers with."""
        return _PARTS[self].response

    @property
    def json_key(self) -> str:
        """The one key of a request in OTLP/JSON; no two signals share it."""
        return _PARTS[self].json_key

    @property
    def rejected_field(self) -> str:
        """The field of `partial_success` that counts what was not taken."""
        return _PARTS[self].rejected

    @property
    def hint(self) -> str:
        """What a file name holds when it says which signal is inside: `.traces.`, `.logs.`, `.metrics.`."""
        return f".{self.name.lower()}."

    def groups(self, request: Request) -> Iterator[tuple[Any, Any, Any]]:
        """The items of a request with what they belong to, in order.

        Yields:
            (ResourceSpans, ScopeSpans, its list of Span) for traces; the twins for logs and metrics. Scopes without
            items are given too, with an empty list.
        """
        parts = _PARTS[self]
        for group in getattr(request, parts.groups):
            for scope in getattr(group, parts.scopes):
                yield group, scope, getattr(scope, parts.items)

    def count_parts(self, request: Request, at_most: int) -> int:
        """How many resources, scopes and items a request has; counting ends with the first that is above `at_most`."""
        parts = _PARTS[self]
        groups = getattr(request, parts.groups)
        count = len(groups)
        for group in groups if count <= at_most else ():
            scopes = getattr(group, parts.scopes)
            count += len(scopes)
            if count > at_most:
                break
            count += sum(len(getattr(scope, parts.items)) for scope in scopes)
        return count


_PARTS = {
    OtlpSignal.TRACES: _Parts(
        request=traces.ExportTraceServiceRequest,
        response=traces.ExportTraceServiceResponse,
        groups="resource_spans",
        scopes="scope_spans",
        items="spans",
        json_key="resourceSpans",
        rejected="rejected_spans",
    ),
    OtlpSignal.LOGS: _Parts(
        request=logs.ExportLogsServiceRequest,
        response=logs.ExportLogsServiceResponse,
        groups="resource_logs",
        scopes="scope_logs",
        items="log_records",
        json_key="resourceLogs",
        rejected="rejected_log_records",
    ),
    OtlpSignal.METRICS: _Parts(
        request=metrics.ExportMetricsServiceRequest,
        response=metrics.ExportMetricsServiceResponse,
        groups="resource_metrics",
        scopes="scope_metrics",
        items="metrics",
        json_key="resourceMetrics",
        rejected="rejected_data_points",
    ),
}
