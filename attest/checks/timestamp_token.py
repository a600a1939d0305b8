"""The form of an RFC 3161 timestamp: what is signed in it, and every unsigned byte around that held against it.

Specifications: RFC 3161 section 2.4.2 (TimeStampResp, TSTInfo), RFC 5652 section 5 (SignedData).
Law: what no signature covers is derived from what one does, or refused, or named as a concern. No cryptography here:
`attest.checks.timestamps` verifies.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from attest.der import CONTEXT_0, CONTEXT_1, INTEGER, NULL, OCTETS, OID, SEQUENCE, SET, TIME, Value, read_value
from attest.errors import InvalidError, UnsupportedError
from evidence.errors import EvidenceError
from evidence.timestamp import from_rfc3339

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_RSA = bytes.fromhex("2a864886f70d010101")
_GRANTED = bytes.fromhex("3003020100")
_VERSION_1, _VERSION_3 = b"\x01", b"\x03"

_SIGNATURES: Mapping[bytes, tuple[bytes, ...]] = {
    bytes.fromhex(digest): (_RSA, *(bytes.fromhex(oid) for oid in oids))
    for digest, oids in {
        "608648016503040201": ("2a8648ce3d040302", "2a864886f70d01010b"),  # SHA-256: with ECDSA, with RSA
        "608648016503040202": ("2a8648ce3d040303", "2a864886f70d01010c"),  # SHA-384
        "608648016503040203": ("2a8648ce3d040304", "2a864886f70d01010d", "2b6570"),  # SHA-512, and with Ed25519
    }.items()
}
"""Which signature algorithms go with which digest."""

_TIME = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{0,8}[1-9])?Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampToken:
    """What a timestamp says. Nothing in it is verified."""

    time: str
    """genTime, as evidence writes times."""
    issuer: bytes
    """Who issued the signer's certificate: a Name in DER."""
    serial: int
    """The serial number of the signer's certificate."""
    certificates: tuple[bytes, ...]
    """In DER, unsigned and perhaps none."""
    concerns: tuple[str, ...]
    """What it carries beside, that no signature covers and nothing follows from."""


def read_token(response: bytes) -> TimestampToken:
    """Decode a TimeStampResp.

    Raises:
        InvalidError: not DER, not granted, malformed, or an unsigned part that contradicts a signed one.
        UnsupportedError: another form of signer, digest or signature than is known here.
    """
    status, content = read_value(response, "the timestamp", SEQUENCE).parts("the timestamp", SEQUENCE, SEQUENCE)
    concerns = _status(status)
    kind, wrapped = content.parts("the timestamp's token", OID, CONTEXT_0)
    _expect(kind, _SIGNED_DATA, "the timestamp's content type")
    (signed,) = wrapped.parts("the timestamp's content", SEQUENCE)
    version, digests, info, *unsigned, signers = _at_least(signed.parts("the timestamp's signed data"), 4)
    if [part.tag for part in (version, digests, info, signers)] != [INTEGER, SET, SEQUENCE, SET]:
        raise InvalidError("the timestamp's signed data has other parts than RFC 5652 names")
    _expect(version, _VERSION_3, "the version of the timestamp's signed data")
    certificates, others = _unsigned(unsigned)
    (signer,) = signers.parts("the timestamp's signers", SEQUENCE)
    digest, issuer, serial, more = _signer(signer)
    (announced,) = digests.parts("the timestamp's digests", SEQUENCE)
    _expect(announced.parts("the timestamp's digest")[0], digest, "the timestamp's digest")
    _parameters(announced, "the timestamp's digest")
    return TimestampToken(
        time=_time(info),
        issuer=issuer,
        serial=serial,
        certificates=certificates,
        concerns=(*concerns, *others, *more),
    )


def _status(status: Value) -> list[str]:
    if status.whole == _GRANTED:
        return []
    _expect(_at_least(status.parts("the timestamp's status"), 1)[0], b"\x00", "the timestamp's status")
    return ["a status text"]


