"""The result of a verification as evidence: what it states, about what, and how a third party checks it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.attest import validate
from attest.dsse import PAYLOAD_TYPE
from attest.errors import InvalidError, StatementError, UnsupportedError
from attest.keys import generate
from attest.policy.requirements import JudgedBy
from attest.results.check import check_result
from attest.results.result import PREDICATE_TYPE, PROPERTIES, VERIFIER, attest_result, read_result, result_statement
from attest.signers.key import KeySigner
from attest.trust.trust import Trust
from attest.verdict import CHECKS, Check, Facts
from attest.verification import Verification
from evidence.canonical import canonical
from tests.attest import world

AT = "2026-11-21T13:00:00+01:00"
AUDITOR = generate()
POLICY = JudgedBy(name="acme runs", version="2", digest="sha256:" + "a" * 64, expires=None, requirements=())


def verified(file="a/run-1.evidence.tar.gz", sha256="1" * 64, bundle_id="b" * 64, judged_by=None, **outcomes):
    made = {"mapping": "skip", "disclosed": "skip", "time": "skip", "log": "skip", "cosigned": "skip", "policy": "skip"}
    checks = tuple(Check(id=name, outcome=(made | outcomes).get(name, "pass"), reason="r") for name in CHECKS)
    facts = Facts(container_sha256=sha256, bundle_id=bundle_id)
    return Verification(file=file, attestation="x", checks=checks, facts=facts, policy=judged_by)


def stated(*results):
    return json.loads(result_statement(results, AT))


def test_a_result_is_the_statement_that_the_specification_describes():
    statement = stated(verified(judged_by=POLICY))
    assert statement == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "run-1.evidence.tar.gz", "digest": {"sha256": "1" * 64}}],
        "predicateType": "https://in-toto.io/attestation/svr/v0.2",
        "predicate": {
            "verifier": {
                "id": "urn:affidavit:verifier:v1",
                "policies": [{"uri": "urn:affidavit:policy:acme%20runs:2", "digest": {"sha256": "a" * 64}}],
            },
            "timeCreated": "2026-11-21T12:00:00.000000000Z",
            "properties": [
                "AFFIDAVIT_INTEGRITY_INTACT",
                "AFFIDAVIT_SIGNER_TRUSTED",
                "AFFIDAVIT_CAPTURE_UNDOUBTED",
                "AFFIDAVIT_REPORTS_RECOMPUTED",
            ],
        },
    }


def test_without_a_policy_the_list_of_policies_is_there_and_empty():
    assert stated(verified())["predicate"]["verifier"]["policies"] == []


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_property_is_stated_only_when_each_of_its_checks_was_made_and_had_a_good_outcome(name):
    good, checks = PROPERTIES[name]
    everything = dict.fromkeys(CHECKS, "pass")
    assert name in stated(verified(**everything))["predicate"]["properties"]
    for check in checks:
        for outcome in {"skip", "warn"} - good:
            one = verified(**{**everything, check: outcome})
            if one.verdict == "verified":
                assert name not in stated(one)["predicate"]["properties"]


_OUTCOMES = st.sampled_from(["pass", "warn", "skip", "miss", "undecided", "fail"])


@given(st.lists(st.dictionaries(st.sampled_from(CHECKS), _OUTCOMES, max_size=4), max_size=4))
def test_what_is_stated_holds_of_every_subject_and_what_did_not_verify_is_none(outcomes):
    """Law: subjects are those that verified, and each property's checks went well for all of them."""
    results = [
        verified(file=f"run-{at}.evidence.tar.gz", sha256=f"{at:064x}", **each) for at, each in enumerate(outcomes)
    ]
    good = [result for result in results if result.verdict == "verified"]
    if not good:
        with pytest.raises(StatementError, match="nothing verified"):
            result_statement(results, AT)
        return
    statement = stated(*results)
    assert [subject["digest"]["sha256"] for subject in statement["subject"]] == [r.facts.container_sha256 for r in good]
    for name in statement["predicate"]["properties"]:
        allowed, checks = PROPERTIES[name]
        assert all(result.check(check).outcome in allowed for result in good for check in checks)


