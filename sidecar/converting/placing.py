"""Where the result of a conversion is made, and how it gets its name: whole or not at all, and never over something else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evidence.assay.ledger import Side
from evidence.assay.reader import AssayFacts
from evidence.assay.receipts import FORMAT
from evidence.bundle import BundleFacts
from evidence.durable import sync_folder
from evidence.manifest import EVENTS, SCHEMA_VERSION
from sidecar.errors import SidecarError

__all__ = ["assay_side", "native_side", "place", "workplace"]

_PIECE_BYTES = 1024 * 1024


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """A folder beside `out` that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".converting-", dir=out.parent) as folder:
        yield Path(folder)


def place(made: Path, out: Path, *, over: bool = False) -> Path:
    """Give a file its name, durably; that name.

    Raises:
        SidecarError: there is one of that name already, with other content, and it is not to be written over.
    """
    if out.exists() and not over and not _same(made, out):
        raise SidecarError(f"{out} is there already with other content; evidence is not overwritten")
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(out)
    sync_folder(out.parent)
    return out


def native_side(facts: BundleFacts) -> Side:
    """What a report says of a bundle of ours."""
    return Side(
        format=SCHEMA_VERSION,
        container_sha256=facts.container_sha256,
        bundle_id=facts.bundle_id,
        events=facts.manifest["event_count"],
        events_sha256=facts.members[EVENTS],
    )


def assay_side(facts: AssayFacts) -> Side:
    """What a report says of a bundle of Assay's."""
    return Side(
        format=FORMAT,
        container_sha256=facts.container_sha256,
        bundle_id=facts.run_root,
        events=facts.manifest["event_count"],
        events_sha256=facts.events_sha256,
    )


def _same(one: Path, other: Path) -> bool:
    if not other.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        while piece := a.read(_PIECE_BYTES):
            if piece != b.read(len(piece)):
                return False
    return True
