"""A consumer's view of the journal, from any process.

Law: it gives durable frames, whole and in order, each once for a rising `after`, and nothing else. "Durable" is what the writer's
watermark says; that there is a frame at all is what mark, sequence and checksum say. What a failed sync left behind may lie
intact under the watermark and yet was refused: a segment therefore counts only up to the first sequence of the next one.
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from sidecar.errors import JournalError
from sidecar.journal.cursor import CursorFile
from sidecar.journal.disk import POSIX, Disk, File, forgiving
from sidecar.journal.frame import SEGMENT_HEADER_BYTES, Frame, decode_segment_header
from sidecar.journal.recovery import find_frame, frame_at
from sidecar.journal.segment import WATERMARK, segment_name, segments

_PLACES_MAX = 16


class _Place:
    """An open segment and how far it was read."""

    def __init__(self, file: File, first_sequence: int) -> None:
        self.first_sequence = first_sequence
        self.last = first_sequence - 1
        self._file = file
        self._read = forgiving(file)
        header = decode_segment_header(self._read(0, SEGMENT_HEADER_BYTES))
        self._mark = header[0] if header is not None and header[1] == first_sequence else None
        self._offset = SEGMENT_HEADER_BYTES

    def next(self, highest: int) -> Frame | None:
        """The next intact frame, up to a sequence below which it is known that there should be one: so damage is stepped over."""
        if self._mark is None or self.last >= highest:
            return None
        size = self._file.size()
        found = frame_at(self._read, size, self._mark, self._offset)
        if found is None or found.frame.sequence <= self.last:
            found = find_frame(self._read, size, self._mark, self._offset, after=self.last)
        if found is None or found.frame.sequence > highest:
            return None
        self._offset, self.last = found.stop, found.frame.sequence
        return found.frame

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()


class JournalReader:
    """Reads the journal in a folder. May be used by several threads, each with a position of its own."""

    def __init__(self, directory: Path, *, disk: Disk = POSIX) -> None:
        """Opens nothing yet: the journal need not be there."""
        self._directory = directory
        self._disk = disk
        self._watermark = CursorFile(directory / WATERMARK, disk=disk, durable=False)
        self._lock = threading.Lock()
        self._places: list[_Place] = []

    def durable(self) -> int:
        """The highest sequence that may be read now; 0 before the journal was ever opened by a writer.

        Raises:
            JournalError: it cannot be read.
        """
        with self._lock:
            return self._watermark.load()

    def frames(self, after: int) -> Iterator[Frame]:
        """Every durable frame above `after` that is there now, in order; then it stops, and may be called again.

        A hole between the sequences of two frames, or between `after` and the first, is damage that recovery counted.

        Raises:
            JournalError: the disk cannot be read.
        """
        durable = self.durable()
        if after >= durable:
            return
        try:
            firsts = segments(self._disk.names(self._directory))  # listed after the watermark: all that counts is there
            for first, highest in _relevant(firsts, after, durable):
                yield from self._segment(first, after, highest)
        except OSError as error:
            raise JournalError(f"cannot read the journal in {self._directory}: {error}") from error

    def close(self) -> None:
        """Closes the files; the object may be used again."""
        with self._lock:
            self._watermark.close()
            while self._places:
                self._places.pop().close()

    def _segment(self, first: int, after: int, highest: int) -> Iterator[Frame]:
        place = self._resume(first, after)
        try:
            while (frame := place.next(highest)) is not None:
                if frame.sequence > after:
                    yield frame
        finally:
            self._remember(place)

    def _resume(self, first: int, after: int) -> _Place:
        """The remembered place nearest to `after` and not behind it, or the beginning of the segment."""
        with self._lock:
            usable = [place for place in self._places if place.first_sequence == first and place.last <= after]
            if usable:
                place = max(usable, key=lambda place: place.last)
                self._places.remove(place)
                return place
        return _Place(self._disk.open(self._directory / segment_name(first), write=False), first)

    def _remember(self, place: _Place) -> None:
        with self._lock:
            self._places.append(place)
            while len(self._places) > _PLACES_MAX:
                self._places.pop(0).close()


def _relevant(firsts: list[int], after: int, durable: int) -> list[tuple[int, int]]:
    """The segments with frames above `after` and up to `durable`, each with the highest sequence that counts in it."""
    following = [*firsts[1:], durable + 1]
    return [
        (first, highest)
        for first, next_first in zip(firsts, following, strict=True)
        if first <= (highest := min(next_first - 1, durable)) and highest > after
    ]
