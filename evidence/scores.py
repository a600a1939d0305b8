"""Completeness and closure of a part: did we capture what the packs need, and could the run be reconstructed.

The report is `closure-v1` (`schemas/closure-v1.schema.json`, from ADR-025). For closure a redacted body counts as missing:
it cannot be replayed until it is disclosed. With nothing expected the score is 0 and the confidence low.

Law: every value is a function of the events, the registry, the packs and the closing time; so whoever holds a bundle
computes the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from evidence import formulas
from evidence.canonical import JsonObject, canonical
from evidence.capture.health import CaptureHealth
from evidence.checks.check import Check
from evidence.checks.evaluation import Evaluation
from evidence.checks.ledger import Ledger, Status
from evidence.formulas import Context
from evidence.limits import DEFAULT, Limits
from evidence.manifest import CLOSURE, FORMULA_RECEIPTS
from evidence.packs import Pack, Rule
from evidence.signals import Registry, registry

Outcome = Literal["holds", "fails", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """How one rule of a pack came out."""

    id: str
    """`pack@version:rule`."""
    pack: str
    """`pack@version`."""
    rule: Rule
    outcome: Outcome
    """Fails when one of its signals or its check does; undecided when one of them is, or nothing says that what the rule
    is about took place."""
    reason: str
    evidence_paths: tuple[str, ...]
    """Where that shows, at most `Limits.evidence_paths_max`."""
    instances: int
    """What the rule looked at, in its signals and its check."""
    lacking: int
    """How many of them lack something."""
    signals: Mapping[str, Status]
    """The state of each signal that the rule wants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The reports of a part."""

    closure: JsonObject
    """`reports/closure.json`."""
    receipts: JsonObject
    """`reports/formula-receipts.json`."""
    completeness: Mapping[str, float]
    """Share of the required signals, by `pack@version`."""
    capture_health: Mapping[str, int | bool]
    packs: tuple[Pack, ...] = field(repr=False)
    ledgers: Mapping[str, Ledger] = field(repr=False, compare=False)
    """What came of each signal and of each rule's check."""

    @property
    def rules(self) -> tuple[RuleResult, ...]:
        """How each rule came out: no part of a report, and worked out where it is asked for."""
        return tuple(_judge(pack, rule, self.ledgers) for pack in self.packs for rule in pack.rules)

    def closure_bytes(self) -> bytes:
        """`reports/closure.json` as it stands in a bundle."""
        return canonical(self.closure)

    def receipts_bytes(self) -> bytes:
        """`reports/formula-receipts.json` as it stands in a bundle."""
        return canonical(self.receipts)


