"""Every setting: name, default, type and meaning in one place.

Law: the defaults alone make a working sidecar on loopback, without account or network. `config/affidavit.yaml` is made from
this module, and a test holds the two equal.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from evidence.errors import EvidenceError
from evidence.timestamp import from_rfc3339

SECRET = "********"  # noqa: S105 - what stands in for a secret, not one

Seconds = Annotated[float, Field(gt=0, le=31_536_000)]
Bytes = Annotated[int, Field(ge=1024, le=1 << 50)]
Address = Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")]


class Section(BaseModel):
    """A part of the settings. Unknown keys are refused; nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class TlsServer(Section):
    """TLS of a receiver. Empty: plain text, for loopback."""

    cert_file: Path | None = Field(None, description="Certificate chain in PEM. Needs key_file.")
    key_file: Path | None = Field(None, description="Private key in PEM.")
    client_ca_file: Path | None = Field(
        None, description="When set, clients must show a certificate of one of these CAs."
    )


class GrpcReceiver(Section):
    """OTLP over gRPC and the receipt service."""

    enabled: bool = Field(default=True, description="Whether to listen at all.")
    endpoint: Address = Field("127.0.0.1:4317", description="HOST:PORT; [::1]:4317 for IPv6.")
    tls: TlsServer = Field(TlsServer(), description="TLS; plain text when empty.")


class HttpReceiver(Section):
    """OTLP over HTTP (protobuf, JSON, gzip) with /healthz and /readyz."""

    enabled: bool = Field(default=True, description="Whether to listen at all.")
    endpoint: Address = Field("127.0.0.1:4318", description="HOST:PORT; [::1]:4318 for IPv6.")
    tls: TlsServer = Field(TlsServer(), description="TLS; plain text when empty.")


class Receiver(Section):
    """Where telemetry and receipts come in."""

    request_bytes_max: Bytes = Field(64 << 20, description="Largest request, before and after inflating.")
    grpc: GrpcReceiver = Field(GrpcReceiver(), description="OTLP over gRPC and the receipt service.")
    http: HttpReceiver = Field(HttpReceiver(), description="OTLP over HTTP, /healthz and /readyz.")


class Journal(Section):
    """The durable log. Nothing is acknowledged before it is here and on disk."""

    in_flight_bytes_max: Bytes = Field(
        64 << 20, description="Bytes accepted and not yet on disk; beyond it clients are told to wait."
    )
    disk_bytes_max: Bytes = Field(4 << 30, description="Bytes of journal on disk; beyond it clients are told to wait.")


class Run(Section):
    """What makes a run, and when it ends."""

    key: tuple[str, ...] = Field(
        ("affidavit.run.id", "trace_id"),
        min_length=1,
        description="What tells runs apart: attribute names, looked up on the item and then on its resource; "
        "trace_id stands for the trace. The first that is there decides.",
    )
    quiet_seconds: Seconds = Field(
        5.0, description="A run whose root span has ended closes after this long without anything new."
    )
    idle_seconds: Seconds = Field(300.0, description="Any run closes after this long without anything new.")
    age_seconds_max: Seconds = Field(
        86_400.0, description="A run closes when it is this old, whatever happens; what follows is an amendment."
    )
    bytes_max: Bytes = Field(
        256 << 20, description="A run closes when its events reach this size; what follows is an amendment."
    )


class Semconv(Section):
    """How telemetry is translated to the GenAI and MCP semantic conventions."""

    target: Literal["gen-ai-dev", "core-1.41.1"] = Field("gen-ai-dev", description="The convention to translate to.")
    profiles_dir: Path | None = Field(
        None, description="Folder of your own profiles (*.yaml), beside the built-in ones."
    )
    keep_unmapped: bool = Field(
        default=True,
        description="Whether attributes without a home in the target stay on exported spans under their own names.",
    )


class Evidence(Section):
    """What bundles are judged by."""

    packs: tuple[str, ...] = Field(
        ("baseline",), description="Packs scored in every bundle: names of built-in ones, or files."
    )


class Redaction(Section):
    """What is withheld from bundles before anything is hashed."""

    policy_file: Path | None = Field(
        None, description="Policy (YAML) of what is withheld. Empty: the secrets that are found, and nothing else."
    )
    disclosures_dir: Path | None = Field(
        None, description="Folder of what was withheld, by run. Empty: disclosures in state_dir. Never in a bundle."
    )
    encrypt_to: Path | None = Field(
        None,
        description="Public key (X25519, PEM) of who may read it. Empty: in the clear, for the owner of the files.",
    )


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", value):
        raise ValueError("http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH], without a password")
    return value


