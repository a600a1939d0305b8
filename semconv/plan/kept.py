"""A cache whose bound is on what it weighs: what senders can make long is not counted in entries.

Law: what is kept weighs at most the bound, whatever is offered, by the weights that are told.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_SHARE: Final = 4
"""What weighs more than this part of the bound is not worth forgetting the rest for."""


class Kept(dict[K, V]):
    """Entries and their weight, all forgotten when they come to weigh too much.

    Args:
        bound: in the unit of the weights.
    """

    __slots__ = ("bound", "weight")

    def __init__(self, bound: int) -> None:
        super().__init__()
        self.bound = bound
        self.weight = 0

    def keep(self, key: K, value: V, weight: int) -> None:
        """Remember a new entry, unless it alone is too heavy."""
        if weight * _SHARE > self.bound:
            return
        self.weigh(weight)
        self[key] = value

    def weigh(self, weight: int) -> None:
        """Count what an entry has grown by."""
        self.weight += weight
        if self.weight > self.bound:
            self.clear()
            self.weight = weight
