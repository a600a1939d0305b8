"""`affidavit policy check`, `verify --policy`, `--attest-result` and `verify-result`, as an auditor types them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from attest.keys import generate, save
from sidecar.cli.policy import policy
from sidecar.cli.verify import verify
from sidecar.cli.verify_result import verify_result
from tests.attest import world

EXAMPLE = Path(__file__).parents[3] / "config" / "policy.example.yaml"
HEAD = 'schema: affidavit.policy.v1\nname: acme\nversion: "3"\n'


def run(command, *arguments):
    return CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)


def words(done):
    return " ".join(done.output.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two bundles, one of a stranger, an auditor's key, and policies that ask for more and more."""
    made = tmp_path_factory.mktemp("policies")
    key, auditor = generate(), generate()
    for name, signer in (("run-1", key), ("run-2", generate())):
        world.attest(signer, world.seal_run(made, world.run_events(name)))
    (made / "key.pub").write_bytes(key.public.to_pem())
    save(auditor, made / "auditor.pem")
    keys = "keys: [{file: key.pub}]\n"
    for name, asks in (
        ("met", "closure: {confidence_min: medium}\n"),
        ("missed", "closure: {confidence_min: high}\n"),
        ("expired", "expires: 2026-01-01T00:00:00Z\n"),
        ("broken", "closure: {score: 1}\n"),
    ):
        (made / f"{name}.yaml").write_text(HEAD + keys + asks)
    return made


def bundle(folder, number=1):
    return folder / f"run-{number}.evidence.tar.gz"


# ------------------------------------------------------------------ policy check


def test_a_policy_is_said_in_plain_words():
    done = run(policy, "check", EXAMPLE, "--at", "2026-11-21T10:00:00Z")
    assert done.exit_code == 0
    for said in (
        "example 1 sha256:",
        "Trusts the ecdsa-p256-sha256 key sha256:",
        "Asks the pack baseline complete to at least 80%",
        "at most 5% of the telemetry's atoms lost in translation",
        "unclosed at most 0 (no event closes the run)",
        "Until 2027-12-31T00:00:00.000000000Z",
    ):
        assert said in words(done)
    assert words(done).count("Beware") == 1
    assert "Beware the pack baseline is not pinned" in words(done)


def test_what_a_policy_leaves_open_and_that_it_expired_is_said(folder):
    done = run(policy, "check", folder / "expired.yaml")
    assert done.exit_code == 0
    assert "Beware it expired at 2026-01-01T00:00:00.000000000Z: whatever is judged by it is undecided" in words(done)
    assert "the key in key.pub is not pinned" in words(done)


def test_a_broken_policy_is_wrong_usage_with_its_line(folder):
    done = run(policy, "check", folder / "broken.yaml")
    assert done.exit_code == 2
    assert "broken.yaml:5: unknown key 'score'" in words(done)


def test_a_policy_as_json_has_the_same_words(folder):
    said = json.loads(run(policy, "check", folder / "met.yaml", "--json").output)
    assert (said["schema_version"], said["name"], said["expires"]) == ("policy-v1", "acme", None)
    assert said["asks"] == ["confidence in it of at least medium"]
    assert len(said["warnings"]) == 2


# ------------------------------------------------------------------ verify --policy


@pytest.mark.parametrize(("name", "code"), [("met", 0), ("missed", 5), ("expired", 4)])
def test_the_policy_decides_the_exit_code(folder, name, code):
    assert run(verify, bundle(folder), "--policy", folder / f"{name}.yaml").exit_code == code


def test_a_policy_decides_at_the_time_that_is_given(folder):
    early = run(verify, bundle(folder), "--policy", folder / "expired.yaml", "--at", "2025-12-31T23:59:59Z")
    assert early.exit_code == 0


def test_what_is_no_time_is_wrong_usage(folder):
    done = run(verify, bundle(folder), "--policy", folder / "met.yaml", "--at", "yesterday")
    assert (done.exit_code, "expected a time such as" in words(done)) == (2, True)


def test_the_policy_trusts_only_its_own_keys(folder):
    assert run(verify, bundle(folder, 2), "--policy", folder / "met.yaml").exit_code == 1


