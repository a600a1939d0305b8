"""OTLP over gRPC, the receipt service, health and reflection, on one grpc.aio server.

The three OTLP services take bytes and give bytes: the body that is validated is the body that is kept. Specification:
https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection_pb2_grpc import add_ServerReflectionServicer_to_server

from sidecar.errors import Overloaded, SidecarError
from sidecar.otlp.signal import OtlpSignal
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import (
    EvidenceServiceServicer,
    add_EvidenceServiceServicer_to_server,
)
from sidecar.receiver.admission import Accepted, Admission, Refused
from sidecar.receiver.grpc_inbound import OPTIONS, Busy, InboundServices, compressed
from sidecar.receiver.status import Context, abort
from sidecar.receiver.tls import Tls

__all__ = ["GrpcServer"]

_SERVICES = {
    OtlpSignal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    OtlpSignal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    OtlpSignal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
_OWN = pb.DESCRIPTOR.services_by_name["EvidenceService"].full_name
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_PING_INTERVAL_MS_MIN = 10_000
_NEVER_SECONDS = 86_400.0


class GrpcServer:
    """The gRPC receiver, from bind to stop. Make it inside the event loop that serves it."""

    name = "grpc"

    def __init__(self, admission: Admission, receipts: EvidenceServiceServicer, endpoint: str, tls: Tls | None) -> None:
        self._admission = admission
        self._endpoint = endpoint
        self._tls = tls
        self._health = health.aio.HealthServicer()
        self._busy = Busy()
        self._server = self._make(receipts)
        self._port = 0

    async def start(self) -> None:
        """Binds and serves; not ready until `set_ready`.

        Raises:
            SidecarError: The address cannot be bound or a TLS file not be used, naming it.
        """
        try:
            if self._tls is None:
                self._port = self._server.add_insecure_port(self._endpoint)
            else:
                self._port = self._server.add_secure_port(self._endpoint, self._tls.grpc_credentials())
        except (RuntimeError, ValueError) as error:
            raise SidecarError(f"receiver.grpc.endpoint: cannot listen on {self._endpoint}: {error}") from error
        await self.set_ready(ready=False)
        await self._server.start()

    @property
    def address(self) -> str:
        """The address that is served, with the port that was really bound."""
        return f"{self._endpoint.rpartition(':')[0]}:{self._port}"

    async def set_ready(self, *, ready: bool) -> None:
        """What the health service says, of the whole and of each service."""
        state = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in ("", _OWN, *_SERVICES.values()):
            await self._health.set(service, state)

    async def stop(self, grace_seconds: float) -> None:
        """Sends GOAWAY, takes nothing new, finishes what it holds, at most for `grace_seconds`.

        Health watches and reflection, which do not end by themselves, are not waited for.
        """
        # The grace ends here and not in there: grpc ends the process (SIGSEGV) when it does both while one stop overtakes another.
        stopping = asyncio.ensure_future(self._server.stop(grace_seconds + _NEVER_SECONDS))
        idle = asyncio.create_task(self._busy.ended())
        await asyncio.wait({stopping, idle}, timeout=grace_seconds, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        await self._server.stop(None)
        await stopping

    # ---------------------------------------------------------------- what is served

    def _make(self, receipts: EvidenceServiceServicer) -> grpc.aio.Server:
        limits = self._admission.limits
        server = grpc.aio.server(
            options=[
                *OPTIONS,
                ("grpc.max_receive_message_length", limits.request_bytes_max),
                ("grpc.max_send_message_length", limits.response_bytes_max),
                ("grpc.max_concurrent_streams", limits.grpc_streams_max),
                ("grpc.so_reuseport", 0),  # two sidecars on one port would share its connections in silence
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", _PING_INTERVAL_MS_MIN),
            ]
        )
        for signal, service in _SERVICES.items():
            export = grpc.unary_unary_rpc_method_handler(self._export(signal))
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": export}),))
        add_EvidenceServiceServicer_to_server(receipts, InboundServices(server, self._admission, self._busy))
        inbound = InboundServices(server, self._admission, Busy())
        add_HealthServicer_to_server(self._health, inbound)
        names = (*_SERVICES.values(), _OWN, _HEALTH, reflection.SERVICE_NAME)
        add_ServerReflectionServicer_to_server(reflection.aio.ReflectionServicer(names), inbound)
        return server

    def _export(self, signal: OtlpSignal) -> Callable[[bytes, Context], Awaitable[bytes]]:
        success = signal.response().SerializeToString()

        async def export(body: bytes, context: Context) -> bytes:
            with self._busy:
                answer = await self._answer(signal, body)
            if isinstance(answer, Refused):
                await abort(context, answer)
            return success if not answer.error_message else _partial(signal, answer)

        return export

    async def _answer(self, signal: OtlpSignal, body: bytes) -> Accepted | Refused:
        with self._admission.held() as held:
            try:
                held.add(len(body))
            except Overloaded as error:
                return Refused("overloaded", str(error), error.retry_after_seconds)
            return await self._admission.telemetry(signal, "protobuf", body, gzip=compressed(body))


def _partial(signal: OtlpSignal, answer: Accepted) -> bytes:
    response = signal.response()
    partial = response.partial_success  # type: ignore[attr-defined]  # all three responses have it
    setattr(partial, signal.rejected_field, answer.rejected)
    partial.error_message = answer.error_message
    return response.SerializeToString()
