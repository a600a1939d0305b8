"""The receiver's items of the OTLP checklist: errors, HTTP and JSON, life cycle (11 to 15, 22 to 31, 36)."""

import asyncio
import gzip
import json
import threading
from dataclasses import replace

import grpc
import pytest
import urllib3
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sidecar.errors import JournalError, Overloaded
from sidecar.limits import DEFAULT
from tests.sidecar.receiver.world import (
    JSON_BODY,
    METHODS,
    REQUESTS,
    SPAN,
    TYPES,
    Gated,
    Refusing,
    details,
    serving,
    status_of,
    traces,
)

GOOD = traces(2).SerializeToString()
BAD_PROTOBUF = {
    "cut": GOOD[:-3],
    "garbage": b"\xff" * 40,
    "text": b"hello",
    "group that never ends": b"\x0b",
    "gzip that is not announced over HTTP": gzip.compress(GOOD),
    "half a gzip": gzip.compress(GOOD)[:-9],
    "gzip and more": gzip.compress(GOOD) + b"more",
    "invalid UTF-8 in a name": GOOD.replace(b"span 0", b"sp\xff\xfe 0"),
}
BAD_JSON = {
    "cut": JSON_BODY[:-5],
    "not JSON": b"<xml/>",
    "array": b"[]",
    "wrong type": b'{"resourceSpans": 5}',
    "deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "NaN": JSON_BODY.replace(b'"s"', b"NaN"),
    "duplicate key": JSON_BODY.replace(b'"name": "s"', b'"name": "s", "name": "t"'),
    "invalid UTF-8": JSON_BODY.replace(b'"s"', b'"\xff"'),
    "protobuf": GOOD,
}


def body_of(span: dict) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


@pytest.mark.parametrize("defect", [name for name in BAD_PROTOBUF if "announced" not in name])
def test_otlp_11_what_cannot_be_decoded_is_invalid_argument_and_leaves_no_frame(world, defect):
    with pytest.raises(grpc.RpcError) as refusal:
        world.export("traces", BAD_PROTOBUF[defect])
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert set(details(refusal.value)) == {"BadRequest"}
    assert world.frames() == []


@pytest.mark.parametrize("defect", BAD_PROTOBUF)
def test_otlp_12_over_http_it_is_400_with_a_status_in_protobuf(world, defect):
    answer = world.post("traces", BAD_PROTOBUF[defect])
    assert (answer.status, status_of(answer).code) == (400, 3)
    assert status_of(answer).message
    assert world.frames() == []


@pytest.mark.parametrize("defect", BAD_JSON)
def test_otlp_12_over_http_it_is_400_with_a_status_in_json(world, defect):
    answer = world.post("traces", BAD_JSON[defect], "json")
    assert (answer.status, status_of(answer, "json").code) == (400, 3)
    assert status_of(answer, "json").message
    assert world.frames() == []


@pytest.mark.parametrize(
    "body",
    [gzip.compress(GOOD)[:-9], gzip.compress(GOOD) + b"x", b"plain", b""],
    ids=["cut off", "more after it", "plain", "empty"],
)
def test_otlp_12_broken_gzip_over_http_is_400(world, body):
    answer = world.post("traces", body, content_encoding="gzip")
    assert (answer.status, status_of(answer).code) == (400, 3)
    assert world.frames() == []


def request(world, method="POST", path="/v1/traces", body=b"", **headers):
    return world.pool.request(method, world.url(path), body=body, headers=headers)


def test_otlp_13_every_refusal_has_a_status_in_the_encoding_of_the_request(world):
    for kind, media_type in TYPES.items():
        refusals = {
            404: request(world, path="/v1/profiles", **{"content-type": media_type}),
            405: request(world, "PUT", **{"content-type": media_type}),
            415: request(world, **{"content-type": media_type, "content-encoding": "br"}),
        }
        for code, answer in refusals.items():
            assert (answer.status, status_of(answer, kind).code > 0) == (code, True)