class LogWitness(Section):
    """A witness of the sidecar's log."""

    vkey: str = Field(
        ...,
        pattern=r"^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$",
        description="Its verifier key for cosignatures: NAME+HASH+KEY.",
    )
    url: str = Field(..., description="Its submission prefix; /add-checkpoint is appended.")

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        return _url(value)


class SidecarLog(Section):
    """The append-only log of sealed bundles (docs/log.md)."""

    enabled: bool = Field(
        default=True, description="Whether sealed bundles are entered into a log and attestations carry the proof."
    )
    origin: str | None = Field(
        None,
        pattern=r"^[^\s+]{1,200}$",
        description="The log's name for everybody, such as example.com/agents/log1. Empty: made from name and the log's key.",
    )
    witnesses: tuple[LogWitness, ...] = Field((), max_length=16, description="Who is asked to cosign its checkpoints.")
    witnesses_min: int = Field(
        0,
        ge=0,
        le=16,
        description="How many must have cosigned before a bundle is signed; it is tried again until then.",
    )
    timeout_seconds: Seconds = Field(10.0, description="Deadline for all witnesses together.")


class AttestKey(Section):
    """A key that signs, and when."""

    uri: str = Field(
        ...,
        min_length=1,
        description="Private key in PEM (a path), or awskms:, gcpkms:, azurekms:, hv: (Vault) or hsm: (PKCS#11); docs/signing.md.",
    )
    valid_from: str | None = Field(None, description="From when on it signs, such as 2026-11-21T00:00:00Z.")
    valid_until: str | None = Field(None, description="Until when it signs.")
    public_key_file: Path | None = Field(
        None, description="Its public half in PEM, for what is kept elsewhere. Empty: it is asked for."
    )
    pin_file: Path | None = Field(None, description="File with the PIN of a PKCS#11 token.")

    @field_validator("valid_from", "valid_until", mode="before")
    @classmethod
    def _is_a_time(cls, value: object) -> str | None:
        """YAML makes a time of what looks like one, in the zone it was written in."""
        if value is None:
            return None
        try:
            return from_rfc3339(value.isoformat() if isinstance(value, datetime) else str(value))
        except EvidenceError as error:
            raise ValueError(str(error).removeprefix("expected ")) from error


class Keyless(Section):
    """Signing as an identity instead of with a key, by a Sigstore instance."""

    trust_config_file: Path | None = Field(
        None, description="Its client trust config (JSON): which services to use, and their roots. Needed for keyless."
    )
    token_file: Path | None = Field(
        None,
        description="OIDC token that something else keeps fresh, such as a projected Kubernetes one. Empty: that of the CI job.",
    )
    audience: str = Field("sigstore", min_length=1, description="For whom the token is made (aud).")
    public_instance: bool = Field(
        default=False,
        description="Whether the config may be that of the public instance, which publishes identity and digests for ever.",
    )
    tlog_version: Literal[1, 2] | None = Field(
        None,
        description="Version of the transparency log. Empty: 1 where there is one, which the most verifiers can read.",
    )


class Attest(Section):
    """Who signs, and how often. What is sealed never waits for it."""

    method: Literal["key", "keyless"] = Field("key", description="key or keyless.")
    key_file: Path | None = Field(
        None,
        description="Private key in PEM (P-256 or Ed25519). Empty, like keys: keys/signing.pem in state_dir, made on first start.",
    )
    keys: tuple[AttestKey, ...] = Field(
        (), max_length=16, description="Several keys instead, by windows of time: the newest that is valid signs."
    )
    timestamp_url: str | None = Field(
        None, description="RFC 3161 authority that dates signatures made with a key. Empty: they are not dated."
    )
    require_timestamp: bool = Field(
        default=True,
        description="Whether a bundle waits until its signature is dated, where there is an authority; false: signed without, and said.",
    )
    keyless: Keyless = Field(Keyless(), description="Signing as an identity, by a Sigstore instance.")
    deadline_seconds: Seconds = Field(
        60.0, description="Deadline of one signature, its timestamp and its log entry; not for keys in files."
    )
    batch_bundles_max: int = Field(64, ge=1, le=1000, description="Bundles that one signature may cover.")
    batch_wait_seconds: float = Field(
        0.0,
        ge=0,
        le=3600,
        description="How long a bundle waits for others to share its signature. What comes during a signature shares the next anyway.",
    )
    retry_initial_seconds: Seconds = Field(1.0, description="First wait after a failure; doubles, with jitter.")
    retry_max_seconds: Seconds = Field(
        300.0, description="Longest wait. There is no last try: what is not signed is kept, also over restarts."
    )
    sidecar_log: SidecarLog = Field(SidecarLog(), description="The append-only log of sealed bundles.")

    @field_validator("timestamp_url")
    @classmethod
    def _is_a_url(cls, value: str | None) -> str | None:
        return value and _url(value)


