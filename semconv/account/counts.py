"""Counting by names that senders make up: bounded, whatever they send.

Law: nothing that is counted is lost. Beyond the bound new names share the entry `*`, and long names that begin alike share one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

ENTRIES_MAX: Final = 4096
"""Distinct names one table of counts tells apart."""
SHOWN_MAX: Final = 200
"""Entries of one list in a report."""
NAME_CHARS_MAX: Final = 256
"""Of a key, a scope or an id, which senders may make as long as they like."""

_INDEX: Final = re.compile(r"(?<=[./])\d+(?=[./]|$)")


def short(name: str) -> str:
    """A name that is cut where it is too long, and then says so."""
    return name if len(name) <= NAME_CHARS_MAX else f"{name[:NAME_CHARS_MAX]}…"


def numberless(path: str) -> str:
    """A path with its numbers as `{i}`, so that the tenth message counts with the first."""
    return _INDEX.sub("{i}", short(path))


def entry_of(entries: dict[Any, Any], name: Any, other: Any, make: Any) -> Any:  # noqa: ANN401  # one helper for tables of any kind
    """The entry of a name, made if need be; that of `other` when there is no room for one more."""
    if name not in entries and len(entries) >= ENTRIES_MAX:
        name = other
    return entries.setdefault(name, make())


def count_names(counts: dict[Any, int], names: Iterable[Any], times: int = 1) -> None:
    """Counts names, texts or pairs of texts; those for which there is no room as `*`."""
    for name in names:
        if name not in counts and len(counts) >= ENTRIES_MAX:
            name = ("*", "*") if isinstance(name, tuple) else "*"  # noqa: PLW2901  # the common entry
        counts[name] = counts.get(name, 0) + times


def add_up(mine: dict[Any, int], theirs: Mapping[Any, int]) -> None:
    """Adds other counts to these."""
    for name, number in theirs.items():
        mine[name] = mine.get(name, 0) + number


def most(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """The counts, the highest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
