"""Verifying evidence bundles one after another: ordered, independent checks, and what they found.

Law: whatever is in the files, the answer is a verdict and never an exception. What bundles share (whom to trust, the tables, the packs) is
prepared once and decides nothing: a bundle's result is the same whatever was verified before it.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

import orjson

from attest.bundle_checks import BundleReading, check_bundle
from attest.checks.attestation import AttestationJudge, AttestationReading, Attested
from attest.checks.batch import Batch
from attest.disclosed import DisclosedWatch
from attest.errors import AttestError
from attest.judge import attempt
from attest.limits import DEFAULT, AttestLimits
from attest.many.folder import find_attestations
from attest.many.rows import Row
from attest.policy.policy import Policy
from attest.policy.requirements import JudgedBy, judge_policy
from attest.trust.trust import Trust
from attest.verdict import Check, Facts, in_order
from attest.verification import Verification, text
from attest.watch import MappingRecomputer, MappingWatch, ReportsWatch, Watch
from evidence.bundle import BundleFacts
from evidence.canonical import parse_object
from evidence.container.foreign import is_assay
from evidence.limits import DEFAULT as EVIDENCE_DEFAULT
from evidence.limits import Limits
from evidence.manifest import CLOSURE, FORMULA_RECEIPTS, MAPPING_LOSS

_NO_TRANSLATOR = Check(id="mapping", outcome="skip", reason="no translator was given")
_NO_REPORTS = Check(id="reports", outcome="skip", reason="the caller asked for integrity alone")
_NO_DISCLOSURES = Check(id="disclosed", outcome="skip", reason="none was given")
_NO_POLICY = Check(id="policy", outcome="skip", reason="none was given")


class Terms(TypedDict, total=False):
    """What bundles are verified by: the keyword arguments of `Verifier`, `verify_file` and `verify_files`, none of them required."""

    trust: Trust | None
    """Whom to trust. Without any (None), the verdict is at best undecided."""
    policy: Policy | None
    """Whom to trust and what a bundle must amount to (None: no policy); then `trust` is None."""
    at: str | None
    """What time it is, RFC 3339, for when the policy expires and for nothing else."""
    mapping: MappingRecomputer | None
    """Translates the telemetry again for the check `mapping`, and starts over with each bundle; None skips that check. Each of several
    processes has a copy, so then it must be fit to be pickled."""
    recompute: bool
    """False leaves out the checks `reports` and `mapping`, for integrity alone; True by default."""
    strict: bool
    """True lets warnings decide the exit code; False by default."""
    limits: Limits
    """Bounds on a bundle."""
    attest_limits: AttestLimits
    """Bounds on attestations, and on how many files there are."""


_DEFAULTS: Terms = {
    "trust": None,
    "policy": None,
    "at": None,
    "mapping": None,
    "recompute": True,
    "strict": False,
    "limits": EVIDENCE_DEFAULT,
    "attest_limits": DEFAULT,
}


def in_full(terms: Terms) -> Terms:
    """The terms with the default of each that is not given.

    Raises:
        AttestError: both a policy and trust beside it.
        TypeError: there is no term of such a name: one that is misspelled must not count for nothing.
    """
    if unknown := sorted(terms.keys() - _DEFAULTS.keys()):
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}, expected any of {', '.join(_DEFAULTS)}")
    full: Terms = {**_DEFAULTS, **terms}
    if full["policy"] is not None and full["trust"] is not None:
        raise AttestError("a policy says by itself whom to trust; expected no other trust beside it")
    return full


class Verifier:
    """Verifies bundles by the terms that it was given.

    Raises:
        AttestError: both a policy and trust beside it.
    """

    def __init__(self, **terms: Unpack[Terms]) -> None:
        given = in_full(terms)
        self._policy, self._at, self._strict = given["policy"], given["at"], given["strict"]
        self._trust = self._policy.trust if self._policy else given["trust"]
        self._limits, self._attest_limits = given["limits"], given["attest_limits"]
        self._judge = AttestationJudge(self._trust, self._attest_limits)
        self._recompute = given["recompute"]
        self._mapping = given["mapping"] if self._recompute else None
        self._skipped = (
            _NO_POLICY,
            _NO_DISCLOSURES,
            *(() if self._recompute else (_NO_REPORTS,)),
            *(() if given["mapping"] else (_NO_TRANSLATOR,)),
        )

    def verify(self, path: Path, *, attestation: Path | None = None, disclosed: Path | None = None) -> Verification:
        """Verify one bundle.

        Raises:
            DisclosedFileError: `disclosed` is no file of disclosures.
        """
        return self._verify(path, attestation, disclosed)[0]

    def row(self, path: Path) -> tuple[Row, tuple[Batch, ...]]:
        """Verify one bundle among many; with the bundles that trusted statements beside it name."""
        found = self._verify(path, None, None)
        return Row.of(*found), found[-1]

    def left(self, attestation: Path) -> tuple[Batch, ...]:
        """The bundles that an attestation without a bundle names, when somebody trusted signed it."""
        unseen = Attested(file_name=attestation.name, container_sha256=None, facts=None)
        return self._judge.judge((attestation,), unseen).batches

    def _verify(
        self, path: Path, attestation: Path | None, disclosed: Path | None
    ) -> tuple[Verification, str, tuple[Batch, ...]]:
        """The result, the source of the bundle's events, and the bundles that trusted statements beside it name."""
        if is_assay(path):
            return self._assay(path, attestation, disclosed), "", ()
        attestations = (attestation,) if attestation else find_attestations(path)
        bundle = check_bundle(path, self._watches(disclosed), self._limits)
        attested = Attested(file_name=path.name, container_sha256=bundle.container_sha256, facts=bundle.facts)
        signed = self._judge.judge(attestations, attested)
        result = Verification(
            file=text(path),
            attestation=text(signed.path) if signed.path else None,
            checks=in_order((*self._skipped, *bundle.checks, *signed.checks)),
            facts=_facts(bundle, signed),
            strict=self._strict,
        )
        return self._judged(result), bundle.facts.source if bundle.facts else "", signed.batches

    def _assay(self, path: Path, attestation: Path | None, disclosed: Path | None) -> Verification:
        from attest.assay.verify import verify_assay  # noqa: PLC0415 - of another tool: those who verify ours need not pay for it

        return verify_assay(
            path,
            attestation=attestation,
            trust=self._trust,
            policy=self._policy is not None,
            disclosed=disclosed is not None,
            strict=self._strict,
            attest_limits=self._attest_limits,
        )

    def _watches(self, disclosed: Path | None) -> list[Watch]:
        watches = [Watch("reports", ReportsWatch(self._limits))] if self._recompute else []
        if self._mapping is not None:
            watches.append(Watch("mapping", MappingWatch(self._mapping)))
        if disclosed is not None:
            watches.append(Watch("disclosed", DisclosedWatch(disclosed, self._attest_limits)))
        return watches

    def _judged(self, result: Verification) -> Verification:
        if self._policy is None:
            return result
        check, requirements = judge_policy(self._policy, result.checks, result.facts, self._at)
        return replace(result.with_check(check), policy=JudgedBy.of(self._policy, requirements))


