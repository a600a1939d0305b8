"""RFC 8785 (JSON Canonicalization Scheme): one value, one byte string.

https://www.rfc-editor.org/rfc/rfc8785

Law: `canonical(x)` equals `rfc8785.dumps(x)` or both refuse; `parse(canonical(x)) == x`.

orjson is some forty times faster than the reference and writes the same bytes, but for some floats (integral ones below
1e21, those below 1e-5, NaN and infinity), integers of 2^53 and more, and objects whose keys hold characters at or above
U+E000 (ordered by code point, not by UTF-16 unit). A value that holds none of these takes the fast path; what is not
certain takes the reference.

Who writes reads that from the value, in one loop. Who reads has the text as well, and there it is quicker to look for
how orjson spells those floats, wherever it stands: only a line that holds such a spelling, mostly inside a string, is gone
through. Should a version of orjson spell them otherwise, every line is.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
import rfc8785

from evidence.errors import CanonicalError

JsonObject = dict[str, Any]
"""A decoded JSON object."""

ENCODER_DEPTH_MAX = 254
"""orjson refuses to write deeper nesting than this, so no canonical text is deeper."""

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)

_SAME_SCALARS = frozenset({int, bool, type(None)})  # and str; orjson refuses integers of 2^53 and more
_SAME_FLOATS = (1e-5, 1e15)  # in size; fractional ones between these have one spelling
_INTEGER_END = 2**53
_BELOW_U_E000 = bytes(range(0xEE))
_NO_MARKS = bytes(set(range(256)).difference(b'[]{}"'))

_INTEGRAL = re.compile(rb"\.0[,\]}]").search
_LARGE = re.compile(rb"\+[0-9]+[,\]}]").search
_SMALL = re.compile(rb"-6[,\]}]").search
_IS_SPELLED_SO = orjson.dumps([1.0, -0.0, 1e15, 1e16, 1.5e20, 1e-6, -9.5e-6]) == (
    b"[1.0,-0.0,1000000000000000.0,1e+16,1.5e+20,1e-6,-9.5e-6]"
)
"""Whether orjson spells the floats that RFC 8785 spells otherwise as the three patterns look for them."""


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of a JSON value.

    Args:
        value: None, bool, int within ±(2^53 - 1), finite float, str, list, tuple, dict with str keys, nested.

    Raises:
        CanonicalError: the value has no canonical form (NaN, infinity, a larger integer, a lone surrogate, a type that
            JSON does not have, nesting deeper than `ENCODER_DEPTH_MAX`).
    """
    try:
        data = orjson.dumps(value, option=_OPTIONS)
        if not isinstance(value, dict | list | tuple):
            return _reference(value)
        if _may_differ(value):
            value = _with_integers(value)  # mostly it is a score or a temperature of 1.0
            if _may_differ(value):
                return _reference(value)
            data = orjson.dumps(value, option=_OPTIONS)
        if _may_be_disordered(value, data):
            return _reference(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise CanonicalError(f"no canonical form: {error}") from error
    return data


def parse(data: bytes, *, depth_max: int = ENCODER_DEPTH_MAX, require_canonical: bool = True) -> Any:  # noqa: ANN401 - JSON
    """Read one JSON text strictly.

    Args:
        data: the text in UTF-8, bounded in size by the caller.
        depth_max: nesting that is still read.
        require_canonical: refuse a text that is not byte for byte the RFC 8785 form of its value.

    Raises:
        CanonicalError: not JSON in UTF-8, too deep, a duplicate key, NaN or infinity, a lone surrogate, or not canonical.
    """
    if depth_max < ENCODER_DEPTH_MAX or not require_canonical:
        check_depth(data, depth_max)
    try:
        value = orjson.loads(data) if require_canonical else _parse_strictly(data)
    except (ValueError, RecursionError) as error:
        raise CanonicalError(f"not JSON: {error}") from error
    if not require_canonical or (isinstance(value, dict | list) and _are_written_so([value], [data])):
        return value
    try:
        written = canonical(value)
    except CanonicalError:
        value = _as_doubles(value)
        written = canonical(value)
    if written != data:
        raise CanonicalError(
            "not in RFC 8785 canonical form (key order, spaces, escapes, number form or duplicate keys)"
        )
    return value


def parse_object(data: bytes, *, depth_max: int = ENCODER_DEPTH_MAX) -> JsonObject:
    """Read one canonical JSON text that must be an object; see `parse`."""
    value = parse(data, depth_max=depth_max)
    if not isinstance(value, dict):
        raise CanonicalError(f"expected a JSON object, got {type(value).__name__}")
    return value


def parse_objects(lines: Sequence[bytes]) -> list[JsonObject] | None:
    """Read some canonical JSON texts at once, each of which must be an object no deeper than `ENCODER_DEPTH_MAX`.

    Returns:
        What `parse_object` gives for each; None where that is not certain: then each is to be read by itself.
    """
    try:
        values = [orjson.loads(line) for line in lines]
    except (ValueError, RecursionError):
        return None
    if set(map(type, values)) != {dict} or not _are_written_so(values, lines):
        return None
    return values


def check_depth(data: bytes, depth_max: int) -> None:
    """Refuse a JSON text nested deeper than `depth_max`, before any parser sees it. Does not check that it is JSON."""
    if data.count(b"{") + data.count(b"[") <= depth_max:
        return
    depth = 0
    for byte in _brackets(data):
        if byte in b"[{":
            depth += 1
            if depth > depth_max:
                raise CanonicalError(f"nested deeper than {depth_max}")
        else:
            depth -= 1


def _brackets(data: bytes) -> bytes:
    """The brackets of a JSON text that stand outside its strings."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(None, _NO_MARKS)
    return b"".join(marks.replace(b'""', b"").split(b'"')[::2])  # a pair side by side has nothing in it or in between


def _are_written_so(values: Sequence[JsonObject | list[Any]], texts: Sequence[bytes]) -> bool:
    """Whether each text is beyond doubt the RFC 8785 form of its value, which was parsed from it by orjson.

    An array or object is not the beginning of another one, so that texts written behind each other are what they are
    one by one.
    """
    try:
        written = orjson.dumps(values, option=_OPTIONS)
    except (TypeError, ValueError, RecursionError):
        return False
    if written != b"[%b]" % b",".join(texts):
        return False
    if _may_be_spelled_otherwise(written):
        for value, text in zip(values, texts, strict=True):
            if _may_be_spelled_otherwise(text) and _may_differ(value):
                return False
    if written.isascii():
        return True
    return not any(map(_may_be_disordered, values, texts))


def _may_be_spelled_otherwise(text: bytes) -> bool:
    """Whether a text of orjson's holds what looks like a float that RFC 8785 spells otherwise. False means that it holds none."""
    return bool(_INTEGRAL(text) or _SMALL(text) or (b"+" in text and _LARGE(text)) or not _IS_SPELLED_SO)


def _reference(value: Any) -> bytes:  # noqa: ANN401 - its own checks refuse what is not JSON
    return rfc8785.dumps(value)


def _may_differ(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether orjson may spell a scalar in an array or object otherwise than RFC 8785. One plain loop, because it is hot."""
    containers: list[Any] = [value]
    least, most = _SAME_FLOATS
    for container in containers:
        for item in container.values() if type(container) is dict else container:
            kind = type(item)
            if kind is str:
                continue
            if kind is dict or kind is list or kind is tuple:
                containers.append(item)
            elif kind is float:
                if not least <= abs(item) < most or item.is_integer():
                    return True
            elif kind not in _SAME_SCALARS:
                return True
    return False


def _with_integers(value: Any) -> Any:  # noqa: ANN401 - JSON
    """`value` with integral floats that an integer can stand for made integers: the two have one canonical form."""
    kind = type(value)
    if kind is dict:
        return {key: item if type(item) is str else _with_integers(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_with_integers(item) for item in value]
    return int(value) if kind is float and abs(value) < _INTEGER_END and value.is_integer() else value


def _may_be_disordered(value: object, data: bytes) -> bool:
    """Whether orjson may have ordered the members of an object otherwise than RFC 8785."""
    return not data.isascii() and bool(data.translate(None, _BELOW_U_E000)) and _has_high_key(value)


def _has_high_key(value: object) -> bool:
    if isinstance(value, dict):
        return any((not key.isascii() and max(key) >= "\ue000") or _has_high_key(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(map(_has_high_key, value))


def _as_doubles(value: object) -> object:
    """`value` with integers that only a double can hold made floats: 1e16 is written as digits alone."""
    if isinstance(value, dict):
        return {key: _as_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_doubles(item) for item in value]
    if isinstance(value, int) and abs(value) >= _INTEGER_END:
        return float(value)
    return value


def _parse_strictly(data: bytes) -> object:
    text = data.decode()  # from bytes json would take UTF-16 and UTF-32 as well
    value = json.loads(
        text, object_pairs_hook=_without_duplicates, parse_float=_finite, parse_constant=_refuse_constant
    )
    if "\\u" in text:  # an escape is the one way to half a character
        json.dumps(value, ensure_ascii=False).encode()  # noqa: TID251 - nothing is made of it
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        counts = Counter(key for key, _ in pairs)  # once through: there may be half a million of them
        raise ValueError(f"duplicate key {next(key for key, count in counts.items() if count > 1)!r}")
    return result


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is beyond a double")
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
