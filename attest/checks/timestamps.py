"""RFC 3161 timestamps verified: who that is trusted to tell the time had seen a signature, and when.

Specifications: RFC 3161, RFC 5652, RFC 5816.
Law: a timestamp that names a trusted authority and does not hold refutes the attestation; one of a stranger, or of an
authority that is trusted for something else, counts for nothing and is never passed over in silence. The library that
verifies is loaded for the first timestamp, not before.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attest.checks.material import Stamps
from attest.checks.timestamp_token import TimestampToken, read_token
from attest.errors import InvalidError
from attest.trust.roots import Entry, Root
from attest.verdict import ProvenTime

if TYPE_CHECKING:
    from rfc3161_client.verify import Verifier


def verify_timestamps(responses: Sequence[bytes], signature: bytes, roots: Sequence[Root]) -> Stamps:
    """Verify timestamps over a signature.

    Args:
        responses: TimeStampResp in DER.
        signature: the bytes that are stamped, as the envelope has them.
        roots: whose timestamp authorities are trusted for this signature.

    Raises:
        InvalidError: one is malformed, there twice, or names a trusted authority and does not verify or is outside the
            authority's window.
        UnsupportedError: one is in a form that this version does not know.
    """
    if len(set(responses)) != len(responses):
        raise InvalidError("a timestamp is there twice")
    known = [entry for root in roots for entry in root.timestamp_authorities if len(entry.chain) > 1]
    times, verified, by, concerns = [], [], [], []
    for response in responses:
        token = read_token(response)
        named = [entry for entry in known if _signs_as(entry, token)]
        if not named:
            concerns.append(f"a timestamp of {token.time} is by an authority that {_lacking(roots)}")
            continue
        entry = _verify(response, signature, token, named)
        times.append(ProvenTime(time=token.time, source="rfc3161", by=entry.name))
        verified.append(response)
        by.append(entry)
        concerns.extend(
            f"the timestamp by {entry.name} carries {concern}, which no signature covers" for concern in token.concerns
        )
        if not set(token.certificates) <= set(entry.chain):
            concerns.append(f"the timestamp by {entry.name} carries a certificate that the trusted root does not have")
    return Stamps(
        times=tuple(sorted(times, key=lambda proven: proven.time)),
        verified=tuple(verified),
        authorities=tuple({entry.chain: entry for entry in by}.values()),
        distinct=len({_root_key(entry.chain[-1]) for entry in by}),
        concerns=tuple(concerns),
    )


def _lacking(roots: Sequence[Root]) -> str:
    if len(roots) == 1:
        return f"the root {roots[0].name} does not have"
    return f"none of the roots {', '.join(root.name for root in roots)} has"


def _verify(response: bytes, signature: bytes, token: TimestampToken, named: Sequence[Entry]) -> Entry:
    from rfc3161_client import VerificationError, decode_timestamp_response  # noqa: PLC0415 - 70 ms for who has timestamps

    try:
        decoded = decode_timestamp_response(response)
    except ValueError as error:
        raise InvalidError(f"the timestamp of {token.time} is malformed: {error}") from error
    said: Exception | None = None
    for entry in named:
        try:
            _verifier(entry.chain).verify_message(decoded, signature)
        except (VerificationError, ValueError) as error:
            said = error
            continue
        if not entry.counts_at([token.time]):
            said = InvalidError(f"it is outside the authority's window ({entry.window()})")
            continue
        return entry
    raise InvalidError(f"the timestamp of {token.time} by {named[0].name} does not count: {said}")


@lru_cache(maxsize=64)
def _verifier(chain: tuple[bytes, ...]) -> "Verifier":
    from rfc3161_client import VerifierBuilder  # noqa: PLC0415 - as above

    leaf, *between, root = (x509.load_der_x509_certificate(data) for data in chain)
    builder = VerifierBuilder().tsa_certificate(leaf).add_root_certificate(root)
    for certificate in between:
        builder = builder.add_intermediate_certificate(certificate)
    return builder.build()


def _signs_as(entry: Entry, token: TimestampToken) -> bool:
    return _named(entry.chain[0]) == (token.issuer, token.serial)


@lru_cache(maxsize=64)
def _named(certificate: bytes) -> tuple[bytes, int]:
    leaf = x509.load_der_x509_certificate(certificate)
    return leaf.issuer.public_bytes(), leaf.serial_number


@lru_cache(maxsize=64)
def _root_key(certificate: bytes) -> bytes:
    """The public key at the root of an authority's chain: two certificates under one root are one authority."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
