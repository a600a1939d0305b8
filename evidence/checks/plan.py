"""What is to be done with instances that look alike: which checks they satisfy, which not, and what else takes them.

Law: instances of one plan come out alike in every `exists_for_all`, so they are counted together; only what is withheld is entered
one by one, because each owes a commitment of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from evidence.checks.check import ExistsForAll
from evidence.checks.instance import Instance
from evidence.checks.ledger import Ledger, Place, at_name
from evidence.checks.prepared import Demand
from evidence.checks.presence import Withheld
from evidence.checks.selector import Selector

Use = Callable[[Instance], None]
"""What takes the instances that a selector picks, one by one: a side of a join, or a count."""
Uses = Sequence[tuple[Selector, Use]]


@dataclass(eq=False, slots=True)
class Existence:
    """An `exists_for_all` of one kind of instance, and what came of it so far."""

    demand: Demand
    ledger: Ledger

    @property
    def check(self) -> ExistsForAll:
        """The check."""
        return self.demand.check

    def lacks(self, there: int) -> tuple[str, ...]:
        """What is demanded and not there."""
        asked = self.demand
        lacking = [name for name, bit in asked.demands if not there & bit] if asked.all_of & ~there else []
        if asked.any_of and not asked.any_of & there:
            lacking.append(" or ".join(asked.check.any_of))
        return tuple(lacking)

    def owes(self, there: int, withheld: int) -> tuple[str, ...]:
        """The withheld names that the outcome hangs on: demands, and choices when all that are there are withheld."""
        asked = self.demand
        owed = [name for name, bit in asked.demands if bit & withheld]
        if asked.any_of and not asked.any_of & there & ~withheld:
            owed += [name for name, bit in asked.choices if bit & withheld]
        return tuple(owed)


LedgerOf = Callable[[Existence], Ledger]


@dataclass(eq=False, slots=True)
class Tally:
    """How often something was, and the first places."""

    limit: int
    times: int = 0
    places: list[Place] = field(default_factory=list)

    def add(self, place: Place) -> None:
        """Once more."""
        self.times += 1
        if self.times <= self.limit:
            self.places.append(place)


@dataclass(eq=False, slots=True)
class Plan:
    """What is to be done with instances of one look that gave the same answers."""

    satisfied: tuple[Existence, ...]
    lacking: tuple[tuple[Existence, tuple[str, ...]], ...]
    withheld: tuple[tuple[Existence, tuple[str, ...]], ...]
    """With the names whose commitments count."""
    uses: tuple[Use, ...]
    met: Tally
    unmet: Tally
    """Counts `lacking`, apart from `met` because what is lacking may still come."""
    is_kept: bool = True
    wants: int = 0
    """What of `lacking` is not looked for at once, because most instances need it not: bits of roles and of what is no content."""

    def fold(self, met: Tally, unmet: Tally, ledger_of: LedgerOf) -> None:
        """Enter tallies of instances of this plan into ledgers."""
        if met.times:
            for existence in self.satisfied:
                ledger = ledger_of(existence)
                ledger.capture(met.places[0], met.times)
                ledger.locate("captured", met.places[1:])
        if unmet.times:
            for existence, names in self.lacking:
                places = [at_name(place, names) for place in unmet.places]
                ledger = ledger_of(existence)
                ledger.lack(places[0], names, unmet.times)
                ledger.locate("missing", places[1:])

    def count(self, place: Place, withheld: Mapping[str, Withheld]) -> None:
        """Enter an instance that is as complete as it will be."""
        self.settle(place, withheld)
        self.lose(place)

    def settle(self, place: Place, withheld: Mapping[str, Withheld]) -> None:
        """Enter what is satisfied or withheld of an instance."""
        met = self.met
        met.times += 1
        if met.times <= met.limit:
            met.places.append(place)
        for existence, names in self.withheld:
            existence.ledger.withhold(place, [each for name in names for each in withheld[name]])
        if not self.is_kept:
            self._release()

    def lose(self, place: Place) -> None:
        """Enter what an instance lacks, once it cannot come any more."""
        if self.lacking:
            self.unmet.add(place)
            if not self.is_kept:
                self._release()

    def _release(self) -> None:
        """Enter the tallies of a plan that nothing keeps, at once."""
        self.fold(self.met, self.unmet, lambda existence: existence.ledger)
        self.met, self.unmet = Tally(self.met.limit), Tally(self.unmet.limit)
