"""The load generator: a real sidecar, pre-encoded bodies, and what it costs and how long it takes. Run by `make bench`.

Prints figures of one run on this machine; docs/performance.md says how to read them. Nothing here asserts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.tools.process import start

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
TEXT = "The quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs. " * 18


def body(spans: int, number: int) -> bytes:
    """A request of chat spans in current conventions: 17 attributes, a message of 1.5 KB, one trace a body."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "load"
    scope = group.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.genai.openai"
    message = json.dumps([{"role": "user", "parts": [{"type": "text", "content": TEXT}]}])
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.input.messages": message,
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "yes"}]}]),
        "server.address": "127.0.0.1",
        "server.port": 443,
        "gen_ai.usage.input_tokens": 34,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 17,
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.seed": 7,
        "gen_ai.output.type": "text",
    }
    for index in range(spans):
        span = scope.spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=(number * 1000 + index + 1).to_bytes(8, "big"),
            parent_span_id=b"" if index == spans - 1 else (number * 1000 + spans).to_bytes(8, "big"),
            name="chat gpt-4o-mini",
            kind=3,
            start_time_unix_nano=1_790_000_000_000_000_000 + index,
            end_time_unix_nano=1_790_000_000_500_000_000 + index,
        )
        for key, value in values.items():
            attribute = span.attributes.add(key=key).value
            if isinstance(value, str):
                attribute.string_value = value
            elif isinstance(value, int):
                attribute.int_value = value
            else:
                attribute.double_value = value
    return request.SerializeToString()


async def send(address: str, bodies: list[bytes], interval_seconds: float, connections: int = 4) -> list[float]:
    """Sends at a steady pace whatever the answers do; gives the seconds to each acknowledgement."""
    channels = [grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(connections)]
    calls = [channel.unary_unary(METHOD) for channel in channels]
    taken: list[float] = []

    async def one(call: grpc.aio.UnaryUnaryMultiCallable, data: bytes) -> None:
        began = time.perf_counter()
        await call(data)
        taken.append(time.perf_counter() - began)

    began = time.perf_counter()
    tasks = []
    for number, data in enumerate(bodies):
        await asyncio.sleep(max(0.0, began + number * interval_seconds - time.perf_counter()))
        tasks.append(asyncio.create_task(one(calls[number % connections], data)))
    await asyncio.gather(*tasks)
    for channel in channels:
        await channel.close()
    return taken


def percentile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--spans-per-second", type=int, default=1000)
    parser.add_argument("--spans-per-body", type=int, default=10)
    arguments = parser.parse_args()
    count = int(arguments.seconds * arguments.spans_per_second / arguments.spans_per_body)
    bodies = [body(arguments.spans_per_body, number + 1) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        sidecar = start(Path(folder))
        time.sleep(1.0)
        idle, cpu = sidecar.pss_mib(), sidecar.cpu_seconds()
        peak = [idle]
        sampling = asyncio.new_event_loop()

        async def measure() -> list[float]:
            async def sample() -> None:
                while True:
                    peak.append(sidecar.pss_mib())
                    await asyncio.sleep(0.5)

            task = asyncio.create_task(sample())
            try:
                return await send(sidecar.grpc, bodies, arguments.spans_per_body / arguments.spans_per_second)
            finally:
                task.cancel()

        taken = sampling.run_until_complete(measure())
        spans = count * arguments.spans_per_body
        under_load = sidecar.cpu_seconds() - cpu
        time.sleep(6.0)
        whole = sidecar.cpu_seconds() - cpu
        peak.append(sidecar.pss_mib())
        began = time.perf_counter()
        sidecar.stop()
        stopping = time.perf_counter() - began
    rows = {
        "start to ready, s": sidecar.ready_seconds,
        "idle memory, MiB PSS, all processes": idle,
        "peak memory, MiB PSS, all processes": max(peak),
        "acknowledge p50, ms": percentile(taken, 0.50) * 1000,
        "acknowledge p99, ms": percentile(taken, 0.99) * 1000,
        "CPU while receiving, µs per span": under_load / spans * 1e6,
        "CPU to the last sealed bundle, µs per span": whole / spans * 1e6,
        "stop, s": stopping,
    }
    print(f"\n{spans} spans of {len(bodies[0]) // arguments.spans_per_body} bytes, {arguments.spans_per_second} a second, {arguments.spans_per_body} a request")
    for name, value in rows.items():
        print(f"  {name:45} {value:10.2f}")


if __name__ == "__main__":
    main()
