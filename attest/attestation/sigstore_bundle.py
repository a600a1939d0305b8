"""The Sigstore bundle v0.3 in JSON: the one file format of an attestation, signed with a key or with a certificate.

Specification: https://github.com/sigstore/protobuf-specs (sigstore_bundle.proto, protobuf JSON mapping).
Law: one attestation has one spelling: what `read` accepts, `encode` writes again byte for byte. The file is canonical
JSON, its base64 strict and its numbers plain, so that a flipped bit anywhere in it is seen by a signature or refused here,
or changes a value that `attest.checks.transparency` and `attest.checks.timestamps` hold against what is signed. A member this version
does not know is never skipped over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attest.attestation.log_entry import LogEntry, entry_json, read_bytes, read_each, read_entry
from attest.dsse import Envelope, decode_base64, encode_base64
from attest.errors import InvalidError, UnsupportedError
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe, expect, members, read_object
from evidence.canonical import canonical

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""The one version written and read."""

_REFUSED: Mapping[str, Mapping[str, str]] = {
    "bundle": {"messageSignature": "a signature over a plain message, not an attestation"},
    "verificationMaterial": {"x509CertificateChain": "a chain of certificates; the format has a single one since v0.3"},
    "signature": {"keyid": "unsigned, so nothing may be concluded from it; a key is named by publicKey.hint"},
}
"""Members of the format that this version has no rule for, and how they are reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigstoreBundle:
    """A DSSE envelope, and what came with it to show who signed it and when. Nothing in it is verified yet."""

    envelope: Envelope
    hint: str | None = None
    """The name of the key that is said to have signed; None when a certificate is."""
    certificate: bytes | None = None
    """X.509 in DER; None when a key signed."""
    entries: tuple[LogEntry, ...] = ()
    timestamps: tuple[bytes, ...] = ()
    """RFC 3161 responses in DER."""


def write(*, hint: str, envelope: Envelope, timestamps: Sequence[bytes] = ()) -> bytes:
    """Return the bundle's bytes for an envelope signed with the key of that hint.

    Args:
        hint: the key's fingerprint.
        envelope: what was signed.
        timestamps: RFC 3161 responses in DER over the envelope's signature.
    """
    return encode(SigstoreBundle(hint=hint, envelope=envelope, timestamps=tuple(timestamps)))


def encode(bundle: SigstoreBundle) -> bytes:
    """Return the bundle's bytes."""
    named = {"publicKey": {"hint": bundle.hint}} if bundle.certificate is None else _raw(bundle.certificate)
    stamps = [{"signedTimestamp": encode_base64(stamp)} for stamp in bundle.timestamps]
    return canonical(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                **named,
                "tlogEntries": [entry_json(entry) for entry in bundle.entries],
                **({"timestampVerificationData": {"rfc3161Timestamps": stamps}} if stamps else {}),
            },
            "dsseEnvelope": {
                "payload": encode_base64(bundle.envelope.payload),
                "payloadType": bundle.envelope.payload_type,
                "signatures": [{"sig": encode_base64(signature)} for signature in bundle.envelope.signatures],
            },
        }
    )


def read(data: bytes, *, limits: AttestLimits = DEFAULT) -> SigstoreBundle:
    """Decode a bundle's bytes. Checks its form only: no signature, no payload, no trust.

    Raises:
        InvalidError: too large, not canonical JSON, a member missing or malformed, base64 with slack, too many items.
        UnsupportedError: another media type, unknown members, or material that no rule is for.
    """
    if len(data) > limits.attestation_bytes_max:
        raise InvalidError(f"the attestation has {len(data)} bytes, expected at most {limits.attestation_bytes_max}")
    obj = read_object(data, what="the attestation", depth_max=limits.json_depth_max, commas_max=limits.json_commas_max)
    if obj.get("mediaType") != MEDIA_TYPE:
        raise UnsupportedError(
            f"the attestation's mediaType is {describe(obj.get('mediaType'))}, expected {MEDIA_TYPE!r}"
        )
    _refuse(obj, "bundle")
    members(obj, "bundle", {"mediaType": str, "verificationMaterial": dict, "dsseEnvelope": dict})
    return _material(obj["verificationMaterial"], _envelope(obj["dsseEnvelope"], limits), limits)


def _material(value: object, envelope: Envelope, limits: AttestLimits) -> SigstoreBundle:
    where = "verificationMaterial"
    obj: dict[str, object] = expect(value, dict, where)
    _refuse(obj, where)
    optional = {"publicKey": dict, "certificate": dict, "timestampVerificationData": dict}
    parts = members(obj, where, {"tlogEntries": list}, optional)
    if ("publicKey" in parts) == ("certificate" in parts):
        raise InvalidError(f"{where} has neither or both of 'publicKey' and 'certificate', expected one")
    named: dict[str, str] = members(parts["publicKey"], "publicKey", {"hint": str}) if "publicKey" in parts else {}
    certificate = None
    if "certificate" in parts:
        raw = members(parts["certificate"], "certificate", {"rawBytes": str})["rawBytes"]
        certificate = read_bytes(raw, "certificate.rawBytes", limits.certificate_bytes_max)
    return SigstoreBundle(
        envelope=envelope,
        hint=named.get("hint"),
        certificate=certificate,
        entries=read_each(
            parts["tlogEntries"], "tlogEntries", limits.log_entries_max, lambda item, at: read_entry(item, at, limits)
        ),
        timestamps=_timestamps(parts.get("timestampVerificationData"), limits),
    )


def _timestamps(value: object, limits: AttestLimits) -> tuple[bytes, ...]:
    if value is None:
        return ()
    where = "rfc3161Timestamps"
    items = members(value, "timestampVerificationData", {where: list})[where]
    if not items:
        raise InvalidError("timestampVerificationData holds no timestamp, expected the member to be absent then")

    def stamp(item: object, at: str) -> bytes:
        text = members(item, at, {"signedTimestamp": str})["signedTimestamp"]
        return read_bytes(text, f"{at}.signedTimestamp", limits.timestamp_bytes_max)

    return read_each(items, where, limits.timestamps_max, stamp)


def _raw(certificate: bytes) -> dict[str, dict[str, str]]:
    return {"certificate": {"rawBytes": encode_base64(certificate)}}


def _envelope(value: object, limits: AttestLimits) -> Envelope:
    obj = members(value, "dsseEnvelope", {"payload": str, "payloadType": str, "signatures": list})

    def signature(item: object, where: str) -> bytes:
        _refuse(expect(item, dict, where), "signature")
        return read_bytes(members(item, where, {"sig": str})["sig"], f"{where}.sig", limits.signature_bytes_max)

    return Envelope(
        payload_type=obj["payloadType"],
        payload=decode_base64(obj["payload"], what="dsseEnvelope.payload"),
        signatures=read_each(obj["signatures"], "signatures", limits.signatures_max, signature),
    )


def _refuse(obj: Mapping[str, object], where: str) -> None:
    for name, meaning in _REFUSED[where].items():
        if name in obj:
            raise UnsupportedError(f"{where} has {name!r}: {meaning}")
