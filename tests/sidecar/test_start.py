"""Starting: the worker is there before it is told what to do, and what it cannot do ends the sidecar with a sentence."""

import os
import subprocess
import sys

import pytest

from sidecar.spawn import spawn
from tests.tools.process import PATIENCE_SECONDS

QUIET = "receiver: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0'}}\n"


def test_a_worker_that_is_told_nothing_ends_without_a_word(capfd):
    process = spawn()
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, said) == (0, b"")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("evidence: {packs: [nonsense]}", "pack 'nonsense'"),
        ("semconv: {target: nonsense}", "nonsense"),
        ("semconv: {profiles_dir: gone}", "semconv.profiles_dir"),
        ("attest: {key_file: gone.pem}", "attest.key_file"),
    ],
)
def test_what_the_worker_cannot_use_is_an_error_at_start_that_names_it(tmp_path, setting, named):
    (tmp_path / "c.yaml").write_text(QUIET + setting)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AFFIDAVIT_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-m", "sidecar", "run", "--config", tmp_path / "c.yaml"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 2
    assert named in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "died" not in done.stderr
