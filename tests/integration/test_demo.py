"""The demo, as a new user runs it."""

import subprocess
import sys

import pytest

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


def test_the_demo_ends_with_0_and_shows_runs_verdicts_tampering_and_what_next(tmp_path):
    done = demo(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    assert said.count("verified") >= 6
    assert "One byte of a copy changed: invalid" in said
    assert "69 spans were sent; the backend received 69" in said
    assert "verify d/state/bundles/" in said
    assert all(len(line) <= 80 for line in said.splitlines() if "verified" in line)


def test_the_demo_replaces_its_own_folder_and_no_other(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "precious").write_text("mine")
    done = demo(tmp_path)
    assert done.returncode == 1
    assert "not an earlier demo's" in done.stderr
    assert (tmp_path / "d" / "precious").read_text() == "mine"
