"""Attestations signed with a certificate: what is good passes, and each thing that is not is named by the check it belongs to.

The material is forged part by part on a loopback Sigstore, so that exactly one thing is wrong with each.
"""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from attest.attestation.sigstore_bundle import encode, read
from attest.attestation.statement import statement
from attest.checks.transparency import check_entry, plain
from attest.errors import InvalidError
from attest.keys import generate
from attest.trust.roots import trusted_root
from attest.trust.trust import Accepted, Identity, Required, Trust, TrustedKey
from attest.verdict import SignedBy
from evidence.canonical import canonical
from tests.attest import sigstore_world as sw
from tests.attest import world
from tests.sigstore.forge import forge
from tests.sigstore.log import note_line
from tests.sigstore.loopback import IDENTITY, Sigstore

WAYS = {"v1": (1, ()), "v1+tsa": (1, ("tsa",)), "v2+tsa": (2, ("tsa",))}


@pytest.fixture(scope="module")
def loopback():
    with sw.start() as sigstore:
        sigstore.add_tsa("second")
        sigstore.add_tsa("stranger", trusted=False)
        for _ in range(3):
            sigstore.rekor1.enter(b"{}")
            sigstore.rekor2.enter(b"{}")
        yield sigstore


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    return world.seal_run(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def payload(facts):
    return statement([facts], world.PRODUCER)


# ---------------------------------------------------------------- what is good


@pytest.mark.parametrize("way", WAYS)
def test_what_sigstore_made_is_verified_with_all_that_it_proves(loopback, facts, payload, way):
    version, tsas = WAYS[way]
    reading = sw.judge(facts, sw.trust(loopback), forge(loopback, payload, version=version, tsas=tsas))
    skipped = {"log", "cosigned"}
    assert sw.outcomes(reading) == {
        name: "skip" if name in skipped else "pass"
        for name in ("statement", "envelope", "signature", "trust", "time", *skipped)
    }
    (root,) = sw.trust(loopback).roots
    assert reading.signer == SignedBy(identity=IDENTITY, issuer=loopback.oidc.url, root_sha256=root.sha256)
    assert reading.signers == (reading.signer,)
    assert reading.signed_by is None
    assert {proven.source for proven in reading.times} == {
        "v1": {"log"},
        "v1+tsa": {"log", "rfc3161"},
        "v2+tsa": {"rfc3161"},
    }[way]
    assert {proven.time for proven in reading.times} == {"2026-11-21T10:01:00.000000000Z"}
    assert reading.log_entry.kind == {1: "dsse 0.0.1", 2: "hashedrekord 0.0.2"}[version]
    assert reading.log_entry.index >= 3


def test_the_index_reported_is_the_proofs_where_the_outer_one_is_another(loopback, facts, payload):
    """Rekor 1 counts over all its trees; the proof is of one tree."""
    made = forge(loopback, payload)
    reading = sw.judge(facts, sw.trust(loopback), made)
    assert reading.log_entry.index == int(sw.entry(json.loads(made))["inclusionProof"]["logIndex"])


def test_what_the_client_itself_signs_is_verified(facts, payload):
    """Over real HTTP and by the wall clock, which is no earlier than the run only where the clock is right."""
    from tests.sigstore.loopback import wall

    with Sigstore.start(wall) as sigstore:
        for version in (1, 2):
            reading = sw.judge(facts, sw.trust(sigstore), sigstore.sign(payload, version=version))
            assert sw.outcomes(reading)["trust"] == "pass", reading.checks


# ---------------------------------------------------------------- what is wrong with the material

OTHER = {"identity": "https://ci.example/other"}
EARLY = {"stamped_at": sw.at(minutes=-9), "issued_at": sw.at(minutes=-9)}
BAD = {
    # name: how it is forged, the check that names it, its outcome, words of its reason
    "another_identity": (OTHER, "trust", "fail", "who is not trusted"),
    "another_issuer": ({"issuer": "https://evil.example"}, "trust", "fail", "who is not trusted"),
    "expired_when_stamped": ({"stamped_at": sw.at(minutes=11)}, "trust", "fail", "outside the certificate's validity"),
    "expired_when_logged": ({"logged_at": sw.at(minutes=11), "tsas": ()}, "trust", "fail", "outside the certificate's validity"),
    "not_yet_valid_when_logged": ({"issued_at": sw.at(minutes=2), "tsas": ()}, "trust", "fail", "outside the certificate's validity"),
    "not_in_a_certificate_log": ({"sct": "none"}, "trust", "fail", "no certificate log"),
    "in_an_unknown_certificate_log": ({"sct": "other key"}, "trust", "fail", "SCT"),
    "another_certificate_in_the_log": ({"sct": "other certificate"}, "trust", "fail", "SCT"),
    "no_log_entry": ({"entries": 0}, "trust", "undecided", "no transparency log entry"),
    "two_log_entries": ({"entries": 2}, "envelope", "undecided", "2 log entries"),
    "two_signatures": ({"signatures": 2}, "signature", "fail", "2 signatures"),
    "no_proven_time": ({"version": 2, "tsas": ()}, "trust", "undecided", "nothing proves when"),
    "payload_type_of_something_else": ({"payload_type": "text/plain"}, "statement", "fail", "payload type"),
    "stamped_long_before_the_run_ended": (EARLY, "time", "fail", "before the run was closed"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_forged_wrong_is_named(loopback, facts, payload, name):
    how, check, outcome, words = BAD[name]
    reading = sw.judge(facts, sw.trust(loopback), forge(loopback, payload, **how))
    assert sw.outcomes(reading)[check] == outcome, reading.checks
    assert words in sw.reason(reading, check)
    assert not reading.signers


def test_a_certificate_of_an_authority_that_no_root_has_is_not_trusted(loopback, facts, payload):
    with sw.start() as other:
        stranger = forge(loopback, payload, fulcio=other.fulcio)
        assert sw.outcomes(sw.judge(facts, sw.trust(loopback), stranger))["trust"] == "fail"
        assert sw.outcomes(sw.judge(facts, sw.trust(other), forge(loopback, payload)))["trust"] == "fail"


def test_another_predicate_is_not_decided_and_no_statement_of_ours(loopback, facts, payload):
    other = canonical({**json.loads(payload), "predicateType": "https://slsa.dev/provenance/v1"})
    reading = sw.judge(facts, sw.trust(loopback), forge(loopback, other))
    assert (sw.outcomes(reading)["statement"], sw.outcomes(reading)["trust"]) == ("undecided", "pass")


def test_a_statement_about_another_bundle_fails_however_well_it_is_signed(loopback, facts, tmp_path):
    other = world.seal_run(tmp_path, world.run_events("run-2"))
    reading = sw.judge(facts, sw.trust(loopback), forge(loopback, statement([other], world.PRODUCER)))
    assert (sw.outcomes(reading)["statement"], sw.outcomes(reading)["trust"]) == ("fail", "pass")


STATEMENTS = {
    "digest_in_upper_case": lambda s: s["subject"][0]["digest"].update(sha256=s["subject"][0]["digest"]["sha256"].upper()),
    "two_subjects_of_one_name": lambda s: s["subject"].append(s["subject"][0]),
    "subject_without_digest": lambda s: s["subject"][0].update(digest={}),
    "no_subject": lambda s: s.update(subject=[]),
    "subject_of_another_algorithm": lambda s: s["subject"][0].update(digest={"sha512": "0" * 128}),
    "unknown_member": lambda s: s.update(extra=1),
    "other_statement_type": lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"),
}  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_with_a_flaw_is_refused_under_a_good_signature(loopback, facts, payload, name):
    said = json.loads(payload)
    STATEMENTS[name](said)
    reading = sw.judge(facts, sw.trust(loopback), forge(loopback, canonical(said)))
    assert sw.outcomes(reading)["statement"] in ("fail", "undecided")
    assert sw.outcomes(reading)["trust"] == "pass"


def test_a_statement_with_a_duplicate_member_is_refused_under_a_good_signature(loopback, facts, payload):
    twice = payload.replace(b'{"_type"', b'{"_type":"x","_type"', 1)
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback), forge(loopback, twice)))["statement"] == "fail"


