"""The command line: exit codes, what goes to which stream, and help that reads well.

What is done most is done once as users start it, in a process of its own; all else is asked of the entry point in this one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidecar.cli import main as cli
from tests.tools.command import affidavit
from tests.tools.process import PATIENCE_SECONDS

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
CHAT = CORPUS / "openinference-instrumentation-openai@0.1.66" / "chat.traces.otlp.pb"


def started(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """The command as users start it."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AFFIDAVIT_", "OTEL_"))}
    root = Path(__file__).resolve().parents[3]
    environment["PYTHONPATH"] = str(root)
    command = [sys.executable, "-m", "sidecar", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    assert started("keys", "new", "--out", folder / "k.pem").returncode == 0
    assert started("seal", CHAT, "--out", folder, "--key", folder / "k.pem").returncode == 0
    return folder


def bundle(folder: Path) -> Path:
    return next(folder.glob("*.evidence.tar.gz"))


def test_help_lists_every_verb_and_each_explains_itself():
    said = started("--help").stdout
    for verb, (_, text) in cli._VERBS.items():
        assert f"{verb} " in said
        assert text.split(".")[0][:30] in said
        own = CliRunner().invoke(cli.affidavit, [verb, "--help"])
        assert (own.exit_code, own.stderr) == (0, "")
        assert own.stdout.startswith("Usage: ")


def test_an_unknown_verb_or_option_is_usage():
    assert affidavit("bogus").returncode == 2
    assert started("seal", "--bogus").returncode == 2


def test_of_a_verb_that_is_none_the_one_that_is_like_it_is_named():
    done = CliRunner().invoke(cli.affidavit, ["verfy"])
    assert (done.exit_code, "Did you mean verify" in done.output) == (2, True)
    assert "Did you mean" not in CliRunner().invoke(cli.affidavit, ["zzz"]).output


def test_verified_is_0_and_json_is_the_same_every_time(sealed):
    arguments = ("verify", bundle(sealed), "--key", sealed / "k.pem.pub", "--json")
    first, second = started(*arguments), affidavit(*arguments)
    assert (first.returncode, first.stdout) == (0, second.stdout)
    assert json.loads(first.stdout)["verdict"] == "verified"
    assert first.stderr == ""


def test_text_ends_with_integrity_assurance_and_verdict(sealed):
    lines = affidavit("verify", bundle(sealed), "--key", sealed / "k.pem.pub").stdout.splitlines()
    titles = [line.split(":")[0] for line in lines[1:] if not line.startswith(" ")]
    shown = ["Shown", "Not shown", "Nothing here shows"]
    assert titles == ["Integrity", "Assurance and limits", *shown, "Verdict"]


def test_without_a_key_it_cannot_be_decided(sealed):
    assert affidavit("verify", bundle(sealed)).returncode == 4


def test_another_key_is_not_enough(sealed, tmp_path):
    affidavit("keys", "new", "--out", tmp_path / "other")
    assert affidavit("verify", bundle(sealed), "--key", tmp_path / "other.pub").returncode in {1, 4}


def test_a_changed_byte_is_1(sealed, tmp_path):
    copy = tmp_path / bundle(sealed).name
    data = bytearray(bundle(sealed).read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    attestation = next(sealed.glob("*.sigstore.json"))
    done = affidavit("verify", copy, "--attestation", attestation, "--key", sealed / "k.pem.pub")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_key_that_is_none_is_usage(sealed, tmp_path):
    (tmp_path / "no.pub").write_text("no key")
    done = affidavit("verify", bundle(sealed), "--key", tmp_path / "no.pub")
    assert done.returncode == 2
    assert "no.pub" in done.stderr


def test_several_bundles_end_with_a_count(sealed, tmp_path):
    copy = tmp_path / bundle(sealed).name
    copy.write_bytes(b"not a bundle")
    done = affidavit("verify", bundle(sealed), copy, "--key", sealed / "k.pem.pub")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "2 bundles: 1 invalid, 1 verified"


def test_a_missing_file_is_usage_and_not_a_verdict(tmp_path):
    done = affidavit("verify", tmp_path / "gone.evidence.tar.gz")
    assert done.returncode == 2
    assert "gone.evidence.tar.gz' does not exist" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [["seal"], ["semconv", "map"], ["semconv", "check"], ["semconv", "coverage"]])
def test_an_input_that_is_not_there_is_usage_and_leaves_nothing_behind(verb, tmp_path):
    done = affidavit(*verb, "nowhere.pb", *(["--out", "out"] if verb[-1] in ("seal", "map") else []), cwd=tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "'nowhere.pb' does not exist" in done.stderr


def test_keys_are_never_overwritten(sealed):
    before = (sealed / "k.pem").read_bytes()
    done = started("keys", "new", "--out", sealed / "k.pem")
    assert done.returncode == 2
    assert "k.pem" in done.stderr
    assert (sealed / "k.pem").read_bytes() == before


def test_keys_show_prints_the_fingerprint_that_verdicts_name(sealed):
    shown = json.loads(affidavit("keys", "show", sealed / "k.pem.pub").stdout)
    verdict = json.loads(affidavit("verify", bundle(sealed), "--key", sealed / "k.pem.pub", "--json").stdout)
    assert shown["fingerprint"].removeprefix("sha256:") == verdict["facts"]["signed_by"].removeprefix("sha256:")


def test_sealing_the_same_input_into_the_same_folder_again_is_fine(sealed):
    before = bundle(sealed).read_bytes()
    assert affidavit("seal", CHAT, "--out", sealed, "--key", sealed / "k.pem").returncode == 0
    assert bundle(sealed).read_bytes() == before


@pytest.fixture
def own_pack(tmp_path) -> Path:
    pack = tmp_path / "own.yaml"
    pack.write_text(
        "name: own\nversion: '1'\nkind: quality\ndescription: d\nx-assay: {requires_signals: [tool_calls]}\n"
        "rules:\n  - {id: A, title: t, severity: info, signals: [{id: tool_calls, min_state: captured}]}\n"
    )
    return pack


def test_evidence_of_other_content_is_not_overwritten(sealed, own_pack):
    bundle_before = bundle(sealed).read_bytes()
    done = affidavit("seal", CHAT, "--out", sealed, "--pack", own_pack)
    assert done.returncode == 1
    assert "not overwritten" in done.stderr
    assert bundle(sealed).read_bytes() == bundle_before


def test_a_pack_of_ones_own_travels_in_the_bundle_and_is_recomputed(sealed, own_pack, tmp_path):
    affidavit("seal", CHAT, "--out", tmp_path, "--pack", own_pack, "--key", sealed / "k.pem")
    done = affidavit("verify", bundle(tmp_path), "--key", sealed / "k.pem.pub", "--json")
    assert done.returncode == 0
    checks = {check["id"]: check["outcome"] for check in json.loads(done.stdout)["checks"]}
    assert checks["reports"] == "pass"


def test_an_unknown_pack_is_refused_by_name(tmp_path):
    done = affidavit("seal", CHAT, "--out", tmp_path, "--pack", "nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "baseline" in done.stderr


def test_an_input_that_is_not_otlp_is_refused_by_name_and_the_others_are_sealed(tmp_path):
    (tmp_path / "bad.traces.pb").write_bytes(b"\xff" * 40)
    done = affidavit("seal", tmp_path / "bad.traces.pb", CHAT, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "bad.traces.pb" in done.stderr
    assert len(done.stdout.splitlines()) == len(list((tmp_path / "out").glob("*.tar.gz"))) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("suffix", [".ndjson", ".pb"])
def test_what_map_writes_can_be_mapped_again_without_new_loss(tmp_path, suffix):
    first, second = tmp_path / f"first.traces{suffix}", tmp_path / f"second.traces{suffix}"
    assert started("semconv", "map", CHAT, "--out", first, "--report", tmp_path / "1.json").returncode == 0
    assert affidavit("semconv", "map", first, "--out", second, "--report", tmp_path / "2.json").returncode == 0
    assert first.read_bytes() == second.read_bytes()
    one, two = (json.loads((tmp_path / name).read_text())["totals"] for name in ("1.json", "2.json"))
    assert one["balanced"]
    assert two["balanced"]
    assert two["dropped"] <= one["dropped"]


def test_map_reads_what_map_wrote_as_json_or_protobuf_alike(tmp_path):
    for suffix in (".ndjson", ".pb"):
        affidavit(
            "semconv", "map", CHAT, "--out", tmp_path / f"o.traces{suffix}", "--report", tmp_path / f"{suffix}.json"
        )
        affidavit("seal", tmp_path / f"o.traces{suffix}", "--out", tmp_path / suffix)
    ids = [sorted(path.name for path in (tmp_path / suffix).glob("*.tar.gz")) for suffix in (".ndjson", ".pb")]
    assert ids[0] == ids[1] != []


def test_config_check_names_what_is_wrong(tmp_path):
    (tmp_path / "c.yaml").write_text("reciever: {}")
    done = started("config", "check", tmp_path / "c.yaml")
    assert done.returncode == 2
    assert "did you mean 'receiver'" in done.stderr


def test_config_show_prints_what_is_in_force():
    import yaml

    shown = yaml.safe_load(affidavit("config", "show").stdout)
    assert shown["receiver"]["grpc"]["endpoint"] == "127.0.0.1:4317"


def test_run_refuses_a_bad_configuration_before_it_listens(tmp_path):
    (tmp_path / "c.yaml").write_text("exporters: {b: {endpoint: 'http://h:1', signals: [profiles]}}")
    done = started("run", "--config", tmp_path / "c.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "exporters.b.signals" in done.stderr
    assert not (tmp_path / "affidavit-state").exists()


def test_run_names_the_address_that_is_taken(tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "c.yaml").write_text(
            f"receiver: {{grpc: {{endpoint: '127.0.0.1:{port}'}}, http: {{endpoint: '127.0.0.1:0'}}}}"
        )
        done = started("run", "--config", tmp_path / "c.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_color_is_heard_by_every_verb(monkeypatch, sealed):
    """https://no-color.org; a runner with colours stands for a terminal."""
    coloured = CliRunner().invoke(cli.affidavit, ["verify", str(bundle(sealed))], color=True)
    assert "\x1b[" in coloured.output
    monkeypatch.setenv("NO_COLOR", "1")
    for verb in (["verify"], ["evidence", "lint"], ["evidence", "show"]):
        assert "\x1b[" not in CliRunner().invoke(cli.affidavit, [*verb, str(bundle(sealed))], color=True).output
    asked = CliRunner().invoke(cli.affidavit, ["evidence", "show", "--color", str(bundle(sealed))], color=True)
    assert "\x1b[" in asked.output


def test_where_disclosed_pieces_cannot_be_written_is_usage_and_names_the_file_that_was_given(tmp_path):
    (tmp_path / "d.ndjson").touch()
    done = CliRunner().invoke(
        cli.affidavit,
        ["evidence", "disclose", str(tmp_path / "d.ndjson"), "--all", "--out", str(tmp_path / "no" / "shown")],
    )
    assert done.exit_code == 2
    assert f"{tmp_path / 'no' / 'shown'}: there is no folder" in done.output
