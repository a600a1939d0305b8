"""OTLP/gRPC with bytes in and bytes out, over a channel that is kept.

OTLP, "OTLP/gRPC"; channel options: https://grpc.github.io/grpc/core/group__grpc__arg__keys.html

Law: gRPC never retries behind our back, never waits for a connection beyond the request's deadline, and reconnects no slower
than the backend's own backoff.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import grpc

from sidecar.exporter.agent import user_agent
from sidecar.exporter.answer import accepted, grpc_outcome
from sidecar.exporter.backend import Backend, Target
from sidecar.exporter.outcome import Outcome
from sidecar.exporter.tls import tls_context
from sidecar.limits import Limits
from sidecar.otlp.signal import OtlpSignal

_KEEPALIVE_MS: Final = 310_000
"""Above the 5 minutes below which servers take pings for abuse. That it is set at all makes gRPC notice within
`_KEEPALIVE_TIMEOUT_MS` that nobody acknowledges what it sends (TCP_USER_TIMEOUT), instead of after a quarter of an hour."""
_KEEPALIVE_TIMEOUT_MS: Final = 10_000


class GrpcTransport:
    """One kept channel for each distinct target of a backend's endpoints."""

    def __init__(self, backend: Backend, *, limits: Limits) -> None:
        targets = {signal: backend.target(signal) for signal in backend.signals}
        self._channels = {target: _channel(backend, target, limits) for target in set(targets.values())}
        self._calls = {signal: _call(self._channels[target], signal) for signal, target in targets.items()}
        self._metadata = tuple((name.lower(), value) for name, value in backend.headers.items())
        self._limits = limits

    def send(self, signal: OtlpSignal, body: bytes, timeout_seconds: float) -> Outcome:
        """Send one request and wait for what becomes of it."""
        try:
            response: bytes = self._calls[signal](body, timeout=timeout_seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            return self._failed(error)
        except ValueError as error:
            # What grpc raises on a channel that `close` has closed meanwhile.
            return grpc_outcome("CANCELLED", str(error), b"", self._limits)
        return accepted(signal, response, self._limits)

    def close(self) -> None:
        """Close the channels; a `send` under way in another thread ends at once, as cancelled."""
        for channel in self._channels.values():
            channel.close()

    def _failed(self, error: grpc.RpcError) -> Outcome:
        trailers = {trailer.key: trailer.value for trailer in error.trailing_metadata() or ()}
        details = trailers.get("grpc-status-details-bin", b"")
        return grpc_outcome(error.code().name, error.details() or "", details, self._limits)


def _call(channel: grpc.Channel, signal: OtlpSignal) -> Callable[..., Any]:
    """The `Export` method of a signal's service, without (de)serialisers: bytes go in and come out."""
    (service,) = signal.response.DESCRIPTOR.file.services_by_name.values()
    call: Callable[..., Any] = channel.unary_unary(
        f"/{service.full_name}/Export", request_serializer=None, response_deserializer=None
    )
    return call


def _channel(backend: Backend, target: Target, limits: Limits) -> grpc.Channel:
    options = (
        ("grpc.primary_user_agent", user_agent()),
        ("grpc.max_receive_message_length", limits.response_bytes_max),
        ("grpc.max_send_message_length", -1),  # a frame is bounded where it comes in
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", int(backend.retry_initial_seconds * 1000)),
        ("grpc.max_reconnect_backoff_ms", int(backend.retry_max_seconds * 1000)),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.use_local_subchannel_pool", 1),  # backends at one address do not share fate
    )
    compression = grpc.Compression.Gzip if backend.compression == "gzip" else grpc.Compression.NoCompression
    if not target.secure:
        return grpc.insecure_channel(target.address, options, compression)
    return grpc.secure_channel(target.address, _credentials(backend), options, compression)


def _credentials(backend: Backend) -> grpc.ChannelCredentials:
    tls_context(backend)  # grpc reports bad files as a connection that fails for ever; this refuses them at start
    return grpc.ssl_channel_credentials(
        root_certificates=_read(backend.ca_file),
        private_key=_read(backend.key_file),
        certificate_chain=_read(backend.cert_file),
    )


def _read(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()
