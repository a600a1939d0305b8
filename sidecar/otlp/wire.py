"""The outermost fields of a protobuf message, told apart without reading what is inside them.

Law: the pieces of `split_protobuf` joined together are the bytes given, and each of them is a message that holds some
of the fields; by protobuf's rule for repeated fields, their merge is the message.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

from sidecar.errors import DecodeError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_VARINT_BYTES_MAX = 10


def split_protobuf(data: bytes, bytes_max: int) -> Iterator[bytes]:
    """Cut a message between its outermost fields into pieces of at most `bytes_max` bytes.

    A field that is larger by itself is a piece by itself. Does not check what is inside a field; a message that is
    small enough is not looked at.

    Raises:
        DecodeError: the bytes are not a sequence of protobuf fields.
    """
    if len(data) <= bytes_max:
        yield data
        return
    start = end = 0
    for field_end in _field_ends(data):
        if field_end - start > bytes_max and end > start:
            yield data[start:end]
            start = end
        end = field_end
    yield data[start:end]


def _field_ends(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise DecodeError("protobuf", got="field number 0", expected="1 or more", where=f"byte {start}")
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _BYTES:
            size, at = _varint(data, at)
            at += size
        elif kind in _FIXED_BYTES:
            at += _FIXED_BYTES[kind]
        else:
            raise DecodeError("protobuf", got=f"wire type {kind}", expected="0, 1, 2 or 5", where=f"byte {start}")
        if at > len(data):
            raise DecodeError(
                "protobuf", got="the end of the data", expected="the rest of a field", where=f"byte {start}"
            )
        yield at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place after it."""
    value = 0
    for place, byte in enumerate(data[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise DecodeError("protobuf", got="a number without an end", where=f"byte {at}")
