"""What is inside an attribute with a structure: the target's types, compiled into checks that say where a value departs.

The types are data (`structures` in a target's file, where its words are described). Source: the JSON schemas of
gen_ai.input.messages and its kin, https://github.com/open-telemetry/semantic-conventions-genai.

Laws: total over plain values; a part of a known type is held to its own definition and never excused as a generic one;
members nobody asks about are allowed everywhere.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

from semconv.table import Defect, Path, mapping, text, texts
from semconv.value import Value, json_text
from semconv.vocabulary import Vocabulary

Report = Callable[[str, Path, Value, str], None]
"""Told of each departure: code, place, what is there, what was expected. For a missing member: the object it is missing in."""
Check = Callable[[Value, Path, Report], None]

_MISSING: Final = object()
_MEDIA: Final = ("misspelt-value", "blob, file or uri, by what there is")
_PLAIN: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "string": ((str,), "text"),
    "number": ((int, float), "a number"),
    "object": ((dict,), "an object"),
}


class Structures:
    """The structures of a target.

    Args:
        table: the `structures` of its file.
        at: where that stands in the file.
        spellings: other words for the values of a list, or the types of a union, by its name; those of content that is
            given in more than one way are `media`.

    Raises:
        Defect: the table is not as it should be.
    """

    def __init__(self, table: dict[str, Any], at: Path, spellings: Mapping[str, Mapping[str, str]]) -> None:
        words = ("shapes", "advised", "values", "objects", "unions")
        mapping(table, at, known=words, need=("shapes", "values", "objects", "unions"))
        self._named: list[tuple[str, Path]] = []
        self._checks: dict[str, Check] = {"any": _any, "base64": _base64}
        self._checks.update({name: _plain(*plain) for name, plain in _PLAIN.items()})
        for name, members in mapping(table["values"], (*at, "values")).items():
            self._checks[name] = _value(Vocabulary(texts(members, (*at, "values", name)), spellings.get(name)))
        for name, fields in mapping(table["objects"], (*at, "objects")).items():
            self._checks[name] = self._object(fields, (*at, "objects", name))
        for name, variants in mapping(table["unions"], (*at, "unions")).items():
            self._checks[name] = self._union(variants, (*at, "unions", name), spellings.get(name, {}))
        self._shapes = {
            name: self._type(word, (*at, "shapes", name))
            for name, word in mapping(table["shapes"], (*at, "shapes")).items()
        }
        self._advised = frozenset(texts(table.get("advised", []), (*at, "advised")))
        for name, path in self._named:
            if name not in self._checks:
                raise Defect(path, f"unknown type {name!r}; known: {', '.join(sorted(self._checks))}")

    def check(self, shape: str, value: Value, report: Report) -> None:
        """Tell `report` where a parsed value departs from a shape; a shape the target does not describe holds anything."""
        check = self._shapes.get(shape)
        if check is None:
            return
        if shape in self._advised:
            check(value, (), lambda _, place, got, expected: report("unusual-structure", place, got, expected))
        else:
            check(value, (), report)

    def is_advised(self, shape: str) -> bool:
        """Whether departures from a shape are worth a word and no more."""
        return shape in self._advised

    # ------------------------------------------------------------------ compiling

    def _type(self, word: object, path: Path) -> Check:
        name = text(word, path)
        if name.endswith("?"):
            inner = self._type(name[:-1], path)
            return lambda value, place, report: None if value is None else inner(value, place, report)
        if name.startswith("[") and name.endswith("]"):
            return _list(self._type(name[1:-1], path))
        self._named.append((name, path))

        def check(value: Value, place: Path, report: Report) -> None:
            """Looked up late: types may name each other in any order."""
            self._checks[name](value, place, report)

        return check

    def _object(self, fields: object, path: Path) -> Check:
        """An object whose members have types; those that end in `?` may be missing."""
        types = {name: self._type(word, (*path, name)) for name, word in mapping(fields, path).items()}
        needed = frozenset(name for name, word in mapping(fields, path).items() if not word.endswith("?"))

        def check(value: Value, place: Path, report: Report) -> None:
            if not isinstance(value, dict):
                report("wrong-structure", place, value, "an object")
                return
            for name, inner in types.items():
                if name in value:
                    inner(value[name], (*place, name), report)
                elif name in needed:
                    report("missing-member", (*place, name), value, f"a member {name}, as {path[-1]} must have")

        return check

    def _union(self, variants: object, path: Path, spellings: Mapping[str, str]) -> Check:
        """Objects told apart by their type."""
        checks = {name: self._object(fields, (*path, name)) for name, fields in mapping(variants, path).items()}
        other = checks.pop("*", _any)
        types = Vocabulary(checks, spellings)
        media = frozenset(name for name, kind in spellings.items() if kind == "media")

        def check(value: Value, place: Path, report: Report) -> None:
            kind = value.get("type", _MISSING) if isinstance(value, dict) else None
            if not isinstance(kind, str):
                report("wrong-structure", place, value, f"an object with a text `type`, as every {path[-1]} is")
                return
            inner = checks.get(kind)
            if inner is None:
                code, expected = types.fault(kind) if kind not in media else _MEDIA
                if code == "misspelt-value":
                    report(code, (*place, "type"), kind, expected)
                inner = other
            inner(value, place, report)

        return check


# ------------------------------------------------------------------ types that need no table


def _any(_value: Value, _place: Path, _report: Report) -> None:
    return


def _plain(types: tuple[type, ...], words: str) -> Check:
    def check(value: Value, place: Path, report: Report) -> None:
        if not isinstance(value, types) or isinstance(value, bool):
            report("wrong-structure", place, value, words)

    return check


def _value(values: Vocabulary) -> Check:
    def check(value: Value, place: Path, report: Report) -> None:
        if not isinstance(value, str):
            report("wrong-structure", place, value, "text")
        elif value not in values:
            code, expected = values.fault(value)
            report(code, place, value, expected)

    return check


def _list(inner: Check) -> Check:
    def check(value: Value, place: Path, report: Report) -> None:
        if not isinstance(value, list):
            report("wrong-structure", place, value, "an array")
            return
        for at, item in enumerate(value):
            inner(item, (*place, at), report)

    return check


def _base64(value: Value, place: Path, report: Report) -> None:
    """Bytes are base64 in a JSON text, and may be themselves in a structure."""
    if isinstance(value, bytes):
        return
    if not isinstance(value, str):
        report("wrong-structure", place, value, "base64 text")
        return
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        report("not-base64", place, value, "bytes in standard base64")


def pointer(place: Path) -> str:
    """A place in a structure, as paths have it: `/0/parts/1/content`."""
    return "".join(f"/{step}" for step in place)


def excerpt(value: Value) -> str:
    """A value as a message shows it."""
    return value if isinstance(value, str) else json_text(value)
