"""Says in words what a rule is, what it looked at in a bundle, how it came out and what would close it.

Law: nothing is said of the rule that its pack does not say, and nothing of the bundle that its finding does not bear.
"""

from collections.abc import Iterable, Iterator, Mapping

from evidence.lint.explain.brief import brief
from evidence.lint.explain.check import check_in_words
from evidence.lint.explain.places import places
from evidence.lint.lint import Finding, LintedBundle
from evidence.packs import Pack, Rule
from evidence.signals import Registry

_BASIS = {
    "primary": "the primary text",
    "secondary": "secondary sources only",
    "proposal": "nothing outside: it is a proposal of this project",
}
_OUTCOMES = {
    "holds": "holds: the evidence supports it",
    "fails": "fails",
    "undecided": "is undecided",
}
_STATES = {
    "captured": "captured",
    "redacted": "captured, or withheld against a commitment",
}


def explain_rule(pack: Pack, finding: Finding, bundle: LintedBundle, registry: Registry) -> Iterator[str]:
    """The rule, then how it came out for a bundle, a line each."""
    result, rule = finding.result, finding.result.rule
    yield f"{result.id} ({rule.severity}): {rule.title}"
    yield from _labelled(standing(rule))
    yield "  asks for:"
    yield from (f"    {text}" for text in asks(rule, registry))
    yield from _expected(rule, registry)
    yield ""
    yield f"In {bundle.file.rpartition('/')[2]} it {_OUTCOMES[result.outcome]}: {brief(result.reason)}"
    if finding.inapplicable:
        yield f"  It decides nothing here: {finding.inapplicable}."
    if result.instances:
        yield f"  {result.instances} looked at, {result.lacking} of them lacking."
    for name, status in result.signals.items():
        yield f"  signal {name}: {status}"
    if result.outcome == "fails":
        yield "  Places:"
        yield from places(result.evidence_paths, indent=4, total=result.lacking)
    if result.outcome != "holds":
        yield from (f"  What would close it: {text}" for text in remedies(rule, result.signals, registry))
    if pack.disclaimer:
        yield from ["", pack.disclaimer]


def standing(rule: Rule) -> Iterator[tuple[str, str]]:
    """Where a rule comes from, from when on it applies, and how far its text can be relied on: label and words."""
    if rule.framework:
        yield "reference", " ".join(filter(None, (rule.framework, rule.ref, rule.ref_title and f"({rule.ref_title})")))
    if rule.rationale:
        yield "rationale", rule.rationale
    if rule.applies_from:
        yield "applies from", ", ".join(f"{since}{name and f' ({name})'}" for name, since in rule.applies_from.items())
    if rule.profile:
        yield "profile", f"only with --profile {rule.profile}"
    if rule.role:
        yield "role", rule.role
    if rule.basis:
        yield "known from", _BASIS[rule.basis]
    if rule.to_be_checked:
        yield "mark", "to be checked against the primary text before it is relied on"
    if rule.source_url:
        yield "source", rule.source_url + (f", checked on {rule.checked_on}" if rule.checked_on else "")


def asks(rule: Rule, registry: Registry) -> Iterator[str]:
    """What a rule demands of a run, a sentence for each signal and one for its check."""
    for name, state in rule.signals.items():
        yield f"the signal {name} ({registry.signals[name].title}): {_STATES[state]}"
    if rule.check is not None:
        yield check_in_words(rule.check)


def remedies(rule: Rule, signals: Mapping[str, str], registry: Registry) -> Iterator[str]:
    """What would close a rule that does not hold: its own remedy, else those of its signals that are not there."""
    if rule.remedy:
        yield rule.remedy
        return
    for name in rule.signals:
        if signals.get(name) in {"missing", "redacted", "unknown"}:
            yield registry.signals[name].remedy


def _expected(rule: Rule, registry: Registry) -> Iterator[str]:
    """Where each signal that the rule wants is expected, and what must then be there."""
    for name in rule.signals:
        yield f"  the signal {name} is captured when"
        yield from (f"    {check_in_words(check)}" for check in registry.signals[name].expected)


def _labelled(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    facts = list(facts)
    width = max((len(label) for label, _ in facts), default=0)
    for label, text in facts:
        yield f"  {label:{width}}  {text}"
