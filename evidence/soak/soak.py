"""Soak: how many runs of one scenario pass the packs, which rules fail, and under which perturbation.

The report is `soak-report-v1` (`schemas/soak-report-v1.schema.json`, from Assay's ADR-025). What one run comes to is decided by a
policy that stands in every report. An infrastructure error (a bundle that does not read, a command that fails) is neither
a pass nor a failure, and with one not all runs passed.

Law: a function of the verdicts, in order, and the policy; no clock. No vacuous pass: a run in which no rule that counts
could be decided did not pass.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from evidence.canonical import JsonObject
from evidence.formulas import Context
from evidence.limits import DEFAULT, Limits
from evidence.packs import SEVERITIES, Pack, Rule
from evidence.scores import Assessment
from evidence.soak.reliability import wilson95

SCHEMA_VERSION = "soak-report-v1"

UNDECIDED_RUN = "undecided_run"
"""The kind of infrastructure error of a run in which no rule that counts was decided: neither a pass nor a failure."""

Status = Literal["pass", "fail", "infra_error"]

_NO_DIGEST = "sha256:" + "0" * 64  # a perturbed run has no bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """How one rule came out for one run."""

    id: str
    """`pack@version:rule`."""
    severity: str
    outcome: str
    """holds, fails or undecided."""
    applies: bool
    """Whether it may decide anything about this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the packs say of one run."""

    rules: tuple[RuleVerdict, ...]
    closure: float
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPolicy:
    """When a run has failed, and when enough have."""

    fail_severity: str = "error"
    """Rules of this severity or a worse one count."""
    strict: bool = False
    """Whether a rule that could not be decided counts as violated."""
    stop_on_first_failure: bool = False
    max_failures: int | None = None
    """After this many failures no further run is made."""

    def counts(self, severity: str) -> bool:
        """Whether rules of that severity decide."""
        return SEVERITIES.index(severity) <= SEVERITIES.index(self.fail_severity)

    def violated(self, verdict: Verdict) -> set[str]:
        """The rules that make the run a failure."""
        failing = {"fails", "undecided"} if self.strict else {"fails"}
        return {rule.id for rule in self._deciding(verdict) if rule.outcome in failing}

    def decides(self, verdict: Verdict) -> bool:
        """Whether any rule that counts came out one way or the other."""
        return any(rule.outcome != "undecided" for rule in self._deciding(verdict))

    def stops(self, failures: int) -> bool:
        """Whether there have been enough failures."""
        return failures > 0 and (
            self.stop_on_first_failure or (self.max_failures is not None and failures >= self.max_failures)
        )

    def to_json(self) -> JsonObject:
        """The policy as reports have it. `strict` has no member there; whoever writes the report says it in `suite`."""
        most = {} if self.max_failures is None else {"max_failures": self.max_failures}
        return {
            "pass_on_severity_at_or_above": self.fail_severity,
            "stop_on_first_failure": self.stop_on_first_failure,
            **most,
        }

    def _deciding(self, verdict: Verdict) -> list[RuleVerdict]:
        return [rule for rule in verdict.rules if rule.applies and self.counts(rule.severity)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration:
    """What one iteration came to."""

    index: int
    """From 1."""
    profile: str
    """The perturbation it was made under."""
    verdicts: tuple[Verdict, ...] = ()
    """One for each run that was made: a command may make several."""
    duration_ms: int = 0
    infra_kind: str = ""
    """Why there is no verdict; empty when there is."""
    infra_message: str = ""


def assess(
    events: Iterable[tuple[JsonObject, bytes]],
    packs: Sequence[Pack],
    *,
    run_id: str,
    closed_at: str,
    inapplicable: Callable[[Rule], str],
    limits: Limits = DEFAULT,
) -> Verdict:
    """Judge one run by packs: the evaluation of lint and of the bundle's own reports.

    Raises:
        EventError: the telemetry in an event is not OTLP/JSON.
    """
    assessment = Assessment(packs, limits=limits)
    for event, line in events:
        assessment.add(event, line)
    context = Context(run_id=run_id, computed_at=closed_at, manifest_digest=_NO_DIGEST, events_digest=_NO_DIGEST)
    scores = assessment.scores(context)
    closure = scores.closure["closure"]
    return Verdict(
        rules=tuple(
            RuleVerdict(
                id=result.id,
                severity=result.rule.severity,
                outcome=result.outcome,
                applies=not inapplicable(result.rule),
            )
            for result in scores.rules
        ),
        closure=closure["score"],
        confidence=closure["confidence"],
    )


@dataclass(slots=True)
class Soak:
    """Adds up iterations. Memory: eight bytes a run and a row a rule, and what `keep_runs` keeps."""

    policy: DecisionPolicy
    keep_runs: bool = False
    passes: int = 0
    failures: int = 0
    first_failure_at: int | None = None
    infra: Counter[str] = field(default_factory=Counter)
    infra_example: dict[str, str] = field(default_factory=dict)
    """The message of the first infrastructure error of each kind."""
    violations: Counter[str] = field(default_factory=Counter)
    """Iterations in which a rule was violated, by rule."""
    surface: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The same by rule and perturbation."""
    tried: Counter[str] = field(default_factory=Counter)
    """Iterations that have a verdict, by perturbation."""
    tolerated: Counter[str] = field(default_factory=Counter)
    """Iterations in which a rule failed that does not count: of a lower severity, or one that does not apply."""
    undecided: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Iterations in which a rule that applies could not be decided, by rule and perturbation."""
    closures: "array[float]" = field(default_factory=lambda: array("d"))
    confidences: Counter[str] = field(default_factory=Counter)
    runs: list[JsonObject] = field(default_factory=list)
    """Each iteration as the report has it, when they are kept."""

    @property
    def infra_errors(self) -> int:
        """Iterations that are neither a pass nor a failure."""
        return self.infra.total()

    @property
    def evaluated(self) -> int:
        """Iterations that are a pass or a failure."""
        return self.passes + self.failures

    @property
    def is_enough(self) -> bool:
        """Whether the policy asks for no further iteration."""
        return self.policy.stops(self.failures)

    @property
    def pass_all(self) -> bool:
        """Whether there were iterations, and every one passed."""
        return self.passes > 0 and not self.failures and not self.infra_errors

    def add(self, iteration: Iteration) -> Status:
        """Enter one iteration, in order; what it came to."""
        kind, message = iteration.infra_kind, iteration.infra_message
        violated = sorted(set().union(*map(self.policy.violated, iteration.verdicts)))
        if not kind and not violated and not all(map(self.policy.decides, iteration.verdicts)):
            kind, message = UNDECIDED_RUN, "no rule that counts could be decided"
        status: Status = "infra_error" if kind else "fail" if violated else "pass"
        if kind:
            self.infra[kind] += 1
            self.infra_example.setdefault(kind, message)
        else:
            self._enter(iteration, violated)
        self._look(iteration, violated)
        if self.keep_runs:
            self.runs.append(_run(iteration, status, violated, kind, message))
        return status

    def _enter(self, iteration: Iteration, violated: Sequence[str]) -> None:
        if not violated:
            self.passes += 1
            return
        self.failures += 1
        if self.first_failure_at is None:
            self.first_failure_at = iteration.index
        for rule in violated:
            self.violations[rule] += 1
            self.surface[rule, iteration.profile] += 1

    def _look(self, iteration: Iteration, violated: Sequence[str]) -> None:
        self.tried[iteration.profile] += bool(iteration.verdicts)
        rules = [rule for verdict in iteration.verdicts for rule in verdict.rules]
        failing = {rule.id for rule in rules if rule.outcome == "fails"}
        self.tolerated.update(failing.difference(violated))
        undecided = {rule.id for rule in rules if rule.applies and rule.outcome == "undecided"}
        self.undecided.update((rule, iteration.profile) for rule in undecided)
        self.closures.extend(verdict.closure for verdict in iteration.verdicts)
        self.confidences.update(verdict.confidence for verdict in iteration.verdicts)

    def results(self) -> JsonObject:
        """`results` of the report.

        Raises:
            ValueError: there was no iteration: a report is about one at least.
        """
        if not self.evaluated + self.infra_errors:
            raise ValueError("no iteration was made")
        results: JsonObject = {
            "runs": self.evaluated + self.infra_errors,
            "passes": self.passes,
            "failures": self.failures,
            "infra_errors": self.infra_errors,
            "pass_rate": self.passes / self.evaluated if self.evaluated else 0.0,
            "pass_all": self.pass_all,
            "first_failure_at": self.first_failure_at,
            "violations_by_rule": dict(sorted(self.violations.items())),
            "infra_errors_by_kind": dict(sorted(self.infra.items())),
        }
        if self.evaluated:
            results["pass_rate_ci95"] = list(wilson95(self.passes, self.evaluated))
        return results


def report(
    soak: Soak,
    *,
    iterations: int,
    seed: int,
    time_budget_secs: int,
    limits: Limits,
    packs: Iterable[tuple[str, Pack]],
    suite: str,
    version: str,
    generated_at: str | None,
) -> JsonObject:
    """The report of a soak.

    Args:
        soak: with one iteration at least.
        iterations: how many were asked for.
        seed: what the perturbations were drawn by.
        time_budget_secs: what they might take.
        limits: what bundles were read within.
        packs: each with where it came from.
        suite: the name of the perturbation profile, and what else of the policy the schema has no member for.
        version: of this software.
        generated_at: the newest closing time of the bundles read; None leaves it out. Never the wall clock.
    """
    when = {} if generated_at is None else {"generated_at": generated_at}
    runs = {"runs": soak.runs} if soak.keep_runs else {}
    return {
        "schema_version": SCHEMA_VERSION,
        "mode": "soak",
        **when,
        "assay_version": version,
        "suite": suite,
        "iterations": iterations,
        "seed": seed,
        "time_budget_secs": time_budget_secs,
        "limits": limits.to_json(),
        "packs": [
            {
                "name": pack.name,
                "version": pack.version,
                "kind": pack.kind,
                "digest": pack.digest,
                "source": source,
            }
            for source, pack in packs
        ],
        "decision_policy": soak.policy.to_json(),
        "results": soak.results(),
        **runs,
    }


def _run(iteration: Iteration, status: Status, violated: Sequence[str], kind: str, message: str) -> JsonObject:
    """One run of the report."""
    run: JsonObject = {"index": iteration.index, "status": status, "duration_ms": iteration.duration_ms}
    if violated:
        run["violated_rules"] = list(violated)
    if kind:
        run |= {"infra_error_kind": kind, "infra_error_message": message}
    return run
