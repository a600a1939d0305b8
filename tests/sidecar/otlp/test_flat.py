"""Requests with their attributes in wire form, and the attributes themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from semconv.otlp_json import plain as plain_json
from sidecar.errors import DecodeError
from sidecar.otlp import flat, pair, to_json
from sidecar.otlp.signal import OtlpSignal
from tests.sidecar.otlp.corpus import FILES, request_of, signal_of
from tests.sidecar.otlp.strategies import messages, requests

UNKNOWN = b"\xfa\x3e\x01x"
LENGTHS = [0, 1, 63, 123, 124, 125, 126, 127, 128, 129, 16379, 16380, 16381, 16382, 16383, 16384, 16385, 1 << 21]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=2),
    max_leaves=4,
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]))


@given(requests())
def test_a_flat_request_is_the_request(signal_and_request):
    """The bytes of both are read as equal messages; unknown fields inside attributes stay as well."""
    signal, request = signal_and_request
    assert request == signal.request.FromString(flat.parse(signal, request.SerializeToString()).SerializeToString())


def test_every_recorded_request_is_the_same_bytes_when_it_is_written_from_its_flat_form():
    for path in FILES:
        body = request_of(path).SerializeToString()
        assert body == flat.parse(signal_of(path), body).SerializeToString(), path


def test_every_list_of_attributes_is_flat():
    """Those of resource, scope, item, event, link, data point and exemplar: none is left that is read by message."""
    for signal in OtlpSignal:
        ways = [flat.parse(signal, b"").DESCRIPTOR]
        for descriptor in ways:
            for field in descriptor.fields:
                if field.message_type is not None and field.message_type not in ways:
                    ways.append(field.message_type)
                assert "attributes" not in field.name or field.message_type is None, field.full_name


@given(KEYS, VALUES)
def test_what_is_written_is_read_as_it_was_and_protobuf_reads_the_same(key, value):
    raw = pair.write(key, value)
    message = KeyValue.FromString(raw)
    assert (key, value) == pair.read(raw) == (message.key, pair.plain(message.value))
    assert message.SerializeToString() == raw
    assert [key, key] == pair.keys([raw, raw])


@pytest.mark.parametrize("key_length", [0, 1, 127, 128, 20000])
@pytest.mark.parametrize("length", LENGTHS)
def test_texts_of_every_length_of_their_length_are_read_and_written(key_length, length):
    key, text = "k" * key_length, "v" * length
    raw = KeyValue(key=key, value=AnyValue(string_value=text)).SerializeToString()
    assert raw == pair.write(key, text)
    assert (key, text) == pair.read(raw)


@given(
    messages(KeyValue), st.sampled_from([b"", UNKNOWN, b"\x0a\x01k", b"\x12\x00", b"\x12\x03\x0a\x01v"]), st.booleans()
)
def test_any_key_value_message_is_read_as_protobuf_reads_it(message, more, first):
    """Fields in another order, given twice, or unknown: what the quick way does not know goes the slow one."""
    data = message.SerializeToString()
    raw = more + data if first else data + more
    message = KeyValue.FromString(raw)
    expected = plain_json(to_json.any_value(message.value))
    assert repr((message.key, expected)) == repr(pair.read(raw)) == repr((pair.keys([raw])[0], pair.read(raw)[1]))


@given(messages(KeyValue), VALUES)
def test_another_value_takes_the_place_of_what_was_there_and_unknown_fields_stay(message, value):
    raw = message.SerializeToString() + UNKNOWN
    changed = KeyValue.FromString(pair.replaced(raw, message.key, value))
    assert pair.plain(changed.value) == value
    assert changed.key == message.key
    assert changed.SerializeToString().endswith(UNKNOWN)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_attribute_are_a_decode_error(raw):
    try:
        KeyValue.FromString(raw)
    except ValueError:
        pytest.fail("protobuf says DecodeError")
    except Exception:
        with pytest.raises(DecodeError):
            pair.read(raw)
    else:
        pair.read(raw)


@pytest.mark.parametrize(
    "raw",
    [b"\x0a\x01\xff\x12\x03\x0a\x01v", b"\x0a\x01k\x12\x03\x0a\x01\xff", b"\x0a\x05k", b"\x0a\x01k\x12\x05\x0a\x03v"],
    ids=["key_not_utf8", "text_not_utf8", "cut_key", "cut_text"],
)
def test_a_broken_attribute_is_a_decode_error(raw):
    with pytest.raises(DecodeError, match="KeyValue"):
        pair.read(raw)


def test_what_is_remembered_of_attributes_is_bounded(monkeypatch):
    monkeypatch.setattr(pair, "KNOWN_MAX", 8)
    for number in range(100):
        assert pair.read(pair.write("key", str(number))) == ("key", str(number))
        assert len(pair._known) <= 8 or number == 0
    long = pair.write("key", "v" * pair.KNOWN_BYTES_MAX)
    pair.read(long)
    assert long not in pair._known


@given(requests())
def test_a_flat_request_has_the_json_of_the_request(signal_and_request):
    signal, request = signal_and_request
    twin = flat.parse(signal, request.SerializeToString())
    assert repr(to_json.message(request)) == repr(to_json.message(twin))


def test_every_recorded_request_has_the_same_json_from_its_flat_form():
    for path in FILES:
        request = request_of(path)
        assert to_json.message(request) == to_json.message(flat.parse(signal_of(path), request.SerializeToString())), (
            path
        )


@given(messages(KeyValue), st.sampled_from([b"", UNKNOWN, b"\x0a\x01k", b"\x12\x00", b"\x12\x03\x0a\x01v"]))
def test_an_attribute_of_odd_bytes_has_the_json_of_its_message(message, more):
    raw = message.SerializeToString() + more
    span = flat.parse(OtlpSignal.TRACES, b"\x0a\x00").resource_spans[0].scope_spans.add().spans.add(attributes=[raw])
    assert repr([to_json.message(KeyValue.FromString(raw))]) == repr(to_json.message(span)["attributes"])
