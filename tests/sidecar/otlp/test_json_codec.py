"""OTLP/JSON in: items 26 to 29 of the OTLP checklist, what ProtoJSON adds, and what is refused."""

import json
import math

import pytest
from hypothesis import given

from sidecar.errors import DecodeError
from sidecar.otlp import json_codec
from sidecar.otlp.signal import OtlpSignal
from tests.sidecar.otlp.corpus import FILES, request_of
from tests.sidecar.otlp.strategies import requests

TRACE_ID, SPAN_ID = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def load(signal: OtlpSignal, document: object):
    return json_codec.load(signal.request, json.dumps(document).encode())


def load_span(**members: object):
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [members]}]}]}
    return load(OtlpSignal.TRACES, document).resource_spans[0].scope_spans[0].spans[0]


def load_log(**members: object):
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [members]}]}]}
    return load(OtlpSignal.LOGS, document).resource_logs[0].scope_logs[0].log_records[0]


def load_point(**members: object):
    metric = {"name": "m", "gauge": {"dataPoints": [members]}}
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    return load(OtlpSignal.METRICS, document).resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0]


def load_value(**members: object):
    return load_log(body=members).body


@given(requests())
def test_what_is_written_is_read_back_equal(signal_and_request):
    """load(dump(m)) == m, compared as bytes so that -0.0, presence and empty messages count."""
    signal, request = signal_and_request
    again = json_codec.load(signal.request, json_codec.dump(request))
    assert request.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)


def test_every_recorded_request_survives_json():
    for path in FILES:
        request = request_of(path)
        again = json_codec.load(type(request), json_codec.dump(request))
        assert request.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True), path


@pytest.mark.parametrize("written", [TRACE_ID, TRACE_ID.upper(), "5B8EFFF798038103d269b633813fc60c"])
def test_otlp_26_ids_are_hex_in_either_case(written):
    link = {"traceId": written, "spanId": SPAN_ID.upper()}
    span = load_span(traceId=written, spanId=SPAN_ID.upper(), parentSpanId=SPAN_ID, links=[link])
    log = load_log(traceId=written, spanId=SPAN_ID)
    exemplar = load_point(exemplars=[link]).exemplars[0]
    expected = bytes.fromhex(TRACE_ID), bytes.fromhex(SPAN_ID)
    for item in (span, span.links[0], log, exemplar):
        assert expected == (item.trace_id, item.span_id)
    assert bytes.fromhex(SPAN_ID) == span.parent_span_id


@pytest.mark.parametrize(
    "written",
    ["W47/95gDgQPSabYzgT/GDA==", "7uGbfsPBsXQ=", "5b8efff79803810", "5b 8e", "zz", "5b8e\n", 5, ["5b"], True],
    ids=str,
)
@pytest.mark.parametrize("place", ["traceId", "spanId", "parentSpanId", "link", "exemplar", "log"])
def test_otlp_26_ids_in_base64_or_broken_hex_are_refused(place, written):
    load_with = {
        "link": lambda: load_span(links=[{"spanId": written}]),
        "exemplar": lambda: load_point(exemplars=[{"traceId": written}]),
        "log": lambda: load_log(traceId=written),
    }
    with pytest.raises(DecodeError, match="an id in hex digits"):
        load_with.get(place, lambda: load_span(**{place: written}))()


def test_otlp_27_enums_are_read_as_integers():
    span = load_span(kind=3, status={"code": 2})
    assert (span.kind, span.status.code, load_log(severityNumber=17).severity_number) == (3, 2, 17)


def test_otlp_27_an_enum_value_that_is_not_known_yet_is_kept():
    assert load_span(kind=77).kind == 77


@pytest.mark.parametrize("name", ["SPAN_KIND_CLIENT", "3", "", 3.5, True, 2**31])
def test_otlp_27_enum_names_are_refused(name):
    with pytest.raises(DecodeError, match="number of an enum value"):
        load_span(kind=name)


