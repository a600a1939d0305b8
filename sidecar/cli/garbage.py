"""Fewer searches for circular garbage while bundles are read.

An event is some hundred objects, none of them in a circle, so that all go by themselves; Python looks through what is young after
every 700 all the same, and now and then through all tables as well. That is a tenth to a quarter of the work.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["rare_collections"]

_YOUNG_MAX = 50_000
"""Objects more than before; some megabytes."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """For a command that reads many events. Processes that are forked inside collect as rarely."""
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG_MAX, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