class Assessment:
    """Looks at the events of a part in order, then gives capture health and scores.

    Memory does not depend on the number of events, apart from what `CaptureHealth` and `Evaluation` say.
    """

    def __init__(self, packs: Sequence[Pack], signals: Registry | None = None, limits: Limits = DEFAULT) -> None:
        self._packs = tuple(packs)
        self._registry = signals or registry()
        self._health = CaptureHealth(limits)
        self._evaluation = Evaluation(self._checks(), self._registry.placeholders, limits)

    def add(self, event: JsonObject, line: bytes) -> None:
        """Look at the next event; `line` is its canonical form.

        Raises:
            EventError: the telemetry in it is not OTLP/JSON.
        """
        self._evaluation.add(event, line)
        self._health.add(event, line)

    def add_all(self, batch: Sequence[tuple[JsonObject, bytes]]) -> None:
        """Look at the next events, each with its line: the same as `add`, but one part goes through all before the next does.

        That is quicker, because code and tables of one part stay in the core's caches.

        Raises:
            EventError: the telemetry in one is not OTLP/JSON.
        """
        for event, line in batch:
            self._evaluation.add(event, line)
        for event, line in batch:
            self._health.add(event, line)

    def capture_health(self) -> dict[str, int | bool]:
        """The capture health of the events so far."""
        return self._health.result()

    def scores(self, context: Context) -> Scores:
        """The reports over the events so far."""
        ledgers = self._evaluation.result()
        states = {name: ledgers[name] for name in self._registry.signals}
        health = self.capture_health()
        score, confidence = self._closure(states, health, context)
        completeness = {pack.id: self._completeness(pack, states, context) for pack in self._packs}
        receipts = [evaluation.receipt for evaluation in (score, confidence, *completeness.values())]
        return Scores(
            closure=self._report(states, score.output, confidence.output, context),
            receipts={
                "schema_version": formulas.RECEIPTS_VERSION,
                "outputs": {"completeness": {name: evaluation.output for name, evaluation in completeness.items()}},
                "receipts": receipts,
            },
            completeness={name: float(evaluation.output) for name, evaluation in completeness.items()},
            capture_health=health,
            packs=self._packs,
            ledgers=ledgers,
        )

    # ---------------------------------------------------------------- formulas

    def _closure(
        self, states: Mapping[str, Ledger], health: Mapping[str, int | bool], context: Context
    ) -> tuple[formulas.Evaluation, formulas.Evaluation]:
        critical = {name: signal for name, signal in self._registry.signals.items() if signal.replay_critical}
        score = formulas.evaluate(
            "weighted_ratio_v1",
            {"signals": {name: {"status": states[name].status, "weight": s.weight} for name, s in critical.items()}},
            f"{CLOSURE}#/closure/score",
            context,
        )
        confidence = formulas.evaluate(
            "confidence_table_v1",
            {
                "expected": sum(states[name].expected for name in critical),
                "counters": health,
                "table": {level: list(names) for level, names in self._registry.confidence.items()},
            },
            f"{CLOSURE}#/closure/confidence",
            context,
        )
        return score, confidence

    def _completeness(self, pack: Pack, states: Mapping[str, Ledger], context: Context) -> formulas.Evaluation:
        required = {name: states[name].status for name in pack.requires_signals}
        place = f"{FORMULA_RECEIPTS}#/outputs/completeness/{pack.id}"
        return formulas.evaluate("completeness_ratio_v1", {"required": required}, place, context)

    # ---------------------------------------------------------------- the report

    def _report(
        self, states: Mapping[str, Ledger], score: formulas.Value, confidence: formulas.Value, context: Context
    ) -> JsonObject:
        signals = self._registry.signals
        required = [name for name in signals if any(name in pack.requires_signals for pack in self._packs)]
        critical = [name for name, signal in signals.items() if signal.replay_critical]

        def having(names: Sequence[str], *wanted: str) -> list[str]:
            return [name for name in names if states[name].status in wanted]

        return {
            "schema_version": "closure-v1",
            "generated_at": context.computed_at,
            "bundle_digest": context.manifest_digest,
            "pack_context": [
                {"name": pack.name, "version": pack.version, "kind": pack.kind, "digest": pack.digest}
                for pack in self._packs
            ],
            "completeness": {
                "required": required,
                "captured": having(required, "captured"),
                "redacted": having(required, "redacted"),
                "unknown": having(required, "missing", "unknown"),
                "by_signal": {name: _detail(ledger) for name, ledger in states.items()},
            },
            "closure": {
                "score": score,
                "confidence": confidence,
                "captured": having(critical, "captured"),
                "missing": having(critical, "missing", "redacted"),
                "uncontrolled_dependencies": [
                    self._registry.uncontrolled[name]
                    for name in having(list(self._registry.uncontrolled), "missing", "redacted")
                ],
                "scoring": {
                    "method": "weighted_ratio_v1",
                    "weights": {name: signals[name].weight for name in critical},
                },
            },
        }

    # ---------------------------------------------------------------- rules

    def _checks(self) -> dict[str, tuple[Check, ...]]:
        checks = {name: signal.expected for name, signal in self._registry.signals.items()}
        for pack in self._packs:
            for rule in pack.rules:
                if rule.check is not None:
                    checks[f"{pack.id}:{rule.id}"] = (rule.check,)
        return checks


def _judge(pack: Pack, rule: Rule, ledgers: Mapping[str, Ledger]) -> RuleResult:
    """What a rule's signals and its check come to together."""
    name = f"{pack.id}:{rule.id}"
    parts = [(f"signal {signal}", ledgers[signal], state == "redacted") for signal, state in rule.signals.items()]
    if rule.check is not None:
        parts.append(("check", ledgers[name], False))
    by_outcome: dict[Outcome, list[tuple[str, Ledger]]] = {"fails": [], "undecided": [], "holds": []}
    for part, ledger, withheld_is_enough in parts:
        is_check = part == "check"
        by_outcome[_outcome(ledger, is_check=is_check, withheld_is_enough=withheld_is_enough)].append((part, ledger))
    outcome = next(outcome for outcome, found in by_outcome.items() if found)
    reasons = [f"{part}: {ledger.reason}" if len(parts) > 1 else ledger.reason for part, ledger in by_outcome[outcome]]
    paths = [path for _, ledger in by_outcome[outcome] for path in ledger.evidence_paths]
    return RuleResult(
        id=name,
        pack=pack.id,
        rule=rule,
        outcome=outcome,
        reason="; ".join(reasons),
        evidence_paths=tuple(dict.fromkeys(paths))[: parts[0][1].limits.evidence_paths_max],
        instances=sum(ledger.expected for _, ledger, _ in parts),
        lacking=sum(ledger.missing for _, ledger, _ in parts),
        signals={signal: ledgers[signal].status for signal in rule.signals},
    )


def _outcome(ledger: Ledger, *, is_check: bool, withheld_is_enough: bool) -> Outcome:
    """A check cannot say anything of what is withheld; a signal that must be captured is not."""
    if ledger.status == "redacted" and not withheld_is_enough:
        return "undecided" if is_check else "fails"
    outcomes: Mapping[Status, Outcome] = {"unknown": "undecided", "missing": "fails"}
    return outcomes.get(ledger.status, "holds")


def _detail(ledger: Ledger) -> JsonObject:
    detail: JsonObject = {"status": ledger.status, "reason": ledger.reason, "evidence_paths": ledger.evidence_paths}
    if ledger.status == "redacted" and ledger.commitment is not None:
        detail["commitment"] = ledger.commitment.to_json()
    return detail
