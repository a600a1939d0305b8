"""What other software makes of our statements is read by us, and what we make by it: no re-encoding in between.

sigstore-python signs as it does and its file is laid beside a bundle; protobuf writes a bundle in each of its ways; in-toto's and
securesystemslib's own packages read ours and write theirs. sigstore-js has a module of its own (`test_sigstore_js`).
"""

import base64
import json
from dataclasses import replace

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from attest.attestation.sigstore_bundle import encode, read
from attest.attestation.statement import read as read_statement
from attest.attestation.statement import statement
from attest.dsse import PAYLOAD_TYPE
from attest.keys import generate
from attest.signers.key import KeySigner
from attest.trust.roots import trusted_root
from attest.trust.trust import Identity, Trust, TrustedKey
from attest.verify import verify_file
from evidence.canonical import canonical
from evidence.run import attestation_file_name
from tests.attest import world
from tests.attest.test_keyless import early
from tests.sigstore.forge import forge
from tests.sigstore.loopback import IDENTITY


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A bundle of a run that ended before today."""
    events = [replace(event, time=early(event.time)) for event in world.run_events()]
    folder = tmp_path_factory.mktemp("sealed")
    return world.seal_run(folder, events, opened_at=early(world.at(0)), closed_at=early(world.at(30)))


@pytest.fixture(scope="module")
def payload(sealed):
    return statement([sealed], world.PRODUCER)


def beside(facts, data):
    path = facts.path.with_name(attestation_file_name(facts.path.name))
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def by_root(sigstore):
    who = Identity(identity=IDENTITY, issuer=sigstore.oidc.url)
    return Trust(roots=(trusted_root(sigstore.trusted_root, "root.json"),), identities=(who,))


def answers(found, *outcomes):
    return [check.id for check in found.checks if check.outcome in outcomes]


# ---------------------------------------------------------------- Sigstore clients


@pytest.mark.parametrize(("version", "timestamp"), [(1, False), (1, True), (2, True)])
def test_a_bundle_as_sigstore_python_writes_it_is_verified_and_warned_of(sigstore, sealed, payload, version, timestamp):
    text = sigstore.sign_as_it_is(payload, version=version, timestamp=timestamp)
    beside(sealed, text)
    found = verify_file(sealed.path, trust=by_root(sigstore))

    assert found.verdict == "verified"
    assert answers(found, "warn") == ["envelope"]
    assert verify_file(sealed.path, trust=by_root(sigstore), strict=True).verdict == "warnings"

    beside(sealed, encode(read(text.encode())))
    assert verify_file(sealed.path, trust=by_root(sigstore), strict=True).verdict == "verified"


@pytest.mark.parametrize("hint", ["hexadecimal", "base64"])
def test_a_key_is_found_by_its_digest_in_either_spelling(sealed, payload, hint):
    key = generate()
    obj = json.loads(KeySigner(key).sign(payload))
    if hint == "base64":  # as cosign and sigstore-go name a key
        obj["verificationMaterial"]["publicKey"]["hint"] = base64.b64encode(
            bytes.fromhex(key.public.fingerprint)
        ).decode()
    beside(sealed, canonical(obj))
    found = verify_file(sealed.path, trust=Trust(keys=(TrustedKey(public=key.public),)))

    assert found.verdict == "verified"
    assert answers(found, "warn") == (["envelope"] if hint == "base64" else [])


# ---------------------------------------------------------------- protobuf JSON

_FIELD = descriptor_pb2.FieldDescriptorProto
_KINDS = {"string": _FIELD.TYPE_STRING, "bytes": _FIELD.TYPE_BYTES, "int64": _FIELD.TYPE_INT64}
_MESSAGES = {
    "Hint": "string hint",
    "Certificate": "bytes raw_bytes",
    "LogId": "bytes key_id",
    "Kind": "string kind, string version",
    "Promise": "bytes signed_entry_timestamp",
    "Checkpoint": "string envelope",
    "Proof": "int64 log_index, bytes root_hash, int64 tree_size, *bytes hashes, Checkpoint checkpoint",
    "Entry": "int64 log_index, LogId log_id, Kind kind_version, int64 integrated_time, Promise inclusion_promise, "
    "Proof inclusion_proof, bytes canonicalized_body",
    "Stamp": "bytes signed_timestamp",
    "Stamps": "*Stamp rfc3161_timestamps",
    "Material": "Hint public_key, Certificate certificate, *Entry tlog_entries, Stamps timestamp_verification_data",
    "Signature": "bytes sig, string keyid",
    "Envelope": "bytes payload, string payload_type, *Signature signatures",
    "Bundle": "string media_type, Material verification_material, Envelope dsse_envelope",
}
"""The messages of a bundle by their fields (`*` repeated); JSON has nothing of their numbers."""


def bundle_message():
    file = descriptor_pb2.FileDescriptorProto(name="bundle.proto", package="t", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field in enumerate(fields.split(", "), 1):
            kind, _, called = field.lstrip("*").partition(" ")
            label = _FIELD.LABEL_REPEATED if field.startswith("*") else _FIELD.LABEL_OPTIONAL
            added = message.field.add(name=called, number=number, label=label)
            added.type = _KINDS.get(kind, _FIELD.TYPE_MESSAGE)
            if kind not in _KINDS:
                added.type_name = f".t.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Bundle"))


@pytest.mark.parametrize("defaults", [False, True])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("kind", ["key", "v1", "v2"])
def test_what_protobuf_writes_of_ours_is_the_same_to_us(sigstore, payload, kind, indent, defaults):
    ours = KeySigner(generate()).sign(payload) if kind == "key" else forge(sigstore, payload, version=int(kind[1]))
    message = json_format.Parse(ours, bundle_message()())
    text = json_format.MessageToJson(message, indent=indent, always_print_fields_with_no_presence=defaults)
    found = read(text.encode())

    assert found.is_respelled
    assert encode(found) == ours


@pytest.mark.parametrize("kind", ["key", "v1", "v2"])
def test_what_sigstores_own_model_writes_of_ours_is_the_same_to_us(sigstore, payload, kind):
    from sigstore_models.bundle.v1 import Bundle

    ours = KeySigner(generate()).sign(payload) if kind == "key" else forge(sigstore, payload, version=int(kind[1]))
    found = read(Bundle.from_json(ours).to_json().encode())

    assert encode(found) == ours


# ---------------------------------------------------------------- in-toto and DSSE


def test_the_in_toto_package_reads_our_statement_and_gives_it_back(payload):
    from in_toto_attestation.v1.statement_pb2 import Statement

    assert canonical(json_format.MessageToDict(json_format.Parse(payload, Statement()))) == payload


def test_a_statement_that_the_in_toto_package_made_is_read_once_it_is_canonical(payload):
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
    from in_toto_attestation.v1.statement import Statement

    said = json.loads(payload)
    subjects = [ResourceDescriptor(name=one["name"], digest=one["digest"]).pb for one in said["subject"]]
    made = Statement(subjects, said["predicateType"], said["predicate"])
    made.validate()

    assert read_statement(canonical(json_format.MessageToDict(made.pb))) == read_statement(payload)


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ed25519"])
def test_securesystemslib_verifies_our_envelope(payload, algorithm):
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    key, other = generate(algorithm), generate(algorithm)
    envelope = json.loads(KeySigner(key).sign(payload))["dsseEnvelope"]
    envelope["signatures"][0]["keyid"] = "ours"  # the package wants one; in a bundle the hint stands for it
    peer = Envelope.from_dict(envelope)

    assert peer.verify([SSlibKey.from_crypto(key.public.native, "ours")], 1)
    with pytest.raises(VerificationError):
        peer.verify([SSlibKey.from_crypto(other.public.native, "ours")], 1)


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ed25519"])
def test_an_envelope_that_securesystemslib_signed_is_verified_here(sealed, payload, algorithm):
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    key = generate(algorithm)
    peer = Envelope(payload, PAYLOAD_TYPE, {})
    peer.sign(CryptoSigner(key.native))
    obj = json.loads(KeySigner(generate()).sign(payload))
    obj["dsseEnvelope"] = peer.to_dict()
    obj["verificationMaterial"]["publicKey"]["hint"] = key.public.fingerprint
    beside(sealed, json.dumps(obj))
    found = verify_file(sealed.path, trust=Trust(keys=(TrustedKey(public=key.public),)))

    assert found.verdict == "verified"
    assert answers(found, "warn") == ["envelope"]
