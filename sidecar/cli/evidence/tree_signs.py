"""The signs of a tree: what stands in front of each entry of a timeline, so that it is seen what is below what."""

from __future__ import annotations

from collections.abc import Iterator

from evidence.reading.outline import Hidden
from evidence.reading.timeline import Entry, Timeline

__all__ = ["Tree"]

_DEPTH_MAX = 12
"""Levels that are indented, where there is room; a deeper one says how deep it is."""


class Tree:
    """The entries of a timeline, and where each stands."""

    def __init__(self, timeline: Timeline, columns: int) -> None:
        """`columns` is how many the signs may take."""
        self._depth_max = min(_DEPTH_MAX, columns // 3)
        self._entries = {entry.place.row: entry for entry in timeline.entries}
        self._last: dict[int, int] = {}
        """The last child shown below a row."""
        for entry in timeline.entries:
            if entry.place.parent is not None:
                self._last[entry.place.parent] = entry.place.row
        self.several_services = len({entry.service for entry in timeline.entries if entry.service}) > 1
        self._ends = self._positions_of_ends(timeline)

    def _positions_of_ends(self, timeline: Timeline) -> dict[int, list[int]]:
        """After which row the subtrees end that have something hidden: the innermost first."""
        ends: dict[int, list[int]] = {}
        for entry in timeline.entries:
            if entry.place.hidden:
                row = entry.place.row
                while row in self._last:
                    row = self._last[row]
                ends.setdefault(row, []).insert(0, entry.place.row)
        return ends

    def has_children(self, entry: Entry) -> bool:
        """Whether anything stands below the entry, or was left out there."""
        return entry.place.row in self._last or entry.place.hidden is not None

    def prefixes(self, entry: Entry) -> tuple[str, str]:
        """What stands before the first line of an entry and before its others."""
        above = self._above(entry)
        last = entry.place.depth and self._is_last(entry)
        own = ("└─ " if last else "├─ ") if entry.place.depth else ""
        below = "│  " if self.has_children(entry) else "   "
        beside = ("   " if last else "│  ") if entry.place.depth else ""
        return above + own, above + beside + below

    def hidden_after(self, entry: Entry) -> Iterator[tuple[Hidden, str]]:
        """What was left out below entries whose last shown one this is, with the signs before it."""
        for row in self._ends.get(entry.place.row, ()):
            owner = self._entries[row]
            assert owner.place.hidden is not None
            beside = ("   " if self._is_last(owner) else "│  ") if owner.place.depth else ""
            yield owner.place.hidden, self._above(owner) + beside + "└─ "

    def above(self, entry: Entry) -> list[Entry]:
        """The entries above, the nearest first; as many as are indented."""
        found: list[Entry] = []
        parent = entry.place.parent
        while parent is not None and len(found) < self._depth_max:
            found.append(self._entries[parent])
            parent = found[-1].place.parent
        return found

    def _is_last(self, entry: Entry) -> bool:
        parent = entry.place.parent
        return parent is not None and self._last[parent] == entry.place.row and not self._entries[parent].place.hidden

    def _above(self, entry: Entry) -> str:
        """The lines of the entries above that go on."""
        signs = [("   " if self._is_last(up) else "│  ") for up in self.above(entry) if up.place.depth]
        if entry.place.depth <= self._depth_max:
            return "".join(reversed(signs))
        return "".join(reversed(signs[: self._depth_max - 3])) + f"({entry.place.depth}) "