@pytest.mark.parametrize(
    "outcomes",
    [{"files": "fail"}, {"trust": "undecided"}, {"policy": "miss"}, {}],
    ids=["invalid", "undecided", "insufficient", "warnings-under-strict"],
)
def test_what_did_not_verify_is_never_in_a_result(outcomes):
    other = verified(file="other.evidence.tar.gz", sha256="2" * 64, events="warn", **outcomes)
    other = replace(other, strict=not outcomes)
    assert [subject["name"] for subject in stated(verified(), other)["subject"]] == ["run-1.evidence.tar.gz"]
    with pytest.raises(StatementError, match="nothing verified"):
        result_statement([other], AT)


def test_files_of_one_name_in_several_folders_are_named_by_their_bundle():
    one, two = verified(), verified(file="b/run-1.evidence.tar.gz", sha256="2" * 64, bundle_id="c" * 64)
    assert [subject["name"] for subject in stated(one, two)["subject"]] == [
        f"{'b' * 64}/run-1.evidence.tar.gz",
        f"{'c' * 64}/run-1.evidence.tar.gz",
    ]


def test_the_same_file_given_twice_is_one_subject():
    assert len(stated(verified(), verified(file="copy/run-1.evidence.tar.gz"))["subject"]) == 1


def test_two_files_that_no_name_tells_apart_are_not_attested():
    with pytest.raises(StatementError, match="with different bytes"):
        stated(verified(), verified(file="b/run-1.evidence.tar.gz", sha256="2" * 64))


def test_results_by_different_policies_are_not_attested_together():
    with pytest.raises(StatementError, match="different policies"):
        stated(verified(), verified(file="b.evidence.tar.gz", sha256="2" * 64, judged_by=POLICY))


def test_the_in_toto_projects_own_package_accepts_a_result():
    validate(result_statement([verified(judged_by=POLICY)], AT))


