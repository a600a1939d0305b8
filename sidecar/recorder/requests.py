"""Receipts and requests about runs as entries.

Law: what stands here was looked at by the receiver before it was acknowledged; it is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from sidecar.journal import FrameSignal
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.recorder.entry import Entry
from sidecar.recorder.run_names import named_run

__all__ = ["REQUESTS"]


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
            run_id=named_run(receipt.run_id),
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
    yield Entry(run_id=named_run(request.run_id), kind="open", data=context)


def _close(body: bytes) -> Iterator[Entry]:
    request = pb.CloseRunRequest.FromString(body)
    data: dict[str, Any] = {}
    if request.HasField("counts"):
        data["sender_counts"] = {each.name: str(value) for each, value in request.counts.ListFields()}
    if request.outcome_json:
        data["outcome"] = orjson.loads(request.outcome_json)
    yield Entry(run_id=named_run(request.run_id), kind="close", data=data)


def _seal(body: bytes) -> Iterator[Entry]:
    yield Entry(run_id=named_run(pb.SealRunRequest.FromString(body).run_id), kind="seal", data={})


REQUESTS: Mapping[int, Callable[[bytes], Iterator[Entry]]] = {
    FrameSignal.RECEIPTS: _receipts,
    FrameSignal.OPEN_RUN: _open,
    FrameSignal.CLOSE_RUN: _close,
    FrameSignal.SEAL_RUN: _seal,
}
"""What reads the body of a frame that is no telemetry."""
