"""The two lines for an auditor, in plain words.

Laws: *Integrity* says only whether the file is what was attested; *Assurance and limits* says who stands behind it and
what it cannot show. Neither calls anything verified that the verdict does not, and the limits are never left out. What is
shown against whom, and what is not, is the table of `attest.threats`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attest.limits import DEFAULT
from attest.threats import nevers, standings
from attest.verdict import Check, CheckId, Facts, SignedBy, Verdict, printable
from evidence.capture.counters import faults
from evidence.signals import registry

_CONTENT: frozenset[CheckId] = frozenset({"container", "manifest", "files", "events", "chain"})
_NAMES_MAX = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Assurance:
    """The second line in its pieces, each printable in one line."""

    said: tuple[str, ...]
    """Who stands behind the file, and what it is, in sentences."""
    shown: tuple[str, ...]
    """What is shown against whoever may lie, in clauses."""
    open: tuple[str, ...]
    """What is not, because a check could not be made."""
    never: tuple[str, ...] = nevers()
    """What nothing shows."""

    def __str__(self) -> str:
        """All of it in one line of at most `DEFAULT.line_chars_max`; what is left out then is never of the limits."""
        shown = [f"Shown: {'; '.join(self.shown)}."] if self.shown else []
        not_shown = [f"Not shown: {'; '.join(self.open)}."] if self.open else []
        *all_but_one, last = self.never
        limits = " ".join([*shown, *not_shown, f"Nothing here shows {'; '.join(all_but_one)}; or {last}."])
        return f"Assurance and limits: {printable(' '.join(self.said), DEFAULT.line_chars_max - len(limits))} {limits}"


def integrity(checks: Sequence[Check], facts: Facts, verdict: Verdict) -> str:
    """Whether the file is, byte for byte, what was attested. One printable line."""
    return printable(f"Integrity: {_intact(checks, facts, verdict)}", DEFAULT.line_chars_max)


def assurance(checks: Sequence[Check], facts: Facts, verdict: Verdict) -> Assurance:
    """Who stands behind the file, and everything that it cannot show, in the words of the table of threats and never of the file."""
    if verdict == "invalid":
        return Assurance(said=_lines([_disowned(facts)]), shown=(), open=())
    each = standings(checks, facts)
    shown = (clause for standing in each for clause in standing.shown if clause and facts.signer is not None)
    open_ = (clause for standing in each for clause in standing.open)
    return Assurance(said=_lines(_account(checks, facts)), shown=tuple(shown), open=tuple(open_))


def _lines(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(printable(sentence, DEFAULT.line_chars_max) for sentence in sentences)


def _intact(checks: Sequence[Check], facts: Facts, verdict: Verdict) -> str:
    if verdict == "invalid":
        first, *others = (check for check in checks if check.outcome == "fail")
        also = f" (also failed: {_list(check.id for check in others)})" if others else ""
        return f"FAILED at {first.id}: {first.reason}{also}."
    if verdict == "undecided":
        return f"NOT DECIDED. {_state(checks, facts)}{_reasons(checks, 'undecided', 'skip')}."
    if verdict == "insufficient":
        missed = _reasons(checks, "miss")
        return f"whole, but NOT ENOUGH. {_about(facts)} is byte for byte what was signed; {missed}."
    warned = _reasons(checks, "warn")
    warnings = f"; with warnings: {warned}" if warned else ""
    return f"intact. {_about(facts)} is byte for byte what was signed{warnings}."


def _disowned(facts: Facts) -> str:
    """All there is to say once a check failed: no claim of the file is repeated."""
    if facts.signer is None:
        return "Nobody is shown to stand behind it, and nothing in it can be relied on."
    return (
        f"The attestation is signed with {facts.signer.phrase()}, which does not vouch for this file as it is; "
        "nothing in the file can be relied on."
    )


def _account(checks: Sequence[Check], facts: Facts) -> list[str]:
    by_id = {check.id: check for check in checks}
    manifest = facts.manifest
    sentences = [_signer(facts), _time(by_id["time"], manifest)]
    if manifest is not None:
        sentences += [_origin(manifest), _capture(manifest), _chain(by_id["chain"])]
        sentences += [_closure(by_id["reports"], facts), _mapping(by_id["mapping"], facts)]
        sentences += [f"Disclosed: {by_id['disclosed'].reason}."] if by_id["disclosed"].outcome == "pass" else []
    sentences += [f"Sidecar log: {by_id['log'].reason}."] if by_id["log"].outcome != "skip" else []
    sentences += [f"Further attestations: {by_id['cosigned'].reason}."] if by_id["cosigned"].outcome == "warn" else []
    return [*sentences, f"Policy: {by_id['policy'].reason}."]


def _state(checks: Sequence[Check], facts: Facts) -> str:
    """What holds although there is no verdict: never more than that the file does not contradict itself."""
    sound = all(check.outcome in ("pass", "warn") for check in checks if check.id in _CONTENT)
    if not sound or facts.signer is not None:
        return ""
    return f"{_about(facts)} does not contradict itself, which anyone can arrange; "


def _about(facts: Facts) -> str:
    manifest = facts.manifest
    if manifest is None:
        return "The file"
    return f"Run {manifest['run_id']}, part {manifest['part']}, {_count(manifest['event_count'], 'event')},"


def _reasons(checks: Sequence[Check], *outcomes: str) -> str:
    """The reasons of the first kind of outcome that occurs."""
    for outcome in outcomes:
        found = [f"{check.id}: {check.reason}" for check in checks if check.outcome == outcome]
        if found:
            return "; ".join(found)
    return ""


def _signer(facts: Facts) -> str:
    signer = facts.signer
    if signer is None:
        return "Nobody is shown to stand behind it; what follows is what the file says of itself."
    others = (facts.bundles_attested or 1) - 1
    batch = f", in one statement with {_count(others, 'other bundle')}" if others else ""
    further = [each.describe() for each in facts.signers if each != signer]
    too = f" Signed as well by {_list(further)}." if further else ""
    return f"Signed with {signer.phrase()}{batch}; {_whose(signer)}.{too}{_logged(facts)}"


def _whose(signer: SignedBy) -> str:
    if signer.key is not None:
        return "whose key that is has to be known from elsewhere"
    return f"by the root sha256:{signer.root_sha256}, which has to be the right one"


def _logged(facts: Facts) -> str:
    entry = facts.log_entry
    return f" Entry {entry.index} ({entry.kind}) of the transparency log {entry.log}." if entry else ""


def _time(check: Check, manifest: Mapping[str, Any] | None) -> str:
    account = (
        f"; by its own account the run was from {manifest['opened_at']} to {manifest['closed_at']}" if manifest else ""
    )
    return f"Time of signing: {check.reason}{account}."


def _origin(manifest: Mapping[str, Any]) -> str:
    producer = manifest["producer"]
    amends = f" It amends the bundle {manifest['amends']}." if "amends" in manifest else ""
    return f"Recorded by {producer['name']} {producer['version']}; close reason: {manifest['close_reason'].replace('_', ' ')}.{amends}"


def _capture(manifest: Mapping[str, Any]) -> str:
    found = sorted(faults(manifest["capture_health"], registry().counters).items())
    return f"Capture: {', '.join(_fault(*each) for each in found) or 'nothing missing or refused was counted'}."


def _fault(name: str, count: int) -> str:
    """A flag in the words of the registry, a sum by its name, which is a plural."""
    counter = registry().counters.get(name)
    if count is True and counter:
        return counter.meaning
    return f"{count} {_singular(name) if count == 1 else name}".replace("_", " ")


def _singular(name: str) -> str:
    return name if name.endswith("us") else name.removesuffix("s")


def _chain(check: Check) -> str:
    return f"Chain: {check.reason}."


def _closure(check: Check, facts: Facts) -> str:
    closure = (facts.closure or {}).get("closure")
    if check.outcome not in ("pass", "warn") or closure is None:
        return f"Scores: not recomputed ({check.reason})."
    missing = closure["missing"]
    lacks = f"; missing for a replay: {_list(missing)}" if missing else ""
    return f"Closure {closure['score']:.2f}, confidence {closure['confidence']}{lacks}."


def _mapping(check: Check, facts: Facts) -> str:
    said = _lost(facts.mapping_loss)
    if check.outcome in ("pass", "warn"):
        return f"Translation: recomputed, {said}."
    return f"Translation: not recomputed ({check.reason}); by its own report {said}."


def _lost(report: Mapping[str, Any] | None) -> str:
    """How much was lost, and how much of it matters: what is said elsewhere once more is told from what is gone."""
    totals = (report or {}).get("totals")
    dropped, atoms = (totals.get("dropped"), totals.get("atoms_in")) if isinstance(totals, Mapping) else (None, None)
    if not isinstance(totals, Mapping) or not isinstance(dropped, int) or not isinstance(atoms, int):
        return "the loss is not known"
    severity = totals.get("dropped_by_severity")
    gone = [severity.get(name) for name in ("major", "minor")] if isinstance(severity, Mapping) and dropped else []
    matters = f", {gone[0]} of them major and {gone[1]} minor" if gone and all(isinstance(n, int) for n in gone) else ""
    return f"{dropped} of {atoms} atoms lost{matters}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _list(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _NAMES_MAX} more" if len(every) > _NAMES_MAX else ""
    return ", ".join(every[:_NAMES_MAX]) + more