def test_otlp_28_snake_case_keys_are_unknown_and_ignored():
    span = load_span(trace_id=TRACE_ID, start_time_unix_nano="5", name="n", dropped_attributes_count="not looked at")
    assert (span.trace_id, span.start_time_unix_nano, span.name) == (b"", 0, "n")


def test_otlp_28_unknown_keys_are_ignored_whatever_they_hold():
    assert load_span(name="n", futureField={"deep": [{"er": None}]}) == load_span(name="n")
    assert len(load(OtlpSignal.TRACES, {"somethingElse": 1}).resource_spans) == 0


@pytest.mark.parametrize(
    ("written", "expected"),
    [("9223372036854775807", 2**63 - 1), (-(2**63), -(2**63)), ("-1", -1), (5, 5), (5.0, 5), (0, 0), ("0", 0)],
)
def test_otlp_29_64_bit_integers_are_read_from_strings_and_numbers(written, expected):
    value = load_value(intValue=written)
    assert ("int_value", expected) == (value.WhichOneof("value"), value.int_value)


def test_otlp_29_a_large_integer_written_as_a_number_stays_exact():
    assert load_span(startTimeUnixNano=18446744073709551615).start_time_unix_nano == 2**64 - 1


@pytest.mark.parametrize(
    "written",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "1.0",
        "1e3",
        "0x1",
        "\uff11",
        "1_0",
        1.5,
        2.0**60,
        2**63,
        str(2**63),
        "9" * 400,
        True,
        [],
        {},
    ],
)
def test_otlp_29_what_is_not_a_64_bit_integer_is_refused(written):
    with pytest.raises(DecodeError, match=r"intValue.*expected an integer from -9223372036854775808"):
        load_value(intValue=written)


@pytest.mark.parametrize("written", [-1, "-1", 2**64, str(2**64)])
def test_otlp_29_a_time_outside_unsigned_64_bits_is_refused(written):
    with pytest.raises(DecodeError, match=r"startTimeUnixNano.*from 0 to 18446744073709551615"):
        load_span(startTimeUnixNano=written)


@pytest.mark.parametrize("written", [-1, 2**32, "x", 0.5])
def test_a_count_outside_unsigned_32_bits_is_refused(written):
    with pytest.raises(DecodeError, match="from 0 to 4294967295"):
        load_span(droppedAttributesCount=written)


def test_otlp_29_64_bit_integers_are_written_as_strings():
    request = load(OtlpSignal.TRACES, {"resourceSpans": [{"scopeSpans": [{"spans": [{"endTimeUnixNano": 7}]}]}]})
    assert json_codec.dump(request) == b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"endTimeUnixNano":"7"}]}]}]}'


@pytest.mark.parametrize("written", ["+/8=", "-_8=", "+/8", "-_8"])
def test_otlp_29_bytes_are_read_from_either_base64_alphabet(written):
    assert load_value(bytesValue=written).bytes_value == b"\xfb\xff"


@pytest.mark.parametrize("written", ["a", "a b=", "~~~~", "é", "\n", 1, None.__class__.__name__ + "!"])
def test_otlp_29_what_is_not_base64_is_refused(written):
    with pytest.raises(DecodeError, match="bytes in base64"):
        load_value(bytesValue=written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("Infinity", math.inf), ("-Infinity", -math.inf), (5, 5.0), ("1.5", 1.5), ("-1e3", -1000.0), (-0.0, -0.0)],
)
def test_otlp_29_doubles_are_read_from_numbers_and_strings(written, expected):
    value = load_value(doubleValue=written).double_value
    assert (expected, math.copysign(1, expected)) == (value, math.copysign(1, value))


def test_otlp_29_nan_is_a_string():
    assert math.isnan(load_value(doubleValue="NaN").double_value)
    assert b'"doubleValue":"NaN"' in json_codec.dump(load_value(doubleValue="NaN"))


@pytest.mark.parametrize("written", ["nan", "inf", "+Infinity", "1_0", " 1", "0x1", "", "1e", "1e999", True, []])
def test_otlp_29_what_is_not_a_double_is_refused(written):
    with pytest.raises(DecodeError, match="doubleValue"):
        load_value(doubleValue=written)


