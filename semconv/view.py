"""What the translator reads: one span, log record or metric with its surroundings, as plain values.

A view is made from OTLP/JSON by `semconv.otlp_json` and straight from protobuf by the sidecar; both give equal views.
Views are read only by agreement: the translator never writes to one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from semconv.value import Value

Attributes = dict[str, Value]


@dataclass(slots=True)
class EventView:
    """One event on a span."""

    name: str
    attributes: Attributes
    time_unix_nano: int = 0
    dropped_attributes_count: int = 0


@dataclass(slots=True, kw_only=True)
class SpanView:
    """A span as the translator reads it. Ids are lower-case hex and serve as examples in reports only."""

    name: str
    attributes: Attributes
    kind: int = 0
    status_code: int = 0
    status_message: str = ""
    events: list[EventView] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    """Each {"trace_id", "span_id", "trace_state", "attributes" (plain), "flags", "dropped_attributes_count"}."""
    scope_name: str = ""
    scope_version: str = ""
    scope_attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)
    trace_state: str = ""
    flags: int = 0
    dropped_attributes_count: int = 0
    dropped_events_count: int = 0
    dropped_links_count: int = 0
    duplicate_keys: int = 0
    """How many attributes of the span stood under a key that came again later; the last one is in `attributes`."""
    trace_id: str = ""
    span_id: str = ""


@dataclass(slots=True, kw_only=True)
class LogView:
    """A log record as the translator reads it."""

    event_name: str = ""
    body: Value = None
    attributes: Attributes = field(default_factory=dict)
    severity_number: int = 0
    severity_text: str = ""
    scope_name: str = ""
    scope_version: str = ""
    scope_attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)
    flags: int = 0
    dropped_attributes_count: int = 0
    duplicate_keys: int = 0
    trace_id: str = ""
    span_id: str = ""


@dataclass(slots=True, kw_only=True)
class MetricView:
    """A metric as the translator reads it: its identity, and the attributes of each of its data points."""

    name: str
    points: list[Attributes] = field(default_factory=list)
    type: str = ""
    """gauge, sum, histogram, exponentialHistogram, summary; empty when the metric holds no data."""
    unit: str = ""
    description: str = ""
    metadata: Attributes = field(default_factory=dict)
    scope_name: str = ""
    scope_version: str = ""
    scope_attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)
    duplicate_keys: int = 0
    """Over all points."""
