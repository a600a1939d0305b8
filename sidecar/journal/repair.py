"""Recovery at start: looks at every segment, and carries out what `recovery` says about each.

Law: the journal always starts. What cannot be read is renamed to `*.quarantined`, counted and never touched again; what of it can
be read takes its place. Whatever fails here is left as it is: readers step over damage by themselves.
"""

import contextlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sidecar.journal.disk import Disk, File, forgiving
from sidecar.journal.frame import SEGMENT_HEADER_BYTES, encode_segment_header
from sidecar.journal.recovery import Piece, Remedy, Verdict, judge_middle, judge_tail, scan, unreadable
from sidecar.journal.segment import SALVAGE_SUFFIX, segment_name, segments

_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One segment: what it is called, what it holds, and what is to be done."""

    first_sequence: int
    size: int
    mark: bytes
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the folder held before anything was changed."""

    findings: tuple[Finding, ...]
    last: int
    """The highest sequence that may have been given out; the next frame gets a higher one."""

    @property
    def torn_tail_bytes(self) -> int:
        """Bytes of frames that were being written when the process or the machine stopped."""
        return sum(finding.verdict.torn_bytes for finding in self.findings)

    @property
    def lost_frames(self) -> int:
        """Frames that had been acknowledged and cannot be read any more."""
        return sum(finding.verdict.lost_frames for finding in self.findings)

    @property
    def quarantined(self) -> int:
        """Segments with damage."""
        return sum(finding.verdict.remedy in {Remedy.SALVAGE, Remedy.QUARANTINE} for finding in self.findings)


def survey(directory: Path, disk: Disk, *, durable: int) -> Survey:
    """Reads every segment of a folder; changes nothing.

    Args:
        directory: the folder.
        disk: its file operations.
        durable: the watermark of the last process, which may lag behind the truth and is never ahead of it.
    """
    findings: list[Finding] = []
    next_first: int | None = None
    for first in reversed(segments(disk.names(directory))):
        findings.append(_look(directory, disk, first, next_first, durable))
        next_first = first
    last = max((finding.verdict.last for finding in findings), default=0)
    return Survey(findings=tuple(reversed(findings)), last=max(last, durable))


def repair(directory: Path, disk: Disk, findings: Iterable[Finding]) -> None:
    """Carries out verdicts, as far as the disk lets it."""
    for finding in findings:
        with contextlib.suppress(OSError):
            _apply(directory / segment_name(finding.first_sequence), disk, finding)
    with contextlib.suppress(OSError):
        disk.sync_directory(directory)


def _look(directory: Path, disk: Disk, first: int, next_first: int | None, durable: int) -> Finding:
    file = disk.open(directory / segment_name(first), write=False)
    try:
        size = file.size()
        found = scan(forgiving(file), size, below=next_first)
    finally:
        file.close()
    if found is None or found.first_sequence != first:
        return Finding(
            first_sequence=first, size=size, mark=b"", verdict=unreadable(first, size, next_first=next_first)
        )
    verdict = judge_tail(found, durable=durable) if next_first is None else judge_middle(found, next_first=next_first)
    return Finding(first_sequence=first, size=size, mark=found.mark, verdict=verdict)


def _apply(path: Path, disk: Disk, finding: Finding) -> None:
    match finding.verdict.remedy:
        case Remedy.KEEP:
            pass
        case Remedy.CUT:
            _cut(disk, path, finding.verdict.pieces[-1])
        case Remedy.DISCARD:
            disk.remove(path)
        case Remedy.SALVAGE:
            _salvage(disk, path, finding)
        case Remedy.QUARANTINE:
            disk.rename(path, _quarantine_name(disk, path))


def _cut(disk: Disk, path: Path, last: Piece) -> None:
    """Ends the segment behind the piece, and writes its last group again.

    If the sync of that group failed before the process died, the kernel shows it to us and will never bring it to the disk.
    """
    file = disk.open(path, write=True)
    try:
        file.truncate(last.stop)
        _copy(file, last.group_start, last.stop, file, last.group_start)
        file.sync()
    finally:
        file.close()


def _salvage(disk: Disk, path: Path, finding: Finding) -> None:
    """Puts the intact frames in the place of the damaged segment, which keeps a name of its own. No instant is without both."""
    copy = path.with_suffix(SALVAGE_SUFFIX)
    damaged = disk.open(path, write=False)
    salvaged = disk.open(copy, write=True, create=True)
    try:
        salvaged.truncate(0)
        salvaged.write(0, [encode_segment_header(finding.mark, finding.first_sequence)])
        end = SEGMENT_HEADER_BYTES
        for piece in finding.verdict.pieces:
            end = _copy(damaged, piece.start, piece.stop, salvaged, end)
        salvaged.sync()
    finally:
        damaged.close()
        salvaged.close()
    disk.link(path, _quarantine_name(disk, path))
    disk.sync_directory(path.parent)
    disk.rename(copy, path)


def _copy(source: File, start: int, stop: int, target: File, end: int) -> int:
    for at in range(start, stop, _COPY_BYTES):
        data = source.read(at, min(_COPY_BYTES, stop - at))
        target.write(end, [data])
        end += len(data)
    return end


def _quarantine_name(disk: Disk, path: Path) -> Path:
    taken = set(disk.names(path.parent))
    return path.with_name(
        next(name for n in itertools.count() if (name := f"{path.stem}.{n}.quarantined") not in taken)
    )
