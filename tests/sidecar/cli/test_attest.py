"""`affidavit attest` and `affidavit keys`: who signs what, where it lies afterwards, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from attest.attestation import sigstore_bundle
from attest.keys import generate, load_public, save
from attest.policy.file import read_policy
from attest.signers.services import PUBLIC_WARNING
from attest.trust.trust import Identity, Required, Trust, TrustedRoot
from attest.verify import verify_file
from sidecar.attestations import read_facts
from sidecar.cli.attest import attest
from sidecar.cli.keys import keys
from sidecar.cli.seal import seal
from sidecar.errors import ConfigError
from tests.attest.world import run_events, seal_run
from tests.sigstore.loopback import IDENTITY, Fault

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
CHAT = CORPUS / "openinference-instrumentation-openai@0.1.66" / "chat.traces.otlp.pb"
LOOP = CORPUS / "pydantic-ai-slim@2.68.0" / "tools_loop.traces.otlp.pb"


def run(verb, *arguments: object):
    return CliRunner().invoke(verb, [str(each) for each in arguments])


def printed(done) -> list[dict]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def key(tmp_path) -> Path:
    save(generate(), tmp_path / "k.pem")
    return tmp_path / "k.pem"


@pytest.fixture
def bundles(tmp_path) -> list[Path]:
    (tmp_path / "b").mkdir()
    return [seal_run(tmp_path / "b", run_events(f"run-{number}")).path for number in (1, 2, 3)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.sigstore.json"))


def trusting(*private: Path) -> Trust:
    return Trust.load([path.with_name(path.name + ".pub") for path in private])


def test_bundles_without_a_signature_get_one_and_verify(bundles, key):
    lines = printed(run(attest, *bundles, "--key", key))
    assert [line["bundle"] for line in lines] == [str(path) for path in bundles]
    assert [verify_file(path, trust=trusting(key)).verdict for path in bundles] == ["verified"] * 3
    assert lines[0]["signer"].startswith("ecdsa-p256-sha256 key sha256:")


def test_one_signature_may_cover_them_all(bundles, key):
    lines = printed(run(attest, *bundles, "--key", key, "--batch", 10))
    assert len({Path(line["attestation"]).read_bytes() for line in lines}) == 1
    assert [verify_file(path, trust=trusting(key)).verdict for path in bundles] == ["verified"] * 3


@pytest.fixture
def log(tmp_path, bundles) -> tuple[Path, str]:
    """A log that has all of the bundles but the last, and its verifier key."""
    from attest.tlog.log import Log
    from attest.tlog.note import verifier_key

    folder, private = tmp_path / "log", generate("ed25519").native
    Log.create(folder, private, "log.example")
    with Log(folder, private) as kept:
        for path in bundles[:-1]:
            kept.append([bytes.fromhex(read_facts(path).manifest_sha256)])
    return folder, str(verifier_key("log.example", private))


def test_a_signature_made_later_carries_the_proof_of_the_sidecars_log(bundles, key, log):
    folder, vkey = log
    printed(run(attest, *bundles[:2], "--key", key, "--log", folder, "--batch", 2))
    trust = replace(trusting(key), logs=(vkey,), required=Required(sidecar_log=True))
    for at, path in enumerate(bundles[:2]):
        result = verify_file(path, trust=trust)
        assert (result.verdict, result.check("log").outcome) == ("verified", "pass")
        assert f"leaf {at} of 2" in result.check("log").reason


def test_a_bundle_that_is_not_in_the_log_is_not_signed_as_if_it_were(bundles, key, log):
    done = run(attest, *bundles, "--key", key, "--log", log[0])
    assert done.exit_code == 1
    assert "the bundle run-3.evidence.tar.gz is not in the log of 2 leaves" in done.stderr
    assert names(bundles[0].parent) == ["run-1.sigstore.json", "run-2.sigstore.json"]


def test_a_further_signature_has_the_next_name_and_the_first_stays_as_it_is(bundles, key, tmp_path):
    save(generate("ed25519"), tmp_path / "second.pem")
    run(attest, bundles[0], "--key", key)
    first = bundles[0].with_name("run-1.sigstore.json").read_bytes()
    run(attest, bundles[0], "--key", tmp_path / "second.pem")
    run(attest, bundles[0], "--key", tmp_path / "second.pem")
    assert names(bundles[0].parent) == ["run-1.2.sigstore.json", "run-1.3.sigstore.json", "run-1.sigstore.json"]
    assert bundles[0].with_name("run-1.sigstore.json").read_bytes() == first
    found = verify_file(bundles[0], trust=trusting(key, tmp_path / "second.pem"))
    assert found.verdict == "verified"
    assert next(check for check in found.checks if check.id == "cosigned").outcome == "pass"


def test_a_name_that_belongs_to_another_bundle_is_passed_over(tmp_path, key):
    one, two = (seal_run(tmp_path, run_events(run_id)).path for run_id in ("run", "run.2"))
    printed(run(attest, one, "--key", key))
    (line,) = printed(run(attest, one, "--key", key))
    assert Path(line["attestation"]).name == "run.3.sigstore.json"
    (line,) = printed(run(attest, two, "--key", key))
    assert Path(line["attestation"]).name == "run.2.sigstore.json"


def test_beyond_as_many_as_are_read_nothing_is_laid(bundles, key):
    for number in range(2, 17):
        bundles[0].with_name(f"run-1.{number}.sigstore.json").write_text("{}")
    bundles[0].with_name("run-1.sigstore.json").write_text("{}")
    done = run(attest, bundles[0], "--key", key)
    assert (done.exit_code, "has 16 attestations already" in done.stderr) == (1, True)


def test_a_bundle_that_is_not_sound_is_refused_and_the_others_are_signed(bundles, key):
    data = bytearray(bundles[1].read_bytes())
    data[len(data) // 2] ^= 1
    bundles[1].write_bytes(data)
    done = run(attest, *bundles, "--key", key, "--batch", 3)
    assert done.exit_code == 1
    assert "run-2.evidence.tar.gz" in done.stderr
    assert names(bundles[0].parent) == ["run-1.sigstore.json", "run-3.sigstore.json"]
    assert [verify_file(bundles[at], trust=trusting(key)).verdict for at in (0, 2)] == ["verified"] * 2


def test_a_report_that_does_not_follow_from_the_events_is_refused(tmp_path, key):
    """Sealed again by hand, whole and well-formed: only recomputing shows it."""
    from tests.attest.world import pack, unpack, with_manifest

    facts = seal_run(tmp_path)
    members = with_manifest(unpack(facts.path), lambda manifest: manifest["capture_health"].update(duplicate_items=5))
    facts.path.write_bytes(pack(members))
    done = run(attest, facts.path, "--key", key)
    assert (done.exit_code, "reports" in done.stderr, names(tmp_path)) == (1, True, [])


def test_what_is_not_named_like_a_bundle_is_refused(tmp_path, key):
    facts = seal_run(tmp_path)
    shutil.move(facts.path, tmp_path / "evidence.tgz")
    done = run(attest, tmp_path / "evidence.tgz", "--key", key)
    assert (done.exit_code, names(tmp_path)) == (1, [])


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--keyless",),
        ("--key", "k", "--keyless", "--trust-config", __file__),
        ("--key", "k", "--token-file", __file__),
        ("--keyless", "--trust-config", __file__, "--timestamp-url", "http://x/"),
        ("--public-key", __file__),
    ],
    ids=["nobody", "no instance", "two", "a token with a key", "two authorities", "a public half alone"],
)
def test_who_signs_must_be_said_and_said_once(bundles, options):
    assert run(attest, bundles[0], *options).exit_code == 2


def test_a_key_that_is_not_there_is_named(bundles, tmp_path):
    done = run(attest, bundles[0], "--key", tmp_path / "gone.pem")
    assert (done.exit_code, "gone.pem: cannot be read: No such file" in done.output) == (2, True)


def test_an_authority_dates_the_signature_from_a_process_with_a_deadline(sigstore, bundles, key):
    (line,) = printed(run(attest, bundles[0], "--key", key, "--timestamp-url", sigstore.tsa_url))
    assert len(sigstore_bundle.read(Path(line["attestation"]).read_bytes()).timestamps) == 1
    sigstore.faults.set("tsa", Fault(hang=True))
    done = run(attest, bundles[0], "--key", key, "--timestamp-url", sigstore.tsa_url, "--deadline", 1)
    assert (done.exit_code, names(bundles[0].parent)) == (1, ["run-1.sigstore.json"])


def test_keyless_signs_as_the_identity_of_the_token(sigstore, bundles, tmp_path):
    (tmp_path / "config.json").write_bytes(sigstore.trust_config(version=1))
    (tmp_path / "token").write_text(sigstore.token(IDENTITY))
    printed(
        run(
            attest,
            bundles[0],
            "--keyless",
            "--trust-config",
            tmp_path / "config.json",
            "--token-file",
            tmp_path / "token",
        )
    )
    root = TrustedRoot(name="loopback", data=sigstore.trusted_root, sha256="")
    trust = Trust(roots=(root,), identities=(Identity(identity=IDENTITY, issuer=sigstore.url),))
    assert verify_file(bundles[0], trust=trust).verdict == "verified"


@pytest.mark.parametrize("verb", [attest, seal], ids=["attest", "seal"])
def test_who_asks_for_the_public_instance_is_told_what_it_publishes_before_anything_is_signed(sigstore, tmp_path, verb):
    config = sigstore.trust_config().replace(sigstore.url.encode(), b"https://fulcio.sigstore.dev")
    (tmp_path / "config.json").write_bytes(config)
    (tmp_path / "no.evidence.tar.gz").write_bytes(b"neither a bundle nor telemetry")
    arguments = ["--keyless", "--trust-config", tmp_path / "config.json", "--public-instance"]
    more = ["--out", tmp_path / "out"] if verb is seal else []
    done = run(verb, tmp_path / "no.evidence.tar.gz", *arguments, *more)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"affidavit: {PUBLIC_WARNING}\n")
    assert isinstance(run(verb, tmp_path / "no.evidence.tar.gz", *arguments[:3], *more).exception, ConfigError)


def test_seal_takes_the_same_options_and_signs_in_batches(tmp_path, key):
    lines = printed(run(seal, CHAT, LOOP, "--out", tmp_path / "out", "--key", key, "--batch", 100))
    assert len(lines) > 1
    assert len({(tmp_path / "out" / line["attestation"]).stat().st_ino for line in lines}) == 1
    found = [verify_file(tmp_path / "out" / line["file"], trust=trusting(key)).verdict for line in lines]
    assert found == ["verified"] * len(lines)


# ---------------------------------------------------------------- keys


@pytest.fixture
def rotating(tmp_path) -> Path:
    """A configuration with a key that is over, one that signs, and one to come."""
    for name in ("old", "now", "next"):
        save(generate(), tmp_path / name)
    file = tmp_path / "c.yaml"
    windows = {
        "old": "valid_until: 2020-01-01T00:00:00Z",
        "now": "valid_from: 2019-06-01T00:00:00+02:00",
        "next": "valid_from: 2999-01-01T00:00:00Z",
    }
    lines = [f"{{uri: {tmp_path / name}, {window}}}" for name, window in windows.items()]
    file.write_text(f"state_dir: {tmp_path / 'state'}\nattest: {{keys: [{', '.join(lines)}]}}\n")
    return file


def test_keys_list_says_which_key_signs_now(rotating):
    lines = printed(run(keys, "list", "--config", rotating))
    assert [(Path(line["key"]).name, line["state"], line["signs_now"]) for line in lines] == [
        ("old", "expired", False),
        ("now", "valid", True),
        ("next", "not yet", False),
    ]
    assert lines[1]["valid_from"] == "2019-05-31T22:00:00.000000000Z"
    assert lines[1]["fingerprint"].startswith("sha256:")


def test_keys_show_without_a_file_is_of_the_key_that_signs_now(rotating, tmp_path):
    (line,) = printed(run(keys, "show", "--config", rotating))
    assert line["fingerprint"] == f"sha256:{load_public(tmp_path / 'now.pub').fingerprint}"


def test_keys_policy_is_the_section_that_an_auditor_trusts_by(rotating, tmp_path, bundles):
    section = run(keys, "policy", "--config", rotating).stdout
    file = tmp_path / "policy.yaml"
    file.write_text(f'schema: affidavit.policy.v1\nname: made\nversion: "1"\n{section}')
    trusted = read_policy(file).trust.keys
    assert [key.public.fingerprint for key in trusted] == [
        load_public(tmp_path / f"{name}.pub").fingerprint for name in ("old", "now", "next")
    ]
    assert [(key.valid_from, key.valid_until) for key in trusted] == [
        (None, "2020-01-01T00:00:00.000000000Z"),
        ("2019-05-31T22:00:00.000000000Z", None),
        ("2999-01-01T00:00:00.000000000Z", None),
    ]
    assert "PRIVATE" not in section


def test_a_key_without_a_public_file_beside_it_is_listed_and_trusted_all_the_same(tmp_path):
    (tmp_path / "k.pem").write_bytes(generate().to_pem())
    (tmp_path / "c.yaml").write_text(f"attest: {{key_file: {tmp_path / 'k.pem'}}}")
    (line,) = printed(run(keys, "list", "--config", tmp_path / "c.yaml"))
    assert (line["file"], line["signs_now"]) == (None, True)
    assert len(yaml.safe_load(run(keys, "policy", "--config", tmp_path / "c.yaml").stdout)["keys"]) == 1


def test_there_are_no_keys_where_an_identity_signs(tmp_path):
    (tmp_path / "c.yaml").write_text(f"attest: {{method: keyless, keyless: {{trust_config_file: {__file__}}}}}")
    assert run(keys, "list", "--config", tmp_path / "c.yaml").exit_code == 2


def test_evidence_is_never_laid_over_a_file_that_came_meanwhile(bundles, monkeypatch, key):
    """Two signers at once: whoever comes second takes the next name."""
    from sidecar import attestations

    other = bundles[0].with_name("run-1.sigstore.json")
    write_new = attestations.write_new

    def meanwhile(path, data, **options):
        if not other.exists():
            other.write_text("{}")
        write_new(path, data, **options)

    monkeypatch.setattr(attestations, "write_new", meanwhile)
    (line,) = printed(run(attest, bundles[0], "--key", key))
    assert (other.read_text(), Path(line["attestation"]).name) == ("{}", "run-1.2.sigstore.json")
