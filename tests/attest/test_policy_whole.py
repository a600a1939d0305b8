"""A policy file from its bytes to a verdict: certificates, keys in time, several signers, against a loopback Sigstore."""

import hashlib
from datetime import timedelta

import pytest

from attest.attestation.statement import statement
from attest.keys import generate
from attest.policy.file import read_policy
from attest.verify import verify_file
from tests.attest import sigstore_world as sw
from tests.attest import world
from tests.sigstore.forge import forge
from tests.sigstore.loopback import IDENTITY

HEAD = 'schema: affidavit.policy.v1\nname: whole\nversion: "1"\n'


@pytest.fixture(scope="module")
def loopback():
    with sw.start() as sigstore:
        sigstore.add_tsa("second")
        sigstore.rekor1.enter(b"{}")
        yield sigstore


@pytest.fixture(scope="module")
def key():
    return generate()


@pytest.fixture
def judged(tmp_path, loopback, key):
    """Lays down a bundle with attestations, a root, a key and a policy, and verifies it by the policy."""

    def judge(policy, *attestations):
        facts = world.seal_run(tmp_path)
        payload = statement([facts], world.PRODUCER)
        for number, make in enumerate(attestations, 1):
            name = "run-1.sigstore.json" if number == 1 else f"run-1.{number}.sigstore.json"
            (tmp_path / name).write_bytes(make(payload))
        root = loopback.trusted_root
        (tmp_path / "root.json").write_bytes(root)
        (tmp_path / "key.pub").write_bytes(key.public.to_pem())
        path = tmp_path / "policy.yaml"
        path.write_text(HEAD + policy.replace("ROOT", hashlib.sha256(root).hexdigest()))
        return verify_file(facts.path, policy=read_policy(path))

    return judge


ROOTS = "roots: [{file: root.json, sha256: 'ROOT'}]\n"
KEYS = "keys: [{file: key.pub}]\n"


def identities(loopback, who=f"identity: {IDENTITY}"):
    return f"identities: [{{{who}, issuer: '{loopback.oidc.url}'}}]\n"


def by_certificate(loopback, **changes):
    return lambda payload: forge(loopback, payload, **changes)


def by_key(loopback, key, *tsas, late=timedelta(0)):
    stampers = [lambda sig, name=name: loopback.tsas[name].stamp(sig, at=sw.NOW + late) for name in tsas]
    return lambda payload: sw.keyed(key, payload, *stampers)


def test_who_signed_with_a_certificate_is_said_with_issuer_root_log_and_times(judged, loopback):
    result = judged(ROOTS + identities(loopback), by_certificate(loopback))
    assert result.verdict == "verified"
    for part in (
        f"Signed with a certificate of {IDENTITY}, known to {loopback.oidc.url}; by the root sha256:",
        " (dsse 0.0.1) of the transparency log ",
        "by the timestamp of ",
        "its key lived for minutes, and using it left an entry in a transparency log",
        "two who are trusted told the time",
        "Policy: whole 1 asks nothing of what the bundle holds",
    ):
        assert part in result.assurance


@pytest.mark.parametrize(
    ("who", "verdict"),
    [
        (f"identity: {IDENTITY}", "verified"),
        ("identity_pattern: '[^@]+@example\\.(com|org)|https?://[^/]+/.*'", "verified"),
        ("identity: nobody@example.net", "invalid"),
        (f"identity_pattern: '{IDENTITY[:-1]}'", "invalid"),
    ],
    ids=["exact", "pattern", "somebody-else", "pattern-of-a-part"],
)
def test_an_identity_counts_exactly_or_by_a_pattern_over_all_of_it(judged, loopback, who, verdict):
    assert judged(ROOTS + identities(loopback, who), by_certificate(loopback)).verdict == verdict


