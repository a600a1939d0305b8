"""Logs and metrics of the real OpenTelemetry SDK with its stock exporters become evidence. (Traces: test_running_sidecar.)"""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from attest.trust.trust import Trust
from attest.verify import verify_file
from evidence.bundle.reader import EvidenceBundle
from evidence.run import safe_run_id
from sidecar.mapping import MappingAgain
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from tests.tools.process import PATIENCE_SECONDS, Sidecar, running

pytestmark = pytest.mark.integration

MAPPING = MappingAgain()
"""Its tables are read once."""
SCOPE = "opentelemetry.instrumentation.genai.test"
TRACE_ID, SPAN_ID = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory):
    """One for all tests here: each has a run of its own."""
    with running(tmp_path_factory.mktemp("stock") / "state") as process:
        yield process
        assert process.stop() == 0
        assert [line for line in process.log if line.get("level") != "info"] == []


@pytest.fixture
def run_id(request) -> str:
    return safe_run_id(request.node.name)


def resource(run_id: str) -> Resource:
    return Resource.create({"service.name": "agent", "affidavit.run.id": run_id})


def exporters(transport: str, compression: str, sidecar: Sidecar):
    """The stock log exporter and the stock metric exporter."""
    if transport == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

        kind = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
        where = {"endpoint": f"http://{sidecar.grpc}", "insecure": True, "compression": kind}
        return OTLPLogExporter(**where), OTLPMetricExporter(**where)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    kind = Compression.Gzip if compression == "gzip" else Compression.NoCompression
    return (
        OTLPLogExporter(endpoint=f"http://{sidecar.http}/v1/logs", compression=kind),
        OTLPMetricExporter(endpoint=f"http://{sidecar.http}/v1/metrics", compression=kind),
    )


def send_logs(exporter, run_id: str) -> None:
    provider = LoggerProvider(resource=resource(run_id))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger(SCOPE, "1.2")
    message = {"role": "user", "parts": [{"type": "text", "content": "2 + 2?"}], "weights": [1, 2.5, True, None]}
    logger.emit(
        LogRecord(
            timestamp=1_700_000_000_000_000_001,
            trace_id=TRACE_ID,
            span_id=SPAN_ID,
            severity_number=SeverityNumber.INFO,
            event_name="gen_ai.client.inference.operation.details",
            body=message,
            attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"},
        )
    )
    logger.emit(LogRecord(timestamp=1_700_000_000_000_000_002, severity_text="odd", body=b"\x00\xff"))
    provider.shutdown()


def send_metrics(exporter, run_id: str) -> None:
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider(resource=resource(run_id), metric_readers=[reader])
    meter = provider.get_meter(SCOPE, "1.2")
    tokens = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.token.type": "input"}
    usage = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")
    usage.record(17, tokens)
    usage.record(5, tokens)
    meter.create_counter("calls").add(3)
    meter.create_up_down_counter("open").add(-2)
    meter.create_observable_gauge("load", callbacks=[lambda _: []])
    provider.shutdown()


def bundle_of(sidecar: Sidecar, run_id: str) -> Path:
    """Has the run sealed, and gives its bundle, verified."""
    with grpc.insecure_channel(sidecar.grpc) as channel:
        run = EvidenceServiceStub(channel).SealRun(pb.SealRunRequest(run_id=run_id), timeout=PATIENCE_SECONDS).run
    bundle = sidecar.state / "bundles" / run.bundle_file
    assert bundle.name == f"{run_id}.evidence.tar.gz"
    result = verify_file(bundle, trust=Trust.load([sidecar.public_key]), mapping=MAPPING)
    assert result.verdict == "verified"
    return bundle


def items(bundle: Path, name: str) -> list[tuple[dict, dict]]:
    """Events of logs or metrics, each with the scope that it refers to."""
    with EvidenceBundle.open(bundle) as opened:
        events = [event for event, _ in opened.events()]
        opened.finish()
    scopes = {event["data"]["digest"]: event["data"]["scope"] for event in events if "otel.scope" in event["type"]}
    return [(event, scopes[event["data"]["scope"]]) for event in events if name in event["data"]]


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_logs_of_the_stock_sdk_are_in_a_bundle_as_they_were_said(sidecar, run_id, transport, compression):
    send_logs(exporters(transport, compression, sidecar)[0], run_id)
    (first, scope), (second, _) = items(bundle_of(sidecar, run_id), "log")
    log = first["data"]["log"]
    assert (scope["name"], scope["version"]) == (SCOPE, "1.2")
    assert log["eventName"] == "gen_ai.client.inference.operation.details"
    assert (log["timeUnixNano"], log["severityNumber"]) == ("1700000000000000001", 9)
    assert (log["traceId"], log["spanId"]) == (f"{TRACE_ID:032x}", f"{SPAN_ID:016x}")
    assert (first["time"], first["subject"]) == ("2023-11-14T22:13:20.000000001Z", f"{SPAN_ID:016x}")
    body = {pair["key"]: pair["value"] for pair in log["body"]["kvlistValue"]["values"]}
    assert body["role"] == {"stringValue": "user"}
    weights = body["weights"]["arrayValue"]["values"]
    assert weights == [{"intValue": "1"}, {"doubleValue": 2.5}, {"boolValue": True}, {}]
    assert second["data"]["log"]["body"] == {"bytesValue": "AP8="}
    assert second["data"]["log"]["severityText"] == "odd"


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_metrics_of_the_stock_sdk_are_in_a_bundle_as_they_were_counted(sidecar, run_id, transport, compression):
    send_metrics(exporters(transport, compression, sidecar)[1], run_id)
    metrics = {
        event["data"]["metric"]["name"]: event["data"]["metric"]
        for event, _ in items(bundle_of(sidecar, run_id), "metric")
    }
    assert metrics.keys() == {"gen_ai.client.token.usage", "calls", "open"}
    usage = metrics["gen_ai.client.token.usage"]
    (point,) = usage["histogram"]["dataPoints"]
    assert (usage["unit"], point["count"], point["sum"], point["min"], point["max"]) == ("{token}", "2", 22, 5, 17)
    assert {pair["key"] for pair in point["attributes"]} >= {"gen_ai.operation.name", "gen_ai.token.type"}
    assert metrics["calls"]["sum"]["isMonotonic"] is True
    assert [point["asInt"] for point in metrics["calls"]["sum"]["dataPoints"]] == ["3"]
    assert [point["asInt"] for point in metrics["open"]["sum"]["dataPoints"]] == ["-2"]


def test_logs_metrics_and_spans_of_one_run_are_in_one_bundle(sidecar, run_id):
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=resource(run_id))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"http://{sidecar.grpc}", insecure=True)))
    provider.get_tracer(SCOPE).start_span("chat m").end()
    provider.shutdown()
    logs, metrics = exporters("http", "gzip", sidecar)
    send_logs(logs, run_id)
    send_metrics(metrics, run_id)
    bundle = bundle_of(sidecar, run_id)
    assert [len(items(bundle, name)) for name in ("span", "log", "metric")] == [1, 2, 3]
