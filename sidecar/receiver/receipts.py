"""The receipt service: validates receipts and requests about runs, journals them, and reads back what the recorder made of them.

The contract is proto/affidavit/evidence/v1/evidence.proto. Law: as for telemetry, an acknowledgement follows the fdatasync.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import NoReturn, TypeAlias

import grpc.aio

from evidence.canonical import canonical, parse
from evidence.errors import CanonicalError
from sidecar.journal import FrameEncoding, FrameSignal
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceServicer
from sidecar.receiver.admission import Admission, Refused
from sidecar.receiver.directory import RunDirectory
from sidecar.receiver.status import GRPC_CODES, status

__all__ = ["ReceiptService"]

_Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"

_BODY_BYTES_MAX = 1 << 20
_DEPTH_MAX = 64
_RUN_ID_BYTES_MAX = 1024
_KEY_BYTES_MAX = 256
_KIND = re.compile(r"[A-Za-z0-9._/-]{1,256}")
_SEQUENCE_MAX = 2**53 - 1
_KEYS_REMEMBERED_MAX = 100_000
_PIECE_BYTES = 1 << 20
_PATIENCE_SECONDS_MAX = 600.0
_RECEIPTS_MAX = 10_000
"""Receipts in one request."""


class ReceiptService(EvidenceServiceServicer):
    """`affidavit.evidence.v1.EvidenceService`."""

    def __init__(self, admission: Admission, directory: RunDirectory) -> None:
        self._admission = admission
        self._directory = directory
        self._known: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        """Digests of recent receipts by run and key: so that conflicts are told at once. The recorder is what decides."""

    async def SubmitReceipts(self, request: pb.SubmitReceiptsRequest, context: _Context) -> pb.SubmitReceiptsResponse:  # noqa: N802 - gRPC's name
        """Takes a batch; see the proto."""
        if len(request.receipts) > _RECEIPTS_MAX:
            await _abort(
                context, Refused("bad_data", f"receipts: got {len(request.receipts)}, expected at most {_RECEIPTS_MAX}")
            )
        response = pb.SubmitReceiptsResponse()
        taken = pb.SubmitReceiptsRequest()
        fresh: dict[tuple[str, str], bytes] = {}
        for index, receipt in enumerate(request.receipts):
            name, digest = (receipt.run_id, receipt.idempotency_key), _digest(receipt)
            known = fresh.get(name, self._known.get(name))
            reason = _fault(receipt) or (
                "idempotency_key: known with other content" if known not in {None, digest} else ""
            )
            if reason:
                response.rejected.add(index=index, reason=reason)
                continue
            response.accepted += 1
            response.duplicates += known is not None
            fresh[name] = digest
            taken.receipts.append(receipt)
        if taken.receipts:
            await self._commit(FrameSignal.RECEIPTS, taken.SerializeToString(), context)
        self._remember(fresh)
        return response

    async def OpenRun(self, request: pb.OpenRunRequest, context: _Context) -> pb.OpenRunResponse:  # noqa: N802 - gRPC's name
        """Opens a run; see the proto."""
        await self._demand_run(request.run_id, context)
        await _demand_object("context_json", request.context_json, context)
        before = await self._directory.parts(request.run_id)
        await self._commit(FrameSignal.OPEN_RUN, request.SerializeToString(), context)
        return pb.OpenRunResponse(opened=not before or before[-1].state != pb.RUN_STATE_OPEN)

    async def CloseRun(self, request: pb.CloseRunRequest, context: _Context) -> pb.CloseRunResponse:  # noqa: N802 - gRPC's name
        """Closes a run; see the proto."""
        await self._demand_run(request.run_id, context)
        await _demand_object("outcome_json", request.outcome_json, context)
        before = await self._directory.parts(request.run_id)
        await self._commit(FrameSignal.CLOSE_RUN, request.SerializeToString(), context)
        return pb.CloseRunResponse(closed=not before or before[-1].state == pb.RUN_STATE_OPEN)

    async def GetRun(self, request: pb.GetRunRequest, context: _Context) -> pb.GetRunResponse:  # noqa: N802 - gRPC's name
        """The parts of a run as the recorder has them; see the proto."""
        await self._demand_run(request.run_id, context)
        parts = await self._directory.parts(request.run_id)
        if not parts:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"run {request.run_id[:200]!r} is not known here")
        return pb.GetRunResponse(parts=parts)

    async def SealRun(self, request: pb.SealRunRequest, context: _Context) -> pb.SealRunResponse:  # noqa: N802 - gRPC's name
        """Closes a run if need be and answers once it is sealed and attested; see the proto."""
        await self._demand_run(request.run_id, context)
        sequence = await self._commit(FrameSignal.SEAL_RUN, request.SerializeToString(), context)
        patience = min(context.time_remaining() or _PATIENCE_SECONDS_MAX, _PATIENCE_SECONDS_MAX)
        if not await self._directory.recorded(sequence, patience):
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the recorder has not come to it yet")
        run = await self._directory.sealed(request.run_id, patience)
        if run is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"run {request.run_id[:200]!r} has nothing to seal")
        return pb.SealRunResponse(run=run)

    async def GetBundle(self, request: pb.GetBundleRequest, context: _Context) -> AsyncIterator[pb.GetBundleResponse]:  # noqa: N802 - gRPC's name
        """Sends bundle and attestation in pieces; see the proto."""
        await self._demand_run(request.run_id, context)
        files = await self._directory.files(request.run_id, request.part)
        if files is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"run {request.run_id[:200]!r} has no sealed bundle here")
        contents = (pb.GetBundleResponse.CONTENT_BUNDLE, pb.GetBundleResponse.CONTENT_ATTESTATION)
        for content, path in zip(contents, files or (), strict=True):
            if path is None:
                continue
            with path.open("rb") as file:
                while data := file.read(_PIECE_BYTES):
                    yield pb.GetBundleResponse(content=content, file_name=path.name, data=data)

    async def StreamReceipts(  # noqa: N802 - gRPC's name
        self, request_iterator: AsyncIterator[pb.StreamReceiptsRequest], context: _Context
    ) -> AsyncIterator[pb.StreamReceiptsResponse]:
        """Not carried out yet."""
        del request_iterator
        await _unimplemented(context, "StreamReceipts", "send batches with SubmitReceipts")
        yield pb.StreamReceiptsResponse()  # type: ignore[unreachable]  # what makes this a stream

    async def WatchRuns(self, request: pb.WatchRunsRequest, context: _Context) -> AsyncIterator[pb.WatchRunsResponse]:  # noqa: N802 - gRPC's name
        """Not carried out yet."""
        del request
        await _unimplemented(context, "WatchRuns", "ask with GetRun")
        yield pb.WatchRunsResponse()  # type: ignore[unreachable]  # what makes this a stream

    async def Explain(self, request: pb.ExplainRequest, context: _Context) -> pb.ExplainResponse:  # noqa: N802 - gRPC's name
        """Not carried out yet."""
        del request
        return await _unimplemented(context, "Explain", "reports/closure.json in the bundle has the terms")

    # ---------------------------------------------------------------- helpers

    async def _commit(self, signal: FrameSignal, body: bytes, context: _Context) -> int:
        answer = await self._admission.commit(signal, FrameEncoding.PROTOBUF, body)
        if isinstance(answer, Refused):
            await _abort(context, answer)
        return answer

    async def _demand_run(self, run_id: str, context: _Context) -> None:
        if not 0 < len(run_id.encode()) <= _RUN_ID_BYTES_MAX:
            await _abort(
                context,
                Refused("bad_data", f"run_id: got {len(run_id.encode())} bytes, expected 1 to {_RUN_ID_BYTES_MAX}"),
            )

    def _remember(self, receipts: dict[tuple[str, str], bytes]) -> None:
        self._known.update(receipts)
        while len(self._known) > _KEYS_REMEMBERED_MAX:
            self._known.popitem(last=False)


def _fault(receipt: pb.Receipt) -> str:
    """What is wrong with a receipt, by the comments in the proto; empty when nothing is."""
    ids = (("trace_id", receipt.trace_id, 16), ("span_id", receipt.span_id, 8))
    for name, wrong, expected in (
        ("run_id", not 0 < len(receipt.run_id.encode()) <= _RUN_ID_BYTES_MAX, f"1 to {_RUN_ID_BYTES_MAX} bytes"),
        ("kind", not _KIND.fullmatch(receipt.kind), _KIND.pattern),
        (
            "idempotency_key",
            not 0 < len(receipt.idempotency_key.encode()) <= _KEY_BYTES_MAX,
            f"1 to {_KEY_BYTES_MAX} bytes",
        ),
        ("sequence", receipt.sequence > _SEQUENCE_MAX, f"at most {_SEQUENCE_MAX}"),
        *((name, len(value) not in {0, size}, f"{size} bytes or none") for name, value, size in ids),
    ):
        if wrong:
            return f"{name}: expected {expected}"
    return _object_fault("body_json", receipt.body_json)


def _object_fault(name: str, data: bytes) -> str:
    if len(data) > _BODY_BYTES_MAX:
        return f"{name}: got {len(data)} bytes, expected at most {_BODY_BYTES_MAX}"
    try:
        value = parse(data, depth_max=_DEPTH_MAX, require_canonical=False)
        canonical(value)  # what has no canonical form, such as an integer beyond 2^53, could never be recorded
    except CanonicalError as error:
        return f"{name}: {error}"
    return "" if isinstance(value, dict) else f"{name}: got {type(value).__name__}, expected one JSON object"


async def _demand_object(name: str, data: bytes, context: _Context) -> None:
    if data and (fault := _object_fault(name, data)):
        await _abort(context, Refused("bad_data", fault))


def _digest(receipt: pb.Receipt) -> bytes:
    return hashlib.blake2b(receipt.SerializeToString(deterministic=True), digest_size=16).digest()


async def _abort(context: _Context, refused: Refused) -> NoReturn:
    context.set_trailing_metadata((("grpc-status-details-bin", status(refused).SerializeToString()),))
    await context.abort(GRPC_CODES[refused.kind], refused.reason[:1024])
    raise AssertionError("abort raises")


async def _unimplemented(context: _Context, name: str, instead: str) -> NoReturn:
    await context.abort(
        grpc.StatusCode.UNIMPLEMENTED, f"{name} is part of the contract and not carried out yet; {instead}"
    )
    raise AssertionError("abort raises")