def test_an_independent_reader_that_only_knows_the_specification_takes_it():
    """Reads by the text of the specification: required members and their forms, and nothing of ours."""
    statement = json.loads(
        result_statement([verified(judged_by=POLICY), verified(file="x", sha256="3" * 64, judged_by=POLICY)], AT)
    )
    predicate = statement["predicate"]
    uri = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
    assert statement["predicateType"] == "https://in-toto.io/attestation/svr/v0.2"
    assert uri.fullmatch(predicate["verifier"]["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", predicate["timeCreated"])
    assert isinstance(predicate["verifier"]["policies"], list)
    for policy in predicate["verifier"]["policies"]:
        assert uri.fullmatch(policy["uri"])
        assert set(policy["digest"]) == {"sha256"}
    assert predicate["properties"]
    assert all(re.fullmatch(r"AFFIDAVIT_[A-Z_]+", name) for name in predicate["properties"])
    assert len({subject["name"] for subject in statement["subject"]}) == len(statement["subject"])


# ------------------------------------------------------------------ checked by a third party


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A bundle, and an auditor's result about it."""
    folder = tmp_path_factory.mktemp("result")
    facts = world.seal_run(folder)
    result = verified(file=str(facts.path), sha256=facts.container_sha256, bundle_id=facts.bundle_id, judged_by=POLICY)
    out = folder / "result.sigstore.json"
    out.write_bytes(attest_result([result], AT, KeySigner(AUDITOR)))
    return out, facts.path


def checked(path, *files, key=AUDITOR):
    return check_result(path, files, Trust.of(key.public) if key else None)


def test_a_third_party_with_the_auditors_key_sees_what_was_verified(case):
    out, bundle = case
    result = checked(out, bundle)
    assert (result.verdict, result.exit_code) == ("verified", 0)
    assert (result.result.verifier, result.result.time) == (VERIFIER, "2026-11-21T12:00:00.000000000Z")
    assert result.signed_by == AUDITOR.public.fingerprint
    assert [held.outcome for held in result.held] == ["pass"]


def test_the_sigstore_projects_own_model_reads_a_result(case):
    from sigstore_models.bundle.v1 import Bundle

    assert Bundle.from_json(case[0].read_bytes()).dsse_envelope.payload_type == PAYLOAD_TYPE


def test_a_result_verifies_with_nothing_of_ours(case):
    """The signature by the public key alone, over the encoding that the DSSE specification gives."""
    import base64

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    envelope = json.loads(case[0].read_bytes())["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    AUDITOR.public.native.verify(signature, signed, ec.ECDSA(hashes.SHA256()))


def test_a_file_that_is_not_among_the_subjects_was_not_verified_by_it(case, tmp_path):
    stranger = tmp_path / case[1].name
    stranger.write_bytes(case[1].read_bytes() + b"\0")
    result = checked(case[0], case[1], stranger)
    assert (result.verdict, [held.outcome for held in result.held]) == ("invalid", ["pass", "fail"])


def test_a_file_that_cannot_be_read_is_not_decided(case, tmp_path):
    assert checked(case[0], tmp_path / "none").verdict == "undecided"


def test_a_result_of_a_stranger_is_invalid(case):
    result = checked(case[0], case[1], key=generate())
    assert result.verdict == "invalid"
    assert result.signed_by is None


def test_without_a_key_a_result_is_a_claim(case):
    assert (checked(case[0], case[1], key=None).verdict, checked(case[0], key=None).exit_code) == ("undecided", 4)


def test_a_flipped_bit_anywhere_in_a_result_is_never_verified(case, tmp_path):
    data = case[0].read_bytes()
    path = tmp_path / "flipped.json"
    for position in range(0, len(data), 17):
        for bit in (0, 5):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            path.write_bytes(flipped)
            assert checked(path, case[1]).verdict != "verified", position


@given(data=st.binary(max_size=200))
def test_any_bytes_as_a_result_get_a_verdict(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any-result.json"
    path.write_bytes(data)
    assert checked(path).verdict in ("invalid", "undecided")


def test_an_attestation_of_bundles_is_no_result(tmp_path):
    facts = world.seal_run(tmp_path)
    assert checked(world.attest(AUDITOR, facts)).verdict == "undecided"


def test_a_result_under_another_payload_type_is_invalid(tmp_path):
    path = tmp_path / "r.json"
    path.write_bytes(world.sign_statement(AUDITOR, result_statement([verified()], AT), "application/json"))
    assert [check.id for check in checked(path).checks if check.outcome == "fail"] == ["statement"]


def _changed(change):
    statement = stated(verified(judged_by=POLICY))
    change(statement)
    return canonical(statement)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(subject=[]),
        lambda s: s["subject"].append(s["subject"][0]),
        lambda s: s["subject"][0]["digest"].update(sha256="F" * 64),
        lambda s: s["predicate"].pop("timeCreated"),
        lambda s: s["predicate"].update(timeCreated="2026-11-21"),
        lambda s: s["predicate"]["verifier"].pop("policies"),
        lambda s: s["predicate"]["verifier"]["policies"][0].pop("digest"),
        lambda s: s["predicate"]["properties"].append(s["predicate"]["properties"][0]),
        lambda s: s["predicate"]["properties"].append(1),
    ],
    ids=["no-subject", "subject-twice", "upper-case-digest", "no-time", "date-for-time", "no-policies", "policy-unpinned",
         "property-twice", "property-no-text"],
)  # fmt: skip
def test_a_malformed_result_is_invalid(change):
    with pytest.raises(InvalidError):
        read_result(_changed(change))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(predicateType="https://in-toto.io/attestation/svr/v0.1"),
        lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda s: s["predicate"].update(extra=1),
    ],
    ids=["older-predicate", "older-statement", "unknown-member"],
)
def test_a_result_this_version_cannot_judge_is_unsupported(change):
    with pytest.raises(UnsupportedError):
        read_result(_changed(change))


def test_what_is_read_is_what_was_written():
    result = read_result(result_statement([verified(judged_by=POLICY)], AT))
    assert result.subjects == {"run-1.evidence.tar.gz": "1" * 64}
    assert PREDICATE_TYPE.endswith("svr/v0.2")
    assert result.policies[0]["digest"] == {"sha256": "a" * 64}


def test_the_documentation_has_every_property_and_its_checks():
    text = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()
    for name, (_, checks) in PROPERTIES.items():
        assert f"| `{name}` | {', '.join(f'`{check}`' for check in checks)}" in text
