"""The receiver's items of the OTLP checklist: answers (1 to 10). Each test is named after its item."""

import asyncio
import collections
import gzip
import itertools
import json
import random
from dataclasses import replace
from functools import partial

import grpc
import pytest
import urllib3
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sidecar.limits import DEFAULT
from tests.sidecar.receiver.world import (
    JSON_BODY,
    METHODS,
    REQUESTS,
    SIGNALS,
    Gated,
    bomb,
    details,
    peak_memory_below,
    serving,
    status_of,
    traces,
)

RESPONSES = {
    "traces": ExportTraceServiceResponse,
    "logs": ExportLogsServiceResponse,
    "metrics": ExportMetricsServiceResponse,
}
MIB = 1 << 20
POST = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize("signal", REQUESTS)
def test_otlp_01_02_export_answers_with_its_response_and_full_success_leaves_it_empty(world, signal):
    body = REQUESTS[signal].SerializeToString()
    for answer in (world.export(signal, body), world.post(signal, body).data):
        response = RESPONSES[signal].FromString(answer)
        assert not response.HasField("partial_success")
    assert [(SIGNALS[signal], 0, body)] * 2 == [(f.signal, f.encoding, f.body) for f in world.frames()]


@pytest.mark.parametrize("signal", REQUESTS)
def test_otlp_01_an_empty_request_is_a_success_and_leaves_no_frame(world, signal):
    assert world.export(signal, b"") == b""
    assert (world.post(signal, b"").status, world.post(signal, b"{}", "json").data) == (200, b"{}")
    assert world.frames() == []


def test_otlp_03_partial_acceptance_is_a_success_with_the_count_and_the_reason(world):
    body = traces(2, bad=3).SerializeToString()
    for answer in (world.export("traces", body), world.post("traces", body).data):
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
        assert partial.rejected_spans == 3
        assert "trace" in partial.error_message
    assert [frame.body for frame in world.frames()] == [body, body]


def test_otlp_03_in_json_the_count_is_a_string(world):
    spans = [{"traceId": "", "spanId": "", "name": "bad"}]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    answer = world.post("traces", body, "json")
    assert (answer.status, answer.json()["partialSuccess"]["rejectedSpans"]) == (200, "1")
    assert answer.json()["partialSuccess"]["errorMessage"]


def test_otlp_03_a_request_of_which_nothing_was_taken_leaves_no_frame(world):
    answer = world.export("traces", traces(0, bad=2).SerializeToString())
    assert ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans == 2
    assert world.frames() == []


def test_otlp_02_a_metric_without_data_points_is_acknowledged_and_therefore_kept(world):
    body = b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m"}]}]}]}'
    assert world.post("metrics", body, "json").data == b"{}"
    assert [frame.body for frame in world.frames()] == [body]


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
@pytest.mark.parametrize("signal", REQUESTS)
def test_otlp_05_grpc_takes_none_and_gzip(world, signal, compression):
    body = REQUESTS[signal].SerializeToString()
    assert world.export(signal, body, compression) == b""
    assert [frame.body for frame in world.frames()] == [body]


def test_otlp_05_grpc_takes_large_gzip_requests(world):
    body = traces(20_000).SerializeToString()
    assert world.export("traces", body, grpc.Compression.Gzip) == b""
    assert [frame.body for frame in world.frames()] == [body]


def test_otlp_05_grpc_refuses_other_codings_by_name(world):
    with pytest.raises(grpc.RpcError) as refusal:
        world.export("traces", traces(100).SerializeToString(), grpc.Compression.Deflate)
    assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "deflate" in refusal.value.details()
    assert world.frames() == []


@pytest.mark.parametrize(("coding", "encode"), [("identity", bytes), ("gzip", gzip.compress), ("GZIP", gzip.compress)])
@pytest.mark.parametrize(("kind", "body"), [("protobuf", traces(5).SerializeToString()), ("json", JSON_BODY)])
def test_otlp_05_http_takes_none_and_gzip(world, coding, encode, kind, body):
    assert world.post("traces", encode(body), kind, content_encoding=coding).status == 200
    assert [frame.body for frame in world.frames()] == [body]


def test_otlp_05_a_gzip_body_may_have_several_members(world):
    body = traces(5).SerializeToString()
    sent = gzip.compress(body[:10]) + gzip.compress(b"") + gzip.compress(body[10:])
    assert world.post("traces", sent, content_encoding="gzip").status == 200
    assert [frame.body for frame in world.frames()] == [body]


def test_otlp_06_gzip_bombs_are_refused_on_both_transports_and_memory_stays_bounded(world):
    body = bomb(512)
    with peak_memory_below(3 * DEFAULT.request_bytes_max):
        for _ in range(2):
            assert world.post("traces", body, content_encoding="gzip").status == 413
            with pytest.raises(grpc.RpcError) as refusal:
                world.export("traces", body)
            assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert world.frames() == []