def died(path: Path, how: str, *, strict: bool) -> Row:
    """The row of a bundle whose process ended before it had an answer."""
    lost = Check(id="container", outcome="undecided", reason=f"the process that verified it {how}")
    return Row.of(Verification(file=text(path), attestation=None, checks=in_order((lost,)), strict=strict))


def _facts(bundle: BundleReading, signed: AttestationReading) -> Facts:
    read, manifest = bundle.facts, bundle.manifest
    recomputed = any(check.id == "reports" and check.outcome == "pass" for check in bundle.checks)
    return Facts(
        bundle_id=str(manifest["bundle_id"]) if manifest else None,
        container_sha256=bundle.container_sha256,
        manifest=manifest,
        manifest_sha256=read.manifest_sha256 if read else None,
        closure=orjson.loads(read.reports[CLOSURE]) if read and recomputed else None,
        completeness=_completeness(read) if read and recomputed else None,
        mapping_loss=_report(read, MAPPING_LOSS),
        signed_by=signed.signed_by,
        signer=signed.signer,
        signers=signed.signers,
        times=signed.times,
        log_entry=signed.log_entry,
        log_witnesses=signed.log_witnesses,
        key_hint=signed.key_hint,
        bundles_attested=signed.bundles_attested,
    )


def _report(read: BundleFacts | None, name: str) -> dict[str, object] | None:
    """A report of an accepted bundle as an object; None when it is none."""
    return attempt("reports", lambda: (parse_object(read.reports[name]), ""))[0] if read else None


def _completeness(read: BundleFacts) -> Mapping[str, float]:
    """By `pack@version`, from formula receipts that were recomputed."""
    completeness: Mapping[str, float] = orjson.loads(read.reports[FORMULA_RECEIPTS])["outputs"]["completeness"]
    return completeness