@pytest.mark.parametrize(("tsas", "verdict"), [(("tsa",), "undecided"), (("tsa", "tsa2"), "verified")])
def test_as_many_authorities_must_have_stamped_as_the_policy_requires(judged, loopback, tsas, verdict):
    names = tuple({"tsa2": "second"}.get(name, name) for name in tsas)
    policy = ROOTS + identities(loopback) + "require: {timestamps: 2}\n"
    assert judged(policy, by_certificate(loopback, tsas=names)).verdict == verdict


@pytest.mark.parametrize(("kind", "verdict"), [("dsse 0.0.1", "verified"), ("hashedrekord 0.0.2", "invalid")])
def test_only_the_kinds_of_log_entry_that_the_policy_names_count(judged, loopback, kind, verdict):
    policy = ROOTS + identities(loopback) + f"accept: {{entry_kinds: [{kind}]}}\n"
    assert judged(policy, by_certificate(loopback)).verdict == verdict


@pytest.mark.parametrize(
    "case",
    [
        ("", (), "verified"),
        ("valid_until: 2026-11-21T11:00:00+00:30", (), "undecided"),
        ("valid_until: 2026-11-21T10:31:00+00:30", ("tsa",), "verified"),
        ("valid_until: 2026-11-21T10:30:59+00:30", ("tsa",), "invalid"),
        ("revoked_at: 2026-11-21T10:01:01Z", ("tsa",), "verified"),
        ("revoked_at: 2026-11-21T10:01:00Z", ("tsa",), "invalid"),
        ("valid_from: 2026-11-21T10:01:00Z", ("tsa",), "verified"),
        ("valid_from: 2026-11-21T10:01:01Z", ("tsa",), "invalid"),
    ],
    ids=["no-window", "undated", "end-is-inside", "after-the-end", "before-revocation", "at-revocation", "start-is-inside",
         "before-the-start"],
)  # fmt: skip
def test_a_key_counts_inside_its_window_at_a_proven_time(judged, loopback, key, case):
    window, tsas, verdict = case
    policy = ROOTS + f"keys: [{{file: key.pub{', ' + window if window else ''}}}]\n"
    assert judged(policy, by_key(loopback, key, *tsas)).verdict == verdict


@pytest.mark.parametrize(("late", "verdict"), [(0, "verified"), (600, "invalid")])
def test_a_signature_that_came_too_long_after_the_run_does_not_do(judged, loopback, key, late, verdict):
    policy = ROOTS + KEYS + "require: {timestamps: 1, delay_seconds_max: 120}\n"
    assert judged(policy, by_key(loopback, key, "tsa", late=timedelta(seconds=late))).verdict == verdict


def test_two_signers_of_two_kinds_meet_a_policy_that_asks_for_two_and_one_does_not(judged, loopback, key):
    policy = ROOTS + KEYS + identities(loopback) + "require: {signers: 2}\n"
    both = judged(policy, by_certificate(loopback), by_key(loopback, key))
    assert both.verdict == "verified"
    assert f"Signed as well by sha256:{key.public.fingerprint}." in both.assurance
    assert "another trusted signer stands behind the same bytes" in both.assurance


def test_one_signer_is_not_two(judged, loopback, key):
    policy = ROOTS + KEYS + identities(loopback) + "require: {signers: 2}\n"
    assert judged(policy, by_key(loopback, key), by_key(loopback, key)).verdict == "undecided"


def test_the_same_signer_twice_is_not_called_another(judged, loopback, key):
    result = judged(KEYS, by_key(loopback, key), by_key(loopback, key))
    assert result.check("cosigned").outcome == "pass"
    assert "another trusted signer" not in result.assurance
    assert "that more than one stolen key would be needed" in result.assurance


def test_a_missing_proof_from_the_sidecars_log_is_not_passed_over_where_it_is_required(judged, loopback, key):
    from tests.attest.test_policy_file import LOG

    assert judged(KEYS + f"logs: [{LOG}]\nrequire: {{sidecar_log: true}}\n", by_key(loopback, key)).verdict == "invalid"
