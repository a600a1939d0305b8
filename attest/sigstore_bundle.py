"""The Sigstore bundle v0.3 in JSON, for signatures made with a key: the one file format of an attestation.

Specification: https://github.com/sigstore/protobuf-specs (sigstore_bundle.proto, protobuf JSON mapping).
Law: one attestation has one spelling. The file is canonical JSON and its base64 strict, so that a flipped bit anywhere
in it is either seen by the signature or refused here; a member this version does not know is never skipped over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attest.dsse import Envelope, decode_base64, encode_base64
from attest.errors import InvalidError, UnsupportedError
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe, expect, members, read_object
from evidence.canonical import canonical

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""The one version written and read."""

_NOT_YET: Mapping[str, Mapping[str, str]] = {
    "bundle": {"messageSignature": "a signature over a plain message, not an attestation"},
    "verificationMaterial": {
        "certificate": "signed with a certificate; this check takes a public key",
        "x509CertificateChain": "signed with a certificate chain; this check takes a public key",
    },
    "signature": {"keyid": "unsigned, so nothing may be concluded from it; the key is named by publicKey.hint"},
}
"""Members of the format that this version has no rule for, and how they are reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigstoreBundle:
    """A DSSE envelope and the name of the key that is said to have signed it. Nothing in it is verified yet."""

    hint: str
    envelope: Envelope
    tlog_entries: int = 0
    """Number of transparency log entries: present, not judged by this version."""
    timestamps: int = 0
    """Number of RFC 3161 timestamps: present, not judged by this version."""


def write(*, hint: str, envelope: Envelope, timestamps: Sequence[bytes] = ()) -> bytes:
    """Return the bundle's bytes for an envelope signed with the key of that hint.

    Args:
        hint: the key's fingerprint.
        envelope: what was signed.
        timestamps: RFC 3161 responses in DER over the envelope's signature.
    """
    stamps = [{"signedTimestamp": encode_base64(stamp)} for stamp in timestamps]
    return canonical(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                "publicKey": {"hint": hint},
                "tlogEntries": [],
                **({"timestampVerificationData": {"rfc3161Timestamps": stamps}} if stamps else {}),
            },
            "dsseEnvelope": {
                "payload": encode_base64(envelope.payload),
                "payloadType": envelope.payload_type,
                "signatures": [{"sig": encode_base64(signature)} for signature in envelope.signatures],
            },
        }
    )


def read(data: bytes, *, limits: AttestLimits = DEFAULT) -> SigstoreBundle:
    """Decode a bundle's bytes. Checks its form only: no signature, no payload, no trust.

    Raises:
        InvalidError: too large, not canonical JSON, a member missing or malformed, base64 with slack.
        UnsupportedError: another media type, unknown members, or certificate material.
    """
    if len(data) > limits.attestation_bytes_max:
        raise InvalidError(f"the attestation has {len(data)} bytes, expected at most {limits.attestation_bytes_max}")
    obj = read_object(data, what="the attestation", depth_max=limits.json_depth_max)
    if obj.get("mediaType") != MEDIA_TYPE:
        raise UnsupportedError(
            f"the attestation's mediaType is {describe(obj.get('mediaType'))}, expected {MEDIA_TYPE!r}"
        )
    _refuse_not_yet(obj, "bundle")
    members(obj, "bundle", {"mediaType": str, "verificationMaterial": dict, "dsseEnvelope": dict})
    material = _material(obj["verificationMaterial"])
    return SigstoreBundle(
        hint=material["publicKey"]["hint"],
        envelope=_envelope(obj["dsseEnvelope"], limits),
        tlog_entries=len(material.get("tlogEntries", ())),
        timestamps=len(material.get("timestampVerificationData", {}).get("rfc3161Timestamps", ())),
    )


def _material(value: object) -> dict[str, dict[str, str]]:
    material: dict[str, dict[str, str]] = expect(value, dict, "verificationMaterial")
    _refuse_not_yet(material, "verificationMaterial")
    members(
        material, "verificationMaterial", {"publicKey": dict, "tlogEntries": list}, {"timestampVerificationData": dict}
    )
    members(material["publicKey"], "publicKey", {"hint": str})
    if "timestampVerificationData" in material:
        stamps = members(
            material["timestampVerificationData"], "timestampVerificationData", {"rfc3161Timestamps": list}
        )
        if not stamps["rfc3161Timestamps"]:
            raise InvalidError("timestampVerificationData holds no timestamp, expected the member to be absent then")
    return material


def _envelope(value: object, limits: AttestLimits) -> Envelope:
    obj = members(value, "dsseEnvelope", {"payload": str, "payloadType": str, "signatures": list})
    if len(obj["signatures"]) > limits.signatures_max:
        raise InvalidError(f"dsseEnvelope has {len(obj['signatures'])} signatures, at most {limits.signatures_max}")
    return Envelope(
        payload_type=obj["payloadType"],
        payload=decode_base64(obj["payload"], what="dsseEnvelope.payload"),
        signatures=tuple(_signature(item, index, limits) for index, item in enumerate(obj["signatures"])),
    )


def _signature(value: object, index: int, limits: AttestLimits) -> bytes:
    where = f"signatures[{index}]"
    _refuse_not_yet(expect(value, dict, where), "signature")
    sig = decode_base64(members(value, where, {"sig": str})["sig"], what=f"{where}.sig")
    if len(sig) > limits.signature_bytes_max:
        raise InvalidError(f"{where}.sig has {len(sig)} bytes, expected at most {limits.signature_bytes_max}")
    return sig


def _refuse_not_yet(obj: Mapping[str, object], where: str) -> None:
    for name, meaning in _NOT_YET[where].items():
        if name in obj:
            raise UnsupportedError(f"{where} has {name!r}: {meaning}")
