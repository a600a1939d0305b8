"""Signature and trust of an attestation that was signed with a Sigstore certificate.

sigstore-python verifies chain, certificate log, inclusion, checkpoint, promise and signature; what it leaves open is closed
around it: windows of everything trusted (`attest.trust.roots`), timestamps (`attest.checks.timestamps`), unsigned fields
(`attest.checks.transparency`), and who the signer is (`attest.trust.identities`).
Laws: it is given only what was read here, and a root without anything that does not count at every proven time; an
identity is judged by us and never by it; what it raises is an answer; a root's authorities speak for what that root issued and for
nothing else, so that each root is trusted as far as it alone goes. It is loaded for the first certificate that a root is there for, not
before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from attest.attestation.sigstore_bundle import SigstoreBundle, encode
from attest.checks.material import Dated, Judged, Stamps
from attest.checks.transparency import integrated_at, kind_of
from attest.errors import InvalidError, UnsupportedError
from attest.judge import attempt, judge
from attest.trust.identities import Claims, is_trusted, read_claims
from attest.trust.roots import Entry, Root, dating
from attest.trust.trust import Trust
from attest.verdict import Check, LogEntryFacts, Outcome, ProvenTime, SignedBy
from evidence.timestamp import from_rfc3339

if TYPE_CHECKING:
    from sigstore.verify import Verifier


def judge_certificate(
    bundle: SigstoreBundle, trust: Trust | None, roots: Sequence[Root], date: Callable[[Sequence[Root]], Dated]
) -> Judged:
    """Judge the one signature of a bundle that carries a certificate.

    Args:
        bundle: with a certificate, exactly one signature, and a log entry that does not contradict itself, if any.
        trust: whom the caller trusts; None when nobody was named.
        roots: the trusted roots, read.
        date: what its timestamps come to by the authorities of some roots.
    """
    certificate, signature = attempt("signature", lambda: _verify_signature(bundle))
    if certificate is None:
        return Judged(
            signature=signature,
            trust=_trust("skip", "the signature was not made with the certificate's key"),
            dated=date(roots),
        )
    claims, named = attempt("trust", lambda: (read_claims(certificate), ""))
    if claims is None:
        return Judged(signature=signature, trust=named, dated=date(roots))
    if trust is None or not roots:
        given = "no trusted root was given" if trust is None or not trust.keys else "only keys are trusted"
        said = f"it is signed with a certificate, which says {claims.describe()}; {given}"
        return Judged(signature=signature, trust=_trust("undecided", said), dated=date(roots))
    signed = _Signed(bundle=bundle, certificate=certificate, claims=claims, signature=signature)
    issuing = [root for root in roots if not root.only_dates] or roots
    return min((_under(root, signed, trust, date(dating(root, roots))) for root in issuing), key=_rank)


def _rank(judged: Judged) -> tuple[int, bool, int, int]:
    """The best one first: a further root adds, and takes nothing away."""
    dated = judged.dated
    concerns = len(dated.stamps.concerns)
    return (
        ("pass", "undecided", "fail").index(judged.trust.outcome),
        dated.refuted is not None,
        -dated.stamps.distinct,
        concerns,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """What is to be judged under each root."""

    bundle: SigstoreBundle
    certificate: x509.Certificate
    claims: Claims
    signature: Check


def _verify_signature(bundle: SigstoreBundle) -> tuple[x509.Certificate, str]:
    try:
        certificate = x509.load_der_x509_certificate(bundle.certificate or b"")
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidError(f"the certificate is malformed: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UnsupportedError(f"the certificate is for a {type(key).__name__}, expected P-256")
    try:
        key.verify(bundle.envelope.signatures[0], bundle.envelope.pae(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise InvalidError("the signature was not made over this statement with the certificate's key") from error
    return certificate, "valid ecdsa-p256-sha256 signature over the statement with the certificate's key"


def _under(root: Root, signed: _Signed, trust: Trust, dated: Dated) -> Judged:
    """What it comes to under one root, dated by those who may date what it issued."""
    log, refused = attempt("trust", lambda: (_verify(root, signed, trust, dated.stamps), ""))
    if log is None:
        return Judged(signature=signed.signature, trust=refused, dated=dated)
    claims, entry = signed.claims, signed.bundle.entries[0]
    promised = integrated_at(entry)
    return Judged(
        signature=signed.signature,
        trust=judge("trust", lambda: _check_identity(root, claims, trust)),
        signer=SignedBy(identity=claims.identity, issuer=claims.issuer, root_sha256=root.sha256),
        dated=replace(dated, logged=ProvenTime(time=promised, source="log", by=log.name) if promised else None),
        log_entry=LogEntryFacts(kind=kind_of(entry), index=entry.proof.index, log=log.name),
    )


def _check_identity(root: Root, claims: Claims, trust: Trust) -> Check:
    said = f"certificate of {claims.describe()} under the root {root.name}"
    if not trust.identities:
        return _trust("undecided", f"{said}; no identity was given to compare it with")
    if not is_trusted(claims, trust.identities, root.sha256):
        return _trust("fail", f"{said}, who is not trusted")
    return _trust("pass", f"signed with the {said}")


def _verify(root: Root, signed: _Signed, trust: Trust, stamps: Stamps) -> Entry:
    """Verify everything but the identity; the log that has the signature."""
    bundle, certificate = signed.bundle, signed.certificate
    if not bundle.entries:
        raise UnsupportedError("it has no transparency log entry, and without one no certificate can be judged")
    entry = bundle.entries[0]
    kinds = trust.accepted.entry_kinds
    if kinds is not None and kind_of(entry) not in kinds:
        raise InvalidError(f"its log entry is {kind_of(entry)}, accepted are {', '.join(sorted(kinds)) or 'none'}")
    promised = integrated_at(entry)
    times = sorted({*(proven.time for proven in stamps.times), *((promised,) if promised else ())})
    if not times:
        raise UnsupportedError("nothing proves when it was signed: its log signs no time, and no timestamp counts")
    _check_validity(certificate, times)
    log = root.log(entry.log_id, times)
    narrowed = root.narrowed(log=log, times=times, issued=_entered_at(certificate), stamped_by=stamps.authorities)
    _hand_over(_verifier(narrowed, root.name), replace(bundle, timestamps=stamps.verified), certificate)
    return log


def _check_validity(certificate: x509.Certificate, times: Sequence[str]) -> None:
    start, end = (_text(at) for at in (certificate.not_valid_before_utc, certificate.not_valid_after_utc))
    for time in times:
        if not start <= time <= end:
            raise InvalidError(f"signed at {time}, outside the certificate's validity from {start} to {end}")


def _entered_at(certificate: x509.Certificate) -> str:
    """When a certificate log says that it was given the certificate (RFC 6962, section 3.3)."""
    try:
        entered = certificate.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    except x509.ExtensionNotFound as error:
        raise InvalidError("the certificate was entered into no certificate log") from error
    if len(entered) != 1:
        raise UnsupportedError(f"the certificate was entered into {len(entered)} certificate logs, expected one")
    return _text(entered[0].timestamp.replace(tzinfo=UTC))


def _text(moment: datetime) -> str:
    return from_rfc3339(moment.isoformat())


@lru_cache(maxsize=64)  # few for each root: as many as there are combinations of what counts
def _verifier(root: bytes, name: str) -> "Verifier":
    try:
        from sigstore.models import TrustedRoot  # noqa: PLC0415 - 300 ms and 50 MiB that a key does not need
        from sigstore.verify import Verifier  # noqa: PLC0415 - as above
        from sigstore_models.trustroot.v1 import TrustedRoot as Model  # noqa: PLC0415 - as above

        return Verifier(trusted_root=TrustedRoot(Model.from_json(root)))
    except Exception as error:  # its own, pydantic's and others: one family they are not
        raise UnsupportedError(f"the trusted root {name} cannot be used: {type(error).__name__}: {error}") from error


class _Same:
    """A policy in the library's sense: it verified the certificate that was read here. Who that is, we judge ourselves."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self._certificate = certificate

    def verify(self, cert: x509.Certificate) -> None:
        """Refuse any other certificate."""
        if cert != self._certificate:
            raise InvalidError("another certificate was verified than the one that was read")


def _hand_over(verifier: "Verifier", bundle: SigstoreBundle, certificate: x509.Certificate) -> None:
    from sigstore.models import Bundle  # noqa: PLC0415 - as above

    try:
        kind, payload = verifier.verify_dsse(Bundle.from_json(encode(bundle)), _Same(certificate))
    except Exception as error:  # as above: ValidationError, ValueError, AttributeError and RecursionError among them
        raise InvalidError(f"{type(error).__name__}: {error}") from error
    if (kind, payload) != (bundle.envelope.payload_type, bundle.envelope.payload):
        raise InvalidError("another statement was verified than the one that was read")


def _trust(outcome: Outcome, reason: str) -> Check:
    return Check(id="trust", outcome=outcome, reason=reason)
