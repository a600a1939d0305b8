"""Whether the journal's disk fails, seen from its counts now and then.

Law: a failure is told when it begins and once a minute while it lasts, whatever senders do; that it is over, when something was written.
"""

from typing import Literal

from sidecar.journal.writer import JournalStats

_AGAIN_SECONDS = 60.0


class JournalWatch:
    """Compares the journal's counts with those of the look before."""

    def __init__(self) -> None:
        self._failures = 0
        self._commits = 0
        self._told_at: float | None = None

    def look(self, stats: JournalStats, now_seconds: float) -> Literal["fails", "works"] | None:
        """What there is to tell: that it fails, or that it works again.

        Args:
            stats: The journal's counts.
            now_seconds: By any clock that only goes forward.
        """
        failed, wrote = stats.failures > self._failures, stats.commits > self._commits
        self._failures, self._commits = stats.failures, stats.commits
        if failed:
            if self._told_at is not None and now_seconds - self._told_at < _AGAIN_SECONDS:
                return None
            self._told_at = now_seconds
            return "fails"
        if wrote and self._told_at is not None:
            self._told_at = None
            return "works"
        return None