def test_the_requirements_are_in_the_json(folder):
    done = run(verify, bundle(folder), "--policy", folder / "missed.yaml", "--json")
    said = json.loads(done.output)["policy"]
    assert (said["name"], said["version"]) == ("acme", "3")
    assert said["requirements"] == [
        {"id": "closure.confidence", "outcome": "missed", "got": "medium", "expected": "high", "reason": ""}
    ]


def test_over_processes_each_bundle_is_judged_by_the_policy(folder):
    done = run(verify, folder, "--policy", folder / "missed.yaml", "--processes", 2, "--json")
    assert [result["verdict"] for result in json.loads(done.stdout)["results"]] == ["insufficient", "invalid"]


# ------------------------------------------------------------------ the result as evidence


def test_what_verified_is_attested_and_a_third_party_checks_it(folder, tmp_path):
    out = tmp_path / "result.json"
    done = run(
        verify, folder, "--policy", folder / "met.yaml", "--attest-result", out, "--result-key", folder / "auditor.pem",
        "--at", "2026-11-21T12:00:00Z", "--quiet",
    )  # fmt: skip
    assert done.exit_code == 1
    checked = run(verify_result, out, bundle(folder), "--key", folder / "auditor.pem.pub", "--json")
    said = json.loads(checked.output)
    assert (checked.exit_code, said["verdict"]) == (0, "verified")
    assert list(said["result"]["subjects"]) == [bundle(folder).name]
    assert said["result"]["time"] == "2026-11-21T12:00:00.000000000Z"
    assert "AFFIDAVIT_POLICY_MET" in said["result"]["properties"]
    assert "AFFIDAVIT_TIME_PROVEN" not in said["result"]["properties"]
    stranger = run(verify_result, out, bundle(folder, 2), "--key", folder / "auditor.pem.pub")
    assert (stranger.exit_code, "not among its subjects" in words(stranger)) == (1, True)
    assert "The auditor says" not in stranger.output


def test_a_result_in_words_says_who_when_by_what_and_what(folder, tmp_path):
    out = tmp_path / "result.json"
    signed = ("--attest-result", out, "--result-key", folder / "auditor.pem", "--at", "2026-11-21T12:00:00Z")
    assert run(verify, bundle(folder), "--policy", folder / "met.yaml", *signed).exit_code == 0
    said = words(run(verify_result, out, "--key", folder / "auditor.pem.pub"))
    assert "The auditor says: verified at 2026-11-21T12:00:00.000000000Z by urn:affidavit:verifier:v1" in said
    assert "policy urn:affidavit:policy:acme:3 (sha256:" in said
    assert "no FILE was given to hold against them" in said


def test_without_the_auditors_key_a_result_is_not_repeated(folder, tmp_path):
    out = tmp_path / "result.json"
    run(
        verify,
        bundle(folder),
        "--key",
        folder / "key.pub",
        "--attest-result",
        out,
        "--result-key",
        folder / "auditor.pem",
    )
    done = run(verify_result, out)
    assert done.exit_code == 4
    assert "The auditor says" not in done.output


def test_where_nothing_verified_nothing_is_written(folder, tmp_path):
    out = tmp_path / "result.json"
    done = run(
        verify, bundle(folder), "--policy", folder / "missed.yaml", "--attest-result", out,
        "--result-key", folder / "auditor.pem",
    )  # fmt: skip
    assert (done.exit_code, out.exists()) == (5, False)
    assert "nothing verified, so there is no result to attest" in words(done)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--attest-result", "new.json"], "go together"),
        (["--result-key", "auditor.pem"], "go together"),
        (["--attest-result", "auditor.pem", "--result-key", "auditor.pem"], "exists already"),
        (["--attest-result", "new.json", "--result-key", "key.pub"], "--result-key"),
        (["--attest-result", "no/such.json", "--result-key", "auditor.pem"], "there is no folder"),
    ],
    ids=["result-without-key", "key-without-result", "result-that-is-there", "public-key-as-private", "no-such-folder"],
)
def test_what_makes_no_sense_about_a_result_is_wrong_usage(folder, monkeypatch, options, said):
    monkeypatch.chdir(folder)
    done = run(verify, bundle(folder), "--key", "key.pub", *options)
    assert (done.exit_code, said in words(done)) == (2, True), done.output
    assert not (folder / "new.json").exists()
