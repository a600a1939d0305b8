"""The door: what is taken, what is taken in part, and what is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sidecar.errors import DecodeError
from sidecar.limits import Limits
from sidecar.otlp import json_codec
from sidecar.otlp.decode import decode
from sidecar.otlp.reject import RULES, parent_span_id_of, trace_id_of
from sidecar.otlp.signal import ENCODINGS, OtlpSignal
from tests.sidecar.otlp.corpus import FILES, request_of, signal_of
from tests.sidecar.otlp.strategies import requests

GOOD = {"trace_id": b"\x01" * 16, "span_id": b"\x02" * 8}


def reject(signal, item):
    rule = RULES[signal]
    return rule(item) if rule else None


def trace_request(*spans):
    return OtlpSignal.TRACES.request(resource_spans=[{"scope_spans": [{"spans": list(spans)}]}])


def decode_spans(*spans):
    return decode(OtlpSignal.TRACES, "protobuf", trace_request(*spans).SerializeToString())


@pytest.mark.parametrize("encoding", ENCODINGS.values())
def test_every_recorded_request_is_taken_whole(encoding):
    for path in FILES:
        signal, request = signal_of(path), request_of(path)
        body = json_codec.dump(request) if encoding == "json" else path.read_bytes()
        decoded = decode(signal, encoding, body)
        assert (request, 0, "") == (decoded.request, decoded.rejected, decoded.error_message), path
        assert decoded.accepted > 0, path


@pytest.mark.parametrize(
    "path", [max(FILES, key=lambda path: path.stat().st_size), *FILES[::97]], ids=lambda path: path.name
)
@pytest.mark.parametrize("encoding", ENCODINGS.values())
def test_a_recorded_body_cut_at_every_100th_byte_is_a_request_or_a_decode_error(path, encoding):
    body = json_codec.dump(request_of(path)) if encoding == "json" else path.read_bytes()
    step = max(100, len(body) // 20_000 * 100)
    for size in range(0, len(body), step):
        try:
            decoded = decode(signal_of(path), encoding, body[:size])
        except DecodeError:
            continue
        assert encoding == "protobuf"
        assert decoded.accepted >= 0


def test_a_metric_without_data_points_counts_as_an_item_and_not_as_a_data_point():
    request = OtlpSignal.METRICS.request(resource_metrics=[{"scope_metrics": [{"metrics": [{"name": "m"}]}]}])
    decoded = decode(OtlpSignal.METRICS, "protobuf", request.SerializeToString())
    assert (decoded.items, decoded.accepted, decoded.rejected) == (1, 0, 0)


@given(st.sampled_from(OtlpSignal), st.sampled_from([*ENCODINGS.values()]), st.binary(max_size=200))
def test_any_bytes_are_a_request_or_a_decode_error(signal, encoding, body):
    try:
        decoded = decode(signal, encoding, body)
    except DecodeError:
        return
    assert decoded.request.DESCRIPTOR is signal.request.DESCRIPTOR


@given(st.data())
def test_a_recorded_body_with_one_byte_changed_is_a_request_or_a_decode_error(data):
    path = data.draw(st.sampled_from(FILES))
    body = bytearray(path.read_bytes())
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodeError):
        decode(signal_of(path), "protobuf", bytes(body))


@given(requests(), st.sampled_from([*ENCODINGS.values()]))
def test_accepted_and_rejected_items_are_all_items_and_reject_tells_them_apart(signal_and_request, encoding):
    signal, request = signal_and_request
    body = json_codec.dump(request) if encoding == "json" else request.SerializeToString()
    decoded = decode(signal, encoding, body)
    items = [item for _, _, items in signal.groups(decoded.request) for item in items]
    assert decoded.rejected == sum(reject(signal, item) is not None for item in items)
    if signal is not OtlpSignal.METRICS:
        assert len(items) == decoded.accepted + decoded.rejected


@pytest.mark.parametrize("signal", OtlpSignal)
@pytest.mark.parametrize(("encoding", "body"), [("protobuf", b""), ("json", b"{}")])
def test_an_empty_request_is_taken(signal, encoding, body):
    decoded = decode(signal, encoding, body)
    assert (decoded.accepted, decoded.rejected, decoded.error_message) == (0, 0, "")


def test_a_body_over_the_limit_is_refused_before_it_is_read():
    with pytest.raises(DecodeError, match="ExportLogsServiceRequest in bytes: got 11, expected at most 10"):
        decode(OtlpSignal.LOGS, "json", b"not JSON at", Limits(request_bytes_max=10))


def test_a_bomb_of_empty_objects_is_refused_before_it_is_read():
    with pytest.raises(DecodeError, match="ExportTraceServiceRequest: got 6 arrays and objects, expected at most 5"):
        decode(OtlpSignal.TRACES, "json", b'{"x":[{},{},[],{},', Limits(json_containers_max=5))


@pytest.mark.parametrize(
    "group",
    [[{}] * 6, [{"scope_spans": [{}] * 5}], [{"scope_spans": [{"spans": [{}] * 4}]}]],
    ids=["resources", "scopes", "spans"],
)
def test_a_bomb_of_empty_parts_is_refused(group):
    body = OtlpSignal.TRACES.request(resource_spans=group).SerializeToString()
    with pytest.raises(DecodeError, match=r"resources, scopes and items of .*: got 6, expected at most 5"):
        decode(OtlpSignal.TRACES, "protobuf", body, Limits(request_parts_max=5))
    assert decode(OtlpSignal.TRACES, "protobuf", body, Limits(request_parts_max=6)).rejected in {0, 4}


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ({"trace_id": bytes(16)}, "trace_id is zero"),
        ({"span_id": bytes(8)}, "span_id is zero"),
        ({"trace_id": b""}, "trace_id has 0 bytes, expected 16"),
        ({"trace_id": b"\x01" * 15}, "trace_id has 15 bytes, expected 16"),
        ({"trace_id": b"\x01" * 17}, "trace_id has 17 bytes, expected 16"),
        ({"span_id": b""}, "span_id has 0 bytes, expected 8"),
        ({"span_id": b"\x01" * 16}, "span_id has 16 bytes, expected 8"),
    ],
)
def test_a_span_without_proper_ids_is_rejected_alone(ids, reason):
    decoded = decode_spans(Span(**GOOD), Span(**{**GOOD, **ids}), Span(**GOOD, name="b"))
    assert (2, 1, f"1 of 3 rejected: {reason} (1)") == (decoded.accepted, decoded.rejected, decoded.error_message)


def test_reasons_are_counted_and_the_message_is_bounded():
    spans = [Span(trace_id=b"\x01" * size) for size in range(100) for _ in range(2)]
    decoded = decode_spans(*spans)
    assert decoded.error_message.startswith(
        "200 of 200 rejected: span_id has 0 bytes, expected 8 (2); trace_id has 0 b"
    )
    assert len(decoded.error_message) == Limits().error_message_chars_max


@pytest.mark.parametrize(
    "span",
    [
        Span(**GOOD, start_time_unix_nano=2, end_time_unix_nano=1),
        Span(**GOOD, name="\x00" * 1000),
        Span(**GOOD, parent_span_id=b"\x01"),
        Span(**GOOD, parent_span_id=GOOD["span_id"]),
        Span(**GOOD, links=[Span.Link()]),
        Span(**GOOD, kind=-7),
    ],
    ids=["end_before_start", "odd_name", "short_parent", "its_own_parent", "link_to_nowhere", "odd_kind"],
)
def test_what_is_strange_about_a_span_is_evidence_and_not_rejected(span):
    decoded = decode_spans(span, span)
    assert (decoded.accepted, decoded.rejected) == (2, 0)


@pytest.mark.parametrize("trace_id", [b"", bytes(16), b"\x01", b"\x01" * 17])
def test_a_log_record_with_an_invalid_trace_id_is_taken_and_belongs_to_no_trace(trace_id):
    record = LogRecord(trace_id=trace_id, span_id=b"\x01")
    assert (reject(OtlpSignal.LOGS, record), trace_id_of(record)) == (None, b"")


def test_a_log_record_with_a_trace_id_belongs_to_that_trace():
    assert trace_id_of(LogRecord(trace_id=GOOD["trace_id"])) == GOOD["trace_id"]


def test_a_parent_of_zeros_is_no_parent():
    assert [parent_span_id_of(Span(parent_span_id=it)) for it in (b"", bytes(8), b"\x01")] == [b"", b"", b"\x01"]


def test_metrics_are_counted_in_data_points():
    metrics = [{"gauge": {"data_points": [{}, {}]}}, {"name": "none"}, {"summary": {"data_points": [{}]}}]
    request = OtlpSignal.METRICS.request(resource_metrics=[{"scope_metrics": [{"metrics": metrics}]}])
    assert decode(OtlpSignal.METRICS, "protobuf", request.SerializeToString()).accepted == 3


def test_invalid_utf_8_in_a_protobuf_string_is_refused():
    body = trace_request(Span(**GOOD, name="abc")).SerializeToString().replace(b"abc", b"a\xffc")
    with pytest.raises(DecodeError, match=r"ExportTraceServiceRequest: got .* bytes that are not this message"):
        decode(OtlpSignal.TRACES, "protobuf", body)


def test_protobuf_nested_without_end_is_refused():
    body = b""
    for _ in range(10_000):
        body = (
            b"\x2a" + size(len(body) + 1 + len(size(len(body)))) + b"\x0a" + size(len(body)) + body
        )  # an array in an array
    record = b"\x2a" + size(len(body)) + body
    for tag in (b"\x12", b"\x12", b"\x0a"):
        record = tag + size(len(record)) + record
    with pytest.raises(DecodeError):
        decode(OtlpSignal.LOGS, "protobuf", record)


def size(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
