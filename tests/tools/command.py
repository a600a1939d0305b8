"""The command `affidavit` by its entry point, but in this process: for tests of what it says and how it ends, not of its start."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner

from sidecar.cli.main import main


@dataclass(frozen=True, kw_only=True)
class Ended:
    """As a process would have ended."""

    returncode: int
    stdout: str
    stderr: str


def affidavit(*arguments: object, cwd: Path | None = None) -> Ended:
    """Runs a command without any setting of the environment. An error that `main` has no sentence for is raised."""
    rest = {key: value for key, value in os.environ.items() if not key.startswith(("AFFIDAVIT_", "OTEL_"))}
    with (
        patch.dict(os.environ, rest, clear=True),
        patch.object(sys, "argv", ["affidavit", *map(str, arguments)]),
        contextlib.chdir(cwd or "."),
        CliRunner().isolation() as (out, err, _),
    ):
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        sys.stdout.flush()
        sys.stderr.flush()
        return Ended(returncode=code, stdout=out.getvalue().decode(), stderr=err.getvalue().decode())
