"""A timeline as lines for people: a head, then the tree with times in front.

Law: every line fits the columns; colour adds nothing that the words do not say.
"""

from __future__ import annotations

from collections.abc import Iterator

from evidence.outline import Hidden
from evidence.timeline import Entry, Timeline
from sidecar.cli.columns import Chunk, styled, wrapped
from sidecar.cli.evidence.amounts import count, seconds
from sidecar.cli.evidence.entry_text import details, title
from sidecar.cli.evidence.head_text import head_lines
from sidecar.cli.evidence.said_text import said
from sidecar.cli.evidence.tree_signs import Tree

__all__ = ["timeline_lines"]

_LABELS_MAX = 6
"""Kinds of events that are named of those left out."""
_WORDS_COLUMNS_MIN = 24
"""Columns that are left for words at any depth."""
_TIME_COLUMNS = 19
_TIMELESS = frozenset({"run.opened", "resource", "scope"})


def timeline_lines(timeline: Timeline, columns: int, *, bodies: bool = False) -> Iterator[str]:
    """The lines of a timeline.

    Args:
        timeline: what is shown.
        columns: the width of a line.
        bodies: whether its excerpts are whole bodies, to be shown with all their lines.
    """
    yield from head_lines(timeline.head, columns)
    yield ""
    tree = Tree(timeline, columns - _TIME_COLUMNS - _WORDS_COLUMNS_MIN)
    for entry in timeline.entries:
        yield from _entry_lines(entry, tree, timeline.started_nanos, columns, bodies=bodies)
        for hidden, prefix in tree.hidden_after(entry):
            yield from _hidden_lines(hidden, prefix, columns)
    if timeline.hidden:
        yield from _hidden_lines(timeline.hidden, "", columns)
    if timeline.untracked:
        yield styled([Chunk(f"{count(timeline.untracked, 'event')} beyond the bound of a timeline left out", "yellow")])


def _entry_lines(entry: Entry, tree: Tree, started_nanos: int, columns: int, *, bodies: bool) -> Iterator[str]:
    first, others = tree.prefixes(entry)
    room = columns - _TIME_COLUMNS
    told = [title(entry), *details(entry, tree.above(entry), several_services=tree.several_services)]
    for number, line in enumerate(wrapped(told, room - len(others))):
        before = others if number else first
        yield styled([Chunk(_times(entry, started_nanos, number), "dim"), Chunk(before, "dim"), *line])
    blank = Chunk(" " * _TIME_COLUMNS + others, "dim")
    for line in said(entry, room - len(others), has_children=tree.has_children(entry), bodies=bodies):
        yield styled([blank, *line])


def _times(entry: Entry, started_nanos: int, number: int) -> str:
    if number or entry.type in _TIMELESS:
        return " " * _TIME_COLUMNS
    offset = seconds(entry.began_nanos - started_nanos, signed=True)
    duration = "" if entry.duration_nanos is None else seconds(entry.duration_nanos)
    return f"{offset:>9} {duration:>7}  "


def _hidden_lines(hidden: Hidden, prefix: str, columns: int) -> Iterator[str]:
    labels = [f"{number:,} {label}" for label, number in list(hidden.labels.items())[:_LABELS_MAX]]
    if len(hidden.labels) > _LABELS_MAX:
        labels.append("others")
    chunks = [Chunk(f"… {hidden.events:,} more: {labels[0]}", "dim"), *(Chunk(label, "dim") for label in labels[1:])]
    if hidden.failed:
        chunks.append(Chunk(f"of them {hidden.failed:,} failed", "red"))
    for number, line in enumerate(wrapped(chunks, columns - _TIME_COLUMNS - len(prefix), ", ")):
        before = " " * _TIME_COLUMNS + (" " * len(prefix) if number else prefix)
        yield styled([Chunk(before, "dim"), *line])
