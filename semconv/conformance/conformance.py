"""Whether items are as a target asks: spans, log records and metrics, those above all that claim an operation.

Law: total and pure. A check reads a view and says what departs from the conventions, always in the same order; what it
does not know (attributes of other namespaces, items of other conventions) it passes. Not checked: recommended attributes,
and conditions that only people can decide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from semconv import identity
from semconv.conformance.attributes import AttributeRules
from semconv.conformance.finding import Claimed, Finding, Findings
from semconv.conformance.requirements import PROVIDER, Duty, Requirements, is_said
from semconv.measure import INSTRUMENTS, dimension
from semconv.plan.record import names_of
from semconv.target import KINDS, OPERATION, SpanType, Target
from semconv.value import Value
from semconv.view import Attributes, LogView, MetricView, SpanView

__all__ = ["Checker"]

_KNOWN: Final = "known"


class Checker:
    """Holds items to one target. Keeps nothing between items."""

    def __init__(self, requirements: Requirements) -> None:
        self.requirements = requirements
        self.target = requirements.target
        self._rules = AttributeRules(requirements)
        self._source = f"{self.target.id} {self.target.version}"

    @classmethod
    def of(cls, target: Target) -> Checker:
        """The checker for a target. Raises `ProfileError` as `Requirements.of` does."""
        return cls(Requirements.of(target))

    # ------------------------------------------------------------------ the three signals

    def span(self, view: SpanView, claimed: Claimed | None = None) -> tuple[Finding, ...]:
        """What departs from the target on a span and its events.

        Args:
            view: the span as it is to be checked.
            claimed: for a translated span, what its source has said; without it all that is missing is a violation.
        """
        report = Findings(self._source, claimed)
        said = view.attributes.get
        types = identity.span_types(self.target, said)
        claims = bool(types) or is_said(said(OPERATION))
        _duplicates(report, view.duplicate_keys)
        self._rules.check(report, view.attributes, claims=claims)
        if types:
            self._identity(report, view, types)
        elif not claims and any(key in self.target.attributes and self._rules.owns(key) for key in view.attributes):
            report.add(
                "no-operation", OPERATION, "nothing", "what the span is, as it has attributes of the conventions"
            )
        for event in view.events:
            self._event(report, event.name, event.attributes, f"@events/{event.name}/")
        return tuple(report.found)

    def log(self, view: LogView, claimed: Claimed | None = None) -> tuple[Finding, ...]:
        """What departs from the target on a log record. Arguments as for `span`."""
        report = Findings(self._source, claimed)
        _duplicates(report, view.duplicate_keys)
        name = view.event_name or min(names_of("", view.attributes), default="")
        self._event(report, name, view.attributes, "", structured=True)
        return tuple(report.found)

    def metric(self, view: MetricView, claimed: Claimed | None = None) -> tuple[Finding, ...]:
        """What departs from the target on a metric and its points. Arguments as for `span`.

        A departure that many points share is found once, at the first of them.
        """
        report = Findings(self._source, claimed)
        _duplicates(report, view.duplicate_keys)
        spec = self.requirements.metrics.get(view.name)
        if spec is None:
            self._name(report, "metric", view.name, "@name")
        else:
            if view.type and view.type not in INSTRUMENTS[spec.instrument]:
                report.add("wrong-instrument", "@instrument", view.type, spec.instrument, section=view.name)
            if view.unit != spec.unit:
                code = "wrong-unit" if dimension(view.unit) != dimension(spec.unit) else "other-annotation"
                report.add(code, "@unit", view.unit, spec.unit, section=view.name)
        seen: set[tuple[str, str, str]] = set()
        for index, point in enumerate(view.points):
            own, prefix = Findings(self._source, claimed), f"@points/{index}/"
            self._rules.check(own, point, claims=spec is not None, prefix=prefix)
            if spec is not None:
                _duty(own, spec.duty, point.get, prefix)
            for finding in own.found:
                sign = (finding.code, finding.path.removeprefix(prefix), finding.got)
                if sign not in seen:
                    seen.add(sign)
                    report.found[finding] = None
        return tuple(report.found)

    def concerns(self, view: SpanView | LogView | MetricView) -> bool:
        """Whether an item has a name or an attribute in a namespace of the conventions: of others nothing is asked."""
        owns = self._rules.owns
        if isinstance(view, MetricView):
            return owns(view.name) or any(owns(key) for point in view.points for key in point)
        names = names_of(view.event_name, view.attributes) if isinstance(view, LogView) else ()
        return any(map(owns, names)) or any(owns(key) for key in view.attributes)

    # ------------------------------------------------------------------ what an item is

    def _identity(self, report: Findings, view: SpanView, types: tuple[SpanType, ...]) -> None:
        """Kind, name and status of a span, and what its type must say."""
        said = view.attributes.get
        fitting = next((kind for kind in types if view.kind in kind.allowed_kinds), None)
        kind = fitting or types[0]
        if fitting is None:
            allowed = sorted({_kind_name(number) for each in types for number in each.allowed_kinds})
            report.add("wrong-kind", "@kind", _kind_name(view.kind), " or ".join(allowed), section=kind.type)
        wanted = identity.name_of(view.kind, types, said)
        if wanted and view.name != wanted and not view.name.startswith(wanted + " "):
            report.add("wrong-name", "@name", view.name, wanted, section=kind.type)
        failed = view.status_code == identity.STATUS_ERROR
        if is_said(said(identity.ERROR_TYPE)) and not failed:
            report.add("error-without-status", "@status", str(view.status_code), "status ERROR", section=kind.type)
        duty = self.requirements.spans[kind.type]
        refinement = self.requirements.refinements.get((kind.type, str(said(PROVIDER))))
        if refinement is not None:
            duty = duty.refined(refinement)
        _duty(report, duty, said, "", failed=failed)
        for key, condition in duty.conditionally.items():
            if condition.text == _KNOWN and key in kind.names[0] and not is_said(said(key)):
                report.missing("not-said", key, key, f"known: the name is {_template(kind)}", duty.type)

    def _event(
        self, report: Findings, name: str, attributes: Attributes, prefix: str, *, structured: bool = False
    ) -> None:
        """A log record, or an event on a span."""
        duty = self.requirements.events.get(name)
        if duty is None:
            self._name(report, "event", name, prefix.rstrip("/") or "@name")
        claims = duty is not None or is_said(attributes.get(OPERATION))
        self._rules.check(report, attributes, claims=claims, structured=structured, prefix=prefix)
        if duty is not None:
            _duty(report, duty, attributes.get, prefix)

    def _name(self, report: Findings, what: str, name: str, path: str) -> None:
        """An event or metric that is none of the target's, under a name of the conventions."""
        becomes = self.requirements.deprecated[f"{what}s"].get(name)
        if becomes is not None:
            report.add(f"deprecated-{what}", path, name, " or ".join(becomes))
        elif self._rules.owns(name):
            report.add(f"unknown-{what}", path, name, "a name that the registry has")


def _duplicates(report: Findings, count: int) -> None:
    if count:
        report.add("duplicate-key", "@duplicates", f"{count} more", "every key once")


def _duty(
    report: Findings, duty: Duty, said: Callable[[str], Value], prefix: str, *, failed: bool | None = None
) -> None:
    """What must be said and is not."""
    for key in duty.required:
        if not is_said(said(key)):
            report.missing("missing-required", prefix + key, key, "an attribute that is required", duty.type)
    for key, condition in duty.conditionally.items():
        if not is_said(said(key)) and condition.holds(said, failed=failed):
            report.missing("missing-conditional", prefix + key, key, f"required: {condition.text}", duty.type)


def _kind_name(kind: int) -> str:
    return next((name for name, number in KINDS.items() if number == kind), str(kind))


def _template(kind: SpanType) -> str:
    """The first template of a span type's name, as the registry writes it."""
    return "".join(f"{{{step}}}" if place % 2 else step for place, step in enumerate(kind.names[0]))
