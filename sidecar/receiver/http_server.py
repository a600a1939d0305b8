"""The HTTP receiver: uvicorn's protocol on httptools, on the loop of the gRPC server, without the rest of uvicorn.

What uvicorn does by itself, and what is made of it here. Malformed HTTP: it answers 400 in plain text and closes; here 400 with a
Status. A head without end: it collects it; here it is bounded. A body that nobody reads: it reads past it, so that the
client can hear the answer; here only up to a bound, then it closes. An upgrade to another protocol: ignored, answered as HTTP/1.1.
Signals: its server would catch them; here the app owns them.
"""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from google.rpc import code_pb2, status_pb2
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sidecar.errors import SidecarError
from sidecar.limits import Limits
from sidecar.receiver.admission import Admission
from sidecar.receiver.http_app import HttpApp, encode
from sidecar.receiver.tls import Tls

__all__ = ["HttpServer"]

_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 2048
_LAST_WORDS_SECONDS = 1.0


class HttpServer:
    """The HTTP receiver, from bind to stop."""

    name = "http"

    def __init__(self, admission: Admission, endpoint: str, tls: Tls | None) -> None:
        self._limits = admission.limits
        self._app = HttpApp(admission)
        self._endpoint = endpoint
        self._tls = tls
        self._state = ServerState()
        self._listening: asyncio.Server | None = None
        self._port = 0

    async def start(self) -> None:
        """Binds and serves; `/readyz` says no until `set_ready`.

        Raises:
            SidecarError: The address cannot be bound or a TLS file not be used, naming it.
        """
        context = self._tls.context() if self._tls else None
        listener = _bind(self._endpoint)
        self._port = listener.getsockname()[1]
        config = _config(self._app)
        self._listening = await asyncio.get_running_loop().create_server(
            lambda: _Protocol(config, self._state, self._limits), sock=listener, ssl=context, backlog=_BACKLOG
        )

    @property
    def address(self) -> str:
        """The address that is served, with the port that was really bound."""
        return f"{self._endpoint.rpartition(':')[0]}:{self._port}"

    async def set_ready(self, *, ready: bool) -> None:
        """What `/readyz` says."""
        self._app.ready = ready

    async def stop(self, grace_seconds: float) -> None:
        """Takes nothing new, finishes what is held, at most for `grace_seconds`; then closes every connection."""
        if self._listening is None:
            return
        self._listening.close()
        for connection in list(self._state.connections):
            connection.shutdown()  # closes it when idle, else after its answer
        if held := set(self._state.tasks):
            _, late = await asyncio.wait(held, timeout=grace_seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_LAST_WORDS_SECONDS)
        for connection in list(self._state.connections):
            connection.transport.close()
        self._listening = None


def _config(app: HttpApp) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        loop="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",  # a line for each malformed request would let anybody fill the log
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    config.load()
    return config


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds on what it takes before and after a body, and our form of its refusal."""

    def __init__(self, config: uvicorn.Config, state: ServerState, limits: Limits) -> None:
        super().__init__(config, state, {})
        self._limits = limits
        self._head_bytes = 0
        self._in_head = True
        self._unread_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Bounds what comes before the headers are complete."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self._limits.http_head_bytes_max and not self.transport.is_closing():
            self.send_400_response(
                f"request line and headers: expected at most {self._limits.http_head_bytes_max} bytes"
            )

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._unread_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """From here on the application bounds the body."""
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A body behind an answer is read past, so that the client can read that answer, but not for ever."""
        if self.cycle.response_complete:
            self._unread_bytes += len(body)
            if self._unread_bytes > self._limits.http_unread_bytes_max:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request on this connection starts anew."""
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP gets a Status as well."""
        body = encode(status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message=msg), "json")
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Says nothing: see `log_level`."""


def _bind(endpoint: str) -> socket.socket:
    host, _, port = endpoint.rpartition(":")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except (OSError, OverflowError, ValueError) as error:
        raise SidecarError(f"receiver.http.endpoint: cannot listen on {endpoint}: {error}") from error
    listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
    return listener
