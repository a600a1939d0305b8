"""A table's rows in words: where something goes, by which operations, when, and what else the row says.

Law: nothing a table says is left out. A word or operation without words here is given as it is written, so that a table
may learn new ones before this module does. Names (keys, concepts, reasons, values) stand in backticks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from semconv.ops import OPS, Enums, compiled

Row = Mapping[str, Any]
"""A row as it is written in a table: of keys, folds, events, logs, metrics, names, kinds or what is implied."""

NAMES: Final[Mapping[str, str]] = {
    "rows": "key", "folds": "keys", "events": "event", "logs": "event", "metrics": "name", "names": "pattern",
}  # fmt: skip
"""Lists of a table, and the word of their rows that says what the row is for."""

_OPERATIONS: Final[Mapping[str, str]] = {
    "int": "as an integer",
    "float": "as a number",
    "bool": "as true or false",
    "str": "as text",
    "strings": "as a list of texts",
    "lower": "in lower case",
    "upper": "in upper case",
    "before": "what stands before {}",
    "after": "what stands after {}",
    "trim": "without {}",
    "affix": "with {} around it",
    "scale": "times {}",
    "enum": "looked up in {}",
    "wrap_list": "as a list of one",
    "unwrap_list": "the one member of the list",
    "parse_json": "read as JSON",
    "parse_repr": "read as JSON or as Python's repr",
    "json_text": "written as JSON",
    "parse_url": "taken apart as a URL",
    "member": "its member {}",
    "plus": "plus {}",
    "length": "the number of its members",
    "const": "always {}",
    "nest": "nested {}",
    "refuse": "if it is not in {}",
    "has": "if it is an object with {}",
    "has_any": "if it is an object with one of {}",
    "only": "if it is an object with nothing but {}",
    "is": "if it is {}",
    "filled": "if it is a text or a list that is not empty",
}

_CONDITIONS: Final[Mapping[str, str]] = {
    "operation": "operation {}",
    "present": "with {}",
    "any": "with one of {}",
    "absent": "without {}",
    "scope": "scope {}",
}

_ANY_OF: Final = frozenset({"operation", "any", "absent", "scope", "has_any", "is"})
"""Words of which one of several is enough."""

_BESIDE: Final[Mapping[str, str]] = {"miss": "otherwise"}

_REMARKS: Final[Mapping[str, str]] = {
    "loses": "what that leaves out is noted as {}",
    "same_as": "says nothing of its own when {} holds the same",
    "copy": "the source key stays as well",
    "yields": "lost as {} beside a stronger claim",
    "role": "role {} where the body has none",
    "take": "of a whole conversation the {} alone",
    "parts_in_text": "a content may be the JSON of a list of parts",
    "secondary": "not read beside a stronger claim",
    "evict": "the target's key does not keep what nothing takes",
    "body": "the body is {}, if the event has it",
    "rename": "inside it {}",
    "points": "if all points have {}",
    "unit": "in {} where it names no unit",
}

_VARIABLE: Final = re.compile(r"\{([^{}]+)\}")

_SAID_ELSEWHERE: Final = frozenset(
    {"to", "op", "when", "split", "object", "rest", "lost", "derived", "sum_of", "keep", "lift", "attributes", "also", "kind", "says",
     "value", *NAMES.values()}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a row."""

    words: str
    inverse: str | None
    """The operation that undoes it; None where there is none."""


def goes(row: Row) -> str:
    """Where a row sends what it takes."""
    if "to" in row and "value" in row:
        return f"`{row['to']}` is `{plain(row['value'])}`"
    if "to" in row:
        some = f"; the value itself is lost as `{row['lost']}`" if "lost" in row else ""
        return f"`{row['to']}`{some}"
    if "object" in row:
        return f"member by member, as object `{row['object']}`"
    if "split" in row:
        return "member by member"
    if "lost" in row:
        return f"no home: `{row['lost']}`"
    if "sum_of" in row:
        return f"left out when it is the sum of {_listed(row['sum_of'], 'and')}; otherwise no home: `no_concept`"
    if row.get("derived"):
        return "left out: it can be worked out"
    if row.get("keep"):
        return "stays: an attribute in its own right"
    if row.get("lift"):
        return "its attributes are the item's"
    if "kind" in row:
        return f"span kind `{row['kind']}`"
    if "pattern" in row:
        return _of_name(row)
    return "attribute by attribute" if "attributes" in row else ""


