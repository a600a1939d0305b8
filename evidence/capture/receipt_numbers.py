"""The numbers that a sender gives its receipts, from 1 without holes: which are missing.

Law: the same numbers in any order give the same answer, as long as they fit the bound.
"""

from bisect import bisect_right

from evidence.limits import DEFAULT, Limits


class ReceiptNumbers:
    """The numbers of the receipts of one part, held as ranges without holes.

    A sender that loses nothing needs one range, whatever the number of its receipts. Beyond `Limits.number_ranges_max`
    ranges a number that starts another one is not kept and counts in `untracked`.
    """

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._most = limits.number_ranges_max
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self.repeated = 0
        """Receipts with a number that came before."""
        self.untracked = 0

    @property
    def highest(self) -> int:
        """The highest number; 0 without any."""
        return self._lasts[-1] if self._lasts else 0

    def add(self, number: int) -> None:
        """Note the number of a receipt; 0 is none."""
        if self._lasts and number == self._lasts[-1] + 1:
            self._lasts[-1] = number
        elif number:
            self._insert(number)

    def missing(self, part: int) -> int:
        """How many numbers are not there below the highest that is.

        In the first part of a run they begin at 1. A later part goes on from one that is not at hand, so there only what
        lies between its own numbers is missing.
        """
        if not self._lasts:
            return 0
        there = sum(last - first + 1 for first, last in zip(self._firsts, self._lasts, strict=True))
        return self.highest - (1 if part == 1 else self._firsts[0]) + 1 - there

    def _insert(self, number: int) -> None:
        firsts, lasts = self._firsts, self._lasts
        after = bisect_right(firsts, number)
        if after and number <= lasts[after - 1]:
            self.repeated += 1
            return
        extends = after > 0 and lasts[after - 1] == number - 1
        precedes = after < len(firsts) and firsts[after] == number + 1
        if extends and precedes:
            lasts[after - 1] = lasts.pop(after)
            del firsts[after]
        elif extends:
            lasts[after - 1] = number
        elif precedes:
            firsts[after] = number
        elif len(firsts) < self._most:
            firsts.insert(after, number)
            lasts.insert(after, number)
        else:
            self.untracked += 1
