"""OTLP/JSON out: the form, against the reference implementation and by example."""

import base64
import math

from google.protobuf.json_format import MessageToDict
from hypothesis import given
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint, NumberDataPoint, SummaryDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from evidence.canonical import canonical
from sidecar.otlp import json_codec, to_json
from tests.sidecar.otlp.corpus import FILES, request_of
from tests.sidecar.otlp.strategies import requests

ID_KEYS = {"traceId", "spanId", "parentSpanId"}


def reference(message):
    """ProtoJSON of the reference implementation, with the two differences of OTLP/JSON that concern writing, and our own."""
    return as_ours(MessageToDict(message, use_integers_for_enums=True))


def as_ours(value):
    if isinstance(value, dict):
        return {key: base64.b64decode(item).hex() if key in ID_KEYS else as_ours(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_ours(item) for item in value]
    return "-0" if isinstance(value, float) and str(value) == "-0.0" else value


@given(requests())
def test_every_message_is_written_as_the_reference_writes_it(signal_and_request):
    _, request = signal_and_request
    assert reference(request) == to_json.message(request)


def test_every_recorded_request_is_written_as_the_reference_writes_it():
    for path in FILES[::10]:
        request = request_of(path)
        assert reference(request) == to_json.message(request), path


def test_a_span_is_written_in_otlp_json():
    span = Span(
        trace_id=bytes(range(16)),
        span_id=b"\xab" * 8,
        name="chat",
        kind=3,
        start_time_unix_nano=2**63,
        attributes=[
            KeyValue(key="text", value=AnyValue(string_value="é")),
            KeyValue(key="int", value=AnyValue(int_value=-(2**63))),
            KeyValue(key="bytes", value=AnyValue(bytes_value=b"\xfb\xff")),
            KeyValue(key="none"),
            KeyValue(key="empty", value=AnyValue()),
        ],
        flags=257,
        status=Status(code=2),
    )
    assert to_json.span(span) == {
        "traceId": "000102030405060708090a0b0c0d0e0f",
        "spanId": "abababababababab",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": "9223372036854775808",
        "attributes": [
            {"key": "text", "value": {"stringValue": "é"}},
            {"key": "int", "value": {"intValue": "-9223372036854775808"}},
            {"key": "bytes", "value": {"bytesValue": "+/8="}},
            {"key": "none"},
            {"key": "empty", "value": {}},
        ],
        "flags": 257,
        "status": {"code": 2},
    }


def test_values_that_are_set_to_their_default_are_written_where_protobuf_tells_them_apart():
    values = [AnyValue(string_value=""), AnyValue(int_value=0), AnyValue(bool_value=False), AnyValue(double_value=0.0)]
    expected = [{"stringValue": ""}, {"intValue": "0"}, {"boolValue": False}, {"doubleValue": 0.0}]
    assert expected == [to_json.any_value(value) for value in values]
    assert to_json.message(HistogramDataPoint(min=0.0)) == {"min": 0.0}
    assert to_json.message(NumberDataPoint(as_int=0)) == {"asInt": "0"}
    assert to_json.message(Span(status=Status())) == {"status": {}}


def test_a_negative_zero_is_not_a_default_and_keeps_its_sign_in_canonical_json():
    written = to_json.message(SummaryDataPoint(sum=-0.0))
    assert canonical(written) == b'{"sum":"-0"}'
    assert json_codec.load(SummaryDataPoint, canonical(written)) == SummaryDataPoint(sum=-0.0)


def test_numbers_that_json_does_not_have_are_strings():
    assert to_json.message(HistogramDataPoint(explicit_bounds=[1.5, math.nan, math.inf, -math.inf])) == {
        "explicitBounds": [1.5, "NaN", "Infinity", "-Infinity"]
    }


def test_an_index_that_only_profiles_use_is_kept():
    assert to_json.message(Span(attributes=[KeyValue(key_strindex=4, value=AnyValue(string_value="v"))])) == {
        "attributes": [{"value": {"stringValue": "v"}, "keyStrindex": 4}]
    }