# ---------------------------------------------------------------- what is changed afterwards


def set_in(*path, to):
    def change(obj):
        place = sw.entry(obj)
        for step in path[:-1]:
            place = place[step]
        old = place[path[-1]]
        place[path[-1]] = to(old) if callable(to) else to

    return change


def drop(*path):
    def change(obj):
        place = sw.entry(obj)
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


def plus_one(text):
    return str(int(text) + 1)


def other_name(text):
    return text.replace("\N{EM DASH} rekor", "\N{EM DASH} reker")


def note(to):
    """The checkpoint with something done to its text."""
    return set_in(PROOF, "checkpoint", "envelope", to=to)


PROOF = "inclusionProof"
STRANGER = note_line("witness", b"1234", bytes(64))
CHANGES = {
    # name: which Rekor, what is changed, the check that names it, its outcome
    "outer_index": ((1, set_in("logIndex", to=plus_one)), "trust", "fail"),
    "outer_index_of_v2": ((2, set_in("logIndex", to=plus_one)), "envelope", "fail"),
    "time_of_integration": ((1, set_in("integratedTime", to=plus_one)), "trust", "fail"),
    "time_of_integration_of_v2": ((2, set_in("integratedTime", to="1795255260")), "envelope", "fail"),
    "no_time_of_integration_in_v2": ((2, drop("integratedTime")), "envelope", "warn"),
    "no_promise": ((1, drop("inclusionPromise")), "envelope", "fail"),
    "no_promise_and_no_time": ((1, lambda o: (drop("inclusionPromise")(o), drop("integratedTime")(o))), "envelope", "fail"),
    "promise": ((1, set_in("inclusionPromise", "signedEntryTimestamp", to=sw.flipped)), "trust", "fail"),
    "kind": ((1, set_in("kindVersion", "kind", to="hashedrekord")), "envelope", "undecided"),
    "kind_of_the_other_rekor": ((1, set_in("kindVersion", to={"kind": "hashedrekord", "version": "0.0.2"})), "envelope", "fail"),
    "version": ((2, set_in("kindVersion", "version", to="0.0.1")), "envelope", "undecided"),
    "log_id": ((1, set_in("logId", "keyId", to=sw.flipped)), "trust", "fail"),
    "log_id_of_v2_behind_the_hint": ((2, set_in("logId", "keyId", to=sw.flipped)), "trust", "fail"),
    "log_id_at_the_hint": ((2, set_in("logId", "keyId", to=lambda text: sw.flipped(text, at=0))), "envelope", "fail"),
    "index_in_the_proof": ((1, set_in(PROOF, "logIndex", to="0")), "trust", "fail"),
    "index_beyond_the_tree": ((1, set_in(PROOF, "logIndex", to="999")), "envelope", "fail"),
    "tree_size": ((2, set_in(PROOF, "treeSize", to=plus_one)), "envelope", "fail"),
    "root_hash": ((2, set_in(PROOF, "rootHash", to=sw.flipped)), "envelope", "fail"),
    "step_of_the_proof": ((2, set_in(PROOF, "hashes", 0, to=sw.flipped)), "trust", "fail"),
    "proof_cut_short": ((2, set_in(PROOF, "hashes", to=lambda steps: steps[1:])), "trust", "fail"),
    "proof_too_long": ((2, set_in(PROOF, "hashes", to=lambda steps: [*steps, steps[0]])), "trust", "fail"),
    "checkpoint_signature": ((2, note(lambda text: text[:-9] + ("A" if text[-9] != "A" else "B") + text[-8:])), "trust", "fail"),
    "checkpoint_signer_name": ((2, note(other_name)), "envelope", "fail"),
    "checkpoint_signer_name_of_v1": ((1, note(other_name)), "envelope", "fail"),
    "checkpoint_origin": ((1, note(lambda text: text.replace(" - 1193", " - 1194"))), "trust", "fail"),
    "checkpoint_of_another_size": ((2, note(lambda text: text.replace("\n", "\n1", 1))), "envelope", "fail"),
    "checkpoint_with_another_signature": ((2, note(lambda text: text + STRANGER)), "envelope", "warn"),
    "checkpoint_signed_twice": ((2, note(lambda text: text + text.partition("\n\n")[2])), "envelope", "fail"),
    "body": ((2, set_in("canonicalizedBody", to=lambda text: sw.flipped(text, at=-60))), "trust", "fail"),
    "body_that_is_no_json": ((2, set_in("canonicalizedBody", to=lambda text: sw.flipped(text, at=0))), "envelope", "fail"),
    "empty_proof": ((1, drop(PROOF)), "envelope", "fail"),
    "unknown_member": ((1, lambda obj: sw.entry(obj).update(extra="")), "envelope", "undecided"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_log_entry_changed_afterwards_is_named(loopback, facts, payload, name):
    (version, change), check, outcome = CHANGES[name]
    good = forge(loopback, payload, version=version)
    changed = sw.edited(good, change)
    assert changed != good
    reading = sw.judge(facts, sw.trust(loopback), changed)
    assert sw.outcomes(reading)[check] == outcome, reading.checks


@pytest.mark.parametrize("version", [1, 2])
def test_a_signer_can_leave_out_what_would_only_be_named(loopback, facts, payload, version):
    made = forge(loopback, payload, version=version)

    def as_some_logs_send_it(obj):
        note(lambda text: text + STRANGER)(obj)
        if version == 2:
            drop("integratedTime")(obj)

    sent = sw.edited(made, as_some_logs_send_it)
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback), sent))["envelope"] == "warn"
    assert encode(plain(read(sent))) == made == encode(plain(read(made)))


