"""The one door to the wall clock.

Law: nothing else in the rooms reads the time of day; whoever needs it takes it as a parameter of type `Clock`.
"""

import time
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Gives the time as nanoseconds since the Unix epoch."""


def now_unix_nano() -> int:
    """Nanoseconds since the Unix epoch, by the system clock; it may step backwards."""
    return time.time_ns()  # noqa: TID251  (this is the door)
