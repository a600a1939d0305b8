"""A file that is on disk whole, or not there at all, under one name or several."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from evidence.durable import sync_folder

__all__ = ["write_durably", "write_new", "write_under_names"]


def write_durably(path: Path, data: bytes) -> Path:
    """Writes a file at one stroke: whole and on disk, or not there."""
    with _written(path.parent, data) as made:
        made.replace(path)
    sync_folder(path.parent)
    return path


def write_under_names(paths: Sequence[Path], data: bytes) -> None:
    """Writes one file at one stroke and gives it further names in the same folder; copies where the file system has no hard links."""
    first, *others = paths
    write_durably(first, data)
    for path in others:
        try:
            _name(first, path)
        except OSError:  # no hard links here, or no more of them
            write_durably(path, data)
    if others:
        sync_folder(first.parent)


def write_new(path: Path, data: bytes, *, same_as: Path | None = None) -> None:
    """Writes a file at one stroke where there is none: whole and on disk, or not there.

    Args:
        path: Where.
        data: What.
        same_as: A file that has the same content already: `path` becomes a name of it, where the file system can.

    Raises:
        FileExistsError: Something is there already; it is left as it is.
    """
    if same_as is not None:
        try:
            path.hardlink_to(same_as)
        except FileExistsError:
            raise
        except OSError:  # another file system, or one without hard links
            pass
        else:
            sync_folder(path.parent)
            return
    with _written(path.parent, data) as made:
        path.hardlink_to(made)  # unlike a renaming, it never replaces
    sync_folder(path.parent)


@contextmanager
def _written(folder: Path, data: bytes) -> Iterator[Path]:
    """A file on disk under a name that nobody looks for, until it has its own; whatever happens, that name is gone afterwards."""
    descriptor, name = tempfile.mkstemp(prefix=".writing-", dir=folder)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        made.chmod(0o644)
        yield made
    finally:
        made.unlink(missing_ok=True)


def _name(path: Path, other: Path) -> None:
    """Gives `path` another name, in place of whatever has it."""
    try:
        other.hardlink_to(path)
    except FileExistsError:
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=other.parent) as folder:
            made = Path(folder) / other.name
            made.hardlink_to(path)
            made.replace(other)
