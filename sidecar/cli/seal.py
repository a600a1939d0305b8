"""`affidavit seal`: recorded telemetry into evidence bundles, offline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from sidecar.cli.progress import progress
from sidecar.cli.signing_options import chosen_signing, signing_options

if TYPE_CHECKING:
    from sidecar.bundle_log import BundleLog
    from sidecar.settings import Settings


@click.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the bundles.")
@signing_options
@click.option(
    "--batch", type=click.IntRange(1, 1000), default=1, show_default=True, help="Bundles that one signature may cover."
)
@click.option(
    "--log",
    "log_folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Enter each bundle into the append-only log in DIR, begun when it is not there; its key is DIR.pem (docs/log.md).",
)
@click.option(
    "--pack",
    "pack_names",
    metavar="NAME|FILE",
    multiple=True,
    help="A pack to score by; may be given again.  [default: the configured ones: baseline]",
)
@click.option(
    "--redaction",
    "policy_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What to withhold (YAML); it goes, with salts, into NAME.disclosures.ndjson beside the bundle.  [default: secrets]",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The configuration file (translation, run key, packs).",
)
def seal(
    inputs: tuple[Path, ...],
    *,
    out: Path,
    batch: int,
    log_folder: Path | None,
    pack_names: tuple[str, ...],
    policy_file: Path | None,
    config_file: Path | None,
    **signing: Any,  # noqa: ANN401 - the options of signing_options
) -> None:
    """Seal the runs in INPUT into evidence bundles: the sidecar's own way, without the sidecar.

    INPUT holds OTLP traces, logs or metrics as protobuf or JSON: one message, several one after the other, or one a line. A file whose name
    holds .traces., .logs. or .metrics. is taken at its word.

    Signed when --key or --keyless is given. Prints one line of JSON a bundle. The same inputs give the same bundles.
    Exit code 1 when something was refused; the rest is sealed all the same.
    """
    from sidecar.disclosing import load_recipient
    from sidecar.offline import Inputs, seal_files
    from sidecar.settings import load
    from sidecar.tables import load_packs, load_policy, load_translator, read_profiles

    chosen = chosen_signing(**signing)
    settings = load(config_file)
    profiles = read_profiles(settings.semconv.profiles_dir)
    translator = load_translator(settings.semconv.target, profiles, settings.semconv.profiles_dir)
    packs = load_packs(pack_names or settings.evidence.packs)
    redaction = settings.redaction
    policy = load_policy(policy_file or redaction.policy_file)
    encrypt_to = load_recipient(redaction.encrypt_to) if redaction.encrypt_to else None
    signer = chosen.signer if chosen else None
    log = _log(log_folder, settings) if log_folder else None
    read = Inputs(inputs)
    with progress(len(inputs), "sealing") as bar:
        read.on_file = bar.update
        for sealed in seal_files(
            read,
            out,
            packs=packs,
            translator=translator,
            profiles=profiles,
            run_key=settings.run.key,
            signer=signer,
            batch=batch,
            policy=policy,
            disclosures=redaction.disclosures_dir,
            encrypt_to=encrypt_to,
            log=log,
        ):
            click.echo(orjson.dumps(sealed).decode())
    if log:
        log.close()
    if not signer:
        click.echo("affidavit: not signed: no --key was given (`affidavit keys new --out FILE`)", err=True)
    for reason in read.refused:
        click.echo(f"affidavit: refused: {reason}", err=True)
    sys.exit(1 if read.refused else 0)


def _log(folder: Path, settings: Settings) -> BundleLog:
    """The log in a folder, with its key beside it."""
    from sidecar.bundle_log import BundleLog, LogSpec

    folder = folder.resolve()
    log = BundleLog(folder, folder.with_name(f"{folder.name}.pem"), name=settings.name, spec=LogSpec())
    if log.ensure():
        click.echo(f"affidavit: began the log {folder}; its key for auditors: {log.vkey}", err=True)
    return log
