"""What lint says of one or many bundles: the document `lint-report-v1`, the tallies, and the exit code.

Law: sorted, finite, without a clock: the same bundles, packs and options give the same bytes. A rule that does not apply, and a
bundle that was not read, are told and counted apart; neither is ever counted as supported.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import orjson

from evidence import formulas
from evidence.canonical import JsonObject
from evidence.lint.explain.rule import asks
from evidence.lint.lint import BundleLint, Finding, LintedBundle, Options, RefusedBundle
from evidence.packs import Pack, Rule
from evidence.signals import registry

SCHEMA_VERSION = "lint-report-v1"

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the most severe down."""

EXIT_OK, EXIT_INVALID, EXIT_UNDECIDED_RULES, EXIT_UNDECIDED_BUNDLE, EXIT_FAILED_RULES = 0, 1, 3, 4, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many rules came out how."""

    holds: int = 0
    fails: int = 0
    undecided: int = 0
    inapplicable: int = 0

    @property
    def applicable(self) -> int:
        """All rules that apply."""
        return self.holds + self.fails + self.undecided

    def to_json(self) -> JsonObject:
        """The counts by name."""
        return {
            "holds": self.holds,
            "fails": self.fails,
            "undecided": self.undecided,
            "not_applicable": self.inapplicable,
        }


def tally(findings: Iterable[Finding]) -> Tally:
    """Count outcomes."""
    counts = {"holds": 0, "fails": 0, "undecided": 0, "inapplicable": 0}
    for finding in findings:
        counts[finding.result.outcome if finding.decides else "inapplicable"] += 1
    return Tally(**counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class LintReport:
    """The bundles of one call of lint, in the order given, and how the call decides."""

    version: str
    """Of the program."""
    options: Options
    bundles: tuple[BundleLint, ...]
    fail_on: Severity = "error"
    """Rules of this severity and above decide the exit code."""
    strict: bool = False
    """Whether undecided rules do."""

    @property
    def linted(self) -> tuple[LintedBundle, ...]:
        """The bundles that read well."""
        return tuple(bundle for bundle in self.bundles if isinstance(bundle, LintedBundle))

    @property
    def refused(self) -> tuple[RefusedBundle, ...]:
        """The others."""
        return tuple(bundle for bundle in self.bundles if isinstance(bundle, RefusedBundle))

    @property
    def exit_code(self) -> int:
        """The worst there is: an invalid bundle, a failed rule, an undecided bundle, under `strict` an undecided rule."""
        decisive = SEVERITIES[: SEVERITIES.index(self.fail_on) + 1]
        results = [each.result for bundle in self.linted for each in bundle.findings if each.decides]
        if any(not bundle.undecided for bundle in self.refused):
            return EXIT_INVALID
        if any(result.outcome == "fails" and result.rule.severity in decisive for result in results):
            return EXIT_FAILED_RULES
        if self.refused:
            return EXIT_UNDECIDED_BUNDLE
        return EXIT_UNDECIDED_RULES if self.strict and any(r.outcome == "undecided" for r in results) else EXIT_OK

    def to_json(self) -> JsonObject:
        """The document, valid against `schemas/lint-report-v1.schema.json`."""
        findings = [finding for bundle in self.linted for finding in bundle.findings]
        return {
            "schema_version": SCHEMA_VERSION,
            "producer": {"name": "affidavit", "version": self.version},
            "scoring": {"signals": registry().reference(), "formulas": formulas.references()},
            "options": {
                "as_of": self.options.as_of,
                "profiles": sorted(self.options.profiles),
                "fail_on": self.fail_on,
                "strict": self.strict,
            },
            "packs": [_pack(pack) for pack in self.options.packs],
            "bundles": [_bundle(bundle, self.options.packs) for bundle in self.bundles],
            "summary": {
                "bundles": len(self.bundles),
                "linted": len(self.linted),
                "refused": len(self.refused),
                "rules": tally(findings).to_json(),
                "exit_code": self.exit_code,
            },
        }

    def to_bytes(self) -> bytes:
        """The document as a file holds it: indented, its members sorted."""
        return orjson.dumps(
            self.to_json(), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        )


def about(rule: Rule) -> JsonObject:
    """What a pack says of a rule besides what it looks at; members that it does not say are left out."""
    return {"id": rule.id, "title": rule.title, "severity": rule.severity, **rule.about}


def _pack(pack: Pack) -> JsonObject:
    facts = {"license": pack.license, "disclaimer": pack.disclaimer}
    return {
        **pack.reference(),
        **{name: text for name, text in facts.items() if text is not None},
        "description": pack.description,
        "builtin": pack.is_builtin,
        "rules": [{**about(rule), "asks": list(asks(rule, registry()))} for rule in pack.rules],
    }


def _bundle(bundle: BundleLint, packs: Sequence[Pack]) -> JsonObject:
    if isinstance(bundle, RefusedBundle):
        return {
            "file": bundle.file,
            "outcome": "undecided" if bundle.undecided else "invalid",
            "stage": bundle.stage,
            "reason": bundle.reason,
        }
    return {
        "file": bundle.file,
        "outcome": "read",
        "signatures": "not checked",
        "identity": bundle.identity,
        "packs": [_of_pack(bundle, pack) for pack in packs],
        "closure_report": bundle.scores.closure,
        "capture_health": bundle.capture_health,
    }


def _of_pack(bundle: LintedBundle, pack: Pack) -> JsonObject:
    findings = bundle.of_pack(pack)
    return {
        "pack": pack.id,
        "completeness": bundle.scores.completeness[pack.id],
        "tally": tally(findings).to_json(),
        "rules": [_rule(finding) for finding in findings],
    }


def _rule(finding: Finding) -> JsonObject:
    result = finding.result
    return {
        "rule": result.id,
        "outcome": result.outcome,
        "applicable": finding.decides,
        **({"not_applicable_because": finding.inapplicable} if finding.inapplicable else {}),
        "reason": result.reason,
        "instances": result.instances,
        "lacking": result.lacking,
        "evidence_paths": list(result.evidence_paths),
        "signals": dict(result.signals),
    }
