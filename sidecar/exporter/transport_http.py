"""OTLP/HTTP with binary protobuf, over a connection that is kept.

OTLP, "OTLP/HTTP Request", "OTLP/HTTP Response", "OTLP/HTTP Connection". The one door to urllib3.

Law: the same body gives the same bytes on the wire, compressed or not; no response is read beyond `response_bytes_max`.
"""

from time import monotonic

import urllib3
from isal import igzip
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as HttpTimeout
from urllib3.response import BaseHTTPResponse

from sidecar.clock import Clock
from sidecar.exporter.agent import user_agent
from sidecar.exporter.answer import http_outcome, printable
from sidecar.exporter.backend import Backend
from sidecar.exporter.outcome import Outcome, Refused, Retry
from sidecar.exporter.tls import tls_context
from sidecar.limits import Limits
from sidecar.otlp.signal import OtlpSignal

_GZIP_LEVEL = 1
_CHUNK_BYTES = 64 * 1024


class HttpTransport:
    """One kept connection for each distinct host of a backend's endpoints."""

    def __init__(self, backend: Backend, *, clock: Clock, limits: Limits) -> None:
        targets = {signal: backend.target(signal) for signal in backend.signals}
        secure = any(target.secure for target in targets.values())
        self._urls = {signal: target.address for signal, target in targets.items()}
        self._pool = urllib3.PoolManager(
            num_pools=len(OtlpSignal),
            maxsize=1,
            retries=False,
            ssl_context=tls_context(backend) if secure else None,
        )
        self._gzip = backend.compression == "gzip"
        self._headers = {
            **backend.headers,
            "Content-Type": "application/x-protobuf",
            "User-Agent": user_agent(),
            **({"Content-Encoding": "gzip"} if self._gzip else {}),
        }
        self._clock = clock
        self._limits = limits

    def send(self, signal: OtlpSignal, body: bytes, timeout_seconds: float) -> Outcome:
        """Send one request and wait for what becomes of it."""
        deadline = monotonic() + timeout_seconds
        try:
            response = self._pool.request(
                "POST",
                self._urls[signal],
                body=igzip.compress(body, _GZIP_LEVEL, mtime=0) if self._gzip else body,
                headers=self._headers,
                timeout=urllib3.Timeout(total=timeout_seconds),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            content = self._read(response, deadline)
        except (HTTPError, OSError) as error:
            return Retry(reason=_reason(error), message=printable(str(error), self._limits))
        if content is None:
            # OTLP, "OTLP/HTTP Response": a response above the limit is an error that is not retried, whatever its status.
            return Refused(reason="http response too large", message=f"status {response.status}")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return http_outcome(signal, response.status, headers, content, now_unix_nano=self._clock(), limits=self._limits)

    def close(self) -> None:
        """Close idle connections. A `send` under way in another thread ends by its own timeout."""
        self._pool.clear()

    def _read(self, response: BaseHTTPResponse, deadline: float) -> bytes | None:
        """The body; None when it is above the limit. A server that trickles is cut off at the deadline."""
        content = bytearray()
        try:
            while chunk := response.read1(_CHUNK_BYTES):
                content += chunk
                if len(content) > self._limits.response_bytes_max:
                    return None
                if monotonic() > deadline:
                    raise HttpTimeout("the response did not end before the deadline")
            return bytes(content)
        finally:
            if not response.closed:
                response.close()
            response.release_conn()


def _reason(error: Exception) -> str:
    if isinstance(error, SSLError):
        return "http tls"
    if isinstance(error, NewConnectionError):
        return "http connect"
    if isinstance(error, ConnectTimeoutError):
        return "http connect timeout"
    return "http timeout" if isinstance(error, HttpTimeout) else "http disconnected"
