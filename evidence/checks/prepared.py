"""What follows from checks alone: worked out once, for all the bundles that they are evaluated over.

Law: nothing here depends on any event, and nothing in it changes. Checks that are equal become one object, so that they can be told
apart by identity: to hash a check costs more than to count an instance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evidence.checks.check import Check, CountWithin, ExistsForAll, Join, names_of
from evidence.checks.selector import EVENT_KINDS, EventKind, Selector

_KEPT_MAX = 4
_OWNERS_MAX = 2_000  # of what is kept: packs that come in bundles may hold anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """An `exists_for_all`, with the masks of what it demands."""

    check: ExistsForAll
    all_of: int
    any_of: int
    demands: tuple[tuple[str, int], ...]
    choices: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What checks ask of one kind of instance."""

    demands: tuple[Demand, ...]
    bits: Mapping[str, int]
    """The names that tell instances apart."""
    roles: tuple[tuple[str, int, str, str], ...]
    """Name, bit, attribute and role of each demand for a message of some role."""
    about: tuple[tuple[str, int], ...]
    """The names that are no content."""
    words: frozenset[str]
    methods: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Checks by owner, and what is asked by all of them together."""

    checks: Mapping[str, tuple[Check, ...]]
    joins: tuple[Join, ...]
    counts: tuple[CountWithin, ...]
    asked: Mapping[EventKind, Asked]
    names: frozenset[str]
    """Every name that any of them looks at."""
    stand_ins: tuple[tuple[str, tuple[str, ...]], ...]
    """The receipts that stand for instances."""


_Key = tuple[tuple[object, ...], ...]
_kept: dict[_Key, tuple[Mapping[str, Sequence[Check]], Prepared]] = {}
"""By owners and identities, with the checks themselves, so that no identity is used again while it is here."""


def prepared(checks: Mapping[str, Sequence[Check]]) -> Prepared:
    """What follows from these checks, worked out before if these very objects were asked about lately."""
    key: _Key = tuple((owner, *map(id, owned)) for owner, owned in checks.items())
    known = _kept.get(key)
    if known is not None:
        return known[1]
    made = _prepare(checks)
    if len(key) <= _OWNERS_MAX:
        if len(_kept) >= _KEPT_MAX:
            _kept.clear()
        _kept[key] = ({owner: tuple(owned) for owner, owned in checks.items()}, made)
    return made


def _prepare(checks: Mapping[str, Sequence[Check]]) -> Prepared:
    one: dict[Check, Check] = {}
    owned = {owner: tuple(one.setdefault(check, check) for check in each) for owner, each in checks.items()}
    existences = [check for check in one if isinstance(check, ExistsForAll)]
    joins = tuple(check for check in one if isinstance(check, Join))
    counts = tuple(check for check in one if isinstance(check, CountWithin))
    others = [selector for join in joins for selector in (join.when, join.partner)]
    others += [selector for count in counts for selector in (count.when, count.over) if selector is not None]
    return Prepared(
        checks=owned,
        joins=joins,
        counts=counts,
        asked={kind: _asked(kind, existences, others) for kind in EVENT_KINDS},
        names=frozenset(name for check in one for name in names_of(check)),
        stand_ins=tuple(dict.fromkeys(each for check in existences for each in check.or_receipt)),
    )


def _asked(kind: EventKind, existences: Sequence[ExistsForAll], others: Sequence[Selector]) -> Asked:
    checks = [check for check in existences if check.when.event == kind]
    selectors = [check.when for check in checks] + [selector for selector in others if selector.event == kind]
    names: dict[str, None] = dict.fromkeys(name for check in checks for name in check.names)
    names |= dict.fromkeys(selector.attribute for selector in selectors if selector.attribute)
    names |= dict.fromkeys(name.partition("[")[0] for name in names)
    bits = {name: 1 << place for place, name in enumerate(names)}
    return Asked(
        demands=tuple(_demand(check, bits) for check in checks),
        bits=bits,
        roles=tuple(_role(name, bit) for name, bit in bits.items() if "[role=" in name),
        about=tuple((name, bit) for name, bit in bits.items() if name[0] == "@"),
        words=frozenset(word for each in selectors for word in (*each.operation, *each.kind)),
        methods=frozenset(method for each in selectors for method in each.mcp_method),
    )


def _demand(check: ExistsForAll, bits: Mapping[str, int]) -> Demand:
    demands = tuple((name, bits[name]) for name in check.all_of)
    choices = tuple((name, bits[name]) for name in check.any_of)
    return Demand(
        check=check,
        all_of=sum(bit for _, bit in demands),
        any_of=sum(bit for _, bit in choices),
        demands=demands,
        choices=choices,
    )


def _role(name: str, bit: int) -> tuple[str, int, str, str]:
    base, _, rest = name.partition("[role=")
    return name, bit, base, rest[:-1]
