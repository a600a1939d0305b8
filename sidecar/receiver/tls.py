"""TLS of the receivers, from files."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from sidecar.errors import SidecarError

__all__ = ["Tls"]


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate, key, and, for mutual TLS, the CAs of clients."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """For the gRPC server.

        Raises:
            SidecarError: A file cannot be read.
        """
        ca = _read(self.client_ca_file) if self.client_ca_file else None
        pair = (_read(self.key_file), _read(self.cert_file))
        return grpc.ssl_server_credentials([pair], root_certificates=ca, require_client_auth=ca is not None)

    def context(self) -> ssl.SSLContext:
        """For the HTTP server: TLS 1.2 and newer.

        Raises:
            SidecarError: A file cannot be read or is not what it should be.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.cert_file, self.key_file)
            if self.client_ca_file:
                context.load_verify_locations(self.client_ca_file)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise SidecarError(f"tls: {self.cert_file}, {self.key_file}: {error}") from error
        return context


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SidecarError(f"tls: {path} cannot be read: {error.strerror}") from error
