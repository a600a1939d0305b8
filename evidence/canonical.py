"""RFC 8785 (JSON Canonicalization Scheme): one value, one byte string.

https://www.rfc-editor.org/rfc/rfc8785

Law: `canonical(x)` equals `rfc8785.dumps(x)` or both refuse; `parse(canonical(x)) == x`.

orjson is some forty times faster than the reference and writes the same bytes except for: integral floats below 1e21,
floats in [1e-6, 1e-5), NaN and infinity (written as null), integers of 2^53 and more, and objects whose keys hold
characters at or above U+E000 (ordered by code point, not by UTF-16 unit). The fast path is taken when the bytes
written show none of these; the test for that may be wrong only towards the slow path.
"""

import json
import math
import re
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

# orjson's numbers that RFC 8785 writes otherwise end in `.0`, in `e+16` to `e+20`, or in `e-6`; a comma or bracket follows.
_FOLD = bytes.maketrans(b"]}", b",,")
_HAZARD = re.compile(rb"\.0[],}]|e\+|e-6[],}]|null")  # null may have been NaN
_BELOW_U_E000 = bytes(range(0xEE))


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
        if not isinstance(value, dict | list | tuple) or (_suspicious(data) and _differs(value)):
            return rfc8785.dumps(value)  # type: ignore[arg-type]  # its own checks refuse what is not JSON
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
        CanonicalError: not JSON, too deep, a duplicate key, NaN or infinity, or not canonical.
    """
    if depth_max < ENCODER_DEPTH_MAX or not require_canonical:
        check_depth(data, depth_max)
    try:
        value = orjson.loads(data) if require_canonical else _parse_strictly(data)
    except (ValueError, RecursionError) as error:
        raise CanonicalError(f"not JSON: {error}") from error
    if not require_canonical:
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


def check_depth(data: bytes, depth_max: int) -> None:
    """Refuse a JSON text nested deeper than `depth_max`, before any parser sees it. Does not check that it is JSON."""
    if data.count(b"{") + data.count(b"[") <= depth_max:
        return
    depth = 0
    for byte in _outside_strings(data):
        if byte in b"[{":
            depth += 1
            if depth > depth_max:
                raise CanonicalError(f"nested deeper than {depth_max}")
        elif byte in b"]}":
            depth -= 1


def _outside_strings(data: bytes) -> bytes:
    """What stands outside the quotes of a JSON text."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(data.split(b'"')[::2])


def _suspicious(data: bytes) -> bool:
    """Whether orjson's bytes may differ from RFC 8785; quick, and never wrongly False for an array or object."""
    folded = data.translate(_FOLD)
    if (b".0," in folded or b"e-6," in folded or b"e+" in folded or b"null" in folded) and _HAZARD.search(
        _outside_strings(data)
    ):
        return True
    return not data.isascii() and bool(data.translate(None, _BELOW_U_E000))


def _differs(value: object) -> bool:
    """Whether orjson really writes `value` differently from RFC 8785: the precise rule behind `_suspicious`."""
    if isinstance(value, dict):
        return any((not key.isascii() and max(key) >= "\ue000") or _differs(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return any(map(_differs, value))
    if isinstance(value, float):
        size = abs(value)
        return not math.isfinite(value) or (size < 1e21 and value.is_integer()) or 1e-6 <= size < 1e-5
    return False


def _as_doubles(value: object) -> object:
    """`value` with integers that only a double can hold made floats: 1e16 is written as digits alone."""
    if isinstance(value, dict):
        return {key: _as_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_doubles(item) for item in value]
    if isinstance(value, int) and abs(value) >= 2**53:
        return float(value)
    return value


def _parse_strictly(data: bytes) -> object:
    return json.loads(data, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"duplicate key {next(key for key in keys if keys.count(key) > 1)!r}")
    return result


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
