"""A difference of two runs as lines for people: only what changed, then what did not in one line.

Law: every line fits the columns; signs say what colours say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from evidence.canonical import JsonObject
from evidence.reading.difference import Change, Difference
from evidence.reading.run_profile import Value
from sidecar.cli.columns import Chunk, clip, styled, wrapped
from sidecar.cli.printable import printable

__all__ = ["difference_lines"]

_STYLES = {"-": "red", "+": "green", "~": "yellow"}
_AROUND = 24
"""Characters shown before the place where two texts begin to differ."""


def difference_lines(found: Difference, columns: int) -> Iterator[str]:
    """The lines of a difference."""
    for name, bundle in (("A", found.a), ("B", found.b)):
        yield styled([Chunk(f"{name}  ", "bold"), *_bundle(bundle, columns - 3)])
    for facet, changes in found.changes.items():
        yield ""
        yield styled([Chunk(facet.replace("_", " "), "bold")])
        for change in changes:
            yield from _change(change, _name_columns(changes, columns), columns)
        yield from _where(changes, columns)
    yield ""
    if not found.changes:
        yield styled([Chunk("No difference in what could be compared.", "bold green")])
    yield from _list("same", [_words(facet) for facet in found.same], columns)
    held = [f"{_words(facet)} (withheld: {a} in A, {b} in B)" for facet, (a, b) in found.withheld.items()]
    yield from _list("cannot be told", held, columns, "yellow")
    yield from _list("neither says", [_words(facet) for facet in found.silent], columns)
    yield from _list("left out", [_words(facet) for facet in found.ignored], columns)
    note = "Not checked here: signatures, scores, mapping. `affidavit verify` checks them."
    yield styled([Chunk(clip(note, columns), "dim")])


def _bundle(bundle: JsonObject, columns: int) -> list[Chunk]:
    part = "" if bundle["part"] == 1 else f" part {bundle['part']}"
    when = f"  {bundle['opened_at'][:19].replace('T', ' ')} UTC  {bundle['event_count']:,} events"
    return [Chunk(clip(f"run {bundle['run_id']}{part}", columns - len(when))), Chunk(when, "dim")]


def _words(facet: str) -> str:
    return facet.replace("_", " ")


def _name_columns(changes: Sequence[Change], columns: int) -> int:
    """How wide the names of a facet are, where their values stand beside them."""
    return min(max(cell_len(change.name) for change in changes), columns // 2)


def _change(change: Change, name_columns: int, columns: int) -> Iterator[str]:
    sign = "+" if change.a is None else "-" if change.b is None else "~"
    before = Chunk(f"  {sign} ", _STYLES[sign])
    if change.words:
        size = f"  ({change.b if change.a is None else change.a} characters)"
        words = clip(f"“{' '.join(change.words.split())}”", columns - 4 - len(size))
        yield styled([before, Chunk(words), Chunk(size, "dim")])
        return
    value = _beside(change)
    name = clip(change.name, columns - 4)
    padding = " " * (name_columns - cell_len(name) + 2)
    if len(padding) >= 2 and 4 + name_columns + 2 + cell_len(value) <= columns:
        yield styled([before, Chunk(name), Chunk(padding), Chunk(value)])
        return
    yield styled([before, Chunk(name)])
    for side, told in (("A", change.a), ("B", change.b)):
        if told is not None:
            for number, line in enumerate(wrapped([Chunk(word) for word in _text(told).split()], columns - 9, " ")):
                yield styled([Chunk(f"      {' ' if number else side}  ", "dim"), *line])


def _beside(change: Change) -> str:
    """The value, or both with what lies between them."""
    if change.a is None or change.b is None:
        return _text(change.b if change.a is None else change.a)
    said = f"{_text(change.a)} → {_text(change.b)}"
    if _is_number(change.a) and _is_number(change.b):
        return f"{said}  ({_text(change.b - change.a, signed=True)})"  # type: ignore[operator]  # both are numbers
    return said


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Value, *, signed: bool = False) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not _is_number(value):
        return printable(str(value))
    sign = "+" if signed else ""
    return format(value, f"{sign}.3g" if isinstance(value, float) else f"{sign},")


def _where(changes: Sequence[Change], columns: int) -> Iterator[str]:
    """Where two texts begin to differ, when one stands for the other."""
    told = [change for change in changes if change.words]
    if len(told) != 2 or (told[0].a is None) == (told[1].a is None):
        return
    before, after = sorted(told, key=lambda change: change.a is None)
    shortest = min(len(before.words), len(after.words))
    place = next((n for n in range(shortest) if before.words[n] != after.words[n]), shortest)
    if place <= _AROUND:
        return
    start = before.words.find(" ", place - _AROUND, place) + 1 or place - _AROUND
    yield styled([Chunk(clip(f"      the same for {place:,} characters, then:", columns), "dim")])
    for change, sign in ((before, "-"), (after, "+")):
        words = " ".join(change.words[start : start + columns].split())
        yield styled([Chunk(f"      {sign} ", _STYLES[sign]), Chunk(clip(f"…{words}", columns - 8))])


def _list(name: str, entries: Sequence[str], columns: int, style: str = "dim") -> Iterator[str]:
    """One line of what needs no lines of its own, or as many as it takes."""
    for number, line in enumerate(wrapped([Chunk(entry, style) for entry in entries], columns - len(name) - 2, ", ")):
        yield styled([Chunk(" " * (len(name) + 2) if number else f"{name}: "), *line])
