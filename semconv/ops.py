"""The closed set of operations a profile may use on a value.

Laws: total (an operation answers with a value or with a `Miss` that names the reason, it never raises); every one has an
inverse or the word that it has none. A table composes them in the order written: `op: [{before: "."}, lower, {enum: provider}]`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from semconv.python_repr import parse_repr
from semconv.reasons import REASONS
from semconv.table import Defect, Path, mapping, nearest, number, one_of, sequence, text, texts
from semconv.value import Texts, Value, document, fits_int64, json_text, weighed

Argument = Any
Enums = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Miss:
    """An operation does not apply to this value, and the reason of loss if nothing else does."""

    reason: str


class Scope:
    """What an operation may look at beside its value: the item's attributes, and each JSON text parsed once."""

    __slots__ = ("_parsed", "attributes", "siblings", "texts")

    def __init__(self, attributes: Mapping[str, Value], texts: Texts | None = None) -> None:
        self.attributes = attributes
        self.texts: Texts = {} if texts is None else texts
        self.siblings: Mapping[str, Value] = {}
        """The members of the object that is being taken apart."""
        self._parsed: dict[int, tuple[str, dict[str, Value] | list[Value] | None, int]] = {}

    def inside(self, value: Value) -> Value:
        """The document a text is the JSON of, None for other text; what is no text is itself. Not to be changed."""
        return self.weighed(value)[0] if isinstance(value, str) else value

    def weighed(self, text: str) -> tuple[dict[str, Value] | list[Value] | None, int]:
        """The document of a text and the number of its leaves; None and 1 when it is of none."""
        known = self._parsed.get(id(text))
        if known is None:
            found = weighed(text, self.texts)
            known = (text, None, 1) if found is None else (text, *found)
            self._parsed[id(text)] = known  # the text is kept with it, so that its id stays its own
        return known[1], known[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation of the set."""

    run: Callable[[Value, Argument, Scope], Value | Miss]
    inverse: str | None
    """The operation that undoes it, None where there is none."""
    argument: Callable[[Any, Path, Enums], Argument]
    """Checks and compiles the argument as it stands in a table."""
    cuts: bool = False
    """It leaves something of the value out, so a row that uses it says what becomes of that: `lost` or `loses`."""


@dataclass(frozen=True, slots=True)
class Step:
    """An operation with its argument, ready to run."""

    name: str
    run: Callable[[Value, Argument, Scope], Value | Miss]
    argument: Argument
    inverse: str | None


UNPARSEABLE: Final = Miss("unparseable")
COERCED: Final = Miss("type_coerced")
NOT_THIS: Final = Miss("ambiguous")
NO_LABEL: Final = Miss("no_concept")

_INTEGER: Final = re.compile(r"[+-]?\d{1,19}")
_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:[^/?#@]*@)?(?P<host>\[[^\]/]*\]|[^/?#:]+)(?::(?P<port>\d{1,5}))?(?P<path>[/?#].*)?"
)


def compiled(spec: object, path: Path, enums: Enums) -> tuple[Step, ...]:
    """The steps of an `op` entry: a name, a mapping of one name to its argument, or a list of these. Raises `Defect`."""
    items = spec if isinstance(spec, list) else [spec]
    return tuple(_step(item, (*path, at) if items is spec else path, enums) for at, item in enumerate(items))


def run(steps: tuple[Step, ...], value: Value, scope: Scope) -> Value | Miss:
    """The value after all steps, or the first miss."""
    for step in steps:
        result = step.run(value, step.argument, scope)
        if isinstance(result, Miss):
            return result
        value = result
    return value


def fit(value: Value, kind: str) -> Value | Miss:
    """The value as an attribute of a registry type wants it; `any` takes everything."""
    return _FITS.get(kind, _anything)(value)


# ------------------------------------------------------------------ casts


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


# ------------------------------------------------------------------ the operations


def _enum(value: Value, argument: tuple[Mapping[str, str], str], _scope: Scope) -> Value | Miss:
    table, miss = argument
    found = table.get(value) if isinstance(value, str) else None
    if found is not None:
        return found
    return Miss(miss) if miss else value


def _refuse(value: Value, argument: tuple[frozenset[str], str], _scope: Scope) -> Value | Miss:
    return Miss(argument[1]) if isinstance(value, str) and value in argument[0] else value


def _lower(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    return value.lower() if isinstance(value, str) else COERCED


def _upper(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    return value.upper() if isinstance(value, str) else COERCED


def _before(value: Value, separator: str, _scope: Scope) -> Value | Miss:
    return value.partition(separator)[0] if isinstance(value, str) else COERCED


def _after(value: Value, separator: str, _scope: Scope) -> Value | Miss:
    if not isinstance(value, str):
        return COERCED
    head, found, tail = value.partition(separator)
    return tail if found else head


def _trim(value: Value, argument: tuple[str, str], _scope: Scope) -> Value | Miss:
    prefix, suffix = argument
    if not isinstance(value, str) or len(value) < len(prefix) + len(suffix):
        return NOT_THIS
    if not value.startswith(prefix) or not value.endswith(suffix):
        return NOT_THIS
    return value[len(prefix) : len(value) - len(suffix)]


def _affix(value: Value, argument: tuple[str, str], _scope: Scope) -> Value | Miss:
    return f"{argument[0]}{value}{argument[1]}" if isinstance(value, str) else COERCED


def _scale(value: Value, argument: tuple[int, int], _scope: Scope) -> Value | Miss:
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


def _wrap_list(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    return value if isinstance(value, list) else [value]


def _unwrap_list(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    if isinstance(value, list):
        return value[0] if len(value) == 1 else NOT_THIS
    return value


def _parse_json(value: Value, _argument: None, scope: Scope) -> Value | Miss:
    inside = scope.inside(value)
    return inside if isinstance(inside, dict | list) else UNPARSEABLE


def _parse_repr(value: Value, _argument: None, scope: Scope) -> Value | Miss:
    inside = scope.inside(value)
    found = parse_repr(value) if isinstance(value, str) and inside is None else inside
    return found if isinstance(found, dict | list) else UNPARSEABLE


def _json_text(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    return json_text(value)


def _parse_url(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    found = _URL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return UNPARSEABLE
    parts: dict[str, Value] = {name: part for name, part in found.groupdict().items() if part}
    if "port" in parts:
        parts["port"] = int(found["port"])
    return parts


def _has(value: Value, members: tuple[str, ...], scope: Scope) -> Value | Miss:
    inside = scope.inside(value)
    return value if isinstance(inside, dict) and all(name in inside for name in members) else NOT_THIS


def _has_any(value: Value, members: tuple[str, ...], scope: Scope) -> Value | Miss:
    inside = scope.inside(value)
    return value if isinstance(inside, dict) and any(name in inside for name in members) else NOT_THIS


def _only(value: Value, members: tuple[str, ...], scope: Scope) -> Value | Miss:
    inside = scope.inside(value)
    return value if isinstance(inside, dict) and inside and all(name in members for name in inside) else NOT_THIS


def _is(value: Value, kinds: tuple[str, ...], scope: Scope) -> Value | Miss:
    inside = scope.inside(value)
    if isinstance(inside, dict):
        kind = "object"
    elif isinstance(inside, list):
        kind = "array"
    else:
        kind = "text" if isinstance(value, str) else "scalar"
    return value if kind in kinds else NOT_THIS


def _filled(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    return value if isinstance(value, str | list) and value else NOT_THIS


def _plus(value: Value, addends: tuple[str, ...], scope: Scope) -> Value | Miss:
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


def _member(value: Value, path: tuple[str, ...], scope: Scope) -> Value | Miss:
    for step in path:
        inside = scope.inside(value)
        if not isinstance(inside, dict) or inside.get(step) is None:
            return NOT_THIS
        value = inside[step]
    return value


def _length(value: Value, _argument: None, _scope: Scope) -> Value | Miss:
    return len(value) if isinstance(value, list) else COERCED


def _const(_value: Value, argument: Value, _scope: Scope) -> Value | Miss:
    return argument


def _nested(value: Value, argument: tuple[str, tuple[tuple[str, str], ...]], scope: Scope) -> Value | Miss:
    member, beside = argument
    return {**{name: scope.attributes[key] for name, key in beside if key in scope.attributes}, member: value}


# ------------------------------------------------------------------ arguments


def _none(value: object, path: Path, _enums: Enums) -> None:
    if value is not None:
        raise Defect(path, f"expected no argument, got {value!r}")


def _enum_argument(value: object, path: Path, enums: Enums) -> tuple[Mapping[str, str], str]:
    name = text(value, path)
    if name not in enums:
        raise Defect(
            path, f"unknown enum {name!r}{nearest(name, enums)}; known: {', '.join(sorted(enums))}", "unknown-enum"
        )
    return enums[name], ""


def _refuse_argument(value: object, path: Path, enums: Enums) -> tuple[frozenset[str], str]:
    table = mapping(value, path, known={"enum", "reason"}, need=["enum", "reason"])
    members, _ = _enum_argument(table["enum"], (*path, "enum"), enums)
    return frozenset(members), one_of(table["reason"], (*path, "reason"), REASONS)


def _text_argument(value: object, path: Path, _enums: Enums) -> str:
    return text(value, path)


def _texts_argument(value: object, path: Path, _enums: Enums) -> tuple[str, ...]:
    return texts(value, path)


def _path_argument(value: object, path: Path, _enums: Enums) -> tuple[str, ...]:
    return tuple(text(value, path).split("."))


def _affixes(value: object, path: Path, _enums: Enums) -> tuple[str, str]:
    table = mapping(value, path, known={"prefix", "suffix"})
    return str(table.get("prefix", "")), str(table.get("suffix", ""))


def _ratio(value: object, path: Path, _enums: Enums) -> tuple[int, int]:
    items = sequence(value, path)
    if len(items) != 2 or not all(number(item, path) > 0 for item in items):
        raise Defect(path, f"expected two positive integers, got {value!r}")
    return items[0], items[1]


def _kinds(value: object, path: Path, _enums: Enums) -> tuple[str, ...]:
    kinds = texts(value, path)
    for kind in kinds:
        if kind not in ("object", "array", "text", "scalar"):
            raise Defect(path, f"expected object, array, text or scalar; got {kind!r}")
    return kinds


def _any_argument(value: Value, _path: Path, _enums: Enums) -> Value:
    return value


def _nest(value: object, path: Path, _enums: Enums) -> tuple[str, tuple[tuple[str, str], ...]]:
    table = mapping(value, path, known={"as", "beside"}, need=["as"])
    beside = mapping(table.get("beside", {}), (*path, "beside"))
    return text(table["as"], (*path, "as")), tuple(
        (name, text(key, (*path, "beside", name))) for name, key in beside.items()
    )


def _cast(to: Callable[[Value], Value | Miss]) -> Op:
    return Op(run=lambda value, _argument, _scope: to(value), inverse=None, argument=_none)


OPS: Final[Mapping[str, Op]] = {
    "int": _cast(to_int),
    "float": _cast(to_float),
    "bool": _cast(to_bool),
    "str": _cast(to_str),
    "strings": _cast(to_strings),
    "lower": Op(run=_lower, inverse=None, argument=_none),
    "upper": Op(run=_upper, inverse=None, argument=_none),
    "before": Op(run=_before, inverse=None, argument=_text_argument, cuts=True),
    "after": Op(run=_after, inverse=None, argument=_text_argument, cuts=True),
    "trim": Op(run=_trim, inverse="affix", argument=_affixes),
    "affix": Op(run=_affix, inverse="trim", argument=_affixes),
    "scale": Op(run=_scale, inverse="scale", argument=_ratio),
    "enum": Op(run=_enum, inverse="enum", argument=_enum_argument),
    "refuse": Op(run=_refuse, inverse="keep", argument=_refuse_argument),
    "wrap_list": Op(run=_wrap_list, inverse="unwrap_list", argument=_none),
    "unwrap_list": Op(run=_unwrap_list, inverse="wrap_list", argument=_none),
    "parse_json": Op(run=_parse_json, inverse="json_text", argument=_none),
    "parse_repr": Op(run=_parse_repr, inverse=None, argument=_none),
    "json_text": Op(run=_json_text, inverse="parse_json", argument=_none),
    "parse_url": Op(run=_parse_url, inverse=None, argument=_none),
    "has": Op(run=_has, inverse="keep", argument=_texts_argument),
    "has_any": Op(run=_has_any, inverse="keep", argument=_texts_argument),
    "only": Op(run=_only, inverse="keep", argument=_texts_argument),
    "is": Op(run=_is, inverse="keep", argument=_kinds),
    "filled": Op(run=_filled, inverse="keep", argument=_none),
    "member": Op(run=_member, inverse=None, argument=_path_argument, cuts=True),
    "plus": Op(run=_plus, inverse=None, argument=_texts_argument),
    "length": Op(run=_length, inverse=None, argument=_none, cuts=True),
    "const": Op(run=_const, inverse=None, argument=_any_argument, cuts=True),
    "nest": Op(run=_nested, inverse=None, argument=_nest),
}
"""Everything a profile can do to a value. `refuse`, `has`, `has_any`, `only`, `is` and `filled` are guards: they pass a value or miss."""


def _step(item: object, path: Path, enums: Enums) -> Step:
    if isinstance(item, str):
        name, argument, miss = item, None, ""
    else:
        table = mapping(item, path, known={*OPS, "miss"})
        names = [key for key in table if key != "miss"]
        if len(names) != 1:
            raise Defect(path, f"expected one operation, got {', '.join(names) or 'none'}")
        name, argument = names[0], table[names[0]]
        miss = one_of(table["miss"], (*path, "miss"), REASONS) if "miss" in table else ""
    if name not in OPS:
        raise Defect(
            path,
            f"unknown operation {name!r}{nearest(name, OPS)}; known: {', '.join(sorted(OPS))}",
            "unknown-operation",
        )
    op = OPS[name]
    ready = op.argument(argument, (*path, name) if not isinstance(item, str) else path, enums)
    inverse = op.inverse
    if name == "enum":
        ready = (ready[0], miss)
        sources: dict[str, int] = {}
        for target in ready[0].values():
            sources[target] = sources.get(target, 0) + 1
        inverse = "enum" if all(count == 1 for count in sources.values()) else None
    return Step(name, op.run, ready, inverse)
