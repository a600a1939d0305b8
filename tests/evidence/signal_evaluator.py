"""The states of all signals over events, as the scores of a bundle have them, without a bundle."""

from __future__ import annotations

from evidence.canonical import JsonObject
from evidence.checks.evaluation import Evaluation
from evidence.checks.ledger import Ledger
from evidence.limits import DEFAULT, Limits
from evidence.signals import Registry


class SignalEvaluator:
    """The states of all signals over the events of a part, in order."""

    def __init__(self, registry: Registry, limits: Limits = DEFAULT) -> None:
        checks = {signal.id: signal.expected for signal in registry.signals.values()}
        self._evaluation = Evaluation(checks, registry.placeholders, limits)

    def add(self, event: JsonObject) -> None:
        self._evaluation.add(event)

    def result(self) -> dict[str, Ledger]:
        """The instances of each signal by its id, as if no further event came."""
        return self._evaluation.result()
