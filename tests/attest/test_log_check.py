"""The log in a statement: made in one form, read strictly, and judged by trusted keys only."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from attest.attest import attest_bundles, validate
from attest.attestation.sigstore_bundle import read as read_bundle
from attest.attestation.statement import LogEvidence, read, statement
from attest.checks.log import check_log
from attest.errors import InvalidError, StatementError, UnsupportedError
from attest.tlog.checkpoint import sign_checkpoint
from attest.tlog.cosignature import cosign
from attest.tlog.note import COSIGNATURE_V1, verifier_key
from attest.tlog.proof import InclusionProof
from attest.trust.trust import Required, Trust
from evidence.canonical import canonical
from evidence.merkle import inclusion_proof, leaf_hash, root_of

GOLDEN = Path(__file__).parent / "golden" / "statement-with-log.json"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
WITNESSES = [Ed25519PrivateKey.from_private_bytes(bytes([at]) * 32) for at in (1, 2)]
ORIGIN = "example.net/log"
VKEY = str(verifier_key(ORIGIN, KEY))
WITNESS_KEYS = tuple(str(verifier_key(f"w{at}", key, COSIGNATURE_V1)) for at, key in enumerate(WITNESSES))


def evidence(*facts, size=7, first=2, cosigners=(), key=KEY, origin=ORIGIN) -> LogEvidence:
    """A log of `size` leaves in which the bundles stand from `first` on."""
    entries = [bytes([at]) * 32 for at in range(size)]
    for at, one in enumerate(facts, first):
        entries[at] = bytes.fromhex(one.manifest_sha256)
    hashes = [leaf_hash(entry) for entry in entries]
    checkpoint = sign_checkpoint(origin, size, root_of(hashes), key)
    checkpoint = checkpoint.with_signatures(
        cosign(checkpoint.note.text, f"w{at}", WITNESSES[at], 1_795_255_200) for at in cosigners
    )
    proofs = {
        one.bundle_id: InclusionProof(index=at, hashes=tuple(inclusion_proof(hashes, at)))
        for at, one in enumerate(facts, first)
    }
    return LogEvidence(checkpoint=checkpoint, proofs=proofs)


def said(facts, log, producer):
    return read(statement([facts], producer, log=log))


# ---------------------------------------------------------------- the statement


def test_the_statement_with_a_log_equals_the_golden_one(make_facts, producer):
    facts = make_facts(1)
    payload = statement([facts], producer, log=evidence(facts, cosigners=[0]))
    assert json.loads(payload) == json.loads(GOLDEN.read_bytes())
    assert payload == canonical(json.loads(GOLDEN.read_bytes()))


def test_what_a_statement_says_of_a_log_reads_back(make_facts, producer):
    facts = [make_facts(1), make_facts(2)]
    log = evidence(*facts, cosigners=[1, 0])
    assert read(statement(facts, producer, log=log)).log == log


def test_without_a_log_the_predicate_has_no_such_member(make_facts, producer):
    payload = statement([make_facts(1)], producer)
    assert "log" not in json.loads(payload)["predicate"]
    assert read(payload).log is None


def test_the_in_toto_projects_own_package_accepts_it(make_facts, producer):
    facts = make_facts(1)
    validate(statement([facts], producer, log=evidence(facts)))


def test_attesting_carries_the_log_and_refuses_proofs_that_are_not_the_bundles(make_facts, producer, signer):
    facts, other = make_facts(1), make_facts(2)
    log = evidence(facts)
    attested = attest_bundles([facts], signer, producer=producer, log=log)
    assert read(read_bundle(attested).envelope.payload).log == log
    for wrong in (evidence(other), replace(evidence(other), proofs=log.proofs), evidence()):
        with pytest.raises(StatementError, match="does not have the bundle"):
            attest_bundles([facts], signer, producer=producer, log=wrong)


def changed(payload, path, value):
    obj = json.loads(payload)
    at = obj["predicate"]["log"]
    for step in path[:-1]:
        at = at[next(iter(at))] if step is ... else at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return canonical(obj)


MALFORMED = {
    "no_checkpoint": (("checkpoint",), None, "has no 'checkpoint'"),
    "no_proofs": (("proofs",), None, "has no 'proofs'"),
    "checkpoint_is_no_note": (("checkpoint",), "x", "the note is not"),
    "checkpoint_object": (("checkpoint",), {}, "expected a string"),
    "proofs_list": (("proofs",), [], "expected an object"),
    "no_proof": (("proofs",), {}, "a bundle without a proof"),
    "stranger": (("proofs", "ff"), {"index": 0, "hashes": []}, "no bundle of the predicate"),
    "no_index": (("proofs", ..., "index"), None, "has no 'index'"),
    "negative_index": (("proofs", ..., "index"), -1, "has the index -1"),
    "boolean_index": (("proofs", ..., "index"), True, "expected an integer"),
    "too_many_hashes": (("proofs", ..., "hashes"), [""] * 64, "64 hashes, at most 63"),
    "short_hash": (("proofs", ..., "hashes"), ["AAAA"], "has 3 bytes, expected 32"),
    "hash_no_base64": (("proofs", ..., "hashes"), ["?"], "base64"),
    "hash_number": (("proofs", ..., "hashes"), [1], "expected a string"),
}


@pytest.mark.parametrize("defect", MALFORMED)
def test_a_malformed_log_in_a_statement_is_invalid(make_facts, producer, defect):
    facts = make_facts(1)
    path, value, message = MALFORMED[defect]
    with pytest.raises(InvalidError, match=message):
        read(changed(statement([facts], producer, log=evidence(facts)), path, value))


@pytest.mark.parametrize("path", [("more",), ("proofs", ..., "more")])
def test_an_unknown_member_of_the_log_makes_a_statement_unsupported(make_facts, producer, path):
    facts = make_facts(1)
    with pytest.raises(UnsupportedError, match="unknown member 'more'"):
        read(changed(statement([facts], producer, log=evidence(facts)), path, "x"))


# ---------------------------------------------------------------- the check


REQUIRED = Required(sidecar_log=True)


@pytest.mark.parametrize(
    ("trust", "outcome", "reason"),
    [
        (None, "skip", "leaf 2 of 7 (counted from 0) of the log 'example.net/log', as it says itself"),
        (Trust(), "skip", "no trusted log key was given"),
        (
            Trust(logs=(VKEY,)),
            "pass",
            f"leaf 2 of 7 (counted from 0) of the log 'example.net/log', whose checkpoint the trusted key {VKEY} signed",
        ),
        (Trust(logs=(VKEY,), required=REQUIRED), "pass", "leaf 2 of 7 (counted from 0)"),
        (Trust(required=REQUIRED), "undecided", "no trusted log key was given"),
        (Trust(logs=("other",)), "undecided", "a trusted verifier key cannot be used"),
    ],
    ids=["nobody", "no_log_key", "log_key", "required", "required_without_a_key", "unusable_key"],
)
def test_what_the_log_says_is_a_claim_until_a_trusted_key_signed(make_facts, producer, trust, outcome, reason):
    facts = make_facts(1)
    check = check_log(said(facts, evidence(facts), producer), facts, trust)
    assert (check.id, check.outcome) == ("log", outcome)
    assert reason in check.reason


@pytest.mark.parametrize(("required", "outcome"), [(Required(), "warn"), (REQUIRED, "undecided")])
def test_a_log_of_another_key_than_the_trusted_ones_is_not_passed_over(make_facts, producer, required, outcome):
    facts = make_facts(1)
    log = evidence(facts, key=Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32))
    check = check_log(said(facts, log, producer), facts, Trust(logs=(VKEY,), required=required))
    assert check.outcome == outcome
    assert "no trusted log key signed" in check.reason


@pytest.mark.parametrize(
    ("required", "outcome"), [(Required(), "skip"), (REQUIRED, "fail"), (Required(witnesses=1), "fail")]
)
def test_no_log_at_all_fails_where_one_is_required(make_facts, producer, required, outcome):
    facts = make_facts(1)
    check = check_log(said(facts, None, producer), facts, Trust(logs=(VKEY,), required=required))
    assert (check.outcome, check.reason) == (outcome, "the statement carries no proof from a sidecar's log")


def test_the_proof_of_another_bundle_fails_whatever_is_trusted(make_facts, producer):
    """A bundle rewritten and attested again with the old leaf's proof."""
    facts = make_facts(1)
    statement_ = said(facts, evidence(facts), producer)
    rewritten = make_facts(1, manifest_sha256="f" * 64)
    for trust in (None, Trust(logs=(VKEY,))):
        check = check_log(statement_, rewritten, trust)
        assert check.outcome == "fail"
        assert "does not lead to the checkpoint's root" in check.reason


