"""A soak as text for people: how many runs passed, what failed under which perturbation, and how far the numbers bear.

Law: it says nothing that the numbers do not bear, and passes over nothing that is not a pass. Whatever a bundle, a pack or a
command says passes `printable`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import median

import click

from evidence.packs import SEVERITIES, Pack
from evidence.soak.reliability import pass_hat_k, wilson95
from evidence.soak.soak import Soak
from sidecar.cli.printable import printable

__all__ = ["lines"]

_KS = (1, 2, 4, 8, 16, 32, 64, 128)
_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
_PLACES_MAX = 6


def lines(soak: Soak, packs: tuple[Pack, ...], *, recorded: int | None) -> Iterator[str]:
    """The result; styled for a terminal, to be stripped for a pipe.

    Args:
        soak: with one iteration at least.
        packs: what the runs were judged by.
        recorded: how many recorded bundles took turns; None when a command made a run each time.
    """
    yield from _rates(soak, recorded)
    yield from _surface(soak, packs)
    if soak.closures:
        low, middle, high = min(soak.closures), median(soak.closures), max(soak.closures)
        counts = ", ".join(f"{name} {soak.confidences[name]}" for name in ("high", "medium", "low"))
        yield f"closure {low:.3f} at least, {middle:.3f} in the median, {high:.3f} at most; confidence {counts}"
    for kind, count in sorted(soak.infra.items()):
        yield f"no verdict: {kind} {'once' if count == 1 else f'{count} times'}; the first: {printable(soak.infra_example[kind])}"
    yield _verdict(soak)


def _rates(soak: Soak, recorded: int | None) -> Iterator[str]:
    tail = f", {soak.infra_errors} without a verdict" if soak.infra_errors else ""
    yield f"{soak.passes} of {soak.evaluated} runs passed{tail}"
    if not soak.evaluated:
        return
    low, high = wilson95(soak.passes, soak.evaluated)
    yield f"pass rate {soak.passes / soak.evaluated:.3f}, 95 % interval {low:.3f} to {high:.3f} (Wilson)"
    powers = [f"{k}: {pass_hat_k(soak.passes, soak.evaluated, k):.3f}" for k in _KS if k <= soak.evaluated]
    yield f"pass^k, the chance that k runs all pass, estimated: {', '.join(powers)}"
    if recorded is not None:
        of = "one recorded run" if recorded == 1 else f"{recorded} recorded runs"
        yield f"These were evaluations of {of}: the spread is that of the perturbations drawn, not of the agent."
    if soak.first_failure_at is not None:
        yield f"first failure: iteration {soak.first_failure_at}"


def _surface(soak: Soak, packs: tuple[Pack, ...]) -> Iterator[str]:
    """A line for each rule that ever came out otherwise than well, in the order of the packs."""
    total = soak.tried.total()
    if not total:
        return
    lost_sight = False
    for pack in packs:
        for rule in pack.rules:
            name = f"{pack.id}:{rule.id}"
            violated, undecided = (_of_rule(name, found) for found in (soak.surface, soak.undecided))
            said = [f"violated {violated.total()} of {total}{_places(violated, soak)}"] if violated else []
            if undecided.total() == total:
                said.append("never decided")
            elif undecided:
                said.append(f"undecided {undecided.total()} of {total}{_places(undecided, soak)}")
                lost_sight = lost_sight or soak.policy.counts(rule.severity)
            if count := soak.tolerated[name]:
                said.append(f"failed {count} of {total}, which does not count")
            if said:
                yield f"  {click.style(f'{rule.severity:7}', fg=_COLOURS[rule.severity])}  {name}  {'; '.join(said)}"
    if lost_sight and not soak.policy.strict:
        yield "A rule that counts and is undecided now and then has lost what it looks at; --strict makes that a failure."


def _of_rule(name: str, found: Counter[tuple[str, str]]) -> Counter[str]:
    return Counter({profile: count for (rule, profile), count in found.items() if rule == name})


def _places(where: Counter[str], soak: Soak) -> str:
    """Under which perturbations, those of the largest shares first; nothing when there was only one."""
    if len(soak.tried) < 2:
        return ""
    ordered = sorted(where.items(), key=lambda item: (-item[1] / soak.tried[item[0]], item[0]))
    shown = [f"{profile} {count} of {soak.tried[profile]}" for profile, count in ordered[:_PLACES_MAX]]
    more = f" and {len(ordered) - _PLACES_MAX} more" if len(ordered) > _PLACES_MAX else ""
    return f" ({', '.join(shown)}{more})"


def _verdict(soak: Soak) -> str:
    policy = soak.policy
    of = " or ".join(each for each in reversed(SEVERITIES) if policy.counts(each))
    strict = ", and every such rule has to be decided" if policy.strict else ""
    word = click.style("all runs passed", fg="green") if soak.pass_all else click.style("not all runs passed", fg="red")
    return f"Verdict: {word} (a run fails when a rule of severity {of} does{strict})"
