"""Brings together what a span lacks and what is said elsewhere, whichever comes first.

Logs of the same span say it (the conventions' `event_only` mode), and other spans of its operation (`evidence.checks.nesting`).

Law: at most `Limits.open_instances_max` spans, and as many logs' contents, wait; those that waited longest go first, and what they
lack then is lacking.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from evidence.checks.ledger import Ledger, Place, at_name
from evidence.checks.nesting import Nesting
from evidence.checks.plan import Existence, LedgerOf, Plan, Tally, Use
from evidence.checks.presence import Withheld
from evidence.limits import Limits

Told = tuple[int, Mapping[str, Withheld]]
"""The names that are there, as bits, and what those of them that are withheld are committed to by."""


class SpanTold(NamedTuple):
    """What a span tells that may be one of several of one operation."""

    there: int
    withheld: Mapping[str, Withheld]
    place: Place
    uses: tuple[Use, ...]
    """What else it is an instance for."""


class _Waiting:
    """A span that lacks something."""

    __slots__ = ("left", "place", "plan", "there", "withheld")

    def __init__(self, plan: Plan, place: Place, there: int, withheld: Mapping[str, Withheld]) -> None:
        self.plan = plan
        self.place = place
        self.there = there
        self.withheld = withheld
        self.left: tuple[Existence, ...] | None = None
        """What it is still lacking something for, once a log has come; before that, it is what the plan says."""

    @property
    def open(self) -> tuple[Existence, ...]:
        """What it is still lacking something for."""
        return tuple(each for each, _ in self.plan.lacking) if self.left is None else self.left


class SpanLogs:
    """Spans that wait for logs, and logs that wait for their span.

    Args:
        bits: the bit of each name that a log may supply.
        nesting: the spans that may be several of one operation.
        limits: bounds.
    """

    def __init__(self, bits: Mapping[str, int], nesting: Nesting[SpanTold], limits: Limits) -> None:
        self._bits = bits
        self._nesting = nesting
        self._most = limits.open_instances_max
        self._places_max = limits.evidence_paths_max
        self._waiting: OrderedDict[str, list[_Waiting]] = OrderedDict()
        self._count = 0
        self._told: OrderedDict[str, Told] = OrderedDict()

    def told(self, span: str) -> Told | None:
        """What logs of a span held that came before it; once."""
        return self._told.pop(span, None) if self._told else None

    def wait(self, span: str, plan: Plan, place: Place, there: int, withheld: Mapping[str, Withheld]) -> None:
        """A span lacks what `plan.lacking` says."""
        self._waiting.setdefault(span, []).append(_Waiting(plan, place, there, withheld))
        self._count += 1
        if self._count > self._most:
            oldest, several = self._waiting.popitem(last=False)
            self._count -= len(several)
            for waiting in several:
                self._lose(oldest, waiting)

    def tell(self, span: str, there: int, withheld: Mapping[str, Withheld]) -> None:
        """A log of a span holds something."""

        def more(told: SpanTold) -> SpanTold:
            merged = self._merged(told.there, told.withheld, withheld)
            return told._replace(there=told.there | there, withheld=merged)

        self._nesting.learn(span, more)
        if span not in self._waiting:
            known, owed = self._told.get(span, (0, {}))
            self._told[span] = (known | there, self._merged(known, owed, withheld))
            if len(self._told) > self._most:
                self._told.popitem(last=False)
            return
        for waiting in list(self._waiting[span]):
            waiting.withheld = self._merged(waiting.there, waiting.withheld, withheld)
            waiting.there |= there
            if not self._improve(waiting):
                self._waiting[span].remove(waiting)
                self._count -= 1
        if not self._waiting[span]:
            del self._waiting[span]

    def fold(self, ledger_of: LedgerOf) -> None:
        """Enter what is lacking, if nothing further came, into ledgers."""
        untouched: dict[int, tuple[Plan, Tally]] = {}
        for span, several in self._waiting.items():
            others = self._nesting.others(span)
            for waiting in several:
                if waiting.left is None and not others:
                    plan = waiting.plan
                    untouched.setdefault(id(plan), (plan, Tally(self._places_max)))[1].add(waiting.place)
                else:
                    self._conclude(waiting, others, ledger_of)
        for plan, tally in untouched.values():
            plan.fold(Tally(self._places_max), tally, ledger_of)

    def _lose(self, span: str, waiting: _Waiting) -> None:
        others = self._nesting.others(span)
        if waiting.left is None and not others:
            waiting.plan.lose(waiting.place)
        else:
            self._conclude(waiting, others, lambda existence: existence.ledger)

    def _conclude(self, waiting: _Waiting, others: Sequence[SpanTold], ledger_of: LedgerOf) -> None:
        """Enter what a span still lacks, with what other spans of its operation tell."""
        there, withheld = waiting.there, waiting.withheld
        for told in others:
            withheld = self._merged(there, withheld, told.withheld)
            there |= told.there
        for existence in waiting.open:
            ledger = ledger_of(existence)
            if names := existence.lacks(there):
                ledger.lack(at_name(waiting.place, names), names)
            else:
                self._enter(existence, waiting.place, there, withheld, ledger)

    def _merged(
        self, known: int, owed: Mapping[str, Withheld], withheld: Mapping[str, Withheld]
    ) -> Mapping[str, Withheld]:
        """What is withheld of both; what was known before stays as it was."""
        if not withheld:
            return owed
        return {**{name: each for name, each in withheld.items() if not known & self._bits[name]}, **owed}

    def _improve(self, waiting: _Waiting) -> bool:
        """Enter what a span lacks no longer; whether it still lacks anything."""
        still = []
        for existence in waiting.open:
            if existence.lacks(waiting.there):
                still.append(existence)
            else:
                self._enter(existence, waiting.place, waiting.there, waiting.withheld, existence.ledger)
        waiting.left = tuple(still)
        return bool(still)

    def _enter(
        self, existence: Existence, place: Place, there: int, withheld: Mapping[str, Withheld], ledger: Ledger
    ) -> None:
        """Enter an instance that lacks nothing."""
        if owed := existence.owes(there, sum([self._bits[name] for name in withheld])):
            ledger.withhold(place, [each for name in owed for each in withheld[name]])
        else:
            ledger.capture(place)
