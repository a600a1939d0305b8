"""What waits for the journal's writer, within bounds.

Law: every future that was handed out is settled: with a sequence, a number of segments, or an error. What is taken is counted in
bytes from `append` to `settle`, and nothing holds on to a body after that.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sidecar.errors import JournalError, Overloaded
from sidecar.journal.segment import frame_bytes
from sidecar.limits import JournalLimits


@dataclass(frozen=True, slots=True, eq=False)
class Append:
    """A body that is to be made durable; its future gives the sequence."""

    signal: int
    encoding: int
    body: bytes
    time_unix_nano: int
    future: "Future[int]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """A sequence that every consumer has passed; its future gives the number of segments recycled."""

    sequence: int
    future: "Future[int]" = field(default_factory=Future)


class _Stop:
    pass


_STOP: Final = _Stop()
Work: TypeAlias = Append | Release


class Intake:
    """The queue between everybody and the one writer. `take`, `more` and `settle` are the writer's; the rest is anybody's."""

    def __init__(self, limits: JournalLimits, disk_bytes: Callable[[], int]) -> None:
        self._limits = limits
        self._disk_bytes = disk_bytes
        self._queue: queue.SimpleQueue[Work | _Stop] = queue.SimpleQueue()
        self._held: Work | _Stop | None = None
        self._in_hand: list[Work] = []
        self._lock = threading.Lock()
        self._closed = False
        self.in_flight_bytes = 0

    def append(self, item: Append) -> "Future[int]":
        """Takes a body.

        Raises:
            Overloaded: a bound is reached; nothing was taken.
            JournalError: the journal is closed.
        """
        with self._lock:
            if self._closed:
                raise JournalError("the journal is closed")
            self._check(frame_bytes(item.body))
            self.in_flight_bytes += frame_bytes(item.body)
            self._queue.put(item)
        return item.future

    def release(self, item: Release) -> "Future[int]":
        """Takes a release; does nothing once closed, for the next process recycles what is left."""
        with self._lock:
            if self._closed:
                item.future.set_result(0)
            else:
                self._queue.put(item)
        return item.future

    def close(self) -> None:
        """Takes nothing more; what was taken is still given to the writer."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(_STOP)

    def take(self) -> Work | None:
        """Waits for work; None at the end."""
        work, self._held = self._held, None
        self._in_hand.clear()
        work = work or self._queue.get()
        if isinstance(work, _Stop):
            return None
        self._in_hand.append(work)
        return work

    def more(self, first: Append, room: int) -> list[Append]:
        """A frame just taken, and whatever else is queued by now, fits into `room` bytes and belongs into the same commit."""
        group, size = [first], frame_bytes(first.body)
        room = min(room, max(self._limits.group_bytes_max, size))
        while len(group) < self._limits.group_frames_max:
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                break
            if not isinstance(work, Append) or size + frame_bytes(work.body) > room:
                self._held = work
                break
            group.append(work)
            self._in_hand.append(work)
            size += frame_bytes(work.body)
        return group

    def settle(self, group: Sequence[Append]) -> None:
        """Their bytes are not in flight any more."""
        with self._lock:
            self.in_flight_bytes -= sum(frame_bytes(item.body) for item in group)

    def abandon(self) -> None:
        """The writer ends: whoever still waits is told so."""
        with self._lock:
            self._closed = True
        closed = JournalError("the journal is closed")
        for work in self._in_hand:
            if not work.future.done():
                work.future.set_exception(closed)
        while self._held is not None or not self._queue.empty():
            left = self.take()
            if left is not None and left.future.set_running_or_notify_cancel():
                left.future.set_exception(closed)

    def _check(self, size: int) -> None:
        limits, in_flight, on_disk = self._limits, self.in_flight_bytes, self._disk_bytes()
        if in_flight and in_flight + size > limits.in_flight_bytes_max:
            reason = f"{in_flight} bytes wait for the disk, at most {limits.in_flight_bytes_max} may"
            raise Overloaded(reason, retry_after_seconds=limits.busy_retry_seconds)
        if on_disk + in_flight + size > limits.disk_bytes_max:
            reason = f"the journal holds {on_disk} bytes that consumers still need, at most {limits.disk_bytes_max} may"
            raise Overloaded(reason, retry_after_seconds=limits.full_retry_seconds)
