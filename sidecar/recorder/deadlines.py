"""When open runs are due, without looking at all of them after every batch.

Law: no run that is due is overlooked. Time gives a run more time only: its deadline moves away while items come. What brings it nearer
(a new run, the end of its root span) is told, and a time that has come too early is only looked at once more.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from evidence.run import CloseReason
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.store import RunRow

__all__ = ["Deadlines"]


class Deadlines:
    """The times at which open runs may be due.

    Args:
        lifecycle: When a run is.
        runs: Those that are open.
    """

    def __init__(self, lifecycle: Lifecycle, runs: Iterable[RunRow]) -> None:
        self._lifecycle = lifecycle
        self._times: list[tuple[int, str]] = []
        for run in runs:
            self.note(run)

    def note(self, run: RunRow) -> None:
        """Remembers when a run will be due, if nothing more comes for it."""
        heapq.heappush(self._times, (self._lifecycle.next_unix_nano(run), run.run_id))

    def due(self, now_unix_nano: int, find: Callable[[str], RunRow | None]) -> list[tuple[RunRow, CloseReason]]:
        """The runs to close now, oldest first, each with the reason. They are not given again.

        Args:
            now_unix_nano: The time.
            find: The newest part of a run, open or not.
        """
        found: dict[int, tuple[RunRow, CloseReason]] = {}
        while self._times and self._times[0][0] <= now_unix_nano:
            run = find(heapq.heappop(self._times)[1])
            if run is None or run.state != "open":
                continue
            if reason := self._lifecycle.due(run, now_unix_nano):
                found[run.row] = run, reason
            else:
                self.note(run)
        return [found[row] for row in sorted(found)]

    @property
    def next_unix_nano(self) -> int | None:
        """No run is due before; None without open runs."""
        return self._times[0][0] if self._times else None