def swap(name):
    def change(obj, other):
        obj["verificationMaterial"][name] = other["verificationMaterial"][name]

    return change


SWAPS = {
    "certificate": (swap("certificate"), "signature", "fail"),
    "log_entry": (swap("tlogEntries"), "trust", "fail"),
    "timestamps": (swap("timestampVerificationData"), "time", "fail"),
    "envelope": (lambda obj, other: obj.update(dsseEnvelope=other["dsseEnvelope"]), "signature", "fail"),
    "signature": (lambda obj, other: obj["dsseEnvelope"].update(signatures=other["dsseEnvelope"]["signatures"]), "signature", "fail"),
    "all_but_the_payload": (lambda obj, other: obj["dsseEnvelope"].update(payload=other["dsseEnvelope"]["payload"]), "signature", "fail"),
}  # fmt: skip


@pytest.mark.parametrize("name", SWAPS)
@pytest.mark.parametrize("version", [1, 2])
def test_a_part_of_another_good_attestation_does_not_fit(loopback, facts, payload, name, version):
    change, check, outcome = SWAPS[name]
    other = canonical(
        {
            **json.loads(payload),
            "predicate": {**json.loads(payload)["predicate"], "producer": {"name": "x", "version": "1"}},
        }
    )
    given = json.loads(forge(loopback, other, version=version))
    reading = sw.judge(
        facts, sw.trust(loopback), sw.edited(forge(loopback, payload, version=version), lambda obj: change(obj, given))
    )
    assert sw.outcomes(reading)[check] == outcome, reading.checks


