"""Keeps the count of instances: how many were expected, and how each came out.

Law: every instance is counted exactly once, as captured, redacted or missing; only locations are bounded.
"""

import hashlib
from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from evidence.limits import DEFAULT, Limits
from evidence.redaction.commitment import Commitment

Status = Literal["captured", "redacted", "missing", "unknown"]

Place = tuple[int, str]
"""Where an instance is: the number of its event in the run, and a JSON pointer after the event's id. Sorts in event order."""

MANY = "sha256-of-commitments"
"""The algorithm of a commitment over several: SHA-256 over one line `alg:digest:size_bytes` for each, in order."""


@dataclass(slots=True)
class Ledger:
    """The instances of one row, or of all rows of a signal or rule."""

    limits: Limits = DEFAULT
    captured: int = 0
    redacted: int = 0
    missing: int = 0
    absent: dict[str, int] = field(default_factory=dict)
    """What missing instances lacked, and how often."""
    places: dict[str, list[Place]] = field(default_factory=dict)
    """The first locations of each outcome that occurred, in the order of events."""
    _first: Commitment | None = None
    _many: "hashlib._Hash | None" = None  # most ledgers need none, and every bundle has hundreds
    _commitments: int = 0
    _size: int = 0

    @property
    def expected(self) -> int:
        """All instances."""
        return self.captured + self.redacted + self.missing

    @property
    def status(self) -> Status:
        """Missing when any instance is; redacted when every absent body is committed to; unknown without instances."""
        if self.missing:
            return "missing"
        if self.redacted:
            return "redacted"
        return "captured" if self.captured else "unknown"

    def count(self, place: Place, absent: Iterable[str], commitments: Sequence[Commitment] = ()) -> None:
        """Enter one instance: missing when anything is absent, redacted when something is only committed to.

        The location of a missing one ends in the first name that it lacks; of alternatives (`a or b`), in the first.
        """
        lacking = tuple(absent)
        if lacking:
            self.lack(at_name(place, lacking), lacking)
        elif commitments:
            self.withhold(place, commitments)
        else:
            self.capture(place)

    def capture(self, place: Place, times: int = 1) -> None:
        """Enter instances of which everything is there; `place` is the first one's."""
        self.captured += times
        self._locate("captured", place)

    def withhold(self, place: Place, commitments: Sequence[Commitment]) -> None:
        """Enter one instance of which something is only committed to."""
        self.redacted += 1
        self._locate("redacted", place)
        for commitment in commitments:
            self._commit(commitment)

    def lack(self, place: Place, absent: Iterable[str], times: int = 1) -> None:
        """Enter instances that lack the same; `place` is the first one's."""
        self.missing += times
        for name in absent:
            self.absent[name] = self.absent.get(name, 0) + times
        self._locate("missing", place)

    def locate(self, outcome: str, places: Iterable[Place]) -> None:
        """Further locations of instances that were entered."""
        for place in places:
            self._locate(outcome, place)

    def absorb(self, other: "Ledger", *, satisfied: bool = False) -> None:
        """Add the instances of another ledger; `satisfied` makes its missing ones captured."""
        if not other.expected:
            return
        self.captured += other.captured + (other.missing if satisfied else 0)
        self.redacted += other.redacted
        self.missing += 0 if satisfied else other.missing
        if not satisfied:
            for name, count in other.absent.items():
                self.absent[name] = self.absent.get(name, 0) + count
        for outcome, places in other.places.items():
            self.locate("captured" if satisfied and outcome == "missing" else outcome, places)
        if (commitment := other.commitment) is not None:
            self._commit(commitment)

    @property
    def commitment(self) -> Commitment | None:
        """One commitment to all withheld bodies: the only one itself, or a digest over all of them."""
        if self._many is None or self._commitments <= 1:
            return self._first
        return Commitment(alg=MANY, digest=self._many.hexdigest(), size_bytes=self._size)

    @property
    def evidence_paths(self) -> list[str]:
        """The locations that explain the status."""
        return [] if self.status == "unknown" else [path for _, path in self.places.get(self.status, ())]

    @property
    def reason(self) -> str:
        """The status in words, with totals."""
        if not self.expected:
            return "no event says that it should be there"
        if self.missing:
            lacking = ", ".join(f"{name} ({count})" for name, count in sorted(self.absent.items())[:8])
            return f"{self.missing} of {self.expected} expected instances lack {lacking}"
        if self.redacted:
            return f"{self.redacted} of {self.expected} expected instances are withheld and committed to"
        return f"all {self.expected} expected instances are there"

    def _locate(self, outcome: str, place: Place) -> None:
        places = self.places.setdefault(outcome, [])
        if len(places) < self.limits.evidence_paths_max or place < places[-1]:
            insort(places, place)
            del places[self.limits.evidence_paths_max :]

    def _commit(self, commitment: Commitment) -> None:
        self._first = self._first or commitment
        self._many = self._many or hashlib.sha256()
        self._commitments += 1
        self._size += commitment.size_bytes
        self._many.update(f"{commitment.alg}:{commitment.digest}:{commitment.size_bytes}\n".encode())


def at_name(place: Place, names: Sequence[str]) -> Place:
    """The place of the first of some names inside an instance; of alternatives (`a or b`), of the first."""
    return place[0], f"{place[1]}/{names[0].partition(' or ')[0]}"
