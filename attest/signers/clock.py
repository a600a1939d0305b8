"""Whether a time that somebody else proves for a signature of now is now, by this machine's clock.

Law: a signature dated otherwise is not given out. One of the two clocks is wrong, and whoever verifies would find it when nothing can be
done any more: a proven time before the end of the run that was signed is refused (`attest.checks.time`), and one after it tells a lie.
"""

from collections.abc import Callable
from typing import TypeAlias

from attest.errors import SigningError
from attest.limits import DEFAULT
from evidence.timestamp import from_unix_nano, to_unix_nano

Clock: TypeAlias = Callable[[], int]
"""Gives the time as nanoseconds since the Unix epoch."""

_NANOS = 1_000_000_000


def check_now(proven: str, by: str, clock: Clock) -> None:
    """Hold a proven time to this machine's clock.

    Args:
        proven: the time, as evidence writes times.
        by: who proves it, for the reason.
        clock: this machine's.

    Raises:
        SigningError: they are further apart than `clock_skew_seconds_max`. It is no passing one: somebody has to put a clock right.
    """
    now = clock()
    seconds = (to_unix_nano(proven) - now) / _NANOS
    if abs(seconds) > DEFAULT.clock_skew_seconds_max:
        ours, word = from_unix_nano(now), "after" if seconds > 0 else "before"
        raise SigningError(
            f"{by} says {proven}, which is {abs(seconds):.0f} s {word} this machine's {ours}; expected {DEFAULT.clock_skew_seconds_max} s"
            " at most: one of the two clocks is wrong"
        )
