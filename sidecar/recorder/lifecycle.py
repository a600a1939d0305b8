"""When a run ends: a table of reasons over its state and the clock. Pure.

Law: a run that is due stays due until it is closed, and the reason given is the first that applies in the order of the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from evidence.run import CloseReason
from sidecar.recorder.store import RunRow

__all__ = ["Lifecycle"]

_NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The bounds after which a run closes by itself; DESIGN section 6."""

    quiet_seconds: float
    idle_seconds: float
    age_seconds_max: float
    bytes_max: int

    def due(self, run: RunRow, now_unix_nano: int) -> CloseReason | None:
        """The reason to close the run now, or None. A clock that went backwards closes nothing."""
        if run.bytes >= self.bytes_max:
            return "size"
        return next((reason for reason, at in self._deadlines(run) if now_unix_nano >= at), None)

    def next_unix_nano(self, run: RunRow) -> int:
        """The earliest time at which the run will be due, if nothing more comes; 0 when it is already, at any time."""
        return 0 if run.bytes >= self.bytes_max else min(at for _, at in self._deadlines(run))

    def _deadlines(self, run: RunRow) -> tuple[tuple[CloseReason, int], ...]:
        age: tuple[CloseReason, int] = ("age", run.opened_unix_nano + int(self.age_seconds_max * _NANOS))
        idle: tuple[CloseReason, int] = ("idle", run.last_unix_nano + int(self.idle_seconds * _NANOS))
        if not run.root_ended:
            return (age, idle)
        return (("root_ended", run.last_unix_nano + int(self.quiet_seconds * _NANOS)), age, idle)
