"""Translated items as entries: the item as received, what its translation changes and loses, and the resource and scope it refers to."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from evidence import event
from evidence.canonical import canonical
from evidence.digest import tagged
from evidence.redaction.detectors import suspect
from sidecar.otlp import to_json
from sidecar.otlp.reject import SPAN_ID_BYTES, parent_span_id_of, trace_id_of
from sidecar.otlp.signal import OtlpSignal
from sidecar.otlp.unknown import unknown_fields
from sidecar.recorder.entry import Entry, Part
from sidecar.recorder.run_names import run_of
from sidecar.translation import TranslatedItem

__all__ = ["item_entries"]

_Naming: TypeAlias = Callable[[Part], str]


def item_entries(
    signal: OtlpSignal, items: Iterable[TranslatedItem], run_key: Sequence[str], naming_digest: _Naming
) -> Iterator[Entry]:
    """An entry for each item of one frame.

    Args:
        signal: what the items are.
        items: in the order of the body.
        run_key: what tells runs apart.
        naming_digest: the digest of a resource that a run may be called by.
    """
    part, read = _Parts(), _READERS[signal]
    for item in items:
        yield read(item, part.resource(item), part.scope(item), run_key, naming_digest)


class _Parts:
    """The parts of one frame: made once for the many items that share a resource or scope."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[Part, Any]] = {}

    def resource(self, item: TranslatedItem) -> Part:
        return self._part("resource", item.resource, item.resource_schema_url)

    def scope(self, item: TranslatedItem) -> Part:
        return self._part("scope", item.scope, item.scope_schema_url)

    def _part(self, name: Literal["resource", "scope"], message: Any, schema_url: str) -> Part:  # noqa: ANN401 - protobuf
        key = (name, id(message))
        if key not in self._known:
            data = message.SerializeToString(deterministic=True)
            make = _frequent_part if len(data) <= _FREQUENT_BYTES_MAX else _make_part
            self._known[key] = make(name, data, schema_url), message  # which is kept, so that its id stays its own
        return self._known[key][0]


_FREQUENT_BYTES_MAX = 16 * 1024
_MESSAGES: Mapping[str, type[Resource | InstrumentationScope]] = {"resource": Resource, "scope": InstrumentationScope}
_PART_TYPES = {"resource": event.RESOURCE, "scope": event.SCOPE}


def _make_part(name: Literal["resource", "scope"], data: bytes, schema_url: str) -> Part:
    body: dict[str, Any] = {name: getattr(to_json, name)(_MESSAGES[name].FromString(data))}
    if schema_url:
        body["schemaUrl"] = schema_url
    digest = tagged(canonical(body))
    may_hold = suspect(data) or suspect(schema_url.encode())
    return Part(digest, _PART_TYPES[name], {"digest": digest, **body}, may_hold)


_frequent_part = lru_cache(maxsize=128)(_make_part)
"""A sender says the same of itself in every request."""


def _data(item: TranslatedItem, name: str, body: dict[str, Any], resource: Part, scope: Part) -> dict[str, Any]:
    data: dict[str, Any] = {
        "resource": resource.digest,
        "scope": scope.digest,
        name: body,
        **item.translation.to_json(),
    }
    if unknown := unknown_fields(item.message):
        data["unknown_fields"] = base64.b64encode(unknown).decode()
    return data


def _span(item: TranslatedItem, resource: Part, scope: Part, run_key: Sequence[str], naming_digest: _Naming) -> Entry:
    span, view = item.message, item.view
    body = to_json.message(item.flat)
    trace_id, span_id = span.trace_id.hex(), span.span_id.hex()
    flags = span.flags & 0xFF
    return Entry(
        run_id=run_of(run_key, trace_id, view.attributes, view.resource, resource=lambda: naming_digest(resource)),
        kind="span",
        data=_data(item, "span", body, resource, scope),
        parts=(resource, scope),
        happened_unix_nano=span.end_time_unix_nano or span.start_time_unix_nano,
        began_unix_nano=span.start_time_unix_nano or span.end_time_unix_nano,
        subject=span_id,
        traceparent=f"00-{trace_id}-{span_id}-{flags:02x}",
        is_root=not parent_span_id_of(span),
        item=item,
        place=(trace_id, span_id),
    )


def _log(item: TranslatedItem, resource: Part, scope: Part, run_key: Sequence[str], naming_digest: _Naming) -> Entry:
    log, view = item.message, item.view
    trace_id = trace_id_of(log).hex()
    span_id = log.span_id.hex() if trace_id and len(log.span_id) == SPAN_ID_BYTES else ""
    when = log.time_unix_nano or log.observed_time_unix_nano
    return Entry(
        run_id=run_of(run_key, trace_id, view.attributes, view.resource, resource=lambda: naming_digest(resource)),
        kind="log",
        data=_data(item, "log", to_json.message(item.flat), resource, scope),
        parts=(resource, scope),
        happened_unix_nano=when,
        began_unix_nano=when,
        subject=span_id or None,
        traceparent=f"00-{trace_id}-{span_id}-{log.flags & 0xFF:02x}" if span_id else None,
        item=item,
    )


def _metric(item: TranslatedItem, resource: Part, scope: Part, run_key: Sequence[str], naming_digest: _Naming) -> Entry:
    times = [point.time_unix_nano for point in _points(item.message)]
    return Entry(
        run_id=run_of(run_key, "", item.view.resource, resource=lambda: naming_digest(resource)),
        kind="metric",
        data=_data(item, "metric", to_json.message(item.flat), resource, scope),
        parts=(resource, scope),
        happened_unix_nano=max(times, default=0),
        began_unix_nano=min(times, default=0),
        subject=item.message.name or None,
        item=item,
    )


def _points(metric: Any) -> Sequence[Any]:  # noqa: ANN401 - protobuf
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


_READERS = {OtlpSignal.TRACES: _span, OtlpSignal.LOGS: _log, OtlpSignal.METRICS: _metric}