@pytest.mark.parametrize(
    ("cosigners", "trust", "outcome"),
    [
        ([], (WITNESS_KEYS, 0), "pass"),
        ([0, 1], (WITNESS_KEYS, 2), "pass"),
        ([0], (WITNESS_KEYS, 1), "pass"),
        ([0], (WITNESS_KEYS, 2), "fail"),
        ([0, 1], (WITNESS_KEYS[:1], 2), "fail"),
        ([0], (WITNESS_KEYS[:1] * 2, 2), "fail"),
        ([1], (WITNESS_KEYS[:1], 1), "fail"),
        ([0], ((), 1), "fail"),
    ],
)
def test_witnesses_are_counted_by_their_keys(make_facts, producer, cosigners, trust, outcome):
    facts = make_facts(1)
    trusted, count = trust
    trust = Trust(logs=(VKEY,), witnesses=trusted, required=Required(witnesses=count))
    check = check_log(said(facts, evidence(facts, cosigners=cosigners), producer), facts, trust)
    assert check.outcome == outcome
    if outcome == "pass" and cosigners:
        assert f"cosigned by w{cosigners[0]} at 2026-11-21T10:00:00Z" in check.reason


def test_one_key_under_two_names_is_one_witness(make_facts, producer):
    facts = make_facts(1)
    log = evidence(facts, cosigners=[0])
    again = cosign(log.checkpoint.note.text, "other", WITNESSES[0], 1_795_255_200)
    log = replace(log, checkpoint=log.checkpoint.with_signatures([again]))
    names = (WITNESS_KEYS[0], str(verifier_key("other", WITNESSES[0], COSIGNATURE_V1)))
    trust = Trust(logs=(VKEY,), witnesses=names, required=Required(witnesses=2))
    check = check_log(said(facts, log, producer), facts, trust)
    assert check.outcome == "fail"
    assert "cosigned by 1 of the trusted witnesses, expected at least 2" in check.reason


