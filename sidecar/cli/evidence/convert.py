"""`affidavit evidence convert`: bundles of another tool into ours, and ours into theirs."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.evidence.amounts import count
from sidecar.cli.printable import printable
from sidecar.cli.report_file import report_option, write_report
from sidecar.cli.signing_options import chosen_signing, signing_options

if TYPE_CHECKING:
    from evidence.assay.ledger import ConversionReport

_ROWS_SHOWN = 12


@click.command()
@click.argument("bundle", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--to", "target", type=click.Choice(["assay-v1", "native"]), required=True, help="The format to convert to."
)
@report_option("--out", "The file to write; a native bundle is called NAME.evidence.tar.gz.", required=True)
@report_option(
    "--report",
    "Write what was carried, changed and lost as JSON (conversion-report-v1).",
    replaces=b"conversion-report-v1",
)
@signing_options
def convert(bundle: Path, *, target: str, out: Path, report: Path | None, **signing: Any) -> None:  # noqa: ANN401 - the options of signing_options
    r"""Convert an evidence bundle: ours to one of Assay (assay-v1), or one of Assay to ours (native), and say what is lost.

    FILE is read strictly and in full before anything is written. Its signature is NOT checked: `affidavit verify` does that, and no signature
    survives a conversion. A native result is signed when --key or --keyless is given. What was converted once comes back byte for byte
    when all of it is still there.

    \b
    Exit code: 0 converted; what was lost is said on standard error
               1 FILE is tampered with or invalid
               2 wrong usage, or FILE is of the format asked for already
               4 could not decide: an unknown version, a file that cannot be read
    """
    from evidence.container.foreign import is_assay
    from evidence.errors import BundleError, UnknownFormatError

    if is_assay(bundle) == (target == "assay-v1"):
        what = "an Assay bundle already" if target == "assay-v1" else "no bundle of Assay"
        raise click.UsageError(f"{printable(str(bundle))}: {what}.")
    chosen = chosen_signing(**signing)
    if chosen and target == "assay-v1":
        raise click.UsageError("--key, --keyless: for --to native. What is written for Assay is not signed.")
    try:
        made = _to_assay(bundle, out) if target == "assay-v1" else _to_native(bundle, out, chosen)
    except UnknownFormatError as error:
        click.echo(f"affidavit: {printable(f'{bundle}: {error}')}", err=True)
        sys.exit(4)
    except BundleError as error:
        click.echo(f"affidavit: {printable(f'{bundle}: not a valid bundle: {error}')}", err=True)
        sys.exit(1)
    if report is not None:
        write_report(report, made.to_bytes(), "--report")
    _print(made, bundle, out)


def _to_assay(bundle: Path, out: Path) -> ConversionReport:
    from sidecar.converting import to_assay

    return to_assay(bundle, out)


def _to_native(bundle: Path, out: Path, chosen: Any) -> ConversionReport:  # noqa: ANN401 - Signing, loaded late
    from evidence.run import BUNDLE_SUFFIX
    from sidecar.converting import to_native
    from sidecar.settings import load
    from sidecar.tables import load_packs, load_translator

    if not out.name.endswith(BUNDLE_SUFFIX) or out.name == BUNDLE_SUFFIX:
        raise click.BadParameter(f"expected NAME{BUNDLE_SUFFIX}, got {printable(out.name)}", param_hint="--out")
    settings = load(None)
    made = to_native(
        bundle,
        out,
        packs=load_packs(settings.evidence.packs),
        translator=load_translator(settings.semconv.target, {}, None),
        signer=chosen.signer if chosen else None,
    )
    for path, what in ((made.attestation, "attestation"), (made.disclosures, "what was withheld")):
        if path is not None:
            click.echo(f"{what}: {printable(str(path))}", err=True)
    for reason in made.refused:
        click.echo(f"affidavit: refused: {printable(reason)}", err=True)
    if not chosen:
        click.echo("affidavit: not signed: no --key was given (`affidavit keys new --out FILE`)", err=True)
    return made.report


def _print(report: ConversionReport, bundle: Path, out: Path) -> None:
    said = report.to_json()
    click.echo(f"{printable(str(out))}: {count(said['to']['events'], 'event')}, {said['to']['format']}")
    fates = Counter({row["fate"]: 0 for row in said["rows"]})
    for row in said["rows"]:
        if row["fate"] == "carried":
            continue
        fates[row["fate"]] += 1
        if fates[row["fate"]] <= _ROWS_SHOWN:
            what = " ".join(filter(None, (row["what"], row["member"]))) or row["to"]
            click.echo(f"  {row['fate']:7}  {printable(what)} ({row['count']}): {printable(row['why'])}", err=True)
    back = said["way_back"]
    way = "comes back byte for byte" if back["events"] == "exact" else f"does not come back: {back['why']}"
    click.echo(f"affidavit: {printable(f'{bundle} {way}')}", err=True)