def test_otlp_13_a_refusal_of_an_unknown_encoding_is_json(world):
    for answer in (request(world, "GET", "/"), request(world, **{"content-type": "text/plain"}), request(world)):
        assert answer.status in {404, 415}
        assert status_of(answer, "json").message


@pytest.mark.parametrize(
    "data",
    [
        b"NONSENSE\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"POST /v1/traces HTTP/1.1\r\n" + b"a: b\r\n" * 20_000,
        b"POST /" + b"x" * 100_000,
    ],
    ids=["no HTTP", "negative length", "two lengths", "bad chunk", "path in no encoding", "TLS", "headers", "path"],
)
def test_otlp_13_what_the_http_server_itself_refuses_has_a_status_too(world, data):
    head, _, body = world.raw(data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/json" in head
    assert json.loads(body)["code"] == 3


def test_otlp_13_a_mistake_of_ours_is_a_status_too_and_the_server_lives(tmp_path):
    with serving(tmp_path / "journal", journal=Refusing(ZeroDivisionError("secret"))) as world:
        answer = world.post("traces", GOOD)
        assert (answer.status, status_of(answer).code) == (500, 13)
        assert "secret" not in status_of(answer).message
        assert world.post("traces", b"").status == 200


def test_otlp_14_overload_on_grpc_is_unavailable_with_retry_info(tmp_path):
    journal = Refusing(Overloaded("the disk is behind", retry_after_seconds=2.5))
    with serving(tmp_path / "journal", journal=journal) as world:
        with pytest.raises(grpc.RpcError) as refusal:
            world.export("traces", GOOD)
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
        assert details(refusal.value)["RetryInfo"].retry_delay.ToMilliseconds() == 2500


def test_otlp_15_overload_on_http_is_429_with_retry_after(tmp_path):
    journal = Refusing(Overloaded("the disk is behind", retry_after_seconds=2.5))
    with serving(tmp_path / "journal", journal=journal) as world:
        for kind, body in (("protobuf", GOOD), ("json", JSON_BODY)):
            answer = world.post("traces", body, kind)
            assert (answer.status, answer.headers["retry-after"]) == (429, "2")
            assert status_of(answer, kind).code == 14


@pytest.mark.parametrize("signal", REQUESTS)
def test_otlp_22_23_success_is_200_with_the_response_in_the_encoding_of_the_request(world, signal):
    answer = world.post(signal, REQUESTS[signal].SerializeToString())
    assert (answer.status, answer.headers["content-type"], answer.data) == (200, TYPES["protobuf"], b"")
    answer = world.post(signal, b"{}", "json")
    assert (answer.status, answer.headers["content-type"], answer.data) == (200, TYPES["json"], b"{}")
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("suffix", ["; charset=utf-8", " ;q=1", ";"])
def test_otlp_24_parameters_of_the_content_type_are_ignored(world, suffix):
    headers = {"content-type": "Application/JSON" + suffix}
    answer = world.pool.request("POST", world.url("/v1/traces"), body=JSON_BODY, headers=headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert [frame.encoding for frame in world.frames()] == [1]


@pytest.mark.parametrize("media_type", ["text/plain", "application/protobuf", "application/x-protobuf-2", "", "*/*"])
def test_otlp_24_another_content_type_is_415(world, media_type):
    answer = world.pool.request("POST", world.url("/v1/traces"), body=GOOD, headers={"content-type": media_type})
    assert answer.status == 415
    assert world.frames() == []


def test_otlp_25_other_paths_are_404_and_other_methods_405_with_allow(world):
    for path in ("/", "/v1", "/v1/traces/", "/v1/Traces", "/v1/profiles", "/v1/traces/x", "//v1/traces"):
        assert request(world, path=path).status == 404
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = request(world, method)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
    answer = request(world, "POST", "/healthz")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert request(world, path="/v1/traces?x=1", body=JSON_BODY, **{"content-type": TYPES["json"]}).status == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"traceId": "0" * 31 + "A"}, 200, id="26 hex in upper case"),
        pytest.param({"traceId": "AAAAAAAAAAAAAAAAAAAAAQ=="}, 400, id="26 base64"),
        pytest.param({"kind": 3}, 200, id="27 enum as integer"),
        pytest.param({"kind": "SPAN_KIND_CLIENT"}, 400, id="27 enum by name"),
        pytest.param({"trace_state": 5, "unknown": {"deep": [1]}}, 200, id="28 unknown keys"),
        pytest.param({"startTimeUnixNano": "18446744073709551615"}, 200, id="29 integer as string"),
        pytest.param({"startTimeUnixNano": 17}, 200, id="29 integer as number"),
        pytest.param({"startTimeUnixNano": "1e3x"}, 400, id="29 no integer"),
    ],
)
def test_otlp_26_27_28_29_json_as_otlp_has_it(world, change, code):
    answer = world.post("traces", body_of(SPAN | change), "json")
    assert (answer.status, len(world.frames())) == (code, 1 if code == 200 else 0)


