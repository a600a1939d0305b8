"""Whether an attestation that was just made would be verified: judged as `affidavit verify` will, by the root it was made for.

Law: the same checks, and no others but one: what it is dated with must be now. Only the identity is not compared, since whom a certificate
is for is between the token and its issuer.
"""

from collections.abc import Sequence

from attest.attestation.sigstore_bundle import read
from attest.checks.certificate import judge_certificate
from attest.checks.material import Dated
from attest.checks.timestamps import verify_timestamps
from attest.checks.transparency import check_entry
from attest.dsse import PAYLOAD_TYPE
from attest.errors import AttestError, SigningError
from attest.signers.clock import Clock, check_now
from attest.trust.identities import Claims, read_claims
from attest.trust.roots import read_root, trusted_root
from attest.trust.trust import Identity, Trust
from attest.verdict import ProvenTime


def check_made(data: bytes, payload: bytes, root_file: bytes, *, clock: Clock, require_timestamp: bool) -> Claims:
    """Check a keyless attestation over `payload`; whom its certificate names.

    Args:
        data: the attestation's file.
        payload: what it should carry.
        root_file: the trusted root.
        clock: this machine's.
        require_timestamp: whether an RFC 3161 time of an authority of that root must be there.

    Raises:
        SigningError: it would not be verified, or not for this payload, or lacks the time, or tells another time than this machine.
    """
    try:
        claims, times = _check(data, payload, root_file, require_timestamp=require_timestamp)
    except SigningError:
        raise
    except AttestError as error:
        raise SigningError(f"what was made does not verify: {error}") from error
    for proven in times:
        check_now(proven.time, f"{_SOURCES[proven.source]} {proven.by}", clock)
    return claims


_SOURCES = {"rfc3161": "the timestamp authority", "log": "the log"}


def _check(
    data: bytes, payload: bytes, root_file: bytes, *, require_timestamp: bool
) -> tuple[Claims, Sequence[ProvenTime]]:
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 - loaded by the checks already

    root = read_root(trusted_root(root_file, "of the client trust config"))
    bundle = read(data)
    if (bundle.envelope.payload_type, bundle.envelope.payload) != (PAYLOAD_TYPE, payload):
        raise SigningError("what was made is over another payload")
    for entry in bundle.entries:
        check_entry(entry)
    stamps = verify_timestamps(bundle.timestamps, bundle.envelope.signatures[0], [root])
    if require_timestamp and not stamps.times:
        raise SigningError(
            f"the signature has no time, and one is required: {'; '.join(stamps.concerns) or 'none came'}"
        )
    claims = read_claims(load_der_x509_certificate(bundle.certificate or b""))
    trust = Trust(identities=(Identity(identity=claims.identity, issuer=claims.issuer),))
    judged = judge_certificate(bundle, trust, [root], lambda _: Dated(stamps=stamps))
    for check in (judged.signature, judged.trust):
        if check.outcome != "pass":
            raise SigningError(f"what was made does not verify: {check.reason}")
    return claims, judged.dated.times
