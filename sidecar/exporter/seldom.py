"""Warnings about conditions that persist, without a flood.

Law: one warning of a kind in each interval; those held back are counted in the next.
"""

from collections import Counter
from collections.abc import Callable
from logging import Logger
from time import monotonic


class Seldom:
    """Warns of each kind at most once per interval. Kinds are the caller's, and few."""

    def __init__(self, log: Logger, interval_seconds: float, clock_seconds: Callable[[], float] = monotonic) -> None:
        self._log = log
        self._interval_seconds = interval_seconds
        self._clock_seconds = clock_seconds
        self._quiet_until: dict[str, float] = {}
        self._held_back: Counter[str] = Counter()

    def __call__(self, kind: str, message: str, *values: object) -> None:
        """Warn, unless the same kind was warned of within the interval."""
        now = self._clock_seconds()
        if now < self._quiet_until.get(kind, now):
            self._held_back[kind] += 1
            return
        self._quiet_until[kind] = now + self._interval_seconds
        held_back = self._held_back.pop(kind, 0)
        self._log.warning(
            message + (" (and %d more like it)" if held_back else ""), *values, *([held_back] * bool(held_back))
        )
