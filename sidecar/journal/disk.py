"""The file operations of the journal, as a seam.

Law: the journal touches files only through `Disk` and `File`, so that the same code runs on a disk that fails, tears writes
and forgets (the simulation in `tests/sidecar/journal`). Every method raises `OSError` and nothing else.
"""

import errno
import fcntl
import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from evidence.durable import sync_folder

IOV_MAX = 1024
"""Buffers that one `pwritev` takes (POSIX guarantees 16, Linux has 1,024)."""

_PAGE_BYTES = 4096


class File(Protocol):
    """An open file, addressed by offset."""

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset`; fewer only at the end of the file."""

    def write(self, offset: int, parts: Sequence[bytes]) -> None:
        """Writes all parts, one after the other. They are not durable before `sync`."""

    def sync(self) -> None:
        """Makes contents and length durable. After an error nothing is known about what was written since the last success."""

    def allocate(self, size: int) -> None:
        """Reserves space up to `size` bytes, so that writing inside it does not fail for want of space."""

    def truncate(self, size: int) -> None:
        """Cuts the file to `size` bytes."""

    def size(self) -> int:
        """Its length in bytes."""

    def close(self) -> None:
        """Closes it; does not make anything durable."""


class Disk(Protocol):
    """A folder's worth of file operations."""

    def open(self, path: Path, *, write: bool, create: bool = False) -> File:
        """Opens a file; `FileNotFoundError` unless it exists or is to be created."""

    def names(self, directory: Path) -> list[str]:
        """The names in a folder, sorted."""

    def make_directory(self, directory: Path) -> None:
        """Makes a folder and its parents, unless there already."""

    def rename(self, old: Path, new: Path) -> None:
        """Renames, replacing what is there, at one stroke."""

    def link(self, old: Path, new: Path) -> None:
        """Gives a file a second name."""

    def remove(self, path: Path) -> None:
        """Removes a name."""

    def sync_directory(self, directory: Path) -> None:
        """Makes names durable."""

    def lock(self, path: Path) -> File:
        """Opens and locks a file against other processes; `BlockingIOError` when another one holds it."""


class PosixFile:
    """A `File` on a file descriptor."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def read(self, offset: int, size: int) -> bytes:
        """See `File.read`."""
        return os.pread(self._fd, size, offset)

    def write(self, offset: int, parts: Sequence[bytes]) -> None:
        """See `File.write`; goes on after a short write."""
        for first in range(0, len(parts), IOV_MAX):
            pending: list[bytes | memoryview] = list(parts[first : first + IOV_MAX])
            while pending:
                written = os.pwritev(self._fd, pending, offset)
                offset += written
                pending = _without(pending, written)

    def sync(self) -> None:
        """See `File.sync`."""
        os.fdatasync(self._fd)

    def allocate(self, size: int) -> None:
        """See `File.allocate`. A file system that cannot reserve space gets the length alone."""
        try:
            os.posix_fallocate(self._fd, 0, size)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:
                raise
            os.ftruncate(self._fd, size)

    def truncate(self, size: int) -> None:
        """See `File.truncate`."""
        os.ftruncate(self._fd, size)

    def size(self) -> int:
        """See `File.size`."""
        return os.fstat(self._fd).st_size

    def lock(self) -> None:
        """Takes an exclusive lock that ends with the file descriptor, so also with the process."""
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """See `File.close`."""
        os.close(self._fd)


class PosixDisk:
    """`Disk` on the real file system. Files are 0600, folders 0700: telemetry holds prompts."""

    def open(self, path: Path, *, write: bool, create: bool = False) -> PosixFile:
        """See `Disk.open`."""
        flags = (os.O_RDWR if write else os.O_RDONLY) | (os.O_CREAT if create else 0) | os.O_CLOEXEC
        return PosixFile(os.open(path, flags, 0o600))

    def names(self, directory: Path) -> list[str]:
        """See `Disk.names`."""
        return sorted(os.listdir(directory))  # noqa: PTH208 - names are wanted here, not paths

    def make_directory(self, directory: Path) -> None:
        """See `Disk.make_directory`."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def rename(self, old: Path, new: Path) -> None:
        """See `Disk.rename`."""
        old.replace(new)

    def link(self, old: Path, new: Path) -> None:
        """See `Disk.link`."""
        new.hardlink_to(old)

    def remove(self, path: Path) -> None:
        """See `Disk.remove`."""
        path.unlink()

    def sync_directory(self, directory: Path) -> None:
        """See `Disk.sync_directory`."""
        sync_folder(directory)

    def lock(self, path: Path) -> PosixFile:
        """See `Disk.lock`."""
        file = self.open(path, write=True, create=True)
        try:
            file.lock()
        except OSError:
            file.close()
            raise
        return file


POSIX = PosixDisk()
"""The real file system."""


def forgiving(file: File) -> Callable[[int, int], bytes]:
    """Reads a file of which some pages may be unreadable: those come as zeros, which no checksum takes for data.

    Raises:
        OSError: anything but EIO.
    """

    def read(offset: int, size: int) -> bytes:
        try:
            return file.read(offset, size)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        stop = min(offset + size, file.size())
        cuts = [offset, *range((offset // _PAGE_BYTES + 1) * _PAGE_BYTES, stop, _PAGE_BYTES), stop]
        return b"".join(page(start, following - start) for start, following in itertools.pairwise(cuts))

    def page(offset: int, size: int) -> bytes:
        try:
            return file.read(offset, size)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return bytes(size)

    return read


def _without(parts: list[bytes | memoryview], written: int) -> list[bytes | memoryview]:
    """What is left of `parts` after their first `written` bytes."""
    for index, part in enumerate(parts):
        if written < len(part):
            return [memoryview(part)[written:], *parts[index + 1 :]]
        written -= len(part)
    return []
