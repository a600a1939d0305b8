"""The receipt service: validates receipts and requests about runs, journals them, and reads back what the recorder made of them.

The contract is proto/affidavit/evidence/v1/evidence.proto. Law: as for telemetry, an acknowledgement follows the fdatasync.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import NoReturn

import grpc.aio

from evidence.canonical import canonical, parse
from evidence.errors import CanonicalError
from evidence.limits import INTEGER_MAX
from evidence.redaction.detectors import detectors, hidden, is_secret
from sidecar.journal import FrameEncoding, FrameSignal
from sidecar.limits import KIB
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceServicer
from sidecar.receiver.admission import Admission, Refused
from sidecar.receiver.directory import RunDirectory
from sidecar.receiver.status import Context, abort

__all__ = ["ReceiptService"]

_KIND = re.compile(r"[A-Za-z0-9._/-]{1,256}")
_KEY_BYTES_MAX = 256
_REASON_CHARS_MAX = 200
_SHOWN_CHARS_MAX = 200
_DIGEST_BYTES = 16


_THREAD_BYTES_MIN = 32 * KIB


@dataclass(frozen=True, slots=True)
class _Judged:
    """What becomes of the receipts of a request."""

    response: pb.SubmitReceiptsResponse
    taken: pb.SubmitReceiptsRequest
    fresh: dict[bytes, bytes]


class ReceiptService(EvidenceServiceServicer):
    """`affidavit.evidence.v1.EvidenceService`."""

    def __init__(self, admission: Admission, directory: RunDirectory) -> None:
        self._admission = admission
        self._directory = directory
        self._limits = admission.limits
        detectors()  # read now, so that no request waits for it
        self._known: OrderedDict[bytes, bytes] = OrderedDict()
        """Digests of recent receipts by digest of run and key, so that most conflicts are told at once.

        A best effort: it is empty after a start and bounded after that. What decides is the recorder, which has every key.
        """

    async def SubmitReceipts(self, request: pb.SubmitReceiptsRequest, context: Context) -> pb.SubmitReceiptsResponse:  # noqa: N802 - gRPC's name
        """Takes a batch; see the proto."""
        most = self._limits.receipts_max
        if len(request.receipts) > most:
            await _bad(context, f"receipts: got {len(request.receipts)}, expected at most {most}")
        judge = self._admission.beside if request.ByteSize() >= _THREAD_BYTES_MIN else _here
        judged = await judge(self._judge, request)
        if judged.taken.receipts:
            await self._commit(FrameSignal.RECEIPTS, judged.taken.SerializeToString(), context)
        self._remember(judged.fresh)
        return judged.response

    async def OpenRun(self, request: pb.OpenRunRequest, context: Context) -> pb.OpenRunResponse:  # noqa: N802 - gRPC's name
        """Opens a run; see the proto."""
        await self._demand_run(request.run_id, context)
        await self._demand_object("context_json", request.context_json, context)
        before = await self._directory.parts(request.run_id)
        await self._commit(FrameSignal.OPEN_RUN, request.SerializeToString(), context)
        return pb.OpenRunResponse(opened=not before or before[-1].state != pb.RUN_STATE_OPEN)

    async def CloseRun(self, request: pb.CloseRunRequest, context: Context) -> pb.CloseRunResponse:  # noqa: N802 - gRPC's name
        """Closes a run; see the proto."""
        await self._demand_run(request.run_id, context)
        await self._demand_object("outcome_json", request.outcome_json, context)
        before = await self._directory.parts(request.run_id)
        await self._commit(FrameSignal.CLOSE_RUN, request.SerializeToString(), context)
        return pb.CloseRunResponse(closed=not before or before[-1].state == pb.RUN_STATE_OPEN)

    async def GetRun(self, request: pb.GetRunRequest, context: Context) -> pb.GetRunResponse:  # noqa: N802 - gRPC's name
        """The parts of a run as the recorder has them; see the proto."""
        await self._demand_run(request.run_id, context)
        parts = await self._directory.parts(request.run_id, live_scores=True)
        if not parts:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"run {_shown(request.run_id)} is not known here")
        return pb.GetRunResponse(parts=parts)

    async def SealRun(self, request: pb.SealRunRequest, context: Context) -> pb.SealRunResponse:  # noqa: N802 - gRPC's name
        """Closes a run if need be and answers once it is sealed and attested; see the proto."""
        await self._demand_run(request.run_id, context)
        sequence = await self._commit(FrameSignal.SEAL_RUN, request.SerializeToString(), context)
        if not await self._directory.recorded(sequence, self._patience_seconds(context)):
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the recorder has not come to it yet")
        run = await self._directory.sealed(request.run_id, self._patience_seconds(context))
        if run is None and await self._directory.parts(request.run_id):
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, f"run {_shown(request.run_id)} is not sealed yet")
        if run is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"run {_shown(request.run_id)} has nothing to seal")
        return pb.SealRunResponse(run=run)

    async def GetBundle(self, request: pb.GetBundleRequest, context: Context) -> AsyncIterator[pb.GetBundleResponse]:  # noqa: N802 - gRPC's name
        """Sends bundle and attestation in pieces; see the proto."""
        await self._demand_run(request.run_id, context)
        files = await self._directory.files(request.run_id, request.part)
        if files is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"run {_shown(request.run_id)} has no sealed bundle here")
            return
        contents = (pb.GetBundleResponse.CONTENT_BUNDLE, pb.GetBundleResponse.CONTENT_ATTESTATION)
        for content, path in zip(contents, files, strict=True):
            if path is None:
                continue
            file = await asyncio.to_thread(path.open, "rb")
            with file:
                while data := await asyncio.to_thread(file.read, self._limits.bundle_piece_bytes):
                    yield pb.GetBundleResponse(content=content, file_name=path.name, data=data)

    async def StreamReceipts(  # noqa: N802 - gRPC's name
        self, request_iterator: AsyncIterator[pb.StreamReceiptsRequest], context: Context
    ) -> AsyncIterator[pb.StreamReceiptsResponse]:
        """Not carried out yet."""
        del request_iterator
        await _unimplemented(context, "StreamReceipts", "send batches with SubmitReceipts")
        yield pb.StreamReceiptsResponse()  # type: ignore[unreachable]  # what makes this a stream

    async def WatchRuns(self, request: pb.WatchRunsRequest, context: Context) -> AsyncIterator[pb.WatchRunsResponse]:  # noqa: N802 - gRPC's name
        """Not carried out yet."""
        del request
        await _unimplemented(context, "WatchRuns", "ask with GetRun")
        yield pb.WatchRunsResponse()  # type: ignore[unreachable]  # what makes this a stream

    async def Explain(self, request: pb.ExplainRequest, context: Context) -> pb.ExplainResponse:  # noqa: N802 - gRPC's name
        """Not carried out yet."""
        del request
        return await _unimplemented(context, "Explain", "reports/closure.json in the bundle has the terms")

    # ---------------------------------------------------------------- helpers

    async def _commit(self, signal: FrameSignal, body: bytes, context: Context) -> int:
        answer = await self._admission.commit(signal, FrameEncoding.PROTOBUF, body)
        return await abort(context, answer) if isinstance(answer, Refused) else answer

    async def _demand_run(self, run_id: str, context: Context) -> None:
        if fault := self._run_id_fault(run_id):
            await _bad(context, fault)

    async def _demand_object(self, name: str, data: bytes, context: Context) -> None:
        if data and (fault := self._object_fault(name, data)):
            await _bad(context, fault)

    def _patience_seconds(self, context: Context) -> float:
        """What is left of the caller's deadline; ours when there is none."""
        left = context.time_remaining()
        most = self._limits.seal_wait_seconds_max
        return most if left is None else max(0.0, min(left, most))

    def _remember(self, receipts: dict[bytes, bytes]) -> None:
        self._known.update(receipts)
        while len(self._known) > self._limits.receipt_keys_max:
            self._known.popitem(last=False)

    def _judge(self, request: pb.SubmitReceiptsRequest) -> _Judged:
        judged = _Judged(pb.SubmitReceiptsResponse(), pb.SubmitReceiptsRequest(), {})
        for index, receipt in enumerate(request.receipts):
            name, content = _digest(receipt.run_id, receipt.idempotency_key), _digest(receipt)
            known = judged.fresh.get(name) or self._known.get(name)
            if reason := self._fault(receipt) or _conflict(known, content):
                judged.response.rejected.add(index=index, reason=hidden(reason)[:_REASON_CHARS_MAX])
                continue
            judged.response.accepted += 1
            judged.response.duplicates += known is not None
            judged.fresh[name] = content
            judged.taken.receipts.append(receipt)  # a repetition too: the recorder counts it
        return judged

    # ---------------------------------------------------------------- what is wrong with it; empty when nothing is

    def _fault(self, receipt: pb.Receipt) -> str:
        return (
            self._run_id_fault(receipt.run_id)
            or _shape_fault(receipt)
            or self._object_fault("body_json", receipt.body_json)
        )

    def _run_id_fault(self, run_id: str) -> str:
        size, most = len(run_id.encode()), self._limits.run_id_bytes_max
        if not 0 < size <= most:
            return f"run_id: got {size} bytes, expected 1 to {most}"
        return "run_id: holds a secret, which must not become the name of a run" if is_secret(run_id) else ""

    def _object_fault(self, name: str, data: bytes) -> str:
        if len(data) > self._limits.receipt_body_bytes_max:
            return f"{name}: got {len(data)} bytes, expected at most {self._limits.receipt_body_bytes_max}"
        try:
            value = parse(data, depth_max=self._limits.receipt_depth_max, require_canonical=False)
            canonical(value)  # what has no canonical form, such as an integer beyond 2^53, could never be recorded
        except CanonicalError as error:
            return f"{name}: {error}"
        return "" if isinstance(value, dict) else f"{name}: got {type(value).__name__}, expected one JSON object"


