"""Every defect that the reader finds in a table, not only its first: the reader refuses, the defect is taken out, it reads on.

Law: what is told is what the reader says of the table as it is written. What only follows from something having been
taken out is not told, and what was taken out is not judged any further.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Final

from semconv.lint.finding import Remark
from semconv.profile.profile import Profile
from semconv.profile.reader import from_table
from semconv.profile.shared import Shared
from semconv.table import Defect, Path
from semconv.target import Target

DEFECTS_MAX: Final = 100
"""Defects of one table that are told."""

_NEEDED: Final[dict[str, Any]] = {"id": "?", "version": "?", "detect": {}}


@dataclass(slots=True)
class Reading:
    """A table as far as it could be read."""

    table: dict[str, Any]
    """What is left of it."""
    remarks: list[Remark] = field(default_factory=list)
    profile: Profile | None = None
    """The profile that is left; None when nothing is."""
    suspect: set[Path] = field(default_factory=set)
    """Rows and words, in the numbers of the table as written, that something was taken out of."""
    _kept: dict[str, list[int]] = field(default_factory=dict)

    def written(self, path: Path) -> Path:
        """A path of what is left as a path of the table as it is written."""
        if len(path) > 1 and path[0] in self._kept:
            numbers = self._kept[str(path[0])]
            return (path[0], numbers[int(path[1])], *path[2:])
        return path

    def note(self, defect: Defect, gone: set[Path]) -> bool:
        """Tell a defect, unless it follows from what is gone, and take it out; False when it cannot be."""
        path = self.written(defect.path)
        follows = bool(path) and any(each[: len(path)] == path for each in gone)
        follows = follows or (defect.code == "unknown-enum" and ("enums",) in gone)
        if not follows:
            self.remarks.append(Remark(path, defect.code, str(defect)))
        self.suspect.add(path[:2])
        missing = next((word for word in _NEEDED if word not in self.table), None)
        if missing is not None and not path:
            self.table[missing] = copy.deepcopy(_NEEDED[missing])
            return True
        cut = self._cut(defect.path)
        gone.add(path[:cut])
        return cut > 0

    def _cut(self, path: Path) -> int:
        """Take out the innermost word on the way to a defect, or its row as a whole; the steps to what is gone."""
        depth = 0
        at: Any = self.table
        inner: list[tuple[int, dict[str, Any]]] = []
        for step in path:
            if isinstance(at, dict) and step in at:
                inner.append((depth + 1, at))
            elif not isinstance(at, list) or not isinstance(step, int) or step >= len(at):
                break
            depth, at = depth + 1, at[step]
        if not inner:
            return 0
        steps, parent = inner[-1]
        word = str(path[0])
        if depth > 1 and isinstance(self.table[word], list) and steps == 1:
            numbers = self._kept.setdefault(word, list(range(len(self.table[word]))))
            del self.table[word][int(path[1])], numbers[int(path[1])]
            return 2
        name = str(path[steps - 1])
        if steps == 1 and name in _NEEDED:
            parent[name] = copy.deepcopy(_NEEDED[name])
        elif word == "enums" and steps == 2 and parent[name] != {}:
            parent[name] = {}  # what looks something up in it has nothing wrong
        else:
            del parent[name]
        return steps


def read(table: dict[str, Any], target: Target, shared: Shared) -> Reading:
    """A table and everything the reader refuses of it."""
    reading = Reading(copy.deepcopy(table))
    gone: set[Path] = set()
    while len(reading.remarks) < DEFECTS_MAX:
        try:
            reading.profile = from_table(reading.table, target, shared)
            return reading
        except Defect as defect:
            if not reading.note(defect, gone):
                return reading
    reading.remarks.append(Remark((), "too-many-defects", f"more than {DEFECTS_MAX} defects: only these are told"))
    return reading
