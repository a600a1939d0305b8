"""Holding a bundle to what an auditor's policy asks for: one requirement for each threshold, and the check `policy`.

Laws: a figure counts only when it was computed again from the events and came out the same; one that was not is unknown, and never
met. With more asked for, or higher thresholds, never does more pass. An expired policy decides nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from attest.policy.policy import CONFIDENCES, PackThreshold, Policy, Thresholds
from attest.verdict import Check, CheckId, Facts, Outcome
from evidence.manifest import PROFILES
from evidence.timestamp import from_rfc3339

Met: TypeAlias = Literal["met", "missed", "unknown"]

_SHOWN_MAX = 3
"""Requirements named in the reason of the check; all of them are in the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that the policy asks for, and what was found."""

    id: str
    """Such as `closure.score`, `packs.NAME.completeness` and `capture_health.COUNTER`."""
    outcome: Met
    got: float | str | bool | None
    """None when it is unknown."""
    expected: str
    """In words, such as `at least 0.8`."""
    reason: str
    """Why it is unknown; empty otherwise."""

    def to_json(self) -> dict[str, Any]:
        """The five fields."""
        return {
            "id": self.id,
            "outcome": self.outcome,
            "got": self.got,
            "expected": self.expected,
            "reason": self.reason,
        }

    def describe(self) -> str:
        """What was found and what was expected, as a clause."""
        found = self.reason if self.outcome == "unknown" else f"is {_short(self.got)}"
        return f"{self.id} {found}, expected {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBy:
    """Which policy a bundle was judged by, and how each of its requirements came out."""

    name: str
    version: str
    digest: str
    expires: str | None
    requirements: tuple[Requirement, ...]

    @classmethod
    def of(cls, policy: Policy, requirements: tuple[Requirement, ...]) -> "JudgedBy":
        """Judged by this policy, with this outcome."""
        return cls(
            name=policy.name,
            version=policy.version,
            digest=policy.digest,
            expires=policy.expires,
            requirements=requirements,
        )

    def to_json(self) -> dict[str, Any]:
        """The five fields."""
        return {
            "name": self.name,
            "version": self.version,
            "digest": self.digest,
            "expires": self.expires,
            "requirements": [requirement.to_json() for requirement in self.requirements],
        }


def judge_policy(
    policy: Policy, checks: Sequence[Check], facts: Facts, at: str | None
) -> tuple[Check, tuple[Requirement, ...]]:
    """Hold one bundle to the thresholds of a policy. Whom the policy trusts was for the other checks.

    Args:
        policy: as it was read.
        checks: the other checks that were made.
        facts: what they found.
        at: the time at which it is judged, RFC 3339; None when nobody said.

    Raises:
        EvidenceError: `at` is no time.
    """
    at = from_rfc3339(at) if at is not None else None
    requirements = tuple(_requirements(policy.thresholds, {check.id: check for check in checks}, facts))
    failed = next((check.id for check in checks if check.outcome == "fail"), None)
    if failed is not None:
        return _check("skip", f"not reached: {failed} failed"), requirements
    return _expired(policy, at) or _outcome(policy, requirements), requirements


def _expired(policy: Policy, at: str | None) -> Check | None:
    if policy.expires is None:
        return None
    if at is None:
        return _check("undecided", f"{_name(policy)} expires at {policy.expires}, and nobody said what time it is")
    if at >= policy.expires:
        return _check("undecided", f"{_name(policy)} expired at {policy.expires}, and this was judged at {at}")
    return None


def _outcome(policy: Policy, requirements: Sequence[Requirement]) -> Check:
    missed = [each for each in requirements if each.outcome == "missed"]
    unknown = [each for each in requirements if each.outcome == "unknown"]
    if missed:
        return _check("miss", f"{_name(policy)}: {len(missed)} of {_count(requirements)} missed: {_listed(missed)}")
    if unknown:
        return _check(
            "undecided", f"{_name(policy)}: {len(unknown)} of {_count(requirements)} unknown: {_listed(unknown)}"
        )
    if not requirements:
        return _check(
            "pass", f"{_name(policy)} asks nothing of what the bundle holds; whom it trusts is in the checks above"
        )
    return _check("pass", f"{_name(policy)}: {_count(requirements)} met; the policy is {policy.digest}")


def _check(outcome: Outcome, reason: str) -> Check:
    return Check(id="policy", outcome=outcome, reason=reason)


def _name(policy: Policy) -> str:
    return f"{policy.name} {policy.version}"


def _count(requirements: Sequence[Requirement]) -> str:
    return f"{len(requirements)} requirement{'' if len(requirements) == 1 else 's'}"


def _listed(requirements: Sequence[Requirement]) -> str:
    more = f"; and {len(requirements) - _SHOWN_MAX} more" if len(requirements) > _SHOWN_MAX else ""
    return "; ".join(each.describe() for each in requirements[:_SHOWN_MAX]) + more


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# ------------------------------------------------------------------ one requirement each


def _requirements(asked: Thresholds, checks: Mapping[CheckId, Check], facts: Facts) -> Iterator[Requirement]:
    scored = _why_not(checks.get("reports"))
    closure = (facts.closure or {}).get("closure", {})
    for pack in asked.packs:
        yield from _pack(pack, facts, scored)
    if asked.closure_min is not None:
        yield _at_least("closure.score", closure.get("score"), asked.closure_min, scored)
    if asked.confidence_min is not None:
        yield _confidence(closure.get("confidence"), asked.confidence_min, scored)
    yield from _loss(asked, facts, _why_not(checks.get("mapping")))
    health = facts.manifest["capture_health"] if facts.manifest is not None and not scored else {}
    for name, maximum in asked.capture_max.items():
        yield _at_most(f"capture_health.{name}", health.get(name), maximum, scored)


def _why_not(check: Check | None) -> str:
    """Why the figures behind a check do not count; empty when they do."""
    if check is None:
        return "is not known: it was not computed again"
    return "" if check.outcome == "pass" else f"is not known: it was not computed again ({check.reason})"


def _pack(asked: PackThreshold, facts: Facts, scored: str) -> Iterator[Requirement]:
    """By the pack of the digest that is asked for; without one by every pack of that name, of which the worst counts."""
    applied = facts.manifest["x-assay"]["packs_applied"] if facts.manifest is not None and not scored else []
    named = [pack for pack in applied if pack["name"] == asked.name]
    meant = [pack for pack in named if asked.digest in (None, pack["digest"])]
    if asked.digest is not None:
        got = ", ".join(pack["digest"] for pack in meant or named) or "not scored by it"
        yield _requirement(f"packs.{asked.name}.digest", got, enough=bool(meant), expected=asked.digest, why_not=scored)
    name = f"packs.{asked.name}.completeness"
    if not scored and not named:
        yield _requirement(name, "not scored by it", enough=False, expected=_least(asked.completeness_min), why_not="")
        return
    shares = [(facts.completeness or {}).get(f"{pack['name']}@{pack['version']}") for pack in meant or named]
    known = [share for share in shares if share is not None]
    worst = min(known) if known and len(known) == len(shares) else None
    yield _at_least(name, worst, asked.completeness_min, scored)


def _loss(asked: Thresholds, facts: Facts, translated: str) -> Iterator[Requirement]:
    totals = (facts.mapping_loss or {}).get("totals", {}) if not translated else {}
    if asked.dropped_ratio_max is not None:
        dropped, atoms = totals.get("dropped"), totals.get("atoms_in")
        ratio = None if dropped is None or atoms is None else dropped / atoms if atoms else 0.0
        yield _at_most("mapping_loss.dropped_ratio", ratio, asked.dropped_ratio_max, translated)
    if asked.dropped_major_max is not None:
        major = totals.get("dropped_by_severity", {}).get("major")
        yield _at_most("mapping_loss.dropped_major", major, asked.dropped_major_max, translated)
    if asked.built_in_tables:
        files = facts.manifest["files"] if facts.manifest is not None else []
        own = [file["path"] for file in files if file["path"].startswith(PROFILES)]
        got = ", ".join(own) or "built-in tables alone"
        yield _requirement(
            "mapping_loss.built_in_tables", got, enough=not own, expected="built-in tables alone", why_not=translated
        )


def _confidence(got: str | None, minimum: str, scored: str) -> Requirement:
    enough = CONFIDENCES[CONFIDENCES.index(minimum) :]
    return _requirement("closure.confidence", got, enough=got in enough, expected=" or ".join(enough), why_not=scored)


def _at_least(name: str, got: float | None, minimum: float, why_not: str) -> Requirement:
    enough = got is not None and got >= minimum
    return _requirement(name, got, enough=enough, expected=_least(minimum), why_not=why_not)


def _at_most(name: str, got: float | None, maximum: float, why_not: str) -> Requirement:
    enough = got is not None and got <= maximum
    return _requirement(name, got, enough=enough, expected=f"at most {maximum:g}", why_not=why_not)


def _least(minimum: float) -> str:
    return f"at least {minimum:g}"


def _requirement(name: str, got: float | str | None, *, enough: bool, expected: str, why_not: str) -> Requirement:
    if why_not or got is None:
        reason = why_not or "is not in the bundle's reports"
        return Requirement(id=name, outcome="unknown", got=None, expected=expected, reason=reason)
    return Requirement(id=name, outcome="met" if enough else "missed", got=got, expected=expected, reason="")