@pytest.mark.parametrize(
    "literal", ["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 400, "01", "+1", ".5", "0x10"]
)
def test_number_literals_that_json_does_not_have_are_refused(literal):
    with pytest.raises(DecodeError, match="not JSON"):
        json_codec.load(OtlpSignal.TRACES.request, b'{"x":%s}' % literal.encode())


def test_null_means_absent():
    span = load_span(name=None, attributes=None, status=None, startTimeUnixNano=None)
    assert span.SerializeToString() == b""


def test_null_inside_an_array_is_refused():
    with pytest.raises(DecodeError, match=r"spans\[0\]\.attributes\[0\]: got None, expected an object"):
        load_span(attributes=[None])


def test_an_empty_value_is_not_an_absent_one():
    pairs = load_span(attributes=[{"key": "a"}, {"key": "b", "value": {}}]).attributes
    assert [pair.HasField("value") for pair in pairs] == [False, True]


def test_two_values_for_one_choice_are_refused_because_one_would_be_lost():
    with pytest.raises(DecodeError, match="stringValue is given already"):
        load_value(stringValue="a", intValue="1")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"name": 5}, "name: got 5, expected a string"),
        ({"attributes": {}}, "attributes: got dict of 0, expected an array"),
        ({"status": []}, "status: got list of 0, expected an object"),
        ({"attributes": [{"key": "k", "value": {"boolValue": "true"}}]}, "expected true or false"),
        ({"events": [{}, {"name": False}]}, r"spans\[0\]\.events\[1\]\.name: got False"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_path(members, expected):
    with pytest.raises(DecodeError, match=expected):
        load_span(**members)


def test_the_error_names_thing_place_what_stood_there_and_what_it_takes():
    with pytest.raises(DecodeError) as caught:
        load_span(kind="SPAN_KIND_CLIENT")
    assert str(caught.value) == (
        "ExportTraceServiceRequest at resourceSpans[0].scopeSpans[0].spans[0].kind: got 'SPAN_KIND_CLIENT', "
        "expected the number of an enum value (names are not part of OTLP/JSON)"
    )


def test_a_long_value_is_shortened_in_the_error():
    with pytest.raises(DecodeError) as caught:
        load_span(kind="x" * 100_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", [b"[]", b'"x"', b"1", b"null", b"true"])
def test_a_request_that_is_no_object_is_refused(text):
    with pytest.raises(DecodeError, match="expected an object"):
        json_codec.load(OtlpSignal.TRACES.request, text)


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {"intValue": "1"}
    for _ in range(levels):
        value = {"arrayValue": {"values": [value]}}
    return value


def test_what_is_nested_as_deep_as_protobuf_reads_is_taken():
    log = load_log(body=nested(48))
    assert log == type(log).FromString(log.SerializeToString())


def test_what_is_nested_deeper_than_protobuf_reads_is_refused():
    with pytest.raises(DecodeError, match="at most 100 nested messages") as refused:
        load_log(body=nested(49))
    assert len(str(refused.value)) < 400, "the place would push the reason out of an answer"
    assert "resourceLogs[0].scopeLogs[0].logRecords[0].body" in str(refused.value)


@pytest.mark.parametrize("levels", [400, 10_000])
@pytest.mark.parametrize("inside", ["known", "unknown"])
def test_ten_thousand_levels_are_refused_without_a_recursion_error(levels, inside):
    if inside == "known":
        deep = b'{"arrayValue":{"values":[' * levels + b"{}" + b"]}}" * levels
    else:
        deep = b'{"x":[' * levels + b"]}" * levels
    text = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":%s}]}]}]}' % deep
    if inside == "unknown" and levels < 500:
        assert len(json_codec.load(OtlpSignal.LOGS.request, text).resource_logs) == 1
        return
    with pytest.raises(DecodeError):
        json_codec.load(OtlpSignal.LOGS.request, text)
