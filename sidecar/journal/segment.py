"""The files of the journal: segments, and spare ones that wait to be used again.

Law: a file has its final name only when its new header is on disk, and frames are written only into a file whose name is durable.
So a crash anywhere leaves either the segment or none, and never an old segment under a new name or the other way round.
"""

import contextlib
import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from sidecar.journal.disk import Disk, File
from sidecar.journal.frame import (
    FRAME_HEADER_BYTES,
    SEGMENT_HEADER_BYTES,
    Frame,
    encode_header,
    encode_segment_header,
)

WATERMARK = "durable"
"""The file that tells readers in other processes up to which sequence frames are durable."""
LOCK = "lock"
"""The file that keeps a second writer out."""

SPARE_SUFFIX = ".spare"
SALVAGE_SUFFIX = ".salvaged"

_SEGMENT = re.compile(r"([0-9]{20})\.segment")


def segment_name(first_sequence: int) -> str:
    """The file name of a segment."""
    return f"{first_sequence:020d}.segment"


def segments(names: Sequence[str]) -> list[int]:
    """The first sequences of the segments among some file names, rising."""
    return sorted(int(match[1]) for name in names if (match := _SEGMENT.fullmatch(name)))


class Segment:
    """A segment that is being written. `end` moves only when what is before it is durable."""

    def __init__(self, file: File, mark: bytes, first_sequence: int, capacity: int) -> None:
        self.first_sequence = first_sequence
        self.capacity = capacity
        self.end = SEGMENT_HEADER_BYTES
        self._file = file
        self._mark = mark

    def room(self) -> int:
        """Bytes of frames that still fit."""
        return self.capacity - self.end

    def commit(self, group: Sequence[Frame]) -> None:
        """Writes the frames and makes them durable. After an error the segment must not be written again."""
        parts: list[bytes] = []
        for position, frame in enumerate(group):
            parts += (encode_header(self._mark, position, frame), frame.body)
        self._file.write(self.end, parts)
        self._file.sync()
        self.end += sum(map(len, parts))

    def close(self) -> None:
        """Gives back what is reserved and not used. Does its best: frames are durable already."""
        with contextlib.suppress(OSError):
            self._file.truncate(self.end)
        with contextlib.suppress(OSError):
            self._file.sync()
        self.leave()

    def leave(self) -> None:
        """Closes the file as it is."""
        with contextlib.suppress(OSError):
            self._file.close()


class Folder:
    """The folder of the journal. Owned by one thread; `bytes_used` may be read by others."""

    def __init__(self, directory: Path, disk: Disk, *, segment_bytes: int, spares_max: int) -> None:
        self._directory = directory
        self._disk = disk
        self._segment_bytes = segment_bytes
        self._spares_max = spares_max
        self._spares: list[Path] = []
        self._passed: list[Path] = []
        self._closed: dict[int, int] = {}
        self._closed_bytes = 0
        self._fresh = itertools.count()
        self.active: Segment | None = None

    @property
    def bytes_used(self) -> int:
        """Bytes of the segments that hold frames."""
        active = self.active
        return self._closed_bytes + (active.end if active else 0)

    @property
    def count(self) -> int:
        """Segments that hold frames or will."""
        return len(self._closed) + (self.active is not None)

    def adopt(self) -> None:
        """Takes into the books what is in the folder: segments as they are, spare files for later use."""
        for name in self._disk.names(self._directory):
            path = self._directory / name
            if name.endswith(SPARE_SUFFIX):
                self._spare(path)
            elif name.endswith(SALVAGE_SUFFIX):  # a copy that was not finished
                self._disk.remove(path)
            elif (match := _SEGMENT.fullmatch(name)) and not (
                self.active and self.active.first_sequence == int(match[1])
            ):
                self._count(int(match[1]), self._size(path))

    def begin(self, first_sequence: int, mark: bytes, size: int) -> Segment:
        """Makes a segment the active one; a frame of a `size` that no segment has gets one of its own.

        Raises:
            OSError: there is none, and there is no active segment now.
        """
        self.retire()
        capacity = max(self._segment_bytes, SEGMENT_HEADER_BYTES + size)
        spare = self._spares.pop() if self._spares and capacity == self._segment_bytes else self._unused_name()
        file = self._disk.open(spare, write=True, create=True)
        try:
            if file.size() < capacity:
                file.allocate(capacity)
            file.write(0, [encode_segment_header(mark, first_sequence)])
            file.sync()
            self._disk.rename(spare, self._directory / segment_name(first_sequence))
            self._disk.sync_directory(self._directory)
        except OSError:
            file.close()
            with contextlib.suppress(OSError):
                self._disk.remove(spare)
            raise
        self._closed_bytes -= self._closed.pop(
            first_sequence, 0
        )  # one that failed before its first frame; the new one took its name
        self.active = Segment(file, mark, first_sequence, capacity)
        return self.active

    def retire(self) -> None:
        """Turns away from the active segment: it is full, or a write or sync failed. Frames before its `end` stay where they are.

        What a failed write left behind `end` is not cleared away, for the disk that failed would have to do it: the first
        sequence of the next segment says where this one ends.
        """
        if self.active is not None:
            self._count(self.active.first_sequence, self.active.capacity)
            self.active.leave()
            self.active = None

    def release(self, sequence: int) -> int:
        """Recycles the segments that hold nothing above `sequence`; returns how many. The newest one always stays.

        A file is written again only when the loss of its name is durable: it cannot come back with other contents.

        Raises:
            OSError: not all could be recycled; the next call tries again.
        """
        firsts = [*self._closed, *([self.active.first_sequence] if self.active else [])]
        passed = [first for first, following in itertools.pairwise(firsts) if following - 1 <= sequence]
        for first in passed:
            spare = self._unused_name()
            self._disk.rename(self._directory / segment_name(first), spare)
            self._closed_bytes -= self._closed.pop(first)
            self._passed.append(spare)
        if self._passed:
            self._disk.sync_directory(self._directory)
        while self._passed:
            self._spare(self._passed.pop())
        return len(passed)

    def close(self) -> None:
        """Closes the active segment."""
        if self.active is not None:
            self.active.close()
            self.active = None

    def _count(self, first_sequence: int, size: int) -> None:
        self._closed[first_sequence] = size
        self._closed_bytes += size

    def _spare(self, path: Path) -> None:
        """Keeps a file for later use, or removes it when it does not fit or there are enough."""
        if self._size(path) == self._segment_bytes and len(self._spares) < self._spares_max:
            self._spares.append(path)
        else:
            self._disk.remove(path)

    def _size(self, path: Path) -> int:
        file = self._disk.open(path, write=False)
        try:
            return file.size()
        finally:
            file.close()

    def _unused_name(self) -> Path:
        taken = set(self._disk.names(self._directory))
        return self._directory / next(
            name for number in self._fresh if (name := f"{number:06d}{SPARE_SUFFIX}") not in taken
        )


def frame_bytes(body: bytes) -> int:
    """Bytes that a body takes up in a segment."""
    return FRAME_HEADER_BYTES + len(body)
