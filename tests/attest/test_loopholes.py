"""Loopholes that an attacker found, closed: each with the attack that went through it."""

import base64
import json
import os
import re

import pytest
from click.testing import CliRunner
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attest.attest import attest_bundles
from attest.attestation.statement import LogEvidence, statement
from attest.errors import FetchError, InvalidError, KeyFileError, PolicyError, SigningError
from attest.keys import generate, is_anyones, load_public, save
from attest.limits import DEFAULT
from attest.log_audit import hold
from attest.many.chain import Link, look
from attest.many.folder import find
from attest.policy.file import read_policy
from attest.results.check import check_result
from attest.results.result import result_statement
from attest.sarif import sarif
from attest.signers.failure import line
from attest.signers.key import KeySigner
from attest.signers.key_uri import check_key
from attest.signers.services import MEDIA_TYPE, read_services
from attest.tlog.checkpoint import sign_checkpoint
from attest.tlog.cosignature import cosign
from attest.tlog.note import COSIGNATURE_V1, ED25519, VerifierKey, verifier_key
from attest.tlog.proof import InclusionProof
from attest.trust.identity_pattern import takes_anyone
from attest.trust.trust import Identity, Required, Trust, TrustedKey
from attest.trust_fetch import Repository, fetch
from attest.verify import verify_file
from evidence.bundle import sealing
from evidence.canonical import canonical
from evidence.digest import sha256_hex
from evidence.merkle import leaf_hash
from evidence.packs import builtin, read_pack
from sidecar.cli.attest import attest
from tests.attest import sigstore_world as sw
from tests.attest import world
from tests.sigstore.forge import forge
from tests.sigstore.loopback import IDENTITY

HEAD = 'schema: affidavit.policy.v1\nname: strict\nversion: "1"\nkeys: [{file: key.pub}]\n'


@pytest.fixture
def judged(tmp_path, key):
    """Verifies a bundle by a policy that trusts the key, with these lines more."""

    def judge(facts, policy):
        (tmp_path / "key.pub").write_bytes(key.public.to_pem())
        path = tmp_path / "policy.yaml"
        path.write_text(HEAD + policy)
        return verify_file(facts.path, policy=read_policy(path))

    return judge


# ---------------------------------------------------------------- accepted, and should not be


def test_witnesses_of_a_log_that_nobody_trusts_do_not_meet_a_policy_that_asks_for_witnesses(tmp_path, key, judged):
    ours, theirs, witness = (Ed25519PrivateKey.from_private_bytes(bytes([at]) * 32) for at in range(3))
    facts = world.seal_run(tmp_path)
    root = leaf_hash(bytes.fromhex(facts.manifest_sha256))
    checkpoint = sign_checkpoint("stranger.example/log", 1, root, theirs)
    checkpoint = checkpoint.with_signatures([cosign(checkpoint.note.text, "witness.example", witness, 1_795_255_300)])
    log = LogEvidence(checkpoint=checkpoint, proofs={facts.bundle_id: InclusionProof(index=0, hashes=())})
    signed = attest_bundles([facts], KeySigner(key), producer=world.PRODUCER, log=log)
    (tmp_path / "run-1.sigstore.json").write_bytes(signed)
    trusted = f"logs: ['{verifier_key('ours.example/log', ours)}']\n"
    trusted += f"witnesses: ['{verifier_key('witness.example', witness, COSIGNATURE_V1)}']\n"
    result = judged(facts, f"{trusted}require: {{witnesses: 1}}\n")
    assert (result.check("log").outcome, result.verdict) == ("undecided", "undecided")


def test_a_pack_of_the_same_name_and_version_lends_its_score_to_no_pinned_one(tmp_path, key, judged, monkeypatch):
    pinned = builtin("baseline")
    easy = read_pack(
        f'name: {pinned.name}\nversion: "{pinned.version}"\nkind: {pinned.kind}\ndescription: easy\n'
        "x-assay: {requires_signals: [session_lifecycle]}\n"
        "rules: [{id: A-1, title: t, severity: error, signals: [{id: session_lifecycle, min_state: captured}]}]\n".encode(),
        "easy.yaml",
    )
    monkeypatch.setitem(vars(sealing), "len", lambda some: 2 if isinstance(some, set) else len(some))  # who seals, may
    facts = world.seal_run(tmp_path, packs=[pinned, easy])
    world.attest(key, facts)
    threshold = f"packs: [{{name: baseline, digest: '{pinned.digest}', completeness_min: 0.99}}]\n"
    result = judged(facts, threshold)
    assert (result.check("reports").outcome, result.verdict) == ("fail", "invalid")
    assert "applied twice" in result.check("reports").reason


