"""The loopback's HTTP server: a table of routes, the requests it was sent, and faults made to order.

Law: an answer leaves in one segment with Nagle off, so that a round trip costs a fraction of a millisecond; closing the
server releases every request that is held.
"""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, TypeAlias

Service: TypeAlias = Literal["oidc", "fulcio", "rekor", "tsa", "tuf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came in, bounded by the test that sent it."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes out."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How a service fails. Without a status or a body the request is answered as always, after `delay_seconds`."""

    status: int | None = None
    body: bytes | None = None
    """Sent in place of the service's answer, with `status` or 200."""
    delay_seconds: float = 0.0
    hang: bool = False
    """Never answers, until the server is closed or the faults are."""
    stall: bool = False
    """Answers half of it, and then hangs."""
    cut: Literal["before", "after", "within"] | None = None
    """Closes the connection instead of answering: before the service sees the request, after it has done its work, or within its answer."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with the status or the body."""
    times: int | None = None
    """For so many requests; None until cleared."""


@dataclass(slots=True)
class Faults:
    """What is to go wrong, by service."""

    _set: dict[str, Fault] = field(default_factory=dict)
    _met: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _released: threading.Event = field(default_factory=threading.Event)

    def set(self, service: Service, fault: Fault) -> None:
        with self._lock:
            self._set[service], self._met[service] = fault, 0

    def clear(self) -> None:
        """Nothing fails any more, and what hangs is released with its connection cut."""
        with self._lock:
            self._set.clear()
            self._released.set()
            self._released = threading.Event()

    def take(self, service: str) -> Fault | None:
        """The fault that this request meets."""
        with self._lock:
            fault = self._set.get(service)
            if fault is None or (fault.times is not None and self._met[service] >= fault.times):
                return None
            self._met[service] += 1
            return fault

    def wait(self) -> None:
        self._released.wait()

    def pause(self, seconds: float) -> None:
        self._released.wait(seconds)


Handler: TypeAlias = Callable[[Request], Reply]


class Server:
    """Serves routes on a free port of 127.0.0.1 from the moment it is made until `close`."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], tuple[Service, Handler]] = {}
        """(method, path) to what answers; a path that ends in `*` takes all that begin so."""
        self.faults = Faults()
        self.requests: list[tuple[str, str]] = []
        """(method, path) of every request, in the order of arrival."""
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.ours = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), name="loopback", daemon=True).start()

    def close(self) -> None:
        self.faults.clear()
        self._http.shutdown()
        self._http.server_close()

    def find(self, method: str, path: str) -> tuple[Service, Handler] | None:
        exact = self.routes.get((method, path))
        if exact:
            return exact
        begins = (key for key in self.routes if key[0] == method and key[1].endswith("*"))
        return next((self.routes[key] for key in begins if path.startswith(key[1][:-1])), None)


class _Http(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    block_on_close = False
    ours: Server

    def handle_error(self, request, client_address):
        """A client that went away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one segment
    disable_nagle_algorithm = True
    server: _Http

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        ours = self.server.ours
        ours.requests.append((method, self.path))
        found = ours.find(method, self.path.partition("?")[0])
        if found is None:
            return self._send(Reply(status=404, body=b'{"code":5,"message":"no such route"}'))
        service, handler = found
        fault = ours.faults.take(service) or Fault()
        ours.faults.pause(fault.delay_seconds) if fault.delay_seconds else None
        if fault.hang:
            ours.faults.wait()
        if fault.hang or fault.cut == "before":
            return self._cut()
        if fault.status is not None or fault.body is not None:
            made = b'{"code":%d,"message":"made to fail"}' % (fault.status or 200)
            reply = Reply(status=fault.status or 200, body=made if fault.body is None else fault.body)
            return self._send(reply, fault.headers)
        try:
            reply = handler(Request(path=self.path, headers=self.headers, body=body))
        except Exception as error:  # a request that the loopback has no rule for: said, so that a test can be put right
            reply = Reply(status=500, body=json.dumps({"code": 13, "message": repr(error)}).encode())
        if fault.stall or fault.cut == "within":
            self._send(reply, {}, len(reply.body) // 2)
            self.wfile.flush()
            ours.faults.wait() if fault.stall else None
            return self._cut()
        return self._cut() if fault.cut else self._send(reply)

    def _send(self, reply: Reply, headers: Mapping[str, str] | None = None, upto: int | None = None) -> None:
        self.send_response(reply.status)
        for name, value in {
            "content-type": reply.content_type,
            "content-length": str(len(reply.body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[:upto])

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format, *args):
        """Requests are recorded, not printed."""
