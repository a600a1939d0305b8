"""What single rows say that cannot be, or cannot be meant: conditions, keys, operations, values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from semconv import ops
from semconv.lint.conditions import impossible
from semconv.lint.finding import Remark
from semconv.lint.reach import Entry
from semconv.ops import OPS, Miss, Step
from semconv.profile.profile import EventRow, FoldKey, Profile, Row, When
from semconv.table import Path, nearest
from semconv.target import OPERATION, Target

_HOLE: Final = re.compile(r"\*\*?|\{[a-z]\}")
_ANYTHING: Final = frozenset({"_OTHER"})
"""The only member of sets that are made by whoever writes them, as the types of errors are."""
_HOLE_LIKE: Final = re.compile(r"[*{}]")


def keys(entries: Sequence[Entry], table: dict[str, Any]) -> Iterator[Remark]:
    """Segments with a star or braces that are no holes: they stand for themselves, and no key is written so."""
    for entry in entries:
        odd = next(
            (part for part in entry.key.split(".") if _HOLE_LIKE.search(part) and not _HOLE.fullmatch(part)), None
        )
        if odd is not None:
            message = (
                f"segment {odd!r} of {entry.key!r} is no hole: those are `{{i}}`, `*` and `**`, each a whole segment"
            )
            yield Remark(entry.place(table), "malformed-key", message)


def conditions(
    entries: Sequence[Entry], profile: Profile, table: Mapping[str, Any], target: Target
) -> Iterator[Remark]:
    """Conditions that no item meets, and operations that none has."""
    seen: set[Path] = set()
    for entry in entries:
        path = (entry.path[:2] if isinstance(entry.entry, FoldKey) else entry.path) + ("when",)
        why = impossible(entry.when, entry.key)
        if why and path not in seen:
            seen.add(path)
            yield Remark(path, "never-holds", f"this condition never holds: {why}")
    known = _operations(profile, target)
    for path, when in _whens(entries, profile, table):
        why = "" if path in seen else impossible(when)
        if why:
            seen.add(path)
            yield Remark(path, "never-holds", f"this condition never holds: {why}")
        odd = next((name for name in when.operation if name not in known and nearest(name, known)), None)
        if odd is not None and (*path, odd) not in seen:
            seen.add((*path, odd))
            message = f"no operation of the target, and none of the table's, is called {odd!r}{nearest(odd, known)}"
            yield Remark((*path, "operation"), "unknown-operation-name", message)


def _whens(entries: Sequence[Entry], profile: Profile, table: Mapping[str, Any]) -> Iterator[tuple[Path, When]]:
    for entry in entries:
        yield (entry.path[:2] if isinstance(entry.entry, FoldKey) else entry.path) + ("when",), entry.when
    whens = {
        "names": [row.when for row in profile.names],
        "kinds": [row.when for row in profile.kinds],
        "implied": [row.when for row in profile.implied],
    }
    yield from (((*path, "when"), row.when) for row, path in events(profile, table))
    for word, listed in whens.items():
        yield from (((word, at, "when"), when) for at, when in enumerate(listed))


def _operations(profile: Profile, target: Target) -> set[str]:
    """Names of operations an item can have: the target's, and what the table itself says."""
    spec = target.attributes.get(target.key_of(OPERATION) or "")
    said = {row.value for row in profile.implied if row.to == OPERATION and isinstance(row.value, str)}
    return {*(spec.members if spec else ()), *target.by_operation, *said, *_looked_up(profile)}


def _looked_up(profile: Profile) -> Iterator[str]:
    rows = [entry for listed in profile.exact.values() for _, entry in listed]
    for row in [*rows, *(each.entry for each in profile.patterns)]:
        if isinstance(row, Row) and row.to == OPERATION:
            for step in row.ops:
                yield from step.argument[0].values() if step.name == "enum" else ()


def events(profile: Profile, table: Mapping[str, Any]) -> Iterator[tuple[EventRow, Path]]:
    """The rows of span events and log records, each once for all the names it is for."""
    for word, rows in (("events", profile.events), ("logs", profile.logs)):
        first = 0
        for at, row in enumerate(table.get(word, [])):
            yield rows[first], (word, at)
            first += len(row["event"]) if isinstance(row["event"], list) else 1


