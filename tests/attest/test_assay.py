"""Verifying Assay's bundles: what their format lets pass is refused or flagged by the named check, and nothing is said of it
that nothing binds. The numbers are those of the list of attacks on such a bundle."""

import base64
import json
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from attest.assay.attestation import PREDICATE_TYPE, PREDICATE_TYPE_V0, predicate, statement
from attest.assay.verify import verify_assay
from attest.dsse import PAYLOAD_TYPE, pae
from attest.keys import generate
from attest.policy.policy import Policy
from attest.trust.trust import Accepted, Required, Trust, TrustedKey
from attest.verify import verify_file, verify_files
from evidence.assay.limits import AssayLimits
from evidence.assay.reader import read_assay
from evidence.canonical import canonical
from tests.attest import world as ours
from tests.evidence import assay_world as world
from tests.tools.examples import times

KEY = generate("ed25519")
TRUST = Trust.of(KEY.public)


def envelope(payload, /, *, key=KEY, payload_type=PAYLOAD_TYPE, **changes):
    """An envelope as Assay writes one: made here by hand, with the key's own library."""
    assert isinstance(key.native, Ed25519PrivateKey)
    signature = {
        "keyid": f"sha256:{key.public.fingerprint}",
        "sig": base64.b64encode(key.native.sign(pae(payload_type, payload))).decode(),
    }
    made = {"payload": base64.b64encode(payload).decode(), "payloadType": payload_type, "signatures": [signature]}
    return json.dumps({**made, **changes}).encode()


@pytest.fixture
def case(tmp_path):
    """Verify any bytes as a bundle, with or without an attestation."""

    def run(data=None, attested=None, trust=TRUST, **options):
        path = tmp_path / "bundle.tar.gz"
        path.write_bytes(world.made() if data is None else data)
        beside = None
        if attested is not None:
            beside = tmp_path / "envelope.json"
            beside.write_bytes(attested)
        return verify_file(path, attestation=beside, trust=trust, **options)

    return run


@pytest.fixture
def good(tmp_path):
    """The statement about the good bundle."""
    path = tmp_path / "good.tar.gz"
    path.write_bytes(world.made())
    return statement(read_assay(path))


def outcomes(result, *names):
    return [result.check(name).outcome for name in names]


# ---------------------------------------------------------------- what a good one is worth


def test_without_an_attestation_a_good_bundle_is_undecided_and_says_what_is_only_claimed(case):
    result = case(trust=None)
    assert result.exit_code == 4
    assert outcomes(result, "container", "manifest", "files", "events", "chain") == [
        "pass",
        "warn",
        "pass",
        "pass",
        "warn",
    ]
    assert outcomes(result, "reports", "mapping", "log", "cosigned", "time") == ["skip"] * 5
    for name in ("run id", "source", "time", "producer", "git", "trace context", "policy id", "flag for secrets"):
        assert name in result.check("manifest").reason.partition("Only claimed: ")[2]
    assert "run id run-a" in result.check("events").reason
    assert "2026-08-01T10:00:00.250Z" in result.check("events").reason
    assert "does not contradict itself, which anyone can arrange" in result.integrity


def test_with_an_attestation_of_a_trusted_key_it_is_verified_and_the_warnings_stay(case, good):
    result = case(attested=envelope(good))
    assert (result.verdict, result.exit_code) == ("verified", 0)
    assert [check.id for check in result.of("warn")] == ["manifest", "chain"]
    assert result.facts.signed_by == KEY.public.fingerprint
    assert "byte for byte what was signed" in result.integrity
    assert case(attested=envelope(good), strict=True).exit_code == 3


def test_what_is_claimed_is_in_the_json_with_the_values_seen(case):
    claims = case().to_json()["facts"]["claims"]
    by_member = {claim["member"]: claim for claim in claims["unbound"]}
    assert by_member["assaypolicyid"] == {
        "member": "assaypolicyid",
        "events": 1,
        "values": ["payments"],
        "complete": True,
    }
    assert by_member["traceparent"]["events"] == 1
    assert by_member["time"]["values"] == ["2026-08-01T10:00:00.250Z", "2026-08-01T10:00:04.250Z"]
    assert claims["producer"] == world.PRODUCER
    assert claims["doubts"] == []


# ---------------------------------------------------------------- 1-6, 36, 38, 39: what can be rewritten under the same id


def every_event(**changes):
    def change(_, events):
        for event in events:
            event.update(changes)

    return change


def another_run(manifest, events):
    manifest["run_id"] = "run-b"
    for event in events:
        event.update(assayrunid="run-b", id=f"run-b:{event['assayseq']}")


