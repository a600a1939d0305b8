"""OTLP over HTTP: an ASGI application on uvicorn, on the loop of the gRPC server.

Carries out OTLP, "OTLP/HTTP" (https://opentelemetry.io/docs/specs/otlp/#otlphttp). Law: every 4xx and 5xx has a google.rpc.Status as
its body, in the request's encoding (JSON when that is not known), also what the HTTP server itself refuses.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import uvicorn
from google.protobuf import json_format
from google.rpc import code_pb2, status_pb2
from isal import isal_zlib
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sidecar.errors import SidecarError
from sidecar.otlp.signal import OtlpSignal
from sidecar.receiver.admission import Accepted, Admission, Refused
from sidecar.receiver.status import status
from sidecar.receiver.tls import Tls

__all__ = ["HttpServer"]

_PATHS = {"/v1/traces": OtlpSignal.TRACES, "/v1/logs": OtlpSignal.LOGS, "/v1/metrics": OtlpSignal.METRICS}
_ENCODINGS = {"application/x-protobuf": "protobuf", "application/json": "json"}
_CODES = {"bad_data": 400, "too_large": 413, "overloaded": 429, "unavailable": 503}
_RPC_CODES = {400: 3, 404: code_pb2.NOT_FOUND, 405: code_pb2.UNIMPLEMENTED, 413: code_pb2.RESOURCE_EXHAUSTED, 415: 3}
_GZIP_WBITS = 31
_HEAD_BYTES_MAX = 1 << 20
_KEEP_ALIVE_SECONDS = 75

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _HttpError(Exception):
    def __init__(self, code: int, reason: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(reason)
        self.code = code
        self.headers = headers


class HttpServer:
    """The HTTP receiver, from bind to stop."""

    name = "http"

    def __init__(self, admission: Admission, endpoint: str, tls: Tls | None) -> None:
        self._admission = admission
        self._endpoint = endpoint
        self._tls = tls
        self._ready = False
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._port = 0

    async def start(self) -> None:
        """Binds and serves; `/readyz` says no until `set_ready`.

        Raises:
            SidecarError: The address cannot be bound or a TLS file not be used, naming it.
        """
        listener = _bind(self._endpoint)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self,
            http=_Protocol,
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        config.load()
        config.ssl = self._tls.context() if self._tls else None
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._serving.done():
                self._serving.result()
                raise SidecarError(f"receiver.http.endpoint: cannot serve on {self._endpoint}")
            await asyncio.sleep(0.001)

    @property
    def address(self) -> str:
        """The address that is served, with the port that was really bound."""
        return f"{self._endpoint.rpartition(':')[0]}:{self._port}"

    async def set_ready(self, *, ready: bool) -> None:
        """What `/readyz` says."""
        self._ready = ready

    async def stop(self, grace_seconds: float) -> None:
        """Takes nothing new, finishes what is held, at most for `grace_seconds`."""
        if self._server is None or self._serving is None:
            return
        self._server.config.timeout_graceful_shutdown = max(1, round(grace_seconds))
        self._server.should_exit = True
        await self._serving

    # ---------------------------------------------------------------- one request

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """The ASGI application."""
        assert scope["type"] == "http", "lifespan and websockets are off"
        headers = dict(scope["headers"])
        content_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        encoding = _ENCODINGS.get(content_type, "")
        try:
            code, extra, body = await self._answer(scope, headers, encoding, receive)
        except _HttpError as error:
            rpc = status_pb2.Status(code=_RPC_CODES[error.code], message=str(error))
            code, extra, body = error.code, error.headers, _encode(rpc, encoding)
        if not encoding:
            content_type = "application/json"
        fixed = ((b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode()))
        closing = ((b"connection", b"close"),) if code == _CODES["too_large"] else ()
        await send({"type": "http.response.start", "status": code, "headers": [*fixed, *extra, *closing]})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, scope: _Scope, headers: dict[bytes, bytes], encoding: str, receive: _Receive
    ) -> tuple[int, tuple[tuple[bytes, bytes], ...], bytes]:
        path, method = scope["path"], scope["method"]
        if path in {"/healthz", "/readyz"}:
            _demand_method(method, "GET", "HEAD")
            well = path == "/healthz" or self._ready
            return (200 if well else 503), (), b'{"status":"ok"}' if well else b'{"code":14,"message":"not ready"}'
        signal = _PATHS.get(path)
        if signal is None:
            raise _HttpError(404, f"{path[:200]}: expected one of {', '.join(_PATHS)}")
        _demand_method(method, "POST")
        if not encoding:
            got = headers.get(b"content-type", b"none").decode("latin-1")[:200]
            raise _HttpError(415, f"content-type: got {got}, expected {' or '.join(_ENCODINGS)}")
        body = await self._body(headers, receive)
        answer = await self._admission.telemetry(signal, encoding, body)  # type: ignore[arg-type]  # from _ENCODINGS
        if isinstance(answer, Refused):
            return _refusal(answer, encoding)
        return 200, (), _success(signal, answer, encoding)

    async def _body(self, headers: dict[bytes, bytes], receive: _Receive) -> bytes:
        coding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
        if coding not in {"identity", "gzip"}:
            raise _HttpError(
                415, f"content-encoding: got {coding[:100]}, expected gzip or none", (b"accept-encoding", b"gzip")
            )
        most = self._admission.limits.request_bytes_max
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > most:
            raise _HttpError(413, f"body: got {int(announced)} bytes, expected at most {most}")
        pieces, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _HttpError(400, "the client went away in the middle of the body")
            piece = message.get("body", b"")
            size += len(piece)
            if size > most:
                raise _HttpError(413, f"body: got more than {most} bytes, expected at most that")
            pieces.append(piece)
            if not message.get("more_body"):
                break
        body = b"".join(pieces)
        return await asyncio.to_thread(_inflate, body, most) if coding == "gzip" else body


def _inflate(data: bytes, most: int) -> bytes:
    """One or more gzip members, never more than `most` bytes of output (checklist 6: bounded before and after inflating)."""
    out: list[bytes] = []
    left = most
    while data:
        inflater = isal_zlib.decompressobj(wbits=_GZIP_WBITS)
        try:
            while not inflater.eof:
                piece = inflater.decompress(data, left + 1)
                left -= len(piece)
                if left < 0:
                    raise _HttpError(413, f"body: inflates to more than {most} bytes, expected at most that")
                out.append(piece)
                data = inflater.unconsumed_tail
                if not piece and not data and not inflater.eof:
                    raise _HttpError(400, "body: the gzip stream ends too early")
        except isal_zlib.error as error:  # type: ignore[misc]  # a class that its stubs call a function
            raise _HttpError(400, f"body: not gzip: {error}") from error
        data = inflater.unused_data
    return b"".join(out)


# ---------------------------------------------------------------- answers


def _demand_method(method: str, *allowed: str) -> None:
    if method not in allowed:
        allow = ", ".join(allowed)
        raise _HttpError(405, f"method: got {method[:40]}, expected {allow}", (b"allow", allow.encode()))


def _refusal(answer: Refused, encoding: str) -> tuple[int, tuple[tuple[bytes, bytes], ...], bytes]:
    seconds = answer.retry_after_seconds
    wait = ((b"retry-after", str(max(1, round(seconds))).encode()),) if seconds else ()
    return _CODES[answer.kind], wait, _encode(status(answer), encoding)


def _success(signal: OtlpSignal, answer: Accepted, encoding: str) -> bytes:
    response = signal.response()
    if answer.error_message:
        partial = response.partial_success  # type: ignore[attr-defined]  # all three responses have it
        setattr(partial, signal.rejected_field, answer.rejected)
        partial.error_message = answer.error_message
    return _encode(response, encoding)


def _encode(message: Any, encoding: str) -> bytes:  # noqa: ANN401 - any protobuf message
    if encoding == "protobuf":
        data: bytes = message.SerializeToString()
        return data
    return json_format.MessageToJson(message, indent=None).replace("\n", "").encode()


# ---------------------------------------------------------------- uvicorn


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the app owns them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on what comes before a body, and our form of its refusal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own arguments, passed on
        super().__init__(*args, **kwargs)
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Counts what comes before the headers are complete."""
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES_MAX:
            self.send_400_response("headers too large")
            return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """From here on the body is bounded by the application."""
        self._head_bytes = -(1 << 62)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next request on this connection starts anew."""
        self._head_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP gets a Status as well."""
        body = _encode(status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message=msg), "json")
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode() + body)
        self.transport.close()


def _bind(endpoint: str) -> socket.socket:
    host, _, port = endpoint.rpartition(":")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise SidecarError(f"receiver.http.endpoint: cannot listen on {endpoint}: {error.strerror or error}") from error
    listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
    return listener
