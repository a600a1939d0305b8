"""The world an exporter lives in: a source and a cursor in memory, and real backends on loopback."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from sidecar.exporter.backend import Backend
from sidecar.exporter.exporter import Exporter
from sidecar.exporter.source import ExportFrame
from sidecar.exporter.stop import Stop
from sidecar.limits import Limits
from sidecar.otlp.signal import OtlpSignal
from sidecar.sink.grpc_server import GrpcServer
from sidecar.sink.http_server import HttpServer
from sidecar.sink.sink import Answer, Sink
from tests.tools.process import PATIENCE_SECONDS

LIMITS = Limits(export_idle_wait_seconds=0.005, export_cursor_lag_seconds_max=0.0)


class MemorySource:
    """A FrameSource over a list that may grow."""

    def __init__(self, frames: Iterable[ExportFrame] = ()) -> None:
        self._frames = list(frames)
        self._grown = threading.Condition()

    def add(self, *frames: ExportFrame) -> None:
        with self._grown:
            self._frames.extend(frames)
            self._grown.notify_all()

    def frames(self, after: int) -> Iterator[ExportFrame]:
        index = 0
        while index < len(self._frames):
            if self._frames[index].sequence > after:
                yield self._frames[index]
            index += 1

    def wait(self, after: int, timeout_seconds: float) -> bool:
        with self._grown:
            return self._grown.wait_for(
                lambda: bool(self._frames) and self._frames[-1].sequence > after, timeout_seconds
            )


class MemoryCursor:
    """A cursor that remembers everything it was told."""

    def __init__(self, position: int = 0) -> None:
        self.stored = [position]
        self.error: Exception | None = None

    def load(self) -> int:
        return self.stored[-1]

    def store(self, sequence: int) -> None:
        if self.error:
            raise self.error
        self.stored.append(sequence)


@dataclass
class Served:
    """A sink behind one door."""

    sink: Sink
    server: GrpcServer | HttpServer
    protocol: str

    @property
    def url(self) -> str:
        return f"http://{self.server.address}"


class HurriedStop(Stop):
    """Notes the waits that it is asked for, and keeps each of them short."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[tuple[float, bool]] = []

    def pause(self, seconds: float, *, binding: bool) -> bool:
        self.waits.append((seconds, binding))
        return super().pause(min(seconds, 0.002), binding=binding)


class Relay:
    """A TCP relay in front of a server, which counts what the client sends."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._behind = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent_bytes = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._behind)
                threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, count: bool) -> None:
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(65536):
                self.sent_bytes += len(data) if count else 0
                target.sendall(data)


@dataclass
class World:
    stack: ExitStack
    source: MemorySource = field(default_factory=MemorySource)
    cursor: MemoryCursor = field(default_factory=MemoryCursor)

    def serve(self, protocol: str, *script: Answer, then: Answer | None = None, tls: Any = None) -> Served:
        """A real backend that answers as the script says and then always `then`."""
        sink = Sink(script=script, then=then or Answer(), keep=True)
        door: type[GrpcServer | HttpServer] = GrpcServer if protocol == "grpc" else HttpServer
        server = door(sink, "127.0.0.1:0", tls=tls)
        server.start()
        self.stack.callback(server.stop)
        return Served(sink, server, protocol)

    def relay(self, served: Served) -> Relay:
        relay = Relay(served.server.address)
        self.stack.callback(relay.close)
        return relay

    def backend(self, served: Served, **changes: Any) -> Backend:
        """Settings for a served backend, with waits of milliseconds."""
        settings: dict[str, Any] = {
            "name": "backend",
            "endpoint": served.url,
            "protocol": served.protocol,
            "retry_initial_seconds": 0.002,
            "retry_max_seconds": 0.01,
        }
        return Backend(**{**settings, **changes})

    def export(self, backend: Backend, **changes: Any) -> Exporter:
        """A running exporter over this world's source and cursor."""
        source, cursor = changes.pop("source", self.source), changes.pop("cursor", self.cursor)
        exporter = Exporter(backend, source, cursor, **{"random": Random(7), "limits": LIMITS, **changes})
        self.stack.callback(exporter.stop, 0)
        exporter.start()
        return exporter

    @staticmethod
    def until(condition: Callable[[], object]) -> None:
        """Wait for `condition`; the bound only ends a test that has failed."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < give_up, "the condition never came true"
            time.sleep(0.001)

    def drain(self, served: Served, **changes: Any) -> Exporter:
        """Export all that the source holds, and stop."""
        exporter = self.export(self.backend(served, **changes))
        assert exporter.stop(20)
        return exporter


def body_of(signal: OtlpSignal, *names: str) -> bytes:
    """A request with one item per name."""
    request: Any = signal.request()
    if signal is OtlpSignal.TRACES:
        spans = request.resource_spans.add().scope_spans.add().spans
        for name in names:
            spans.add(name=name, trace_id=b"\x0a" * 16, span_id=b"\x0b" * 8)
    elif signal is OtlpSignal.LOGS:
        records = request.resource_logs.add().scope_logs.add().log_records
        for name in names:
            records.add(trace_id=b"\x0a" * 16, span_id=b"\x0b" * 8).body.string_value = name
    else:
        metrics = request.resource_metrics.add().scope_metrics.add().metrics
        for name in names:
            metrics.add(name=name).sum.data_points.add(as_int=1)
    data: bytes = request.SerializeToString()
    return data


def frame_of(sequence: int, *names: str, signal: OtlpSignal = OtlpSignal.TRACES) -> ExportFrame:
    names = names or (f"item {sequence}",)
    return ExportFrame(sequence, signal, body_of(signal, *names), len(names))


@pytest.fixture
def world() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


@pytest.fixture
def hurried() -> HurriedStop:
    return HurriedStop()


@pytest.fixture
def frame() -> Callable[..., ExportFrame]:
    """Makes a frame: `frame(sequence, *names, signal=OtlpSignal.TRACES)`."""
    return frame_of


@pytest.fixture(params=["grpc", "http/protobuf"])
def protocol(request: pytest.FixtureRequest) -> str:
    """Each test that takes it runs over both protocols."""
    return str(request.param)
