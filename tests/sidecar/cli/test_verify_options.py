"""`affidavit verify` as an auditor types it: options, pairs that make no sense, one bundle and many."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from attest.keys import generate
from sidecar.cli.verify import verify
from tests.attest import world


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two good bundles, one that nobody trusted signed, and a key."""
    made = tmp_path_factory.mktemp("bundles")
    key, other = generate(), generate()
    for run, signer in (("run-1", key), ("run-2", key), ("run-3", other)):
        world.attest(signer, world.seal_run(made, world.run_events(run)))
    (made / "events.ndjson").unlink()
    (made / "key.pub").write_bytes(key.public.to_pem())
    (made / "root.json").write_text("{}")
    return made


def run(*arguments):
    return CliRunner().invoke(verify, [str(each) for each in arguments], catch_exceptions=False)


def bundle(folder, number=1):
    return folder / f"run-{number}.evidence.tar.gz"


KEY = ("--key", "key.pub")
ROOT = ("--trusted-root", "root.json")
NO_SENSE = {
    "identity twice": (("--identity", "a", "--identity-pattern", "b"), "--identity and --identity-pattern"),
    "issuer twice": (("--issuer", "a", "--issuer-pattern", "b"), "--issuer and --issuer-pattern"),
    "identity without issuer": ((*ROOT, "--identity", "a"), "--identity says nothing without --issuer"),
    "issuer without identity": ((*ROOT, "--issuer", "a"), "--issuer trusts everybody that it knows"),
    "identity without root": (("--identity", "a", "--issuer", "b"), "--identity is about certificates"),
    "root without anybody": (ROOT, "says who may issue, not who may sign"),
    "timestamp without root": ((*KEY, "--require-timestamp"), "--require-timestamp needs the --trusted-root"),
    "log without anybody": (("--log-key", "v"), "--log-key says where a bundle is listed"),
    "log key that is a file": ((*KEY, "--log-key", "key.pub"), "in a file that ends in .vkey"),
    "SARIF over a bundle": ((*KEY, "--sarif", "run-1.evidence.tar.gz"), "is no earlier report"),
    "SARIF over a key": ((*KEY, "--sarif", "key.pub"), "is no earlier report"),
    "witness without log": ((*KEY, "--witness", "v"), "--witness is about a log"),
    "pattern that is none": ((*ROOT, "--identity-pattern", "(", "--issuer", "b"), "--identity-pattern"),
    "pattern that could take for ever": ((*ROOT, "--identity-pattern", "(a+)+", "--issuer", "b"), "--identity-pattern"),
    "policy and trust": ((*KEY, "--policy", "root.json"), "--policy says by itself whom to trust"),
    "policy that is none": (("--policy", "root.json"), "--policy"),
    "a root that is none": ((*ROOT, *KEY), "root.json is no Sigstore trusted root"),
    "a key that is none": (("--key", "root.json"), "--key"),
    "complete of one": ((*KEY, "--complete"), "--complete is about several"),
    "full of one": ((*KEY, "--full"), "--full and --summary are about several"),
    "no processes": ((*KEY, "--processes", "0"), "--processes"),
    "quiet and JSON": ((*KEY, "--quiet", "--json"), "only one makes sense"),
    "SARIF nowhere": ((*KEY, "--sarif", "no/such.sarif"), "there is no folder"),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_SENSE)
def test_what_makes_no_sense_is_usage_and_the_reason_is_said(folder, case, monkeypatch):
    monkeypatch.chdir(folder)
    options, said = NO_SENSE[case]
    done = run(bundle(folder), *options)
    assert (done.exit_code, said in " ".join(done.output.split())) == (2, True), done.output


@pytest.mark.parametrize("option", ["--attestation", "--disclosed"])
@pytest.mark.parametrize("several", ["two files", "a folder"])
def test_what_is_about_one_file_goes_with_one(folder, option, several):
    files = [bundle(folder), bundle(folder, 2)] if several == "two files" else [folder]
    done = run(*files, option, folder / "root.json")
    assert (done.exit_code, f"{option} goes with one FILE" in done.output) == (2, True)


def test_disclosures_that_are_none_are_usage_and_not_the_bundles_fault(folder):
    done = run(bundle(folder), "--key", folder / "key.pub", "--disclosed", bundle(folder, 2))
    assert (done.exit_code, "a gzip file, such as a bundle" in " ".join(done.output.split())) == (2, True)


