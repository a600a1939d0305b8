"""What is sealed and waits for a signature: which of it is tried together, and when again. Pure but for its jitter.

Laws: nothing leaves the spool but by `done`; what fails by itself rests by itself and holds nobody up; while the signer fails, the next
try is for half as many, so that one bundle that no signature can be had for is found alone in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from sidecar.exporter.backoff import Backoff

if TYPE_CHECKING:
    from evidence.bundle import BundleFacts

__all__ = ["Pace", "Spool", "Waiting"]

_FACTS_KEPT_MAX = 256
"""Bundles whose facts are held in memory until they are signed; those of the others are read back."""
_ALONE_MAX = 2
"""Different bundles that were refused one by one, from which on it is the signer's fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many bundles a signature covers, and when it is tried again."""

    batch_bundles_max: int = 64
    batch_wait_seconds: float = 0.0
    """How long a bundle waits for others to share its signature, while there are not as many."""
    retry_initial_seconds: float = 1.0
    retry_max_seconds: float = 300.0


@dataclass(slots=True, kw_only=True)
class Waiting:
    """A sealed part that is not attested yet."""

    row: int
    sealed_unix_nano: int
    facts: BundleFacts | None
    """Of its sealing; None: they are read back from the bundle."""
    added: float
    rests_until: float = 0.0
    backoff: Backoff | None = None
    """Since it failed by itself."""


class Spool:
    """Sealed parts in the order in which they came. All times are seconds of one monotonic clock, given by the caller."""

    def __init__(self, pace: Pace, random: Random) -> None:
        self._pace = pace
        self._random = random
        self._waiting: dict[int, Waiting] = {}
        self._width = pace.batch_bundles_max
        self._backoff = self._new_backoff()
        self._rests_until = 0.0
        self._refused_alone = 0
        self._in_a_hurry = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def oldest_unix_nano(self) -> int:
        """When the oldest of it was sealed; 0 when nothing waits."""
        return min((each.sealed_unix_nano for each in self._waiting.values()), default=0)

    def add(self, row: int, sealed_unix_nano: int, facts: BundleFacts | None, now: float) -> None:
        """Takes a part; one that waits already stays where it is."""
        kept = facts if len(self._waiting) < _FACTS_KEPT_MAX else None
        waiting = Waiting(row=row, sealed_unix_nano=sealed_unix_nano, facts=kept, added=now)
        self._waiting.setdefault(row, waiting)

    def hurry(self) -> None:
        """Waits for nobody any more: the signer is asked at once, and for what there is."""
        self._in_a_hurry, self._rests_until = True, 0.0

    def due_in(self, now: float) -> float | None:
        """Seconds until there is something to try, 0 when there is; None when nothing waits."""
        ready = self._ready(now)
        if not ready:
            return min((each.rests_until - now for each in self._waiting.values()), default=None)
        full = self._in_a_hurry or len(ready) >= self._pace.batch_bundles_max
        gathered = now if full else ready[0].added + self._pace.batch_wait_seconds
        return max(0.0, self._rests_until - now, gathered - now)

    def take(self, now: float) -> list[Waiting]:
        """What to try now; it stays in the spool."""
        return self._ready(now)[: self._width]

    def done(self, batch: Iterable[Waiting]) -> None:
        """It is attested: the signer is well, and the next batch may be larger again."""
        self.forget(batch)
        self._width = min(self._pace.batch_bundles_max, self._width * 2)
        self._backoff.reset()
        self._refused_alone = 0

    def forget(self, batch: Iterable[Waiting]) -> None:
        """Nothing is to be done for these any more."""
        for each in batch:
            self._waiting.pop(each.row, None)

    def set_aside(self, one: Waiting, now: float) -> float:
        """It failed by itself, whoever signs; it rests for the seconds returned."""
        one.backoff, one.facts = one.backoff or self._new_backoff(), None
        seconds = one.backoff.next_seconds()
        one.rests_until = now + seconds
        return seconds

    def refused(self, batch: Sequence[Waiting], now: float, *, lasting: bool) -> float:
        """The signer did not sign; nothing is tried for the seconds returned.

        Args:
            batch: What it was asked for.
            now: The time.
            lasting: Whether the reason is one that does not pass by itself, such as a key that is not accepted.
        """
        self._width = max(1, len(batch) // 2)
        soon = self._pace.retry_initial_seconds * self._random.uniform(0.5, 1.0)  # narrower, it may do
        seconds = soon if lasting else self._backoff.next_seconds()
        if len(batch) == 1:
            self._waiting[batch[0].row] = self._waiting.pop(batch[0].row)  # to the end: the others have their turn
            self._refused_alone += lasting
            if lasting:
                self.set_aside(batch[0], now)
                if self._refused_alone >= _ALONE_MAX:
                    seconds = self._pace.retry_max_seconds * self._random.uniform(0.5, 1.0)
        self._rests_until = now + seconds
        return seconds

    def _ready(self, now: float) -> list[Waiting]:
        return [each for each in self._waiting.values() if each.rests_until <= now]

    def _new_backoff(self) -> Backoff:
        pace = self._pace
        return Backoff(
            initial_seconds=pace.retry_initial_seconds, max_seconds=pace.retry_max_seconds, random=self._random
        )
