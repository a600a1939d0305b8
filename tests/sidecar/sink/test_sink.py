"""The sink: what it takes is in the file, and clients of OTLP can talk to it."""

import gzip
import json
import signal
import subprocess
import sys

import grpc
import pytest
import urllib3
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from sidecar.otlp import json_codec
from sidecar.otlp.signal import OtlpSignal
from sidecar.sink.http_server import HttpServer
from sidecar.sink.sink import Answer, Sink
from tests.tools.process import PATIENCE_SECONDS

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def request_of(name: str, **fields) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    span = {"trace_id": b"\xab" * 16, "span_id": b"\xcd" * 8, **fields}
    request.resource_spans.add().scope_spans.add().spans.add(name=name, **span)
    return request


@pytest.fixture
def process(tmp_path):
    """A running sink: (addresses, output file, process)."""
    out = tmp_path / "sink.ndjson"
    running = subprocess.Popen(
        [sys.executable, "-m", "sidecar.sink", "--out", str(out)], stdout=subprocess.PIPE, text=True
    )
    try:
        yield json.loads(running.stdout.readline()), out, running
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


@pytest.fixture
def http():
    """A sink over HTTP: (sink, URL)."""
    sink = Sink(keep=True)
    server = HttpServer(sink, "127.0.0.1:0")
    server.start()
    yield sink, f"http://{server.address}"
    server.stop()


def test_what_the_stock_exporters_send_over_both_protocols_is_in_the_file(process):
    """The SDK's own exporters, one span each; the counts at the end agree, and the process leaves cleanly."""
    addresses, out, running = process
    exporters = [
        GrpcSpanExporter(endpoint=f"http://{addresses['grpc']}", insecure=True),
        HttpSpanExporter(endpoint=f"http://{addresses['http']}/v1/traces"),
    ]
    for index, exporter in enumerate(exporters):
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        provider.get_tracer("test").start_span(f"span {index}").end()
        provider.shutdown()
    lines = [json_codec.load(ExportTraceServiceRequest, line) for line in out.read_bytes().splitlines()]
    names = [line.resource_spans[0].scope_spans[0].spans[0].name for line in lines]
    running.send_signal(signal.SIGTERM)
    assert names == ["span 0", "span 1"]
    assert json.loads(running.stdout.readline()) == {
        "requests": {"traces": 2},
        "items": {"traces": 2},
        "undecodable": 0,
    }
    assert running.wait(PATIENCE_SECONDS) == 0


def test_otlp_26_27_29_a_line_is_otlp_json(tmp_path):
    """Ids in hex, enums as integers, 64-bit integers as strings, special doubles as strings."""
    sink = Sink(tmp_path / "out")
    server = HttpServer(sink, "127.0.0.1:0")
    server.start()
    request = request_of("a", kind=3, start_time_unix_nano=2**63 + 1)
    request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="x").value.double_value = float("inf")
    urllib3.request("POST", f"http://{server.address}/v1/traces", body=request.SerializeToString(), headers=PROTOBUF)
    server.stop()
    sink.close()
    (line,) = (tmp_path / "out").read_bytes().splitlines()
    span = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert ("ab" * 16, "cd" * 8, 3, str(2**63 + 1)) == (
        span["traceId"],
        span["spanId"],
        span["kind"],
        span["startTimeUnixNano"],
    )
    assert span["attributes"] == [{"key": "x", "value": {"doubleValue": "Infinity"}}]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_both_encodings_plain_and_compressed(http, encoding, compression):
    sink, url = http
    request = request_of("a")
    body = request.SerializeToString() if encoding == "protobuf" else json_codec.dump(request)
    headers = PROTOBUF if encoding == "protobuf" else {"Content-Type": "application/json; charset=utf-8"}
    if compression == "gzip":
        body, headers = gzip.compress(body), {**headers, "Content-Encoding": "gzip"}
    answer = urllib3.request("POST", url + "/v1/traces", body=body, headers=headers)
    assert (200, b"" if encoding == "protobuf" else b"{}") == (answer.status, answer.data)
    assert answer.headers["Content-Type"] == headers["Content-Type"].split(";")[0]
    assert sink.items == {OtlpSignal.TRACES: 1}


REFUSED = {
    "unknown path": ("/v1/spans", PROTOBUF, b"", 404),
    "unknown type": ("/v1/traces", {"Content-Type": "text/plain"}, b"", 415),
    "not protobuf": ("/v1/traces", PROTOBUF, b"\xff\xff", 400),
    "not gzip": ("/v1/traces", {**PROTOBUF, "Content-Encoding": "gzip"}, b"plain", 400),
    "gzip bomb": ("/v1/traces", {**PROTOBUF, "Content-Encoding": "gzip"}, gzip.compress(bytes(65 << 20), 1), 413),
}


@pytest.mark.parametrize("defect", REFUSED)
def test_what_is_not_otlp_is_refused_with_a_status_and_not_taken(http, defect):
    sink, url = http
    path, headers, body, status = REFUSED[defect]
    answer = urllib3.request("POST", url + path, body=body, headers=headers, retries=False)
    assert status == answer.status
    assert Status.FromString(answer.data).message
    assert not sink.items


def test_bad_json_is_refused_in_json(http):
    _, url = http
    answer = urllib3.request("POST", url + "/v1/traces", body=b"{", headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert json.loads(answer.data)["message"]


def test_a_failed_request_is_seen_but_not_taken(http):
    """The file holds what clients were told was taken, and nothing else."""
    sink, url = http
    sink.then = Answer(status=503, headers={"Retry-After": "3"}, message="later")
    answer = urllib3.request("POST", url + "/v1/traces", body=b"", headers=PROTOBUF, retries=False)
    assert (answer.status, answer.headers["Retry-After"], Status.FromString(answer.data).message) == (503, "3", "later")
    assert (len(sink.received), len(sink.taken)) == (1, 0)


def test_a_body_over_grpc_that_is_not_otlp_is_an_invalid_argument(process):
    addresses, out, _ = process
    with grpc.insecure_channel(addresses["grpc"]) as channel:
        call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff\xff")
        assert ExportTraceServiceResponse() == TraceServiceStub(channel).Export(request_of("a"))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert len(out.read_bytes().splitlines()) == 1


def test_an_address_in_use_is_an_error_in_words(process):
    addresses, _, _ = process
    again = subprocess.run(
        [sys.executable, "-m", "sidecar.sink", "--http", addresses["http"]], capture_output=True, text=True, check=False
    )
    assert (again.returncode, again.stdout) == (1, "")
    assert "cannot listen" in again.stderr
    assert "Traceback" not in again.stderr
