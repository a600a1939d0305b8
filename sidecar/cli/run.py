"""`affidavit run`: the sidecar."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file; AFFIDAVIT_CONFIG names it otherwise.",
)
def run(config_file: Path | None) -> None:
    """Run the sidecar until SIGTERM: receive, record, export, seal, attest.

    Without any configuration it listens on 127.0.0.1:4317 (gRPC) and 127.0.0.1:4318 (HTTP), keeps everything in ./affidavit-state, signs with
    a key it makes on first start, and exports to nobody. SIGTERM ends it in order: stop accepting, commit, close and seal every run, exit 0.
    """
    from sidecar.spawn import spawn

    worker = spawn()  # loads its modules while this process loads its own
    try:
        sys.exit(_run(config_file, worker))
    finally:
        worker.kill()  # it has ended by now, unless it was never told what to do
        worker.wait()


def _run(config_file: Path | None, worker: subprocess.Popen[bytes]) -> int:
    from sidecar.settings import load

    settings = load(config_file)
    from sidecar.log import Log

    log = Log(settings.log.level, settings.log.format)
    log.adopt()

    import uvloop

    from sidecar.app import App

    return uvloop.run(App(settings, log, worker).run())
