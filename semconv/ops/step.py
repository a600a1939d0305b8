"""The closed set of operations, and the steps that a table's `op` entries are made of them.

Laws: what is not in `OPS` cannot be done to a value; every operation has an inverse or the word that it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from semconv.ops import acts, arguments
from semconv.ops.cast import to_bool, to_float, to_int, to_str, to_strings
from semconv.ops.operation import Argument, Enums, Miss, Op, Scope
from semconv.reasons import REASONS
from semconv.table import Defect, Path, mapping, nearest, one_of
from semconv.value import Value


@dataclass(frozen=True, slots=True)
class Step:
    """An operation with its argument, ready to run."""

    name: str
    run: Callable[[Value, Argument, Scope], Value | Miss]
    argument: Argument
    inverse: str | None


def _cast(to: Callable[[Value], Value | Miss]) -> Op:
    return Op(run=lambda value, _argument, _scope: to(value), inverse=None, argument=arguments.none)


OPS: Final[Mapping[str, Op]] = {
    "int": _cast(to_int),
    "float": _cast(to_float),
    "bool": _cast(to_bool),
    "str": _cast(to_str),
    "strings": _cast(to_strings),
    "lower": Op(run=acts.lower, inverse=None, argument=arguments.none),
    "upper": Op(run=acts.upper, inverse=None, argument=arguments.none),
    "before": Op(run=acts.before, inverse=None, argument=arguments.one_text, cuts=True),
    "after": Op(run=acts.after, inverse=None, argument=arguments.one_text, cuts=True),
    "trim": Op(run=acts.trim, inverse="affix", argument=arguments.affixes),
    "affix": Op(run=acts.affix, inverse="trim", argument=arguments.affixes),
    "scale": Op(run=acts.scale, inverse="scale", argument=arguments.ratio),
    "enum": Op(run=acts.enum, inverse="enum", argument=arguments.enum),
    "refuse": Op(run=acts.refuse, inverse="keep", argument=arguments.refusal),
    "wrap_list": Op(run=acts.wrap_list, inverse="unwrap_list", argument=arguments.none),
    "unwrap_list": Op(run=acts.unwrap_list, inverse="wrap_list", argument=arguments.none),
    "parse_json": Op(run=acts.parse_json, inverse="json_text", argument=arguments.none),
    "parse_repr": Op(run=acts.parse_python, inverse=None, argument=arguments.none),
    "json_text": Op(run=acts.to_json, inverse="parse_json", argument=arguments.none),
    "parse_url": Op(run=acts.parse_url, inverse=None, argument=arguments.none),
    "has": Op(run=acts.has, inverse="keep", argument=arguments.some_texts),
    "has_any": Op(run=acts.has_any, inverse="keep", argument=arguments.some_texts),
    "only": Op(run=acts.only, inverse="keep", argument=arguments.some_texts),
    "is": Op(run=acts.is_kind, inverse="keep", argument=arguments.kinds),
    "filled": Op(run=acts.filled, inverse="keep", argument=arguments.none),
    "member": Op(run=acts.member, inverse=None, argument=arguments.member_path, cuts=True),
    "plus": Op(run=acts.plus, inverse=None, argument=arguments.some_texts),
    "length": Op(run=acts.length, inverse=None, argument=arguments.none, cuts=True),
    "const": Op(run=acts.const, inverse=None, argument=arguments.anything, cuts=True),
    "nest": Op(run=acts.nest, inverse=None, argument=arguments.nest),
}
"""Everything a profile can do to a value. `refuse`, `has`, `has_any`, `only`, `is` and `filled` are guards: they pass a value or miss."""


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
