"""`affidavit semconv map`: telemetry in today's conventions, with every loss named."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sidecar.cli.progress import progress


@click.command("map")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The translated telemetry: OTLP/JSON, one request a line; protobuf when FILE ends in .pb.",
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The mapping-loss report (JSON)."
)
@click.option(
    "--target",
    metavar="ID",
    help="The convention to translate to: gen-ai-dev or core-1.41.1.  [default: the configured one]",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The configuration file (profiles, target).",
)
def map_(inputs: tuple[Path, ...], out: Path, report: Path, target: str | None, config_file: Path | None) -> None:
    """Translate the telemetry in INPUT, and account for every atom of it.

    INPUT is as for `affidavit seal`. Exit code 1 when something was refused; the rest is translated all the same.
    """
    from evidence.canonical import canonical
    from sidecar.offline import Inputs, map_files
    from sidecar.settings import load
    from sidecar.tables import load_translator, read_profiles

    settings = load(config_file).semconv
    translator = load_translator(target or settings.target, read_profiles(settings.profiles_dir))
    read = Inputs(inputs)
    with progress(len(inputs), "translating") as bar:
        read.on_file = bar.update
        found = map_files(read, out, translator=translator, keep_unmapped=settings.keep_unmapped)
    report.write_bytes(canonical(found) + b"\n")
    totals = found["totals"]
    click.echo(f"{totals}", err=True)
    for reason in read.refused:
        click.echo(f"affidavit: refused: {reason}", err=True)
    sys.exit(1 if read.refused else 0)
