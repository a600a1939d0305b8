"""The operations themselves, as `semconv.ops.step` lists them.

Laws: each is total, it answers with a value or with a `Miss` and never raises; a guard gives back the very value it was given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from semconv.ops.cast import to_int
from semconv.ops.operation import COERCED, NOT_THIS, UNPARSEABLE, Miss, Scope
from semconv.python_repr import parse_repr
from semconv.value import Value, json_text

_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:[^/?#@]*@)?(?P<host>\[[^\]/]*\]|[^/?#:]+)(?::(?P<port>\d{1,5}))?(?P<path>[/?#].*)?"
)


def enum(value: Value, argument: tuple[Mapping[str, str], str], _scope: Scope) -> Value | Miss:
    """What the table has for a text; what it does not have is a miss, or stays as it is when the row names no reason."""
    table, miss = argument
    found = table.get(value) if isinstance(value, str) else None
    if found is not None:
        return found
    return Miss(miss) if miss else value


def refuse(value: Value, argument: tuple[frozenset[str], str], _scope: Scope) -> Value | Miss:
    """A guard: not one of these texts."""
    return Miss(argument[1]) if isinstance(value, str) and value in argument[0] else value


def lower(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    """A text in small letters."""
    return value.lower() if isinstance(value, str) else COERCED


def upper(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    """A text in capitals."""
    return value.upper() if isinstance(value, str) else COERCED


def before(value: Value, separator: str, _scope: Scope) -> Value | Miss:
    """What stands before the first separator; all of it without one."""
    return value.partition(separator)[0] if isinstance(value, str) else COERCED


def after(value: Value, separator: str, _scope: Scope) -> Value | Miss:
    """What stands behind the first separator; all of it without one."""
    if not isinstance(value, str):
        return COERCED
    head, found, tail = value.partition(separator)
    return tail if found else head


def trim(value: Value, argument: tuple[str, str], _scope: Scope) -> Value | Miss:
    """A text without the prefix and suffix, both of which it must have."""
    prefix, suffix = argument
    if not isinstance(value, str) or len(value) < len(prefix) + len(suffix):
        return NOT_THIS
    if not value.startswith(prefix) or not value.endswith(suffix):
        return NOT_THIS
    return value[len(prefix) : len(value) - len(suffix)]


def affix(value: Value, argument: tuple[str, str], _scope: Scope) -> Value | Miss:
    """A text with a prefix and a suffix."""
    return f"{argument[0]}{value}{argument[1]}" if isinstance(value, str) else COERCED


def scale(value: Value, argument: tuple[int, int], _scope: Scope) -> Value | Miss:
    """A number times a ratio; an integer where it comes to one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return COERCED
    numerator, denominator = argument
    scaled = value * numerator
    if isinstance(scaled, int) and scaled % denominator == 0:
        return scaled // denominator
    try:
        return scaled / denominator
    except OverflowError:
        return Miss("precision_lost")


def wrap_list(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    """A list of the value, if it is none."""
    return value if isinstance(value, list) else [value]


def unwrap_list(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    """The only item of a list; what is no list as it is."""
    if isinstance(value, list):
        return value[0] if len(value) == 1 else NOT_THIS
    return value


def parse_json(value: Value, _argument: None, scope: Scope) -> Value | Miss:
    """The object or list that a text is the JSON of, or that the value is."""
    inside = scope.inside(value)
    return inside if isinstance(inside, dict | list) else UNPARSEABLE


def parse_python(value: Value, _argument: None, scope: Scope) -> Value | Miss:
    """The same, also of what Python's `repr` writes."""
    inside = scope.inside(value)
    found = parse_repr(value) if isinstance(value, str) and inside is None else inside
    return found if isinstance(found, dict | list) else UNPARSEABLE


def to_json(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    """The JSON of a value."""
    return json_text(value)


def parse_url(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    """The scheme, host, port and path of a URL, those that it has."""
    found = _URL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return UNPARSEABLE
    parts: dict[str, Value] = {name: part for name, part in found.groupdict().items() if part}
    if "port" in parts:
        parts["port"] = int(found["port"])
    return parts


def has(value: Value, members: tuple[str, ...], scope: Scope) -> Value | Miss:
    """A guard: an object with all of these members."""
    inside = scope.inside(value)
    return value if isinstance(inside, dict) and all(name in inside for name in members) else NOT_THIS


def has_any(value: Value, members: tuple[str, ...], scope: Scope) -> Value | Miss:
    """A guard: an object with one of these members."""
    inside = scope.inside(value)
    return value if isinstance(inside, dict) and any(name in inside for name in members) else NOT_THIS


def only(value: Value, members: tuple[str, ...], scope: Scope) -> Value | Miss:
    """A guard: an object, not empty, with no other members."""
    inside = scope.inside(value)
    return value if isinstance(inside, dict) and inside and all(name in members for name in inside) else NOT_THIS


def is_kind(value: Value, kinds: tuple[str, ...], scope: Scope) -> Value | Miss:
    """A guard: a value of one of these kinds."""
    inside = scope.inside(value)
    if isinstance(inside, dict):
        kind = "object"
    elif isinstance(inside, list):
        kind = "array"
    else:
        kind = "text" if isinstance(value, str) else "scalar"
    return value if kind in kinds else NOT_THIS


def filled(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    """A guard: a text or list that is not empty."""
    return value if isinstance(value, str | list) and value else NOT_THIS


def plus(value: Value, addends: tuple[str, ...], scope: Scope) -> Value | Miss:
    """An integer and those of other attributes or siblings that are there."""
    total = to_int(value)
    for addend in addends:
        for found in _beside(addend, scope):
            other = to_int(found)
            if not isinstance(total, int) or not isinstance(other, int):
                return COERCED
            total += other
    return total


def _beside(name: str, scope: Scope) -> list[Value]:
    """What an attribute holds, or, after a dot, a sibling; before a star, all that begin so."""
    beside, name = (scope.siblings, name[1:]) if name.startswith(".") else (scope.attributes, name)
    if name.endswith("*"):
        return [value for key, value in beside.items() if key.startswith(name[:-1]) and value is not None]
    return [beside[name]] if beside.get(name) is not None else []


def member(value: Value, path: tuple[str, ...], scope: Scope) -> Value | Miss:
    """The member at a path; nothing is no member."""
    for step in path:
        inside = scope.inside(value)
        if not isinstance(inside, dict) or inside.get(step) is None:
            return NOT_THIS
        value = inside[step]
    return value


def length(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    """How many items a list has."""
    return len(value) if isinstance(value, list) else COERCED


def const(_value: Value, argument: Value, _scope: Scope) -> Value | Miss:
    """Always the argument."""
    return argument


def nest(value: Value, argument: tuple[str, tuple[tuple[str, str], ...]], scope: Scope) -> Value | Miss:
    """An object with the value as one member, and other attributes that are there beside it."""
    member, beside = argument
    return {**{name: scope.attributes[key] for name, key in beside if key in scope.attributes}, member: value}