def test_a_result_does_not_say_of_another_tools_bundle_that_its_capture_is_undoubted(tmp_path):
    from tests.attest.test_assay import KEY, envelope
    from tests.evidence import assay_world

    path, beside = tmp_path / "bundle.tar.gz", tmp_path / "envelope.json"
    path.write_bytes(assay_world.made())
    from attest.assay.attestation import statement
    from evidence.assay.reader import read_assay

    beside.write_bytes(envelope(statement(read_assay(path))))
    result = verify_file(path, attestation=beside, trust=Trust.of(KEY.public))
    assert result.verdict == "verified"
    stated = json.loads(result_statement([result], "2026-11-21T12:00:00Z"))["predicate"]["properties"]
    assert stated == ["AFFIDAVIT_INTEGRITY_INTACT", "AFFIDAVIT_SIGNER_TRUSTED"]


@pytest.mark.parametrize("pattern", [".+@.+", "https?://.+", ".{3,}", ".*", "[^ ]+/.+", "(.+@.+|nobody)"])
def test_a_pattern_that_takes_whoever_has_an_address_takes_anyone(pattern):
    assert takes_anyone(pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"[^@]+@example\.com", r"https://github\.com/acme/.+", ".*@example.com|x", "nobody@.+", "https://q.example/.*"],
)
def test_a_pattern_that_names_anything_does_not_take_anyone(pattern):
    assert not takes_anyone(pattern)


# ---------------------------------------------------------------- made worse by whoever may add a file


def test_junk_beside_a_bundle_makes_nothing_invalid_that_was_undecided(tmp_path, key):
    facts = world.seal_run(tmp_path)
    world.attest(key, facts)
    dated = TrustedKey(public=key.public, valid_until="2027-01-01T00:00:00.000000000Z")
    trust = Trust(keys=(dated,), required=Required(timestamps=1))
    alone = verify_file(facts.path, trust=trust)
    (tmp_path / "run-1.2.sigstore.json").write_bytes(b"junk")
    result = verify_file(facts.path, trust=trust)
    assert alone.verdict == result.verdict == "undecided"
    assert result.check("cosigned").outcome == "warn"


def test_as_many_contradicting_bundles_as_anyone_can_make_are_compared_once_each():
    def link(number, **changes):
        about = {"run_id": "run", "part": 1, "first_seq": 0, "last_seq": 1, "opened_at": "", **changes}
        named = {"bundle_id": f"{number:064x}", "manifest_sha256": f"{number:064x}", "closed_at": f"{number:09d}"}
        return Link(**named, signer=None, source="", vouched=number == 0, **about)

    many = 5_000  # each with each, that was a minute
    parts = look([link(number) for number in range(many)], complete=True).checks()
    assert [parts[at].outcome for at in (0, 1, many - 1)] == ["warn", "fail", "fail"]
    forks = [link(number, run_id=str(number), previous_id="f" * 64) for number in range(many)]
    breaks = [each for each in look(forks, complete=False).breaks if each.kind == "rollback"]
    assert len(breaks) == many - 1
    assert f"{0:064x} had followed that already" in breaks[-1].reason


# ---------------------------------------------------------------- waited for


@pytest.mark.parametrize("name", ["run.evidence.tar.gz", "anything"])
def test_a_pipe_in_the_place_of_a_bundle_is_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    result = verify_file(tmp_path / name)
    assert result.verdict == "undecided"
    assert "no regular file" in result.check("container").reason


def test_a_pipe_in_the_place_of_a_result_or_of_its_file_is_not_waited_for(tmp_path, key):
    os.mkfifo(tmp_path / "pipe")
    assert check_result(tmp_path / "pipe", [], Trust.of(key.public)).verdict == "undecided"
    facts = world.seal_run(tmp_path)
    world.attest(key, facts)
    verified = verify_file(facts.path, trust=Trust.of(key.public))
    from attest.results.result import attest_result

    (tmp_path / "result").write_bytes(attest_result([verified], "2026-11-21T12:00:00Z", KeySigner(key)))
    held = check_result(tmp_path / "result", [tmp_path / "pipe"], Trust.of(key.public))
    assert (held.held[0].outcome, held.verdict) == ("undecided", "undecided")


def test_what_is_no_file_is_counted_among_what_was_not_looked_at(tmp_path):
    os.mkfifo(tmp_path / "run.evidence.tar.gz")
    assert (find(tmp_path).bundles, find(tmp_path).others) == ((), 1)


# ---------------------------------------------------------------- said, and should not be


