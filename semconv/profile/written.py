"""Tables as they are written: their rows, what each is for, and whether a name or a concept is meant.

Law: total over any parsed table, of words that are not known here as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from semconv.profile.sources import Source
from semconv.profile.words import Row

KEYED: Final = ("rows", "folds")
"""Lists whose rows are for attribute keys; `Profile.rows` finds them, holes and all."""


def rows(source: Source) -> Iterator[tuple[str, int, Row]]:
    """Every row of a table, with the list it is in and its place there."""
    for word, listed in source.content.items():
        for place, row in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(row, dict):
                yield word, place, row


def texts(row: Row, word: str | None) -> list[str]:
    """The names a row has under a word: one, a list of them, or the keys of a mapping."""
    found = row.get(word, []) if word else []
    return [found] if isinstance(found, str) else list(found)


def names(pattern: str, name: str) -> bool:
    """Whether a name of a row, with a star at its end or a variable in it, is this one."""
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    head, variable, rest = pattern.partition("{")
    tail = rest.partition("}")[2]
    if not variable:
        return name == pattern
    return bool(head or tail) and name.startswith(head) and name.endswith(tail) and len(name) > len(head) + len(tail)


def leads(claimed: str, concept: str) -> bool:
    """Whether what a row claims, a family of concepts with a star at its end, is this concept or of its family."""
    if claimed.endswith("*"):
        return concept.startswith(claimed[:-1]) or f"{concept}." == claimed[:-1]
    return claimed == concept
