"""OTLP/JSON text to protobuf messages and back.

Law: `load(type(m), dump(m)) == m` for every message `m` without unknown fields, whose NaNs carry no payload.

OTLP/JSON is ProtoJSON with four differences, each kept here: trace and span ids are hex (either case) and not base64;
enums are integers and never names; keys are lowerCamelCase only, so that `trace_id` is an unknown key; unknown keys
are ignored. As in ProtoJSON: 64-bit integers are read from strings and numbers, doubles also from "NaN", "Infinity"
and "-Infinity", bytes from either base64 alphabet, and null means that the field is absent.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
https://protobuf.dev/programming-guides/json/
"""

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TypeVar

import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from evidence.redaction.detectors import hidden
from sidecar.errors import DecodeError
from sidecar.limits import DEFAULT, Limits
from sidecar.otlp import json_text, to_json
from sidecar.otlp.shape import MESSAGE_DEPTH_MAX, Field, Kind, fields

_M = TypeVar("_M", bound=Message)
_Read = Callable[[object, int], object]


def load(message_type: type[_M], data: bytes, limits: Limits = DEFAULT) -> _M:
    """Read one OTLP/JSON text.

    Does not check what the protocol asks of the content (see `reject`), nor the size of `data`, which the caller bounds.

    Raises:
        DecodeError: not JSON, too many arrays and objects, or not this message in OTLP/JSON; names the path and what it takes.
    """
    name = message_type.DESCRIPTOR.name
    value = json_text.parse(data, what=name, limits=limits)
    try:
        return message_type(**_members(_rules(message_type.DESCRIPTOR), value, 0))
    except _MisfitError as misfit:
        raise DecodeError(name, got=misfit.got, expected=misfit.expected, where=misfit.where()) from None


def dump(message: Message) -> bytes:
    """Write a message as compact OTLP/JSON. Unknown protobuf fields have no JSON form and are left out."""
    return orjson.dumps(to_json.message(message))


class _MisfitError(Exception):
    """A value that does not fit its field; the path is put together while the error travels outwards."""

    def __init__(self, value: object, expected: str) -> None:
        super().__init__(expected)
        self.got, self.expected = _shown(value), expected
        self.path: list[str] = []

    def where(self) -> str:
        path = hidden("".join(reversed(self.path)).lstrip("."))
        return path if len(path) <= _PATH_CHARS_MAX else f"{path[:100]}…{path[-100:]}"


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    read: _Read
    oneof: str | None


@cache
def _rules(descriptor: Descriptor) -> Mapping[str, _Rule]:
    return {field.json_name: _rule(field) for field in fields(descriptor)}


def _rule(field: Field) -> _Rule:
    read = partial(_message, field.message) if field.message is not None else _READ[field.kind]
    return _Rule(field.name, partial(_list, read) if field.repeated else read, field.oneof)


def _message(descriptor: Descriptor, value: object, depth: int) -> dict[str, object]:
    return _members(_rules(descriptor), value, depth + 1)


def _members(rules: Mapping[str, _Rule], value: object, depth: int) -> dict[str, object]:
    if type(value) is not dict:
        raise _MisfitError(value, "an object")
    if depth > MESSAGE_DEPTH_MAX:
        raise _MisfitError(value, f"at most {MESSAGE_DEPTH_MAX} nested messages")
    members: dict[str, object] = {}
    chosen: dict[str, str] = {}
    for key, item in value.items():
        rule = rules.get(key)
        if rule is None or item is None:
            continue
        try:
            members[rule.name] = rule.read(item, depth)
            if rule.oneof and chosen.setdefault(rule.oneof, key) != key:
                raise _MisfitError(item, f"nothing, for {chosen[rule.oneof]} is given already and only one may be")
        except _MisfitError as misfit:
            misfit.path.append(f".{key}")
            raise
    return members


def _list(read: _Read, value: object, depth: int) -> list[object]:
    if type(value) is not list:
        raise _MisfitError(value, "an array")
    items: list[object] = []
    try:
        for item in value:
            items.append(read(item, depth))  # noqa: PERF401  (their number says which one did not fit)
    except _MisfitError as misfit:
        misfit.path.append(f"[{len(items)}]")
        raise
    return items


def _string(value: object, _depth: int) -> str:
    if type(value) is not str:
        raise _MisfitError(value, "a string")
    return value


def _bool(value: object, _depth: int) -> bool:
    if type(value) is not bool:
        raise _MisfitError(value, "true or false")
    return value


def _hex(value: object, _depth: int) -> bytes:
    try:
        return binascii.unhexlify(_string(value, 0))
    except (_MisfitError, ValueError):
        raise _MisfitError(value, "an id in hex digits") from None


def _base64(value: object, _depth: int) -> bytes:
    try:
        text = _string(value, 0).rstrip("=").translate(_URL_SAFE)
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (_MisfitError, ValueError):
        raise _MisfitError(value, "bytes in base64") from None


def _double(value: object, _depth: int) -> float:
    if type(value) is float or type(value) is int:
        return float(value)  # an integer beyond every double is no JSON number for `json_text`
    if type(value) is str and _NUMBER.fullmatch(value) and math.isfinite(number := float(value)):
        return number
    if type(value) is str and value in _NOT_FINITE:
        return float(value)
    raise _MisfitError(value, 'a number, "NaN", "Infinity" or "-Infinity"')


def _integer(low: int, high: int, value: object, _depth: int) -> int:
    number = _exact(value)
    if number is None or not low <= number <= high:
        raise _MisfitError(value, f"an integer from {low} to {high}, as a number or a string of digits")
    return number


def _exact(value: object) -> int | None:
    """The integer that a JSON value stands for, if it does so without doubt."""
    if type(value) is str:
        return int(value) if _INTEGER.fullmatch(value) else None
    if type(value) is float:
        return int(value) if value.is_integer() and abs(value) < _EXACT_BELOW else None
    return value if type(value) is int else None


def _enum(value: object, _depth: int) -> int:
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise _MisfitError(value, "the number of an enum value (names are not part of OTLP/JSON)")
    return value


def _shown(value: object) -> str:
    text = hidden(repr(value)) if not isinstance(value, dict | list) else f"{type(value).__name__} of {len(value)}"
    return text if len(text) <= 60 else f"{text[:57]}..."


_READ: dict[Kind, _Read] = {
    Kind.STRING: _string,
    Kind.BOOL: _bool,
    Kind.ENUM: _enum,
    Kind.DOUBLE: _double,
    Kind.INT32: partial(_integer, -(2**31), 2**31 - 1),
    Kind.UINT32: partial(_integer, 0, 2**32 - 1),
    Kind.INT64: partial(_integer, -(2**63), 2**63 - 1),
    Kind.UINT64: partial(_integer, 0, 2**64 - 1),
    Kind.HEX: _hex,
    Kind.BASE64: _base64,
}

_PATH_CHARS_MAX = 201
"""A place deep inside is told by its beginning and its end, so that what is wrong with it is not cut off."""
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_EXACT_BELOW = 2**53
"""Below it every integer is a double of its own, so that a number written as 5.0 or 5e0 says which one is meant."""
_URL_SAFE = str.maketrans("-_", "+/")
