"""Attacks on a bundle and its attestation, each named, each answered by the check it should run into."""

import json
import os
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attest.bundle_checks import check_bundle
from attest.checks.attestation import AttestationJudge, Attested
from attest.limits import DEFAULT
from attest.trust.trust import Trust
from attest.verify import verify_file
from evidence import manifest as layout
from evidence.canonical import canonical
from evidence.container.gzip_stream import HEADER
from evidence.digest import sha256_hex
from evidence.limits import DEFAULT as LIMITS
from tests.attest import world
from tests.tools.examples import times


@pytest.fixture(scope="module")
def case(tmp_path_factory, key):
    facts = world.seal_run(tmp_path_factory.mktemp("good"), profiles={"own.yaml": b"id: own\n"})
    return world.Case(facts=facts, attestation=world.attest(key, facts), key=key)


@pytest.fixture(scope="module")
def other(tmp_path_factory, key):
    facts = world.seal_run(tmp_path_factory.mktemp("other"), world.run_events("run-2"))
    return world.Case(facts=facts, attestation=world.attest(key, facts), key=key)


@pytest.fixture(scope="module")
def trust(key):
    return Trust.of(key.public)


@pytest.fixture
def attack(tmp_path, case, trust):
    """Verify with another bundle file, another attestation, or both."""

    def run(bundle=None, attestation=None):
        path = tmp_path / case.path.name
        path.write_bytes(case.path.read_bytes() if bundle is None else bundle)
        signed = tmp_path / case.attestation.name
        signed.write_bytes(case.attestation.read_bytes() if attestation is None else attestation)
        return verify_file(path, trust=trust)

    return run


def failed(result):
    return [check.id for check in result.of("fail")]


# ---------------------------------------------------------------- single bits


def flips(size, everywhere):
    """One bit of each byte, another one from byte to byte, and all eight at the positions `everywhere`."""
    return sorted({(at, at * 5 % 8) for at in range(size)} | {(at, bit) for at in everywhere for bit in range(8)})


def each_flipped(path, everywhere):
    """The file at `path` with each of `flips` in turn, changed and restored in place."""
    good = path.read_bytes()
    descriptor = os.open(path, os.O_WRONLY)
    try:
        for at, bit in flips(len(good), everywhere):
            os.pwrite(descriptor, bytes([good[at] ^ 1 << bit]), at)
            yield at, bit
            os.pwrite(descriptor, good[at : at + 1], at)
    finally:
        os.close(descriptor)


def test_a_flipped_bit_anywhere_in_an_attestation_is_never_verified(case, trust, tmp_path):
    """Every bit outside the payload, and one bit of each character of the payload: against the bundle as read once."""
    good = case.attestation.read_bytes()
    start = good.index(b'"payload":"') + 11
    end = good.index(b'"', start)
    attested = Attested(file_name=case.path.name, container_sha256=case.facts.container_sha256, facts=case.facts)
    path = tmp_path / case.attestation.name
    path.write_bytes(good)
    for at, bit in each_flipped(path, [*range(start), *range(end, len(good))]):
        reading = AttestationJudge(trust, DEFAULT).judge([path], attested)
        assert {check.outcome for check in reading.checks} & {"fail", "undecided"}, (at, bit)
    restored = AttestationJudge(trust, DEFAULT).judge([path], attested)
    assert {check.outcome for check in restored.checks} == {"pass", "skip"}


def test_a_flipped_bit_of_any_byte_of_a_bundle_is_never_verified(case, trust, tmp_path):
    """One bit of each byte, and every bit of the container's head and tail."""
    path = tmp_path / case.path.name
    path.write_bytes(case.path.read_bytes())
    size = path.stat().st_size
    for at, bit in each_flipped(path, [*range(16), *range(size - 16, size)]):
        reading = check_bundle(path, (), LIMITS)
        if reading.facts is not None:  # another spelling of the same archive: for the attestation to notice
            assert verify_file(path, attestation=case.attestation, trust=trust).exit_code == 1, (at, bit)
        else:
            assert {check.outcome for check in reading.checks} & {"fail", "undecided"}, (at, bit)
    assert verify_file(path, attestation=case.attestation, trust=trust).exit_code == 0


# ---------------------------------------------------------------- the container


