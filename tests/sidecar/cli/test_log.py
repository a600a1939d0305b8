"""`affidavit log`: what an auditor types, and what it answers."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from attest.tlog.note import COSIGNATURE_V1, verifier_key
from sidecar.cli.log import log
from tests.attest.logged import COUNT, KEPT, KEY, LOG_KEY, ORIGIN, Place, make_place
from tests.sidecar.cli.test_import_budget import loaded_after


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("place"))


@pytest.fixture
def place(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "place")
    return Place(tmp_path / "place")


def run(*arguments: object, code: int | None = 0):
    done = CliRunner().invoke(log, [str(argument) for argument in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert code is None or done.exit_code == code, done.output
    return done


def verify(place, *arguments, code=0):
    return run("verify", place.bundles, "--log", place.log, "--log-key", LOG_KEY, *arguments, code=code)


def test_show_says_what_the_checkpoint_says(place):
    lines = dict(line.split(None, 1) for line in run("show", "--log", place.log).stdout.splitlines())
    assert (lines["origin"], lines["size"]) == (ORIGIN, str(COUNT))
    shown = json.loads(run("show", "--log", place.log, "--json").stdout)
    assert shown["checkpoint"] == (place.log / "checkpoint").read_text()
    assert shown["signatures"] == [{"name": ORIGIN, "key_id": LOG_KEY.key_id.hex()}]
    assert shown["key"] is None  # the folder does not say


def test_show_without_a_folder_is_of_the_configured_sidecar(tmp_path, monkeypatch):
    from sidecar.bundle_log import BundleLog, LogSpec

    kept = BundleLog(tmp_path / "s/log", tmp_path / "s/keys/log.pem", name="local", spec=LogSpec())
    kept.ensure()
    monkeypatch.setenv("AFFIDAVIT_STATE_DIR", str(tmp_path / "s"))
    shown = json.loads(run("show", "--json").stdout)
    assert (shown["size"], shown["key"]) == (0, kept.vkey)


def test_a_complete_log_verifies(place):
    done = verify(place, "--since", place.kept)
    assert done.stdout.splitlines()[1:] == [
        f"signed by {LOG_KEY}",
        f"{COUNT} of {COUNT} leaves have their bundle at hand",
        f"{COUNT} older checkpoints are prefixes of it",
        "Verdict: verified",
    ]


def test_a_missing_bundle_is_named_so_that_it_can_be_asked_for(place):
    place.bundle(2).unlink()
    place.attestation(2).unlink()
    done = verify(place, code=1)
    assert "leaf 2 is a bundle that is not at hand: manifest sha256 " in done.stdout
    assert done.stdout.endswith("Verdict: invalid\n")
    found = json.loads(verify(place, "--json", code=1).stdout)
    assert (found["verdict"], found["leaves_at_hand"]) == ("invalid", COUNT - 1)
    assert [(one["kind"], one["index"], len(one["digest"])) for one in found["findings"]] == [("missing", 2, 64)]


def test_from_a_checkpoint_alone_a_complete_set_verifies(place):
    head = place.root / "head"
    shutil.copy(place.log / "checkpoint", head)
    shutil.rmtree(place.log)
    done = run("verify", place.bundles, "--checkpoint", head, "--log-key", LOG_KEY, "--since", place.kept)
    assert "Verdict: verified" in done.stdout


def test_a_proof_printed_for_a_bundle_is_what_verify_reads_beside_it(place):
    for number in range(COUNT):
        place.attestation(number).unlink()
        out = place.bundles / f"run-{number}.tlog-proof"
        run("prove", place.bundle(number), "--log", place.log, "--out", out)
        assert out.read_text() == run("prove", place.bundle(number), "--log", place.log).stdout
        assert out.read_text().startswith(f"c2sp.org/tlog-proof@v1\nindex {number}\n")
    head = shutil.copy(place.log / "checkpoint", place.root / "head")
    assert run("verify", place.bundles, "--checkpoint", head, "--log-key", LOG_KEY).exit_code == 0


def test_growth_is_proven_once_and_verified_without_the_log(place):
    proof = place.root / "growth"
    run("prove", "--since", place.kept, "--log", place.log, "--out", proof)
    assert proof.read_text().startswith(f"old {KEPT}\n")
    shutil.rmtree(place.log)
    arguments = ("--log-key", LOG_KEY, "--since", place.kept)
    assert "1 older checkpoint is a prefix of it" in run("verify", "--checkpoint", proof, *arguments).stdout
    head = place.root / "head"
    head.write_text(proof.read_text().partition("\n\n")[2])
    assert "affidavit log prove --since" in run("verify", "--checkpoint", head, *arguments, code=4).stdout


def test_a_log_that_does_not_extend_the_older_checkpoint_gives_no_proof(place):
    from attest.errors import InvalidError

    place.begin_again([bytes([at]) * 32 for at in range(COUNT)])
    with pytest.raises(InvalidError, match="the first 3 leaves are not those of the older checkpoint"):
        run("prove", "--since", place.kept, "--log", place.log)
    found = json.loads(
        run("verify", "--log", place.log, "--log-key", LOG_KEY, "--since", place.kept, "--json", code=1).stdout
    )
    assert [one["kind"] for one in found["findings"]] == ["rewrite"]


def test_a_bundle_that_is_not_in_the_log_gives_no_proof(place):
    from sidecar.errors import SidecarError

    place.add(9, logged=False)
    with pytest.raises(SidecarError, match=r"run-9\.evidence\.tar\.gz is not in the log"):
        run("prove", place.bundle(9), "--log", place.log)


def test_without_a_trusted_key_it_cannot_decide(place):
    done = run("verify", place.bundles, "--log", place.log, code=4)
    assert "is not signed by a trusted log key; none was named to trust" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["verify"], "either --log DIR or --checkpoint FILE"),
        (["verify", "--log", ".", "--checkpoint", __file__], "either --log DIR or --checkpoint FILE"),
        (["verify", "--log", ".", "--log-key", "x"], "--log-key: 'x' is no verifier key"),
        (["verify", "--log", ".", "--witness", str(LOG_KEY)], "is a key of type 01, expected 04"),
        (
            ["verify", "--log", ".", "--log-key", str(verifier_key("w", KEY, COSIGNATURE_V1))],
            "is a key of type 04, expected 01",
        ),
        (["prove"], "either BUNDLE or --since"),
        (["prove", __file__, "--since", __file__], "either BUNDLE or --since"),
    ],
)
def test_wrong_usage_is_said_with_exit_code_2(arguments, reason):
    done = run(*arguments, code=2)
    assert reason in done.output


def test_a_log_key_that_is_none_is_wrong_usage_of_affidavit_verify_too(place, tmp_path):
    from attest.keys import generate, save
    from sidecar.cli.verify import verify as verify_bundle

    key = save(generate(), tmp_path / "k")
    done = CliRunner().invoke(verify_bundle, [str(place.bundle(0)), "--key", str(key), "--log-key", f"x{LOG_KEY}"])
    assert done.exit_code == 2
    assert "--log-key: 'xexample.net/log' has the id" in done.output


def test_what_a_hostile_log_calls_itself_does_not_steer_a_terminal(place):
    from attest.tlog.checkpoint import sign_checkpoint

    origin = "evil\N{RIGHT-TO-LEFT OVERRIDE}\x9b31m"
    (place.log / "checkpoint").write_text(str(sign_checkpoint(origin, 1, bytes(32), KEY)))
    for arguments in (("show", "--log", place.log), ("verify", "--log", place.log)):
        lines = run(*arguments, code=None).stdout
        assert lines.replace("\n", "").isprintable()


def test_it_loads_nothing_of_the_network(place):
    code = (
        "from click.testing import CliRunner\nfrom sidecar.cli.log import verify\n"
        f"done = CliRunner().invoke(verify, [{str(place.bundles)!r}, '--log', {str(place.log)!r}, '--log-key', {str(LOG_KEY)!r}])\n"
        "assert done.exit_code == 0, done.output"
    )
    assert loaded_after(code) & {"grpc", "urllib3", "requests", "sigstore", "opentelemetry", "ssl", "http"} == set()


def test_it_works_where_there_is_no_network(place):
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace can be made here")
    command = ["unshare", "-rn", sys.executable, "-m", "sidecar", "log", "verify", str(place.bundles)]
    done = subprocess.run(
        [*command, "--log", str(place.log), "--log-key", str(LOG_KEY)], capture_output=True, text=True, env=os.environ
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_seal_enters_each_bundle_once_and_what_it_sealed_verifies(tmp_path):
    from sidecar.cli.keys import keys
    from sidecar.cli.seal import seal
    from sidecar.cli.verify import verify as verify_bundle
    from tests.sidecar.cli.test_import_budget import CORPUS

    file = CORPUS / "mcp@2.3.0" / "stdio_ok.traces.otlp.pb"
    key, folder, out = tmp_path / "k", tmp_path / "kept.log", tmp_path / "out"
    CliRunner().invoke(keys, ["new", "--out", str(key)], catch_exceptions=False)
    arguments = [str(file), "--out", str(out), "--key", str(key), "--log", str(folder)]
    for _ in range(2):
        done = CliRunner().invoke(seal, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    indexes = [json.loads(line)["log_index"] for line in done.stdout.splitlines() if line.startswith("{")]
    assert indexes == list(range(len(indexes)))
    vkey = (tmp_path / "kept.log.vkey").read_text().strip()
    (tmp_path / "head").write_bytes((folder / "checkpoint").read_bytes())
    for source in (("--log", folder), ("--checkpoint", tmp_path / "head")):
        assert f"{len(indexes)} of {len(indexes)} leaves" in run("verify", out, *source, "--log-key", vkey).stdout
    bundle = next(out.glob("*.evidence.tar.gz"))
    done = CliRunner().invoke(verify_bundle, [str(bundle), "--key", f"{key}.pub", "--log-key", vkey, "--json"])
    (check,) = [one for one in json.loads(done.stdout)["checks"] if one["id"] == "log"]
    assert (done.exit_code, check["outcome"]) == (0, "pass")


def test_seal_enters_nothing_that_it_does_not_lay_down(tmp_path):
    """A bundle of that name and other content is there already: evidence is not overwritten, and the log says nothing of it."""
    from sidecar.cli.seal import seal
    from sidecar.errors import SidecarError
    from tests.sidecar.cli.test_import_budget import CORPUS

    file = CORPUS / "mcp@2.3.0" / "stdio_ok.traces.otlp.pb"
    out, folder = tmp_path / "out", tmp_path / "log"
    CliRunner().invoke(seal, [str(file), "--out", str(out)], catch_exceptions=False)
    for bundle in out.glob("*.evidence.tar.gz"):
        bundle.write_bytes(b"other")
    done = CliRunner().invoke(seal, [str(file), "--out", str(out), "--log", str(folder)])
    assert isinstance(done.exception, SidecarError)
    assert json.loads(run("show", "--log", folder, "--json").stdout)["size"] == 0