def test_otlp_30_unknown_fields_reach_the_journal_byte_for_byte(world):
    body = GOOD + b"\xfa\x3f\x03new"
    assert ExportTraceServiceRequest.FromString(body).SerializeToString() == body
    world.export("traces", body)
    world.post("traces", body)
    assert [frame.body for frame in world.frames()] == [body, body]


def test_otlp_31_a_stop_finishes_what_is_held_and_takes_nothing_new(tmp_path):
    journal = Gated()
    with serving(tmp_path / "journal", journal=journal) as world, world.channel() as channel:
        over_grpc = channel.unary_unary(METHODS["traces"]).future(GOOD, timeout=20)
        over_http = []
        sender = threading.Thread(target=lambda: over_http.append(world.post("traces", GOOD)))
        sender.start()
        assert journal.arrived.acquire(timeout=10)
        assert journal.arrived.acquire(timeout=10)
        stops = [asyncio.run_coroutine_threadsafe(server.stop(20), world.loop) for server in (world.grpc, world.http)]
        assert not any(stop.done() for stop in stops)
        journal.go()
        assert over_grpc.result() == b""
        sender.join(20)
        assert over_http[0].status == 200
        assert over_http[0].headers["connection"] == "close"
        for stop in stops:
            stop.result(20)
        with pytest.raises(grpc.RpcError):
            world.export("traces", GOOD, timeout=1)
        with pytest.raises(urllib3.exceptions.HTTPError):
            world.post("traces", GOOD)
    assert len(journal.taken) == 2


def test_otlp_31_a_stop_does_not_wait_beyond_its_grace(tmp_path):
    journal = Gated()
    with serving(tmp_path / "journal", journal=journal) as world, world.channel() as channel:
        held = channel.unary_unary(METHODS["traces"]).future(GOOD, timeout=20)
        over_http = []
        sender = threading.Thread(target=lambda: over_http.append(world.post("traces", GOOD).status))
        sender.start()
        assert journal.arrived.acquire(timeout=10)
        assert journal.arrived.acquire(timeout=10)
        world.run(world.grpc.stop(0.05))
        world.run(world.http.stop(0.05))
        assert held.exception() is not None
        sender.join(20)
        assert over_http in ([], [500])


@pytest.mark.parametrize("wait", [pytest.param(0.05, id="a client that stops in the middle of its body")])
def test_a_body_that_does_not_come_is_408(tmp_path, wait):
    with serving(tmp_path / "journal", limits=replace(DEFAULT, http_body_wait_seconds=wait)) as world:
        head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"
        answer = world.raw(head)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == 4


def test_otlp_36_a_journal_that_fails_is_unavailable_to_the_client_and_may_be_tried_again(tmp_path):
    journal = Refusing(JournalError("no space left on device"))
    with serving(tmp_path / "journal", journal=journal) as world:
        with pytest.raises(grpc.RpcError) as refusal:
            world.export("traces", GOOD)
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "RetryInfo" in details(refusal.value)
        answer = world.post("traces", GOOD)
        assert (answer.status, status_of(answer).code) == (503, 14)
        assert "retry-after" in answer.headers
