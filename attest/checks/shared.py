"""Attestation files that several bundles share: each is opened once, and found again.

Laws: what is judged are the bytes that stood in the file when it was read, once in the life of a reader; a file that was written to since, or
while it was read, is read anew. Memory is bounded. Two ways lead to what is known already: the file is the same under another name, as the
sidecar links one over several bundles, or the bytes are, found by their size and end (where signatures are) and compared whole.
"""

import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from attest.limits import DEFAULT, AttestLimits

T = TypeVar("T")

_END_BYTES = 1024
"""Enough to tell attestations apart before they are compared, which takes a tenth of the time of a digest."""
_PIECE_BYTES = 128 * 1024

_End = tuple[int, bytes]
"""How long a file is, and how it ends."""


class _File(NamedTuple):
    """Which file it is, by whatever name, and what changes when it is written to."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class _Kept(Generic[T]):
    """A file's bytes, and what came of them."""

    end: _End
    data: bytes
    made: T


class SharedFiles(Generic[T]):
    """Files, each made something of once.

    Args:
        make: what to make of the bytes of one: it raises nothing, and what it gives depends on them alone.
        limits: how much of a file is read (a byte more than the largest, which shows that it is too large), and how much is kept.
    """

    def __init__(self, make: Callable[[bytes], T], limits: AttestLimits = DEFAULT) -> None:
        self._make = make
        self._limits = limits
        self._kept: OrderedDict[_End, _Kept[T]] = OrderedDict()
        self._kept_bytes = 0
        self._linked: WeakValueDictionary[_File, _Kept[T]] = WeakValueDictionary()
        """As long as they are kept."""

    def read(self, path: Path) -> T:
        """What came of the file at `path`.

        Raises:
            OSError: it cannot be read.
        """
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))  # a pipe would be waited for
        file = _file(status)
        known = self._linked.get(file) if file else None
        if known is not None:
            self._kept.move_to_end(known.end)
            return known.made
        with path.open("rb") as stream:
            data = self._bytes(stream)
            is_whole = file is not None and len(data) == file.size and file == _file(os.fstat(stream.fileno()))
        kept = self._of(data)
        if file is not None and is_whole:
            self._linked[file] = kept
        return kept.made

    def _bytes(self, stream: BinaryIO) -> bytes:
        """Piece by piece: a buffer for the largest file takes longer than to read a small one."""
        left = self._limits.attestation_bytes_max + 1
        pieces = []
        while left and (piece := stream.read(min(left, _PIECE_BYTES))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def _of(self, data: bytes) -> _Kept[T]:
        end = (len(data), data[-_END_BYTES:])
        known = self._kept.get(end)
        if known is not None and known.data == data:
            self._kept.move_to_end(end)
            return known
        kept = _Kept(end, data, self._make(data))
        self._forget(end)
        self._kept[end] = kept
        self._kept_bytes += len(data)
        while self._kept_bytes > self._limits.opened_bytes_max and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))
        return kept

    def _forget(self, end: _End) -> None:
        kept = self._kept.pop(end, None)
        if kept is not None:
            self._kept_bytes -= len(kept.data)


def _file(status: os.stat_result) -> _File | None:
    """None for a file of one name, which will not be met again."""
    if status.st_nlink <= 1 or not status.st_ino:
        return None
    return _File(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
