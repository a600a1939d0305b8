"""OTLP item 39: a backend that is gone for a day, and a backlog to catch up with."""

import tracemalloc
from dataclasses import dataclass, field

from sidecar.exporter.outcome import Accepted, Retry
from sidecar.exporter.source import ExportFrame
from sidecar.exporter.stop import Stop
from sidecar.limits import Limits
from sidecar.otlp.signal import OtlpSignal

DAY_SECONDS = 86_400
KIB = 1024


class SimulatedStop(Stop):
    """Waits by moving a clock."""

    def __init__(self) -> None:
        self.now_seconds = 0.0
        super().__init__(clock_seconds=lambda: self.now_seconds)

    def pause(self, seconds: float, *, binding: bool) -> bool:
        self.now_seconds += seconds
        return super().pause(0, binding=binding)


@dataclass
class Backlog:
    """A source of many frames, each made when it is read and never kept."""

    count: int
    size_bytes: int
    read: int = 0

    def frames(self, after):
        for sequence in range(after + 1, self.count + 1):
            self.read += 1
            yield ExportFrame(sequence, OtlpSignal.TRACES, sequence.to_bytes(8, "big") * (self.size_bytes // 8), 1)

    def wait(self, after, timeout_seconds):
        return after < self.count


@dataclass
class DownForADay:
    """A backend that comes back after a day of the simulated clock; it checks what it is sent, and keeps none of it."""

    stop: SimulatedStop
    tries_while_down: int = 0
    requests_while_down: set[int] = field(default_factory=set)
    next_sequence: int = 1
    lost: int = 0
    largest_bytes: int = 0

    def __call__(self, backend, *, clock, limits):
        return self

    def send(self, signal, body, timeout_seconds):
        if self.stop.now_seconds < DAY_SECONDS:
            self.tries_while_down += 1
            self.requests_while_down.add(hash(body))
            return Retry(reason="http connect")
        self.largest_bytes = max(self.largest_bytes, len(body))
        for start in range(0, len(body), 8 * KIB):
            self.lost += int.from_bytes(body[start : start + 8], "big") != self.next_sequence
            self.next_sequence += 1
        return Accepted()

    def close(self):
        pass


def test_otlp_39_memory_is_bounded_through_a_day_without_the_backend(world):
    """64 GiB wait in the source: one request is read and held, tried all day long, and nothing else is read."""
    stop = SimulatedStop()
    transport, backlog = DownForADay(stop), Backlog(count=8_000_000, size_bytes=8 * KIB)
    backend = world.backend(world.serve("http/protobuf"), retry_initial_seconds=1, retry_max_seconds=30)
    read_while_down = []
    transport_send = transport.send

    def send(signal, body, timeout_seconds):
        outcome = transport_send(signal, body, timeout_seconds)
        if isinstance(outcome, Retry):
            read_while_down.append(backlog.read)
        else:
            stop.request(0)
        return outcome

    transport.send = send
    exporter = world.export(backend, source=backlog, connect=transport, stop=stop)
    exporter._thread.join(60)
    assert transport.tries_while_down >= DAY_SECONDS / 30
    assert len(transport.requests_while_down) == 1
    assert {4 * 128 + 1} == set(read_while_down)
    assert {"http connect": transport.tries_while_down} == exporter.stats().retries


def test_otlp_39_a_full_backlog_is_caught_up_with_in_bounded_memory(world):
    """After the day 160 MiB leave in order and whole, while a few requests' worth of memory is in use."""
    stop = SimulatedStop()
    transport, backlog = DownForADay(stop), Backlog(count=20_000, size_bytes=8 * KIB)
    backend = world.backend(world.serve("http/protobuf"), retry_initial_seconds=1, retry_max_seconds=30)
    tracemalloc.start()
    try:
        world.export(backend, source=backlog, connect=transport, stop=stop, limits=Limits())
        world.until(lambda: world.cursor.stored[-1] == 20_000)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (transport.lost, transport.next_sequence) == (0, 20_001)
    assert transport.largest_bytes == 4 * KIB * KIB
    assert peak_bytes < 24 * KIB * KIB
