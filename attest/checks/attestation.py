"""The checks of a bundle's attestations: statement, envelope, signature, trust, time, log, cosigned.

Laws: each looks at one thing and none relies on another having passed. An attestation can only add permission: the best one
decides, and another that is not good never fails a bundle and is never passed over in silence. What several bundles or
attestations share is worked out once (`attest.checks.shared`).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from attest.attestation import sigstore_bundle, statement
from attest.attestation.predicate import PREDICATE_TYPE
from attest.attestation.sigstore_bundle import SigstoreBundle
from attest.checks.cosigned import BAD, AttestationReading, check_cosigned, distinct
from attest.checks.key import judge_key
from attest.checks.log import check_log, witnesses
from attest.checks.material import Dated, Judged, Stamps
from attest.checks.shared import SharedFiles
from attest.checks.statement import Attested, Said, check_statement
from attest.checks.time import check_time
from attest.checks.transparency import check_entry
from attest.dsse import PAYLOAD_TYPE
from attest.errors import InvalidError, UnsupportedError
from attest.judge import attempt, judge
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe
from attest.trust.roots import Root, read_root
from attest.trust.trust import Accepted, Required, Trust
from attest.verdict import Check, CheckId, Outcome

__all__ = ["AttestationJudge", "AttestationReading", "Attested"]

_NEED_ENVELOPE: tuple[CheckId, ...] = ("statement", "signature", "trust", "time", "log")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """An attestation as far as it can be judged without the bundle it is about."""

    envelope: Check
    hint: str | None = None
    said: Said | None = None
    stated: Check | None = None
    """Why there is no statement, when there is none."""
    judged: Judged | None = None
    """None when the envelope could not be read."""


class AttestationJudge:
    """Judges attestations by what is trusted. Make one for many bundles: what they share is worked out once."""

    def __init__(self, trust: Trust | None, limits: AttestLimits = DEFAULT) -> None:
        self._trust = trust
        self._limits = limits
        self._roots: tuple[tuple[Root, ...], Check | None] | None = None
        self._files = SharedFiles(self._open, limits)

    def judge(self, paths: Sequence[Path], attested: Attested) -> AttestationReading:
        """Check the attestations at `paths` against the bundle they should be about. Never raises on their account.

        Args:
            paths: the attestations; none of them when there is none.
            attested: what was read of the bundle.
        """
        if not paths:
            absent = Check(id="envelope", outcome="undecided", reason="there is no attestation beside the file")
            return AttestationReading(checks=_unread(absent, "no attestation"))
        most = self._limits.attestations_per_bundle_max
        readings = [self._judge_one(path, attested) for path in paths[:most]]
        deciding = min(readings, key=lambda reading: reading.rank)
        others = [reading for reading in readings if reading is not deciding]
        signers = distinct(reading.signer for reading in readings if not reading.bad)
        required = self._trust.required if self._trust else Required()
        cosigned = check_cosigned(others, signers, required, left_out=max(0, len(paths) - most))
        batches = tuple(batch for reading in readings for batch in reading.batches)
        return replace(deciding, checks=(*deciding.checks, cosigned), signers=signers, batches=batches)

    def _judge_one(self, path: Path, attested: Attested) -> AttestationReading:
        found, unread = attempt("envelope", lambda: (self._files.read(path), ""))
        opened = found or _Opened(envelope=unread)
        judged, said = opened.judged, opened.said
        if judged is None:
            return AttestationReading(checks=_unread(opened.envelope, "the attestation could not be read"), path=path)
        trust = self._trust or Trust()
        closed_at = str(attested.facts.manifest["closed_at"]) if attested.facts else None
        stated = judge("statement", lambda: check_statement(said, attested)) if said else opened.stated
        time = judge(
            "time",
            lambda: check_time(judged.dated, trust.required, closed_at, self._limits, by_key=opened.hint is not None),
        )
        log = check_log(said.statement, attested.facts, self._trust) if said else _answer("log", "skip", "no statement")
        signer = judged.signer if judged.trust.outcome == "pass" else None
        checks = (stated, opened.envelope, judged.signature, judged.trust, time, log)
        vouched = signer and not any(row.outcome in BAD for row in (opened.envelope, judged.signature, time))
        return AttestationReading(
            checks=tuple(check for check in checks if check),
            path=path,
            signed_by=signer.key if signer else None,
            signer=signer,
            times=judged.dated.times,
            log_entry=judged.log_entry,
            log_witnesses=witnesses(said.statement, trust) if said and log.outcome == "pass" else (),
            key_hint=opened.hint,
            bundles_attested=len(said.statement.entries) if said else None,
            batches=(said.batch,) if said and vouched else (),
        )

    # ------------------------------------------------------------ without the bundle, once for each attestation

    def _open(self, data: bytes) -> _Opened:
        with warnings.catch_warnings():  # a library's warning about a hostile certificate is not for a terminal
            warnings.simplefilter("ignore")
            return self._judge_bytes(data)

    def _judge_bytes(self, data: bytes) -> _Opened:
        bundle, unread = attempt("envelope", lambda: (_read_bundle(data, self._limits), ""))
        if bundle is None:
            return _Opened(envelope=unread)
        envelope = judge("envelope", lambda: _check_envelope(bundle, self._limits))
        if envelope.outcome in BAD:
            return _Opened(envelope=envelope)
        said, stated = attempt("statement", lambda: (self._parse(bundle), ""))
        count = len(bundle.envelope.signatures)
        if count != 1:
            failed = _answer("signature", "fail", f"the envelope has {count} signatures, expected exactly one")
            skipped = _answer("trust", "skip", "it is not signed exactly once")
            judged = Judged(signature=failed, trust=skipped, dated=Dated())
            return _Opened(envelope=envelope, hint=bundle.hint, said=said, stated=stated, judged=judged)
        return _Opened(envelope=envelope, hint=bundle.hint, said=said, stated=stated, judged=self._signed(bundle))

    def _parse(self, bundle: SigstoreBundle) -> Said:
        kind = bundle.envelope.payload_type
        if kind != PAYLOAD_TYPE:
            raise InvalidError(f"the payload type is {describe(kind)}, expected {PAYLOAD_TYPE!r}")
        accepted = self._trust.accepted if self._trust else Accepted()
        for used, allowed in ((PAYLOAD_TYPE, accepted.payload_types), (PREDICATE_TYPE, accepted.predicate_types)):
            if allowed is not None and used not in allowed:
                raise InvalidError(f"it is of the type {used}, accepted are {', '.join(sorted(allowed)) or 'none'}")
        return Said(statement=statement.read(bundle.envelope.payload, limits=self._limits))

    def _dated(self, bundle: SigstoreBundle, roots: Sequence[Root]) -> Dated:
        """What its timestamps come to by the authorities of these roots."""
        if not bundle.timestamps:
            return Dated()
        unusable = self._read_roots()[1]
        if unusable is not None:
            return Dated(refuted=_answer("time", "undecided", unusable.reason))
        if not roots:
            count = len(bundle.timestamps)
            carried = "an RFC 3161 timestamp" if count == 1 else f"{count} RFC 3161 timestamps"
            untrusted = f"it carries {carried}, and no trusted root was given to judge by"
            return Dated(stamps=Stamps(concerns=(untrusted,)))
        from attest.checks.timestamps import verify_timestamps  # noqa: PLC0415 - X.509 and more, which a key alone does not need

        signature = bundle.envelope.signatures[0]
        stamps, refuted = attempt("time", lambda: (verify_timestamps(bundle.timestamps, signature, roots), ""))
        return Dated(stamps=stamps) if stamps is not None else Dated(refuted=refuted)

    def _signed(self, bundle: SigstoreBundle) -> Judged:
        if bundle.certificate is None:
            roots = self._read_roots()[0] if bundle.timestamps else ()
            return judge_key(bundle, self._trust, self._dated(bundle, roots))
        from attest.checks.certificate import judge_certificate  # noqa: PLC0415 - as above

        roots, unusable = self._read_roots()
        judged = judge_certificate(bundle, self._trust, roots, partial(self._dated, bundle))
        return replace(judged, trust=unusable) if unusable is not None else judged

    def _read_roots(self) -> tuple[tuple[Root, ...], Check | None]:
        """The trusted roots, or why they cannot be used. Read once, and only when something needs them."""
        if self._roots is None:
            given = self._trust.roots if self._trust else ()
            roots, problem = attempt("trust", lambda: (tuple(read_root(one, limits=self._limits) for one in given), ""))
            self._roots = (roots, None) if roots is not None else ((), problem)
        return self._roots


def _read_bundle(data: bytes, limits: AttestLimits) -> SigstoreBundle:
    bundle = sigstore_bundle.read(data, limits=limits)
    if len(bundle.entries) > 1:
        raise UnsupportedError(f"it has {len(bundle.entries)} log entries, expected one at most")
    return bundle


def _check_envelope(bundle: SigstoreBundle, limits: AttestLimits) -> Check:
    concerns: list[str] = []
    if bundle.certificate is None:
        concerns += ["a transparency log entry, which only a certificate needs"] * len(bundle.entries)
    else:
        concerns += [concern for entry in bundle.entries for concern in check_entry(entry, limits=limits)]
    if bundle.is_respelled:
        concerns.append(
            "the spelling of its JSON, as another tool wrote it (white space, order and defaults of members, keyid)"
        )
    form = f"a Sigstore bundle v0.3 with a payload of {len(bundle.envelope.payload)} bytes"
    if concerns:
        return _answer("envelope", "warn", f"{form}; not judged, and under no trusted signature: {', '.join(concerns)}")
    return _answer("envelope", "pass", form)


def _unread(envelope: Check, why: str) -> tuple[Check, ...]:
    return (envelope, *(_answer(name, "skip", why) for name in _NEED_ENVELOPE))


def _answer(check_id: CheckId, outcome: Outcome, reason: str) -> Check:
    return Check(id=check_id, outcome=outcome, reason=reason)
