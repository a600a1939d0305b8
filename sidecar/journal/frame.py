"""Frames and segment headers as bytes. Pure.

Law: bytes decode to a frame only if they were written as that frame into this use of this segment. Three things see to it:
the *mark*, eight random bytes drawn for every use of a segment and repeated in each of its frames; the sequence, which only
rises; and a checksum over the rest of the header and the body. Segments are recycled and bodies come from outside, so behind
the newest frame lie old frames, and inside bodies may lie anything, also what looks like a frame: without the mark a sender
could have frames of its own making appear in the journal after a recycling.

The checksum is CRC-32 (ISO-HDLC, zlib's) and not CRC-32C: no dependency of ours has the latter, a table in Python needs a
second for a body of 1 MB, and isal computes the former at memory speed (docs/adr/0002-journal-crc.md).

    segment   magic[8] mark[8] first_sequence:u64 crc:u32 zero[4]                                   then frames without gaps
    frame     mark[8] crc:u32 body_bytes:u32 sequence:u64 time_unix_nano:u64 position:u32 signal:u8 encoding:u8 zero[2] body

All integers are little-endian. `position` counts the frames of one group commit from 0, so `sequence - position` tells which
frames became durable together: that is how recovery tells a torn group from damage to what had been acknowledged.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from isal import isal_zlib

_SEGMENT = struct.Struct("<8s8sQI4x")
_FRAME = struct.Struct("<8sIIQQIBB2x")
_MAGIC = b"afdvtjl1"
_CRC_FROM = 12  # the checksum covers the header from body_bytes on; the mark is compared by itself

SEGMENT_HEADER_BYTES = _SEGMENT.size
FRAME_HEADER_BYTES = _FRAME.size
MARK_BYTES = 8


class FrameSignal(IntEnum):
    """What a body is. 1 to 3 are OTLP's signals; from 16 on the requests of the receipt service."""

    TRACES = 1
    LOGS = 2
    METRICS = 3
    RECEIPTS = 16
    OPEN_RUN = 17
    CLOSE_RUN = 18
    SEAL_RUN = 19


class FrameEncoding(IntEnum):
    """How a body is encoded."""

    PROTOBUF = 0
    JSON = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One request as received, in the order in which requests became durable."""

    sequence: int
    """From 1, rising. A hole means that frames were lost to damage; it is never filled again."""
    time_unix_nano: int
    """When it was received, by the receiver's clock."""
    signal: int
    encoding: int
    body: bytes


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The fixed part of a frame, not yet held against the checksum."""

    crc: int
    body_bytes: int
    sequence: int
    time_unix_nano: int
    position: int
    signal: int
    encoding: int

    @property
    def group_first(self) -> int:
        """The sequence of the first frame of its group commit."""
        return self.sequence - self.position


def encode_segment_header(mark: bytes, first_sequence: int) -> bytes:
    """The first bytes of a segment."""
    fields = _SEGMENT.pack(_MAGIC, mark, first_sequence, 0)
    return _SEGMENT.pack(_MAGIC, mark, first_sequence, isal_zlib.crc32(fields))


def decode_segment_header(data: bytes) -> tuple[bytes, int] | None:
    """Mark and first sequence, or None for what is no segment header."""
    if len(data) != SEGMENT_HEADER_BYTES:
        return None
    _, mark, first_sequence, _ = _SEGMENT.unpack(data)
    return (mark, first_sequence) if data == encode_segment_header(mark, first_sequence) else None


def encode_header(mark: bytes, position: int, frame: Frame) -> bytes:
    """The bytes that go before the body of a frame."""
    fields = _FRAME.pack(
        mark, 0, len(frame.body), frame.sequence, frame.time_unix_nano, position, frame.signal, frame.encoding
    )
    crc = isal_zlib.crc32(frame.body, isal_zlib.crc32(fields[_CRC_FROM:]))
    return b"".join((mark, crc.to_bytes(4, "little"), fields[_CRC_FROM:]))


def decode_header(data: bytes, mark: bytes) -> FrameHeader | None:
    """The header at the beginning of `data`, or None without the mark. Its fields are not to be trusted before `intact`."""
    if len(data) < FRAME_HEADER_BYTES or not data.startswith(mark):
        return None
    return FrameHeader(*_FRAME.unpack_from(data)[1:])


def intact(header: bytes, body: bytes) -> bool:
    """Whether header and body are as written."""
    crc = isal_zlib.crc32(body, isal_zlib.crc32(header[_CRC_FROM:FRAME_HEADER_BYTES]))
    return bool(crc.to_bytes(4, "little") == header[MARK_BYTES:_CRC_FROM])