@given(st.data())
def test_a_signed_checkpoint_with_one_byte_changed_is_never_a_pass(make_facts, producer, data):
    """Also where whoever signs the statement changed it: the log's key is not theirs."""
    facts = make_facts(1)
    log = evidence(facts, cosigners=[0])
    trust = Trust(logs=(VKEY,), witnesses=WITNESS_KEYS[:1], required=Required(sidecar_log=True, witnesses=1))
    note = bytearray(str(log.checkpoint).encode())
    at = data.draw(st.integers(0, len(note) - 1))
    note[at] = data.draw(st.integers(1, 126).filter(lambda value: value != note[at]))
    try:
        payload = changed(statement([facts], producer, log=log), ("checkpoint",), note.decode("utf-8", "replace"))
        statement_ = read(payload)
    except InvalidError:
        return
    assert check_log(statement_, facts, trust).outcome in ("fail", "undecided")
    assert check_log(said(facts, log, producer), facts, trust).outcome == "pass"


def test_a_bundle_that_could_not_be_read_is_not_looked_for(make_facts, producer):
    facts = make_facts(1)
    check = check_log(said(facts, evidence(facts), producer), None, Trust(logs=(VKEY,)))
    assert (check.outcome, check.reason) == ("skip", "the bundle could not be read")
