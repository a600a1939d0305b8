"""The check `log`: that the bundle is in its sidecar's log, as far as the statement proves it.

Laws: a proof that does not verify is a failure, whether anybody asked for one or not; what the log says of itself (its origin, its
key) is a claim until a trusted key signed the checkpoint; only keys that the caller trusts are looked up.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from attest.attestation.statement import LogEvidence, Statement
from attest.errors import AttestError, InvalidError, UnsupportedError
from attest.judge import judge
from attest.shape import describe
from attest.tlog.note import VerifierKey
from attest.trust.trust import Trust
from attest.verdict import Check, Outcome
from evidence.bundle import BundleFacts


def check_log(said: Statement, facts: BundleFacts | None, trust: Trust | None) -> Check:
    """Judge what a statement says about its sidecar's log.

    It does not show that the log has one history only: for that, compare checkpoints (`affidavit log verify`), or trust witnesses.

    Args:
        said: the statement; whether it is signed is for another check.
        facts: the bundle, None when it was refused.
        trust: whose logs and witnesses count, and whether they must be there.
    """
    trust = trust or Trust()
    return judge("log", lambda: _check(said.log, facts, trust))


def witnesses(said: Statement, trust: Trust | None) -> tuple[str, ...]:
    """Names of the trusted witnesses that cosigned the checkpoint of a statement for which `check_log` passed."""
    if said.log is None or trust is None:
        return ()
    return tuple(key.name for key in said.log.checkpoint.cosigned_by(_keys(trust.witnesses)))


def _check(log: LogEvidence | None, facts: BundleFacts | None, trust: Trust) -> Check:
    required = trust.required
    if log is None:
        asked = required.sidecar_log or required.witnesses
        return _answer("fail" if asked else "skip", "the statement carries no proof from a sidecar's log")
    if facts is None:
        return _answer("skip", "the bundle could not be read")
    checkpoint, proof = log.checkpoint, log.proofs.get(facts.bundle_id)
    if proof is None:
        raise InvalidError(f"the log's proofs are of other bundles than {facts.bundle_id}")
    place = f"leaf {proof.index} of {checkpoint.size} (counted from 0) of the log {describe(checkpoint.origin)}"
    if not proof.proves(bytes.fromhex(facts.manifest_sha256), checkpoint):
        raise InvalidError(f"the bundle is not {place}: the proof does not lead to the checkpoint's root")
    signer = checkpoint.signed_by(_keys(trust.logs))
    witnesses = checkpoint.cosigned_by(_keys(trust.witnesses))
    if (count := len({key.public for key in witnesses})) < required.witnesses:
        raise InvalidError(
            f"{place}: cosigned by {count} of the trusted witnesses, expected at least {required.witnesses}"
        )
    if signer is None:
        return _unknown(place, trust)
    cosigned = (
        f", cosigned by {', '.join(f'{key.name} at {_utc(at)}' for key, at in witnesses.items())}" if witnesses else ""
    )
    return _answer("pass", f"{place}, whose checkpoint the trusted key {signer} signed{cosigned}")


def _unknown(place: str, trust: Trust) -> Check:
    if trust.logs:
        why = f"{place}, whose checkpoint no trusted log key signed; trusted is {', '.join(trust.logs[:4])}"
    else:
        why = f"{place}, as it says itself: no trusted log key was given"
    required = trust.required
    asked = (
        required.sidecar_log or required.witnesses
    )  # witnesses cosign many logs: by them alone it could be anybody's
    return _answer("undecided" if asked else "warn" if trust.logs else "skip", why)


def _keys(texts: Iterable[str]) -> tuple[VerifierKey, ...]:
    """The caller's keys. One that is malformed is no fault of the bundle's."""
    try:
        return tuple(VerifierKey.parse(text) for text in texts)
    except AttestError as error:
        raise UnsupportedError(f"a trusted verifier key cannot be used: {error}") from error


def _utc(unix_seconds: int) -> str:
    try:
        return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{unix_seconds} s after 1970"


def _answer(outcome: Outcome, reason: str) -> Check:
    return Check(id="log", outcome=outcome, reason=reason)
