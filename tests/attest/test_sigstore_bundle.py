"""The Sigstore bundle form: one spelling of ours, others read and marked, everything else refused with its reason."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.attestation.log_entry import EntryProof, LogEntry
from attest.attestation.sigstore_bundle import SigstoreBundle, encode, read, write
from attest.dsse import PAYLOAD_TYPE, Envelope
from attest.errors import AttestError, InvalidError, UnsupportedError
from attest.limits import AttestLimits
from evidence.canonical import canonical

ENVELOPE = Envelope(payload_type=PAYLOAD_TYPE, payload=b'{"_type":"x"}', signatures=(b"\x30\x01s",))
GOOD = write(hint="ab" * 32, envelope=ENVELOPE)


def changed(path, value, good=GOOD):
    """`good` with the member at `path` set, or removed when the value is Ellipsis."""
    obj = json.loads(good)
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
    "hint_null": (("verificationMaterial", "publicKey", "hint"), None, "has no 'hint'"),
    "signatures_null": (("dsseEnvelope", "signatures"), None, "has no 'signatures'"),
    "a_null_among_signatures": (SIG, None, "is null, expected an object"),
    "key_id_a_number": ((*SIG, "keyid"), 1, "keyid is an integer"),
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
    "media_type_v0_1": (("mediaType",), "application/vnd.dev.sigstore.bundle+json;version=0.1", "older than v0.3"),
    "media_type_v0_2": (("mediaType",), "application/vnd.dev.sigstore.bundle+json;version=0.2", "older than v0.3"),
    "key_id_in_snake_case": ((*SIG, "key_id"), "", "unknown member 'key_id'"),
    "chain": (("verificationMaterial", "x509CertificateChain"), {}, "a chain of certificates"),
    "message_signature": (("messageSignature",), {}, "not an attestation"),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_form_this_version_does_not_know_is_unsupported_not_invalid(kind):
    path, value, message = UNKNOWN[kind]
    with pytest.raises(UnsupportedError, match=message):
        read(changed(path, value))


RESPELLED = {
    "trailing_newline": GOOD + b"\n",
    "leading_space": b" " + GOOD,
    "pretty_printed": json.dumps(json.loads(GOOD), indent=1).encode(),
    "in_another_order": json.dumps(dict(reversed(json.loads(GOOD).items())), separators=(",", ":")).encode(),
    "escaped_letter": GOOD.replace(b'"sig"', b'"\\u0073ig"'),
    "escaped_slash": GOOD.replace(b"/", b"\\/"),
    "key_id_of_nothing": changed((*SIG, "keyid"), ""),
    "key_id_of_something": changed((*SIG, "keyid"), "whoever"),
    "no_log_entries_member": changed(("verificationMaterial", "tlogEntries"), ...),
    "timestamps_of_nothing": changed(STAMPS, {}),
    "timestamps_an_empty_list": changed(STAMPS, {"rfc3161Timestamps": []}),
    "unset_members_null": changed(STAMPS, None, changed(("verificationMaterial", "certificate"), None)),
    "hint_in_base64": GOOD.replace(b"ab" * 32, base64.b64encode(b"\xab" * 32)),
    "media_type_of_before": changed(("mediaType",), "application/vnd.dev.sigstore.bundle+json;version=0.3"),
}


@pytest.mark.parametrize("spelling", RESPELLED)
def test_another_clients_spelling_is_read_as_the_same_and_marked(spelling):
    found = read(RESPELLED[spelling])

    assert found == read(GOOD)
    assert found.is_respelled
    assert not read(GOOD).is_respelled
    assert encode(found) == GOOD


SPELLINGS = {
    "byte_order_mark": b"\xef\xbb\xbf" + GOOD,
    "duplicate_member": GOOD.replace(b'"tlogEntries":[]', b'"tlogEntries":[],"tlogEntries":[]'),
    "duplicate_member_null": GOOD.replace(b'"tlogEntries":[]', b'"tlogEntries":null,"tlogEntries":[]'),
    "duplicate_member_escaped": GOOD.replace(b'"tlogEntries":[]', b'"tlogEntries":[],"\\u0074logEntries":[]'),
    "line_feed_in_base64": GOOD.replace(b"MAFz", b"MA\\nFz"),
    "url_alphabet_in_base64": GOOD.replace(b"MAFz", b"_-Fz"),
    "not_a_number": GOOD.replace(b'"tlogEntries":[]', b'"tlogEntries":[NaN]'),
    "a_comment": GOOD.replace(b'"tlogEntries":[]', b'"tlogEntries":[]/**/'),
    "a_trailing_comma": GOOD.replace(b'"tlogEntries":[]', b'"tlogEntries":[],'),
    "lone_surrogate": GOOD.replace(b"application/vnd.in-toto+json", b"\\ud800"),
    "latin_1": GOOD.replace(b"application/vnd.in-toto+json", b"\xe9"),
    "two_documents": GOOD + GOOD,
    "utf_16": GOOD.decode().encode("utf-16"),
    "empty": b"",
    "array": b"[]",
    "cut": GOOD[:-1],
    "ten_thousand_deep": b"[" * 10_000 + b"]" * 10_000,
    "a_million_deep_and_open": b'{"a":' * 1_000_000,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_no_client_may_write_is_invalid(spelling):
    with pytest.raises(InvalidError):
        read(SPELLINGS[spelling])


def test_a_file_over_the_bound_is_refused_before_it_is_parsed():
    with pytest.raises(InvalidError, match="has 2000 bytes, expected at most 1000"):
        read(b"\xff" * 2000, limits=AttestLimits(attestation_bytes_max=1000))


@pytest.mark.parametrize("position", range(len(GOOD)))
def test_a_flipped_bit_is_refused_or_changes_what_is_signed_or_trusted(position):
    """Law: no bit of the file is slack. What still parses is marked, or differs in payload, type, signature, hint or material."""
    for bit in range(8):
        data = bytearray(GOOD)
        data[position] ^= 1 << bit
        try:
            parsed = read(bytes(data))
        except AttestError:
            continue
        assert parsed.is_respelled or parsed != read(GOOD)


# ---------------------------------------------------------------- with a certificate, a log entry and timestamps

ENTRY = LogEntry(
    index=7,
    log_id=b"\1" * 32,
    kind="dsse",
    version="0.0.1",
    integrated_time=1_795_255_260,
    promise=b"promise",
    proof=EntryProof(index=7, tree_size=9, root=b"\2" * 32, hashes=(b"\3" * 32,), checkpoint="log\n9\n"),
    body=b"{}",
)
CERTIFIED = SigstoreBundle(
    envelope=ENVELOPE, certificate=b"\x30\0", entries=(ENTRY,), timestamps=(b"\x30\1", b"\x30\2")
)


def test_every_part_of_a_certified_bundle_reads_back():
    assert read(encode(CERTIFIED)) == CERTIFIED


@pytest.mark.parametrize("missing", [{"integrated_time": 0}, {"promise": None}])
def test_a_part_that_not_every_log_gives_may_be_absent(missing):
    without = replace(CERTIFIED, entries=(replace(ENTRY, **missing),))
    assert read(encode(without)) == without


def test_the_sigstore_projects_own_model_reads_a_certified_bundle():
    from sigstore_models.bundle.v1 import Bundle

    material = Bundle.from_json(encode(CERTIFIED)).verification_material
    assert material.tlog_entries[0].inclusion_proof.tree_size == 9
    assert material.timestamp_verification_data.rfc3161_timestamps[1].signed_timestamp == b"\x30\2"


MATERIAL = ("verificationMaterial",)
LOGGED = (*MATERIAL, "tlogEntries", 0)
PROOF = (*LOGGED, "inclusionProof")
CERTIFIED_BROKEN = {
    "both_key_and_certificate": ((*MATERIAL, "publicKey"), {"hint": "a"}, "neither or both"),
    "neither": ((*MATERIAL, "certificate"), ..., "neither or both"),
    "certificate_without_bytes": ((*MATERIAL, "certificate"), {}, "has no 'rawBytes'"),
    "certificate_too_large": ((*MATERIAL, "certificate", "rawBytes"), "AAAA" * 22_000, "66000 bytes, expected at most 65536"),
    "seventeen_log_entries": ((*MATERIAL, "tlogEntries"), [{}] * 17, "17 tlogEntries, expected at most 16"),
    "seventeen_timestamps": ((*MATERIAL, "timestampVerificationData", "rfc3161Timestamps"), [{}] * 17, "17 rfc3161Timestamps"),
    "timestamp_too_large": ((*MATERIAL, "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp"), "AAAA" * 22_000, "66000"),
    "index_a_fraction": ((*LOGGED, "logIndex"), 7.5, "logIndex is .*, expected a string"),
    "index_true": ((*LOGGED, "logIndex"), True, "logIndex is a boolean"),
    "index_a_negative_number": ((*LOGGED, "logIndex"), -7, "expected a decimal number"),
    "time_an_object": ((*LOGGED, "integratedTime"), {}, "expected a string"),
    "index_with_a_leading_zero": ((*LOGGED, "logIndex"), "07", "expected a decimal number"),
    "index_with_a_plus": ((*LOGGED, "logIndex"), "+7", "expected a decimal number"),
    "index_negative": ((*LOGGED, "logIndex"), "-1", "expected a decimal number"),
    "index_in_other_digits": ((*LOGGED, "logIndex"), "\N{ARABIC-INDIC DIGIT SEVEN}", "expected a decimal number"),
    "index_too_large": ((*LOGGED, "logIndex"), str(1 << 63), "below 2\\^63"),
    "index_with_a_newline": ((*LOGGED, "logIndex"), "7\n", "expected a decimal number"),
    "time_not_a_number": ((*LOGGED, "integratedTime"), "", "expected a decimal number"),
    "promise_of_nothing": ((*LOGGED, "inclusionPromise"), {}, "has no 'signedEntryTimestamp'"),
    "log_id_null": ((*LOGGED, "logId"), None, "has no 'logId'"),
    "kind_without_version": ((*LOGGED, "kindVersion", "version"), ..., "has no 'version'"),
    "no_proof": (PROOF, ..., "has no 'inclusionProof'"),
    "root_of_31_bytes": ((*PROOF, "rootHash"), "A" * 42 + "==", "expected 32"),
    "step_of_33_bytes": ((*PROOF, "hashes", 0), "A" * 44, "expected 32"),
    "sixty_four_steps": ((*PROOF, "hashes"), ["A"] * 64, "at most 63"),
    "checkpoint_a_text": ((*PROOF, "checkpoint"), "log", "expected an object"),
    "body_with_slack": ((*LOGGED, "canonicalizedBody"), "e31=", "base64"),
}  # fmt: skip


@pytest.mark.parametrize("defect", CERTIFIED_BROKEN)
def test_a_malformed_part_of_a_certified_bundle_is_invalid(defect):
    path, value, message = CERTIFIED_BROKEN[defect]
    with pytest.raises(InvalidError, match=message):
        read(changed(path, value, encode(CERTIFIED)))


FIRST = replace(
    CERTIFIED,
    entries=(replace(ENTRY, index=0, integrated_time=0, promise=None, proof=replace(ENTRY.proof, index=0, hashes=())),),
)
"""The first entry of a log that dates nothing, alone in its tree: full of what protobuf JSON leaves out."""


def without_defaults(obj):
    entry = obj["verificationMaterial"]["tlogEntries"][0]
    del (
        entry["logIndex"],
        entry["integratedTime"],
        entry["inclusionProof"]["logIndex"],
        entry["inclusionProof"]["hashes"],
    )


def with_numbers(obj):
    entry = obj["verificationMaterial"]["tlogEntries"][0]
    for holder in (entry, entry["inclusionProof"]):
        holder.update(
            {name: int(value) for name, value in holder.items() if isinstance(value, str) and value.isdigit()}
        )


def with_nulls(obj):
    obj["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"] = None
    obj["verificationMaterial"]["publicKey"] = None


@pytest.mark.parametrize("change", [without_defaults, with_numbers, with_nulls])
def test_a_log_entry_in_another_clients_spelling_is_the_same_and_marked(change):
    obj = json.loads(encode(FIRST))
    change(obj)
    found = read(canonical(obj))

    assert found == FIRST
    assert found.is_respelled
    assert encode(found) == encode(FIRST)


@given(st.data())
def test_only_our_own_spelling_is_not_marked(data):
    """Law: what is read is what `encode` writes, byte for byte, or it is marked."""
    good = data.draw(st.sampled_from([GOOD, encode(CERTIFIED), encode(FIRST)]))
    written = json.dumps(
        shuffled(json.loads(good), data.draw), indent=data.draw(st.sampled_from([None, 0, 2]))
    ).encode()
    found = read(written)

    assert found.is_respelled == (written != good)
    assert encode(found) == good


def shuffled(value, draw):
    """With the members of every object in some order."""
    if isinstance(value, dict):
        return {name: shuffled(value[name], draw) for name in draw(st.permutations(sorted(value)))}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "path", [MATERIAL, LOGGED, PROOF, (*PROOF, "checkpoint"), (*LOGGED, "logId"), (*LOGGED, "inclusionPromise")]
)
def test_an_unknown_member_anywhere_in_a_certified_bundle_is_unsupported(path):
    with pytest.raises(UnsupportedError, match="unknown member 'extra'"):
        read(changed((*path, "extra"), 1, encode(CERTIFIED)))