def test_what_a_bundle_says_does_not_become_a_link_in_a_report(tmp_path):
    members = world.unpack(world.seal_run(tmp_path).path)
    path = tmp_path / "run-2.evidence.tar.gz"
    path.write_bytes(
        world.pack(world.with_manifest(members, lambda it: it.update({"[sound](https://evil.example)": 1})))
    )
    messages = [result["message"]["text"] for result in sarif([verify_file(path)], version="1")["runs"][0]["results"]]
    assert any("[sound] (https://evil.example)" in text for text in messages)
    assert not any(re.search(r"\]\(", text) for text in messages)


def _jwt():
    parts = ({"alg": "ES256", "typ": "JWT"}, {"sub": "a", "iss": "https://issuer.example"}, {"sig": "x" * 40})
    return ".".join(base64.urlsafe_b64encode(canonical(part)).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize("before", [0, 300, 390], ids=["at-once", "late", "across-the-end"])
def test_a_token_that_a_service_repeats_is_not_repeated(before):
    said = line(ValueError(f"{'x' * before} you sent: Authorization: Bearer {_jwt()}"))
    assert not any(part in said for part in _jwt().split("."))
    assert "eyJ" not in said


@pytest.mark.parametrize("member", ["caUrls", "rekorTlogUrls", "tsaUrls"])
def test_an_address_with_a_password_is_refused_and_not_repeated(member):
    urls = {name: [{"url": "https://a.example"}] for name in ("caUrls", "rekorTlogUrls", "tsaUrls")}
    urls[member] = [{"url": "https://user:s3cret@a.example"}]
    with pytest.raises(SigningError, match="password") as refused:
        read_services(json.dumps({"mediaType": MEDIA_TYPE, "signingConfig": urls}).encode())
    assert "s3cret" not in str(refused.value)


def test_a_repository_with_a_password_in_its_address_is_refused_and_not_repeated():
    with pytest.raises(FetchError, match="password") as refused:
        fetch(Repository(url="http://user:s3cret@127.0.0.1:9", initial_root=b"{}"), ["trusted_root.json"])
    assert "s3cret" not in str(refused.value)


# ---------------------------------------------------------------- names that are no text


@pytest.fixture
def unnamed(tmp_path):
    """A bundle whose file's name is no UTF-8."""
    facts = world.seal_run(tmp_path)
    path = tmp_path / os.fsdecode(b"run-\xff.evidence.tar.gz")
    facts.path.rename(path)
    return path


def test_a_file_whose_name_is_no_text_has_its_place_in_every_report(unnamed, key):
    held = check_result(unnamed, [unnamed], Trust.of(key.public))
    (logged,) = hold([unnamed])
    for name in (held.file, logged.file):
        assert canonical(name).decode().endswith('run-\N{REPLACEMENT CHARACTER}.evidence.tar.gz"')


def test_one_file_whose_name_no_statement_can_hold_leaves_the_others_signed(unnamed, tmp_path):
    other = world.seal_run(tmp_path, world.run_events("run-2"))
    save(generate(), tmp_path / "key.pem")
    ran = CliRunner().invoke(attest, [str(unnamed), str(other.path), "--key", str(tmp_path / "key.pem")])
    assert ran.exit_code == 1
    assert (tmp_path / "run-2.sigstore.json").exists()
    assert "not signed" in ran.stderr


# ---------------------------------------------------------------- made large by whoever may add a file


@pytest.mark.parametrize("value", [b"0", b"[]", b"[" * 28 + b"]" * 28])
@pytest.mark.parametrize("part", ["attestation", "payload"])
def test_what_a_parser_would_make_much_of_is_refused_before_it_is_parsed(tmp_path, key, part, value):
    facts = world.seal_run(tmp_path)
    many = (
        b'{"a":['
        + (value + b",") * (DEFAULT.json_commas_max // max(1, value.count(b"[")))
        + value
        + b","
        + value
        + b"]}"
    )
    beside = many if part == "attestation" else world.sign_statement(key, many)
    (tmp_path / "run-1.sigstore.json").write_bytes(beside)
    result = verify_file(facts.path, trust=Trust.of(key.public))
    assert result.verdict == "invalid"
    said = result.check("envelope" if part == "attestation" else "statement").reason
    assert f"{'opening brackets' if b'[[' in value else 'commas'}, expected at most" in said


# ---------------------------------------------------------------- one root, or one person, in the place of another


@pytest.fixture(scope="module")
def instances():
    """One, and another that the auditor trusts for something else, and which issues whatever it likes."""
    with sw.start() as public, sw.start() as weak:
        yield public, weak


@pytest.fixture
def public(instances):
    return instances[0]


@pytest.mark.parametrize(("root", "verdict"), [("", "verified"), (", root: public.json", "invalid")])
def test_an_identity_bound_to_a_root_is_issued_by_no_other(tmp_path, judged, instances, root, verdict):
    (public, weak), facts = instances, world.seal_run(tmp_path)
    signed = forge(weak, statement([facts], world.PRODUCER), issuer=public.oidc.url)
    (tmp_path / "run-1.sigstore.json").write_bytes(signed)
    roots = {"public.json": public.trusted_root, "weak.json": weak.trusted_root}
    for name, data in roots.items():
        (tmp_path / name).write_bytes(data)
    listed = ", ".join(f"{{file: {name}, sha256: '{sha256_hex(data)}'}}" for name, data in roots.items())
    who = f"{{identity: '{IDENTITY}', issuer: '{public.oidc.url}'{root}}}"
    assert judged(facts, f"roots: [{listed}]\nidentities: [{who}]\n").verdict == verdict
    warned = "any may issue for an identity that names none" in " ".join(read_policy(tmp_path / "policy.yaml").warnings)
    assert warned == (not root)


def test_a_root_that_is_not_among_the_roots_binds_nobody(tmp_path, judged, public):
    facts = world.seal_run(tmp_path)
    (tmp_path / "public.json").write_bytes(public.trusted_root)
    roots = f"roots: [{{file: public.json, sha256: '{sha256_hex(public.trusted_root)}'}}]\n"
    with pytest.raises(PolicyError, match=r"policy.yaml:6: expected a file of 'roots', got 'other.json'"):
        judged(facts, f"{roots}identities: [{{identity: a, issuer: b, root: other.json}}]\n")


def test_one_person_whom_two_issuers_know_is_one_signer(tmp_path, public):
    facts = world.seal_run(tmp_path)
    issuers = (public.oidc.url, "https://second.example")
    payload = statement([facts], world.PRODUCER)
    identities = tuple(Identity(identity=IDENTITY, issuer=issuer) for issuer in issuers)
    trusted = sw.trust(public, identities=identities, required=Required(signers=2))
    reading = sw.judge(facts, trusted, *(forge(public, payload, issuer=issuer) for issuer in issuers))
    assert (len(reading.signers), sw.outcomes(reading)["cosigned"]) == (1, "undecided")


@pytest.mark.parametrize("uri", ["hsm:2?label=agents&pin-value=271828", "hsm:?label=agents&pin-source=271828"])
def test_a_pin_in_the_name_of_a_key_is_refused_and_not_repeated(uri):
    with pytest.raises(KeyFileError, match="expected hsm:") as refused:
        check_key(uri)
    assert "271828" not in str(refused.value)


# ---------------------------------------------------------------- true, which Python takes for 1


def test_a_statement_that_says_true_where_the_bundle_says_1_is_not_about_it(tmp_path, key):
    facts = world.seal_run(tmp_path)
    said = json.loads(statement([facts], world.PRODUCER))
    said["predicate"]["bundles"][0]["part"] = True
    (tmp_path / "run-1.sigstore.json").write_bytes(world.sign_statement(key, canonical(said)))
    result = verify_file(facts.path, trust=Trust.of(key.public))
    assert (result.check("statement").outcome, result.verdict) == ("fail", "invalid")


def test_capture_health_that_says_1_for_true_is_not_what_the_events_give(tmp_path):
    facts = world.seal_run(tmp_path)
    assert facts.manifest["capture_health"]["sender_uncounted"] is True
    changed = world.with_manifest(
        world.unpack(facts.path), lambda manifest: manifest["capture_health"].update(sender_uncounted=1)
    )
    facts.path.write_bytes(world.pack(changed))
    assert "manifest.json#/capture_health" in verify_file(facts.path).check("reports").reason


# ---------------------------------------------------------------- keys that are anyone's

SMALL_ORDER = [
    "01" + "00" * 31,
    "01" + "00" * 30 + "80",
    "00" * 32,
    "00" * 31 + "80",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 31,
    "ee" + "ff" * 30 + "7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_key_with_which_anyone_can_sign_is_not_trusted_and_names_no_log(point):
    native = Ed25519PublicKey.from_public_bytes(bytes.fromhex(point))
    made = [b"%d" % number for number in range(99) if _verifies(native, b"\1" + bytes(63), b"%d" % number)]
    assert made, "a signature without a private key"
    with pytest.raises(KeyFileError, match="anyone can sign"):
        load_public(native.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(InvalidError, match="anyone can sign"):
        VerifierKey(name="log.example", kind=ED25519, public=bytes.fromhex(point))


def _verifies(native, signature, data):
    try:
        native.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def test_no_key_that_was_made_is_anyones():
    for _ in range(50):
        assert not is_anyones(generate("ed25519").public.native.public_bytes_raw())