def _shape_fault(receipt: pb.Receipt) -> str:
    """By the comments in the proto."""
    key_bytes = len(receipt.idempotency_key.encode())
    if not _KIND.fullmatch(receipt.kind):
        return f"kind: got {_shown(receipt.kind)[:40]}, expected {_KIND.pattern}"
    if not 0 < key_bytes <= _KEY_BYTES_MAX:
        return f"idempotency_key: got {key_bytes} bytes, expected 1 to {_KEY_BYTES_MAX}"
    if receipt.sequence > INTEGER_MAX:
        return f"sequence: got {receipt.sequence}, expected at most {INTEGER_MAX}"
    for name, value, size in (("trace_id", receipt.trace_id, 16), ("span_id", receipt.span_id, 8)):
        if value and (len(value) != size or not any(value)):
            return f"{name}: got {len(value)} bytes{'' if any(value) else ' of zeros'}, expected {size} or none"
    return ""


def _conflict(known: bytes | None, content: bytes) -> str:
    return "" if known in {None, content} else "idempotency_key: known with other content"


def _shown(text: str) -> str:
    return repr(hidden(text)[:_SHOWN_CHARS_MAX])


def _digest(*parts: str | pb.Receipt) -> bytes:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part.SerializeToString(deterministic=True)
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


async def _here(work: Callable[[pb.SubmitReceiptsRequest], _Judged], request: pb.SubmitReceiptsRequest) -> _Judged:
    return work(request)


async def _bad(context: Context, reason: str) -> NoReturn:
    await abort(context, Refused("bad_data", reason))


async def _unimplemented(context: Context, name: str, instead: str) -> NoReturn:
    await context.abort(
        grpc.StatusCode.UNIMPLEMENTED, f"{name} is part of the contract and not carried out yet; {instead}"
    )
    raise AssertionError("abort raises")
