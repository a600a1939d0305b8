"""A lint report as text for people: a line for each rule that fails, sums for the rest, and a verdict.

Law: it says what the evidence supports, never that anybody complies. Whatever a bundle or a pack says passes `printable`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import click

from evidence.lint.explain import Target, explain
from evidence.lint.explain.brief import brief
from evidence.lint.explain.confidence import reasons
from evidence.lint.lint import BundleLint, Finding, LintedBundle, RefusedBundle
from evidence.lint.report import SEVERITIES, LintReport, Tally, tally
from evidence.packs import Pack
from evidence.scores import Outcome
from evidence.signals import registry
from sidecar.cli.printable import printable

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue", "undecided": "yellow"}
_OUTCOMES: Mapping[Outcome, str] = {"holds": "supported", "fails": "not supported", "undecided": "undecided"}
_SIGNATURES = "Signatures are not checked by lint: affidavit verify does that."
_INAPPLICABLE = (
    "What does not apply decides nothing: --as-of DATE judges by another day, --profile P as another kind of system."
)
_NAMES_MAX = 8
_REASON_CHARS_MAX = 160  # the report and --explain have all of it
_DIGEST_CHARS = len("sha256:") + 12


def lines(report: LintReport, targets: Sequence[Target] = ()) -> Iterator[str]:
    """The report, with an explanation of each target for each bundle; styled for a terminal, to be stripped for a pipe."""
    for bundle in report.bundles:
        yield from _of_bundle(bundle, report, targets)
        yield ""
    if any(not finding.decides for bundle in report.linted for finding in bundle.findings):
        yield _INAPPLICABLE
    yield _SIGNATURES
    yield _verdict(report)


def _of_bundle(bundle: BundleLint, report: LintReport, targets: Sequence[Target]) -> Iterator[str]:
    packs = report.options.packs
    if isinstance(bundle, RefusedBundle):
        word = "not decided" if bundle.undecided else "invalid"
        yield f"{_bold(bundle.file)}: {click.style(word, fg='red')} at {bundle.stage}: {printable(bundle.reason)}"
        return
    who = bundle.identity
    yield (
        f"{_bold(bundle.file)}: run {printable(who['run_id'])}, part {who['part']}, {_count(who['event_count'], 'event')},"
        f" closed {who['closed_at']} ({who['close_reason']})"
    )
    failing = [each for each in bundle.findings if each.decides and each.result.outcome == "fails"]
    for finding in sorted(failing, key=lambda each: SEVERITIES.index(each.result.rule.severity)):
        yield _failing(finding)
    yield from _undecided(bundle, packs)
    yield from _inapplicable(bundle, packs)
    yield from _closure(bundle)
    yield from _other_registry(bundle)
    for target in targets:
        yield ""
        yield from (f"  {printable(line)}".rstrip() for line in explain(target, bundle))
    if len(packs) > 1 or len(report.bundles) > 1:
        yield from (f"  {_supports(tally(bundle.of_pack(pack)), pack.id)}" for pack in packs)


def _failing(finding: Finding) -> str:
    result = finding.result
    severity = click.style(f"{result.rule.severity:7}", fg=_COLOURS[result.rule.severity])
    first = f"; first {printable(result.evidence_paths[0])}" if result.evidence_paths else ""
    return f"  {severity}  {printable(result.rule.title)}: {_short(result.reason)}{first} [{result.id}]"


def _undecided(bundle: LintedBundle, packs: Sequence[Pack]) -> Iterator[str]:
    for pack in packs:
        found = [each.result for each in bundle.of_pack(pack) if each.decides and each.result.outcome == "undecided"]
        if found:
            word = click.style("undecided", fg=_COLOURS["undecided"])
            yield f"  {word}  {_count(len(found), 'rule')} of {pack.id}: {_names([each.rule.id for each in found])}"


def _inapplicable(bundle: LintedBundle, packs: Sequence[Pack]) -> Iterator[str]:
    for pack in packs:
        by_reason: dict[str, list[Finding]] = {}
        for finding in bundle.of_pack(pack):
            if not finding.decides:
                by_reason.setdefault(finding.inapplicable, []).append(finding)
        for why, findings in by_reason.items():
            found = Counter(each.result.outcome for each in findings)
            outcomes = ", ".join(f"{found[outcome]} {word}" for outcome, word in _OUTCOMES.items() if found[outcome])
            yield f"  not applicable  {_count(len(findings), 'rule')} of {pack.id} ({outcomes}): {printable(why)}"


def _closure(bundle: LintedBundle) -> Iterator[str]:
    closure = bundle.scores.closure["closure"]
    why = "; ".join(reasons(closure["confidence"], bundle.capture_health, registry()))
    yield f"  closure {closure['score']:.3f}, confidence {closure['confidence']}: {why}"


def _other_registry(bundle: LintedBundle) -> Iterator[str]:
    sealed, here = bundle.identity["scoring"]["signals"], registry().reference()
    if sealed != here:
        yield (
            f"  note: sealed with the signal registry {printable(sealed['version'])} ({sealed['digest'][:_DIGEST_CHARS]}),"
            f" judged here with {here['version']} ({here['digest'][:_DIGEST_CHARS]})"
        )


def _verdict(report: LintReport) -> str:
    packs = [pack.id for pack in report.options.packs]
    about = packs[0] if len(packs) == 1 else _count(len(packs), "pack")
    found = tally(finding for bundle in report.linted for finding in bundle.findings)
    if not report.linted:
        return f"no verdict: {_not_read(report)}" if len(report.bundles) > 1 else "no verdict: the bundle was not read"
    supports = _supports(found, about)
    if len(report.bundles) == 1:
        return supports
    return f"{_count(len(report.linted), 'bundle')}: {supports}" + (f"; {_not_read(report)}" if report.refused else "")


def _not_read(report: LintReport) -> str:
    return f"{_count(len(report.refused), 'bundle')} not read"


def _supports(found: Tally, about: str) -> str:
    said = [f"evidence supports {found.holds} of {found.applicable} rules of {about}"]
    said += [f"{found.fails} {'fails' if found.fails == 1 else 'fail'}"] if found.fails else []
    said += [f"{found.undecided} undecided"] if found.undecided else []
    said += [f"{found.inapplicable} not applicable"] if found.inapplicable else []
    return "; ".join(said)


def _short(reason: str) -> str:
    text = printable(brief(reason))
    return text if len(text) <= _REASON_CHARS_MAX else text[: _REASON_CHARS_MAX - 1] + "…"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_MAX} more" if len(names) > _NAMES_MAX else ""
    return ", ".join(names[:_NAMES_MAX]) + more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _bold(file: str) -> str:
    return click.style(printable(file), bold=True)
