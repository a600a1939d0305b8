"""A sink's HTTP door: `/v1/traces`, `/v1/logs`, `/v1/metrics`; protobuf or JSON, plain or gzip.

Law: it answers what the sink says; every 4xx and 5xx carries a `google.rpc.Status`; nothing is inflated beyond the limit.
"""

import contextlib
import socket
import ssl
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from sidecar.errors import DecodeError
from sidecar.limits import DEFAULT
from sidecar.otlp import json_codec
from sidecar.otlp.signal import OtlpSignal
from sidecar.sink.sink import Answer, Received, Sink

_SIGNALS: Final = {f"/v1/{signal.name.lower()}": signal for signal in OtlpSignal}
_ENCODINGS: Final[dict[str, Literal["protobuf", "json"]]] = {
    "application/x-protobuf": "protobuf",
    "application/json": "json",
}
_GZIP_WBITS: Final = 31


class HttpServer:
    """Listens until it is stopped; can be started again at the same address."""

    def __init__(self, sink: Sink, address: str, *, tls: ssl.SSLContext | None = None) -> None:
        self._sink = sink
        self._tls = tls
        self._server: _Listener | None = None
        self.address = address
        """HOST:PORT; the port is the bound one once started."""

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: When the address cannot be bound.
        """
        host, _, port = self.address.rpartition(":")
        server = _Listener((host.strip("[]"), int(port)), self._sink, self._tls)
        self._server, self.address = server, f"{host}:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening and close all connections. Safe to call twice."""
        server, self._server = self._server, None
        if server:
            server.shutdown()
            server.server_close()
            server.close_connections()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], sink: Sink, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)
        self.sink = sink
        self._connections: set[socket.socket] = set()
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (as declared in the base class)
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  (as declared in the base class)
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (as declared in the base class)
        """A client that goes away is no news."""

    def close_connections(self) -> None:
        for connection in list(self._connections):
            cut(connection)


def cut(connection: socket.socket) -> None:
    """Close a connection under whoever uses it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status=status, message=message)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener
    timeout = 60

    def do_POST(self) -> None:
        """One OTLP request."""
        try:
            received = self._receive()
            answer = self.server.sink.take(received)
        except _RefusedError as error:
            self.close_connection = True  # what is left of the body was not read
            self._send(error.answer, Status(message=str(error)))
            return
        except DecodeError as error:
            self._send(Answer(status=400), Status(message=str(error)))
            return
        if answer.cut:
            self.close_connection = True
            cut(self.connection)
        elif answer.succeeds("http"):
            self._send(answer, answer.response(received.signal))
        else:
            self._send(answer, Status(message=answer.message))

    def _receive(self) -> Received:
        signal = _SIGNALS.get(self.path.split("?")[0])
        if signal is None:
            raise _RefusedError(404, f"{self.path}: expected one of {', '.join(_SIGNALS)}")
        encoding = _ENCODINGS.get(self._content_type())
        if encoding is None:
            raise _RefusedError(415, f"{self._content_type()}: expected one of {', '.join(_ENCODINGS)}")
        wire = self._read()
        return Received(
            signal=signal,
            transport="http",
            wire=wire,
            body=_inflate(wire) if self.headers.get("Content-Encoding", "").lower() == "gzip" else wire,
            headers={name.lower(): value for name, value in self.headers.items()},
            peer=f"{self.client_address[0]}:{self.client_address[1]}",
            encoding=encoding,
        )

    def _read(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _RefusedError(411, "a Content-Length is expected")
        if len(length) > len(str(DEFAULT.request_bytes_max)) or int(length) > DEFAULT.request_bytes_max:
            raise _RefusedError(413, f"{length} bytes: expected at most {DEFAULT.request_bytes_max}")
        return self.rfile.read(int(length))

    def _content_type(self) -> str:
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()

    def _send(self, answer: Answer, message: Message) -> None:
        is_json = _ENCODINGS.get(self._content_type()) == "json"
        body = answer.body if answer.body is not None else _serialize(message, is_json=is_json)
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json" if is_json else "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as declared in the base class)
        """Quiet: the file is the log."""


def _inflate(wire: bytes) -> bytes:
    inflater = zlib.decompressobj(_GZIP_WBITS)
    try:
        body = inflater.decompress(wire, DEFAULT.request_bytes_max)
    except zlib.error as error:
        raise _RefusedError(400, f"gzip: {error}") from error
    if inflater.unconsumed_tail:
        raise _RefusedError(413, f"more than {DEFAULT.request_bytes_max} bytes once inflated")
    return body


def _serialize(message: Message, *, is_json: bool) -> bytes:
    if not is_json:
        return message.SerializeToString()
    return MessageToJson(message).encode() if isinstance(message, Status) else json_codec.dump(message)