def test_otlp_06_the_limit_is_what_it_is_set_to_before_and_after_inflating(tmp_path):
    body = traces(1).SerializeToString()
    with serving(tmp_path / "journal", limits=replace(DEFAULT, request_bytes_max=len(body))) as world:
        longer = traces(1, note="!").SerializeToString()
        assert len(longer) == len(body) + 1
        assert world.post("traces", body).status == 200
        assert world.post("traces", longer).status == 413
        inflated = gzip.compress(traces(1, note="!" * 100_000).SerializeToString(), 9)
        assert world.post("traces", inflated, content_encoding="gzip").status == 413
        assert [frame.body for frame in world.frames()] == [body]


def test_otlp_06_many_bodies_at_once_are_asked_to_come_back_rather_than_held(tmp_path):
    body = traces(10).SerializeToString()
    with serving(tmp_path / "journal", limits=replace(DEFAULT, receiving_bytes_max=len(body) + 100)) as world:
        with world.connect() as slow:
            slow.sendall(POST + b"content-type: application/x-protobuf\r\ncontent-length: 5000\r\n\r\n" + bytes(900))
            while not world.grpc._admission._held:
                world.run(asyncio.sleep(0.001))
            answer = world.post("traces", body)
            assert (answer.status, answer.headers["retry-after"], status_of(answer).code) == (429, "1", 14)
            with pytest.raises(grpc.RpcError) as refusal:
                world.export("traces", body)
            assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
            assert "RetryInfo" in details(refusal.value)
        while world.grpc._admission._held:
            world.run(asyncio.sleep(0.001))
        assert world.post("traces", body).status == 200
        assert [frame.body for frame in world.frames()] == [body]


def test_otlp_07_over_limit_is_resource_exhausted_without_retry_info(world):
    for body in (bytes(65 * MIB), bomb(65)):
        with pytest.raises(grpc.RpcError) as refusal:
            world.export("traces", body)
        assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "RetryInfo" not in details(refusal.value)
    assert world.frames() == []


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
def test_otlp_08_over_limit_on_http_is_413_and_the_client_can_read_it(world, announced):
    piece = random.Random(0).randbytes(MIB)
    answer = world.post("traces", piece * 65 if announced else (piece for _ in range(65)))
    assert (answer.status, status_of(answer).code) == (413, 8)
    assert "expected at most 67108864 bytes" in status_of(answer).message
    assert world.frames() == []


def test_otlp_08_a_refused_body_does_not_spoil_the_next_request_on_its_connection(world):
    good = traces(1).SerializeToString()
    post = partial(urllib3.PoolManager(maxsize=1, retries=False).request, "POST", world.url("/v1/traces"))
    headers = {"content-type": "application/x-protobuf"}
    for _ in range(3):
        assert [post(body=body, headers=headers).status for body in (bytes(65 * MIB), good)] == [413, 200]


def test_otlp_08_a_body_that_will_not_be_read_closes_its_connection_and_says_so(world):
    answer = world.raw(POST + b"content-type: application/json\r\ncontent-length: 9999999999\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


def test_otlp_08_a_client_that_asks_first_is_told_before_it_sends(world):
    answer = world.raw(
        POST + b"content-type: application/json\r\ncontent-length: 99999999\r\nexpect: 100-continue\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


def test_otlp_08_a_body_that_never_ends_is_not_read_for_ever(tmp_path):
    with (
        serving(
            tmp_path / "journal", limits=replace(DEFAULT, request_bytes_max=MIB, http_unread_bytes_max=2 * MIB)
        ) as world,
        world.connect() as connection,
    ):
        connection.sendall(POST + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        pieces = itertools.repeat(b"10000\r\n" + bytes(65536) + b"\r\n", 1000)
        with pytest.raises(OSError):
            collections.deque(map(connection.sendall, pieces), maxlen=0)


def test_otlp_09_error_messages_are_shortened_so_that_answers_stay_small(tmp_path):
    with serving(tmp_path / "journal", limits=replace(DEFAULT, error_message_chars_max=20)) as world:
        answer = world.export("traces", traces(1, bad=5).SerializeToString())
        assert 0 < len(ExportTraceServiceResponse.FromString(answer).partial_success.error_message) <= 20
    with serving(tmp_path / "other") as world:
        unknown = world.pool.request("POST", world.url("/" + "x" * 30_000), body=b"")
        assert (unknown.status, len(unknown.data) < 1000) == (404, True)


def test_otlp_10_calls_at_once_on_one_connection_are_all_answered(world):
    bodies = {traces(1, note=f" of call {n}").SerializeToString() for n in range(100)}
    with world.channel() as channel:
        call = channel.unary_unary(METHODS["traces"])
        answers = [call.future(body, timeout=20) for body in bodies]
        assert [answer.result() for answer in answers] == [b""] * 100
    assert {frame.body for frame in world.frames()} == bodies


def test_otlp_10_one_waiting_call_does_not_hold_up_another(tmp_path):
    journal = Gated()
    with serving(tmp_path / "journal", journal=journal) as world, world.channel() as channel:
        call = channel.unary_unary(METHODS["traces"])
        waiting = call.future(traces(1).SerializeToString(), timeout=20)
        assert journal.arrived.acquire(timeout=10)
        assert call(b"", timeout=20) == b""
        assert not waiting.done()
        journal.go()
        assert waiting.result() == b""
