"""The chain of bundles: each names the one its sidecar sealed before, by id and manifest digest.

Law: a link that contradicts another bundle at hand is a failure of both; a bundle that is merely not at hand is said,
and fails nothing, because an auditor may be given one file.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from attest.verdict import Check, Outcome
from attest.verification import Verification

_Finding = tuple[int, Outcome, str]
"""Which result it is about, what it amounts to, and why."""
_WORST_FIRST: tuple[Outcome, ...] = ("fail", "warn", "pass")


def check_alone(manifest: Mapping[str, Any]) -> Check:
    """Check the links of one bundle without its neighbours."""
    own = manifest["bundle_id"]
    previous = manifest.get("previous_bundle")
    if own in (manifest.get("amends"), (previous or {}).get("bundle_id")):
        return Check(id="chain", outcome="fail", reason="the bundle names itself as the one before it")
    if previous is None:
        return Check(id="chain", outcome="pass", reason="it names no bundle before it")
    return Check(id="chain", outcome="pass", reason=f"the bundle before it, {previous['bundle_id']}, is not at hand")


def link(results: Sequence[Verification]) -> tuple[Verification, ...]:
    """Check the links among bundles verified together, and put the findings into their `chain` checks."""
    found: dict[int, list[_Finding]] = defaultdict(list)
    for rule in _RULES:
        for finding in rule(results):
            found[finding[0]].append(finding)
    return tuple(_amended(result, found[at]) for at, result in enumerate(results))


def _amended(result: Verification, findings: Sequence[_Finding]) -> Verification:
    if result.check("chain").outcome not in ("pass", "warn"):
        return result  # it failed alone, or was never reached
    for outcome in _WORST_FIRST:
        reasons = [reason for _, kind, reason in findings if kind == outcome]
        if reasons:
            return result.with_check(Check(id="chain", outcome=outcome, reason="; ".join(reasons)))
    return result


def _groups(
    results: Sequence[Verification], key: Callable[[Verification, Mapping[str, Any]], Hashable | None]
) -> Iterator[list[int]]:
    """Positions of the results that share a key, for every key that several have. No manifest or key: not grouped."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for at, result in enumerate(results):
        manifest = result.facts.manifest
        shared = key(result, manifest) if manifest is not None else None
        if shared is not None:
            groups[shared].append(at)
    yield from (group for group in groups.values() if len(group) > 1)


def _differ(results: Sequence[Verification], group: Sequence[int]) -> bool:
    return len({results[at].facts.bundle_id for at in group}) > 1


def _signer(result: Verification) -> str | None:
    """Which sidecar it is from, as far as is known: two may well record parts of one run."""
    return result.facts.signed_by or result.facts.key_hint


def _copies(results: Sequence[Verification]) -> Iterator[_Finding]:
    for group in _groups(results, lambda result, _: result.facts.bundle_id):
        for at in group:
            yield at, "warn", f"the same bundle was given {len(group)} times"


def _duplicate_parts(results: Sequence[Verification]) -> Iterator[_Finding]:
    for group in _groups(results, lambda result, manifest: (_signer(result), manifest["run_id"], manifest["part"])):
        if _differ(results, group):
            for at in group:
                part = results[at].facts.manifest or {}
                yield at, "fail", f"{len(group)} different bundles claim to be part {part['part']} of this run"


def _forks(results: Sequence[Verification]) -> Iterator[_Finding]:
    for group in _groups(results, lambda _, manifest: manifest.get("previous_bundle", {}).get("bundle_id")):
        if _differ(results, group):
            for at in group:
                yield at, "fail", f"the chain forks: {len(group)} different bundles name the same one before them"


def _predecessors(results: Sequence[Verification]) -> Iterator[_Finding]:
    at_hand = {result.facts.bundle_id: result.facts.manifest_sha256 for result in results}
    for at, result in enumerate(results):
        previous = (result.facts.manifest or {}).get("previous_bundle")
        if previous is None or previous["bundle_id"] not in at_hand:
            continue
        if previous["manifest_sha256"] != at_hand[previous["bundle_id"]]:
            yield at, "fail", f"the bundle before it, {previous['bundle_id']}, has another manifest than the one linked"
        else:
            yield at, "pass", f"it follows the bundle {previous['bundle_id']}, which is at hand"


def _sequences(results: Sequence[Verification]) -> Iterator[_Finding]:
    """Parts of one run go on counting: between two that follow each other no sequence number is missing or used twice."""
    parts = {
        (_signer(result), manifest["run_id"], manifest["part"]): manifest
        for result in results
        if (manifest := result.facts.manifest) is not None
    }
    for at, result in enumerate(results):
        manifest = result.facts.manifest
        before = parts.get((_signer(result), manifest["run_id"], manifest["part"] - 1)) if manifest else None
        if manifest and before and manifest["first_seq"] != before["last_seq"] + 1:
            expected = before["last_seq"] + 1
            yield at, "warn", f"it starts with event {manifest['first_seq']}, expected {expected} after the part before"


_RULES: tuple[Callable[[Sequence[Verification]], Iterator[_Finding]], ...] = (
    _copies,
    _duplicate_parts,
    _forks,
    _predecessors,
    _sequences,
)
