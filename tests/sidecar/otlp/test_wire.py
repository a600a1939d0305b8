"""Protobuf cut between its outermost fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import DecodeError
from sidecar.otlp.wire import split_protobuf
from tests.sidecar.otlp.strategies import requests


@given(requests(), requests(), st.integers(1, 60))
def test_the_pieces_joined_are_the_message_and_merged_too(first, second, bytes_max):
    message = first[1]
    message.MergeFromString(b"\xfa\x3e\x01x\xf8\x3e\x96\x01\xfd\x3e1234\xf9\x3e12345678")
    if type(message) is type(second[1]):
        message.MergeFrom(second[1])
    data = message.SerializeToString()
    pieces = list(split_protobuf(data, bytes_max))
    merged = type(message)()
    for piece in pieces:
        merged.MergeFromString(piece)
    assert (data, message) == (b"".join(pieces), merged)


@given(st.binary(max_size=60), st.integers(1, 60))
def test_any_bytes_are_cut_without_loss_or_refused(data, bytes_max):
    try:
        pieces = list(split_protobuf(data, bytes_max))
    except DecodeError:
        return
    assert data == b"".join(pieces)


def test_a_part_larger_than_the_bound_goes_alone():
    small, large = b"\x0a\x01a", b"\x0a\x09" + b"b" * 9
    assert [small * 2, large, small] == list(split_protobuf(small * 2 + large + small, 6))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x0b\x0c", "wire type 3"),
        (b"\x00\x00", "field number 0"),
        (b"\x0a\x05ab", "the end of the data"),
        (b"\x09\x00", "the end of the data"),
        (b"\x08" + b"\xff" * 10, "a number without an end"),
        (b"\x0a\x80", "a number without an end"),
    ],
    ids=["group", "field_number_0", "cut_bytes", "cut_fixed64", "endless_varint", "cut_varint"],
)
def test_what_is_no_sequence_of_fields_is_refused_with_its_place(data, reason):
    with pytest.raises(DecodeError, match=f"{reason}.*|at byte"):
        list(split_protobuf(data, 1))