# ---------------------------------------------------------------- timestamps


def test_a_timestamp_of_a_stranger_counts_for_nothing_and_is_said(loopback, facts, payload):
    reading = sw.judge(facts, sw.trust(loopback), forge(loopback, payload, tsas=("stranger",)))
    assert (sw.outcomes(reading)["time"], sw.outcomes(reading)["trust"]) == ("warn", "pass")
    assert "an authority that the root root.json does not have" in sw.reason(reading, "time")
    assert [proven.source for proven in reading.times] == ["log"]


def test_the_only_timestamp_of_rekor_2_by_a_stranger_proves_no_time(loopback, facts, payload):
    reading = sw.judge(facts, sw.trust(loopback), forge(loopback, payload, version=2, tsas=("stranger",)))
    assert sw.outcomes(reading)["trust"] == "undecided"


def test_a_timestamp_stripped_off_shows_where_one_is_required(loopback, facts, payload):
    trusted = sw.trust(loopback, required=Required(timestamps=1))
    made = forge(loopback, payload)
    stripped = sw.edited(made, lambda obj: obj["verificationMaterial"].pop("timestampVerificationData"))
    assert sw.outcomes(sw.judge(facts, trusted, made))["time"] == "pass"
    reading = sw.judge(facts, trusted, stripped)
    assert (sw.outcomes(reading)["trust"], sw.outcomes(reading)["time"]) == ("pass", "undecided")


def test_two_timestamps_of_one_authority_are_one(loopback, facts, payload):
    trusted = sw.trust(loopback, required=Required(timestamps=2))
    assert sw.outcomes(sw.judge(facts, trusted, forge(loopback, payload, tsas=("tsa", "tsa"))))["time"] == "undecided"
    assert sw.outcomes(sw.judge(facts, trusted, forge(loopback, payload, tsas=("tsa", "second"))))["time"] == "pass"


def test_one_timestamp_twice_is_refused(loopback, facts, payload):
    doubled = sw.edited(forge(loopback, payload), lambda obj: sw.stamps(obj).append(sw.stamps(obj)[0]))
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback), doubled))["time"] == "fail"


