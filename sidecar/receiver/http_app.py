"""OTLP over HTTP as an ASGI application: routes, bodies and answers.

Carries out OTLP, "OTLP/HTTP" (https://opentelemetry.io/docs/specs/otlp/#otlphttp). Law: success is 200 with the response message; every
4xx and 5xx has a google.rpc.Status as its body; both in the request's encoding, JSON when that is not known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2

from evidence.redaction.detectors import hidden
from sidecar.clock import Clock, now_unix_nano
from sidecar.errors import Overloaded
from sidecar.otlp.signal import Encoding, OtlpSignal
from sidecar.receiver.admission import Accepted, Admission, Held, Refused
from sidecar.receiver.status import status

__all__ = ["HttpApp", "encode"]

_PATHS = {"/v1/traces": OtlpSignal.TRACES, "/v1/logs": OtlpSignal.LOGS, "/v1/metrics": OtlpSignal.METRICS}
_ENCODINGS: dict[str, Encoding] = {"application/x-protobuf": "protobuf", "application/json": "json"}
_CONTENT_TYPES: dict[Encoding, bytes] = {encoding: name.encode() for name, encoding in _ENCODINGS.items()}
_CODINGS = {"": False, "identity": False, "gzip": True}
_HTTP_CODES = {"bad_data": 400, "too_large": 413, "overloaded": 429, "unavailable": 503}
_RPC_CODES = {
    400: code_pb2.INVALID_ARGUMENT,
    404: code_pb2.NOT_FOUND,
    405: code_pb2.UNIMPLEMENTED,
    408: code_pb2.DEADLINE_EXCEEDED,
    413: code_pb2.RESOURCE_EXHAUSTED,
    415: code_pb2.INVALID_ARGUMENT,
    500: code_pb2.INTERNAL,
    503: code_pb2.UNAVAILABLE,
}
_NANOS = 1_000_000_000

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Response:
    code: int
    message: Message
    headers: tuple[Header, ...] = ()


class _GoneError(Exception):
    """The client closed the connection before its request was whole: nobody waits for an answer."""


class HttpApp:
    """The application; `ready` is what `/readyz` says."""

    def __init__(self, admission: Admission, *, clock: Clock = now_unix_nano) -> None:
        self._admission = admission
        self._clock = clock
        self.ready = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Lifespan and websocket scopes are not expected: the server is told not to send them."""
        headers = dict(scope["headers"])
        encoding = _ENCODINGS.get(_media_type(headers))
        try:
            response = await self._answer(scope, headers, encoding, receive)
        except _GoneError:
            return
        except Exception as error:  # noqa: BLE001 - the boundary: a mistake of ours is an answer too
            response = _error(500, f"a mistake of ours: {type(error).__name__}")
        body = encode(response.message, encoding or "json")
        fixed = (
            (b"content-type", _CONTENT_TYPES[encoding or "json"]),
            (b"content-length", str(len(body)).encode()),
            (b"date", formatdate(self._clock() // _NANOS, usegmt=True).encode()),
        )
        await send({"type": "http.response.start", "status": response.code, "headers": [*fixed, *response.headers]})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, scope: Scope, headers: dict[bytes, bytes], encoding: Encoding | None, receive: Receive
    ) -> _Response:
        path, method = scope["path"], scope["method"]
        if path in {"/healthz", "/readyz"}:
            return _wrong_method(method, "GET", "HEAD") or self._health(path)
        signal = _PATHS.get(path)
        if signal is None:
            return _error(404, f"{hidden(path)[:200]}: expected one of {', '.join(_PATHS)}")
        if refusal := _wrong_method(method, "POST"):
            return refusal
        if encoding is None:
            return _error(
                415, f"content-type: got {hidden(_media_type(headers))[:100]!r}, expected {' or '.join(_ENCODINGS)}"
            )
        coding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
        if coding not in _CODINGS:
            return _error(
                415,
                f"content-encoding: got {hidden(coding)[:100]!r}, expected gzip or none",
                (b"accept-encoding", b"gzip"),
            )
        return await self._export(signal, encoding, headers, receive, gzip=_CODINGS[coding])

    async def _export(
        self, signal: OtlpSignal, encoding: Encoding, headers: dict[bytes, bytes], receive: Receive, *, gzip: bool
    ) -> _Response:
        with self._admission.held() as held:
            try:
                body = await self._body(headers, receive, held)
            except Overloaded as error:
                return _refusal(Refused("overloaded", str(error), error.retry_after_seconds))
            if isinstance(body, _Response):
                return body
            answer = await self._admission.telemetry(signal, encoding, body, gzip=gzip)
        return _refusal(answer) if isinstance(answer, Refused) else _success(signal, answer)

    async def _body(self, headers: dict[bytes, bytes], receive: Receive, held: Held) -> bytes | _Response:
        """The body as it came, or why it is not taken; what is still on its way is then read past by the server."""
        limits = self._admission.limits
        most = limits.request_bytes_max
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > most:
            unread = b"expect" in headers or int(announced) > limits.http_unread_bytes_max  # the body, by us or at all
            closing = ((b"connection", b"close"),) if unread else ()
            return _error(413, f"body: got {int(announced)}, expected at most {most} bytes", *closing)
        pieces: list[bytes] = []
        while True:
            try:
                async with asyncio.timeout(limits.http_body_wait_seconds):
                    message = await receive()
            except TimeoutError:
                reason = f"body: nothing for {limits.http_body_wait_seconds:g} s after {held.size} bytes"
                return _error(408, reason, (b"connection", b"close"))
            if message["type"] == "http.disconnect":
                raise _GoneError
            piece = message.get("body", b"")
            if held.size + len(piece) > most:
                return _error(413, f"body: got more, expected at most {most} bytes")
            held.add(len(piece))
            pieces.append(piece)
            if not message.get("more_body"):
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _health(self, path: str) -> _Response:
        well = path == "/healthz" or self.ready
        return _Response(200, status_pb2.Status(message="ok")) if well else _error(503, "not ready")


def encode(message: Message, encoding: Encoding) -> bytes:
    """A small message of ours on the wire. JSON is proto3's, which for these messages is OTLP's as well."""
    if encoding == "protobuf":
        return message.SerializeToString()
    return json_format.MessageToJson(message, indent=None).encode() if message.ByteSize() else b"{}"


def _media_type(headers: dict[bytes, bytes]) -> str:
    return headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()


def _error(code: int, reason: str, *headers: Header) -> _Response:
    return _Response(code, status_pb2.Status(code=_RPC_CODES[code], message=reason), headers)


def _wrong_method(method: str, *allowed: str) -> _Response | None:
    if method in allowed:
        return None
    return _error(
        405,
        f"method: got {hidden(method)[:40]}, expected {', '.join(allowed)}",
        (b"allow", ", ".join(allowed).encode()),
    )


def _refusal(refused: Refused) -> _Response:
    seconds = refused.retry_after_seconds
    wait = ((b"retry-after", str(max(1, round(seconds))).encode()),) if seconds else ()
    return _Response(_HTTP_CODES[refused.kind], status(refused), wait)


def _success(signal: OtlpSignal, answer: Accepted) -> _Response:
    response = signal.response()
    if answer.error_message:
        partial = response.partial_success  # type: ignore[attr-defined]  # all three responses have it
        setattr(partial, signal.rejected_field, answer.rejected)
        partial.error_message = answer.error_message
    return _Response(HTTPStatus.OK, response)
