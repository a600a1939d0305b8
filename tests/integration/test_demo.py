"""The demo, as a new user runs it."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from sidecar.cli.main import affidavit
from tests.tools.process import PATIENCE_SECONDS

pytestmark = pytest.mark.integration


def demo(folder) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sidecar", "demo", "--out", "d"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
    )


def test_the_demo_ends_with_0_and_shows_runs_verdicts_tampering_and_what_next(tmp_path, monkeypatch):
    done = demo(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    assert said.count("verified") >= 6
    assert "One byte of a copy changed: invalid" in said
    assert "69 spans were sent; the backend received 69" in said
    assert all(len(line) <= 80 for line in said.splitlines() if "verified" in line)
    monkeypatch.chdir(tmp_path)
    suggested = said.partition("What to type next:\n")[2]
    ended = {}
    for verb in ("verify .* --key", "verify .* --policy", "log verify", "evidence show", "evidence lint"):
        (arguments,) = re.findall(rf"\S ({verb} .*)$", suggested, re.MULTILINE)
        ended[verb] = CliRunner().invoke(affidavit, arguments.split())
    expected = {**dict.fromkeys(ended, 0), "verify .* --policy": 5}
    assert {verb: result.exit_code for verb, result in ended.items()} == expected
    assert "6 bundles: 1 insufficient, 5 verified" in ended["verify .* --policy"].output
    assert "6 of 6 leaves have their bundle at hand" in ended["log verify"].output
    assert "6 bundles: evidence supports " in ended["evidence lint"].output


def test_the_demo_replaces_its_own_folder_and_no_other(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "precious").write_text("mine")
    done = demo(tmp_path)
    assert done.returncode == 1
    assert "not an earlier demo's" in done.stderr
    assert (tmp_path / "d" / "precious").read_text() == "mine"
