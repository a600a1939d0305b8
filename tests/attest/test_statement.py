"""The statement: made once in canonical form, and read back strictly."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.attest import attest_bundles, validate
from attest.attestation.predicate import entry, subjects
from attest.attestation.sigstore_bundle import read as read_bundle
from attest.attestation.statement import read, statement
from attest.dsse import PAYLOAD_TYPE
from attest.errors import InvalidError, StatementError, UnsupportedError
from attest.limits import AttestLimits
from evidence.canonical import canonical

GOLDEN = Path(__file__).parent / "golden" / "statement.json"


@pytest.fixture(scope="session")
def payload(make_facts, producer):
    return statement([make_facts(1), make_facts(2)], producer)


def test_the_statement_over_two_bundles_equals_the_golden_one(payload):
    """The golden file is the same JSON indented; canonical form is what gets signed."""
    assert json.loads(payload) == json.loads(GOLDEN.read_bytes())
    assert payload == canonical(json.loads(GOLDEN.read_bytes()))


def test_subjects_are_the_container_the_manifest_the_events_and_each_report(make_facts):
    facts = make_facts(1)
    assert subjects(facts) == {
        facts.file: facts.container_sha256,
        f"{facts.bundle_id}/manifest.json": facts.members["manifest.json"],
        f"{facts.bundle_id}/events.ndjson": facts.members["events.ndjson"],
        f"{facts.bundle_id}/reports/closure.json": facts.members["reports/closure.json"],
        f"{facts.bundle_id}/reports/formula-receipts.json": facts.members["reports/formula-receipts.json"],
    }


def test_what_is_made_reads_back(payload, make_facts, producer):
    parsed = read(payload)
    assert parsed.producer == producer
    assert parsed.entries == {facts.bundle_id: entry(facts) for facts in (make_facts(1), make_facts(2))}
    assert parsed.subjects == {**subjects(make_facts(1)), **subjects(make_facts(2))}


def test_the_in_toto_projects_own_package_accepts_it(payload):
    validate(payload)


def test_the_in_toto_projects_own_package_refuses_what_is_none():
    with pytest.raises(StatementError, match="the in-toto package refuses"):
        validate(canonical({"_type": "https://in-toto.io/Statement/v1", "predicateType": "x", "predicate": {"a": 1}}))


def test_a_statement_over_nothing_is_not_made(producer):
    with pytest.raises(StatementError, match="0 bundles, expected 1 to 1000"):
        statement([], producer)


def test_a_statement_over_more_bundles_than_the_bound_is_not_made(make_facts, producer):
    with pytest.raises(StatementError, match="2 bundles, expected 1 to 1"):
        statement([make_facts(1), make_facts(2)], producer, limits=AttestLimits(bundles_per_statement_max=1))


def test_a_statement_with_more_subjects_than_the_bound_is_not_made(make_facts, producer):
    with pytest.raises(StatementError, match="5 subjects, expected at most 4"):
        statement([make_facts(1)], producer, limits=AttestLimits(subjects_max=4))


def test_the_same_bundle_twice_in_one_statement_is_not_made(make_facts, producer):
    with pytest.raises(StatementError, match="two subjects are called"):
        statement([make_facts(1), make_facts(1, path=Path("copy.evidence.tar.gz"))], producer)


def test_two_files_of_one_name_in_one_statement_are_not_made(make_facts, producer):
    with pytest.raises(StatementError, match=r"two subjects are called 'run-1\.evidence\.tar\.gz'"):
        statement([make_facts(1), make_facts(2, path=Path("run-1.evidence.tar.gz"))], producer)


def test_a_thousand_bundles_fit_one_statement_and_its_attestation_is_within_the_bound(make_facts, producer, signer):
    facts = make_facts(1)
    many = [
        make_facts(1, path=Path(f"{at}.evidence.tar.gz"), manifest={**facts.manifest, "bundle_id": f"{at:064x}"})
        for at in range(1000)
    ]
    attestation = attest_bundles(many, signer, producer=producer)
    assert len(read(read_bundle(attestation).envelope.payload).entries) == 1000


def test_attesting_carries_the_payload_unchanged_and_names_the_key(make_facts, producer, signer, key, payload):
    bundle = read_bundle(attest_bundles([make_facts(1), make_facts(2)], signer, producer=producer))
    assert bundle.envelope.payload == payload
    assert bundle.envelope.payload_type == PAYLOAD_TYPE
    assert bundle.hint == key.public.fingerprint
    (signature,) = bundle.envelope.signatures
    assert key.public.verifies(signature, bundle.envelope.pae())


def test_an_ed25519_key_signs_as_well(make_facts, producer):
    from attest.keys import generate
    from attest.signers.key import KeySigner

    key = generate("ed25519")
    bundle = read_bundle(attest_bundles([make_facts(1)], KeySigner(key), producer=producer))
    assert key.public.verifies(bundle.envelope.signatures[0], bundle.envelope.pae())


def set_at(payload, path, value):
    obj = json.loads(payload)
    at = obj
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    elif value == "duplicate":
        at.insert(0, at[path[-1]])
    else:
        at[path[-1]] = value
    return canonical(obj)


UPPER = "A" * 64
INVALID = {
    "no_subject_member": (("subject",), ..., "has no 'subject'"),
    "no_subjects": (("subject",), [], "has 0 subjects"),
    "subject_twice": (("subject", 0), "duplicate", "two subjects are called"),
    "subject_without_name": (("subject", 0, "name"), ..., "has no 'name'"),
    "subject_without_digest": (("subject", 0, "digest"), ..., "has no 'digest'"),
    "subject_with_empty_digest": (("subject", 0, "digest"), {}, "has no 'sha256'"),
    "digest_upper_case": (("subject", 0, "digest", "sha256"), UPPER, "expected 64 lower-case"),
    "digest_short": (("subject", 0, "digest", "sha256"), "ab", "expected 64 lower-case"),
    "digest_null": (("subject", 0, "digest", "sha256"), None, "null, expected a string"),
    "subject_of_no_bundle": (("subject", 0, "name"), "stray", "belongs to no bundle"),
    "no_predicate": (("predicate",), ..., "has no 'predicate'"),
    "no_bundles": (("predicate", "bundles"), [], "has 0 entries"),
    "bundle_twice": (("predicate", "bundles", 0), "duplicate", "names the bundle .* twice"),
    "bundle_without_id": (("predicate", "bundles", 0, "bundle_id"), ..., "bundle_id is null"),
    "bundle_without_file": (("predicate", "bundles", 0, "file"), ..., "file is null"),
    "producer_without_version": (("predicate", "producer", "version"), ..., "has no 'version'"),
}


@pytest.mark.parametrize("defect", INVALID)
def test_a_malformed_statement_is_invalid(payload, defect):
    path, value, message = INVALID[defect]
    with pytest.raises(InvalidError, match=message):
        read(set_at(payload, path, value))


UNSUPPORTED = {
    "statement_v0_1": (("_type",), "https://in-toto.io/Statement/v0.1", "_type is"),
    "no_type": (("_type",), ..., "_type is null"),
    "slsa_predicate": (("predicateType",), "https://slsa.dev/provenance/v1", "predicateType is"),
    "predicate_v2": (("predicateType",), "urn:affidavit:evidence-bundle:v2", "predicateType is"),
    "unknown_member": (("more",), 1, "unknown member 'more'"),
    "unknown_predicate_member": (("predicate", "more"), 1, "unknown member 'more'"),
    "unknown_subject_member": (("subject", 0, "uri"), "x:y", "unknown member 'uri'"),
    "unknown_digest": (("subject", 0, "digest", "md5"), "x", "unknown member 'md5'"),
}


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_a_statement_this_version_cannot_judge_is_unsupported(payload, kind):
    path, value, message = UNSUPPORTED[kind]
    with pytest.raises(UnsupportedError, match=message):
        read(set_at(payload, path, value))


def test_a_statement_in_another_spelling_is_invalid(payload):
    with pytest.raises(InvalidError, match="canonical"):
        read(json.dumps(json.loads(payload)).encode())


@pytest.mark.parametrize("member", ["predicateType", "_type"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_statement_of_another_kind_is_unsupported_however_it_is_spelled(payload, member, indent):
    said = {**json.loads(payload), member: "https://slsa.dev/provenance/v1"}
    with pytest.raises(UnsupportedError, match=f"{member} is 'https://slsa"):
        read(json.dumps(said, indent=indent).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
PATHS = [
    *[(name,) for name in ("_type", "subject", "predicateType", "predicate")],
    *[("subject", 0), ("subject", 0, "name"), ("subject", 0, "digest"), ("subject", 0, "digest", "sha256")],
    *[("predicate", "producer"), ("predicate", "bundles"), ("predicate", "bundles", 0)],
]


@given(st.sampled_from(PATHS), JSON)
def test_any_json_anywhere_in_a_statement_reads_or_is_refused_by_name(payload, path, value):
    """Law: reading raises nothing but this room's errors."""
    with suppress(InvalidError, UnsupportedError):
        read(set_at(payload, path, value))
