"""One OTLP destination: what a user can say of it, checked before anything is sent.

Carries out the endpoint rules of the OTLP exporter specification
(https://opentelemetry.io/docs/specs/otel/protocol/exporter/, "Endpoint URLs for OTLP/HTTP").

Law: a `Backend` that exists can be tried; whatever cannot work whatever the network does is refused here, by the name of its
key, with what was got and what it takes. No message holds a header's value.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Final, Literal, NoReturn
from urllib.parse import SplitResult, urlsplit

from sidecar.errors import ConfigError
from sidecar.otlp.signal import OtlpSignal

ALL_SIGNALS: Final = frozenset(OtlpSignal)
PROTOCOLS: Final = ("grpc", "http/protobuf")
COMPRESSIONS: Final = ("none", "gzip")

_SIGNALS: Final = "some of traces, logs, metrics"
_PORTS: Final = {"http": 80, "https": 443}
_SCHEMES_OF_GRPC: Final = ("dns", "ipv4", "ipv6", "unix", "unix-abstract")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]*")
_OWN_HEADERS: Final = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "te", "transfer-encoding", "user-agent"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the requests of one signal go."""

    address: str
    """HTTP: the URL to POST to. gRPC: the target string of the channel."""
    secure: bool
    """Whether TLS is spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One OTLP backend.

    Not checked: whether anything answers at the endpoint, and what is in the TLS files (the transport reads those).

    Raises:
        ConfigError: For a value that cannot work, naming the key as `exporters.NAME.KEY`.
    """

    name: str
    """Names the cursor and the counters: letters, digits, `.`, `_`, `-`."""
    endpoint: str = ""
    """http/protobuf: the base URL, to which `v1/SIGNAL` is appended. grpc: `http://`, `https://` or a gRPC target."""
    protocol: Literal["grpc", "http/protobuf"] = "grpc"
    signals: frozenset[OtlpSignal] = ALL_SIGNALS
    """What it is sent; other signals are passed over."""
    signal_endpoints: Mapping[OtlpSignal, str] = field(default_factory=dict)
    """Endpoints of single signals, used as they are; they win over `endpoint`."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request. Values are secrets."""
    compression: Literal["none", "gzip"] = "none"
    timeout_seconds: float = 10.0
    """The deadline of one request."""
    retry_initial_seconds: float = 1.0
    """The first wait after a failure; it doubles from there."""
    retry_max_seconds: float = 30.0
    """The longest wait of the backoff. There is no last try."""
    batch_bytes_max: int = 4 * 1024 * 1024
    """Small requests are joined up to this size; a larger one goes alone."""
    ca_file: Path | None = None
    """CAs in PEM that the backend's certificate is checked against; None takes the system's."""
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure: bool = False
    """Plain text for a grpc endpoint without a scheme; `http://` and `https://` decide for themselves."""

    def __post_init__(self) -> None:
        _check_values(self)
        secure = [self.target(signal).secure for signal in sorted(self.signals)]
        given = [key for key in ("ca_file", "cert_file", "key_file") if getattr(self, key) is not None]
        if given and not any(secure):
            self._refuse(f"tls.{given[0]}", "a file although no endpoint speaks TLS", "https:// endpoints beside it")
        if (self.cert_file is None) != (self.key_file is None):
            self._refuse("tls", "one of cert_file and key_file", "both or neither")

    def target(self, signal: OtlpSignal) -> Target:
        """Where requests of `signal` go.

        Raises:
            ConfigError: When the endpoint is missing or malformed.
        """
        own = self.signal_endpoints.get(signal)
        key = "endpoint" if own is None else f"signal_endpoints.{signal.name.lower()}"
        text = self.endpoint if own is None else own
        if not text or any(character.isspace() for character in text):
            self._refuse(key, text, "a URL such as http://HOST:4317")
        if self.protocol == "grpc":
            return self._grpc_target(key, text)
        return self._http_target(key, text, signal if own is None else None)

    def _grpc_target(self, key: str, text: str) -> Target:
        if "://" not in text or text.split(":", 1)[0] in _SCHEMES_OF_GRPC:
            return Target(address=text, secure=not self.insecure)
        url = self._url(key, text)
        if url.path not in {"", "/"} or url.query:
            self._refuse(key, text, "no path: gRPC has a fixed one")
        address = url.netloc if url.port else f"{url.netloc.removesuffix(':')}:{_PORTS[url.scheme]}"
        return Target(address=address, secure=url.scheme == "https")

    def _http_target(self, key: str, text: str, appended: OtlpSignal | None) -> Target:
        url = self._url(key, text)
        if appended is not None:
            if url.query:
                self._refuse(key, text, "no query on a base URL; signal_endpoints take one")
            url = url._replace(path=f"{url.path.removesuffix('/')}/v1/{appended.name.lower()}")
        elif not url.path:
            url = url._replace(path="/")
        return Target(address=url.geturl(), secure=url.scheme == "https")

    def _url(self, key: str, text: str) -> SplitResult:
        expected = "http://HOST:PORT or https://HOST:PORT"
        try:
            url = urlsplit(text)
            if url.port == 0:
                self._refuse(key, text, "a port from 1 to 65535")
        except ValueError:
            self._refuse(key, text, expected)
        if "@" in url.netloc:
            self._refuse(key, "a URL with credentials", "credentials in headers")
        if url.scheme not in _PORTS or not url.hostname or url.fragment:
            self._refuse(key, text, expected)
        return url

    def _refuse(self, key: str, got: object, expected: str) -> NoReturn:
        _refuse(self.name, key, got, expected)