def test_an_attestation_in_place_of_its_bundle_is_usage_and_says_what_is_wanted(folder):
    done = run(*sorted(folder.glob("run-*")), "--key", folder / "key.pub")  # as a shell gives `bundles/*`
    assert (done.exit_code, "FILE is the bundle beside it" in " ".join(done.output.split())) == (2, True)


def test_who_signed_is_said_as_a_claim_where_nobody_was_trusted(folder):
    trusted, alone = run(folder, "--key", folder / "key.pub").output, run(folder).output
    assert ", signed by sha256:" in trusted
    assert ", signed, by its own word only, by " in alone
    assert ", signed by " not in alone


def test_an_empty_folder_is_usage(tmp_path):
    done = run(tmp_path)
    assert (done.exit_code, "there is no bundle in this folder" in done.output) == (2, True)


def test_a_folder_is_a_line_a_bundle_the_bad_ones_in_full_and_the_counts(folder):
    done = run(folder, "--key", folder / "key.pub")
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert [line.split()[0] for line in lines[:3]] == ["invalid", "verified", "verified"]
    assert [line for line in lines if line.startswith("Verdict: ")] == ["Verdict: invalid"]
    assert lines[-1] == "3 bundles: 1 invalid, 2 verified; 2 other files"


def test_full_shows_every_result_and_summary_only_the_bad_ones(folder):
    full = run(folder, "--key", folder / "key.pub", "--full").stdout
    assert full.count("Verdict: ") == 3
    short = run(folder, "--key", folder / "key.pub", "--summary").stdout
    assert (short.count("Verdict: "), "run-1.evidence.tar.gz" in short) == (1, False)


@pytest.mark.parametrize("by", [(), ("--key", "key.pub")])
def test_who_names_nobody_is_told_how_on_the_other_stream(folder, by, monkeypatch):
    monkeypatch.chdir(folder)
    done = run(bundle(folder), *by)
    assert done.exit_code == (0 if by else 4)
    assert ("nobody to trust was named" in done.stderr) == (not by)


def test_what_to_do_next_is_said_on_the_other_stream_of_what_did_not_verify(folder):
    by = ("--key", folder / "key.pub")
    assert run(bundle(folder), *by).stderr == ""
    for files in ([bundle(folder, 3)], [folder]):
        done = run(*files, *by)
        assert done.stderr.startswith("Next: 1 bundle signed by nobody whom you trust")
        assert "Next: " not in done.stdout
        assert run(*files, *by, "--json").stderr == run(*files, *by, "--quiet").stderr == ""


def test_quiet_says_it_with_the_exit_code(folder):
    assert (run(folder, "--key", folder / "key.pub", "--quiet").exit_code, run(folder, "--quiet").stdout) == (1, "")
    one = run(bundle(folder), "--key", folder / "key.pub", "--quiet")
    assert (one.exit_code, one.output) == (0, "")


def test_json_of_many_is_one_object_with_a_chain_whatever_the_number_of_processes(folder):
    one, two = (run(folder, "--key", folder / "key.pub", "--json", "--processes", n).stdout for n in (1, 2))
    assert one == two
    said = json.loads(one)
    assert said["schema_version"] == "verification-summary-v1"
    assert said["counts"] == {"invalid": 1, "undecided": 0, "insufficient": 0, "warnings": 0, "verified": 2}
    assert [len(said["chain"][name]) for name in ("heads", "beginnings", "breaks")] == [2, 2, 0]
    assert [Path(each["file"]).name for each in said["results"]] == [f"run-{n}.evidence.tar.gz" for n in (1, 2, 3)]


def test_sarif_is_written_beside_what_is_printed(folder, tmp_path):
    for _ in range(2):  # an earlier report is replaced
        done = run(folder, "--key", folder / "key.pub", "--sarif", tmp_path / "v.sarif", "--quiet")
    log = json.loads((tmp_path / "v.sarif").read_bytes())
    assert (done.exit_code, log["version"]) == (1, "2.1.0")
    assert {found["ruleId"] for found in log["runs"][0]["results"]} == {"signature", "trust"}


def test_what_a_file_is_called_does_not_steer_a_terminal(folder, tmp_path):
    odd = tmp_path / "a\x1b[31m.evidence.tar.gz"
    odd.write_bytes(bundle(folder).read_bytes())
    for done in (run(odd), run(odd, bundle(folder)), run(tmp_path)):
        assert "\x1b[31m" not in done.output
