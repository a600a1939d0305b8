"""One question to a service over HTTP, and its bounded answer before a deadline.

The one door of this room to the network for questions of its own, to timestamp authorities and witnesses; the libraries of
Sigstore, TUF and key services have theirs.

Law: whatever the service, its name server or the network does, whoever asks goes on at the deadline. Looking up a name cannot be
interrupted, so a thread does it that nobody waits for and that no exit of the process waits for; whatever comes after that ends with the
connection. Nothing is redirected, tried again, or kept open.
"""

import socket
import ssl
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache, partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from threading import Lock, Thread
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from attest.errors import InvalidError

_PORTS = {"http": 80, "https": 443}
_ERRORS_FROM = 300
_AROUND_BYTES_MAX = 1024 * 1024
"""Of heads, and of what chunks are wrapped in."""


class Answer(NamedTuple):
    """What a service said."""

    status: int
    body: bytes


def post(url: str, body: bytes, *, kind: str, deadline: float, bytes_max: int) -> Answer:
    """Send `body` to `url` and wait for the whole answer.

    Args:
        url: `http://` or `https://`, used as it is; a name and password in it are not sent.
        body: what is sent.
        kind: its media type.
        deadline: by `time.monotonic`; for looking up the name, connecting, sending and the last byte of the answer together.
        bytes_max: the largest answer that is taken; of one that says an error, the beginning is.

    Raises:
        TimeoutError: no whole answer before the deadline.
        OSError: no such name, nobody there, no TLS or a certificate that is not trusted, cut off, or an answer that is no HTTP.
        InvalidError: the answer is larger than allowed, or `url` is no address.
    """
    if time.monotonic() >= deadline:
        raise TimeoutError("no time is left to ask in")
    exchange = _Exchange(_address(url), deadline)
    answer: Future[Answer] = Future()
    Thread(target=exchange.fulfil, args=(answer, body, kind, bytes_max), name="post", daemon=True).start()
    try:
        return answer.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError as error:
        raise TimeoutError("no answer before the deadline") from error
    finally:
        exchange.close()


class _Exchange:
    """One connection, which another thread may close while it is used."""

    def __init__(self, address: SplitResult, deadline: float) -> None:
        self._address = address
        self._deadline = deadline
        self._lock = Lock()
        self._closed = False
        self._socket: socket.socket | None = None

    def fulfil(self, answer: Future[Answer], body: bytes, kind: str, bytes_max: int) -> None:
        """Ask, and give `answer` what comes of it."""
        try:
            answer.set_result(self._ask(body, kind, bytes_max))
        except BaseException as error:  # noqa: BLE001 - for whoever waits
            answer.set_exception(error)

    def close(self) -> None:
        """End the connection, and with it whatever waits for something on it; or, when there is none yet, see that there will be none."""
        with self._lock:
            self._closed = True
            if self._socket is not None:
                with suppress(OSError):  # not connected (any more)
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # below TLS, which another thread may be in

    def _ask(self, body: bytes, kind: str, bytes_max: int) -> Answer:
        host = str(self._address.hostname)
        sock = self._connected(host, self._address.port or _PORTS[self._address.scheme])
        try:
            if self._address.scheme == "https":
                secured = _tls().wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
                sock = self._keep(secured)
                secured.do_handshake()
            with sock.makefile("rb"):  # holds it open, whatever the library closes, until nobody else can be at it
                try:
                    return self._said(sock, host, body, kind, bytes_max)
                finally:
                    self._release()
        finally:
            self._release()
            sock.close()

    def _said(self, sock: socket.socket, host: str, body: bytes, kind: str, bytes_max: int) -> Answer:
        query = f"?{self._address.query}" if self._address.query else ""
        headers = {
            "Content-Type": kind,
            "Accept-Encoding": "identity",
            "User-Agent": "affidavit",
            "Connection": "close",
        }
        connection = HTTPConnection(host, self._address.port or _PORTS[self._address.scheme])
        connection.response_class = partial(_Response, bytes_max + _AROUND_BYTES_MAX)  # type: ignore[assignment]  # made like one
        connection.sock = sock
        try:
            connection.request("POST", f"{self._address.path or '/'}{query}", body=body, headers=headers)
            response = connection.getresponse()
            data = response.read(bytes_max + 1)
        except (HTTPException, ValueError) as error:  # the length of a chunk may be negative, and is believed
            raise ConnectionError(f"the answer is no whole HTTP: {type(error).__name__}") from error
        if len(data) <= bytes_max and response.length:
            raise ConnectionError(f"the answer was cut off {response.length} bytes before its end")
        if len(data) > bytes_max and response.status < _ERRORS_FROM:
            raise InvalidError(f"the answer has more than {bytes_max} bytes")
        return Answer(response.status, data[:bytes_max])

    def _connected(self, host: str, port: int) -> socket.socket:
        failed: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            sock = self._keep(socket.socket(family, kind, protocol))
            try:
                sock.settimeout(max(0.001, self._deadline - time.monotonic()))
                sock.connect(address)
            except OSError as error:
                self._release()
                sock.close()
                failed = error
            else:
                return sock
        raise failed or OSError(f"{host} has no address")

    def _keep(self, sock: socket.socket) -> socket.socket:
        with self._lock:
            self._socket = sock
            if not self._closed:
                return sock
        sock.close()
        raise TimeoutError("nobody waits for it any more")

    def _release(self) -> None:
        with self._lock:
            self._socket = None


class _Response(HTTPResponse):
    """An answer of bounded size: the library bounds each line, and neither how many there are nor a chunk that has no length."""

    def __init__(self, bytes_max: int, sock: socket.socket, *args: Any, **options: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(sock, *args, **options)
        self.fp = BufferedReader(_AtMost(bytes_max, self.fp))


class _AtMost(RawIOBase):
    """A stream that is an error from so many bytes on."""

    def __init__(self, bytes_max: int, stream: BufferedReader) -> None:
        self._stream = stream
        self._bytes_max = self._left = bytes_max

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever can be written to
        """What is there; at the end nothing."""
        count = self._stream.readinto1(buffer)
        self._left -= count
        if self._left < 0:
            raise InvalidError(f"the answer, its heads among it, has more than {self._bytes_max} bytes")
        return count

    def close(self) -> None:
        """The stream as well."""
        self._stream.close()
        super().close()


def _address(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        host = (address.hostname or "").encode("idna")
        usable = address.scheme in _PORTS and host and address.port != 0 and url.isascii() and url.isprintable()
    except ValueError:  # a port or an IPv6 address that is none; a name that no name server can be asked for
        usable = False
    if not usable or " " in url:
        raise InvalidError("no address of a service; expected http://HOST[:PORT][/PATH] or https://…")
    return address


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Whom the machine trusts, or `SSL_CERT_FILE`; read once."""
    return ssl.create_default_context()