REWRITTEN = {
    "01_run_id": (another_run, "run id"),
    "02_times": (every_event(time="2031-01-01T00:00:00Z"), "time"),
    "03_source": (every_event(source="urn:other"), "source"),
    "03_producer": (every_event(assayproducer="other"), "producer"),
    "03_version": (every_event(assayproducerversion="9"), "producer version"),
    "03_git": (every_event(assaygit="deadbeef"), "git"),
    "04_policy_id": (every_event(assaypolicyid="none"), "policy id"),
    "04_secrets_flag": (every_event(assaysecrets=True), "flag for secrets"),
    "04_pii_flag": (every_event(assaypii=True), "flag for personal data"),
    "05_trace_context": (every_event(traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01"), "trace context"),
    "05_trace_state": (every_event(tracestate="a=b"), "trace state"),
    "05_soft_digest": (every_event(assaysemanticdigest="sha256:0", assaydigestprofile="p"), "soft digest"),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_what_can_be_rewritten_under_the_same_id_is_named_as_a_claim_and_refused_by_the_attestation(name, case, good):
    change, member = REWRITTEN[name]
    forged = world.resealed(world.made(), change)
    result = case(forged)
    assert result.facts.bundle_id == world.unpack(world.made())[0]["bundle_id"]
    assert member in result.check("manifest").reason.partition("Only claimed: ")[2].split(", ")
    assert result.exit_code == 4
    attested = case(forged, attested=envelope(good))
    assert [check.id for check in attested.of("fail")] == ["statement"]
    assert "the subject has the digest" in attested.check("statement").reason


def in_data(text):
    return lambda _, events: events[3]["data"].update(note=text)


TOKEN = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
FLAGGED = {
    "06_time_backwards": (lambda _, events: events[2].update(time="2020-01-01T00:00:00Z"), "time_backwards", [3]),
    "36_secret_in_data": (in_data(f"token {TOKEN}"), "secret", [4]),
    "36_secret_denied": (in_data(f"token {TOKEN}"), "secret_denied", [4]),
    "38_unknown_type": (lambda _, events: events[0].update(type="vendor.thing.v1"), "unknown_type", [1]),
    "38_two_producers": (lambda _, events: events[4].update(assayproducer="x"), "producer_differs", [1]),
    "39_one_time_for_all": (every_event(time="2026-08-01T10:00:00Z"), "time_equal", [1]),
}


@pytest.mark.parametrize("name", FLAGGED)
def test_what_speaks_against_the_content_is_flagged_by_the_check_of_events(name, case):
    change, doubt, lines = FLAGGED[name]
    result = case(world.resealed(world.made(), change))
    assert result.check("events").outcome == "warn"
    found = {each["id"]: each for each in result.facts.claims["doubts"]}
    assert found[doubt]["lines"] == lines
    assert found[doubt]["says"] in result.check("events").reason


def test_two_events_of_one_time_go_backwards_no_more_than_forwards(case):
    result = case(world.resealed(world.made(), lambda _, events: events[2].update(time=events[1]["time"])))
    assert result.facts.claims["doubts"] == []


def used(mandate, at=2, **changes):
    """A use of a mandate at that second."""
    said = {
        "mandate_id": mandate["mandate_id"],
        "use_id": "u-1",
        "tool_call_id": "c",
        "use_count": 1,
        "consumed_at": world.at(at),
    }
    return {"type_": "assay.mandate.used.v1", "data": {**said, **changes}}


def declared(mandate, **changes):
    return {"type_": "assay.mandate.v1", "data": {**mandate, **changes}}


FREE = world.mandate()
ONCE = world.mandate(constraints={"single_use": True})
SHORT = world.mandate(validity={"issued_at": world.at(0), "not_before": world.at(1), "expires_at": world.at(3)})
REVOKED = {"type_": "assay.mandate.revoked.v1", "data": {"mandate_id": FREE["mandate_id"], "revoked_at": world.at(2)}}
MANDATES = {
    "34_kept": ([declared(FREE), used(FREE), used(FREE, use_id="u-2")], {}),
    "34_kept_when_told_after_its_use": ([used(SHORT), declared(SHORT)], {}),
    "34_revoked_after_its_use": ([declared(FREE), used(FREE, at=1), REVOKED], {}),
    "34_absent": ([used(FREE)], {"mandate_absent": [1]}),
    "34_of_another_content": ([declared(FREE, principal={"subject": "mallory"})], {"mandate_id_differs": [1]}),
    "34_before_its_window": ([declared(SHORT), used(SHORT, at=0)], {"mandate_outside_window": [2]}),
    "34_at_the_end_of_its_window": ([declared(SHORT), used(SHORT, at=3)], {"mandate_outside_window": [2]}),
    "34_used_twice": ([declared(ONCE), used(ONCE), used(ONCE, use_id="u-2")], {"mandate_used_too_often": [3]}),
    "34_one_use_twice": ([declared(FREE), used(FREE), used(FREE)], {"mandate_used_too_often": [3]}),
    "34_after_it_was_revoked": ([declared(FREE), REVOKED, used(FREE, at=2)], {"mandate_revoked": [3]}),
    "34_without_form": ([{"type_": "assay.mandate.v1", "data": 7}, used(FREE, consumed_at=3)], {"mandate_unreadable": [1, 2]}),
}  # fmt: skip


@pytest.mark.parametrize("name", MANDATES)
def test_a_mandate_counts_by_its_window_its_uses_and_its_own_id(name, case):
    content, expected = MANDATES[name]
    result = case(world.made(content))
    assert {each["id"]: each["lines"] for each in result.facts.claims["doubts"]} == expected
    assert result.check("events").outcome == ("warn" if expected else "pass")


def test_more_mandates_than_are_compared_are_said(case, tmp_path):
    path = tmp_path / "m.tar.gz"
    path.write_bytes(world.made([declared(FREE), used(FREE), used(FREE, use_id="2"), used(FREE, use_id="3")]))
    claims = read_assay(path, AssayLimits(mandates_max=2)).claims
    assert [(doubt.id, doubt.lines) for doubt in claims.doubts] == [("mandates_not_all", (3,))]


HOLDS_A_SECRET = {
    "data": in_data(f"token {TOKEN}"),
    "policy_id": every_event(assaypolicyid=TOKEN),
    "source": every_event(source=f"urn:{TOKEN}"),
    "type": lambda _, events: events[0].update(type=f"a.{TOKEN}"),
    "producer": lambda manifest, _: manifest["producer"].update(name=TOKEN),
}


@pytest.mark.parametrize("name", HOLDS_A_SECRET)
def test_a_secret_is_flagged_and_not_told_again(name, case):
    result = case(world.resealed(world.made(), HOLDS_A_SECRET[name]))
    assert result.exit_code == 4
    assert TOKEN not in json.dumps(result.to_json())


@pytest.mark.parametrize("cut", [slice(0, 4), slice(1, None)], ids=["16_last_dropped", "17_first_dropped"])
def test_dropped_events_cannot_be_seen_and_the_chain_says_so_each_time(cut, case):
    def change(_, events):
        events[:] = events[cut]
        for index, event in enumerate(events):
            event.update(assayseq=index, id=f"run-a:{index}")

    result = case(world.resealed(world.made(), change))
    assert result.check("chain").outcome == "warn"
    assert "missing at the beginning or the end" in result.check("chain").reason


OURS = {
    "01_run_id": {"runid": "run-2"},
    "02_times": {"time": "2031-01-01T00:00:00.000000000Z"},
    "03_source": {"source": "urn:other"},
    "04_policy": {"data": {"kind": "policy", "idempotency_key": "k", "body": {"gated_tools": []}}},
    "05_trace_context": {"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"},
}


@pytest.mark.parametrize("name", OURS)
def test_the_same_rewriting_of_our_own_bundle_gives_it_another_id(name, tmp_path):
    facts = ours.seal_run(tmp_path)
    key = generate()
    ours.attest(key, facts)
    members = ours.unpack(facts.path)
    events = [json.loads(line) for line in members["events.ndjson"].splitlines()]
    for event in events if name != "04_policy" else events[5:6]:
        event.update(OURS[name], id=f"{OURS[name].get('runid', 'run-1')}:{event['seq']}")
    forged = ours.with_events(members, world.lines(events))
    forged = ours.with_manifest(forged, lambda manifest: manifest.update(run_id=events[0]["runid"]))
    facts.path.write_bytes(ours.pack(forged))
    result = verify_file(facts.path, trust=Trust.of(key.public), recompute=False)
    assert result.facts.bundle_id not in (None, facts.bundle_id)
    assert [check.id for check in result.of("fail")] == ["statement"]
    assert "does not name the bundle" in result.check("statement").reason


# ---------------------------------------------------------------- 7-20, 24-27: what is refused


def text(data, old, new, **changes):
    """Seal with the lines replaced by a text that says `new` for `old`."""
    manifest, events = world.unpack(data)
    for event in events:
        event["assaycontenthash"] = world.hashed(event)
    raw = world.lines(events)
    assert old in raw
    return world.sealed(manifest, events, raw.replace(old, new, 1), **changes)


def manifest_text(data, change):
    manifest, events = world.unpack(data)
    return world.packed(change(canonical(manifest)), world.lines(events))


def manifest_with(**changes):
    return lambda data: world.sealed(*world.unpack(data), **changes)


def one_event(**changes):
    return lambda data: world.resealed(data, lambda _, events: events[1].update(changes))


def without(member):
    return lambda data: world.resealed(data, lambda _, events: events[1].pop(member))


def members(*order, header=bytes):
    """The archive of these members of a good bundle, or of contents of one's own."""

    def build(data):
        manifest, events = world.unpack(data)
        known = {"manifest.json": canonical(manifest), "events.ndjson": world.lines(events)}
        parts = [(each, known.get(each, b"x")) if isinstance(each, str) else each for each in order]
        tar = b"".join(world.member(name, content, header) for name, content in parts)
        return world.gzipped(tar + bytes(1024))

    return build


def patched(at, value):
    return lambda block: block[:at] + value + block[at + len(value) :]


def edited_payload(data):
    """Payload changed, file digest pinned again, the content hash left as it was."""
    manifest, events = world.unpack(data)
    raw = world.lines(events).replace(b'"within_limit"', b'"exempt_limit"')
    return world.sealed(manifest, events, raw)


MANIFEST, EVENTS = "manifest.json", "events.ndjson"
BOTH = (MANIFEST, EVENTS)
DEEP = b'{"a":' * 70 + b"1" + b"}" * 70
REFUSED = {
    "07_bytes_after_gzip": (lambda d: d + b"\0", "container", "bytes after the end of the member"),
    "07_text_after_gzip": (lambda d: d + b"signed: yes", "container", "bytes after the end of the member"),
    "08_second_gzip_member": (lambda d: d + world.gzipped(b"more"), "container", "bytes after the end of the member"),
    "08_gzip_name": (lambda d: d[:3] + b"\x08" + d[4:10] + b"name\0" + d[10:], "container", "gzip header"),
    "09_space_in_a_line": (lambda d: text(d, b'"assayseq":1', b'"assayseq": 1'), "events", "line 2: not in RFC 8785"),
    "09_number_form": (lambda d: text(d, b'"weight":0.5', b'"weight":5e-1'), "events", "line 3: not in RFC 8785"),
    "09_escaped_character": (lambda d: text(d, "häufig".encode(), b"h\\u00e4ufig"), "events", "line 4: not in RFC 8785"),
    "10_pretty_manifest": (lambda d: manifest_text(d, lambda m: json.dumps(json.loads(m), indent=1).encode()), "manifest", "not in RFC 8785"),
    "11_absent_file_listed": (manifest_with(files={EVENTS: {}, "more.json": {}}), "manifest", "files: expected events.ndjson alone"),
    "12_algorithms_lie": (manifest_with(algorithms={"canon": "none", "hash": "md5", "root": "xor"}), "manifest", "algorithms: expected"),
    "13_extra_claim": (manifest_with(packs_applied=["eu-ai-act"]), "manifest", "unknown member 'packs_applied', which nothing binds"),
    "13_extra_claim_in_producer": (
        manifest_with(producer={"name": "a", "version": "1", "audited": "yes"}),
        "manifest", "producer: unknown member 'audited'",
    ),
    "13_extra_claim_in_an_event": (one_event(assayverified=True), "events", "line 2: unknown member 'assayverified', which nothing binds"),
    "14_crlf": (lambda d: text(d, b"\n", b"\r\n"), "events", "line 1: not in RFC 8785"),
    "15_no_final_newline": (lambda d: world.sealed(*(u := world.unpack(d)), world.lines(u[1])[:-1]), "events", "does not end with a newline"),
    "18_duplicate_key": (lambda d: text(d, b'"assayseq":1', b'"assayseq":1,"assayseq":1'), "events", "line 2: not in RFC 8785"),
    "18_duplicate_key_escaped": (lambda d: text(d, b'"assayseq":1', b'"assaysec":0,"assayse\\u0071":1'), "events", "line 2"),
    "18_lone_surrogate": (lambda d: text(d, b'"within_limit"', b'"\\ud800"'), "events", "line 2: not JSON"),
    "18_depth": (lambda d: text(d, b'"data":{"source":"ci"}', b'"data":' + DEEP), "events", "line 1: nested deeper than 64"),
    "18_bom": (lambda d: text(d, b"", b"\xef\xbb\xbf"), "events", "line 1: begins with a byte order mark"),
    "18_blank_line": (lambda d: text(d, b"\n", b"\n\n"), "events", "line 2: a blank line"),
    "18_not_utf8": (lambda d: text(d, "ä".encode(), b"\xff"), "events", "line 4: not JSON"),
    "18_duplicate_key_in_manifest": (
        lambda d: manifest_text(d, lambda m: m.replace(b'"run_id"', b'"run_id":"x","run_id"')),
        "manifest", "not in RFC 8785",
    ),
    "19_duplicate_member": (members(*BOTH, EVENTS), "files", "'events.ndjson': expected the end"),
    "19_extra_member": (members(*BOTH, "notes.txt"), "files", "'notes.txt': expected the end"),
    "19_reordered": (members(EVENTS, MANIFEST), "files", "'events.ndjson': out of order, expected manifest.json"),
    "19_manifest_twice": (members(MANIFEST, MANIFEST, EVENTS), "files", "a second one of that name"),
    "19_traversing": (members(MANIFEST, "../events.ndjson"), "files", "a path that leaves its folder"),
    "19_absolute": (members(MANIFEST, "/events.ndjson"), "files", "an absolute path"),
    "19_dotted": (members(MANIFEST, "./events.ndjson"), "files", "not a member of an Assay bundle"),
    "19_missing": (members(MANIFEST), "files", "expected the member events.ndjson, got the end"),
    "19_link": (members(*BOTH, header=patched(156, b"1" + b"target")), "container", "expected a regular file, got type b'1'"),
    "19_symlink": (members(*BOTH, header=patched(156, b"2" + b"target")), "container", "expected a regular file, got type b'2'"),
    "19_sparse": (members(*BOTH, header=patched(156, b"S")), "container", "expected a regular file, got type b'S'"),
    "19_pax": (members(MANIFEST, ("PaxHeaders/x", b"12 path=abc\n")), "files", "'PaxHeaders/x': not a member"),
    "19_pax_header": (members(*BOTH, header=patched(156, b"x")), "container", "expected a regular file, got type b'x'"),
    "19_prefix": (members(*BOTH, header=patched(345, b"folder")), "container", "a link, device, prefix or extension"),
    "19_hidden_in_padding": (
        lambda d: world.gzipped(world.archive(d)[:-1030] + b"hidden" + bytes(1024)),
        "container", "padding behind a member",
    ),
    "19_hidden_at_the_end": (
        lambda d: world.gzipped(world.archive(d) + b"hidden".ljust(512, b"\0")),
        "container", "bytes after the end of the archive",
    ),
    "19_one_zero_block": (lambda d: world.gzipped(world.archive(d)[:-512]), "container", "one zero block"),
    "20_zeros_without_end": (lambda d: world.gzipped(world.archive(d) + bytes(512 * 40)), "container", "more than 20 zero blocks"),
    "20_oversize_line": (lambda d: text(d, b'"within_limit"', b'"' + b"x" * 1024 * 1024 + b'"'), "events", "expected at most 1048576"),
    "20_oversize_member": (members(MANIFEST, (EVENTS, b""), header=patched(124, b"77777777777\0")), "files", "says 8589934591 bytes"),
    "24_cut_after_the_manifest": (lambda d: world.gzipped(world.archive(d)[:1536]), "container", "the archive ends early"),
    "24_cut_in_half": (lambda d: d[: len(d) // 2], "container", "the stream ends early"),
    "24_cut_by_one_byte": (lambda d: d[:-1], "container", "gzip: expected the trailer"),
    "25_no_events": (lambda d: world.sealed(world.unpack(d)[0], []), "manifest", "event_count: expected 1 to 100000, got 0"),
    "26_stale_content_hash": (edited_payload, "events", "line 2: assaycontenthash: expected"),
    "26_no_content_hash": (
        lambda d: text(d, b'"assaycontenthash":', b'"assaycontenthasj":'),
        "events", "line 1: assaycontenthash: expected str, got nothing",
    ),
    "27_gap": (one_event(assayseq=2, id="run-a:2"), "events", "line 2: assayseq: expected 1, got 2"),
    "27_wrong_start": (lambda d: world.resealed(d, lambda _, e: e.pop(0)), "events", "line 1: assayseq: expected 0, got 1"),
    "27_wrong_id": (one_event(id="run-a:7"), "events", "line 2: id: expected run-a:1"),
    "27_mixed_run": (one_event(assayrunid="run-b"), "events", "line 2: assayrunid: expected 'run-a'"),
    "27_mixed_source": (one_event(source="urn:other"), "events", "line 2: source: expected 'urn:assay:test'"),
    "27_source_is_no_uri": (lambda d: world.resealed(d, every_event(source=":x")), "events", "line 1: source: expected a URI"),
    "27_wrong_count": (manifest_with(event_count=6), "events", "expected 6 events, got 5"),
    "27_wrong_size": (
        manifest_with(files={EVENTS: {"path": EVENTS, "sha256": "sha256:" + "0" * 64, "bytes": 1}}),
        "files", "expected 1 bytes",
    ),
    "27_wrong_file_digest": (
        lambda d: world.sealed(*(u := world.unpack(d)), files={EVENTS: {**u[0]["files"][EVENTS], "sha256": "sha256:" + "0" * 64}}),
        "files", "events.ndjson: expected sha256:0",
    ),
    "27_wrong_root": (manifest_with(run_root="sha256:" + "1" * 64), "events", "run root: expected sha256:1"),
    "27_wrong_bundle_id": (manifest_with(bundle_id="sha256:" + "1" * 64), "manifest", "bundle_id: expected the run root"),
    "27_run_id_with_colon": (manifest_with(run_id="a:b"), "manifest", "run_id: expected a non-empty string without a colon"),
    "27_specversion": (one_event(specversion="1.1"), "events", "line 2: specversion: expected '1.0'"),
    "27_local_time": (one_event(time="2026-08-01T10:00:01+02:00"), "events", "line 2: time: expected RFC 3339 in UTC"),
    "27_null_subject": (
        lambda d: world.resealed(d, lambda _, e: e[1].update(subject=None)),
        "events", "line 2: subject: expected str, got NoneType",
    ),
    "27_number_as_flag": (one_event(assaypii=0), "events", "line 2: assaypii: expected bool, got int"),
    "27_member_missing": (without("assaygit"), "events", "line 2: assaygit: expected str, got nothing"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_format_lets_pass_or_must_not_is_refused_by_the_named_check(name, case):
    forge, check, says = REFUSED[name]
    result = case(forge(world.made()))
    assert result.exit_code == 1
    assert [each.id for each in result.of("fail")] == [check]
    assert says in result.check(check).reason
    assert result.facts.claims is None


def test_another_schema_version_is_undecided_and_not_wrong(case):
    result = case(manifest_with(schema_version=2)(world.made()))
    assert outcomes(result, "manifest") == ["undecided"]
    assert result.exit_code == 4


CONTAINER = {
    "gzip_time": (lambda d: d[:4] + b"\1\2\3\4" + d[8:], "gzip time"),
    "gzip_system": (lambda d: d[:9] + b"\3" + d[10:], "gzip system 3"),
    "mode": (members(*BOTH, header=patched(100, b"0000777")), "mode '0000777'"),
    "owner": (members(*BOTH, header=patched(265, b"mallo")), "user 'mallo'"),
    "time": (members(*BOTH, header=patched(136, b"15236423334")), "time '15236423334'"),
    "ustar": (members(*BOTH, header=patched(257, b"ustar\x0000")), "flavour ustar"),
    "padded": (lambda d: world.gzipped(world.archive(d) + bytes(512 * 10)), "12 zero blocks"),
}


@pytest.mark.parametrize("name", CONTAINER)
def test_what_only_describes_the_file_is_read_and_flagged_by_the_check_of_the_container(name, case):
    forge, says = CONTAINER[name]
    result = case(forge(world.made()))
    assert result.check("container").outcome == "warn"
    assert says in result.check("container").reason


# ---------------------------------------------------------------- 21-23: the attestation


def test_21_two_runs_with_one_id_are_two_files_and_the_attestation_of_one_is_not_the_others(case, good):
    other = world.made(run_id="run-b")
    result = case(other, attested=envelope(good))
    assert json.loads(good)["subject"][0]["name"] == result.facts.bundle_id
    assert [check.id for check in result.of("fail")] == ["statement"]


def changed(payload, **changes):
    return canonical({**json.loads(payload), **changes})


def in_predicate(payload, path, value):
    said = json.loads(payload)
    at = said["predicate"]
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return canonical(said)


SUBJECT = [{"name": "n", "digest": {"sha256": "0" * 64}}]
STATEMENTS = {
    "22_other_container": (lambda p: changed(p, subject=SUBJECT), "fail", "the subject has the digest"),
    "22_other_name": (lambda p: changed(p, subject=[{**json.loads(p)["subject"][0], "name": "x"}]), "fail", "the subject is called"),
    "two_subjects": (lambda p: changed(p, subject=json.loads(p)["subject"] + SUBJECT), "fail", "2 subjects, expected exactly one"),
    "no_subject": (lambda p: changed(p, subject=[]), "fail", "0 subjects"),
    "two_digests": (
        lambda p: changed(p, subject=[{"name": "n", "digest": {"sha256": "0" * 64, "md5": "0"}}]),
        "undecided", "unknown member 'md5'",
    ),
    "old_predicate": (lambda p: changed(p, predicateType=PREDICATE_TYPE_V0), "undecided", "names no file"),
    "other_predicate": (lambda p: changed(p, predicateType="urn:x"), "undecided", "predicateType"),
    "other_statement": (lambda p: changed(p, _type="urn:x"), "undecided", "_type"),
    "not_canonical": (lambda p: p.replace(b'"_type":', b'"_type": '), "fail", "not in RFC 8785"),
    "not_json": (lambda p: b"{", "fail", "not JSON"),
    "more_predicate": (lambda p: in_predicate(p, ["audited"], True), "undecided", "unknown member 'audited'"),
}  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_signed_statement_that_is_not_about_this_bundle_is_not_accepted(name, case, good):
    change, outcome, says = STATEMENTS[name]
    result = case(attested=envelope(change(good)))
    assert outcomes(result, "statement", "signature") == [outcome, "pass"]
    assert says in result.check("statement").reason
    assert result.exit_code in (1, 4)


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    else:
        yield path, value


def test_every_field_of_the_predicate_is_worked_out_again(case, good, tmp_path):
    path = tmp_path / "good.tar.gz"
    said = predicate(read_assay(path))
    paths = list(leaves(said))
    assert len(paths) == 10
    for place, value in paths:
        lie = value + 1 if isinstance(value, int) else f"{value}x"
        result = case(attested=envelope(in_predicate(good, place, lie)))
        assert result.check("statement").outcome == "fail", place
        assert f"predicate.{'.'.join(place)} is" in result.check("statement").reason


def signatures(*more):
    return lambda good: envelope(good, signatures=[*json.loads(envelope(good))["signatures"], *more])


def with_keyid(value):
    return lambda good: envelope(good, signatures=[{**json.loads(envelope(good))["signatures"][0], "keyid": value}])


ENVELOPES = {
    "23_second_signature": (signatures({"keyid": "x", "sig": "AAAA"}), "envelope", "fail", "2 signatures, expected exactly one"),
    "23_no_signature": (lambda p: envelope(p, signatures=[]), "envelope", "fail", "0 signatures"),
    "23_keyid_changed": (with_keyid("sha256:" + "0" * 64), "signature", "fail", "keyid is"),
    "other_key": (lambda p: envelope(p, key=generate("ed25519")), "signature", "fail", "not made over this statement by a trusted"),
    "other_payload_type": (lambda p: envelope(p, payload_type="text/plain"), "statement", "fail", "payload type is 'text/plain'"),
    "payload_type_only_said": (lambda p: envelope(p, payloadType="text/plain"), "signature", "fail", "not made over"),
    "unknown_member": (lambda p: envelope(p, note="x"), "envelope", "undecided", "unknown member 'note'"),
    "base64_slack": (
        lambda p: envelope(p, payload=json.loads(envelope(p))["payload"] + "\n"), "envelope",
        "fail", "payload is not standard base64",
    ),
    "duplicate_key": (lambda p: envelope(p).replace(b'{"payload"', b'{"payloadType":"x","payload"'), "envelope", "fail", "duplicate key"),
    "not_json": (lambda p: b"%", "envelope", "fail", "not JSON"),
    "array": (lambda p: b"[]", "envelope", "fail", "expected an object"),
    "deep": (lambda p: b"[" * 200 + b"]" * 200, "envelope", "fail", "nested deeper"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_an_envelope_that_is_not_one_good_signature_is_not_accepted(name, case, good):
    build, check, outcome, says = ENVELOPES[name]
    result = case(attested=build(good))
    assert result.check(check).outcome == outcome
    assert says in result.check(check).reason
    assert result.exit_code in (1, 4)
    assert result.facts.signed_by is None or check == "statement"


def test_an_envelope_as_assay_prints_it_is_read(case, good):
    printed = json.dumps(json.loads(envelope(good)), indent=2).encode() + b"\n"
    assert case(attested=printed).verdict == "verified"


def test_a_p256_key_signs_no_such_attestation(case, good):
    key = generate()
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    sig = base64.b64encode(key.native.sign(pae(PAYLOAD_TYPE, good), ec.ECDSA(hashes.SHA256()))).decode()
    made = envelope(good, signatures=[{"keyid": f"sha256:{key.public.fingerprint}", "sig": sig}])
    assert outcomes(case(attested=made, trust=Trust.of(key.public)), "signature") == ["fail"]


ASKS = {
    "window": (Trust(keys=(TrustedKey(public=KEY.public, valid_until="2030-01-01T00:00:00.000000000Z"),)), "while the key was valid"),
    "revoked": (Trust(keys=(TrustedKey(public=KEY.public, revoked_at="2020-01-01T00:00:00.000000000Z"),)), "while the key was valid"),
    "timestamp": (Trust(keys=TRUST.keys, required=Required(timestamps=1)), "a timestamp"),
    "signers": (Trust(keys=TRUST.keys, required=Required(signers=2)), "several signers"),
    "log": (Trust(keys=TRUST.keys, required=Required(sidecar_log=True)), "a sidecar's log"),
    "delay": (Trust(keys=TRUST.keys, required=Required(delay_seconds_max=1)), "a delay"),
    "predicate": (Trust(keys=TRUST.keys, accepted=Accepted(predicate_types=frozenset({"urn:x"}))), PREDICATE_TYPE),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKS)
def test_what_trust_asks_for_and_such_an_attestation_cannot_have_leaves_it_undecided(name, case, good):
    trust, says = ASKS[name]
    result = case(attested=envelope(good), trust=trust)
    assert outcomes(result, "signature", "trust") == ["pass", "undecided"]
    assert says in result.check("trust").reason
    assert result.exit_code == 4


def test_a_policy_and_disclosures_speak_of_other_bundles_and_leave_it_undecided(case, good, tmp_path):
    policy = Policy(name="p", version="1", digest="sha256:" + "0" * 64, trust=TRUST)
    result = case(attested=envelope(good), trust=None, policy=policy, at="2026-08-02T00:00:00.000000000Z")
    assert (result.check("policy").outcome, result.exit_code) == ("undecided", 4)
    shown = tmp_path / "d.ndjson"
    shown.write_bytes(b"")
    assert outcomes(case(attested=envelope(good), disclosed=shown), "disclosed") == ["undecided"]


def test_a_refused_bundle_is_still_held_to_its_attestation(case, good):
    result = case(world.made() + b"\0", attested=envelope(good))
    assert [check.id for check in result.of("fail")] == ["container", "statement"]


def test_a_file_that_cannot_be_read_is_undecided(tmp_path):
    assert verify_assay(tmp_path / "absent").exit_code == 4


def test_it_stands_among_others_and_no_chain_is_made_of_it(tmp_path):
    first, second = tmp_path / "a.tar.gz", tmp_path / "b.tar.gz"
    first.write_bytes(world.made())
    second.write_bytes(world.made(run_id="run-b"))
    summary = verify_files([first, second])
    assert [result.verdict for result in summary.results] == ["undecided", "undecided"]


# ---------------------------------------------------------------- single bits, any bytes


def test_a_flipped_bit_of_any_byte_of_the_file_is_never_verified(case, good, tmp_path):
    attested = envelope(good)
    data = world.made()
    case(data, attested=attested)
    path, beside = tmp_path / "bundle.tar.gz", tmp_path / "envelope.json"
    descriptor = os.open(path, os.O_WRONLY)
    try:
        for at in range(len(data)):
            os.pwrite(descriptor, bytes([data[at] ^ 1 << at * 5 % 8]), at)
            result = verify_file(path, attestation=beside, trust=TRUST)
            assert result.exit_code in (1, 4), at
            os.pwrite(descriptor, data[at : at + 1], at)
    finally:
        os.close(descriptor)


@settings(max_examples=times(2))
@given(where=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_of_the_envelope_is_never_verified(where, bit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flip")
    path, beside = folder / "b.tar.gz", folder / "e.json"
    path.write_bytes(world.made())
    data = bytearray(envelope(statement(read_assay(path))))
    data[where % len(data)] ^= 1 << bit
    beside.write_bytes(data)
    result = verify_file(path, attestation=beside, trust=TRUST)
    assert result.verdict != "verified" or json.loads(data) == json.loads(envelope(statement(read_assay(path))))


@settings(max_examples=times(2))
@given(data=st.binary(max_size=400), wrapped=st.booleans(), attested=st.binary(max_size=200))
def test_any_bytes_are_a_verdict(data, wrapped, attested, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    path, beside = folder / "b.tar.gz", folder / "e.json"
    path.write_bytes(world.packed(data, b"") if wrapped else data)
    beside.write_bytes(attested)
    for verify in (verify_file, verify_assay):
        assert verify(path, attestation=beside, trust=TRUST).verdict in ("invalid", "undecided")
