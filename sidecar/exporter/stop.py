"""When to stop, and waits that end in time for it.

Law: once a stop is asked for, no wait goes beyond its deadline.
"""

from collections.abc import Callable
from math import inf
from threading import Event
from time import monotonic, sleep


class Stop:
    """A request to stop by a deadline, made by one thread and obeyed by another."""

    def __init__(self, clock_seconds: Callable[[], float] = monotonic) -> None:
        self._clock_seconds = clock_seconds
        self._requested = Event()
        self._deadline = inf

    @property
    def requested(self) -> bool:
        """Whether somebody asked."""
        return self._requested.is_set()

    def request(self, deadline_seconds: float) -> None:
        """Ask to stop within `deadline_seconds`. The first request counts."""
        if not self.requested:
            self._deadline = self._clock_seconds() + deadline_seconds
            self._requested.set()

    def remaining_seconds(self) -> float:
        """Time left; infinite as long as nobody asked."""
        return max(0.0, self._deadline - self._clock_seconds())

    def pause(self, seconds: float, *, binding: bool) -> bool:
        """Wait before another try. A stop that comes meanwhile, or came before, ends the wait, unless it is binding.

        Args:
            seconds: How long.
            binding: Keep the wait in full: the backend named it, or the last try was already made for the stop.

        Returns:
            False, at once, when a binding wait does not fit before the deadline.
        """
        until = self._clock_seconds() + seconds
        if self._requested.wait(seconds) and binding:
            if until > self._deadline:
                return False
            sleep(max(0.0, until - self._clock_seconds()))
        return True
