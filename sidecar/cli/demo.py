"""`affidavit demo`: the whole way on recorded agent runs, in a few seconds, on loopback."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-output"),
    show_default=True,
    help="Where the sidecar's state, the bundles and what the backend received go. An earlier demo's is replaced.",
)
def demo(out: Path) -> None:
    """Start a sidecar and an OTLP backend, send them recorded runs of several agent frameworks, and verify what comes out.

    Needs no network, no account and no key. Exit code 0 when every bundle verifies and the one that is tampered with does not.
    """
    from sidecar.demo import Demo

    sys.exit(Demo(out).run())
