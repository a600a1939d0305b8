"""Fields of a later version of the protocol: item 30 of the OTLP checklist, and evidence of them."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sidecar.otlp.unknown import has_unknown_fields, unknown_fields
from tests.sidecar.otlp.corpus import FILES, request_of
from tests.sidecar.otlp.strategies import requests

UNKNOWN = b"\xfa\x3e\x01"
"""Field 1007, one byte long, without the byte."""


def add_unknown(message, draw):
    """The message with unknown fields in some of its parts."""
    copy = type(message)()
    copy.CopyFrom(message)
    parts = list(walk(copy))
    for number, part in enumerate(draw(st.lists(st.sampled_from(parts), max_size=3))):
        part.MergeFromString(UNKNOWN + bytes([number]))
    return copy


def walk(message):
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                yield from walk(part)


def put_together(known, rest):
    """Merge the unknown fields into the known ones, place by place."""
    bare = type(rest)()
    bare.CopyFrom(rest)
    for field, value in rest.ListFields():
        mine = getattr(known, field.name)
        for one, other in zip(mine, value, strict=False) if field.is_repeated else [(mine, value)]:
            put_together(one, other)
        bare.ClearField(field.name)
    known.MergeFromString(bare.SerializeToString())


@given(requests(), st.data())
def test_known_and_unknown_fields_together_are_the_whole_message(signal_and_request, data):
    """discard(m) with unknown_fields(m) put back in == m."""
    message = add_unknown(signal_and_request[1], data.draw)
    known, rest = type(message)(), type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    rest.ParseFromString(unknown_fields(message))
    put_together(known, rest)
    assert message == known


@given(requests(), st.data())
def test_unknown_fields_are_found_when_and_only_when_there_are_any(signal_and_request, data):
    clean = signal_and_request[1]
    message = add_unknown(clean, data.draw)
    assert (message != clean) == has_unknown_fields(message) == bool(unknown_fields(message))


def test_asking_does_not_change_the_message():
    span = Span(name="n", events=[Span.Event(), Span.Event(name="e")])
    span.events[1].MergeFromString(UNKNOWN + b"x")
    before = span.SerializeToString()
    assert unknown_fields(span) == b"\x5a\x00\x5a\x04" + UNKNOWN + b"x"
    assert before == span.SerializeToString()


def test_otlp_30_unknown_fields_survive_reading_and_writing_byte_for_byte():
    for path in FILES[::50]:
        body = path.read_bytes() + UNKNOWN + b"x"
        assert request_of(path).FromString(body).SerializeToString() == body
