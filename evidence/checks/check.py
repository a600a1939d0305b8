"""The check language of signals, packs and soak: what must be so of every instance that a selector picks.

| type              | an instance is satisfied when                                                              |
|-------------------|--------------------------------------------------------------------------------------------|
| `exists_for_all`  | everything in `all_of` and something in `any_of` is there, or a receipt of `or_receipt` says so |
| `joined_by_key`   | an instance of `with` has an equal key, and agrees as `compare` says                        |
| `ordered_before`  | the same, and that partner's `@time` is not after the instance's `@start` (else `@time`)     |
| `within_time`     | the same, and that partner's `@time` is at most `seconds` after the instance's              |
| `matches_digest`  | the same, and `digest: {of: X, in: Y}`: the partner's Y is the SHA-256 of the instance's X    |
| `count_within`    | the number of instances, or of `distinct` values, in each group `per` names is `min` to `max` |

`key` is a list of `{left: right}` maps; the first whose left names an instance all has is the one that counts. `compare` holds
`equal`, `subset` (of lists, or of words in a text) and `digest`, each `{left: right}`. A digest is of the value's text as it is, or
of the canonical form of the JSON in it; texts `sha256:<hex>` and `<hex>` are equal everywhere.

An instance is *satisfied*, *withheld* (only a commitment is there, so nothing can be said) or *lacking*; without any instance a
check is undecided.

Law: a check quantifies over all instances; one that cannot fail, or cannot hold, is refused when it is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from evidence.checks.selector import EventKind, Selector, hold_name, read_selector
from evidence.strict_yaml import Node

JoinType = Literal["joined_by_key", "ordered_before", "within_time", "matches_digest"]
Relation = Literal["equal", "subset", "digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistsForAll:
    """Every instance has what is demanded."""

    when: Selector
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    or_receipt: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """A receipt of one of these kinds anywhere in the part, with one of the members beside it, stands for every instance."""

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is demanded, in one way or another."""
        return self.all_of + self.any_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """What an instance and its partner must agree in."""

    relation: Relation
    left: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Every instance has a partner."""

    type: JoinType
    when: Selector
    partner: Selector
    """`with`."""
    keys: tuple[tuple[tuple[str, str], ...], ...]
    """The alternatives; each a list of (left, right)."""
    compare: tuple[Compare, ...] = ()
    seconds: float | None = None
    """For `within_time`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountWithin:
    """The instances are as many as they should be."""

    when: Selector
    least: int | None = None
    """`min`."""
    most: int | None = None
    """`max`."""
    per: tuple[str, ...] = ()
    distinct: str | None = None
    over: Selector | None = None
    """The population: without one of it the check is undecided, and each group of it is counted, be it to 0."""


Check = ExistsForAll | Join | CountWithin


def names_of(check: Check) -> tuple[str, ...]:
    """Every name that a check looks at, in any kind of instance."""
    if isinstance(check, ExistsForAll):
        selectors, names = [check.when], list(check.names)
    elif isinstance(check, Join):
        selectors = [check.when, check.partner]
        names = [name for keys in check.keys for pair in keys for name in pair]
        names += [name for each in check.compare for name in (each.left, each.right)]
    else:
        selectors = [check.when, *([check.over] if check.over else [])]
        names = [*check.per, *([check.distinct] if check.distinct else [])]
    names += [name for selector in selectors for name in selector.values]
    names += [selector.attribute for selector in selectors if selector.attribute]
    return tuple(name.partition("[role=")[0] for name in names)


def read_check(node: Node, default: str | None = None) -> Check:
    """A check from YAML.

    Args:
        node: the check.
        default: its type when it does not say one; None to demand that it does.

    Raises:
        PackError: with file and line, what does not fit.
    """
    members = node.entries()
    if "type" not in members and default is None:
        node.fail("expected the key 'type'")
    return _CHECKS[members["type"].one_of(tuple(_CHECKS)) if "type" in members else str(default)](node)


# ------------------------------------------------------------------ exists_for_all


def _exists_for_all(node: Node) -> Check:
    members = node.mapping(["when"], ["type", "all_of", "any_of", "or_receipt"])
    check = ExistsForAll(
        when=read_selector(members["when"]),
        **{key: members[key].texts() for key in ("all_of", "any_of") if key in members},
        or_receipt=_stand_ins(members["or_receipt"]) if "or_receipt" in members else (),
    )
    for key in ("all_of", "any_of"):
        for name in members[key].items() if key in members else ():
            hold_name(name, check.when.event, name.text())
    has = check.when.guaranteed
    if set(check.all_of) <= has and (not check.any_of or not has.isdisjoint(check.any_of)):
        node.fail("cannot fail: nothing is demanded that `when` does not already say")
    never = check.when.excluded
    if not never.isdisjoint(check.all_of) or (check.any_of and set(check.any_of) <= never):
        node.fail("cannot hold: what is demanded is what `when` excludes")
    return check


