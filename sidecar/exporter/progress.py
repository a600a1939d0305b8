"""How far a backend has come, in memory and on disk.

Law: what is on disk is never ahead of what was delivered, and `on_stored` never hears of a sequence that is not on disk; a
crash costs duplicates, never a loss (OTLP, "Duplicate Data").
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic

from sidecar.errors import SidecarError
from sidecar.exporter.source import Cursor


class Progress:
    """The position of one exporter; moved by its thread."""

    def __init__(self, cursor: Cursor, on_stored: Callable[[int], None], *, lag_seconds_max: float) -> None:
        self._cursor = cursor
        self._on_stored = on_stored
        self._lag_seconds_max = lag_seconds_max
        self._lock = Lock()
        self._frozen = False
        self._tried_at = monotonic()
        self.position = self.stored = cursor.load()
        self.store_errors = 0
        """Times that the cursor could not be stored."""

    def advance(self, sequence: int) -> None:
        """Everything up to `sequence` is dealt with. Reaches the disk now or with a later call, as the lag allows."""
        self.position = sequence
        if monotonic() - self._tried_at >= self._lag_seconds_max:
            self.store()

    def store(self) -> None:
        """Bring the position to disk. A disk that fails is counted and tried again: the price is duplicates."""
        with self._lock:
            if self._frozen or self.stored == self.position:
                return
            self._tried_at = monotonic()
            try:
                self._cursor.store(self.position)
            except (OSError, SidecarError):
                self.store_errors += 1
                return
            self.stored = self.position
        self._on_stored(self.stored)

    def freeze(self) -> None:
        """Store nothing any more: the owner has given up on the thread and may be closing what lies below."""
        with self._lock:
            self._frozen = True
