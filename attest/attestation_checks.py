"""The checks of an attestation: statement, envelope, signature, trust, time.

Law: each looks at one thing and none relies on another having passed. What the file says about itself (the key's hint)
finds a key and decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from attest import predicate, sigstore_bundle, statement
from attest.dsse import PAYLOAD_TYPE
from attest.errors import InvalidError, UnsupportedError
from attest.judge import attempt, judge
from attest.keys import PublicKey
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe
from attest.sigstore_bundle import SigstoreBundle
from attest.statement import Statement
from attest.trust import Trust
from attest.verdict import Check, CheckId, LogEntryFacts, Outcome, ProvenTime, SignedBy
from evidence.bundle import BundleFacts

_NEED_ENVELOPE: tuple[CheckId, ...] = ("statement", "signature", "trust", "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What an attestation is compared with: as much of the bundle as could be read."""

    file_name: str
    """What the container file is called now."""
    container_sha256: str | None
    """Known even when the container's content was refused; None when the file could not be read."""
    facts: BundleFacts | None
    """None when the bundle was refused before its members were known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationReading:
    """The checks made on an attestation, and what it says."""

    checks: tuple[Check, ...]
    signed_by: str | None = None
    signer: SignedBy | None = None
    signers: tuple[SignedBy, ...] = ()
    times: tuple[ProvenTime, ...] = ()
    log_entry: LogEntryFacts | None = None
    key_hint: str | None = None
    bundles_attested: int | None = None


class AttestationJudge:
    """Judges attestations by what is trusted. Make one for many bundles: what they share is worked out once."""

    def __init__(self, trust: Trust | None, limits: AttestLimits = DEFAULT) -> None:
        self._trust = trust
        self._limits = limits

    def judge(self, paths: Sequence[Path], attested: Attested) -> AttestationReading:
        """Check the attestations at `paths` against the bundle they should be about. Never raises on their account.

        Args:
            paths: the attestations; none of them when there is none.
            attested: what was read of the bundle.
        """
        return _check(paths[0] if paths else None, attested, self._trust, self._limits)


def _check(path: Path | None, attested: Attested, trust: Trust | None, limits: AttestLimits) -> AttestationReading:
    if path is None:
        absent = Check(id="envelope", outcome="undecided", reason="there is no attestation beside the file")
        return _unread(absent, "no attestation")
    bundle, envelope = attempt("envelope", lambda: _read(path, limits))
    if bundle is None:
        return _unread(envelope, "the attestation could not be read")
    said, stated = attempt("statement", lambda: _parse(bundle, limits))
    if said is not None:
        stated = judge("statement", lambda: _compare(said, attested))
    signer, signature = _check_signature(bundle, trust)
    return AttestationReading(
        checks=(envelope, stated, signature, _check_trust(bundle, trust, signer), _check_time(bundle)),
        signed_by=signer.fingerprint if signer else None,
        signer=SignedBy(key=signer.fingerprint) if signer else None,
        signers=(SignedBy(key=signer.fingerprint),) if signer else (),
        key_hint=bundle.hint,
        bundles_attested=len(said.entries) if said else None,
    )


def _unread(envelope: Check, why: str) -> AttestationReading:
    return AttestationReading(checks=(envelope, *(_answer(name, "skip", why) for name in _NEED_ENVELOPE)))


def _read(path: Path, limits: AttestLimits) -> tuple[SigstoreBundle, str]:
    with path.open("rb") as file:
        data = file.read(limits.attestation_bytes_max + 1)
    bundle = sigstore_bundle.read(data, limits=limits)
    return bundle, f"a Sigstore bundle v0.3 with a payload of {len(bundle.envelope.payload)} bytes"


def _parse(bundle: SigstoreBundle, limits: AttestLimits) -> tuple[Statement, str]:
    if bundle.envelope.payload_type != PAYLOAD_TYPE:
        raise InvalidError(f"the payload type is {describe(bundle.envelope.payload_type)}, expected {PAYLOAD_TYPE!r}")
    return statement.read(bundle.envelope.payload, limits=limits), ""


def _compare(said: Statement, attested: Attested) -> Check:
    facts = attested.facts
    if facts is None:
        return _compare_container(said, attested.container_sha256)
    entry = said.entries.get(facts.bundle_id)
    if entry is None:
        raise InvalidError(f"the statement does not name the bundle {facts.bundle_id}")
    then = replace(facts, path=facts.path.with_name(entry["file"]))  # a file may be renamed: the digest counts
    _compare_entry(predicate.entry(then), entry)
    expected = predicate.subjects(then)
    _compare_subjects(expected, said, facts.bundle_id)
    called = "" if entry["file"] == attested.file_name else f"; the file was called {describe(entry['file'])} then"
    return Check(
        id="statement",
        outcome="pass",
        reason=f"all {len(expected)} subjects of this bundle and what is said about it are as found{called}",
    )


def _compare_container(said: Statement, container_sha256: str | None) -> Check:
    if container_sha256 is None:
        return Check(id="statement", outcome="skip", reason="the bundle could not be read")
    if container_sha256 not in said.subjects.values():
        raise InvalidError(f"no subject has the container's digest {container_sha256}")
    return Check(id="statement", outcome="pass", reason="the container is a subject; its content could not be read")


def _compare_entry(expected: Mapping[str, object], entry: Mapping[str, object]) -> None:
    for name, value in expected.items():
        if name not in entry:
            raise InvalidError(f"the predicate says nothing about {name}, expected {describe(value)}")
        if entry[name] != value:
            raise InvalidError(f"the predicate's {name} is {describe(entry[name])}, the bundle's {describe(value)}")
    unknown = sorted(entry.keys() - expected.keys())
    if unknown:
        raise UnsupportedError(f"the predicate says {describe(unknown[0])} of the bundle, unknown to this version")


def _compare_subjects(expected: dict[str, str], said: Statement, bundle_id: str) -> None:
    for name, digest in expected.items():
        if name not in said.subjects:
            raise InvalidError(f"{describe(name)} is not a subject of the statement")
        if said.subjects[name] != digest:
            raise InvalidError(f"the subject {describe(name)} has the digest {said.subjects[name]}, found {digest}")
    extra = [name for name in said.subjects if name.startswith(f"{bundle_id}/") and name not in expected]
    if extra:
        raise InvalidError(f"the statement's subject {describe(extra[0])} is not in the bundle")


def _check_signature(bundle: SigstoreBundle, trust: Trust | None) -> tuple[PublicKey | None, Check]:
    count = len(bundle.envelope.signatures)
    if count != 1:
        return None, _answer("signature", "fail", f"the envelope has {count} signatures, expected exactly one")
    if trust is None:
        return None, _answer("signature", "skip", "no trusted key was given to check it with")
    return attempt("signature", lambda: _verify(bundle, trust))


def _verify(bundle: SigstoreBundle, trust: Trust) -> tuple[PublicKey, str]:
    named = trust.find(bundle.hint)
    data = bundle.envelope.pae()
    for key in (named.public,) if named else (trusted.public for trusted in trust.keys):
        if key.verifies(bundle.envelope.signatures[0], data):
            return key, f"valid {key.algorithm} signature over the statement"
    raise InvalidError("the signature was not made over this statement by a trusted key")


def _check_trust(bundle: SigstoreBundle, trust: Trust | None, signer: PublicKey | None) -> Check:
    if trust is None:
        hint = describe(bundle.hint)
        return _answer("trust", "undecided", f"no trusted key was given; the file names the key {hint} for itself")
    if trust.find(bundle.hint) is None:
        known = ", ".join(f"sha256:{key.public.fingerprint}" for key in trust.keys[:4])
        return _answer("trust", "fail", f"it names the key {describe(bundle.hint)}, trusted is {known}")
    if signer is None:
        return _answer("trust", "skip", "no trusted key made the signature")
    return _answer("trust", "pass", f"signed by the trusted key sha256:{signer.fingerprint}")


def _check_time(bundle: SigstoreBundle) -> Check:
    for count, what in ((bundle.timestamps, "RFC 3161 timestamps"), (bundle.tlog_entries, "transparency log entries")):
        if count:
            return _answer("time", "undecided", f"it carries {what} ({count}), which this version cannot judge")
    return _answer("time", "skip", "not established: a signature by a key alone carries no time")


def _answer(check_id: CheckId, outcome: Outcome, reason: str) -> Check:
    return Check(id=check_id, outcome=outcome, reason=reason)
