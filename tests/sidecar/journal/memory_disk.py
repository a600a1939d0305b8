"""A disk in memory that can fail, tear, forget and stop: the world of the journal's simulation.

What a `File` wrote is live at once, and durable only after `sync`, as with a page cache. `power_cut` gives the disk that is found
after the power came back: durable contents, plus any subset of the sectors and any prefix of the name changes that were not yet
synced. `process_death` gives the disk that is found after kill -9: everything live. A sync that fails forgets what it should
have written, and the next one succeeds without it, as Linux does.
"""

import errno
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512


class Stopped(SystemExit):
    """The machine stopped in the middle of an operation. Threads that end by SystemExit end in silence."""


@dataclass
class Inode:
    live: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[tuple[int, bytes]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        _put(self.live, offset, data)
        self.unsynced.append((offset, data))

    def resize(self, size: int) -> None:
        """A change of length is durable at once: metadata goes through the file system's own journal."""
        for content in (self.live, self.durable):
            del content[size:]
            content.extend(bytes(size - len(content)))
        self.unsynced = [(offset, data[: max(0, size - offset)]) for offset, data in self.unsynced if offset < size]

    def sync(self) -> None:
        for offset, data in self.unsynced:
            _put(self.durable, offset, data)
        self.unsynced.clear()


class MemoryFile:
    def __init__(self, disk: "MemoryDisk", inode: Inode, name: str) -> None:
        self._disk, self._inode, self._name = disk, inode, name

    def read(self, offset: int, size: int) -> bytes:
        self._disk.operation("read", self._name)
        return bytes(self._inode.live[offset : offset + size])

    def write(self, offset: int, parts: Sequence[bytes]) -> None:
        data = b"".join(parts)
        try:
            self._disk.operation("write", self._name)
        except (OSError, Stopped):
            torn = self._disk.random.randrange(len(data) + 1)
            self._inode.write(offset, data[:torn])
            raise
        self._inode.write(offset, data)

    def sync(self) -> None:
        try:
            self._disk.operation("sync", self._name)
        except OSError:
            self._inode.unsynced = [part for part in self._inode.unsynced if self._disk.random.random() < 0.5]
            self._inode.sync()  # some pages made it, the others are forgotten, and the next sync will not know
            raise
        self._inode.sync()

    def allocate(self, size: int) -> None:
        self._disk.operation("allocate", self._name)
        self._inode.resize(max(size, len(self._inode.live)))

    def truncate(self, size: int) -> None:
        self._disk.operation("truncate", self._name)
        self._inode.resize(size)

    def size(self) -> int:
        return len(self._inode.live)

    def lock(self) -> None:
        pass

    def close(self) -> None:
        pass


class MemoryDisk:
    """One folder. `fail` is asked before each operation and may return an errno; `stop_at` stops the machine at an operation."""

    def __init__(self, rng: random.Random, *, stop_at: int | None = None) -> None:
        self.random = rng
        self.stop_at = stop_at
        self.operations = 0
        self.fail: Callable[[str, str], int | None] = lambda operation, name: None
        self.live: dict[str, Inode] = {}
        self._durable_names: dict[str, Inode] = {}
        self._name_changes: list[Callable[[dict[str, Inode]], None]] = []

    def operation(self, operation: str, name: str) -> None:
        self.operations += 1
        if self.stop_at is not None and self.operations >= self.stop_at:
            raise Stopped
        if number := self.fail(operation, name):
            raise OSError(number, f"simulated in {operation}", name)

    def open(self, path: Path, *, write: bool, create: bool = False) -> MemoryFile:
        if path.name not in self.live:
            if not create:
                raise FileNotFoundError(errno.ENOENT, "no such file", path.name)
            self.operation("create", path.name)
            inode = Inode()
            self._change(lambda names: names.__setitem__(path.name, inode))
        return MemoryFile(self, self.live[path.name], path.name)

    def names(self, directory: Path) -> list[str]:
        return sorted(self.live)

    def make_directory(self, directory: Path) -> None:
        pass

    def rename(self, old: Path, new: Path) -> None:
        self.operation("rename", old.name)
        self._change(lambda names: names.__setitem__(new.name, names.pop(old.name)))

    def link(self, old: Path, new: Path) -> None:
        self.operation("link", old.name)
        self._change(lambda names: names.__setitem__(new.name, names[old.name]))

    def remove(self, path: Path) -> None:
        if path.name not in self.live:
            raise FileNotFoundError(errno.ENOENT, "no such file", path.name)
        self.operation("remove", path.name)
        self._change(lambda names: names.__delitem__(path.name))

    def sync_directory(self, directory: Path) -> None:
        self.operation("sync_directory", ".")
        self._durable_names = dict(self.live)
        self._name_changes.clear()

    def lock(self, path: Path) -> MemoryFile:
        return self.open(path, write=True, create=True)

    def process_death(self) -> "MemoryDisk":
        """The disk as the next process on this machine finds it."""
        after = MemoryDisk(self.random)
        after.live, after._durable_names, after._name_changes = self.live, self._durable_names, self._name_changes
        return after

    def power_cut(self) -> "MemoryDisk":
        """The disk as it is found when the power is back."""
        names = dict(self._durable_names)
        for change in self._name_changes[: self.random.randrange(len(self._name_changes) + 1)]:
            change(names)
        for inode in {id(inode): inode for inode in names.values()}.values():
            self._keep_some_sectors(inode)
        after = MemoryDisk(self.random)
        after.live, after._durable_names = names, dict(names)
        return after

    def _change(self, change: Callable[[dict[str, Inode]], None]) -> None:
        change(self.live)
        self._name_changes.append(change)

    def _keep_some_sectors(self, inode: Inode) -> None:
        keep = self.random.choice((0.0, 0.5, 0.9, 1.0))
        for offset, data in inode.unsynced:
            at = offset
            while at < offset + len(data):
                stop = min((at // SECTOR + 1) * SECTOR, offset + len(data))
                if self.random.random() < keep:
                    _put(inode.durable, at, data[at - offset : stop - offset])
                at = stop
        inode.unsynced.clear()
        inode.live = bytearray(inode.durable)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data
