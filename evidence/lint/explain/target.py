"""What can be explained, by the name a reader gives it.

| target | is |
|---|---|
| `closure.score`, `closure` | the closure score, term by term |
| `completeness` | the completeness of every pack, signal by signal |
| `completeness:PACK` | of one pack |
| `PACK:RULE`, `PACK@VERSION:RULE` | a rule; `RULE` alone when one pack has it |

Law: a target is resolved against the packs before any bundle is read, so a mistyped one costs nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from evidence.errors import PackError
from evidence.lint.explain.closure import explain_closure
from evidence.lint.explain.completeness import explain_completeness
from evidence.lint.explain.rule import explain_rule
from evidence.lint.lint import LintedBundle
from evidence.packs import Pack, Rule
from evidence.signals import registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be explained."""

    kind: Literal["closure", "completeness", "rule"]
    packs: tuple[Pack, ...] = ()
    """Those it is about."""
    rule: Rule | None = None


def parse_target(text: str, packs: Sequence[Pack]) -> Target:
    """The target that a reader named.

    Raises:
        PackError: there is none of that name, or several.
    """
    head, _, tail = text.rpartition(":")
    if text in {"closure", "closure.score"}:
        return Target(kind="closure")
    if text == "completeness":
        return Target(kind="completeness", packs=tuple(packs))
    if head == "completeness":
        return Target(kind="completeness", packs=(_pack(tail, packs),))
    candidates = [_pack(head, packs)] if head else packs
    found = [(pack, rule) for pack in candidates for rule in pack.rules if rule.id == tail]
    if len(found) != 1:
        among = ", ".join(rule.id for pack in candidates for rule in pack.rules)
        number = "several rules are" if found else "nothing is"
        raise PackError(f"{number} named {text!r}; there are closure.score, completeness and the rules {among}")
    return Target(kind="rule", packs=(found[0][0],), rule=found[0][1])


def explain(target: Target, bundle: LintedBundle) -> Iterator[str]:
    """What came about how in one bundle, a line each. Lines may hold anything that telemetry says: not fit for a terminal yet."""
    closure = bundle.scores.closure
    details = closure["completeness"]["by_signal"]
    if target.kind == "closure":
        yield from explain_closure(closure, bundle.capture_health, registry())
    elif target.kind == "completeness":
        for pack in target.packs:
            yield from explain_completeness(pack, bundle.scores.completeness[pack.id], details, registry())
    else:
        (pack,) = target.packs
        finding = next(
            each for each in bundle.findings if each.result.id == f"{pack.id}:{target.rule and target.rule.id}"
        )
        yield from explain_rule(pack, finding, bundle, registry())


def _pack(name: str, packs: Sequence[Pack]) -> Pack:
    for pack in packs:
        if name in {pack.name, pack.id}:
            return pack
    raise PackError(f"no pack named {name!r} is applied; there are {', '.join(pack.id for pack in packs)}")
