"""A position in the journal, kept in a file.

Law: `load` gives a position that `store` was given, or 0; a crash in the middle of `store` leaves the one before. Two slots are
written in turn, each with a generation and a checksum, so that one write and one fdatasync do, and a reader in another
process always finds one whole slot. A lost cursor is 0: everything is delivered again, nothing is skipped.

The journal's own watermark, the highest durable sequence, is such a file without the fdatasync: it speaks to processes
that run now, and after a power cut recovery finds the truth in the frames.
"""

import struct
from pathlib import Path

from isal import isal_zlib

from sidecar.errors import JournalError
from sidecar.journal.disk import POSIX, Disk, File

_SLOT = struct.Struct("<QQI")  # generation, position, CRC-32 of both
_SLOT_BYTES = 512  # a sector each, so that a torn write spoils one


class CursorFile:
    """A consumer's position. One process stores; any number load. Not for use by several threads at once."""

    def __init__(self, path: Path, *, disk: Disk = POSIX, durable: bool = True) -> None:
        self._path = path
        self._disk = disk
        self._durable = durable
        self._reading: File | None = None
        self._writing: File | None = None
        self._generation = 0

    def load(self) -> int:
        """The position; 0 when there is none, or none that is whole."""
        try:
            if self._reading is None:
                self._reading = self._disk.open(self._path, write=False)
            return self._newest(self._reading)[1]
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise JournalError(f"cannot read the cursor {self._path}: {error}") from error

    def store(self, sequence: int) -> None:
        """Replaces the position.

        Raises:
            JournalError: it could not be made durable; `load` may give this position or the one before.
        """
        try:
            file = self._writing or self._create()
            self._generation += 1
            file.write(self._generation % 2 * _SLOT_BYTES, [_slot(self._generation, sequence)])
            if self._durable:
                file.sync()
        except OSError as error:
            raise JournalError(f"cannot store the cursor {self._path}: {error}") from error

    def close(self) -> None:
        """Closes the file; the object may be used again."""
        for file in (self._reading, self._writing):
            if file is not None:
                file.close()
        self._reading = self._writing = None

    def _create(self) -> File:
        file = self._disk.open(self._path, write=True, create=True)
        self._generation = self._newest(file)[0]
        if self._durable:
            self._disk.sync_directory(self._path.parent)
        self._writing = file
        return file

    @staticmethod
    def _newest(file: File) -> tuple[int, int]:
        data = file.read(0, _SLOT_BYTES + _SLOT.size)
        return max(_unpack(data), _unpack(data[_SLOT_BYTES:]))


def _slot(generation: int, sequence: int) -> bytes:
    fields = generation.to_bytes(8, "little") + sequence.to_bytes(8, "little")
    return fields + isal_zlib.crc32(fields).to_bytes(4, "little")


def _unpack(data: bytes) -> tuple[int, int]:
    """Generation and position; zeros for a slot that is not whole."""
    if len(data) < _SLOT.size:
        return (0, 0)
    generation, sequence, _ = _SLOT.unpack_from(data)
    return (generation, sequence) if data.startswith(_slot(generation, sequence)) else (0, 0)