def signals_named(names: Iterable[str], *, backend: str) -> frozenset[OtlpSignal]:
    """The signals that a user listed by name.

    Raises:
        ConfigError: For a signal that a backend cannot take, so that it is never acknowledged and then dropped.
    """
    known = {signal.name.lower(): signal for signal in OtlpSignal}
    chosen = list(names)
    for name in chosen:
        if name not in known:
            _refuse(backend, "signals", name, _SIGNALS)
    return frozenset(known[name] for name in chosen)


def _refuse(backend: str, key: str, got: object, expected: str) -> NoReturn:
    raise ConfigError(f"exporters.{backend}.{key}: got {got!r}, expected {expected}")


def _check_values(b: Backend) -> None:
    one_of = " or ".join
    rules: tuple[tuple[str, object, bool, str], ...] = (
        ("name", b.name, _NAME.fullmatch(b.name) is not None, "up to 64 letters, digits, '.', '_', '-'"),
        ("protocol", b.protocol, b.protocol in PROTOCOLS, one_of(PROTOCOLS)),
        ("compression", b.compression, b.compression in COMPRESSIONS, one_of(COMPRESSIONS)),
        ("signals", sorted(map(str, b.signals)), 0 < len(b.signals) == len(b.signals & ALL_SIGNALS), _SIGNALS),
        ("signal_endpoints", sorted(map(str, b.signal_endpoints)), b.signals >= set(b.signal_endpoints), "its signals"),
        ("timeout_seconds", b.timeout_seconds, 0 < b.timeout_seconds < inf, "more than 0"),
        ("retry_initial_seconds", b.retry_initial_seconds, 0 < b.retry_initial_seconds < inf, "more than 0"),
        (
            "retry_max_seconds",
            b.retry_max_seconds,
            b.retry_initial_seconds <= b.retry_max_seconds < inf,
            "at least retry_initial_seconds",
        ),
        ("batch_bytes_max", b.batch_bytes_max, b.batch_bytes_max > 0, "more than 0"),
    )
    for key, got, holds, expected in rules:
        if not holds:
            _refuse(b.name, key, got, expected)
    for name, value in b.headers.items():
        _check_header(b, name, value)


def _check_header(b: Backend, name: str, value: str) -> None:
    """RFC 9110, section 5; gRPC over HTTP/2, "Custom-Metadata". The value stays out of every message."""
    lower = name.lower()
    if not _HEADER_NAME.fullmatch(name):
        _refuse(b.name, "headers", name, "a header name")
    if lower in _OWN_HEADERS or lower.startswith(("grpc-", ":")):
        _refuse(b.name, f"headers.{name}", "a header that the protocol sets itself", "any other")
    if b.protocol == "grpc" and lower.endswith("-bin"):
        _refuse(b.name, f"headers.{name}", "a name in -bin", "a text header: those carry bytes in gRPC")
    if not _HEADER_VALUE.fullmatch(value):
        _refuse(b.name, f"headers.{name}", "other characters", "printable ASCII")
