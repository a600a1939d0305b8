"""A sink's gRPC door: the three OTLP services, bytes in and bytes out.

Law: it answers what the sink says, and speaks gRPC for it.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from sidecar.errors import DecodeError
from sidecar.limits import DEFAULT
from sidecar.otlp.signal import OtlpSignal
from sidecar.sink.sink import Answer, Received, Sink

_WORKERS: Final = 8


class GrpcServer:
    """Listens until it is stopped; can be started again at the same address."""

    def __init__(self, sink: Sink, address: str, *, tls: grpc.ServerCredentials | None = None) -> None:
        self._sink = sink
        self._tls = tls
        self._host = address.rpartition(":")[0]
        self._server: grpc.Server | None = None
        self.address = address
        """HOST:PORT; the port is the bound one once started."""

    def start(self) -> None:
        """Listen.

        Raises:
            RuntimeError: When the address cannot be bound.
        """
        server = grpc.server(
            ThreadPoolExecutor(_WORKERS),
            handlers=[self._service(signal) for signal in OtlpSignal],
            options=[("grpc.max_receive_message_length", DEFAULT.request_bytes_max), ("grpc.so_reuseport", 0)],
        )
        port = server.add_secure_port(self.address, self._tls) if self._tls else server.add_insecure_port(self.address)
        server.start()
        self._server, self.address = server, f"{self._host}:{port}"

    def stop(self, grace_seconds: float | None = None) -> None:
        """Stop listening and close all connections, after `grace_seconds` for requests under way. Safe to call twice."""
        server, self._server = self._server, None
        if server:
            server.stop(grace_seconds).wait()

    def _service(self, signal: OtlpSignal) -> Any:  # noqa: ANN401  (grpc ships no types)
        (service,) = signal.response.DESCRIPTOR.file.services_by_name.values()

        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            return self._export(signal, body, context)

        return grpc.method_handlers_generic_handler(
            service.full_name, {"Export": grpc.unary_unary_rpc_method_handler(export)}
        )

    def _export(self, signal: OtlpSignal, body: bytes, context: grpc.ServicerContext) -> bytes:
        headers = {key: str(value) for key, value in context.invocation_metadata()}
        received = Received(signal=signal, transport="grpc", wire=body, body=body, headers=headers, peer=context.peer())
        try:
            answer = self._sink.take(received)
        except DecodeError as error:
            answer = Answer(code="INVALID_ARGUMENT", message=str(error))
        if answer.cut:
            self._cut(context)
        if answer.code != "OK":
            _fail(context, answer)
        return answer.response(signal).SerializeToString()

    def _cut(self, context: grpc.ServicerContext) -> None:
        """A handler cannot reach its connection, so the whole server goes, and another comes in its place."""
        gone = threading.Event()
        if context.add_callback(gone.set):

            def restart() -> None:
                self.stop()
                self.start()

            threading.Thread(target=restart).start()
            gone.wait()


def _fail(context: grpc.ServicerContext, answer: Answer) -> None:
    code = grpc.StatusCode[answer.code]
    if answer.retry_info_seconds is not None:
        delay = Duration()
        delay.FromNanoseconds(round(answer.retry_info_seconds * 1e9))
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay=delay))
        status = Status(code=code.value[0], message=answer.message, details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, answer.message)
