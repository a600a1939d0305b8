"""`affidavit evidence disclose`: chosen pieces of what was withheld, for somebody who has the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sidecar.cli.evidence.amounts import count
from sidecar.cli.report_file import report_option

if TYPE_CHECKING:
    from evidence.redaction.disclosures import Header, Piece


@click.command()
@click.argument("disclosures", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@report_option("--out", "File of the chosen pieces.", required=True)
@click.option(
    "--event", "events", metavar="ID", multiple=True, help="Pieces of this event (RUN:SEQ). May be given again."
)
@click.option(
    "--key",
    "keys",
    metavar="PATTERN",
    multiple=True,
    help="Pieces of attributes or members of this name; * is any text.",
)
@click.option("--signal", "signals", metavar="ID", multiple=True, help="Pieces that were bodies of this signal.")
@click.option(
    "--reason", "reasons", metavar="PATTERN", multiple=True, help="Pieces withheld for this reason; * is any text."
)
@click.option("--all", "everything", is_flag=True, help="Every piece.")
@click.option(
    "--decrypt-with",
    "private_key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The recipient's private key (X25519, PEM), for an encrypted file.",
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The bundle: each piece is proven against it before it is written.",
)
def disclose(
    disclosures: Path,
    *,
    out: Path,
    events: tuple[str, ...],
    keys: tuple[str, ...],
    signals: tuple[str, ...],
    reasons: tuple[str, ...],
    everything: bool,
    private_key: Path | None,
    bundle: Path | None,
) -> None:
    """Write chosen pieces of DISCLOSURES to a file that `affidavit verify BUNDLE --disclosed FILE` proves.

    A piece goes out with its own salt and nothing else: what is not chosen stays as it is. A piece is chosen when any of the options
    chooses it. The file is in the clear; it is what you decided to show.
    """
    from dataclasses import replace

    from evidence.errors import DisclosureError
    from evidence.redaction.detectors import is_secret
    from sidecar.disclosing import load_private_key, open_disclosures, write_disclosures

    if everything == bool(events or keys or signals or reasons):
        raise click.UsageError("Choose pieces: --event, --key, --signal, --reason, or --all by itself.")
    if out.exists():
        raise click.UsageError(f"--out: {out} is there already.")
    header, pieces = open_disclosures(disclosures, load_private_key(private_key) if private_key else None)
    reasons += tuple(f"signal/{signal}" for signal in signals)
    choice = _Choice(everything=everything, events=events, keys=keys, reasons=reasons, bodies=_bodies(signals))
    chosen = list(filter(choice.takes, pieces))
    if not chosen:
        raise DisclosureError(f"{disclosures}: no piece is chosen by that")
    if bundle is not None:
        _prove(bundle, header, chosen)
    shown = replace(header, key=None)
    write_disclosures(out, shown, (piece.line() + b"\n" for piece in chosen), None)
    if holding := sum(not piece.commitment.reason.startswith("secret/") and is_secret(piece.body) for piece in chosen):
        click.echo(
            f"affidavit: {holding} of the bodies shown hold a secret: read them before you hand them on", err=True
        )
    click.echo(f"{count(len(chosen), 'piece')} of run {header.run_id}, part {header.part}: {out}")


def _bodies(signals: tuple[str, ...]) -> tuple[str, ...]:
    """The attributes that hold the bodies of these signals."""
    from evidence.signals import registry

    known = registry().signals
    if unknown := next((signal for signal in signals if signal not in known), None):
        raise click.UsageError(f"--signal: there is no signal {unknown!r}.")
    return tuple(body for signal in signals for body in known[signal].bodies)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """Which pieces are shown: those that any of this is true of."""

    everything: bool
    events: tuple[str, ...]
    keys: tuple[str, ...]
    reasons: tuple[str, ...]
    bodies: tuple[str, ...]

    def takes(self, piece: Piece) -> bool:
        return (
            self.everything
            or piece.event in self.events
            or piece.name in self.bodies
            or any(fnmatchcase(piece.name, key) for key in self.keys)
            or any(fnmatchcase(piece.commitment.reason, reason) for reason in self.reasons)
        )


def _prove(path: Path, header: Header, pieces: list[Piece]) -> None:
    from evidence.bundle import EvidenceBundle
    from evidence.redaction.proof import Proof

    proof = Proof(header, pieces)
    with EvidenceBundle.open(path) as bundle:
        proof.begin(bundle.manifest)
        for event, _ in bundle.events():
            proof.event(event)
        proof.finish()
        bundle.finish()
