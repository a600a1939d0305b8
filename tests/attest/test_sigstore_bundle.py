"""The Sigstore bundle form: one spelling for each attestation, everything else refused with its reason."""

import json

import pytest

from attest.dsse import PAYLOAD_TYPE, Envelope
from attest.errors import AttestError, InvalidError, UnsupportedError
from attest.limits import AttestLimits
from attest.sigstore_bundle import SigstoreBundle, read, write
from evidence.canonical import canonical

ENVELOPE = Envelope(payload_type=PAYLOAD_TYPE, payload=b'{"_type":"x"}', signatures=(b"\x30\x01s",))
GOOD = write(hint="ab" * 32, envelope=ENVELOPE)


def changed(path, value):
    """GOOD with the member at `path` set, or removed when the value is Ellipsis."""
    obj = json.loads(GOOD)
    at = obj
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return canonical(obj)


def test_what_is_written_reads_back():
    assert read(GOOD) == SigstoreBundle(hint="ab" * 32, envelope=ENVELOPE)


def test_the_bytes_are_these():
    """Golden: the form other Sigstore clients read (protobuf JSON names, standard base64), in canonical order."""
    assert GOOD == (
        b'{"dsseEnvelope":{"payload":"eyJfdHlwZSI6IngifQ==","payloadType":"application/vnd.in-toto+json",'
        b'"signatures":[{"sig":"MAFz"}]},"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",'
        b'"verificationMaterial":{"publicKey":{"hint":"' + b"ab" * 32 + b'"},"tlogEntries":[]}}'
    )


def test_the_sigstore_projects_own_model_reads_it():
    from sigstore_models.bundle.v1 import Bundle

    parsed = Bundle.from_json(GOOD)
    assert parsed.verification_material.public_key.hint == "ab" * 32
    assert parsed.dsse_envelope.payload_type == PAYLOAD_TYPE


SIG = ("dsseEnvelope", "signatures", 0)
STAMPS = ("verificationMaterial", "timestampVerificationData")
BROKEN = {
    "payload_without_padding": (("dsseEnvelope", "payload"), "eyJfdHlwZSI6IngifQ", "payload is .*base64"),
    "payload_with_slack_bits": (("dsseEnvelope", "payload"), "eyJfdHlwZSI6IngifR==", "another spelling"),
    "payload_a_number": (("dsseEnvelope", "payload"), 1, r"payload is an integer \(1\), expected a string"),
    "signature_with_slack_bits": ((*SIG, "sig"), "MAF=", "another spelling|base64"),
    "signature_huge": ((*SIG, "sig"), "AAAA" * 4000, "12000 bytes, expected at most 8192"),
    "signatures_an_object": (("dsseEnvelope", "signatures"), {}, "expected an array"),
    "seventeen_signatures": (("dsseEnvelope", "signatures"), [{"sig": "MAFz"}] * 17, "has 17 signatures"),
    "no_payload_type": (("dsseEnvelope", "payloadType"), ..., "has no 'payloadType'"),
    "no_signatures": (("dsseEnvelope", "signatures"), ..., "has no 'signatures'"),
    "no_envelope": (("dsseEnvelope",), ..., "has no 'dsseEnvelope'"),
    "no_material": (("verificationMaterial",), ..., "has no 'verificationMaterial'"),
    "no_key": (("verificationMaterial", "publicKey"), ..., "has neither or both of 'publicKey' and 'certificate'"),
    "no_hint": (("verificationMaterial", "publicKey", "hint"), ..., "has no 'hint'"),
    "hint_null": (("verificationMaterial", "publicKey", "hint"), None, "hint is null, expected a string"),
    "no_log_entries_member": (("verificationMaterial", "tlogEntries"), ..., "has no 'tlogEntries'"),
    "empty_timestamps": (STAMPS, {"rfc3161Timestamps": []}, "holds no timestamp"),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_a_malformed_bundle_is_invalid(defect):
    path, value, message = BROKEN[defect]
    with pytest.raises(InvalidError, match=message):
        read(changed(path, value))


UNKNOWN = {
    "media_type_v0_4": (("mediaType",), "application/vnd.dev.sigstore.bundle.v0.4+json", "mediaType is"),
    "media_type_absent": (("mediaType",), ..., "mediaType is null"),
    "media_type_number": (("mediaType",), 3, "mediaType is"),
    "member_of_bundle": (("extra",), 1, "unknown member 'extra'"),
    "member_of_envelope": (("dsseEnvelope", "extra"), 1, "unknown member 'extra'"),
    "member_of_material": (("verificationMaterial", "extra"), 1, "unknown member 'extra'"),
    "member_of_key": (("verificationMaterial", "publicKey", "extra"), 1, "unknown member 'extra'"),
    "member_of_signature": ((*SIG, "extra"), 1, "unknown member 'extra'"),
    "key_id": ((*SIG, "keyid"), "", "'keyid': unsigned"),
    "chain": (("verificationMaterial", "x509CertificateChain"), {}, "a chain of certificates"),
    "message_signature": (("messageSignature",), {}, "not an attestation"),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_form_this_version_does_not_know_is_unsupported_not_invalid(kind):
    path, value, message = UNKNOWN[kind]
    with pytest.raises(UnsupportedError, match=message):
        read(changed(path, value))


SPELLINGS = {
    "trailing_newline": GOOD + b"\n",
    "leading_space": b" " + GOOD,
    "byte_order_mark": b"\xef\xbb\xbf" + GOOD,
    "pretty_printed": json.dumps(json.loads(GOOD), indent=1).encode(),
    "escaped_letter": GOOD.replace(b'"sig"', b'"\\u0073ig"'),
    "duplicate_member": GOOD.replace(b'"tlogEntries":[]', b'"tlogEntries":[],"tlogEntries":[]'),
    "two_documents": GOOD + GOOD,
    "utf_16": GOOD.decode().encode("utf-16"),
    "empty": b"",
    "array": b"[]",
    "cut": GOOD[:-1],
    "ten_thousand_deep": b"[" * 10_000 + b"]" * 10_000,
    "a_million_deep_and_open": b'{"a":' * 1_000_000,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_spelling_of_the_same_attestation_is_invalid(spelling):
    with pytest.raises(InvalidError):
        read(SPELLINGS[spelling])


def test_a_file_over_the_bound_is_refused_before_it_is_parsed():
    with pytest.raises(InvalidError, match="has 2000 bytes, expected at most 1000"):
        read(b"\xff" * 2000, limits=AttestLimits(attestation_bytes_max=1000))


@pytest.mark.parametrize("position", range(len(GOOD)))
def test_a_flipped_bit_is_refused_or_changes_what_is_signed_or_trusted(position):
    """Law: no bit of the file is slack. What still parses differs in payload, type, signature, hint or material."""
    for bit in range(8):
        data = bytearray(GOOD)
        data[position] ^= 1 << bit
        try:
            parsed = read(bytes(data))
        except AttestError:
            continue
        assert parsed != read(GOOD)
