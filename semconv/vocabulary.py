"""The values of an open enum: its members, what else they are called, and what a value outside of them is.

Law: any text is legal. A member under another spelling is a mistake all the same: readers compare bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

_SEPARATORS: Final = str.maketrans("", "", "-_. /")


class Vocabulary:
    """An open enum.

    Args:
        members: the well-known values.
        spellings: other words for them, from the tables that translate; those for what is no member here do not count.
    """

    def __init__(self, members: Iterable[str], spellings: Mapping[str, str] | None = None) -> None:
        self.members = frozenset(members)
        self._known = {_folded(member): member for member in self.members}
        self._known.update((source, member) for source, member in (spellings or {}).items() if member in self.members)

    def __contains__(self, value: str) -> bool:
        return value in self.members

    def fault(self, value: str) -> tuple[str, str]:
        """The code of what is to be said of a value that is no member, with what was expected."""
        member = self._known.get(value) or self._known.get(_folded(value))
        if member is not None:
            return "misspelt-value", member
        return "custom-value", f"one of {', '.join(sorted(self.members))}"


def _folded(value: str) -> str:
    """A value without what spellings differ in: case and separators."""
    return value.lower().translate(_SEPARATORS)
