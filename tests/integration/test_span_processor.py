"""An agent with the span processor beside a real sidecar: what is lost between them stands in the sealed bundle."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from evidence.bundle.reader import EvidenceBundle
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from sidecar.run_client import Endpoint, RunClient
from sidecar.span_processor import RunSpanProcessor, install
from tests.tools.process import PATIENCE_SECONDS, running, wait_until

pytestmark = pytest.mark.integration

RESOURCE = Resource({"service.name": "agent"})
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "m",
    "gen_ai.response.model": "m",
}


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", str(PATIENCE_SECONDS))


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory):
    with running(tmp_path_factory.mktemp("sidecar") / "state", RUN__QUIET_SECONDS="60") as process:
        yield process


@dataclass(frozen=True)
class Sealed:
    """What a bundle says about what was captured."""

    health: dict
    closing: dict
    confidence: str

    def raised(self, *names: str) -> dict:
        """The counters about the sender that are not zero, and others by name."""
        found = {name: count for name, count in self.health.items() if name.startswith("sender_") or name in names}
        return {name: count for name, count in found.items() if count}


def sealed(sidecar, run_id: str) -> Sealed:
    with grpc.insecure_channel(sidecar.grpc) as channel:
        run = EvidenceServiceStub(channel).SealRun(pb.SealRunRequest(run_id=run_id), timeout=PATIENCE_SECONDS).run
    with EvidenceBundle.open(sidecar.state / "bundles" / run.bundle_file) as bundle:
        *_, (closing, _) = bundle.events()
        facts = bundle.finish()
    return Sealed(facts.manifest["capture_health"], closing["data"], run.closure_confidence)


def processor_of(sidecar, exporter: SpanExporter | None = None, **options) -> RunSpanProcessor:
    to_sidecar = OTLPSpanExporter(endpoint=f"http://{sidecar.grpc}", insecure=True)
    return patient(RunSpanProcessor(exporter or to_sidecar, RunClient(Endpoint.of(sidecar.grpc)), **options))


def patient(processor: RunSpanProcessor) -> RunSpanProcessor:
    """The processor, with all the time that a busy machine may need."""
    processor._closer._client.timeout_seconds = PATIENCE_SECONDS
    return processor


def provider_of(processor: RunSpanProcessor, **options) -> TracerProvider:
    provider = TracerProvider(resource=RESOURCE, **options)
    provider.add_span_processor(processor)
    return provider


def run(provider: TracerProvider, children: int = 2, **attributes: str) -> str:
    """One run: a root and some chats in it; gives its trace id."""
    tracer = provider.get_tracer("agent")
    with tracer.start_as_current_span("invoke_agent a", attributes=attributes) as root:
        for _ in range(children):
            with tracer.start_as_current_span("chat m", attributes={**CHAT, **attributes}):
                pass
    return f"{root.get_span_context().trace_id:032x}"


def test_log_records_of_a_run_are_in_it_also_when_they_are_written_at_its_end_and_sent_late(sidecar):
    logs = LoggerProvider(resource=RESOURCE)
    exporter = OTLPLogExporter(endpoint=f"http://{sidecar.grpc}", insecure=True)
    logs.add_log_record_processor(BatchLogRecordProcessor(exporter, schedule_delay_millis=60_000))
    provider = TracerProvider(resource=RESOURCE)
    patient(install(provider, endpoint=sidecar.grpc, logger_provider=logs, linger_seconds=1.0))
    with provider.get_tracer("agent").start_as_current_span("chat m", attributes=CHAT) as root:
        context = trace.set_span_in_context(root)
    logs.get_logger("agent").emit(LogRecord(context=context, body="what was said"))
    run_id = f"{root.get_span_context().trace_id:032x}"
    with grpc.insecure_channel(sidecar.grpc) as channel:
        parts = wait_until_closed(EvidenceServiceStub(channel), run_id)
    assert [part.close_reason for part in parts] == ["explicit"]
    found = sealed(sidecar, run_id)
    assert (found.health["spans"], found.health["logs"], found.confidence) == (1, 1, "high")
    provider.shutdown()
    logs.shutdown()


def wait_until_closed(service, run_id: str):
    parts = []

    def closed() -> bool:
        with contextlib.suppress(grpc.RpcError):  # the recorder has not come to it yet
            parts[:] = service.GetRun(pb.GetRunRequest(run_id=run_id)).parts
        return bool(parts) and all(part.state != pb.RUN_STATE_OPEN for part in parts)

    wait_until(closed, "the end of the run")
    return parts


class Wrapped(SpanExporter):
    """An exporter that does something with what it is given first."""

    def __init__(self, sidecar, pick) -> None:
        self.inner = OTLPSpanExporter(endpoint=f"http://{sidecar.grpc}", insecure=True)
        self.pick = pick

    def export(self, spans):
        picked = self.pick(spans)
        return SpanExportResult.FAILURE if picked is None else self.inner.export(picked)

    def shutdown(self):
        self.inner.shutdown()


def test_an_honest_run_is_closed_with_its_counts_and_trusted_highly(sidecar):
    provider = TracerProvider(resource=RESOURCE)
    patient(install(provider, endpoint=sidecar.grpc))
    run_id = run(provider)
    assert provider.force_flush()
    found = sealed(sidecar, run_id)
    counts = {"spans_started": "3", "spans_ended": "3", "spans_dropped": "0", "spans_unsampled": "0"}
    assert found.closing["sender_counts"] == counts
    assert (found.closing["reason"], found.confidence, found.raised()) == ("explicit", "high", {})
    provider.shutdown()


def test_every_run_of_a_provider_is_closed_however_many_threads_make_them(sidecar):
    processor = processor_of(sidecar)
    provider = provider_of(processor)
    traces: list[str] = []
    threads = [
        threading.Thread(target=lambda: traces.extend(run(provider, children=5) for _ in range(5))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    provider.shutdown()
    found = [sealed(sidecar, run_id) for run_id in traces]
    assert len(found) == 40
    assert {(each.confidence, each.closing["sender_counts"]["spans_ended"]) for each in found} == {("high", "6")}


def test_what_an_exporter_loses_behind_the_agents_back_is_missing_in_the_bundle(sidecar):
    provider = provider_of(processor_of(sidecar, Wrapped(sidecar, lambda spans: spans[:-1])))
    run_id = run(provider, children=3)
    provider.shutdown()
    found = sealed(sidecar, run_id)
    assert (found.confidence, found.raised()) == ("low", {"sender_missing_spans": 1})


def test_what_could_not_be_sent_is_dropped_by_the_agents_own_word(sidecar):
    provider = provider_of(processor_of(sidecar, Wrapped(sidecar, lambda spans: None)))
    run_id = run(provider)
    provider.shutdown()
    found = sealed(sidecar, run_id)
    assert (found.health["spans"], found.confidence) == (0, "low")
    assert found.raised() == {"sender_missing_spans": 3, "sender_dropped_spans": 3}


def test_a_queue_that_overflows_shows(sidecar):
    full = threading.Event()

    def wait(spans):
        full.wait(PATIENCE_SECONDS)
        return spans

    def batch(exporter):
        return BatchSpanProcessor(exporter, max_queue_size=8, max_export_batch_size=8, schedule_delay_millis=60_000)

    provider = provider_of(processor_of(sidecar, Wrapped(sidecar, wait), batch=batch))
    run_id = run(provider, children=40)
    full.set()
    provider.shutdown()
    found = sealed(sidecar, run_id)
    arrived = found.health["spans"]
    assert 8 <= arrived <= 16  # the queue, and a batch that had left it
    assert found.raised() == {"sender_missing_spans": 41 - arrived, "sender_dropped_spans": 41 - arrived}
    assert found.confidence == "low"


class Alternating(RandomIdGenerator):
    """Trace ids of which a sampler at 50 % keeps every other one."""

    def __init__(self) -> None:
        self.made = 0

    def generate_trace_id(self) -> int:
        self.made += 1
        return (super().generate_trace_id() & ~(1 << 63)) | (self.made % 2) << 63


def test_what_a_sampler_leaves_out_shows(sidecar):
    processor = processor_of(sidecar)
    sampler = processor.sampler(TraceIdRatioBased(0.5))
    provider = provider_of(processor, sampler=sampler, id_generator=Alternating())
    for _ in range(10):
        run(provider, children=1, **{"affidavit.run.id": "half-sampled"})
    processor.close_run("half-sampled", b'{"turns":10}')
    assert provider.force_flush()
    found = sealed(sidecar, "half-sampled")
    assert (found.health["spans"], found.closing["outcome"]) == (10, {"turns": 10})
    assert (found.confidence, found.raised()) == ("low", {"sender_unsampled_spans": 10})
    provider.shutdown()


def test_a_run_of_which_nothing_was_sampled_is_known_all_the_same(sidecar):
    processor = processor_of(sidecar)
    provider = provider_of(processor, sampler=processor.sampler(TraceIdRatioBased(0.0)))
    run_id = run(provider)
    provider.shutdown()
    found = sealed(sidecar, run_id)
    assert (found.health["spans"], found.raised()) == (0, {"sender_unsampled_spans": 3})


def test_a_span_that_never_ends_shows_and_its_run_is_closed_all_the_same(sidecar):
    processor = processor_of(sidecar, linger_seconds=0.1)
    provider = provider_of(processor)
    tracer = provider.get_tracer("agent")
    with tracer.start_as_current_span("invoke_agent a") as root:
        tracer.start_span("chat m", attributes=CHAT)
    run_id = f"{root.get_span_context().trace_id:032x}"
    provider.shutdown()
    found = sealed(sidecar, run_id)
    assert (found.health["spans"], found.confidence) == (1, "low")
    assert found.raised() == {"sender_unended_spans": 1}


def test_a_span_that_ends_after_its_run_is_counted_in_the_amendment(sidecar):
    processor = processor_of(sidecar)
    provider = provider_of(processor)
    tracer = provider.get_tracer("agent")
    with tracer.start_as_current_span("invoke_agent a") as root:
        late = tracer.start_span("chat m", attributes=CHAT)
    run_id = f"{root.get_span_context().trace_id:032x}"
    processor.close_run(run_id)
    assert provider.force_flush()
    first = sealed(sidecar, run_id)
    late.end()
    provider.shutdown()
    second = sealed(sidecar, run_id)
    assert first.raised() == {"sender_unended_spans": 1}
    assert (second.health["spans"], second.raised()) == (1, {})
    assert second.closing["sender_counts"]["spans_started"] == "1"


FORKING = """
import os, sys
from opentelemetry.sdk.trace import TracerProvider
from sidecar.span_processor import install
provider = TracerProvider()
install(provider)._closer._client.timeout_seconds = 90.0
tracer = provider.get_tracer("agent")
with tracer.start_as_current_span("parent's") as root:
    pass
provider.force_flush()
print(f"{root.get_span_context().trace_id:032x}", flush=True)
with tracer.start_as_current_span("parent's second") as second:
    child = os.fork()
    if child == 0:
        with tracer.start_as_current_span("the child's", context={}) as root:
            pass
        print(f"{root.get_span_context().trace_id:032x}", flush=True)
        provider.shutdown()
        os._exit(0)
    os.waitpid(child, 0)
print(f"{second.get_span_context().trace_id:032x}", flush=True)
provider.shutdown()
"""


def test_parent_and_child_of_a_fork_close_their_own_runs(sidecar):
    environment = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{sidecar.grpc}",
        "GRPC_VERBOSITY": "NONE",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", FORKING], env=environment, capture_output=True, text=True, timeout=2 * PATIENCE_SECONDS
    )
    assert done.returncode == 0, done.stderr
    traces = done.stdout.split()
    assert len(traces) == 3
    found = [sealed(sidecar, run_id) for run_id in traces]
    assert [(each.closing["reason"], each.raised()) for each in found] == [("explicit", {})] * 3