def parts(row: Row, path: Path, table: Mapping[str, Any]) -> Iterator[tuple[Row, Path]]:
    """A row and those inside it that the table itself writes."""
    yield row, path
    yield from ((other, (*path, "also", at)) for at, other in enumerate(row.also))
    if row.split:
        written = table.get("split", {})
        for steps, member in row.split.members:
            name = ".".join(steps)
            if name in written:
                yield from parts(member, (*path, "split", name), written[name])
        yield from parts(row.split.rest, (*path, "rest"), table["rest"]) if "rest" in table else ()


def reasons(row: Row, path: Path) -> Iterator[Remark]:
    """Operations that leave something out, in a row that does not say what becomes of it."""
    cut = next(
        (step.name for before, step in zip((None, *row.ops), row.ops, strict=False) if _cuts(step, before)), None
    )
    if cut and not row.lost and not row.loses and "also" not in path:
        message = (
            f"nothing brings back what `{cut}` leaves out: add `loses: REASON`, or `lost: REASON` if it is to stay"
        )
        yield Remark((*path, "op"), "irreversible-without-reason", message)


def _cuts(step: Step, before: Step | None) -> bool:
    """Whether an operation leaves something out: the one member of an object that has no other is all of it."""
    whole = before is not None and before.name == "only" and step.name == "member" and before.argument == step.argument
    return OPS[step.name].cuts and not whole


def values(row: Row, path: Path, profile: Profile, own_enums: Iterable[str], target: Target) -> Iterator[Remark]:
    """What the last look into a table, or a constant, makes of a value, held against the concept's type and set.

    Only of `own_enums`, those the table itself has: the shared ones are not its affair.
    """
    key = target.key_of(row.to) if row.to and not row.to.endswith("*") else None
    last = row.ops[-1] if row.ops else None
    if key is None or last is None:
        return
    if last.name == "const":
        yield from _value(last.argument, key, (*path, "op"), target)
    if last.name == "enum":
        own = next((name for name in own_enums if profile.enums[name] is last.argument[0]), "")
        for source, said in last.argument[0].items() if own else ():
            yield from _value(said, key, ("enums", own, source), target)


def implied(profile: Profile, target: Target) -> Iterator[Remark]:
    """The same for what follows from the shape alone."""
    for at, row in enumerate(profile.implied):
        key = target.key_of(row.to)
        yield from _value(row.value, key, ("implied", at, "value"), target) if key else ()


def _value(value: Any, key: str, path: Path, target: Target) -> Iterator[Remark]:  # noqa: ANN401  # any plain value
    spec = target.attributes.get(key)
    if isinstance(ops.fit(value, target.type_of(key)), Miss):
        yield Remark(path, "wrong-type", f"{value!r} is no {target.type_of(key)}, which `{key}` is")
    elif spec and isinstance(value, str) and spec.members.difference(_ANYTHING) and value not in spec.members:
        hint = nearest(value, sorted(spec.members))
        yield Remark(path, "not-well-known", f"{value!r} is none of the values `{key}` is known for{hint}")


def metrics(profile: Profile, table: Mapping[str, Any], known: Iterable[str]) -> Iterator[Remark]:
    """Metrics that no target has."""
    first = 0
    for at, written in enumerate(table.get("metrics", [])):
        row = profile.metrics[first]
        if row.to and row.to not in known:
            message = f"unknown metric {row.to!r}: no target has one of this name{nearest(row.to, known)}"
            yield Remark(("metrics", at, "to"), "unknown-concept", message)
        first += len(written["name"]) if isinstance(written["name"], list) else 1


def unused_enums(table: Mapping[str, Any]) -> Iterator[Remark]:
    """Enums of a table's own that no operation of it names."""
    used = set(_named(table))
    for name in table.get("enums", {}):
        if name not in used:
            yield Remark(("enums", name), "unused-enum", f"no row looks anything up in {name!r}")


def _named(value: Any) -> Iterator[str]:  # noqa: ANN401  # a parsed document
    if isinstance(value, dict):
        for word, inner in value.items():
            if word == "enum" and isinstance(inner, str):
                yield inner
            yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)
