"""Opens and closes runs at a sidecar, from inside the agent.

It needs grpcio and nothing else: the two requests are written by hand, after proto/affidavit/evidence/v1/evidence.proto, and a
test holds them equal to the generated messages. Law: nothing here waits longer than it was told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import unquote, urlsplit

import grpc

__all__ = ["Endpoint", "RunClient", "SenderCounts"]

_SERVICE = "/affidavit.evidence.v1.EvidenceService/"
_DEFAULT = "http://127.0.0.1:4317"
_HTTP_PORT, _GRPC_PORT = 4318, 4317
_VARINT, _LENGTH = 0, 2  # wire types
_TRUE = b"\x08\x01"  # a message whose first field is true
_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderCounts:
    """What the sender says that it sent. None means not counted, which is not the same as zero."""

    spans_started: int | None = None
    spans_ended: int | None = None
    spans_dropped: int | None = None
    """Of those ended, how many it knows that it could not send."""
    spans_unsampled: int | None = None
    """How many its sampler left out; they are in no other count."""
    logs: int | None = None
    receipts: int | None = None

    def encode(self) -> bytes:
        """The serialized message. Its fields are numbered in the order in which they stand here."""
        counts = ((number, getattr(self, field.name)) for number, field in enumerate(fields(self), 1))
        return b"".join(_key(number, _VARINT) + _varint(count) for number, count in counts if count is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a sidecar takes gRPC, and how to speak to it."""

    target: str
    """`host:port`."""
    credentials: grpc.ChannelCredentials | None = None
    """None: without TLS."""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """As OTLP exporters take it."""
        return f"{'http' if self.credentials is None else 'https'}://{self.target}"

    @classmethod
    def of(cls, address: str | None = None, environment: Mapping[str, str] | None = None) -> Endpoint:
        """Read an address, and what OpenTelemetry's environment variables say besides.

        https://opentelemetry.io/docs/specs/otel/protocol/exporter/

        Args:
            address: `host:port` or a URL. None: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`, or the
                default of a sidecar on this machine. Port 4318, where OTLP speaks HTTP, becomes 4317, where the sidecar
                that has it speaks gRPC.
            environment: where those variables are; None: this process's.

        Raises:
            ValueError: the address names no host, or a port that is none.
            OSError: a certificate that a variable names cannot be read.
        """
        variables = os.environ if environment is None else environment  # noqa: TID251 - the agent's process has no settings of ours

        def said(name: str) -> str:
            return (
                variables.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or variables.get(f"OTEL_EXPORTER_OTLP_{name}") or ""
            )

        address = address or said("ENDPOINT") or _DEFAULT
        url = urlsplit(address if "://" in address else f"http://{address}")
        if not url.hostname:
            raise ValueError(f"endpoint: expected host:port or a URL, got {address!r}")
        host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        port = _GRPC_PORT if url.port in {None, _HTTP_PORT} else url.port
        return cls(
            target=f"{host}:{port}",
            credentials=_credentials(said) if url.scheme in {"https", "grpcs"} else None,
            headers=tuple(_headers(said("HEADERS"))),
        )


class RunClient:
    """Speaks of runs to a sidecar. Connects when it is first used; may be used by many threads, and by one process only.

    Args:
        endpoint: where the sidecar is; None as `Endpoint.of` finds it.
        timeout_seconds: what a call may take at most, waiting for the sidecar to come up included.
    """

    def __init__(self, endpoint: Endpoint | None = None, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self.endpoint = endpoint or Endpoint.of()
        self.timeout_seconds = timeout_seconds
        self._channel: grpc.Channel | None = None

    def open_run(self, run_id: str, context_json: bytes = b"", *, timeout_seconds: float | None = None) -> bool:
        """Open a run before its first telemetry.

        Args:
            run_id: the run.
            context_json: one JSON object in UTF-8, recorded as it is: what was asked, by whom, under which policy.
            timeout_seconds: other than the client's own.

        Returns:
            Whether it was not open yet.

        Raises:
            grpc.RpcError: no answer in time, or a refusal.
        """
        return self._call("OpenRun", _text(1, run_id) + _bytes(2, context_json), timeout_seconds)

    def close_run(
        self,
        run_id: str,
        counts: SenderCounts | None = None,
        outcome_json: bytes = b"",
        *,
        timeout_seconds: float | None = None,
    ) -> bool:
        """Close a run, with the sender's own counts.

        Args:
            run_id: the run.
            counts: what was sent; None when nothing was counted.
            outcome_json: one JSON object in UTF-8, recorded as it is: the outcome in the sender's words.
            timeout_seconds: other than the client's own.

        Returns:
            Whether it was not closed yet.

        Raises:
            grpc.RpcError: no answer in time, or a refusal.
        """
        said = b"" if counts is None else _field(2, counts.encode())
        return self._call("CloseRun", _text(1, run_id) + said + _bytes(3, outcome_json), timeout_seconds)

    def close(self) -> None:
        """Give the connection up."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def forked(self) -> RunClient:
        """A client of the same sidecar for a child process, where this one's connection is not to be touched."""
        return RunClient(self.endpoint, timeout_seconds=self.timeout_seconds)

    def _call(self, method: str, request: bytes, timeout_seconds: float | None) -> bool:
        if self._channel is None:
            credentials, target = self.endpoint.credentials, self.endpoint.target
            self._channel = grpc.secure_channel(target, credentials) if credentials else grpc.insecure_channel(target)
        answer: bytes = self._channel.unary_unary(_SERVICE + method)(
            request,
            timeout=self.timeout_seconds if timeout_seconds is None else timeout_seconds,
            metadata=self.endpoint.headers,
            wait_for_ready=True,
        )
        return answer == _TRUE


# ---------------------------------------------------------------- the wire: https://protobuf.dev/programming-guides/encoding/


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _key(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _field(number: int, content: bytes) -> bytes:
    return _key(number, _LENGTH) + _varint(len(content)) + content


def _bytes(number: int, content: bytes) -> bytes:
    return _field(number, content) if content else b""


def _text(number: int, content: str) -> bytes:
    return _bytes(number, content.encode())


# ---------------------------------------------------------------- the environment


def _credentials(said: Callable[[str], str]) -> grpc.ChannelCredentials:
    files = [said(name) for name in ("CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE")]
    return grpc.ssl_channel_credentials(*(Path(file).read_bytes() if file else None for file in files))


def _headers(text: str) -> Iterable[tuple[str, str]]:
    """Pairs as in W3C Baggage: `key=value,…`, percent-encoded. gRPC wants its names in lower case."""
    for pair in text.split(","):
        name, separator, value = pair.partition("=")
        if separator and name.strip():
            yield unquote(name).strip().lower(), unquote(value).strip()
