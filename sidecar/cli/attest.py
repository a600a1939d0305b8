"""`affidavit attest`: sign bundles that are there already, once more or for the first time.

Law: a bundle is read to its last byte and held to itself before it is signed; nothing is overwritten.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from sidecar.cli.printable import printable
from sidecar.cli.progress import progress
from sidecar.cli.signing_options import chosen_signing, signing_options

if TYPE_CHECKING:
    from attest.signers.signer import Signer
    from attest.tlog.reader import LogReader
    from evidence.bundle import BundleFacts


@click.command()
@click.argument(
    "bundles", metavar="BUNDLE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
@signing_options
@click.option(
    "--batch", type=click.IntRange(1, 1000), default=1, show_default=True, help="Bundles that one signature may cover."
)
@click.option(
    "--log",
    "log_folder",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The sidecar's log that has the bundles: the proof goes under the signature.",
)
def attest(bundles: tuple[Path, ...], *, batch: int, log_folder: Path | None, **signing: Any) -> None:  # noqa: ANN401 - the options of signing_options
    """Sign the bundles BUNDLE: the first signature of what was sealed without one, or a further one, by another key or identity.

    Each is read in full and checked by itself first; what is not sound is refused and not signed. The attestation lies beside the bundle as
    NAME.sigstore.json, or as NAME.2.sigstore.json and so on when there is one already.

    Prints one line of JSON a bundle. Exit code 1 when something was refused or could not be signed; the rest is signed all the same.
    """
    from attest.errors import AttestError
    from attest.tlog.reader import LogReader
    from evidence.errors import EvidenceError
    from sidecar.errors import SidecarError

    chosen = chosen_signing(**signing)
    if chosen is None:
        raise click.UsageError("who signs? --key FILE|URI, or --keyless with --trust-config")
    log = LogReader(log_folder) if log_folder else None
    refused: list[str] = []
    with progress(len(bundles), "signing") as bar:
        sound = _sound(bundles, refused, bar.update)
        while some := list(islice(sound, batch)):
            try:
                for line in _attest(some, chosen.signer, log):
                    click.echo(orjson.dumps(line).decode())
            except (AttestError, EvidenceError, SidecarError) as error:
                names = ", ".join(str(facts.path) for facts in some[:3]) + (" and others" if len(some) > 3 else "")
                refused.append(f"{names}: {error}")
    for reason in refused:
        click.echo(f"affidavit: not signed: {printable(reason)}", err=True)
    sys.exit(1 if refused else 0)


def _sound(paths: Sequence[Path], refused: list[str], done: Any) -> Iterator[BundleFacts]:  # noqa: ANN401 - click's
    """The facts of the bundles that hold to themselves."""
    from attest.bundle_checks import check_bundle
    from attest.watch import ReportsWatch, Watch
    from evidence.limits import DEFAULT

    for path in paths:
        reading = check_bundle(path, [Watch("reports", ReportsWatch(DEFAULT))], DEFAULT)
        done(1)
        wrong = next((check for check in reading.checks if check.outcome in {"fail", "undecided"}), None)
        if wrong is None and reading.facts is not None:
            yield reading.facts
        else:
            refused.append(f"{path}: {wrong.id}: {wrong.reason}" if wrong else f"{path}: cannot be read")


def _attest(bundles: Sequence[BundleFacts], signer: Signer, log: LogReader | None) -> Iterator[dict[str, object]]:
    from attest.attest import attest_bundles, log_evidence
    from sidecar.attestations import add_beside
    from sidecar.producer import PRODUCER

    data = attest_bundles(bundles, signer, producer=PRODUCER, log=log_evidence(bundles, log) if log else None)
    for facts, path in zip(bundles, add_beside([facts.path for facts in bundles], data), strict=True):
        yield {
            "bundle": str(facts.path),
            "attestation": str(path),
            "bundle_id": facts.bundle_id,
            "manifest_sha256": facts.manifest_sha256,
            "signer": signer.describe(),
        }
