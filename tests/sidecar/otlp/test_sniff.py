"""Files that are to say themselves what they hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sidecar.errors import DecodeError
from sidecar.limits import Limits
from sidecar.otlp import json_codec
from sidecar.otlp.signal import OtlpSignal
from sidecar.otlp.sniff import sniff
from tests.sidecar.otlp.corpus import FILES, request_of, signal_of

SPAN = Span(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, name="n")


def traces(*spans, **group):
    return OtlpSignal.TRACES.request(resource_spans=[{"scope_spans": [{"spans": list(spans)}], **group}])


def test_every_recorded_file_tells_its_signal_without_its_name():
    for path in FILES:
        data = path.read_bytes()
        assert [(signal_of(path), "protobuf", data)] == sniff(data), path


def test_every_recorded_file_is_told_by_its_name():
    for path in FILES:
        data = path.read_bytes()
        assert [(signal_of(path), "protobuf", data)] == sniff(data, str(path)), path


def test_json_of_all_signals_in_one_file_is_told_apart():
    of = {signal_of(path): path for path in FILES}
    bodies = [(signal, "json", json_codec.dump(request_of(path))) for signal, path in sorted(of.items())]
    assert len(bodies) == 3
    for between in (b"\n", b"", b"\r\n\r\n"):
        assert bodies == sniff(between + between.join(body for _, _, body in bodies) + between)


def test_a_document_with_several_signals_is_given_once_for_each():
    body = b'{"resourceLogs":[],"resourceSpans":[]}'
    assert [(OtlpSignal.TRACES, "json", body), (OtlpSignal.LOGS, "json", body)] == sniff(body)


def test_concatenated_protobuf_requests_are_one_request():
    one = traces(SPAN).SerializeToString()
    assert [(OtlpSignal.TRACES, "protobuf", one + one)] == sniff(one + one)


def test_protobuf_over_the_limit_is_cut_between_its_parts():
    one = traces(SPAN).SerializeToString()
    found = sniff(one * 10, "x.traces.pb", Limits(request_bytes_max=3 * len(one)))
    assert [3 * len(one)] * 3 + [len(one)] == [len(body) for _, _, body in found]
    assert one * 10 == b"".join(body for _, _, body in found)


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\t"])
def test_a_file_of_nothing_holds_nothing(data):
    assert sniff(data, "x.traces.pb") == []


def test_protobuf_that_looks_like_a_newline_and_a_brace_is_protobuf():
    """A request whose first part is 123 bytes long begins with a newline and `{`."""
    padding = 123 - traces(SPAN, schema_url="").resource_spans[0].ByteSize() - len(b"\x1a\x00")
    data = traces(SPAN, schema_url="u" * padding).SerializeToString()
    assert data.startswith(b"\n{")
    assert [(OtlpSignal.TRACES, "protobuf", data)] == sniff(data)
    assert [(OtlpSignal.TRACES, "protobuf", data)] == sniff(data, "x.traces.pb")


def test_an_item_that_will_be_rejected_does_not_hide_its_signal():
    data = traces(Span(trace_id=bytes(16), span_id=b"\x02" * 8, start_time_unix_nano=1)).SerializeToString()
    assert sniff(data)[0][0] is OtlpSignal.TRACES


@pytest.mark.parametrize(
    "data",
    [
        traces().SerializeToString(),
        traces(Span()).SerializeToString(),
        traces(SPAN).SerializeToString() + b"\xfa\x3e\x01x",
    ],
    ids=["no_items", "an_empty_item", "unknown_fields"],
)
def test_a_signal_that_cannot_be_told_is_refused_and_a_file_name_helps(data):
    with pytest.raises(
        DecodeError, match=r"^out/run.bin: its signal cannot be told: .*`.traces.`, `.logs.` or `.metrics.`"
    ):
        sniff(data, "out/run.bin")
    assert sniff(data, "out/run.traces.bin") == [(OtlpSignal.TRACES, "protobuf", data)]


def test_only_the_file_name_is_a_hint_and_not_its_folder():
    logs = OtlpSignal.LOGS.request(resource_logs=[{"scope_logs": [{"log_records": [{"time_unix_nano": 1}]}]}])
    assert sniff(logs.SerializeToString(), "all.traces.d/x.pb")[0][0] is OtlpSignal.LOGS


@pytest.mark.parametrize(
    ("data", "reason"),
    {
        "a_picture": (b"\x89PNG\r\n\x1a\n", "neither OTLP/JSON nor an OTLP request"),
        "gzip": (b"\x1f\x8b\x08\x00", "neither OTLP/JSON nor an OTLP request"),
        "an_array": (b'[{"resourceSpans":[]}]', "neither OTLP/JSON nor an OTLP request"),
        "cut_json": (b'{"resourceSpans":[{', "document 1: got text that is not JSON"),
        "second_line_broken": (b'{"resourceSpans":[]}\n{"resourceSpans"}', "document 2: got text that is not JSON"),
        "bytes_after_json": (b'{"resourceSpans":[]} x', "document 2: got text that is not JSON"),
        "another_format": (
            b'{"spans":[]}',
            "document 1: got an object with the keys spans, expected one of the keys res",
        ),
        "snake_case": (b'{"resource_spans":[]}', "keys resource_spans, expected one of"),
        "empty_object": (b"{}", "document 1: got an empty object"),
        "a_number_after_json": (b'{"resourceSpans":[]} 5', "document 2: got int"),
        "duplicate_key": (b'{"resourceSpans":[],"resourceSpans":[]}', "stands twice"),
    }.values(),
)
def test_what_is_not_telemetry_is_refused_with_the_name_of_the_file(data, reason):
    with pytest.raises(DecodeError, match=reason) as caught:
        sniff(data, "some/file")
    assert str(caught.value).startswith("some/file: ")


@given(st.binary(max_size=100) | st.text('{}[]":resourceSpans\n').map(str.encode), st.sampled_from(["", "x.logs.pb"]))
def test_any_bytes_are_found_whole_or_refused(data, name):
    try:
        found = sniff(data, name)
    except DecodeError:
        return
    if found and found[0][1] == "protobuf":
        assert data == b"".join(body for _, _, body in found)


def test_a_recorded_file_as_pretty_json_is_found():
    path = FILES[0]
    pretty = json.dumps(json.loads(json_codec.dump(request_of(path))), indent=2).encode()
    assert [(signal_of(path), "json", pretty)] == sniff(pretty)