def test_a_timestamp_that_is_none_is_refused(loopback, facts, payload):
    nothing = sw.edited(forge(loopback, payload), lambda obj: sw.stamps(obj)[0].update(signedTimestamp="AA=="))
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback), nothing))["time"] == "fail"


def test_one_bad_timestamp_beside_a_good_one_refutes(loopback, facts, payload):
    given = json.loads(forge(loopback, payload))
    mixed = sw.edited(forge(loopback, payload), lambda obj: sw.stamps(obj).append(sw.stamps(given)[0]))
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback), mixed))["time"] == "fail"


# ---------------------------------------------------------------- one root's authorities, and another's

ALL = ("fulcio", "ctlog", "rekor1", "rekor2", "tsa", "second")


def roots(loopback, *has):
    """Trusted roots, each with some entries of the loopback."""
    return tuple(
        trusted_root(loopback.root(without=set(ALL) - set(parts)), f"{at}.json") for at, parts in enumerate(has)
    )


OWN = ("fulcio", "ctlog", "rekor1", "rekor2", "tsa")
UNDATED = ("fulcio", "ctlog", "rekor1", "rekor2")
OTHER_INSTANCE = ("rekor1", "tsa", "second")


def test_an_authority_of_one_root_does_not_date_what_another_root_issued(loopback, facts, payload):
    """Rekor 2 signs no time: whoever has the login and a timestamp authority of another instance could date it back."""
    trusted = sw.trust(loopback, roots=roots(loopback, UNDATED, OTHER_INSTANCE))
    reading = sw.judge(facts, trusted, forge(loopback, payload, version=2))
    assert sw.outcomes(reading)["trust"] == "undecided"
    assert "nothing proves when it was signed" in sw.reason(reading, "trust")
    assert not reading.times

    logged = sw.judge(facts, trusted, forge(loopback, payload, version=1))
    assert (sw.outcomes(logged)["trust"], sw.outcomes(logged)["time"]) == ("pass", "warn")
    assert "an authority that the root 0.json does not have" in sw.reason(logged, "time")
    assert [proven.source for proven in logged.times] == ["log"]


def test_a_log_of_one_root_does_not_hold_what_another_root_issued(loopback, facts, payload):
    trusted = sw.trust(loopback, roots=roots(loopback, ("fulcio", "ctlog", "tsa"), OTHER_INSTANCE))
    reading = sw.judge(facts, trusted, forge(loopback, payload))
    assert sw.outcomes(reading)["trust"] == "fail"
    assert "not in the root 0.json" in sw.reason(reading, "trust")


def test_a_bad_timestamp_of_another_roots_authority_is_a_strangers(loopback, facts, payload):
    """It counts for nothing there, and so refutes nothing."""
    given = json.loads(forge(loopback, payload, tsas=("second",)))
    mixed = sw.edited(forge(loopback, payload), lambda obj: sw.stamps(obj).append(sw.stamps(given)[0]))
    trusted = sw.trust(loopback, roots=roots(loopback, OWN, OTHER_INSTANCE))
    reading = sw.judge(facts, trusted, mixed)
    assert (sw.outcomes(reading)["trust"], sw.outcomes(reading)["time"]) == ("pass", "warn")
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback), mixed))["time"] == "fail"


def test_authorities_are_counted_under_one_root_and_not_over_all(loopback, facts, payload):
    made = forge(loopback, payload, tsas=("tsa", "second"))
    two = Required(timestamps=2)
    apart = sw.trust(loopback, roots=roots(loopback, OWN, OTHER_INSTANCE), required=two)
    assert sw.outcomes(sw.judge(facts, apart, made))["time"] == "undecided"
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback, required=two), made))["time"] == "pass"


def test_a_root_that_names_timestamp_authorities_and_nothing_else_dates_any_signature(loopback, facts, payload):
    trusted = sw.trust(loopback, roots=roots(loopback, ("second",), UNDATED), required=Required(timestamps=1))
    for version in (1, 2):
        reading = sw.judge(facts, trusted, forge(loopback, payload, version=version, tsas=("second",)))
        assert (sw.outcomes(reading)["trust"], sw.outcomes(reading)["time"]) == ("pass", "pass"), reading.checks
        assert reading.signer.root_sha256 == trusted.roots[1].sha256


