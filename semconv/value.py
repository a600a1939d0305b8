"""Plain values: an OTLP AnyValue as Python sees it, and the few total functions over them.

Law: nothing here raises, whatever the value. A JSON text is read with the bounds named below; a text that is over
a bound, or is no JSON, is simply no document (`None`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from math import copysign, isfinite, isnan
from typing import Final, TypeAlias

import orjson

Value: TypeAlias = bool | int | float | str | bytes | list["Value"] | dict[str, "Value"] | None
"""The plain form of an AnyValue. Test for bool before int: in Python a bool is an int."""

JSON_DEPTH_MAX: Final = 24
"""Containers inside each other in a JSON text that is read as a document; deeper ones stay text.

A document may become a structured attribute, each object of which is three protobuf messages inside each other, in a part of a
message of a list: within a request no reader of protobuf takes more than 100.
"""

_EXACT_FLOAT_MAX: Final = 2.0**53
_INT64: Final = 1 << 63
_NAME_ENDS: Final = re.compile(r'"\s*:')
"""Where a member's name ends in a JSON text, and texts inside it seem to have one."""


def leaves(value: Value) -> int:
    """How many atoms a document holds: its scalars, and each empty container as one."""
    if isinstance(value, dict):
        items: Iterable[Value] = value.values()
    elif isinstance(value, list):
        items = value
    else:
        return 1
    count = 0
    for item in items:
        kind = type(item)
        count += leaves(item) if kind is dict or kind is list else 1
    return count or 1


def document(text: str) -> dict[str, Value] | list[Value] | None:
    """The object or array a JSON text holds, or None when the text is anything else."""
    found = weighed(text)
    return None if found is None else found[0]


Texts = dict[int, tuple[str, object]]
"""Texts that were parsed and what they say, by the text's id: the text is kept with it, so that its id stays its own."""


def parsed(text: str, known: Texts) -> object:
    """What a text is the JSON of, whatever that is; None for other text. It is parsed once, however often it is asked for."""
    found = known.get(id(text))
    if found is None:
        try:
            said = orjson.loads(text)
        except ValueError:
            said = None
        found = known[id(text)] = (text, said)
    return found[1]


def weighed(text: str, known: Texts | None = None) -> tuple[dict[str, Value] | list[Value], int] | None:
    """The document of a text with the number of its leaves, or None when it is the text of no object or array.

    Integers of any size stay integers; numbers beyond what JSON can say (NaN, Infinity) make it no document.
    A text in which an object names a member twice is no document either: readers differ in which of the two they take, and
    whatever is made of one of them hides the other. `known` is as for `parsed`.
    """
    if not text or text[0] not in "{[ \t\r\n":
        return None
    try:
        said = parsed(text, {} if known is None else known)
        if not isinstance(said, dict | list):
            return None
        count = _weigh(said, JSON_DEPTH_MAX)
        return None if _names_twice(text, said) else (said, count)
    except _InexactError:
        return _weighed_exactly(text)
    except ValueError:  # no JSON, or too deep
        return None


def json_text(value: Value) -> str:
    """The compact JSON of a value, with what JSON has no word for as OTLP/JSON says it: base64, "NaN", "Infinity"."""
    try:
        text = orjson.dumps(value, default=_base64)
        if b"null" in text:  # orjson's word for a number that is not finite, too
            text = orjson.dumps(_sayable(value), default=_base64)
        return text.decode()
    except (TypeError, ValueError, RecursionError):  # integers over 64 bits, lone surrogates, bottomless nesting
        return _any_json(value)


def size(value: Value) -> int:
    """Bytes of content: UTF-8 length of text, length of the compact JSON of containers, 8 for a number, 1 for a bool."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, dict | list):
        try:
            return len(orjson.dumps(value))
        except (TypeError, ValueError, RecursionError):  # bytes, integers over 64 bits, lone surrogates
            return len(json_text(value))
    if isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        return 8
    return len(value) if value is not None else 0


def same(left: Value, right: Value) -> bool:
    """Equality that tells True from 1 at the top, where a type is a statement."""
    return left == right and (type(left) is bool) == (type(right) is bool)


def exactly(left: Value, right: Value) -> bool:
    """Equality of value and type all the way down; of doubles by sign as well, so that -0.0 is not 0.0, and NaN is NaN."""
    if left is right:
        return True
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and isinstance(right, float):
        return (left == right and copysign(1.0, left) == copysign(1.0, right)) or (isnan(left) and isnan(right))
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(exactly, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(exactly(value, right[name]) for name, value in left.items())
    return left == right


def fits_int64(number: int) -> bool:
    """Whether OTLP can carry the integer."""
    return -_INT64 <= number < _INT64


def _any_json(value: Value) -> str:
    try:
        return json.dumps(  # noqa: TID251  # the only writer of integers of any size
            _sayable(value), separators=(",", ":"), default=_base64
        )
    except RecursionError:
        return '"..."'


def _sayable(value: Value) -> Value:
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {name: _sayable(item) for name, item in value.items()}
    return [_sayable(item) for item in value] if isinstance(value, list) else value


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


class _InexactError(Exception):
    """A number in a document may not be the one that was written."""


def _weigh(value: dict[str, Value] | list[Value], depth: int, *, exact: bool = False) -> int:
    """The leaves of a document that keeps to the depth bound (ValueError otherwise) and whose numbers are exact.

    orjson reads an integer over 64 bits as a float: a float that large may have been one. `exact`: another reader made it.
    """
    count = 0
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is str:
            count += 1
        elif kind is dict or kind is list:
            if depth <= 1:
                raise ValueError("nested too deep")
            count += _weigh(item, depth - 1, exact=exact)  # type: ignore[arg-type]  # narrowed by kind
        else:
            count += 1
            if kind is float and not exact and not -_EXACT_FLOAT_MAX < item < _EXACT_FLOAT_MAX:  # type: ignore[operator]  # narrowed by kind
                raise _InexactError
    return count or 1


def _names_twice(text: str, said: dict[str, Value] | list[Value]) -> bool:
    """Whether an object of a JSON text names a member twice; `said` is what a reader that keeps the last made of it.

    The quick look may take text for a name but misses none: only where it sees more names than were kept, even without those
    whose quote is escaped, is the text read again.
    """
    apart = " :" in text or "\n:" in text or "\t:" in text or "\r:" in text
    ends = len(_NAME_ENDS.findall(text)) if apart else text.count('":')
    if ends == (members := _members(said)) or (ends - text.count('\\":') == members and '\\\\"' not in text):
        return False
    try:
        json.loads(text, object_pairs_hook=_once)
    except _TwiceError:
        return True
    return False


def _members(value: dict[str, Value] | list[Value]) -> int:
    """The members of all objects of a document."""
    inner: Iterable[Value] = value.values() if isinstance(value, dict) else value
    count = len(value) if isinstance(value, dict) else 0
    for item in inner:
        if type(item) is dict or type(item) is list:
            count += _members(item)
    return count


def _once(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


class _TwiceError(Exception):
    """An object names a member twice."""


def _weighed_exactly(text: str) -> tuple[dict[str, Value] | list[Value], int] | None:
    """The same by a slower reader that has integers of any size."""
    try:
        said: dict[str, Value] | list[Value] = json.loads(text)
        count = _weigh(said, JSON_DEPTH_MAX, exact=True)
    except (ValueError, RecursionError):  # too deep, or more digits than Python converts, by its own limit
        return None
    return None if _names_twice(text, said) else (said, count)
