"""Keeping a log: entries are appended, and a signed checkpoint says how far they go.

Laid out as https://c2sp.org/tlog-tiles has it, so that a folder served over HTTP is a log that others can read.
Laws: nothing that a checkpoint speaks of is ever written again; the checkpoint is replaced last, at one stroke, so that after a crash
anywhere the log is either with or without the entries that were being appended, and goes on; memory is one row of at most 255 hashes
for each of log256(n) levels; two checkpoints of one size are never signed for two trees.
"""

import fcntl
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attest.errors import InvalidError, LogError
from attest.tlog.checkpoint import Checkpoint, sign_checkpoint
from attest.tlog.disk import replace, write_new
from attest.tlog.note import verifier_key
from attest.tlog.reader import CHECKPOINT, read_checkpoint_file
from attest.tlog.tiles import HASH_BYTES, HEIGHT, WIDTH, Tiles, entries_path, tile_path, write_entry
from evidence.merkle import EMPTY_ROOT, leaf_hash, node_hash, root_of

_LOCK = ".lock"


class Log:
    """The log in a folder, held for writing by this object until it is closed. Not to be shared by threads.

    Args:
        folder: The log's prefix; made by `Log.create`.
        key: Signs the checkpoints.

    Raises:
        LogError: no log is there, another process writes to it, it is of another key, or it is damaged.
    """

    checkpoint: Checkpoint
    """The newest one, as it lies in the folder."""
    _rows: list[list[bytes]]
    """By level: the hashes of the partial tile."""
    _bundle: list[bytes]
    """The entries of the partial entry bundle, each behind its length."""

    def __init__(self, folder: Path, key: Ed25519PrivateKey) -> None:
        self.folder = folder
        self._key = key
        self._lock = _hold(folder)
        try:
            self._load()
        except InvalidError as error:
            self.close()
            raise LogError(f"{folder}: the log cannot be continued: {error}") from error
        except BaseException:
            self.close()
            raise

    @staticmethod
    def create(folder: Path, key: Ed25519PrivateKey, origin: str) -> Checkpoint:
        """Begin a log: the checkpoint of the empty tree.

        Raises:
            LogError: there is a log already, or the origin cannot be the name of a key.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).exists():
            raise LogError(f"{folder}: there is a log already, and one log is never begun over another")
        try:
            checkpoint = sign_checkpoint(origin, 0, EMPTY_ROOT, key)
        except InvalidError as error:
            raise LogError(f"the origin {origin!r}: {error}") from error
        replace(folder / CHECKPOINT, str(checkpoint).encode())
        return checkpoint

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.checkpoint.size

    def append(self, entries: Sequence[bytes]) -> int:
        """Add entries; they are on disk under a signed checkpoint when this returns.

        Returns:
            The index of the first of them.

        Raises:
            OSError: they could not be written. The log is as it was.
        """
        first = self.size
        if not entries:
            return first
        rows, bundle = [list(row) for row in self._rows], list(self._bundle)
        files: dict[str, bytes] = {}
        full: list[str] = []

        def push(level: int, node: bytes, index: int) -> None:
            if level == len(rows):
                rows.append([])
            rows[level].append(node)
            if len(rows[level]) == WIDTH:
                full.append(path := tile_path(level, index // WIDTH))
                files[path] = b"".join(rows[level])
                node, rows[level] = root_of(rows[level]), []
                push(level + 1, node, index // WIDTH)

        for index, entry in enumerate(entries, first):
            bundle.append(write_entry(entry))
            if len(bundle) == WIDTH:
                full.append(path := entries_path(index // WIDTH))
                files[path], bundle = b"".join(bundle), []
            push(0, leaf_hash(entry), index)
        size = first + len(entries)
        if bundle:
            files[entries_path(size // WIDTH, len(bundle))] = b"".join(bundle)
        for level, row in enumerate(rows):
            count = size >> HEIGHT * level
            if row and count != first >> HEIGHT * level:
                files[tile_path(level, count // WIDTH, len(row))] = b"".join(row)
        write_new(self.folder, files)
        self._put(sign_checkpoint(self.checkpoint.origin, size, _root(rows), self._key))
        self._rows, self._bundle = rows, bundle
        for path in full:  # the full tile stands for its partial ones
            shutil.rmtree(self.folder / f"{path}.p", ignore_errors=True)
        return first

    def store(self, checkpoint: Checkpoint) -> None:
        """Keep the checkpoint with more signatures under it, such as those of witnesses.

        Raises:
            LogError: it is not the log's present one.
            OSError: it could not be written.
        """
        if checkpoint.note.text != self.checkpoint.note.text:
            raise LogError("the checkpoint to be stored is not the present one: the log has grown since")
        self._put(checkpoint)

    def close(self) -> None:
        """Let others write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, checkpoint: Checkpoint) -> None:
        replace(self.folder / CHECKPOINT, str(checkpoint).encode())
        self.checkpoint = checkpoint

    def _load(self) -> None:
        """What is needed to go on, held to the checkpoint."""
        self.checkpoint = read_checkpoint_file(self.folder)
        own = verifier_key(self.checkpoint.origin, self._key)
        if self.checkpoint.signed_by([own]) is None:
            raise LogError(f"{self.folder}: the checkpoint is not signed by the key {own}: the log is another's")
        tiles, size = Tiles(self.folder, self.size), self.size
        self._rows = []
        while size >> HEIGHT * len(self._rows):
            level = len(self._rows)
            index, width = divmod(size >> HEIGHT * level, WIDTH)
            data = tiles.tile(level, index) if width else b""
            self._rows.append([data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)])
        entries = tiles.entry_bundle(size // WIDTH) if size % WIDTH else []
        if [leaf_hash(entry) for entry in entries] != (self._rows[0] if size else []):
            raise InvalidError("the last entries are not those that the last tile has the hashes of")
        if _root(self._rows) != self.checkpoint.root:
            raise InvalidError("its tiles do not lead to the root in its checkpoint")
        self._bundle = [write_entry(entry) for entry in entries]


def _root(rows: Sequence[Sequence[bytes]]) -> bytes:
    """The root over the partial row of each level, which together are the whole tree."""
    root = None
    for row in rows:
        begin, count = len(row), len(row)
        while count:
            width = count & -count  # the smallest complete subtree is the rightmost
            begin, count = begin - width, count - width
            node = root_of(row[begin : begin + width])
            root = node if root is None else node_hash(node, root)
    return EMPTY_ROOT if root is None else root


def _hold(folder: Path) -> int | None:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LogError(f"{folder}: no log that can be written to: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        with suppress(OSError):
            os.close(descriptor)
        raise LogError(f"{folder}: another process writes to this log") from error
    return descriptor