def recompressed(path, level):
    """The same members through another compressor: equal content, another file."""
    archive = zlib.decompress(path.read_bytes()[len(HEADER) : -8], -15)
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    tail = zlib.crc32(archive).to_bytes(4, "little") + len(archive).to_bytes(4, "little")
    return HEADER + deflate.compress(archive) + deflate.flush() + tail


def test_a_recompressed_container_has_the_right_content_and_is_not_the_file_that_was_signed(case, attack):
    data = recompressed(case.path, 9)
    assert data != case.path.read_bytes()
    result = attack(bundle=data)
    assert failed(result) == ["statement"]
    assert "has the digest" in result.check("statement").reason


CONTAINERS = {
    "byte_after_the_end": lambda data: data + b"\0",
    "second_gzip_member": lambda data: data + data,
    "cut_by_one_byte": lambda data: data[:-1],
    "cut_in_half": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "gzip_header_with_time": lambda data: data[:4] + b"\1" + data[5:],
    "not_gzip": lambda data: b"PK" + data[2:],
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_that_is_not_as_written_fails_as_container(name, case, attack):
    result = attack(bundle=CONTAINERS[name](case.path.read_bytes()))
    assert result.exit_code == 1
    assert failed(result) == ["container", "statement"]


# ---------------------------------------------------------------- members, without making the manifest right again


def replaced(name, change):
    def edit(members):
        return {**members, name: change(members[name])}

    return edit


def without(name):
    return lambda members: {other: data for other, data in members.items() if other != name}


def reordered(members):
    return dict(sorted(members.items(), reverse=True))


MEMBERS = {
    "event_edited": (replaced(layout.EVENTS, lambda data: data.replace(b"m-1", b"m-2")), "files"),
    "event_time_edited": (replaced(layout.EVENTS, lambda data: data.replace(b"10:00:03", b"10:00:04")), "files"),
    "event_removed": (replaced(layout.EVENTS, lambda data: data.partition(b"\n")[2]), "files"),
    "event_line_not_canonical": (replaced(layout.EVENTS, lambda data: data.replace(b'{"data"', b'{ "data"', 1)), "files"),
    "events_without_last_newline": (replaced(layout.EVENTS, lambda data: data[:-1]), "files"),
    "profile_edited": (replaced("profiles/own.yaml", lambda data: data.replace(b"own", b"owm")), "files"),
    "mapping_loss_edited": (replaced(layout.MAPPING_LOSS, lambda data: data.replace(b"12", b"11")), "files"),
    "manifest_edited": (replaced(layout.MANIFEST, lambda data: data.replace(b"run-1", b"run-9")), "manifest"),
    "manifest_indented": (replaced(layout.MANIFEST, lambda data: json.dumps(json.loads(data), indent=1).encode()), "manifest"),
    "closure_removed": (without(layout.CLOSURE), "files"),
    "receipts_removed": (without(layout.FORMULA_RECEIPTS), "files"),
    "events_removed": (without(layout.EVENTS), "files"),
    "manifest_removed": (without(layout.MANIFEST), "files"),
    "member_added": (lambda members: {**members, "reports/other.json": b"{}"}, "files"),
    "members_reordered": (reordered, "files"),
}  # fmt: skip


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_changed_under_the_manifest_fails_where_it_shows(name, case, attack):
    edit, expected = MEMBERS[name]
    result = attack(bundle=world.pack(edit(world.unpack(case.path))))
    assert result.exit_code == 1
    assert failed(result) == [expected, "statement"]


DERIVED = {
    "closure_score_raised": (layout.CLOSURE, lambda report: report["closure"].update(score=1)),
    "confidence_raised": (layout.CLOSURE, lambda report: report["closure"].update(confidence="high")),
    "report_date_changed": (layout.CLOSURE, lambda report: report.update(generated_at="2030-01-01T00:00:00Z")),
    "receipt_removed": (layout.FORMULA_RECEIPTS, lambda report: report["receipts"].pop()),
}


@pytest.mark.parametrize("name", DERIVED)
def test_a_report_that_the_events_do_not_give_fails_even_without_any_attestation(name, case, attack):
    member, change = DERIVED[name]
    members = world.unpack(case.path)
    report = json.loads(members[member])
    change(report)
    result = attack(bundle=world.pack({**members, member: canonical(report)}))
    assert "reports" in failed(result)


# ---------------------------------------------------------------- re-sealing: a consistent bundle that nobody signed


def lines(change):
    def edit(members):
        events = [json.loads(line) for line in members[layout.EVENTS].split(b"\n")[:-1]]
        events = change(events)
        for seq, event in enumerate(events):
            event.update(seq=seq, id=f"{event['runid']}:{seq}")
        return world.with_events(members, b"".join(canonical(event) + b"\n" for event in events))

    return edit


def each(**changes):
    return lines(lambda events: [{**event, **changes} for event in events])


def manifest(change):
    return lambda members: world.with_manifest(members, change)


def renamed_run(members):
    return world.with_manifest(each(runid="run-9")(members), lambda manifest: manifest.update(run_id="run-9"))


RESEALED = {
    "run_id_rewritten_everywhere": renamed_run,
    "all_times_rewritten": each(time=world.at(9)),
    "source_rewritten": each(source="urn:affidavit:sidecar:other"),
    "producer_rewritten": manifest(lambda manifest: manifest["producer"].update(version="9")),
    "trace_context_injected": each(traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01"),
    "subject_injected": each(subject="someone"),
    "last_event_dropped": lines(lambda events: events[:-1]),
    "first_event_dropped_and_renumbered": lines(lambda events: events[1:]),
    "middle_event_dropped_and_renumbered": lines(lambda events: events[:3] + events[4:]),
    "two_events_swapped": lines(lambda events: [*events[:3], events[4], events[3], *events[5:]]),
    "event_inserted": lines(lambda events: [*events[:4], {**events[3]}, *events[4:]]),
    "payload_edited": lambda members: world.with_events(members, members[layout.EVENTS].replace(b"search", b"delete")),
    "close_reason_rewritten": manifest(lambda manifest: manifest.update(close_reason="shutdown")),
    "opening_time_rewritten": manifest(lambda manifest: manifest.update(opened_at=world.at(1))),
    "chain_link_added": manifest(
        lambda manifest: manifest.update(previous_bundle={"bundle_id": "a" * 64, "manifest_sha256": "b" * 64})
    ),
    "amendment_claimed": manifest(lambda manifest: manifest.update(amends="a" * 64)),
    "part_renumbered": manifest(lambda manifest: manifest.update(part=2)),
    "translation_tables_rewritten": manifest(lambda manifest: manifest["mapping"]["target"].update(version="9")),
    "redaction_claimed": manifest(lambda manifest: manifest.update(redaction={"policy_digest": "sha256:" + "a" * 64})),
}


@pytest.mark.parametrize("name", RESEALED)
def test_a_resealed_bundle_has_another_id_that_the_statement_does_not_name(name, case, attack):
    """The forger may even recompute the reports: see the next test."""
    edited = RESEALED[name](world.unpack(case.path))
    assert json.loads(edited[layout.MANIFEST])["bundle_id"] != case.facts.bundle_id
    result = attack(bundle=world.pack(edited))
    assert result.exit_code == 1
    assert not {"container", "manifest", "files"} & set(failed(result))
    assert "statement" in failed(result)
    assert "does not name the bundle" in result.check("statement").reason


def test_a_bundle_sealed_anew_by_the_real_sealer_is_sound_and_still_not_the_one_signed(case, attack, tmp_path):
    (tmp_path / "forged").mkdir()
    forged = world.seal_run(tmp_path / "forged", world.run_events(model="m-2"))
    result = attack(bundle=forged.path.read_bytes())
    assert failed(result) == ["statement"]


def test_capture_health_rewritten_to_look_clean_is_recomputed(case, attack):
    def polish(manifest):
        manifest["capture_health"]["unclosed"] = True

    edited = world.with_manifest(world.unpack(case.path), polish)
    assert "reports" in failed(attack(bundle=world.pack(edited)))


# ---------------------------------------------------------------- the attestation


def test_the_attestation_of_another_bundle_does_not_do(attack, other):
    result = attack(attestation=other.attestation.read_bytes())
    assert failed(result) == ["statement"]
    assert result.check("signature").outcome == "pass"


def test_a_bundle_replaced_by_another_that_the_same_key_signed_is_caught(attack, other):
    assert failed(attack(bundle=other.path.read_bytes())) == ["statement"]


def test_a_key_that_is_not_trusted_fails_signature_and_trust(case, other_key):
    result = verify_file(case.path, trust=Trust.of(other_key.public))
    assert (failed(result), result.facts.signed_by) == (["signature", "trust"], None)
    assert case.key.public.fingerprint in result.check("trust").reason
    assert other_key.public.fingerprint in result.check("trust").reason


def test_a_forger_who_signs_and_names_the_trusted_key_fails_the_signature(case, attack, other_key):
    forged = json.loads(world.sign_statement(other_key, canonical(case.statement())))
    forged["verificationMaterial"]["publicKey"]["hint"] = case.key.public.fingerprint
    result = attack(attestation=canonical(forged))
    assert failed(result) == ["signature"]
    assert result.facts.signed_by is None


def test_a_hint_that_names_another_key_is_not_overlooked_although_the_signature_is_good(case, attack):
    changed = json.loads(case.attestation.read_bytes())
    changed["verificationMaterial"]["publicKey"]["hint"] = "0" * 64
    assert failed(attack(attestation=canonical(changed))) == ["trust"]


def signatures(change):
    def edit(attestation):
        items = attestation["dsseEnvelope"]["signatures"]
        attestation["dsseEnvelope"]["signatures"] = change(items)

    return edit


@pytest.mark.parametrize(
    "change",
    [lambda items: [], lambda items: items * 2, lambda items: [*items, {"sig": "AAAA"}], lambda items: [{"sig": "AAAA"}, *items]],
    ids=["none", "the_same_twice", "a_second_that_is_noise", "noise_before_the_good_one"],
)  # fmt: skip
def test_any_number_of_signatures_but_one_fails(case, attack, change):
    attestation = json.loads(case.attestation.read_bytes())
    signatures(change)(attestation)
    result = attack(attestation=canonical(attestation))
    assert failed(result) == ["signature"]
    assert "expected exactly one" in result.check("signature").reason
    assert result.facts.signed_by is None


def test_a_payload_type_changed_after_signing_fails_statement_and_signature(case, attack):
    changed = json.loads(case.attestation.read_bytes())
    changed["dsseEnvelope"]["payloadType"] = "application/json"
    assert failed(attack(attestation=canonical(changed))) == ["statement", "signature"]


def test_a_statement_signed_under_another_payload_type_fails_the_statement(case, attack):
    signed = world.sign_statement(case.key, canonical(case.statement()), "text/plain")
    assert failed(attack(attestation=signed)) == ["statement"]


@pytest.mark.parametrize("field", ["_type", "predicateType"])
def test_another_type_signed_by_the_right_key_is_not_decided(case, attack, field):
    changed = {**case.statement(), field: "urn:something:else"}
    result = attack(attestation=world.sign_statement(case.key, canonical(changed)))
    assert (result.exit_code, result.check("statement").outcome) == (4, "undecided")


def test_a_newer_media_type_is_not_decided(case, attack):
    changed = json.loads(case.attestation.read_bytes())
    changed["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.4+json"
    assert attack(attestation=canonical(changed)).exit_code == 4


@pytest.mark.parametrize(
    "path",
    [(), ("dsseEnvelope",), ("verificationMaterial",), ("verificationMaterial", "publicKey"), ("dsseEnvelope", "signatures", 0)],
    ids=lambda path: ".".join(map(str, path)) or "bundle",
)  # fmt: skip
def test_an_unknown_field_in_the_attestation_is_not_decided(case, attack, path):
    changed = json.loads(case.attestation.read_bytes())
    place = changed
    for step in path:
        place = place[step]
    place["futureField"] = 1
    assert attack(attestation=canonical(changed)).exit_code == 4


def test_a_timestamp_without_a_root_to_judge_it_by_counts_for_nothing_and_is_said(case, attack):
    changed = json.loads(case.attestation.read_bytes())
    changed["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": "AA=="}]}
    result = attack(attestation=canonical(changed))
    assert (result.verdict, result.check("time").outcome) == ("verified", "warn")
    assert "no trusted root" in result.check("time").reason


def test_a_malformed_log_entry_is_a_malformed_attestation(case, attack):
    changed = json.loads(case.attestation.read_bytes())
    changed["verificationMaterial"]["tlogEntries"] = [{}]
    assert failed(attack(attestation=canonical(changed))) == ["envelope"]


# ---------------------------------------------------------------- a lying signer: signed by the right key, not true

FIELDS = ("run_id", "part", "manifest_sha256", "event_count", "merkle_root", "closure_report_sha256", "packs",
          "mapping", "formula_receipts")  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_a_signed_claim_that_is_not_what_the_bundle_says_fails_and_is_named(case, attack, field):
    statement = case.statement()
    statement["predicate"]["bundles"][0][field] = 9
    result = attack(attestation=world.sign_statement(case.key, canonical(statement)))
    assert failed(result) == ["statement"]
    assert f"the predicate's {field} is" in result.check("statement").reason


@pytest.mark.parametrize("field", [*FIELDS, "bundle_id", "file"])
def test_a_signed_claim_that_is_absent_fails(case, attack, field):
    statement = case.statement()
    del statement["predicate"]["bundles"][0][field]
    assert failed(attack(attestation=world.sign_statement(case.key, canonical(statement)))) == ["statement"]


def test_a_signed_claim_that_this_version_does_not_know_is_not_decided(case, attack):
    statement = case.statement()
    statement["predicate"]["bundles"][0]["future"] = 1
    assert attack(attestation=world.sign_statement(case.key, canonical(statement))).exit_code == 4


@pytest.mark.parametrize("file", ["", "a/b", "..", "x\0y"])
def test_a_signed_file_name_that_is_no_plain_name_fails(case, attack, file):
    statement = case.statement()
    statement["predicate"]["bundles"][0]["file"] = file
    statement["subject"][0]["name"] = file
    result = attack(attestation=world.sign_statement(case.key, canonical(statement)))
    assert (result.exit_code, result.check("statement").outcome) == (1, "fail")


def subject_count():
    return 6


@pytest.mark.parametrize("index", range(subject_count()))
@pytest.mark.parametrize("change", ["removed", "another_digest", "renamed", "named_twice"])
def test_each_subject_must_be_there_once_under_its_name_with_its_digest(case, attack, index, change):
    statement = case.statement()
    subjects = statement["subject"]
    assert len(subjects) == subject_count()
    if change == "removed":
        subjects.pop(index)
    elif change == "another_digest":
        subjects[index]["digest"]["sha256"] = "0" * 64
    elif change == "renamed":
        subjects[index]["name"] += ".old"
    else:
        subjects.append({**subjects[index], "digest": {"sha256": "0" * 64}})
    result = attack(attestation=world.sign_statement(case.key, canonical(statement)))
    assert failed(result) == ["statement"]


def test_a_subject_that_is_not_in_the_bundle_fails(case, attack):
    statement = case.statement()
    statement["subject"].append({"name": f"{case.facts.bundle_id}/extra.json", "digest": {"sha256": "0" * 64}})
    result = attack(attestation=world.sign_statement(case.key, canonical(statement)))
    assert failed(result) == ["statement"]
    assert "is not in the bundle" in result.check("statement").reason


def signed_as_it_is(case, tmp_path, members):
    """Another bundle, properly attested with the right key."""
    path = tmp_path / "signed.evidence.tar.gz"
    path.write_bytes(world.pack(members))
    signed = tmp_path / "signed.sigstore.json"
    signed.write_bytes(world.attest_file(case.key, path))
    return path


@pytest.mark.parametrize("name", DERIVED)
def test_a_signed_report_that_the_events_do_not_give_fails_all_the_same(name, case, trust, tmp_path):
    member, change = DERIVED[name]
    members = world.unpack(case.path)
    report = json.loads(members[member])
    change(report)
    path = signed_as_it_is(case, tmp_path, {**members, member: canonical(report)})
    result = verify_file(path, trust=trust)
    assert failed(result) == ["reports"]
    assert member in result.check("reports").reason


def test_signed_capture_health_that_hides_a_dropped_ending_fails(case, trust, tmp_path):
    shortened = RESEALED["last_event_dropped"](world.unpack(case.path))
    result = verify_file(signed_as_it_is(case, tmp_path, shortened), trust=trust)
    assert failed(result) == ["reports"]
    assert "manifest.json#/capture_health" in result.check("reports").reason


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["scoring"]["signals"].update(version="99.0.0"),
        lambda manifest: manifest["x-assay"]["packs_applied"][0].update(digest="sha256:" + "0" * 64),
    ],
    ids=["another_signal_registry", "a_pack_that_is_not_at_hand"],
)
def test_scores_made_with_what_is_not_at_hand_are_not_decided(case, trust, tmp_path, change):
    members = world.with_manifest(world.unpack(case.path), change)
    result = verify_file(signed_as_it_is(case, tmp_path, members), trust=trust)
    assert (result.exit_code, result.check("reports").outcome) == (4, "undecided")


