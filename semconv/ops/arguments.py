"""Arguments of operations, as a table writes them: checked and made ready once, when the table is read.

Law: what an operation cannot use is a `Defect` that names the place in the table.
"""

from __future__ import annotations

from collections.abc import Mapping

from semconv.ops.operation import Enums
from semconv.reasons import REASONS
from semconv.table import Defect, Path, mapping, nearest, number, one_of, sequence, text, texts
from semconv.value import Value


def none(value: object, path: Path, _enums: Enums) -> None:
    """No argument."""
    if value is not None:
        raise Defect(path, f"expected no argument, got {value!r}")


def enum(value: object, path: Path, enums: Enums) -> tuple[Mapping[str, str], str]:
    """The enum of this name; no reason of its own yet for what it does not have."""
    name = text(value, path)
    if name not in enums:
        raise Defect(
            path, f"unknown enum {name!r}{nearest(name, enums)}; known: {', '.join(sorted(enums))}", "unknown-enum"
        )
    return enums[name], ""


def refusal(value: object, path: Path, enums: Enums) -> tuple[frozenset[str], str]:
    """The texts of an enum, and the reason to refuse them for."""
    table = mapping(value, path, known={"enum", "reason"}, need=["enum", "reason"])
    members, _ = enum(table["enum"], (*path, "enum"), enums)
    return frozenset(members), one_of(table["reason"], (*path, "reason"), REASONS)


def one_text(value: object, path: Path, _enums: Enums) -> str:
    """A text."""
    return text(value, path)


def some_texts(value: object, path: Path, _enums: Enums) -> tuple[str, ...]:
    """A text or a list of them."""
    return texts(value, path)


def member_path(value: object, path: Path, _enums: Enums) -> tuple[str, ...]:
    """Names of members, with dots between them."""
    return tuple(text(value, path).split("."))


def affixes(value: object, path: Path, _enums: Enums) -> tuple[str, str]:
    """A prefix and a suffix, either of which may be missing."""
    table = mapping(value, path, known={"prefix", "suffix"})
    return str(table.get("prefix", "")), str(table.get("suffix", ""))


def ratio(value: object, path: Path, _enums: Enums) -> tuple[int, int]:
    """Two positive integers."""
    items = sequence(value, path)
    if len(items) != 2 or not all(number(item, path) > 0 for item in items):
        raise Defect(path, f"expected two positive integers, got {value!r}")
    return items[0], items[1]


def kinds(value: object, path: Path, _enums: Enums) -> tuple[str, ...]:
    """Kinds of value, one or several."""
    kinds = texts(value, path)
    for kind in kinds:
        if kind not in ("object", "array", "text", "scalar"):
            raise Defect(path, f"expected object, array, text or scalar; got {kind!r}")
    return kinds


def anything(value: Value, _path: Path, _enums: Enums) -> Value:
    """Whatever stands there."""
    return value


def nest(value: object, path: Path, _enums: Enums) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The name that the value gets, and the attributes beside it by the names they get."""
    table = mapping(value, path, known={"as", "beside"}, need=["as"])
    beside = mapping(table.get("beside", {}), (*path, "beside"))
    return text(table["as"], (*path, "as")), tuple(
        (name, text(key, (*path, "beside", name))) for name, key in beside.items()
    )
