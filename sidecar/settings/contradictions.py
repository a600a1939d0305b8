"""Refuses settings that are each right and together wrong."""

from __future__ import annotations

import re

from attest.signers.key_uri import is_key_uri
from sidecar.errors import ConfigError
from sidecar.settings.model import Attest, GrpcReceiver, HttpReceiver, Keyless, Settings

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
    _refuse_signing(settings.attest)
    for name, backend in settings.exporters.items():
        for url in (backend.endpoint, *backend.signal_endpoints.values()):
            authority = re.sub(r"^https?://", "", url).split("/")[0]
            if (own := listening.get(_local(authority))) and not authority.endswith(":0"):
                raise ConfigError(
                    f"exporters.{name}.endpoint: {url} is this sidecar's own {own}; telemetry would go round in a circle"
                )


def _refuse_signing(attest: Attest) -> None:
    """Two ways to sign at once, a window that is never open, a pin or a public key for what has none of its own."""
    if attest.key_file and attest.keys:
        raise ConfigError("attest.key_file and attest.keys: both are given, expected one of them")
    if attest.method == "keyless":
        given = [name for name in ("key_file", "keys", "timestamp_url") if getattr(attest, name)]
        if given:
            raise ConfigError(f"attest.{given[0]}: is for attest.method key, which is keyless")
        if attest.keyless.trust_config_file is None:
            raise ConfigError("attest.keyless.trust_config_file: is missing, and attest.method is keyless")
    elif attest.keyless != Keyless():
        raise ConfigError("attest.keyless: is given, and attest.method is key")
    if attest.retry_initial_seconds > attest.retry_max_seconds:
        raise ConfigError("attest.retry_initial_seconds: more than attest.retry_max_seconds")
    uris = [key.uri for key in attest.keys]
    for place, key in enumerate(attest.keys):
        where = f"attest.keys.{place}"
        if key.uri in uris[:place]:
            raise ConfigError(f"{where}.uri: {key.uri} stands there twice, expected one window for each key")
        if key.valid_from and key.valid_until and key.valid_from > key.valid_until:
            raise ConfigError(f"{where}: valid_until {key.valid_until} is before valid_from {key.valid_from}")
        if (key.pin_file is not None) != key.uri.startswith("hsm:"):
            raise ConfigError(f"{where}.pin_file: goes with a key of a token (hsm:), and every such key needs it")
        if key.public_key_file and not is_key_uri(key.uri):
            raise ConfigError(f"{where}.public_key_file: is for keys that are kept elsewhere; a key's own file has it")


def _local(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"loopback:{port}" if host.strip("[]") in {"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"} else address  # noqa: S104 - compared, not bound
