"""An attribute in wire form (the bytes of a KeyValue) to its key and plain value, and back.

Law: `read(write(key, value)) == (key, value)`, and for every KeyValue message `read` gives what its fields say. What almost every attribute
is, a key and then a text, is read here; any other bytes are left to protobuf.

https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/common/v1/common.proto
"""

import struct
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from google.protobuf.message import DecodeError as WireError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from semconv.value import Value
from semconv.view import Attributes
from sidecar.errors import DecodeError

KNOWN_MAX: Final = 1 << 13
"""Attributes whose reading is remembered: most of what a span says, the one before it said as well."""
KNOWN_BYTES_MAX: Final = 96
"""The length of an attribute that is remembered."""

_KEY, _VALUE = 0x0A, 0x12
"""Tags of a KeyValue."""
_TEXT, _BOOL, _INT, _DOUBLE, _ARRAY, _MAP, _BYTES = 0x0A, 0x10, 0x18, 0x21, 0x2A, 0x32, 0x3A
"""Tags of an AnyValue."""
_ITEM: Final = 0x0A
"""Tag of what is in an ArrayValue or KeyValueList."""

_known: dict[bytes, tuple[str, Value]] = {}


def attributes(pairs: Iterable[bytes]) -> Attributes:
    """The plain values of attributes; of a key given twice the last wins.

    Raises:
        DecodeError: one of them is no KeyValue.
    """
    found: Attributes = {}
    for raw in pairs:
        pair = _known.get(raw) if len(raw) <= KNOWN_BYTES_MAX else None
        key, value = pair if pair is not None else read(raw)
        found[key] = value
    return found


def read(raw: bytes) -> tuple[str, Value]:
    """The key and plain value of one attribute. Raises as `attributes` does."""
    found: tuple[str, Value]
    try:
        if at := _text_at(raw):
            found = _key(raw[2 : raw[1] + 2]), raw[at:].decode()
        else:
            msg = KeyValue.FromString(raw)
            found = msg.key, plain(msg.value)
    except (UnicodeDecodeError, WireError) as error:
        raise DecodeError("KeyValue", got=f"{len(raw)} bytes that are not this message ({error})") from error
    if len(raw) <= KNOWN_BYTES_MAX:
        if len(_known) >= KNOWN_MAX:
            forget()
        _known[raw] = found
    return found


def text(raw: bytes) -> tuple[str, str] | None:
    """The key and text of an attribute that says only these. Raises as `attributes` does."""
    if not _text_at(raw) or not raw[1]:
        return None
    key, value = read(raw)
    return key, str(value)


def forget() -> None:
    """Remember no attribute that was read: to measure, or to give memory back."""
    _known.clear()


def keys(pairs: Iterable[bytes]) -> list[str]:
    """The keys of attributes, without a look at long texts. Raises as `attributes` does."""
    return [
        pair[0] if len(raw) <= KNOWN_BYTES_MAX and (pair := _known.get(raw)) is not None else _key_of(raw)
        for raw in pairs
    ]


def plain(msg: AnyValue) -> Value:
    """The plain form of an AnyValue; None when it holds nothing, or an index into a table that only profiles have."""
    name = msg.WhichOneof("value")
    if name in _SCALARS:
        return getattr(msg, name)  # type: ignore[no-any-return]  # the table says that it is a scalar
    if name == "array_value":
        return [plain(item) for item in msg.array_value.values]
    return {pair.key: plain(pair.value) for pair in msg.kvlist_value.values} if name == "kvlist_value" else None


def write(key: str, value: Value) -> bytes:
    """The attribute of a key and a plain value."""
    if type(value) is str:
        text = value.encode()
        return _head(key) + _text_head(len(text)) + text
    return _head(key) + _tail(value)


def replaced(raw: bytes, key: str, value: Value) -> bytes:
    """The attribute with another value; a field of it that this version of the protocol does not know stays."""
    if _text_at(raw):
        return write(key, value)
    msg = KeyValue.FromString(raw)
    msg.ClearField("key_strindex")
    msg.ClearField("value")
    msg.MergeFromString(_tail(value))
    return msg.SerializeToString()


# ---------------------------------------------------------------- reading


def _key_of(raw: bytes) -> str:
    return _key(raw[2 : raw[1] + 2]) if _text_at(raw) else read(raw)[0]


def _text_at(raw: bytes) -> int:
    """Where the text begins in an attribute that is a key and a text; 0 in any other."""
    if len(raw) < 3 or raw[0] != _KEY or raw[1] > 0x7F:
        return 0
    at = raw[1] + 2
    head = _head_before(len(raw) - at)
    return at + len(head) if head and raw.startswith(head, at) else 0


@lru_cache(maxsize=1 << 12)
def _key(raw: bytes) -> str:
    """One object for each name, so that comparing and hashing them costs little."""
    return raw.decode()


@lru_cache(maxsize=1 << 12)
def _head_before(length: int) -> bytes | None:
    """What stands between a key and its text, by the length of both together; None when there is no such text."""
    heads = (_text_head(length - width) for width in range(4, min(length, 12) + 1))
    return next((head for width, head in enumerate(heads, 4) if len(head) == width), None)


# ---------------------------------------------------------------- writing


@lru_cache(maxsize=1 << 12)
def _head(key: str) -> bytes:
    """What stands before the value of an attribute."""
    return _field(_KEY, key.encode()) if key else b""  # an empty text is not written


@lru_cache(maxsize=1 << 12)
def _text_head(length: int) -> bytes:
    """What stands between a key and a text of so many bytes."""
    inner = b"%c%b" % (_TEXT, _varint(length))
    return b"%c%b%b" % (_VALUE, _varint(len(inner) + length), inner)


def _tail(value: Value) -> bytes:
    """The value of an attribute with its tag."""
    return _field(_VALUE, _WRITERS[type(value)](value))


def _field(tag: int, content: bytes) -> bytes:
    return b"%c%b%b" % (tag, _varint(len(content)), content)


@lru_cache(maxsize=1 << 12)
def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _array(items: list[Value]) -> bytes:
    return _field(_ARRAY, b"".join([_field(_ITEM, _WRITERS[type(item)](item)) for item in items]))


def _map(members: dict[str, Value]) -> bytes:
    return _field(_MAP, b"".join([_field(_ITEM, write(key, item)) for key, item in members.items()]))


_WRITERS: Final[dict[type, Callable[[Any], bytes]]] = {
    str: lambda value: _field(_TEXT, value.encode()),
    bool: lambda value: b"%c%c" % (_BOOL, value),
    int: lambda value: b"%c%b" % (_INT, _varint(value & 0xFFFFFFFFFFFFFFFF)),
    float: lambda value: struct.pack("<Bd", _DOUBLE, value),
    bytes: lambda value: _field(_BYTES, value),
    list: _array,
    dict: _map,
    type(None): lambda _: b"",
}
"""By the type of a plain value, the bytes of its AnyValue."""

_SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value"})
