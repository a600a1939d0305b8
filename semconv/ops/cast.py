"""Casts: a value as one of the types of the registry.

Law: what a type has no exact value for is a `Miss`; nothing is rounded, and no text is cut.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from semconv.ops.operation import COERCED, Miss
from semconv.value import Value, document, fits_int64, json_text

_INTEGER: Final = re.compile(r"[+-]?\d{1,19}")


def fit(value: Value, kind: str) -> Value | Miss:
    """The value as an attribute of a registry type wants it; `any` takes everything."""
    return _FITS.get(kind, _anything)(value)


def to_int(value: Value) -> Value | Miss:
    """An integer, from one, from a whole double, or from its decimal text."""
    if isinstance(value, bool):
        return COERCED
    if isinstance(value, int):
        return value if fits_int64(value) else COERCED
    if isinstance(value, float) and value.is_integer() and fits_int64(int(value)):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value) and fits_int64(int(value)):
        return int(value)
    return COERCED


def to_float(value: Value) -> Value | Miss:
    """A double, from a number or its text."""
    if isinstance(value, bool):
        return COERCED
    if isinstance(value, int | float):
        return float(value) if abs(value) <= 2**53 or isinstance(value, float) else Miss("precision_lost")
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return COERCED
        return number if math.isfinite(number) else COERCED
    return COERCED


def to_bool(value: Value) -> Value | Miss:
    """A truth value, from one or from the texts JSON and Python write for it."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower(), COERCED) if isinstance(value, str) else COERCED


def to_str(value: Value) -> Value | Miss:
    """Text: as it is, or the JSON of anything else but nothing."""
    if isinstance(value, str):
        return value
    return COERCED if value is None else json_text(value)


def to_strings(value: Value) -> Value | Miss:
    """A list of texts, from a list of scalars, from the JSON of one, or from one text."""
    if isinstance(value, str):
        parsed = document(value)
        value = parsed if isinstance(parsed, list) else [value]
    if not isinstance(value, list) or any(item is None or isinstance(item, list | dict) for item in value):
        return COERCED
    return [item if isinstance(item, str) else json_text(item) for item in value]


def _anything(value: Value) -> Value:
    return value


_FITS: Final[Mapping[str, Callable[[Value], Value | Miss]]] = {
    "string": to_str,
    "int": to_int,
    "double": to_float,
    "boolean": to_bool,
    "string[]": to_strings,
}
