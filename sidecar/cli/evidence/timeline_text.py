"""A timeline as lines for people: a head, then the tree with times in front.

Law: every line fits the columns; colour adds nothing that the words do not say.
"""

from __future__ import annotations

from collections.abc import Iterator

from evidence.reading.outline import Hidden
from evidence.reading.timeline import Entry, Timeline
from sidecar.cli.columns import Chunk, clip, styled, wrapped
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
_TIMELESS = frozenset({"run.opened", "resource", "scope"})


class _Margin:
    """What stands left of the tree: number of the event, when it began after the run did, how long it took."""

    def __init__(self, timeline: Timeline) -> None:
        self._started_nanos = timeline.started_nanos
        self._digits = max((len(entry.number) for entry in timeline.entries), default=1)
        self.columns = self._digits + 19

    @property
    def blank(self) -> str:
        """The margin of a line that belongs to the one before."""
        return " " * self.columns

    def of(self, entry: Entry) -> str:
        """The margin of an entry's first line."""
        times = ""
        if entry.type not in _TIMELESS:
            offset = seconds(entry.began_nanos - self._started_nanos, signed=True)
            times = f"{offset:>8} {'' if entry.duration_nanos is None else seconds(entry.duration_nanos):>7}"
        return f"{entry.number:>{self._digits}} {times:16}  "


def timeline_lines(timeline: Timeline, columns: int, *, bodies: bool = False) -> Iterator[str]:
    """The lines of a timeline.

    Args:
        timeline: what is shown.
        columns: the width of a line.
        bodies: whether its excerpts are whole bodies, to be shown with all their lines.
    """
    yield from head_lines(timeline.head, columns)
    yield ""
    margin = _Margin(timeline)
    room = columns - margin.columns
    tree = Tree(timeline, room - _WORDS_COLUMNS_MIN)
    for entry in timeline.entries:
        yield from _entry_lines(entry, tree, margin, room, bodies=bodies)
        for hidden, prefix in tree.hidden_after(entry):
            yield from _hidden_lines(hidden, prefix, margin, room)
    if timeline.hidden:
        yield from _hidden_lines(timeline.hidden, "", margin, room)
    yield from _left_out(timeline, columns)


def _entry_lines(entry: Entry, tree: Tree, margin: _Margin, room: int, *, bodies: bool) -> Iterator[str]:
    first, others = tree.prefixes(entry)
    room -= len(others)
    told = [title(entry), *details(entry, tree.above(entry), several_services=tree.several_services)]
    below = Chunk(margin.blank + others, "dim")
    for number, line in enumerate(wrapped(told, room)):
        yield styled([below if number else Chunk(margin.of(entry) + first, "dim"), *line])
    for line in said(entry, room, has_children=tree.has_children(entry), bodies=bodies):
        yield styled([below, *line])


def _hidden_lines(hidden: Hidden, prefix: str, margin: _Margin, room: int) -> Iterator[str]:
    labels = [f"{number:,} {label}" for label, number in list(hidden.labels.items())[:_LABELS_MAX]]
    if len(hidden.labels) > _LABELS_MAX:
        labels.append("others")
    chunks = [Chunk(f"… {hidden.events:,} more: {labels[0]}", "dim"), *(Chunk(label, "dim") for label in labels[1:])]
    if hidden.failed:
        chunks.append(Chunk(f"of them {hidden.failed:,} failed", "red"))
    for number, line in enumerate(wrapped(chunks, room - len(prefix), ", ")):
        yield styled([Chunk(margin.blank + (" " * len(prefix) if number else prefix), "dim"), *line])


def _left_out(timeline: Timeline, columns: int) -> Iterator[str]:
    """How to see what is not shown."""
    if timeline.hidden or any(entry.place.hidden for entry in timeline.entries):
        said_so = f"{count(len(timeline.entries), 'event')} shown: --limit 0 shows all, --below NUMBER one and what is below it"
        yield styled([Chunk(clip(said_so, columns), "dim")])
    if timeline.untracked:
        beyond = f"{count(timeline.untracked, 'event')} beyond the bound of a timeline left out"
        yield styled([Chunk(clip(beyond, columns), "yellow")])