def test_a_bundle_of_a_newer_version_is_not_decided(case, attack):
    members = world.with_manifest(
        world.unpack(case.path), lambda manifest: manifest.update(schema_version="evidence-bundle-v2")
    )
    result = attack(bundle=world.pack(members))
    assert result.check("manifest").outcome == "undecided"


def test_what_a_file_says_of_itself_cannot_steer_a_terminal_or_fake_a_verdict_line(key, trust, tmp_path):
    hostile = "x\x1b[2J\nIntegrity: intact.\u202e" + "y" * 2000
    facts = world.seal_run(tmp_path, producer={"name": hostile, "version": hostile})
    world.attest(key, facts)
    result = verify_file(facts.path, trust=trust)
    assert result.exit_code == 0
    assert result.integrity.isprintable()
    assert result.assurance.isprintable()
    assert " Not shown: " in result.assurance
    assert result.assurance.endswith("; or that this machine, its tool, roots and policy are what they are taken for.")
    assert len(result.assurance) < 5_000


@pytest.mark.parametrize(
    "content", [b"5", b"{}", b'{"closure":5}', b'{"closure":{"missing":7,"score":"high"}}', b"nonsense"]
)
def test_a_closure_report_of_any_shape_gets_a_verdict_in_words_and_json(case, attack, content):
    members = {**world.unpack(case.path), layout.CLOSURE: content}
    result = attack(bundle=world.pack(members))
    assert result.exit_code == 1
    assert result.to_json()["facts"]["closure_score"] is None
    assert result.integrity + result.assurance


