"""One result of `affidavit verify` as text for people, in full."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sidecar.cli.colours import outcome_word, verdict_word
from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from attest.verification import Verification

__all__ = ["hanging", "of_one", "output_width"]

_REASON_AT = 25
"""Where the reasons of checks begin."""
_HANG = 4
_COLUMNS_MIN = 60
_ENDLESS = 1_000_000


def of_one(result: Verification) -> Iterator[str]:
    """One result in full: each check, the two lines, the verdict."""
    columns = output_width()
    yield printable(result.file)
    for check in result.checks:
        word = outcome_word(check.outcome)
        first, *more = _wrapped(check.reason, columns - _REASON_AT)
        yield f"  {word}  {check.id:10}  {first}"
        yield from (" " * _REASON_AT + line for line in more)
    assured = result.assured
    yield from hanging(result.integrity, columns)
    yield from hanging(f"Assurance and limits: {assured.said[0]}", columns)
    for sentence in assured.said[1:]:
        yield from hanging(f"  {sentence}", columns)
    for title, clauses in (
        ("Shown", assured.shown),
        ("Not shown", assured.open),
        ("Nothing here shows", assured.never),
    ):
        yield from (f"{title}:",) if clauses else ()
        for clause in clauses:
            yield from hanging(f"  - {clause}", columns)
    yield f"Verdict: {verdict_word(result.verdict)}"


def output_width() -> int:
    """How wide lines may be: as the terminal is; in a file or a pipe, where others look for them, each stays whole."""
    if not sys.stdout.isatty():
        return _ENDLESS
    return max(shutil.get_terminal_size().columns, _COLUMNS_MIN)


def hanging(text: str, columns: int) -> Iterator[str]:
    """Lines of a text; what goes on stands further to the right, so that no text can begin a line of its own."""
    first, *more = _wrapped(text, columns - _HANG)
    yield first
    yield from (" " * _HANG + line for line in more)


def _wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most so many characters, where words are no longer; at least one."""
    if len(text) <= columns:
        return [text]
    import textwrap

    indent = text[: len(text) - len(text.lstrip())]
    words = " ".join(text.split())  # a file's text must not come out in columns, as ours does
    return textwrap.wrap(words, columns, initial_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]
