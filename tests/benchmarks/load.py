"""The load generator: a real sidecar, recorded spans over real gRPC at a steady pace, and what that costs and how long it takes.

Run by `make bench`. Prints figures of one run on this machine; docs/performance.md says how to read them. Nothing here judges.

The pace is kept whatever the answers do, so a slow answer makes the next ones late as well, as it would in life.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil

from tests.benchmarks import workload
from tests.tools.process import Sidecar, running

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SPANS_PER_RUN = 40
CONNECTIONS = 4
AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
AGAIN_SECONDS = 0.1
SEAL_SECONDS_MAX = 120.0


def requests(spans: int) -> list[tuple[bytes, int]]:
    """Pre-encoded bodies of many agent runs, each with the number of its spans."""
    made: list[tuple[bytes, int]] = []
    for trace_id in range(1, spans // SPANS_PER_RUN + 1):
        made += workload.bodies(workload.AGENT, SPANS_PER_RUN, trace_id=trace_id)
    return made


async def send(address: str, bodies: list[tuple[bytes, int]], spans_per_second: float) -> tuple[list[float], int]:
    """Sends at a steady pace, and again what is refused for the moment.

    Gives the seconds to each acknowledgement, counted from when the request should have left, and the number of refusals.
    """
    channels = [grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(CONNECTIONS)]
    calls = [channel.unary_unary(EXPORT) for channel in channels]
    taken: list[float] = []
    refused = 0

    async def one(number: int, body: bytes, due: float) -> None:
        nonlocal refused
        while True:
            try:
                await calls[number % CONNECTIONS](body)
                break
            except grpc.aio.AioRpcError as error:
                if error.code() not in AGAIN:
                    raise
                refused += 1
                await asyncio.sleep(AGAIN_SECONDS)
        taken.append(time.perf_counter() - due)

    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    due = time.perf_counter()
    tasks = []
    for number, (body, spans) in enumerate(bodies):
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number, body, due)))
        due += spans / spans_per_second
    await asyncio.gather(*tasks)
    for channel in channels:
        await channel.close()
    return taken, refused


def bare_appends(bodies: list[tuple[bytes, int]], folder: Path) -> list[float]:
    """The yardstick: the same bodies appended to a file, each with an fdatasync, as fast as it goes."""
    descriptor = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    taken = []
    for body, _ in bodies:
        began = time.perf_counter()
        os.write(descriptor, body)
        os.fdatasync(descriptor)
        taken.append(time.perf_counter() - began)
    os.close(descriptor)
    return taken


def memory_mib(process: psutil.Process) -> tuple[float, float]:
    """Proportional set size and the anonymous part of it, which does not depend on what else runs on the machine."""
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    sizes = {line.split(":")[0]: line.split()[1] for line in text.splitlines()[1:]}
    return int(sizes["Pss"]) / 1024, int(sizes["Pss_Anon"]) / 1024


def memory_of_all_mib(sidecar: Sidecar) -> tuple[float, float]:
    each = [memory_mib(process) for process in sidecar.tree()]
    return sum(pss for pss, _ in each), sum(anonymous for _, anonymous in each)


@contextlib.contextmanager
def peak_memory(sidecar: Sidecar) -> Iterator[list[tuple[float, float]]]:
    """Samples memory twice a second from a thread of its own."""
    samples = [memory_of_all_mib(sidecar)]
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.5):
            with contextlib.suppress(psutil.Error, OSError):
                samples.append(memory_of_all_mib(sidecar))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()


def percentile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def starts(count: int) -> tuple[list[float], list[float]]:
    """Seconds from start to ready: with an empty state directory, and with one that has a key and a journal."""
    first, again = [], []
    for _ in range(count):
        with tempfile.TemporaryDirectory() as folder:
            for found in (first, again):
                with running(Path(folder)) as sidecar:
                    found.append(sidecar.ready_seconds)
                    sidecar.stop()
    return first, again


def under_load(spans: int, spans_per_second: int) -> dict[str, float]:
    """One sidecar from start to stop."""
    bodies = requests(spans)
    total = sum(count for _, count in bodies)
    runs = spans // SPANS_PER_RUN
    quiet = {"RUN__QUIET_SECONDS": "2"}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), **quiet) as sidecar:
        time.sleep(2.0)
        idle, idle_anonymous = memory_of_all_mib(sidecar)
        receiver, worker = sidecar.tree()
        before = [sum(process.cpu_times()[:2]) for process in (receiver, worker)]
        gc.disable()  # a pause of this process is not one of the sidecar's
        with peak_memory(sidecar) as samples:
            taken, refused = asyncio.run(send(sidecar.grpc, bodies, spans_per_second))
            gc.enable()
            deadline = time.monotonic() + SEAL_SECONDS_MAX
            while len(sidecar.bundles) < runs and time.monotonic() < deadline:
                time.sleep(0.2)
        receiving, recording = [
            sum(process.cpu_times()[:2]) - old for process, old in zip((receiver, worker), before, strict=True)
        ]
        sealed = len(sidecar.bundles)
        began = time.perf_counter()
        code = sidecar.stop()
        stopping = time.perf_counter() - began
        bare = bare_appends(bodies, Path(folder))
    return {
        "spans": total,
        "requests": len(bodies),
        "refused and sent again": refused,
        "runs": runs,
        "runs sealed and signed before the stop": sealed,
        "exit code of the stop": code,
        "idle memory of both processes, MiB PSS": idle,
        "  of it anonymous": idle_anonymous,
        "peak memory of both processes, MiB PSS": max(pss for pss, _ in samples),
        "  peak of the anonymous part": max(anonymous for _, anonymous in samples),
        "acknowledge p50, ms": percentile(taken, 0.50) * 1000,
        "acknowledge p99, ms": percentile(taken, 0.99) * 1000,
        "acknowledge max, ms": max(taken) * 1000,
        "a bare append and fdatasync of the same bodies p50, ms": percentile(bare, 0.50) * 1000,
        "  p99, ms": percentile(bare, 0.99) * 1000,
        "CPU of the receiver, µs per span": receiving / total * 1e6,
        "CPU of the worker, to the last signed bundle, µs per span": recording / total * 1e6,
        "stop, s": stopping,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=20_000)
    parser.add_argument("--spans-per-second", type=int, default=1000)
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    first, again = starts(arguments.starts)
    print(f"start to ready, s: first {min(first):.2f} to {max(first):.2f}, again {min(again):.2f} to {max(again):.2f}")
    rows = under_load(arguments.spans, arguments.spans_per_second)
    print(f"{arguments.spans_per_second} spans a second:")
    for name, value in rows.items():
        print(f"  {name:60}{value:12,.2f}" if isinstance(value, float) else f"  {name:60}{value:12,}")


if __name__ == "__main__":
    main()
