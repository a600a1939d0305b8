"""The receivers that the settings ask for, bound and serving. Loaded while the worker loads what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from sidecar.directory import StoredRuns
from sidecar.journal import JournalWriter
from sidecar.limits import DEFAULT
from sidecar.receiver.admission import Admission
from sidecar.receiver.grpc_server import GrpcServer
from sidecar.receiver.http_server import HttpServer
from sidecar.receiver.receipts import ReceiptService
from sidecar.receiver.tls import Tls
from sidecar.settings.model import Receiver, TlsServer
from sidecar.state import StateDir

__all__ = ["Server", "serve"]

Server: TypeAlias = GrpcServer | HttpServer


async def serve(settings: Receiver, journal: JournalWriter, state: StateDir, packs: Sequence[str]) -> list[Server]:
    """Starts them; none is ready yet.

    Raises:
        SidecarError: An address cannot be bound or a TLS file not be used, naming it.
    """
    admission = Admission(journal, replace(DEFAULT, request_bytes_max=settings.request_bytes_max))
    servers: list[Server] = []
    if settings.grpc.enabled:
        service = ReceiptService(admission, StoredRuns(state, packs))
        servers.append(GrpcServer(admission, service, settings.grpc.endpoint, _tls(settings.grpc.tls)))
    if settings.http.enabled:
        servers.append(HttpServer(admission, settings.http.endpoint, _tls(settings.http.tls)))
    for server in servers:
        await server.start()
    return servers


def _tls(settings: TlsServer) -> Tls | None:
    if settings.cert_file is None or settings.key_file is None:
        return None
    return Tls(settings.cert_file, settings.key_file, settings.client_ca_file)
