"""`affidavit semconv map`: telemetry in today's conventions, with every loss named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.progress import progress
from sidecar.cli.semconv.options import of_tables

if TYPE_CHECKING:
    from sidecar.cli.semconv.options import Tables


@click.command("map")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The translated telemetry: OTLP/JSON, one request a line; protobuf when FILE ends in .pb.",
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The mapping-loss report (JSON)."
)
@of_tables
def map_(inputs: tuple[Path, ...], out: Path, report: Path, chosen: Tables) -> None:
    """Translate the telemetry in INPUT, and account for every atom of it.

    INPUT is as for `affidavit seal`. Exit code 1 when something was refused; the rest is translated all the same.
    """
    from evidence.canonical import canonical
    from sidecar.offline import Inputs, map_files

    read = Inputs(inputs)
    with progress(len(inputs), "translating") as bar:
        read.on_file = bar.update
        found = map_files(read, out, translator=chosen.translator, keep_unmapped=chosen.keep_unmapped)
    report.write_bytes(canonical(found) + b"\n")
    click.echo(_summary(found["totals"]), err=True)
    for reason in read.refused:
        click.echo(f"affidavit: refused: {reason}", err=True)
    sys.exit(1 if read.refused else 0)


def _summary(totals: Any) -> str:  # noqa: ANN401  # a member of the report
    items = f"{totals['spans']} spans, {totals['logs']} log records, {totals['metrics']} metrics"
    severity = totals["dropped_by_severity"]
    matters = f", {severity['major']} of them major and {severity['minor']} minor" if totals["dropped"] else ""
    return f"{items}: {totals['dropped']} of {totals['atoms_in']} atoms lost{matters}"
