"""From a journal frame to what is to be recorded: one entry an item, with the run it belongs to.

Law: an entry is a function of the frame and the settings alone, so a replayed frame gives the same entries. Items that the
receiver rejected (`sidecar.otlp.decode`) are not there; everything else is, whatever it contains.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal, TypeAlias

import orjson
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from evidence import event
from evidence.canonical import canonical
from evidence.digest import tagged
from evidence.redaction.detectors import is_secret, suspect
from evidence.redaction.disclosures import PieceMaker
from evidence.run import safe_run_id
from sidecar.journal import Frame, FrameSignal
from sidecar.otlp import to_json
from sidecar.otlp.reject import SPAN_ID_BYTES, parent_span_id_of, trace_id_of
from sidecar.otlp.signal import OtlpSignal
from sidecar.otlp.unknown import unknown_fields
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.translation import FrameTranslator, TranslatedItem

__all__ = ["Entry", "Part", "digest_of", "read_entries"]

_Naming: TypeAlias = Callable[["Part"], str]
Kind = Literal["span", "log", "metric", "receipt", "open", "close", "seal"]


@dataclass(frozen=True, slots=True)
class Part:
    """A resource or scope that entries refer to by digest; recorded once in a run, before the first that does."""

    digest: str
    type: str
    data: dict[str, Any]
    may_hold: bool = False
    """Whether a secret may be in it."""
    pieces: PieceMaker | None = None
    """What was withheld of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing to record, or one request about a run."""

    run_id: str
    kind: Kind
    data: dict[str, Any]
    """The event's data; for requests, what the sender said."""
    parts: tuple[Part, ...] = ()
    happened_unix_nano: int = 0
    """By the sender's clock; 0 when it does not say."""
    began_unix_nano: int = 0
    subject: str | None = None
    traceparent: str | None = None
    is_root: bool = False
    item: TranslatedItem | None = None
    """What it was read from, for telemetry."""
    place: tuple[str | int, ...] = ()
    """What tells it from every other of its kind in a run, the same when its frame is read again."""
    may_hold: bool = True
    """Whether anything may be withheld of it."""
    pieces: PieceMaker | None = None
    """What was withheld of it."""


def read_entries(
    frame: Frame,
    translate: FrameTranslator,
    run_key: Sequence[str],
    *,
    may_hold: bool = True,
    naming_digest: Callable[[Part], str] = attrgetter("digest"),
) -> Iterator[Entry]:
    """The entries of one frame, in the order of the body.

    Args:
        frame: the frame.
        translate: the shared translation of frames.
        run_key: what tells runs apart.
        may_hold: whether anything may be withheld of its items.
        naming_digest: the digest of a resource that a run may be called by.
    """
    request = _REQUESTS.get(frame.signal)
    if request is not None:
        yield from request(frame.body)
        return
    signal = OtlpSignal(frame.signal)
    part = _Parts()
    for number, item in enumerate(translate(frame)):
        resource, scope = part.resource(item), part.scope(item)
        entry = _READERS[signal](item, resource, scope, run_key, naming_digest)
        place = entry.place or (frame.sequence, number)
        yield replace(entry, place=place, may_hold=may_hold)


def digest_of(kind: str, data: Mapping[str, Any]) -> bytes | None:
    """What an item has in common with its repetition, and with nothing else; None for items that have no name of their own.

    The same for an entry's data and for the data of the event made from it.
    """
    if kind == "span":
        return _digest((data["span"], data["resource"], data["scope"]))
    if kind == "receipt":
        return _digest({key: value for key, value in data.items() if key != "received"})
    return None


def _digest(content: object) -> bytes:
    return hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


# ---------------------------------------------------------------- resources and scopes


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


# ---------------------------------------------------------------- telemetry


def _run_id(keys: Sequence[str], trace_id: str, *attributes: Mapping[str, Any], resource: Callable[[], str]) -> str:
    for key in keys:
        if key == "trace_id":
            if trace_id:
                return trace_id
            continue
        for attribute in attributes:
            value = attribute.get(key)
            if isinstance(value, str) and value and not _is_secret(value):
                return safe_run_id(value)
    return f"resource-{resource().removeprefix('sha256:')[:32]}"


_is_secret = lru_cache(maxsize=1024)(is_secret)
"""A secret must not become the name of a run: the next key decides."""


def _named_run(run_id: str) -> str:
    """The run that a request names; the door refuses one whose id is a secret."""
    return safe_run_id("withheld" if _is_secret(run_id) else run_id)


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
        run_id=_run_id(run_key, trace_id, view.attributes, view.resource, resource=lambda: naming_digest(resource)),
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
        run_id=_run_id(run_key, trace_id, view.attributes, view.resource, resource=lambda: naming_digest(resource)),
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
        run_id=_run_id(run_key, "", item.view.resource, resource=lambda: naming_digest(resource)),
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


# ---------------------------------------------------------------- receipts and requests


def _receipts(body: bytes) -> Iterator[Entry]:
    for receipt in pb.SubmitReceiptsRequest.FromString(body).receipts:
        data: dict[str, Any] = {
            "kind": receipt.kind,
            "idempotency_key": receipt.idempotency_key,
            "body": orjson.loads(receipt.body_json),
        }
        trace_id, span_id = receipt.trace_id.hex(), receipt.span_id.hex()
        if receipt.sequence:
            data["sequence"] = receipt.sequence
        if receipt.time_unix_nano:
            data["time_unix_nano"] = str(receipt.time_unix_nano)
        if trace_id:
            data["trace_id"] = trace_id
        if span_id:
            data["span_id"] = span_id
        yield Entry(
            run_id=_named_run(receipt.run_id),
            kind="receipt",
            place=(receipt.kind, receipt.idempotency_key),
            data=data,
            happened_unix_nano=receipt.time_unix_nano,
            began_unix_nano=receipt.time_unix_nano,
            subject=receipt.kind,
            traceparent=f"00-{trace_id}-{span_id}-00" if trace_id and span_id else None,
        )


def _open(body: bytes) -> Iterator[Entry]:
    request = pb.OpenRunRequest.FromString(body)
    context = {"context": orjson.loads(request.context_json)} if request.context_json else {}
    yield Entry(run_id=_named_run(request.run_id), kind="open", data=context)


def _close(body: bytes) -> Iterator[Entry]:
    request = pb.CloseRunRequest.FromString(body)
    data: dict[str, Any] = {}
    if request.HasField("counts"):
        data["sender_counts"] = {each.name: str(value) for each, value in request.counts.ListFields()}
    if request.outcome_json:
        data["outcome"] = orjson.loads(request.outcome_json)
    yield Entry(run_id=_named_run(request.run_id), kind="close", data=data)


def _seal(body: bytes) -> Iterator[Entry]:
    yield Entry(run_id=_named_run(pb.SealRunRequest.FromString(body).run_id), kind="seal", data={})


_REQUESTS: Mapping[int, Callable[[bytes], Iterator[Entry]]] = {
    FrameSignal.RECEIPTS: _receipts,
    FrameSignal.OPEN_RUN: _open,
    FrameSignal.CLOSE_RUN: _close,
    FrameSignal.SEAL_RUN: _seal,
}
