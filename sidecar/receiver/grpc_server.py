"""OTLP over gRPC, the receipt service, health and reflection, on one grpc.aio server.

The three OTLP services take bytes and give bytes: the body that is validated is the body that is kept. Specification:
https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from sidecar.errors import SidecarError
from sidecar.otlp.signal import OtlpSignal
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import (
    EvidenceServiceServicer,
    add_EvidenceServiceServicer_to_server,
)
from sidecar.receiver.admission import Accepted, Admission
from sidecar.receiver.status import GRPC_CODES, status
from sidecar.receiver.tls import Tls

__all__ = ["GrpcServer"]

_SERVICES = {
    OtlpSignal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    OtlpSignal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    OtlpSignal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
_OWN = pb.DESCRIPTOR.services_by_name["EvidenceService"].full_name
_STREAMS_MAX = 1024


class GrpcServer:
    """The gRPC receiver, from bind to stop."""

    name = "grpc"

    def __init__(self, admission: Admission, receipts: EvidenceServiceServicer, endpoint: str, tls: Tls | None) -> None:
        self._endpoint = endpoint
        self._tls = tls
        self._health = HealthServicer()
        largest = admission.limits.request_bytes_max
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", largest),
                ("grpc.max_send_message_length", admission.limits.response_bytes_max),
                ("grpc.max_concurrent_streams", _STREAMS_MAX),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
            ]
        )
        handlers = [
            grpc.method_handlers_generic_handler(
                service, {"Export": grpc.unary_unary_rpc_method_handler(_export(admission, signal))}
            )
            for signal, service in _SERVICES.items()
        ]
        self._server.add_generic_rpc_handlers(tuple(handlers))
        add_EvidenceServiceServicer_to_server(receipts, self._server)
        add_HealthServicer_to_server(self._health, self._server)
        names = (*_SERVICES.values(), _OWN, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), self._server)
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
        """Sends GOAWAY, takes nothing new, finishes what is held, at most for `grace_seconds`."""
        await self._server.stop(grace_seconds)


def _export(
    admission: Admission, signal: OtlpSignal
) -> Callable[[bytes, grpc.aio.ServicerContext[bytes, bytes]], Awaitable[bytes]]:
    success = signal.response().SerializeToString()

    async def export(body: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        answer = await admission.telemetry(signal, "protobuf", body)
        if isinstance(answer, Accepted):
            return success if not answer.error_message else _partial(signal, answer)
        context.set_trailing_metadata((("grpc-status-details-bin", status(answer).SerializeToString()),))
        await context.abort(GRPC_CODES[answer.kind], answer.reason[: admission.limits.error_message_chars_max])
        raise AssertionError("abort raises")

    return export


def _partial(signal: OtlpSignal, answer: Accepted) -> bytes:
    response = signal.response()
    partial = response.partial_success  # type: ignore[attr-defined]  # all three responses have it
    setattr(partial, signal.rejected_field, answer.rejected)
    partial.error_message = answer.error_message
    return response.SerializeToString()
