"""The loop of a soak: a run, its perturbation, the packs' verdict; until there were enough, or the time is up.

Law: for recorded runs the report is a function of the bundles, the packs and the options, unless the time budget ends it
early, which the report says. The clock is looked at for that budget alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from evidence.limits import DEFAULT, Limits
from evidence.lint.applicability import inapplicable
from evidence.packs import Pack
from evidence.soak.perturbation import Profile, perturbed
from evidence.soak.soak import DecisionPolicy, Iteration, Soak, Verdict, assess
from sidecar.sim.bundles import in_words
from sidecar.sim.target import Events, RecordedRun, Target, Trouble

__all__ = ["Plan", "run_soak"]

_LOOK_EVERY = 256  # events between two looks at the clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do."""

    packs: tuple[Pack, ...]
    profile: Profile
    iterations: int
    seed: int
    time_budget_seconds: int
    policy: DecisionPolicy
    limits: Limits = DEFAULT
    as_of: str | None = None
    """The day on which rules are to apply; None: the day that each run closed."""
    rule_profiles: frozenset[str] = frozenset()
    """Profiles of systems whose rules apply."""
    keep_runs: bool = False
    on_iteration: Callable[[int], object] = lambda _: None
    """Told of each iteration that is done, for a progress bar."""


def run_soak(target: Target, plan: Plan, clock_seconds: Callable[[], float] = time.monotonic) -> Soak:
    """Makes the iterations, one after another."""
    soak = Soak(policy=plan.policy, keep_runs=plan.keep_runs)
    deadline = clock_seconds() + plan.time_budget_seconds
    for index in range(1, plan.iterations + 1):
        iteration = _iterate(target, plan, index, lambda: deadline - clock_seconds())
        soak.add(iteration)
        plan.on_iteration(1)
        if soak.is_enough or iteration.infra_kind == "time_budget_exceeded":
            break
    return soak


def _iterate(target: Target, plan: Plan, index: int, seconds_left: Callable[[], float]) -> Iteration:
    profile = plan.profile.drawn(plan.seed, index)
    try:
        _hold(seconds_left)
        began = seconds_left()
        runs = target.runs(index, profile.receiver, began)
        made_ms = int((began - seconds_left()) * 1000)
        verdicts = tuple(_judge(run, profile, plan, index, seconds_left) for run in runs)
    except Trouble as trouble:
        return Iteration(index=index, profile=profile.name, infra_kind=trouble.kind, infra_message=str(trouble))
    finally:
        target.clear()
    duration_ms = runs[0].duration_ms if target.is_recorded else made_ms
    return Iteration(index=index, profile=profile.name, verdicts=verdicts, duration_ms=duration_ms)


def _judge(run: RecordedRun, profile: Profile, plan: Plan, index: int, seconds_left: Callable[[], float]) -> Verdict:
    day = plan.as_of or run.closed_at[:10]
    with in_words():
        return assess(
            perturbed(
                _within(run.events(), seconds_left),
                profile.run,
                seed=plan.seed,
                iteration=index,
                total=run.event_count,
            ),
            plan.packs,
            run_id=run.run_id,
            closed_at=run.closed_at,
            inapplicable=lambda rule: inapplicable(rule, day, plan.rule_profiles),
            limits=plan.limits,
        )


def _within(events: Events, seconds_left: Callable[[], float]) -> Iterator[tuple[dict[str, object], bytes]]:
    for number, event in enumerate(events, 1):
        if number % _LOOK_EVERY == 0:
            _hold(seconds_left)
        yield event


def _hold(seconds_left: Callable[[], float]) -> None:
    if seconds_left() <= 0:
        raise Trouble("time_budget_exceeded", "the time budget was used up before the iteration had ended")