class TlsClient(Section):
    """TLS towards a backend."""

    ca_file: Path | None = Field(
        None, description="CAs that the backend's certificate is checked against. Empty: the system's."
    )
    cert_file: Path | None = Field(None, description="Our own certificate, for mutual TLS.")
    key_file: Path | None = Field(None, description="Its private key.")


SignalName = Literal["traces", "logs", "metrics"]


class Backend(Section):
    """One OTLP backend."""

    endpoint: str = Field(
        ..., description="URL: http://HOST:4317 for grpc, http://HOST:4318 for http/protobuf (/v1/SIGNAL is appended)."
    )
    protocol: Literal["grpc", "http/protobuf"] = Field("grpc", description="grpc or http/protobuf.")
    signals: tuple[SignalName, ...] = Field(
        ("traces", "logs", "metrics"), min_length=1, description="Which signals it gets."
    )
    signal_endpoints: dict[SignalName, str] = Field({}, description="Full URLs of single signals, used as they are.")
    headers: dict[str, str] = Field({}, description="Sent with every request; values are secrets and never shown.")
    compression: Literal["none", "gzip"] = Field("none", description="none or gzip.")
    timeout_seconds: Seconds = Field(10.0, description="Deadline of one request.")
    retry_initial_seconds: Seconds = Field(1.0, description="First wait after a failure; doubles, with jitter.")
    retry_max_seconds: Seconds = Field(
        30.0, description="Longest wait. There is no last try: the journal keeps what is not delivered."
    )
    tls: TlsClient = Field(TlsClient(), description="TLS, for https endpoints.")

    @field_validator("endpoint")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
            raise ValueError("http://HOST:PORT or https://HOST:PORT")
        return value


class Shutdown(Section):
    """What SIGTERM does: stop accepting, commit, close and seal every run, flush, exit 0."""

    grace_seconds: Seconds = Field(
        20.0, description="How long requests, sealing and exports may take. What is left is kept for the next start."
    )


class Log(Section):
    """Our own log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error.")
    format: Literal["text", "json"] = Field("text", description="text for people, json for machines.")


class Settings(BaseSettings):
    """The whole configuration. Defaults alone make a working sidecar on loopback without account or network."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: str = Field(
        "local",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="Name of this sidecar; stands in every event's source.",
    )
    state_dir: Path = Field(
        Path("affidavit-state"), description="Journal, open runs, bundles and the signing key. One sidecar at a time."
    )
    receiver: Receiver = Field(Receiver(), description="Where telemetry and receipts come in.")
    journal: Journal = Field(Journal(), description="The durable log between receiving and everything else.")
    run: Run = Field(Run(), description="What makes a run, and when it ends.")
    semconv: Semconv = Field(Semconv(), description="Translation to the GenAI and MCP semantic conventions.")
    evidence: Evidence = Field(Evidence(), description="What bundles are judged by.")
    redaction: Redaction = Field(Redaction(), description="What is withheld from bundles.")
    attest: Attest = Field(Attest(), description="Who signs.")
    exporters: dict[str, Backend] = Field(
        {}, description="OTLP backends by name; each has its own cursor, none holds up another."
    )
    shutdown: Shutdown = Field(Shutdown(), description="What happens on SIGTERM.")
    log: Log = Field(Log(), description="Our own log, on standard error.")

    @field_validator("exporters")
    @classmethod
    def _names_are_file_names(cls, value: dict[str, Backend]) -> dict[str, Backend]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
                raise ValueError(f"backend names of letters, digits, '.', '_' and '-', not {name!r}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing is read behind the caller's back: `load` says where settings come from."""
        del settings_cls
        return (init_settings,)

    def masked(self) -> dict[str, Any]:
        """The settings as plain data, secrets replaced."""
        data: dict[str, Any] = self.model_dump(mode="json")
        for backend in data["exporters"].values():
            backend["headers"] = dict.fromkeys(backend["headers"], SECRET)
        return data