def test_a_key_is_dated_by_the_authorities_of_every_root(loopback, facts, payload):
    key = generate()
    for root in (OWN, OTHER_INSTANCE):
        trusted = sw.trust(loopback, roots=roots(loopback, root, UNDATED), keys=(TrustedKey(public=key.public),))
        reading = sw.judge(facts, trusted, sw.keyed(key, payload, loopback.tsas["tsa"].stamp))
        assert sw.outcomes(reading)["time"] == "pass", reading.checks


@pytest.mark.parametrize("version", [1, 2])
def test_a_further_root_takes_nothing_away_in_whatever_order(loopback, facts, payload, version):
    """Such as an older file of the same instance, which does not know the newer authority yet."""
    made = forge(loopback, payload, version=version, tsas=("second",))
    newer, older = roots(loopback, ALL, OWN)
    for order in ((newer, older), (older, newer)):
        reading = sw.judge(facts, sw.trust(loopback, roots=order, required=Required(timestamps=1)), made)
        assert (sw.outcomes(reading)["trust"], sw.outcomes(reading)["time"]) == ("pass", "pass"), reading.checks
        assert reading.signer.root_sha256 == newer.sha256


# ---------------------------------------------------------------- windows of what is trusted

PARTS = {"fulcio": "trust", "ctlog": "trust", "rekor1": "trust", "tsa": "time"}
WINDOWS = {
    # name: start and end relative to the signing, whether it counts
    "ends_before": ((timedelta(days=-1), timedelta(seconds=-1)), False),
    "ends_with_it": ((timedelta(days=-1), timedelta()), True),
    "starts_after": ((timedelta(seconds=1), None), False),
    "starts_with_it": ((timedelta(), None), True),
    "has_no_start": ((None, timedelta(days=1)), False),
    "has_neither": ((None, None), False),
}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("part", PARTS)
def test_what_is_trusted_counts_from_its_start_to_its_end_and_not_beyond(loopback, facts, payload, part, window):
    (start, end), counts = WINDOWS[window]
    times = tuple(None if after is None else sw.NOW + after for after in (start, end))
    root = loopback.root(windows={part: times})
    reading = sw.judge(facts, sw.trust(loopback, root=root), forge(loopback, payload))
    assert (sw.outcomes(reading)[PARTS[part]] == "pass") == counts, reading.checks
    if not counts:
        assert sw.outcomes(reading)[PARTS[part]] == "fail"
        assert "window" in sw.reason(reading, PARTS[part])


@pytest.mark.parametrize("part", ["rekor1", "fulcio", "ctlog", "tsa"])
def test_a_root_without_a_part_that_is_needed_trusts_nothing_that_needs_it(loopback, facts, payload, part):
    reading = sw.judge(facts, sw.trust(loopback, root=loopback.root(without=[part])), forge(loopback, payload))
    assert sw.outcomes(reading)[PARTS[part]] in ("fail", "warn"), reading.checks


def test_a_timestamp_inside_another_authoritys_window_does_not_borrow_it(loopback, facts, payload):
    over = (sw.at(days=-1), sw.at(seconds=-1))
    root = loopback.root(windows={"tsa": over, "second": (sw.at(days=-1), None)})
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback, root=root), forge(loopback, payload)))["time"] == "fail"


def test_windows_are_judged_at_every_proven_time(loopback, facts, payload):
    """Logged while the authority counted, stamped when it did no more: a stolen key could have made both."""
    root = loopback.root(windows={"fulcio": (sw.at(days=-1), sw.at(minutes=1))})
    late = forge(loopback, payload, stamped_at=sw.at(minutes=2))
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback, root=root), late))["trust"] == "fail"
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback), late))["trust"] == "pass"


