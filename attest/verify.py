"""Verifying evidence bundles offline: ordered, independent checks, a verdict, and two lines for an auditor.

Laws: nothing here opens a socket or reads a clock; whatever is in the files, the answer is a verdict and never an
exception; with one bit of a bundle or of its attestation changed, the verdict is never `verified`. The container's
digest is among the signed subjects, and an attestation has one spelling only, so no byte of either is slack.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attest import chain
from attest.assay import verify_assay
from attest.attestation_checks import AttestationJudge, AttestationReading, Attested
from attest.bundle_checks import BundleReading, check_bundle
from attest.disclosed import DisclosedWatch
from attest.errors import AttestError
from attest.judge import attempt
from attest.limits import DEFAULT, AttestLimits
from attest.policy import Policy
from attest.requirements import JudgedBy, judge_policy
from attest.trust import Trust
from attest.verdict import Check, Facts, in_order
from attest.verification import Summary, Verification
from attest.watch import MappingRecomputer, MappingWatch, ReportsWatch, Watch
from evidence.assay.sniff import is_assay
from evidence.bundle import BundleFacts
from evidence.canonical import parse_object
from evidence.errors import RunError
from evidence.limits import DEFAULT as EVIDENCE_DEFAULT
from evidence.limits import Limits
from evidence.manifest import CLOSURE, FORMULA_RECEIPTS, MAPPING_LOSS
from evidence.run import attestation_file_name

_NO_TRANSLATOR = Check(id="mapping", outcome="skip", reason="no translator was given")
_NO_REPORTS = Check(id="reports", outcome="skip", reason="the caller asked for integrity alone")
_NO_DISCLOSURES = Check(id="disclosed", outcome="skip", reason="none was given")
_NO_POLICY = Check(id="policy", outcome="skip", reason="none was given")


def verify_file(
    path: Path,
    *,
    attestation: Path | None = None,
    trust: Trust | None = None,
    policy: Policy | None = None,
    at: str | None = None,
    mapping: MappingRecomputer | None = None,
    recompute: bool = True,
    disclosed: Path | None = None,
    strict: bool = False,
    limits: Limits = EVIDENCE_DEFAULT,
    attest_limits: AttestLimits = DEFAULT,
) -> Verification:
    """Verify one evidence bundle. Never raises on account of what is in a file.

    Does not check: whose key it is, when it was signed, and that the sidecar saw everything; the result's second line
    says so each time.

    Args:
        path: the bundle, `RUN.evidence.tar.gz`.
        attestation: the Sigstore bundle about it; by default the one beside it, `RUN.sigstore.json`.
        trust: the keys that count. Without any, the verdict is at best undecided.
        policy: whom to trust and what the bundle must amount to; then `trust` is none.
        at: what time it is, RFC 3339, for when the policy expires and for nothing else.
        mapping: translates the telemetry again for the check `mapping`; without it that check is skipped.
        recompute: False leaves out the checks `reports` and `mapping`, for integrity alone.
        disclosed: pieces that were withheld and are shown now, for the check `disclosed`.
        strict: let warnings decide the exit code.
        limits: bounds on the bundle.
        attest_limits: bounds on the attestation.

    Raises:
        AttestError: both a policy and trust beside it.
        EvidenceError: `at` is no time.
    """
    trust = _trusted(trust, policy)
    if is_assay(path):
        return verify_assay(
            path,
            attestation=attestation,
            trust=trust,
            policy=policy is not None,
            disclosed=disclosed is not None,
            strict=strict,
            attest_limits=attest_limits,
        )
    beside = attestation or find_attestation(path)
    watches = _watches(mapping, limits, recompute=recompute)
    if disclosed is not None:
        watches.append(Watch("disclosed", DisclosedWatch(disclosed, attest_limits)))
    bundle = check_bundle(path, watches, limits)
    attested = Attested(file_name=path.name, container_sha256=bundle.container_sha256, facts=bundle.facts)
    signed = AttestationJudge(trust, attest_limits).judge([beside] if beside else [], attested)
    skipped = (
        _NO_POLICY,
        *(() if disclosed else (_NO_DISCLOSURES,)),
        *(() if recompute else (_NO_REPORTS,)),
        *(() if mapping else (_NO_TRANSLATOR,)),
    )
    result = Verification(
        file=str(path),
        attestation=str(beside) if beside else None,
        checks=in_order((*skipped, *bundle.checks, *signed.checks)),
        facts=_facts(bundle, signed),
        strict=strict,
    )
    return _judged(result, policy, at) if policy is not None else result


def verify_files(
    paths: Sequence[Path],
    *,
    trust: Trust | None = None,
    policy: Policy | None = None,
    at: str | None = None,
    mapping: MappingRecomputer | None = None,
    recompute: bool = True,
    strict: bool = False,
    progress: Callable[[Verification], object] | None = None,
    limits: Limits = EVIDENCE_DEFAULT,
    attest_limits: AttestLimits = DEFAULT,
) -> Summary:
    """Verify several bundles, each with the attestation beside it, and the chain between them.

    Args:
        paths: the bundles.
        trust: as in `verify_file`.
        policy: as in `verify_file`.
        at: as in `verify_file`.
        mapping: starts over with each bundle.
        recompute: as in `verify_file`.
        strict: as in `verify_file`.
        progress: called with each result before the chain between them is known.
        limits: as in `verify_file`.
        attest_limits: as in `verify_file`.

    Raises:
        AttestError: no path, or more than `attest_limits.files_per_call_max`.
    """
    if not 1 <= len(paths) <= attest_limits.files_per_call_max:
        raise AttestError(f"{len(paths)} files to verify, expected 1 to {attest_limits.files_per_call_max}")
    results = []
    for path in paths:
        result = verify_file(
            path,
            trust=trust,
            policy=policy,
            at=at,
            mapping=mapping,
            recompute=recompute,
            strict=strict,
            limits=limits,
            attest_limits=attest_limits,
        )
        results.append(result)
        if progress is not None:
            progress(result)
    return Summary(results=chain.link(results))


def find_attestation(path: Path) -> Path | None:
    """The attestation beside a bundle, None when there is none or the file is not named like a bundle."""
    try:
        beside = path.with_name(attestation_file_name(path.name))
    except (RunError, ValueError):
        return None
    return beside if beside.is_file() else None


def _trusted(trust: Trust | None, policy: Policy | None) -> Trust | None:
    if policy is None:
        return trust
    if trust is not None:
        raise AttestError("a policy says by itself whom to trust; expected no other trust beside it")
    return policy.trust


def _judged(result: Verification, policy: Policy, at: str | None) -> Verification:
    check, requirements = judge_policy(policy, result.checks, result.facts, at)
    return replace(result.with_check(check), policy=JudgedBy.of(policy, requirements))


def _watches(mapping: MappingRecomputer | None, limits: Limits, *, recompute: bool) -> list[Watch]:
    if not recompute:
        return []
    watches = [Watch("reports", ReportsWatch(limits))]
    return [*watches, Watch("mapping", MappingWatch(mapping))] if mapping else watches


def _facts(bundle: BundleReading, signed: AttestationReading) -> Facts:
    read, manifest = bundle.facts, bundle.manifest
    recomputed = any(check.id == "reports" and check.outcome == "pass" for check in bundle.checks)
    return Facts(
        bundle_id=str(manifest["bundle_id"]) if manifest else None,
        container_sha256=bundle.container_sha256,
        manifest=manifest,
        manifest_sha256=read.manifest_sha256 if read else None,
        closure=_report(read, CLOSURE) if recomputed else None,
        completeness=_completeness(read) if recomputed else None,
        mapping_loss=_report(read, MAPPING_LOSS),
        signed_by=signed.signed_by,
        signer=signed.signer,
        signers=signed.signers,
        times=signed.times,
        log_entry=signed.log_entry,
        key_hint=signed.key_hint,
        bundles_attested=signed.bundles_attested,
    )


def _report(read: BundleFacts | None, name: str) -> dict[str, object] | None:
    """A report of an accepted bundle as an object; None when it is none."""
    return attempt("reports", lambda: (parse_object(read.reports[name]), ""))[0] if read else None


def _completeness(read: BundleFacts | None) -> Mapping[str, float] | None:
    """By `pack@version`, from formula receipts that were recomputed."""
    receipts: Any = _report(read, FORMULA_RECEIPTS)
    return receipts["outputs"]["completeness"] if receipts else None