def _of_name(row: Row) -> str:
    """What a span name says where nothing else does."""
    said = [f"`{concept}`" for concept in _VARIABLE.findall(row["pattern"])]
    said += [f"`{concept}` is `{plain(value)}`" for concept, value in row.get("says", {}).items()]
    return f"{' and '.join(said)}, if nothing else says it" if said else "nothing more than the attributes do"


def operations(row: Row, enums: Enums) -> list[Operation]:
    """The operations of a row in the order they are done.

    One whose inverse is `keep` only asks: it passes a value as it is, or the row does not apply.
    """
    spec = row.get("op", [])
    written = spec if isinstance(spec, list) else [spec]
    return [
        Operation(_operation(step), ready.inverse)
        for step, ready in zip(written, compiled(spec, (), enums), strict=True)
    ]


def condition(row: Row) -> str:
    """The item a row asks for, empty where any will do. Every part must hold."""
    when = row.get("when") or {}
    parts = [_said(_CONDITIONS, word, asked) for word, asked in when.items() if word != "value"]
    parts += [f"`{key}` is {_listed(values, 'or')}" for key, values in when.get("value", {}).items()]
    return ", ".join(parts)


def remarks(row: Row) -> list[str]:
    """What else a row says."""
    return [
        _said(_REMARKS, word, value)
        for word, value in row.items()
        if word not in _SAID_ELSEWHERE and value is not False
    ]


def members(row: Row) -> Iterator[tuple[str, Row]]:
    """Rows inside a row, each under what it is for: members of a value, attributes of an event, further claims, the rest."""
    for name, inner in row.get("split", {}).items():
        yield f"#/{name.replace('.', '/')}", inner
    for name, inner in row.get("attributes", {}).items():
        yield name, inner
    also = row.get("also", [])
    for inner in also if isinstance(also, list) else [also]:
        yield "also", inner
    if "split" in row or "object" in row:
        yield "the rest", row.get("rest", {"lost": "partial_no_concept"})


def plain(value: object) -> str:
    """A value of a table as it is written."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _operation(step: Any) -> str:  # noqa: ANN401  # a parsed document
    if isinstance(step, str):
        return _said(_OPERATIONS, step, value=True)
    # `compiled` has read it: a name, or a mapping that has one.
    name = next(word for word in step if word in OPS)
    argument = step[name]
    beside = "".join(f", {_BESIDE.get(word, word)} `{plain(value)}`" for word, value in step.items() if word != name)
    return _said(_OPERATIONS, name, _ARGUMENTS.get(name, _same)(argument)) + beside


def _ratio(argument: Any) -> Any:  # noqa: ANN401  # a parsed document
    numerator, denominator = argument
    return _Text(f"{numerator}/{denominator}" if denominator != 1 else f"{numerator}")


def _affixes(argument: Any) -> Any:  # noqa: ANN401  # a parsed document
    return [argument[place] for place in ("prefix", "suffix") if place in argument]


def _table_and_reason(argument: Any) -> Any:  # noqa: ANN401  # a parsed document
    return _Text(f"`{argument['enum']}` (else `{argument['reason']}`)")


def _nesting(argument: Any) -> Any:  # noqa: ANN401  # a parsed document
    beside = "".join(f", `{name}` from `{key}`" for name, key in argument.get("beside", {}).items())
    return _Text(f"as member `{argument['as']}`{beside}")


def _same(argument: Any) -> Any:  # noqa: ANN401  # a parsed document
    return argument


class _Text(str):
    """Words, not a name: no backticks."""

    __slots__ = ()


_ARGUMENTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "scale": _ratio,
    "trim": _affixes,
    "affix": _affixes,
    "refuse": _table_and_reason,
    "nest": _nesting,
}


def _said(templates: Mapping[str, str], word: str, value: object) -> str:
    """A word by its template, or as it is written."""
    template = templates.get(word)
    if template is None:
        return f"`{word}`" if value is True else f"`{word}: {plain(value)}`"
    if isinstance(value, Mapping):
        value = _Text(", ".join(f"`{key}` as {_listed(values, 'or')}" for key, values in value.items()))
    return template.format(_listed(value, "or" if word in _ANY_OF else "and"))


def _listed(value: object, joined: str) -> str:
    if isinstance(value, _Text):
        return value
    names = [f"`{plain(item)}`" for item in (value if isinstance(value, list) else [value])]
    return f" {joined} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
