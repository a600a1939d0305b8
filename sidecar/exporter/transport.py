"""The way to a backend, by protocol.

Law: what a protocol needs is imported when the first backend speaks it, and never without one.
"""

from sidecar.clock import Clock
from sidecar.exporter.backend import Backend
from sidecar.exporter.outcome import Transport
from sidecar.limits import Limits


def connect(backend: Backend, *, clock: Clock, limits: Limits) -> Transport:
    """A transport for `backend`. Nothing is sent yet, and nothing needs to answer.

    Raises:
        ConfigError: For TLS files that cannot be used.
    """
    match backend.protocol:
        case "grpc":
            from sidecar.exporter.transport_grpc import GrpcTransport  # noqa: PLC0415  (20 MiB that not all need)

            return GrpcTransport(backend, limits=limits)
        case "http/protobuf":
            from sidecar.exporter.transport_http import HttpTransport  # noqa: PLC0415  (12 MiB that not all need)

            return HttpTransport(backend, clock=clock, limits=limits)