def _unsigned(parts: list[Value]) -> tuple[tuple[bytes, ...], list[str]]:
    """The certificates and, named, what else may stand before the signers."""
    tags = [part.tag for part in parts]
    if tags not in ([], [CONTEXT_0], [CONTEXT_1], [CONTEXT_0, CONTEXT_1]):
        raise InvalidError("the timestamp's signed data has other parts than RFC 5652 names")
    certificates = parts[0].parts("the timestamp's certificates") if CONTEXT_0 in tags else ()
    whole = tuple(certificate.whole for certificate in certificates)
    if len(set(whole)) != len(whole):  # none at all is what Sigstore's own authority sends to who asks for none
        raise InvalidError("the timestamp has one certificate twice")
    return whole, ["revocation lists"] if CONTEXT_1 in tags else []


def _signer(signer: Value) -> tuple[bytes, bytes, int, list[str]]:
    """Digest algorithm, issuer, serial number, concerns."""
    parts = signer.parts("the timestamp's signer")
    tags = [part.tag for part in parts]
    if tags[:2] == [INTEGER, 0x80]:
        raise UnsupportedError(
            "the timestamp's signer is named by a key id; this version wants issuer and serial number"
        )
    known = [INTEGER, SEQUENCE, SEQUENCE, CONTEXT_0, SEQUENCE, OCTETS]
    if tags not in (known, [*known, CONTEXT_1]):
        raise InvalidError("the timestamp's signer has other parts than RFC 5652 names")
    _expect(parts[0], _VERSION_1, "the version of the timestamp's signer")
    issuer, serial = parts[1].parts("the timestamp's signer", SEQUENCE, INTEGER)
    digest, algorithm = (
        _at_least(part.parts("the timestamp's algorithm"), 1)[0].content for part in (parts[2], parts[4])
    )
    if algorithm not in _SIGNATURES.get(digest, ()):
        raise UnsupportedError(
            f"the timestamp is signed with {algorithm.hex()} over {digest.hex()}, unknown to this version"
        )
    for part in (parts[2], parts[4]):
        _parameters(part, "the timestamp's algorithm")
    number = int.from_bytes(serial.content, signed=True)
    return digest, issuer.whole, number, ["unsigned attributes"] if len(parts) == 7 else []


def _parameters(algorithm: Value, where: str) -> None:
    """An identifier of an algorithm has no parameters, or NULL."""
    kind, *rest = _at_least(algorithm.parts(where), 1)
    if kind.tag != OID or [(part.tag, part.content) for part in rest] not in ([], [(NULL, b"")]):
        raise InvalidError(f"{where} has parameters, expected none")


def _time(info: Value) -> str:
    kind, wrapped = info.parts("the timestamp's info", OID, CONTEXT_0)
    _expect(kind, _TST_INFO, "the type of the timestamp's info")
    (octets,) = wrapped.parts("the timestamp's info", OCTETS)
    parts = _at_least(read_value(octets.content, "the timestamp's info", SEQUENCE).parts("the timestamp's info"), 5)
    said = _TIME.fullmatch(parts[4].content) if parts[4].tag == TIME else None
    if said is None:
        raise InvalidError("the timestamp's time is not in the form of RFC 3161 section 2.4.2")
    year, month, day, hour, minute, second, fraction = (part.decode() if part else "" for part in said.groups())
    try:
        return from_rfc3339(f"{year}-{month}-{day}T{hour}:{minute}:{second}{fraction}Z")
    except EvidenceError as error:
        raise InvalidError(f"the timestamp's time: {error}") from error


def _at_least(parts: tuple[Value, ...], count: int) -> tuple[Value, ...]:
    if len(parts) < count:
        raise InvalidError(f"a part of the timestamp has {len(parts)} values, expected {count} or more")
    return parts


def _expect(value: Value, content: bytes, what: str) -> None:
    if value.content != content:
        raise InvalidError(f"{what} is {value.content[:16].hex()}, expected {content.hex()}")
