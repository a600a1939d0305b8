"""Works out once, for all instances of one kind that look the same, which checks they concern and how they come out.

A *look* is what tells instances apart before their values are read: operation or kind, five flags, and which of the names that
any check asks for are there. Instances of one look come out alike in every `exists_for_all`, so they are counted together.

Law: what comes out is the same as if each instance were held against each check; memory is bounded by `Limits.looks_max`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from evidence.checks.instance import Instance, Value, number_of, texts_of
from evidence.checks.ledger import Ledger
from evidence.checks.plan import Existence, LedgerOf, Plan, Tally, Use, Uses
from evidence.checks.prepared import Asked
from evidence.checks.presence import Withheld
from evidence.checks.selector import Selector
from evidence.limits import Limits

Seen = tuple[str, str, int, int]
"""What an instance shows of itself: the first four of a `Look`."""


class Look(NamedTuple):
    """What tells instances of one kind apart. Names are bits of `Looks.bits`, flags those of `selector.FLAGS`."""

    word: str
    """The operation of a span or of the one that it is in, the kind of a receipt or gap."""
    method: str
    """The MCP method of a span or of the one that it is in."""
    flags: int
    own: int
    """The names that the instance itself has."""
    there: int
    """The names that are there, from wherever."""
    withheld: int
    """Those of them that are only committed to."""


Question = Callable[[Instance], bool]
_WORDS_MAX = 200  # characters of operation and method, of a look that is kept


@dataclass(eq=False, slots=True)
class Answers:
    """The checks that instances of one look may concern, and the plan for each way they answer what is asked of values."""

    look: Look
    existences: list[Existence]
    uses: list[tuple[Selector, Use]]
    firsts: list[tuple[Selector, Use]]
    questions: tuple[tuple[Selector, Question], ...]
    plans: dict[tuple[bool, ...], Plan] = field(default_factory=dict)
    only: Plan | None = None
    """The plan, when nothing is asked."""


class Looks:
    """The checks on one kind of instance.

    Args:
        asked: what they ask.
        uses: what else takes instances of the kind, by selector.
        firsts: what takes the first instance and some more, as they come, by selector: it wants to know if there are any.
        limits: bounds.
    """

    def __init__(self, asked: Asked, uses: Uses, firsts: Uses, limits: Limits) -> None:
        self._limits = limits
        self._uses, self._firsts = list(uses), list(firsts)
        self.bits, self.roles, self.about = asked.bits, asked.roles, asked.about
        self._late = sum([bit for _, bit in self.about]) | sum([bit for _, bit, _, _ in self.roles])
        self._words, self._methods = asked.words, asked.methods
        self.existences = [Existence(demand=demand, ledger=Ledger(limits)) for demand in asked.demands]
        self.is_used = bool(self.existences or self._uses or self._firsts)
        self._answers: dict[tuple[str, str, int, int, int, int], Answers] = {}
        self._plans: list[Plan] = []

    def plan(self, seen: Seen, there: int, withheld: Mapping[str, Withheld], instance: Instance) -> Plan:
        """What is to be done with an instance.

        Args:
            seen: what it shows of itself.
            there: the names that are there, from wherever, as bits.
            withheld: what those of them that are withheld are committed to by.
            instance: the instance.
        """
        veiled = sum([self.bits[name] for name in withheld]) if withheld else 0
        look = (*seen, there, veiled)
        answers = self._answers.get(look)
        if answers is None:
            answers = self._known(look, instance)
        if answers.only is not None:
            return answers.only
        given = tuple([ask(instance) for _, ask in answers.questions])
        plan = answers.plans.get(given)
        if plan is None:
            plan = answers.plans[given] = self._plan(answers, given, instance)
        return plan

    def _known(self, seen: tuple[str, str, int, int, int, int], instance: Instance) -> Answers:
        """The answers for instances of a look, under that look for the next time; words that nothing asks for look alike."""
        word, method, *rest = seen
        look = Look(word if word in self._words else "", method if method in self._methods else "", *rest)
        answers = self._answers.get(look) or self._work_out(look, instance)
        for key in (look, seen):
            if len(self._answers) < self._limits.looks_max and len(word) + len(method) <= _WORDS_MAX:
                self._answers[key] = answers
        return answers

    def take(self, instance: Instance, word: str = "", method: str = "") -> None:
        """Enter an instance that nothing else belongs to, by the values of its names."""
        there = 0
        withheld: dict[str, Withheld] = {}
        for name, bit in self.bits.items():
            value = instance.value(name)
            if value is not None:
                there |= bit
                if isinstance(value, tuple):
                    withheld[name] = value
        self.enter(instance, there, withheld, word, method)

    def enter(
        self, instance: Instance, there: int, withheld: Mapping[str, Withheld], word: str = "", method: str = ""
    ) -> None:
        """Enter an instance that nothing else belongs to, by the names that it has."""
        plan = self.plan((word, method, 0, there), there, withheld, instance)
        plan.count(instance.place, withheld)
        for use in plan.uses:
            use(instance)

    def fold(self, ledger_of: LedgerOf) -> None:
        """Enter everything that is kept in tallies into ledgers."""
        for plan in self._plans:
            plan.fold(plan.met, plan.unmet, ledger_of)

    def _work_out(self, look: Look, instance: Instance) -> Answers:
        existences = [each for each in self.existences if self._takes(each.check.when, look)]
        uses = [(selector, use) for selector, use in self._uses if self._takes(selector, look)]
        firsts = [(selector, use) for selector, use in self._firsts if self._takes(selector, look)]
        asked = dict.fromkeys((*(e.check.when for e in existences), *(s for s, _ in uses), *(s for s, _ in firsts)))
        questions = tuple((selector, _question(selector)) for selector in asked if selector.values)
        answers = Answers(look=look, existences=existences, uses=uses, firsts=firsts, questions=questions)
        if not questions:
            answers.only = self._plan(answers, (), instance)
        return answers

    def _plan(self, answers: Answers, given: tuple[bool, ...], instance: Instance) -> Plan:
        """A new plan, for the first instance that it is for."""
        denied = {selector for (selector, _), said in zip(answers.questions, given, strict=True) if not said}
        there, withheld = answers.look.there, answers.look.withheld
        satisfied, lacking, owing = [], [], []
        for existence in answers.existences:
            if existence.check.when in denied:
                continue
            if names := existence.lacks(there):
                lacking.append((existence, names))
            elif names := existence.owes(there, withheld):
                owing.append((existence, names))
            else:
                satisfied.append(existence)
        most = self._limits.evidence_paths_max
        plan = Plan(
            satisfied=tuple(satisfied),
            lacking=tuple(lacking),
            withheld=tuple(owing),
            uses=tuple(use for selector, use in answers.uses if selector not in denied),
            met=Tally(most),
            unmet=Tally(most),
            is_kept=len(self._plans) < self._limits.looks_max,
            wants=_union(each.demand.all_of | each.demand.any_of for each, _ in lacking) & self._late & ~there,
        )
        if plan.is_kept:
            self._plans.append(plan)
        for selector, use in answers.firsts:
            if selector not in denied:
                use(instance)
        return plan

    def _takes(self, selector: Selector, look: Look) -> bool:
        """Whether a selector takes instances of a look, apart from their values."""
        return (
            (not selector.kind or look.word in selector.kind)
            and (
                not (selector.operation or selector.mcp_method)
                or look.word in selector.operation
                or look.method in selector.mcp_method
            )
            and (selector.attribute is None or bool(look.own & self.bits[selector.attribute]))
            and look.flags & selector.asked == selector.wanted
        )


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def _question(selector: Selector) -> Question:
    """Whether the values of an instance are as a selector says."""
    exact = tuple(
        (name, frozenset(v for v in values if not v.endswith("*")), tuple(v[:-1] for v in values if v.endswith("*")))
        for name, values in selector.where
    )

    def ask(instance: Instance) -> bool:
        for name, texts, prefixes in exact:
            if not _is_one_of(instance.value(name), texts, prefixes):
                return False
        for name, least in selector.at_least:
            number = number_of(instance.value(name))
            if number is None or not number >= least:
                return False
        return True

    return ask


def _is_one_of(value: Value, texts: frozenset[str], prefixes: tuple[str, ...]) -> bool:
    if type(value) is str:
        return value != "" and (value in texts or value.startswith(prefixes))
    return any(each in texts or each.startswith(prefixes) for each in texts_of(value) if each)
