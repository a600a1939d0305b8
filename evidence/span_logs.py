"""Brings together what a span lacks and what logs of the same span hold, whichever comes first.

Law: at most `Limits.open_instances_max` spans, and as many logs' contents, wait; those that waited longest go first, and what they
lack then is lacking.
"""

from collections import OrderedDict
from collections.abc import Mapping

from evidence.ledger import Place, at_name
from evidence.limits import Limits
from evidence.looks import Existence, LedgerOf, Plan, Tally
from evidence.presence import Withheld

Told = tuple[int, Mapping[str, Withheld]]
"""The names that are there, as bits, and what those of them that are withheld are committed to by."""


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


class SpanLogs:
    """Spans that wait for logs, and logs that wait for their span.

    Args:
        bits: the bit of each name that a log may supply.
        limits: bounds.
    """

    def __init__(self, bits: Mapping[str, int], limits: Limits) -> None:
        self._bits = bits
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
            _, oldest = self._waiting.popitem(last=False)
            self._count -= len(oldest)
            for waiting in oldest:
                _lose(waiting)

    def tell(self, span: str, there: int, withheld: Mapping[str, Withheld]) -> None:
        """A log of a span holds something."""
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
        """Enter what is lacking, if no further log came, into ledgers."""
        untouched: dict[int, tuple[Plan, Tally]] = {}
        for waiting in (each for several in self._waiting.values() for each in several):
            if waiting.left is None:
                plan = waiting.plan
                untouched.setdefault(id(plan), (plan, Tally(self._places_max)))[1].add(waiting.place)
            else:
                for existence in waiting.left:
                    names = existence.lacks(waiting.there)
                    ledger_of(existence).lack(at_name(waiting.place, names), names)
        for plan, tally in untouched.values():
            plan.fold(Tally(self._places_max), tally, ledger_of)

    def _merged(
        self, known: int, owed: Mapping[str, Withheld], withheld: Mapping[str, Withheld]
    ) -> Mapping[str, Withheld]:
        """What is withheld of both; what was known before stays as it was."""
        if not withheld:
            return owed
        return {**{name: each for name, each in withheld.items() if not known & self._bits[name]}, **owed}

    def _improve(self, waiting: _Waiting) -> bool:
        """Enter what a span lacks no longer; whether it still lacks anything."""
        left = tuple(each for each, _ in waiting.plan.lacking) if waiting.left is None else waiting.left
        veiled = sum([self._bits[name] for name in waiting.withheld])
        still = []
        for existence in left:
            if existence.lacks(waiting.there):
                still.append(existence)
            elif owed := existence.owes(waiting.there, veiled):
                existence.ledger.withhold(waiting.place, [each for name in owed for each in waiting.withheld[name]])
            else:
                existence.ledger.capture(waiting.place)
        waiting.left = tuple(still)
        return bool(still)


def _lose(waiting: _Waiting) -> None:
    if waiting.left is None:
        waiting.plan.lose(waiting.place)
        return
    for existence in waiting.left:
        names = existence.lacks(waiting.there)
        existence.ledger.lack(at_name(waiting.place, names), names)