@pytest.mark.parametrize(
    "content", [b"5", b"{}", b'{"totals":5}', b'{"totals":{"atoms_in":"many","dropped":[]}}', b"nonsense"]
)
def test_a_loss_report_of_any_shape_gets_a_verdict_in_words_and_json(case, trust, tmp_path, content):
    def list_it(manifest):
        entry = next(entry for entry in manifest["files"] if entry["path"] == layout.MAPPING_LOSS)
        entry.update(sha256=sha256_hex(content), bytes=len(content))

    members = world.with_manifest({**world.unpack(case.path), layout.MAPPING_LOSS: content}, list_it)
    result = verify_file(signed_as_it_is(case, tmp_path, members), trust=trust)
    assert result.to_json()["exit_code"] in (0, 1)
    assert "atoms lost" not in result.assurance


def test_an_invalid_file_is_not_quoted_as_if_it_were_true(attack, other):
    result = attack(attestation=other.attestation.read_bytes())
    assert "does not vouch for this file as it is" in result.assurance
    assert "Closure" not in result.assurance
    assert result.integrity.startswith("Integrity: FAILED at statement: ")


# ---------------------------------------------------------------- anything at all

FUZZ = settings(
    max_examples=times(1.5), suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes_as_a_bundle_get_a_verdict(attack, data):
    """Law: a verdict, never an exception, and never a good one."""
    assert attack(bundle=data).exit_code in (1, 4)


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes_as_an_attestation_get_a_verdict(attack, data):
    assert attack(attestation=data).exit_code in (1, 4)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
PLACES = [
    "mediaType",
    "verificationMaterial",
    "dsseEnvelope",
    "payload",
    "payloadType",
    "signatures",
    "publicKey",
    "hint",
]


@FUZZ
@given(st.sampled_from(PLACES), JSON)
def test_any_json_anywhere_in_an_attestation_gets_a_verdict(case, attack, place, value):
    changed = json.loads(case.attestation.read_bytes())
    for holder in (
        changed,
        changed["verificationMaterial"],
        changed["dsseEnvelope"],
        changed["verificationMaterial"]["publicKey"],
    ):
        if place in holder:
            holder[place] = value
            break
    assert attack(attestation=json.dumps(changed, sort_keys=True, separators=(",", ":")).encode()).exit_code in (1, 4)


@FUZZ
@given(st.data())
def test_a_bundle_cut_or_spliced_anywhere_is_never_verified(case, attack, data):
    good = case.path.read_bytes()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    insert = data.draw(st.binary(max_size=8))
    changed = good[:start] + insert + good[end:]
    if changed != good:
        assert attack(bundle=changed).exit_code != 0
