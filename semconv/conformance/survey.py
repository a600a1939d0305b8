"""The findings of many items: grouped by scope, code and place, counted, each with examples.

Law: deterministic for the same items in the same order; of any number of findings the size is bounded, and what is not
listed is counted all the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from semconv.conformance.conformance import Checker
from semconv.conformance.finding import CODES, SEVERITIES, Finding
from semconv.view import LogView, MetricView, SpanView

_GROUPS_MAX: Final = 4096
"""Groups listed; a file with more of them has keys that are made up as it goes."""
_EXAMPLES_MAX: Final = 3
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


@dataclass(slots=True)
class _Group:
    findings: int = 0
    items: int = 0
    source: str = ""
    examples: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)


class Survey:
    """Adds up what a checker finds."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self.items: Counter[str] = Counter()
        """Items by kind, as `spans` or `logs`."""
        self.concerned = 0
        """Items that have something of the conventions."""
        self.found: Counter[str] = Counter()
        """Findings by severity."""
        self._groups: dict[tuple[str, str, str, str], _Group] = {}
        self._unlisted = 0

    def add(self, view: SpanView | LogView | MetricView, findings: Iterable[Finding]) -> None:
        """The findings of one item."""
        kind = {SpanView: "spans", LogView: "logs", MetricView: "metrics"}[type(view)]
        self.items[kind] += 1
        self.concerned += self._checker.concerns(view)
        seen = set()
        for finding in findings:
            self.found[finding.severity] += 1
            place = _INDEX.sub("/*", finding.path)
            key = (finding.severity, view.scope_name, finding.code, place)
            group = self._groups.get(key)
            if group is None:
                if len(self._groups) >= _GROUPS_MAX:
                    self._unlisted += 1
                    continue
                group = self._groups[key] = _Group(source=finding.source)
            group.findings += 1
            group.items += key not in seen
            seen.add(key)
            sample = (finding.got, finding.expected)
            if len(group.examples) < _EXAMPLES_MAX and sample not in group.examples:
                group.examples[sample] = {
                    "got": finding.got,
                    "expected": finding.expected,
                    "path": finding.path,
                    **_item(view),
                }

    def report(self) -> dict[str, Any]:
        """All of it, for JSON: groups by severity, scope and number."""
        target = self._checker.target
        order = {severity: place for place, severity in enumerate(SEVERITIES)}
        groups = sorted(
            self._groups.items(), key=lambda item: (order[item[0][0]], item[0][1], -item[1].findings, item[0])
        )
        return {
            "schema": "conformance/1",
            "target": {"id": target.id, "version": target.version, "digest": target.digest},
            "items": {kind: self.items[kind] for kind in ("spans", "logs", "metrics")},
            "concerned": self.concerned,
            "totals": {severity: self.found[severity] for severity in SEVERITIES},
            "unlisted": self._unlisted,
            "findings": [
                {
                    "severity": severity,
                    "scope": scope,
                    "code": code,
                    "path": place,
                    "findings": group.findings,
                    "items": group.items,
                    "remedy": CODES[code][1],
                    "source": group.source,
                    "examples": list(group.examples.values()),
                }
                for (severity, scope, code, place), group in groups
            ],
        }


def _item(view: SpanView | LogView | MetricView) -> dict[str, str]:
    """Where an example is."""
    if isinstance(view, MetricView):
        return {"signal": "metric", "name": view.name}
    name, signal = (view.name, "span") if isinstance(view, SpanView) else (view.event_name, "log")
    return {"signal": signal, "name": name, "trace_id": view.trace_id, "span_id": view.span_id}