def _stand_ins(node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Members by kind of receipt: one that says nothing stands for nothing."""
    kinds = {kind: names.texts() for kind, names in node.entries().items()}
    if not kinds:
        node.fail("expected a map {kind: [member]}, at least one")
    for kind, names in kinds.items():
        for name in names:
            hold_name(node.entries()[kind], "receipt", name, value=True)
    return tuple(kinds.items())


# ------------------------------------------------------------------ joins


def _join(kind: JoinType, required: tuple[str, ...] = ()) -> Callable[[Node], Check]:
    def read(node: Node) -> Check:
        members = node.mapping(["when", "with", "key", *required], ["type", "compare"])
        when, partner = read_selector(members["when"]), read_selector(members["with"])
        for name, selector in (("when", when), ("with", partner)):
            if selector.event == "run":
                members[name].fail("a run has no key to be joined by")
        check = Join(
            type=kind,
            when=when,
            partner=partner,
            keys=_keys(members["key"], when.event, partner.event),
            compare=_compare(members, when.event, partner.event),
            seconds=_seconds(members["seconds"]) if "seconds" in members else None,
        )
        _check_join(node, check)
        return check

    return read


def _keys(node: Node, left: EventKind, right: EventKind) -> tuple[tuple[tuple[str, str], ...], ...]:
    keys = tuple(_names(item, left, right) for item in node.items())
    if not keys or len(set(keys)) != len(keys):
        node.fail("expected a list of distinct maps {name: name}, at least one")
    return keys


def _names(node: Node, left: EventKind, right: EventKind) -> tuple[tuple[str, str], ...]:
    pairs = tuple(
        (hold_name(node, left, name, value=True), hold_name(value, right, value.text(), value=True))
        for name, value in node.entries().items()
    )
    if not pairs:
        node.fail("expected a map {name: name}, at least one")
    return pairs


def _compare(members: Mapping[str, Node], left: EventKind, right: EventKind) -> tuple[Compare, ...]:
    compare = members["compare"].mapping([], ["equal", "subset", "digest"]) if "compare" in members else {}
    if "compare" in members and not compare:
        members["compare"].fail("expected equal, subset or digest")
    found = [
        Compare(relation=relation, left=one, right=other)  # type: ignore[arg-type]  # the keys are the relations
        for relation, node in compare.items()
        for one, other in _names(node, left, right)
    ]
    if "digest" in members:
        digest = members["digest"].mapping(["of", "in"])
        one = hold_name(digest["of"], left, digest["of"].text(), value=True)
        found.append(
            Compare(relation="digest", left=one, right=hold_name(digest["in"], right, digest["in"].text(), value=True))
        )
    return tuple(found)


def _seconds(node: Node) -> float:
    seconds = node.number()
    if seconds < 0:
        node.fail(f"cannot hold: a partner within {seconds} seconds after the instance")
    return seconds


_INSTANTS = {"log", "resource", "receipt", "gap"}
"""Kinds that have no start before their `@time`."""


def _check_join(node: Node, check: Join) -> None:
    """An instance that is its own partner makes a join that cannot fail, unless it must differ from it in something."""
    is_own = check.partner.takes_every(check.when) and all(
        left == right for names in check.keys for left, right in names
    )
    agrees = all(each.relation != "digest" and each.left == each.right for each in check.compare)
    is_before_itself = check.type != "ordered_before" or check.when.event in _INSTANTS
    if is_own and agrees and is_before_itself:
        node.fail("cannot fail: every instance is its own partner")


# ------------------------------------------------------------------ count_within


def _count_within(node: Node) -> Check:
    members = node.mapping(["when"], ["type", "min", "max", "per", "distinct", "over"])
    when = read_selector(members["when"])
    if when.event == "run":
        members["when"].fail("cannot fail: a part is one run")
    check = CountWithin(
        when=when,
        least=members["min"].count() if "min" in members else None,
        most=members["max"].count() if "max" in members else None,
        per=members["per"].texts() if "per" in members else (),
        distinct=members["distinct"].text() if "distinct" in members else None,
        over=read_selector(members["over"]) if "over" in members else None,
    )
    for name in check.per:
        hold_name(members["per"], when.event, name, value=True)
        if check.least and check.over is not None:
            hold_name(members["per"], check.over.event, name, value=True)
    if check.distinct is not None:
        hold_name(members["distinct"], when.event, check.distinct, value=True)
    _check_count(node, check)
    return check


def _check_count(node: Node, check: CountWithin) -> None:
    if not check.least and check.most is None:
        node.fail("cannot fail: expected min above 0, or max")
    if check.most is not None and check.least is not None and check.least > check.most:
        node.fail(f"cannot hold: min {check.least} is above max {check.most}")
    if not check.least and check.over is None:
        node.fail("expected the key 'over': without a population, a run in which nothing took place would pass")
    if check.distinct in check.per:
        node.fail(f"{check.distinct!r} has one value in each group that is told apart by it")
    if check.per and check.over is None and check.least == 1 and check.most is None:
        node.fail("cannot fail: a group is there because it has an instance")
    if check.over is not None and check.when.takes_every(check.over):
        if check.most == 0:
            node.fail("cannot hold: every one of `over` is an instance")
        if (check.least or 0) <= 1 and check.most is None:
            node.fail("cannot fail: every one of `over` is an instance")


_CHECKS: Mapping[str, Callable[[Node], Check]] = {
    "exists_for_all": _exists_for_all,
    "joined_by_key": _join("joined_by_key"),
    "ordered_before": _join("ordered_before"),
    "within_time": _join("within_time", ("seconds",)),
    "matches_digest": _join("matches_digest", ("digest",)),
    "count_within": _count_within,
}
"""The closed set of checks."""
