"""The sidecar as a process of its own, driven by what agents really use."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
import pytest
import urllib3
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from attest.trust.trust import Trust
from attest.verify import verify_file
from evidence.bundle.reader import EvidenceBundle
from sidecar.mapping import MappingAgain
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from sidecar.sink.grpc_server import GrpcServer
from sidecar.sink.http_server import HttpServer
from sidecar.sink.sink import Sink
from tests.tools.process import PATIENCE_SECONDS, Sidecar, running, wait_until

pytestmark = pytest.mark.integration

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory):
    """One for all tests that have runs of their own and do not end it."""
    with running(tmp_path_factory.mktemp("shared") / "state") as process:
        yield process


MAPPING = MappingAgain()
"""Its tables are read once."""


def events(bundle: Path) -> list[dict]:
    with EvidenceBundle.open(bundle) as opened:
        found = [event for event, _ in opened.events()]
        opened.finish()
    return found


def spans(bundle: Path) -> list[dict]:
    return [event["data"]["span"] for event in events(bundle) if event["type"] == "affidavit.otel.span.v1"]


def verdict(sidecar: Sidecar, bundle: Path) -> str:
    return verify_file(bundle, trust=Trust.load([sidecar.public_key]), mapping=MAPPING).verdict


def agent(exporter) -> str:
    """An agent with the real SDK: one run of three spans; gives the trace id."""
    provider = TracerProvider(resource=Resource.create({"service.name": "agent"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("opentelemetry.instrumentation.genai.test")
    with tracer.start_as_current_span(
        "invoke_agent helper", attributes={"gen_ai.operation.name": "invoke_agent"}
    ) as root:
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}
        with tracer.start_as_current_span("chat m", kind=SpanKind.CLIENT, attributes=attributes):
            pass
        with tracer.start_as_current_span("execute_tool add", attributes={"gen_ai.operation.name": "execute_tool"}):
            pass
    provider.shutdown()
    return f"{root.get_span_context().trace_id:032x}"


def grpc_exporter(sidecar: Sidecar, compression: str):
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    kind = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
    return OTLPSpanExporter(endpoint=f"http://{sidecar.grpc}", insecure=True, compression=kind)


def http_exporter(sidecar: Sidecar, compression: str):
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    kind = Compression.Gzip if compression == "gzip" else Compression.NoCompression
    return OTLPSpanExporter(endpoint=f"http://{sidecar.http}/v1/traces", compression=kind)


@pytest.mark.parametrize("exporter", [grpc_exporter, http_exporter])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_run_of_the_stock_sdk_becomes_a_bundle_that_verifies(sidecar, exporter, compression):
    trace_id = agent(exporter(sidecar, compression))
    with grpc.insecure_channel(sidecar.grpc) as channel:
        service = EvidenceServiceStub(channel)
        service.CloseRun(pb.CloseRunRequest(run_id=trace_id, counts=pb.SenderCounts(spans_ended=3)))
        run = service.SealRun(pb.SealRunRequest(run_id=trace_id), timeout=PATIENCE_SECONDS).run
    assert (run.span_count, run.close_reason, run.state) == (3, "explicit", pb.RUN_STATE_ATTESTED)
    bundle = sidecar.state / "bundles" / run.bundle_file
    assert sorted(span["name"] for span in spans(bundle)) == ["chat m", "execute_tool add", "invoke_agent helper"]
    assert verdict(sidecar, bundle) == "verified"


def seal(sidecar: Sidecar, run_id: str) -> Path:
    with grpc.insecure_channel(sidecar.grpc) as channel:
        run = EvidenceServiceStub(channel).SealRun(pb.SealRunRequest(run_id=run_id), timeout=PATIENCE_SECONDS).run
    return sidecar.state / "bundles" / run.bundle_file


def test_json_over_http_with_gzip_becomes_a_bundle(sidecar):
    span = {"traceId": "0A" * 16, "spanId": "0b" * 8, "name": "s", "kind": 1}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    url = f"http://{sidecar.http}/v1/traces"
    answer = urllib3.request("POST", url, body=gzip.compress(json.dumps(body).encode()), headers=headers)
    assert (answer.status, answer.data) == (200, b"{}")
    assert spans(seal(sidecar, "0a" * 16)) == [{**span, "traceId": "0a" * 16}]


def test_a_run_closes_by_itself_once_its_root_has_ended_and_it_is_quiet(tmp_path):
    with running(tmp_path / "state", RUN__QUIET_SECONDS="0.3") as sidecar:
        agent(grpc_exporter(sidecar, "none"))
        wait_until(lambda: list((sidecar.state / "bundles").glob("*.sigstore.json")), "an attestation")
        closing = events(sidecar.bundles[0])[-1]
    assert (closing["type"], closing["data"]["reason"]) == ("affidavit.run.closed.v1", "root_ended")


def test_late_telemetry_becomes_an_amendment_that_names_what_it_amends(sidecar):
    trace = bytes.fromhex("ab" * 16)

    def send(span_id: int) -> None:
        request = ExportTraceServiceRequest()
        spans_ = request.resource_spans.add().scope_spans.add().spans
        spans_.add(trace_id=trace, span_id=span_id.to_bytes(8, "big"), name=f"s{span_id}")
        channel.unary_unary(EXPORT)(request.SerializeToString())

    with grpc.insecure_channel(sidecar.grpc) as channel:
        service = EvidenceServiceStub(channel)
        send(1)
        first = service.SealRun(pb.SealRunRequest(run_id=trace.hex()), timeout=PATIENCE_SECONDS).run
        send(2)
        second = service.SealRun(pb.SealRunRequest(run_id=trace.hex()), timeout=PATIENCE_SECONDS).run
        parts = service.GetRun(pb.GetRunRequest(run_id=trace.hex())).parts
    assert [(run.part, run.bundle_file) for run in (first, second)] == [
        (1, f"{trace.hex()}.evidence.tar.gz"),
        (2, f"{trace.hex()}.part2.evidence.tar.gz"),
    ]
    assert [part.part for part in parts] == [1, 2]
    with EvidenceBundle.open(sidecar.state / "bundles" / second.bundle_file) as bundle:
        assert bundle.manifest["amends"] == first.bundle_id
        assert bundle.manifest["previous_bundle"]["bundle_id"] == first.bundle_id
    assert [verdict(sidecar, sidecar.state / "bundles" / run.bundle_file) for run in (first, second)] == [
        "verified"
    ] * 2


def test_receipts_are_recorded_once_beside_the_spans(sidecar):
    receipt = pb.Receipt(
        run_id="r-1", kind="policy.decision", idempotency_key="k1", body_json=b'{"allow":true}', sequence=1
    )
    hole = pb.Receipt(
        run_id="r-1", kind="policy.decision", idempotency_key="k3", body_json=b'{"allow":false}', sequence=3
    )
    with grpc.insecure_channel(sidecar.grpc) as channel:
        service = EvidenceServiceStub(channel)
        assert service.OpenRun(pb.OpenRunRequest(run_id="r-1", context_json=b'{"goal":"g"}')).opened
        assert service.SubmitReceipts(pb.SubmitReceiptsRequest(receipts=[receipt, hole])).accepted == 2
        service.SubmitReceipts(pb.SubmitReceiptsRequest(receipts=[receipt]))
        service.CloseRun(pb.CloseRunRequest(run_id="r-1", outcome_json=b'{"ok":true}'))
        run = service.SealRun(pb.SealRunRequest(run_id="r-1"), timeout=PATIENCE_SECONDS).run
        pieces = list(service.GetBundle(pb.GetBundleRequest(run_id="r-1")))
    found = events(sidecar.state / "bundles" / run.bundle_file)
    assert [event["type"].split(".")[1:3] for event in found] == [
        ["run", "opened"],
        ["receipt", "v1"],
        ["receipt", "v1"],
        ["run", "gap"],
        ["run", "closed"],
    ]
    assert found[0]["data"]["context"] == {"goal": "g"}
    assert found[3]["data"]["kind"] == "receipt_sequence"
    assert (found[4]["data"]["outcome"], found[4]["data"]["duplicates"]) == ({"ok": True}, 1)
    bundle = b"".join(piece.data for piece in pieces if piece.content == pb.GetBundleResponse.CONTENT_BUNDLE)
    assert bundle == (sidecar.state / "bundles" / run.bundle_file).read_bytes()
    assert any(piece.content == pb.GetBundleResponse.CONTENT_ATTESTATION for piece in pieces)


def test_an_open_run_can_be_asked_for_its_scores_and_gaps_as_they_stand(sidecar):
    recording = CORPUS / "openinference-instrumentation-langchain@0.1.80" / "agent_tools_loop.traces.otlp.pb"
    trace = (
        ExportTraceServiceRequest.FromString(recording.read_bytes()).resource_spans[0].scope_spans[0].spans[0].trace_id
    )
    with grpc.insecure_channel(sidecar.grpc) as channel:
        service = EvidenceServiceStub(channel)
        channel.unary_unary(EXPORT)(recording.read_bytes())
        parts = []

        def recorded() -> bool:
            try:
                parts[:] = service.GetRun(pb.GetRunRequest(run_id=trace.hex())).parts
            except grpc.RpcError as error:  # the recorder has not come to it yet
                assert error.code() == grpc.StatusCode.NOT_FOUND
            return bool(parts)

        wait_until(recorded, "the run")
        (run,) = parts
        service.CloseRun(pb.CloseRunRequest(run_id=trace.hex()))
        sealed = service.SealRun(pb.SealRunRequest(run_id=trace.hex()), timeout=PATIENCE_SECONDS).run
    assert (run.state, run.span_count) == (pb.RUN_STATE_OPEN, 13)
    assert run.closure == sealed.closure > 0
    assert {signal.signal: signal.status for signal in run.signals}["model_identity"] == "captured"
    assert "missing" in {signal.status for signal in run.signals}


@dataclass(frozen=True, kw_only=True)
class Life:
    """A sidecar from its start without configuration to its end by SIGTERM, and what was seen of it."""

    sidecar: Sidecar
    processes: list[psutil.Process]
    sent: int
    """Spans, of runs that were all open at the end."""
    health: tuple[int, int]
    """Exit codes of `affidavit health`, while it ran and afterwards."""
    code: int


@pytest.fixture(scope="module")
def life(tmp_path_factory) -> Life:
    sent = 0
    with running(tmp_path_factory.mktemp("life") / "state") as sidecar:
        processes, health_before = sidecar.tree(), health(sidecar)
        with grpc.insecure_channel(sidecar.grpc) as channel:
            for file in sorted(CORPUS.glob("openinference-instrumentation-*/*.traces.otlp.pb"))[:20]:
                channel.unary_unary(EXPORT)(file.read_bytes())
                request = ExportTraceServiceRequest.FromString(file.read_bytes())
                sent += sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans)
        code = sidecar.stop()
    return Life(sidecar=sidecar, processes=processes, sent=sent, health=(health_before, health(sidecar)), code=code)


def health(sidecar: Sidecar) -> int:
    environment = {**os.environ, "AFFIDAVIT_RECEIVER__HTTP__ENDPOINT": sidecar.http}
    return subprocess.run([sys.executable, "-m", "sidecar", "health"], env=environment, capture_output=True).returncode


def test_sigterm_seals_every_open_run_and_exits_0(life):
    assert life.code == 0
    assert sum(len(spans(bundle)) for bundle in life.sidecar.bundles) == life.sent
    closings = {events(bundle)[-1]["data"]["reason"] for bundle in life.sidecar.bundles}
    assert closings == {"shutdown"}
    assert {verdict(life.sidecar, bundle) for bundle in life.sidecar.bundles} == {"verified"}


def test_health_says_ready_of_a_running_sidecar_and_not_of_a_stopped_one(life):
    assert life.health == (0, 1)


def test_a_shutdown_leaves_no_process_behind(life):
    assert len(life.processes) == 2
    assert [process for process in life.processes if process.is_running()] == []


def test_without_configuration_a_key_is_made_once_for_its_owner_alone(life):
    key = life.sidecar.state / "keys" / "signing.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    first = key.read_bytes()
    with running(life.sidecar.state):
        assert key.read_bytes() == first


def test_translated_telemetry_reaches_every_backend(tmp_path):
    recording = CORPUS / "openinference-instrumentation-openai@0.1.66" / "chat.traces.otlp.pb"
    over_grpc, over_http = Sink(keep=True), Sink(keep=True)
    first, second = GrpcServer(over_grpc, "127.0.0.1:0"), HttpServer(over_http, "127.0.0.1:0")
    first.start()
    second.start()
    try:
        backends = {
            "EXPORTERS__A__ENDPOINT": f"http://{first.address}",
            "EXPORTERS__B__ENDPOINT": f"http://{second.address}",
            "EXPORTERS__B__PROTOCOL": "http/protobuf",
            "EXPORTERS__B__COMPRESSION": "gzip",
        }
        with running(tmp_path / "state", **backends) as sidecar:
            with grpc.insecure_channel(sidecar.grpc) as channel:
                channel.unary_unary(EXPORT)(recording.read_bytes())
            assert sidecar.stop() == 0
    finally:
        first.stop()
        second.stop()
    names = []
    for sink in (over_grpc, over_http):
        request = ExportTraceServiceRequest.FromString(b"".join(received.body for received in sink.taken))
        attributes = [
            {attribute.key for attribute in span.attributes}
            for group in request.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]
        assert all("gen_ai.operation.name" in keys and "llm.token_count.prompt" not in keys for keys in attributes)
        names.append(len(attributes))
    assert names[0] == names[1] > 0


def test_a_worker_that_is_killed_starts_again_and_loses_nothing(tmp_path):
    trace = bytes.fromhex("cd" * 16)
    with running(tmp_path / "state") as sidecar:
        with grpc.insecure_channel(sidecar.grpc) as channel:
            for number in range(1, 41):
                request = ExportTraceServiceRequest()
                span = request.resource_spans.add().scope_spans.add().spans.add
                span(trace_id=trace, span_id=number.to_bytes(8, "big"), name=str(number), parent_span_id=b"parentid")
                channel.unary_unary(EXPORT)(request.SerializeToString())
                if number in {10, 25}:
                    for worker in sidecar.tree()[1:]:
                        worker.kill()
        assert sidecar.stop() == 0
    assert sorted(int(span["name"]) for span in spans(sidecar.bundles[0])) == list(range(1, 41))


def test_a_second_sidecar_on_the_same_state_is_refused_by_name(sidecar):
    with pytest.raises(RuntimeError, match="in use by another sidecar"), running(sidecar.state):
        pass
