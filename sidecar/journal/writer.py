"""The one writer of the journal.

Law: a sequence is given only for a frame that is on disk, and once given it is never given again. One thread does all the writing:
it takes whatever queued while the last fdatasync ran, writes it with one call, makes it durable with one fdatasync, moves the
watermark, and only then answers. There is no timer: a lone request waits for nothing, and a crowd shares the sync.

After a failed write or fdatasync the kernel may call pages clean that never reached the disk. Those frames are refused, their
sequences, which nobody was told, go to others in a fresh segment, and the segment they were in is never written again.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from sidecar.clock import Clock, now_unix_nano
from sidecar.errors import JournalError
from sidecar.journal.cursor import CursorFile
from sidecar.journal.disk import POSIX, Disk, File
from sidecar.journal.frame import MARK_BYTES, Frame
from sidecar.journal.intake import Append, Intake, Release
from sidecar.journal.recovery import Remedy
from sidecar.journal.repair import repair, survey
from sidecar.journal.segment import LOCK, WATERMARK, Folder, frame_bytes
from sidecar.limits import JOURNAL, JournalLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStats:
    """What the journal has seen since it was opened."""

    durable: int
    """The highest durable sequence."""
    frames: int
    bytes: int
    """Bodies made durable."""
    commits: int
    in_flight_bytes: int
    disk_bytes: int
    segments: int
    failures: int
    """Writes, syncs and new segments that failed. Every frame concerned was refused."""
    last_failure: str
    torn_tail_bytes: int
    """Found at opening: bytes of frames that nobody had been told were safe."""
    quarantined: int
    """Found at opening: damaged segments, kept aside as `*.quarantined`."""
    lost_frames: int
    """Found at opening: frames that had been acknowledged and cannot be read any more."""


class JournalWriter:
    """Appends frames to the journal in a folder. One writer a folder; every method may be called from any thread."""

    def __init__(
        self,
        directory: Path,
        *,
        limits: JournalLimits = JOURNAL,
        clock: Clock = now_unix_nano,
        on_commit: Callable[[int], None] | None = None,
        disk: Disk = POSIX,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Use `open`."""
        self._limits = limits
        self._clock = clock
        self._entropy = entropy
        self._frames = self._bytes = self._commits = self._failures = 0
        self._last_failure = ""
        self._on_commit = on_commit
        disk.make_directory(directory)
        self._locked: File = disk.lock(directory / LOCK)
        self._watermark = CursorFile(directory / WATERMARK, disk=disk, durable=False)
        segment_bytes = min(limits.segment_bytes, limits.disk_bytes_max // 8)
        self._folder = Folder(directory, disk, segment_bytes=segment_bytes, spares_max=limits.spare_segments_max)
        self._intake = Intake(limits, lambda: self._folder.bytes_used)
        self._recover(directory, disk)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        limits: JournalLimits = JOURNAL,
        clock: Clock = now_unix_nano,
        on_commit: Callable[[int], None] | None = None,
        disk: Disk = POSIX,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> "JournalWriter":
        """Opens the journal in a folder, recovering what an earlier process left there; makes the folder when there is none.

        Every frame found intact is durable when this returns. A damaged segment is set aside and counted, never a reason not to
        start; nor is a full disk: appending then fails until there is room.

        Args:
            directory: the folder; nothing else may be in it.
            limits: the bounds.
            clock: tells when a frame was received.
            on_commit: called in the writer's thread after each group commit with the highest durable sequence; may neither raise
                nor block.
            disk: the file operations.
            entropy: gives that many random bytes, for the marks of segments.

        Raises:
            JournalError: the folder cannot be used at all, or another process writes there.
        """
        try:
            return cls(directory, limits=limits, clock=clock, on_commit=on_commit, disk=disk, entropy=entropy)
        except BlockingIOError as error:
            raise JournalError(f"the journal in {directory} is in use by another process") from error
        except OSError as error:
            raise JournalError(f"cannot open the journal in {directory}: {error}") from error

    def append(self, signal: int, encoding: int, body: bytes) -> "Future[int]":
        """Takes a body; the future gives its sequence once it is on disk.

        A future that is cancelled before its frame is written takes the frame with it. It fails with `JournalError` when the
        disk refuses.

        Raises:
            Overloaded: a bound is reached; nothing was taken.
            JournalError: the journal is closed, or the body is larger than the bound.
            ValueError: signal or encoding do not fit into a byte.
        """
        if not (0 <= signal <= 0xFF and 0 <= encoding <= 0xFF):
            raise ValueError(f"signal and encoding are bytes, got {signal} and {encoding}")
        if len(body) > self._limits.body_bytes_max:
            raise JournalError(f"a frame holds at most {self._limits.body_bytes_max} bytes, got a body of {len(body)}")
        return self._intake.append(Append(signal, encoding, body, self._clock()))

    def release(self, sequence: int) -> "Future[int]":
        """Says that no consumer needs frames up to `sequence` any more; the future gives the number of segments recycled.

        It fails with `JournalError` when the disk refuses; the next release makes up for it.
        """
        return self._intake.release(Release(sequence))

    def close(self) -> None:
        """Commits what was taken, then closes. Calling it again changes nothing."""
        self._intake.close()
        self._thread.join()

    @property
    def durable_sequence(self) -> int:
        """The highest sequence given out, all of it on disk; 0 in a new journal."""
        return self._next - 1

    @property
    def stats(self) -> JournalStats:
        """What the journal has seen; a snapshot."""
        return JournalStats(
            durable=self.durable_sequence,
            frames=self._frames,
            bytes=self._bytes,
            commits=self._commits,
            in_flight_bytes=self._intake.in_flight_bytes,
            disk_bytes=self._folder.bytes_used,
            segments=self._folder.count,
            failures=self._failures,
            last_failure=self._last_failure,
            torn_tail_bytes=self._survey.torn_tail_bytes,
            quarantined=self._survey.quarantined,
            lost_frames=self._survey.lost_frames,
        )

    # ------------------------------------------------------------------ opening

    def _recover(self, directory: Path, disk: Disk) -> None:
        """Order matters.

        What is in the newest segment becomes durable before a segment follows it, and the next sequence has a durable home
        before anything that tells it is taken away.
        """
        self._survey = survey(directory, disk, durable=self._watermark.load())
        self._next = self._survey.last + 1
        findings = self._survey.findings
        repair(directory, disk, [finding for finding in findings if finding.verdict.remedy is Remedy.CUT])
        if self._begin(0):
            others = [finding for finding in findings if finding.verdict.remedy is not Remedy.CUT]
            repair(directory, disk, [finding for finding in others if finding.first_sequence != self._next])
        self._folder.adopt()
        self._publish()

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        try:
            while self._step():
                pass
            self._folder.close()
        finally:
            self._intake.abandon()
            self._watermark.close()
            self._locked.close()

    def _step(self) -> bool:
        """Waits for work and does it; False at the end. Keeps no body afterwards, however long the next wait is."""
        work = self._intake.take()
        if isinstance(work, Release):
            self._recycle(work)
        elif work is not None:
            room = self._room_for(work)
            if room:
                self._commit(self._intake.more(work, room))
            else:
                work.future.set_running_or_notify_cancel()
                self._refuse([work])
        return work is not None

    def _room_for(self, item: Append) -> int:
        """Bytes left in a segment into which the frame fits, in a new one if need be; 0 when there is none to be had."""
        active, size = self._folder.active, frame_bytes(item.body)
        if (active is None or active.room() < size) and not self._begin(size):
            return 0
        return self._folder.active.room() if self._folder.active else 0

    def _begin(self, size: int) -> bool:
        try:
            self._folder.begin(self._next, self._entropy(MARK_BYTES), size)
        except OSError as error:
            self._note(f"cannot begin a segment: {error}")
            return False
        return True

    def _commit(self, group: list[Append]) -> None:
        wanted = [item for item in group if item.future.set_running_or_notify_cancel()]
        frames = [
            Frame(self._next + n, item.time_unix_nano, item.signal, item.encoding, item.body)
            for n, item in enumerate(wanted)
        ]
        try:
            self._write(frames)
        except OSError as error:
            self._folder.retire()
            self._note(f"cannot write: {error}")
            self._refuse(group)
            return
        self._intake.settle(group)
        for item, frame in zip(wanted, frames, strict=True):
            item.future.set_result(frame.sequence)
        if self._on_commit is not None and frames:
            self._on_commit(frames[-1].sequence)

    def _write(self, frames: list[Frame]) -> None:
        active = self._folder.active
        if active is None or not frames:
            return
        active.commit(frames)
        self._next = frames[-1].sequence + 1
        self._frames += len(frames)
        self._bytes += sum(len(frame.body) for frame in frames)
        self._commits += 1
        self._publish()

    def _publish(self) -> None:
        """Readers elsewhere see the frames a little later when this fails; the frames themselves are safe."""
        try:
            self._watermark.store(self.durable_sequence)
        except JournalError as error:
            self._note(str(error))

    def _recycle(self, work: Release) -> None:
        if not work.future.set_running_or_notify_cancel():
            return
        try:
            work.future.set_result(self._folder.release(work.sequence))
        except OSError as error:
            self._note(f"cannot recycle a segment: {error}")
            work.future.set_exception(JournalError(self._last_failure))

    def _refuse(self, group: list[Append]) -> None:
        self._intake.settle(group)
        for item in group:
            if not item.future.cancelled():
                item.future.set_exception(JournalError(f"the journal did not take it: {self._last_failure}"))

    def _note(self, failure: str) -> None:
        self._failures += 1
        self._last_failure = failure
