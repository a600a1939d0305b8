"""A small witness over real HTTP on loopback (c2sp.org/tlog-witness): it keeps the newest checkpoint that it cosigned for each log,
really checks signatures and consistency, and can be told to misbehave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attest.errors import InvalidError
from attest.tlog.checkpoint import Checkpoint
from attest.tlog.cosignature import cosign
from attest.tlog.note import COSIGNATURE_V1, VerifierKey, verifier_key
from attest.tlog.proof import is_prefix, read_growth
from attest.tlog.witness import Witness

Fault = Callable[[BaseHTTPRequestHandler], bool]


class LoopbackWitness:
    """Cosigns checkpoints of the logs whose keys it knows."""

    def __init__(self, name: str, *logs: VerifierKey, now: int = 1_795_255_200) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.vkey = verifier_key(name, self.key, COSIGNATURE_V1)
        self.logs = logs
        self.now = now
        self.seen: dict[str, Checkpoint] = {}
        self.requests = 0
        self.fault: Fault | None = None
        self._lock = threading.Lock()
        self.url = ""

    @property
    def witness(self) -> Witness:
        return Witness(key=self.vkey, url=self.url)

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """What the specification says, in its order."""
        try:
            old, hashes, checkpoint = read_growth(body)
        except InvalidError as error:
            return 400, str(error).encode()
        if checkpoint.origin not in {key.name for key in self.logs}:
            return 404, b"unknown log\n"
        try:
            if checkpoint.signed_by(self.logs) is None:
                return 403, b"not signed\n"
        except InvalidError:
            return 403, b"badly signed\n"
        if old > checkpoint.size:
            return 400, b"old is larger\n"
        with self._lock:
            before = self.seen.get(checkpoint.origin)
            size = before.size if before else 0
            if old != size:
                return 409, f"{size}\n".encode()
            if (before and not (is_prefix(before, checkpoint, hashes))) or (not before and hashes):
                return 422, b"not consistent\n"
            self.seen[checkpoint.origin] = checkpoint
        return 200, cosign(checkpoint.note.text, self.vkey.name, self.key, self.now).line().encode()


@contextmanager
def running(*witnesses: LoopbackWitness):
    """Serve each on a port of its own."""
    servers = []
    for witness in witnesses:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(witness))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        witness.url = f"http://127.0.0.1:{server.server_port}/prefix"
        servers.append(server)
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _handler(witness: LoopbackWitness) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            witness.requests += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if witness.fault and witness.fault(self):
                return
            status, data = witness.answer(body) if self.path == "/prefix/add-checkpoint" else (404, b"no such path\n")
            say(self, status, data)

        def log_message(self, *_):
            pass

    return Handler


def say(handler: BaseHTTPRequestHandler, status: int, data: bytes) -> bool:
    """Send an answer at one stroke."""
    kind = "text/x.tlog.size" if status == 409 else "text/plain"
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    handler.wfile.write(head.encode() + data)
    return True


def hang(handler: BaseHTTPRequestHandler) -> bool:
    """Take the request, and say nothing: for longer than any test may take."""
    del handler
    time.sleep(300)
    return True


def drip(handler: BaseHTTPRequestHandler) -> bool:
    """A byte now and then, as if more were to come."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    try:
        for _ in range(3000):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass
    handler.close_connection = True
    return True
