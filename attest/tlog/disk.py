"""Writing a log's files so that what was said to be there is there after a crash.

Law: `write_new` touches only what no checkpoint speaks of yet, so a torn write harms nobody; `replace` is seen whole or not at all.
Both return when the bytes and the folders that name them are on disk.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from evidence.durable import sync_folder


def write_new(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files under a folder, making folders as needed; what lay there under the same name is overwritten.

    Raises:
        OSError: something could not be written.
    """
    touched: dict[Path, None] = {}
    for name, data in files.items():
        path = folder / name
        _make(path.parent, touched)
        _write(path, data)
        touched[path.parent] = None
    for one in touched:
        sync_folder(one)


def replace(path: Path, data: bytes) -> None:
    """Put a file in the place of another at one stroke.

    Raises:
        OSError: it could not be written; the file is then as it was.
    """
    writing = path.with_name(f".{path.name}.writing")
    _write(writing, data)
    writing.replace(path)
    sync_folder(path.parent)


def _make(folder: Path, touched: dict[Path, None]) -> None:
    if not folder.is_dir():
        _make(folder.parent, touched)
        folder.mkdir(exist_ok=True)
        touched[folder.parent] = None


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
