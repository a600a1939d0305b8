"""The Sigstore bundle v0.3 in JSON: the one file format of an attestation, signed with a key or with a certificate.

Specification: https://github.com/sigstore/protobuf-specs (sigstore_bundle.proto, protobuf JSON mapping).
Law: one attestation has one spelling of ours, canonical JSON, which `encode` writes. What `read` accepts in it has no slack: a
flipped bit is seen by a signature or refused here, or changes a value that `attest.checks.transparency` and
`attest.checks.timestamps` hold against what is signed. What other Sigstore clients write in the spellings that protobuf JSON leaves
open is read as strictly, and marked: nothing holds the spelling. A member this version does not know is never skipped over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from attest.attestation.log_entry import LogEntry, entry_json, read_bytes, read_each, read_entry
from attest.dsse import Envelope, decode_base64, encode_base64
from attest.errors import InvalidError, UnsupportedError
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe, expect, members, read_object
from attest.tlog.checkpoint import read_hash
from evidence.canonical import canonical
from evidence.errors import EvidenceError

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""The one version read, in the spelling that is written."""
_MEDIA_TYPES = (MEDIA_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3")
_OLDER = tuple(f"application/vnd.dev.sigstore.bundle+json;version={version}" for version in ("0.1", "0.2"))

_REFUSED: Mapping[str, Mapping[str, str]] = {
    "bundle": {"messageSignature": "a signature over a plain message, not an attestation"},
    "verificationMaterial": {"x509CertificateChain": "a chain of certificates; the format has a single one since v0.3"},
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
    is_respelled: bool = field(default=False, compare=False)
    """Whether the file that it was read from is spelled otherwise than `encode` spells it."""


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

    Other spellings than ours that are read: white space, order and escapes; `null` for a member that is absent; numbers for
    strings of digits; zeroes and empty lists left out or written; `keyid`, which nothing is concluded from; the older name of the
    media type v0.3; a key's digest in base64 as its hint. Base64 has one spelling everywhere.

    Raises:
        InvalidError: too large, not JSON, a member twice, missing or malformed, base64 with slack, too many items.
        UnsupportedError: another media type, unknown members, or material that no rule is for.
    """
    if len(data) > limits.attestation_bytes_max:
        raise InvalidError(f"the attestation has {len(data)} bytes, expected at most {limits.attestation_bytes_max}")
    obj: dict[str, object] = _present(
        read_object(
            data,
            what="the attestation",
            depth_max=limits.json_depth_max,
            commas_max=limits.json_commas_max,
            require_canonical=False,
        )
    )
    _check_media_type(obj.get("mediaType"))
    _refuse(obj, "bundle")
    parts = members(obj, "bundle", {"mediaType": str, "verificationMaterial": dict, "dsseEnvelope": dict})
    bundle = _material(parts["verificationMaterial"], _envelope(parts["dsseEnvelope"], limits), limits)
    try:
        return bundle if encode(bundle) == data else replace(bundle, is_respelled=True)
    except EvidenceError as error:
        raise InvalidError(f"the attestation: {error}") from error


def _present(value: Any) -> Any:  # noqa: ANN401 - JSON
    """`value` without members that are null, which is how protobuf JSON may spell one that is not set."""
    if isinstance(value, dict):
        return {name: _present(item) for name, item in value.items() if item is not None}
    return [_present(item) for item in value] if isinstance(value, list) else value


def _check_media_type(value: object) -> None:
    if value in _OLDER:
        raise UnsupportedError(
            f"the attestation's mediaType is {value!r}, older than v0.3, the one that is read; the statement in it can be signed again"
        )
    if value not in _MEDIA_TYPES:
        raise UnsupportedError(f"the attestation's mediaType is {describe(value)}, expected {MEDIA_TYPE!r}")


def _material(value: object, envelope: Envelope, limits: AttestLimits) -> SigstoreBundle:
    where = "verificationMaterial"
    obj: dict[str, object] = expect(value, dict, where)
    _refuse(obj, where)
    optional = {"publicKey": dict, "certificate": dict, "tlogEntries": list, "timestampVerificationData": dict}
    parts = members(obj, where, {}, optional)
    if ("publicKey" in parts) == ("certificate" in parts):
        raise InvalidError(f"{where} has neither or both of 'publicKey' and 'certificate', expected one")
    hint = certificate = None
    if "publicKey" in parts:
        hint = _hint(members(parts["publicKey"], "publicKey", {"hint": str})["hint"])
    if "certificate" in parts:
        raw = members(parts["certificate"], "certificate", {"rawBytes": str})["rawBytes"]
        certificate = read_bytes(raw, "certificate.rawBytes", limits.certificate_bytes_max)
    return SigstoreBundle(
        envelope=envelope,
        hint=hint,
        certificate=certificate,
        entries=read_each(
            parts.get("tlogEntries", []),
            "tlogEntries",
            limits.log_entries_max,
            lambda item, at: read_entry(item, at, limits),
        ),
        timestamps=_timestamps(parts.get("timestampVerificationData", {}), limits),
    )


def _hint(text: str) -> str:
    """The hint as we spell it: other clients name a key by the same digest in base64."""
    try:
        return read_hash(text, "publicKey.hint").hex()
    except InvalidError:
        return text


def _timestamps(value: object, limits: AttestLimits) -> tuple[bytes, ...]:
    where = "rfc3161Timestamps"
    items = members(value, "timestampVerificationData", {}, {where: list}).get(where, [])

    def stamp(item: object, at: str) -> bytes:
        text = members(item, at, {"signedTimestamp": str})["signedTimestamp"]
        return read_bytes(text, f"{at}.signedTimestamp", limits.timestamp_bytes_max)

    return read_each(items, where, limits.timestamps_max, stamp)


def _raw(certificate: bytes) -> dict[str, dict[str, str]]:
    return {"certificate": {"rawBytes": encode_base64(certificate)}}


def _envelope(value: object, limits: AttestLimits) -> Envelope:
    obj = members(value, "dsseEnvelope", {"payload": str, "payloadType": str, "signatures": list})

    def signature(item: object, where: str) -> bytes:
        parts = members(item, where, {"sig": str}, {"keyid": str})
        return read_bytes(parts["sig"], f"{where}.sig", limits.signature_bytes_max)

    return Envelope(
        payload_type=obj["payloadType"],
        payload=decode_base64(obj["payload"], what="dsseEnvelope.payload"),
        signatures=read_each(obj["signatures"], "signatures", limits.signatures_max, signature),
    )


def _refuse(obj: Mapping[str, object], where: str) -> None:
    for name, meaning in _REFUSED[where].items():
        if name in obj:
            raise UnsupportedError(f"{where} has {name!r}: {meaning}")
