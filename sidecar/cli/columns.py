"""Text in the columns of a terminal: clipped and wrapped by what it takes there, which for some scripts is two columns a character.

Law: no line made here is wider than was asked for, and none holds a character that a terminal would obey.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click
from rich.cells import cell_len, chop_cells, set_cell_size

from sidecar.cli.printable import printable

__all__ = ["Chunk", "clip", "folded", "output_columns", "say", "styled", "wrapped"]

COLUMNS_MIN = 60
_NEAR = 2
"""A line is not cut within a word when a space stands in this last part of it: the last half."""
_COLUMNS_IN_A_PIPE = 100
_FALLBACKS = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-", "…": "~", "→": ">", "·": "-", "µ": "u"})


class Chunk(NamedTuple):
    """Words that stay together, and how they look."""

    text: str
    style: str = ""
    """Names of a colour and of `bold` or `dim`, separated by spaces."""


def output_columns(asked: int | None) -> int:
    """How wide lines may be: as asked, else as the terminal is, else a hundred."""
    found = asked or (shutil.get_terminal_size((_COLUMNS_IN_A_PIPE, 24)).columns)
    return max(found, COLUMNS_MIN)


def say(line: str, *, color: bool | None) -> None:
    """Print a line; in an encoding that lacks the signs of a tree, with plain ones."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        line = line.translate(_FALLBACKS).encode(encoding, "backslashreplace").decode(encoding)
    click.echo(line, color=color)


def clip(text: str, columns: int) -> str:
    """The text without control characters, cut with an ellipsis where it would be wider than `columns`."""
    text = printable(text[: 4 * columns + 4])
    if cell_len(text) <= columns:
        return text
    return set_cell_size(text, max(columns - 1, 0)).rstrip() + "…" if columns > 0 else ""


def folded(text: str, columns: int) -> list[str]:
    """All of the text, without control characters, in as many lines of at most `columns` as it takes; at least one.

    A line ends behind a space where one is near its end, so that words stay whole; what has no spaces is cut.
    """
    text = printable(text)
    lines: list[str] = []
    start = 0
    while start < len(text):
        line = _first_line(text, start, columns)
        end = start + len(line)
        if end < len(text) and text[end] != " " and (space := line.rfind(" ")) * _NEAR >= len(line):
            line = line[: space + 1]
        lines.append(line)
        start += len(line)
    return lines or [""]


def _first_line(text: str, start: int, columns: int) -> str:
    """As much of the text from `start` on as fits; one character at least."""
    size = columns
    while True:
        piece = text[start : start + size]
        if piece.isascii() and size == columns:
            return piece
        first = chop_cells(piece, columns)[0]
        if len(first) < len(piece) or start + size >= len(text):
            return first or piece[0]
        size *= 2  # characters without a width: more of them fit


def wrapped(chunks: Sequence[Chunk], columns: int, gap: str = "  ") -> Iterator[list[Chunk]]:
    """The chunks in lines of at most `columns`; what is wider by itself is clipped."""
    line: list[Chunk] = []
    used = 0
    columns -= len(gap.rstrip())  # a line that goes on ends in what separates
    for chunk in chunks:
        fitting = chunk._replace(text=clip(chunk.text, columns))
        length = cell_len(fitting.text)
        if line and used + len(gap) + length > columns:
            yield [*line, Chunk(gap.rstrip())]
            line, used = [], 0
        if line:
            line.append(Chunk(gap))
            used += len(gap)
        line.append(fitting)
        used += length
    if line:
        yield line


def styled(chunks: Sequence[Chunk]) -> str:
    """The chunks as one text, with the codes of their styles."""
    return "".join(_styled(*chunk) for chunk in chunks).rstrip()


def _styled(text: str, style: str) -> str:
    if not style:
        return text
    words = set(style.split())
    colour = next(iter(words - {"bold", "dim"}), None)
    return click.style(text, fg=colour, bold="bold" in words or None, dim="dim" in words or None)