def test_no_clock_of_this_machine_matters(loopback, facts, payload, monkeypatch):
    """The verifying library looks at the wall clock; what it is given has no window left for it to look at."""
    import sigstore._utils

    class Past(sigstore._utils.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(1999, 1, 1, tzinfo=tz)

    monkeypatch.setattr(sigstore._utils, "datetime", Past)
    fresh = loopback.root(windows={"second": (sw.at(hours=-2), None)})
    assert sw.outcomes(sw.judge(facts, sw.trust(loopback, root=fresh), forge(loopback, payload)))["trust"] == "pass"


# ---------------------------------------------------------------- whom one trusts

ANY = ".+"
V1, V2 = frozenset({"dsse 0.0.1"}), frozenset({"hashedrekord 0.0.2"})
TRUSTS = {
    # name: changes to trust, outcome of `trust`, words of its reason
    "nobody_named": ({"identities": ()}, "undecided", "no identity was given"),
    "identity_without_issuer": ({"identities": (Identity(identity=IDENTITY),)}, "fail", "not trusted"),
    "issuer_without_identity": ({"identities": (Identity(issuer_pattern=ANY),)}, "fail", "not trusted"),
    "pattern_for_a_part": ({"identities": (Identity(identity_pattern="https://ci.example", issuer_pattern=ANY),)}, "fail", "not trusted"),
    "pattern": ({"identities": (Identity(identity_pattern=r"https://ci\.example/acme/.+", issuer_pattern=ANY),)}, "pass", "acme"),
    "pattern_and_another_exact": ({"identities": (Identity(identity="x", identity_pattern=ANY, issuer_pattern=ANY),)}, "fail", "not trusted"),
    "one_of_several": ({"identities": (Identity(identity="x", issuer="y"), Identity(identity=IDENTITY, issuer_pattern=ANY))}, "pass", "acme"),
    "unusable_pattern": ({"identities": (Identity(identity_pattern="(a+)+", issuer_pattern=ANY),)}, "undecided", "pattern"),
    "no_root": ({"roots": ()}, "undecided", "no trusted root"),
    "another_kind_of_entry": ({"accepted": Accepted(entry_kinds=V2)}, "fail", "accepted are hashedrekord 0.0.2"),
    "this_kind_of_entry": ({"accepted": Accepted(entry_kinds=V1)}, "pass", "acme"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUSTS)
def test_a_certificate_counts_only_for_those_who_are_named(loopback, facts, payload, name):
    changes, outcome, words = TRUSTS[name]
    reading = sw.judge(facts, sw.trust(loopback, **changes), forge(loopback, payload))
    assert sw.outcomes(reading)["trust"] == outcome, reading.checks
    assert words in sw.reason(reading, "trust")
    assert (reading.signer is None) == (outcome != "pass")


def test_nobody_trusted_says_what_the_certificate_says(loopback, facts, payload):
    reading = sw.judge(facts, None, forge(loopback, payload))
    assert sw.outcomes(reading)["trust"] == "undecided"
    assert IDENTITY in sw.reason(reading, "trust")
    assert reading.signer is None


def test_a_certificate_where_only_keys_are_trusted_is_not_decided_and_named(loopback, facts, payload):
    keys = Trust.of(generate().public)
    reading = sw.judge(facts, keys, forge(loopback, payload))
    assert sw.outcomes(reading)["trust"] == "undecided"
    assert "only keys are trusted" in sw.reason(reading, "trust")


def test_a_key_where_only_certificates_are_trusted_is_not_decided_and_named(loopback, facts, payload):
    reading = sw.judge(facts, sw.trust(loopback), sw.keyed(generate(), payload))
    assert sw.outcomes(reading)["trust"] == "undecided"
    assert "only certificates are trusted" in sw.reason(reading, "trust")


@pytest.mark.parametrize("kind", ["payload_types", "predicate_types"])
def test_a_statement_of_a_type_that_is_not_accepted_fails(loopback, facts, payload, kind):
    trusted = sw.trust(loopback, accepted=Accepted(**{kind: frozenset({"other"})}))
    reading = sw.judge(facts, trusted, forge(loopback, payload))
    assert sw.outcomes(reading)["statement"] == "fail"
    assert "accepted are other" in sw.reason(reading, "statement")


def test_the_root_that_fits_is_found_among_several(loopback, facts, payload):
    with sw.start() as other:
        both = sw.trust(loopback, roots=(*sw.trust(other).roots, *sw.trust(loopback).roots))
        reading = sw.judge(facts, both, forge(loopback, payload))
        assert sw.outcomes(reading)["trust"] == "pass"
        assert reading.signer.root_sha256 == both.roots[1].sha256


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"mediaType":"x"}', b"\xff", b'{"a":1,"a":1}'])
def test_a_root_that_is_none_decides_nothing(loopback, facts, payload, data):
    reading = sw.judge(facts, sw.trust(loopback, root=data or b" "), forge(loopback, payload))
    assert (sw.outcomes(reading)["trust"], sw.outcomes(reading)["time"]) == ("undecided", "undecided")


# ---------------------------------------------------------------- several attestations


def test_two_good_attestations_count_two_signers(loopback, facts, payload):
    key = generate()
    trusted = sw.trust(loopback, keys=(TrustedKey(public=key.public),), required=Required(signers=2))
    reading = sw.judge(facts, trusted, forge(loopback, payload), sw.keyed(key, payload))
    assert sw.outcomes(reading)["cosigned"] == "pass"
    assert len(reading.signers) == 2
    assert sw.outcomes(sw.judge(facts, trusted, forge(loopback, payload)))["cosigned"] == "undecided"
    same = sw.judge(facts, trusted, sw.keyed(key, payload), sw.keyed(key, payload))
    assert sw.outcomes(same)["cosigned"] == "undecided"


def test_one_person_under_two_certificates_is_one_signer(loopback, facts, payload):
    trusted = sw.trust(loopback, required=Required(signers=2))
    reading = sw.judge(facts, trusted, forge(loopback, payload), forge(loopback, payload, version=2))
    assert sw.outcomes(reading)["cosigned"] == "undecided"
    assert len(reading.signers) == 1


def test_a_bad_second_attestation_never_fails_a_bundle_and_is_never_passed_over(loopback, facts, payload):
    good, bad = forge(loopback, payload), forge(loopback, payload, **OTHER)
    for order in ((good, bad), (bad, good)):
        reading = sw.judge(facts, sw.trust(loopback), *order)
        assert not {"fail", "undecided"} & set(sw.outcomes(reading).values())
        assert sw.outcomes(reading)["cosigned"] == "warn"
        assert "who is not trusted" in sw.reason(reading, "cosigned")


def test_of_good_attestations_one_without_a_warning_and_then_one_with_a_proven_time_decides(loopback, facts, payload):
    key = generate()
    trusted = sw.trust(loopback, keys=(TrustedKey(public=key.public),))
    undated, dated = sw.keyed(key, payload), sw.keyed(key, payload, loopback.tsas["tsa"].stamp)
    respelled = json.dumps(json.loads(dated), indent=2).encode()
    for order in ((undated, respelled, dated), (respelled, dated, undated), (dated, undated, respelled)):
        reading = sw.judge(facts, trusted, *order)
        assert (sw.outcomes(reading)["envelope"], len(reading.times)) == ("pass", 1)
        assert sw.outcomes(reading)["cosigned"] == "warn"


def test_what_is_doubtful_about_a_second_attestation_is_said(loopback, facts, payload):
    reading = sw.judge(
        facts, sw.trust(loopback), forge(loopback, payload), forge(loopback, payload, tsas=("stranger",))
    )
    assert (sw.outcomes(reading)["time"], sw.outcomes(reading)["cosigned"]) == ("pass", "warn")


def test_more_attestations_than_are_looked_at_are_said(loopback, facts, payload):
    made = forge(loopback, payload)
    assert "1 further attestations were not looked at" in sw.reason(
        sw.judge(facts, sw.trust(loopback), *[made] * 17), "cosigned"
    )


# ---------------------------------------------------------------- delay


def test_an_attestation_made_too_late_fails_where_a_delay_is_set(loopback, facts, payload):
    made = forge(loopback, payload)  # 30 s after the run
    assert (
        sw.outcomes(sw.judge(facts, sw.trust(loopback, required=Required(delay_seconds_max=30)), made))["time"]
        == "pass"
    )
    late = sw.judge(facts, sw.trust(loopback, required=Required(delay_seconds_max=29)), made)
    assert sw.outcomes(late)["time"] == "fail"


def test_a_time_a_little_before_the_end_of_the_run_is_said(loopback, facts, payload):
    early = forge(loopback, payload, issued_at=sw.at(minutes=-3), logged_at=sw.at(minutes=-2), tsas=())
    reading = sw.judge(facts, sw.trust(loopback), early)
    assert sw.outcomes(reading)["time"] == "warn"
    assert "90 s later by its sidecar's clock" in sw.reason(reading, "time")


def test_a_log_entrys_body_of_which_a_parser_would_make_much_is_refused_before_it_is_parsed(loopback, payload):
    (entry,) = read(forge(loopback, payload, version=2)).entries
    many = b'{"a":[' + b",".join([b"[" * 28 + b"]" * 28] * 18_000) + b"]}"
    with pytest.raises(InvalidError, match="body has 504002 opening brackets"):
        check_entry(replace(entry, body=many))
