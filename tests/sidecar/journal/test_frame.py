"""Frames and segment headers as bytes."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from sidecar.journal.frame import (
    FRAME_HEADER_BYTES,
    Frame,
    decode_header,
    decode_segment_header,
    encode_header,
    encode_segment_header,
    intact,
)

MARKS = st.binary(min_size=8, max_size=8)
U64 = st.integers(min_value=0, max_value=2**64 - 1)
BYTE = st.integers(min_value=0, max_value=255)
FRAMES = st.builds(Frame, U64, U64, BYTE, BYTE, st.binary(max_size=300))


@given(mark=MARKS, position=st.integers(min_value=0, max_value=2**32 - 1), frame=FRAMES)
def test_a_frame_comes_back_as_it_was_written(mark, position, frame):
    head = encode_header(mark, position, frame)
    header = decode_header(head, mark)
    assert len(head) == FRAME_HEADER_BYTES
    assert (header.sequence, header.time_unix_nano, header.signal, header.encoding) == (
        frame.sequence,
        frame.time_unix_nano,
        frame.signal,
        frame.encoding,
    )
    assert (header.body_bytes, header.position) == (len(frame.body), position)
    assert intact(head, frame.body)


@given(mark=MARKS, frame=FRAMES, data=st.data())
def test_no_flipped_bit_leaves_a_frame_intact(mark, frame, data):
    whole = bytearray(encode_header(mark, 0, frame) + frame.body)
    bit = data.draw(st.integers(min_value=0, max_value=len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    head, body = bytes(whole[:FRAME_HEADER_BYTES]), bytes(whole[FRAME_HEADER_BYTES:])
    assert decode_header(head, mark) is None or not intact(head, body)


@given(mark=MARKS, other=MARKS, frame=FRAMES)
def test_a_frame_of_another_use_of_the_segment_is_no_frame(mark, other, frame):
    if mark != other:
        assert decode_header(encode_header(mark, 0, frame), other) is None


@given(mark=MARKS, first=U64, data=st.data())
def test_a_segment_header_comes_back_and_no_flipped_bit_does(mark, first, data):
    header = encode_segment_header(mark, first)
    assert decode_segment_header(header) == (mark, first)
    bit = data.draw(st.integers(min_value=0, max_value=len(header) * 8 - 1))
    flipped = bytearray(header)
    flipped[bit // 8] ^= 1 << bit % 8
    assert decode_segment_header(bytes(flipped)) is None


def test_the_layout_on_disk_stays_what_it_is():
    """Golden bytes: a journal written by one version is read by the next."""
    mark = bytes(range(8))
    frame = Frame(0x0102030405060708, 0x1112131415161718, 3, 1, b"body")
    fields = bytes.fromhex("04000000 0807060504030201 1817161514131211 02000000 03 01 0000".replace(" ", ""))
    expected = mark + zlib.crc32(fields + b"body").to_bytes(4, "little") + fields
    assert expected == encode_header(mark, 2, frame)
    fixed = b"afdvtjl1" + mark + (77).to_bytes(8, "little")
    assert fixed + zlib.crc32(fixed + bytes(8)).to_bytes(4, "little") + bytes(4) == encode_segment_header(mark, 77)
