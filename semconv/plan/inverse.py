"""Undoing the operations of a row: the one value among all that give the same which a reversal takes for the original.

An operation may make one thing of many: `"7"` and `7` are both the integer 7 afterwards, and so most have no inverse for
whatever value (`semconv.ops.Op.inverse`). To have one all the same, each names one of those as *the* source: what a cast is
for is text, what a list is made of is its one element, what a table translates is the only word it has for the result.
Whether a value was that source is a comparison, and so `undo(steps, run(steps, value)) == value` is what makes a translation
of it reversible. Law: total, like the operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from semconv.ops import Step
from semconv.value import Value, document, json_text


def undo(steps: tuple[Step, ...], value: Value) -> Value:
    """The source of what the steps made. A step of which nothing is said here leaves the value as it finds it."""
    for step in reversed(steps):
        back = INVERSES.get(step.name)
        if back is not None:
            value = back(value, step.argument)
    return value


def _untabled(value: Value, argument: tuple[Mapping[str, str], str]) -> Value:
    """The only word that leads to a value. A table that also has the value itself, or several words for it, leaves it."""
    words = [word for word, said in argument[0].items() if said == value]
    return words[0] if len(words) == 1 else value


def _trimmed(value: Value, argument: tuple[str, str]) -> Value:
    prefix, suffix = argument
    return f"{prefix}{value}{suffix}" if isinstance(value, str) else value


def _unaffixed(value: Value, argument: tuple[str, str]) -> Value:
    return value.removeprefix(argument[0]).removesuffix(argument[1]) if isinstance(value, str) else value


def _scaled(value: Value, argument: tuple[int, int]) -> Value:
    """As a double, which is what a measured time mostly is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    try:
        return value * argument[1] / argument[0]
    except OverflowError:
        return value


def _text(value: Value, _argument: None) -> Value:
    return value if isinstance(value, str) else json_text(value)


def _parsed(value: Value, _argument: None) -> Value:
    found = document(value) if isinstance(value, str) else None
    return value if found is None else found


def _unwrapped(value: Value, _argument: None) -> Value:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _wrapped(value: Value, _argument: None) -> Value:
    return value if isinstance(value, list) else [value]


INVERSES: Final[Mapping[str, Callable[[Value, Any], Value]]] = {
    "int": _text,
    "float": _text,
    "bool": _text,
    "strings": _text,
    "parse_json": _text,
    "json_text": _parsed,
    "enum": _untabled,
    "trim": _trimmed,
    "affix": _unaffixed,
    "scale": _scaled,
    "wrap_list": _unwrapped,
    "unwrap_list": _wrapped,
}
"""Guards pass a value as it is, and so do `str`, `lower`, `upper`, `before` and `after` what has no more to give up."""
