"""How long to wait before the next try: exponential, with jitter (OTLP, "OTLP/HTTP Throttling", "OTLP/HTTP Connection").

Law: a wait is never above `max_seconds`, never below half of its interval, and intervals double until they are `max_seconds`.
"""

from random import Random


class Backoff:
    """The waits of one run of failures."""

    def __init__(self, *, initial_seconds: float, max_seconds: float, random: Random) -> None:
        self._initial_seconds = initial_seconds
        self._max_seconds = max_seconds
        self._random = random
        self._interval_seconds = initial_seconds

    def next_seconds(self) -> float:
        """The wait before the next try."""
        interval_seconds = self._interval_seconds
        self._interval_seconds = min(self._max_seconds, interval_seconds * 2)
        return interval_seconds * self._random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin again at the initial interval: the last try got an answer that settles it."""
        self._interval_seconds = self._initial_seconds
