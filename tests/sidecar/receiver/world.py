"""Both receivers in this process, on a loop of their own thread, over a real journal in a folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import urllib3
import uvloop
from google.rpc import error_details_pb2, status_pb2
from isal import isal_zlib
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sidecar.journal import Frame, JournalReader, JournalWriter
from sidecar.limits import DEFAULT, Limits
from sidecar.otlp.signal import OtlpSignal
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.receiver.admission import Admission
from sidecar.receiver.grpc_server import GrpcServer
from sidecar.receiver.http_server import HttpServer
from sidecar.receiver.receipts import ReceiptService
from sidecar.receiver.tls import Tls

SIGNALS = {"traces": OtlpSignal.TRACES, "logs": OtlpSignal.LOGS, "metrics": OtlpSignal.METRICS}
METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
TYPES = {"protobuf": "application/x-protobuf", "json": "application/json"}


def traces(spans=1, *, bad=0, note="") -> ExportTraceServiceRequest:
    """A request with good spans, and bad ones behind them that have no trace id."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for n in range(spans + bad):
        trace_id = bytes(15) + b"\1" if n < spans else b""
        scope.spans.add(trace_id=trace_id, span_id=(n + 1).to_bytes(8, "big"), name=f"span {n}{note}")
    return request


def logs(records=1) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for n in range(records):
        scope.log_records.add(body={"string_value": f"log {n}"}, time_unix_nano=1)
    return request


def metrics(points=1) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for n in range(points):
        metric.gauge.data_points.add(as_int=n, time_unix_nano=1)
    return request


REQUESTS = {"traces": traces(3), "logs": logs(3), "metrics": metrics(3)}
SPAN = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "s"}
JSON_BODY = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}).encode()


class NoRuns:
    """A directory of runs in which nothing is known and everything is recorded at once."""

    async def parts(self, run_id: str, *, live_scores: bool = False) -> list[pb.Run]:
        return []

    async def recorded(self, sequence: int, timeout_seconds: float) -> bool:
        return True

    async def sealed(self, run_id: str, timeout_seconds: float) -> pb.Run | None:
        return None

    async def files(self, run_id: str, part: int) -> tuple[Path, Path | None] | None:
        return None


class Refusing:
    """A journal that takes nothing."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def append(self, signal: int, encoding: int, body: bytes) -> Future[int]:
        raise self._error


class Gated:
    """A journal whose disk waits for `go`."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.futures: list[Future[int]] = []
        self.arrived = threading.Semaphore(0)

    def append(self, signal: int, encoding: int, body: bytes) -> Future[int]:
        self.taken.append(body)
        self.futures.append(Future())
        self.arrived.release()
        return self.futures[-1]

    def go(self) -> None:
        for sequence, future in enumerate(self.futures, start=1):
            if not future.done():
                future.set_result(sequence)


@dataclass
class World:
    grpc: GrpcServer
    http: HttpServer
    loop: asyncio.AbstractEventLoop
    folder: Path
    secure: bool = False
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=20))

    def run(self, coroutine):
        """Runs something in the servers' loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def frames(self) -> list[Frame]:
        """What is on disk."""
        reader = JournalReader(self.folder)
        frames = list(reader.frames(0))
        reader.close()
        return frames

    def url(self, path: str) -> str:
        return f"http://{self.http.address}{path}"

    def post(self, signal: str, body: bytes, kind: str = "protobuf", **headers: str) -> urllib3.BaseHTTPResponse:
        """POSTs a body; headers with _ for -."""
        fields = {"content-type": TYPES[kind]} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.pool.request("POST", self.url(f"/v1/{signal}"), body=body, headers=fields)

    def connect(self) -> socket.socket:
        """A connection to the HTTP port."""
        host, _, port = self.http.address.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=20)

    def raw(self, data: bytes) -> bytes:
        """Sends bytes to the HTTP port and reads until the server closes."""
        with self.connect() as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            answer = b""
            with contextlib.suppress(OSError):
                while piece := connection.recv(65536):
                    answer += piece
        return answer

    @contextlib.contextmanager
    def channel(self, compression=None):
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(self.grpc.address, options=options, compression=compression) as channel:
            yield channel

    def export(self, signal: str, body: bytes, compression=None, *, timeout=20) -> bytes:
        """Calls Export with bytes as they are."""
        with self.channel(compression) as channel:
            return channel.unary_unary(METHODS[signal])(body, timeout=timeout)


@contextlib.contextmanager
def serving(
    folder: Path,
    *,
    journal=None,
    limits: Limits = DEFAULT,
    runs=None,
    tls: Tls | None = None,
    endpoint: str = "127.0.0.1:0",
    grace_seconds: float = 5,
):
    """Starts both receivers, and stops them at the end."""
    writer = journal or JournalWriter.open(folder)
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def begin() -> World:
        admission = Admission(writer, limits)
        service = ReceiptService(admission, runs or NoRuns())
        servers = GrpcServer(admission, service, endpoint, tls), HttpServer(admission, endpoint, tls)
        for server in servers:
            await server.start()
        return World(*servers, loop, folder)

    try:
        world = asyncio.run_coroutine_threadsafe(begin(), loop).result(30)
        yield world
        world.pool.clear()
        world.run(world.grpc.stop(grace_seconds))
        world.run(world.http.stop(grace_seconds))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
        if journal is None:
            writer.close()


def details(error: grpc.RpcError) -> dict[str, object]:
    """The google.rpc.Status that came with a gRPC error, by the names of its details; empty when none came."""
    metadata = dict(error.trailing_metadata() or ())
    if "grpc-status-details-bin" not in metadata:
        return {}
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    assert status.code == error.code().value[0]
    known = (error_details_pb2.RetryInfo, error_details_pb2.BadRequest)
    found = {}
    for detail in status.details:
        for kind in known:
            message = kind()
            if detail.Unpack(message):
                found[kind.DESCRIPTOR.name] = message
    return found


def status_of(response: urllib3.BaseHTTPResponse, kind: str = "protobuf") -> status_pb2.Status:
    """The Status in the body of an HTTP refusal, in the encoding that is expected."""
    assert response.headers["content-type"] == TYPES[kind]
    if kind == "protobuf":
        return status_pb2.Status.FromString(response.data)
    fields = json.loads(response.data)
    return status_pb2.Status(code=fields["code"], message=fields["message"])


def bomb(mebibytes: int) -> bytes:
    """A gzip body that inflates to that many MiB of zeros, made without having them in memory."""
    packer = isal_zlib.compressobj(3, isal_zlib.DEFLATED, 31)
    piece = bytes(1 << 20)
    return b"".join([*(packer.compress(piece) for _ in range(mebibytes)), packer.flush()])


@contextlib.contextmanager
def peak_memory_below(most: int):
    """Holds the peak of this process's memory, from here on, to `most` bytes above what it is now (Linux)."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        yield
        return
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    before = _peak_bytes()
    yield
    assert _peak_bytes() - before < most


def _peak_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
