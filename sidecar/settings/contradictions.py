"""Refuses settings that are each right and together wrong."""

from __future__ import annotations

import re

from sidecar.errors import ConfigError
from sidecar.settings.model import GrpcReceiver, HttpReceiver, Settings

_REQUESTS_ON_DISK_MIN = 4


def refuse_contradictions(settings: Settings) -> None:
    """What no single key can know: a loop to ourselves, half a TLS pair, two receivers on one port."""
    largest, room = settings.receiver.request_bytes_max, settings.journal.disk_bytes_max
    if room < _REQUESTS_ON_DISK_MIN * largest:
        raise ConfigError(
            f"journal.disk_bytes_max: got {room}, expected at least {_REQUESTS_ON_DISK_MIN} times receiver.request_bytes_max ({largest}), "
            "or a large request would be told to come back for ever"
        )
    log = settings.attest.sidecar_log
    if log.witnesses_min > len(log.witnesses):
        raise ConfigError(
            f"attest.sidecar_log.witnesses_min: got {log.witnesses_min}, expected at most the number of witnesses ({len(log.witnesses)})"
        )
    receivers: dict[str, GrpcReceiver | HttpReceiver] = {
        "receiver.grpc": settings.receiver.grpc,
        "receiver.http": settings.receiver.http,
    }
    if not any(receiver.enabled for receiver in receivers.values()):
        raise ConfigError("receiver.grpc.enabled and receiver.http.enabled: both are false, expected at least one true")
    for name, receiver in receivers.items():
        if (receiver.tls.cert_file is None) != (receiver.tls.key_file is None):
            raise ConfigError(f"{name}.tls: cert_file and key_file go together, got one of them")
    listening = {_local(receiver.endpoint): name for name, receiver in receivers.items() if receiver.enabled}
    if (
        settings.receiver.grpc.enabled
        and settings.receiver.http.enabled
        and len(listening) == 1
        and not settings.receiver.grpc.endpoint.endswith(":0")
    ):
        raise ConfigError("receiver.grpc.endpoint and receiver.http.endpoint: the same address, expected two")
    for name, backend in settings.exporters.items():
        for url in (backend.endpoint, *backend.signal_endpoints.values()):
            authority = re.sub(r"^https?://", "", url).split("/")[0]
            if (own := listening.get(_local(authority))) and not authority.endswith(":0"):
                raise ConfigError(
                    f"exporters.{name}.endpoint: {url} is this sidecar's own {own}; telemetry would go round in a circle"
                )


def _local(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"loopback:{port}" if host.strip("[]") in {"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"} else address  # noqa: S104 - compared, not bound
