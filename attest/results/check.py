"""Checking a result that an auditor signed, and holding files to it: for whoever trusts the auditor in place of verifying.

Laws: what a result says counts only under a trusted key; a file that is not among its subjects was not verified by it. The time in it is the
auditor's word. Whether its policy is the one wanted, and its time recent enough, is for the reader to compare.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attest.attestation import sigstore_bundle
from attest.attestation.sigstore_bundle import SigstoreBundle
from attest.checks.key import judge_key
from attest.checks.material import Dated
from attest.dsse import PAYLOAD_TYPE
from attest.errors import InvalidError
from attest.judge import attempt, caught
from attest.limits import DEFAULT, AttestLimits
from attest.results.result import Result, read_result
from attest.shape import describe
from attest.trust.trust import Trust
from attest.verdict import EXIT_CODES, Check, CheckId, Outcome, Verdict, printable
from attest.verification import text
from evidence.regular import open_regular


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One file, and whether the result is about it."""

    file: str
    outcome: Outcome
    """Pass when its bytes are a subject, fail when not, undecided when it could not be read."""
    reason: str

    def to_json(self) -> dict[str, str]:
        """The three fields."""
        return {"file": self.file, "outcome": self.outcome, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultVerification:
    """What came of checking a result."""

    file: str
    checks: tuple[Check, ...]
    """envelope, statement, signature and trust."""
    result: Result | None
    """What it says: a claim unless the verdict is `verified`. None when it could not be read."""
    signed_by: str | None
    """Fingerprint of the trusted key that signed it; None when none did."""
    held: tuple[Held, ...]
    """The files that were given."""

    @property
    def verdict(self) -> Verdict:
        """A failure outweighs what could not be decided; everything must have passed to be verified."""
        outcomes = {check.outcome for check in self.checks} | {held.outcome for held in self.held}
        if "fail" in outcomes:
            return "invalid"
        return "verified" if outcomes == {"pass"} else "undecided"

    @property
    def exit_code(self) -> int:
        """0 verified, 1 invalid, 4 could not decide."""
        return EXIT_CODES[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """The contract with other programs, `result-verification-v1`."""
        return {
            "schema_version": "result-verification-v1",
            "file": self.file,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "checks": [check.to_json() for check in self.checks],
            "signed_by": self.signed_by,
            "result": self.result.to_json() if self.result else None,
            "files": [held.to_json() for held in self.held],
        }


def check_result(
    path: Path, files: Sequence[Path], trust: Trust | None, *, limits: AttestLimits = DEFAULT
) -> ResultVerification:
    """Check the signed result at `path`, and whether each of `files` is among what it is about.

    Does not verify the files again, and does not check a timestamp on the result. Never raises on account of what is in a file.

    Args:
        path: as `affidavit verify --attest-result` wrote it.
        files: evidence bundles.
        trust: the auditor's key.
        limits: bounds on the result.
    """
    bundle, envelope = attempt("envelope", lambda: _read(path, limits))
    if bundle is None:
        skipped = tuple(Check(id=name, outcome="skip", reason="it could not be read") for name in _AFTER)
        return _checked(path, (envelope, *skipped), None, None, ())
    result, stated = attempt("statement", lambda: _parse(bundle, limits))
    judged = judge_key(bundle, trust, Dated())
    held = tuple(_hold(file, result) for file in files) if result else ()
    signer = judged.signer.key if judged.signer else None
    return _checked(path, (envelope, stated, judged.signature, judged.trust), result, signer, held)


_AFTER: tuple[CheckId, ...] = ("statement", "signature", "trust")


def _checked(
    path: Path, checks: tuple[Check, ...], result: Result | None, signed_by: str | None, held: tuple[Held, ...]
) -> ResultVerification:
    return ResultVerification(file=text(path), checks=checks, result=result, signed_by=signed_by, held=held)


def _read(path: Path, limits: AttestLimits) -> tuple[SigstoreBundle, str]:
    with open_regular(path) as file:
        bundle = sigstore_bundle.read(file.read(limits.attestation_bytes_max + 1), limits=limits)
    if bundle.is_respelled:
        raise InvalidError("it is not spelled as `affidavit verify` writes a result")
    if bundle.hint is None or len(bundle.envelope.signatures) != 1:
        raise InvalidError("it is not signed by one key, expected exactly one signature by an auditor's key")
    return bundle, f"a Sigstore bundle v0.3 with a payload of {len(bundle.envelope.payload)} bytes"


def _parse(bundle: SigstoreBundle, limits: AttestLimits) -> tuple[Result, str]:
    if bundle.envelope.payload_type != PAYLOAD_TYPE:
        raise InvalidError(f"the payload type is {describe(bundle.envelope.payload_type)}, expected {PAYLOAD_TYPE!r}")
    result = read_result(bundle.envelope.payload, limits=limits)
    return result, f"a verification result of {len(result.subjects)} file{'' if len(result.subjects) == 1 else 's'}"


def _hold(path: Path, result: Result) -> Held:
    try:
        with open_regular(path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        answer = caught("container", error)
        return Held(file=text(path), outcome=answer.outcome, reason=answer.reason)
    names = [name for name, subject in result.subjects.items() if subject == digest]
    if not names:
        return Held(file=text(path), outcome="fail", reason=f"not among its subjects: sha256 {digest}")
    return Held(file=text(path), outcome="pass", reason=printable(f"verified as {names[0]}", DEFAULT.reason_chars_max))
