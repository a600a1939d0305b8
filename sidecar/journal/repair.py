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
from sidecar.journal.recovery import Piece, Remedy, Scan, Verdict, judge_middle, judge_tail, scan, unreadable
from sidecar.journal.segment import segment_name, segments

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
        finding = _look(directory, disk, first, next_first, durable)
        findings.append(finding)
        if finding.verdict.remedy is not Remedy.DISCARD or finding.mark:
            next_first = first
    last = max((finding.verdict.last for finding in findings), default=0)
    return Survey(findings=tuple(reversed(findings)), last=max(last, durable))


def repair(directory: Path, disk: Disk, findings: Iterable[Finding]) -> dict[int, int]:
    """Carries out the verdicts. Returns first sequence and size of the segments that stay, rising."""
    remaining: dict[int, int] = {}
    for finding in findings:
        with contextlib.suppress(OSError):
            size = _apply(directory, disk, finding)
            if size is not None:
                remaining[finding.first_sequence] = size
            continue
        remaining[finding.first_sequence] = finding.size
    with contextlib.suppress(OSError):
        disk.sync_directory(directory)
    return remaining


def _look(directory: Path, disk: Disk, first: int, next_first: int | None, durable: int) -> Finding:
    file = disk.open(directory / segment_name(first), write=False)
    try:
        size = file.size()
        found = scan(forgiving(file), size, below=next_first)
    finally:
        file.close()
    verdict = _judge(found, first, size, next_first, durable)
    mark = found.mark if found is not None and found.first_sequence == first else b""
    return Finding(first_sequence=first, size=size, mark=mark, verdict=verdict)


def _judge(found: Scan | None, first: int, size: int, next_first: int | None, durable: int) -> Verdict:
    if found is None:
        return unreadable(first, size, next_first=next_first)
    if found.first_sequence != first:
        return Verdict(remedy=Remedy.DISCARD, last=0)  # it was being recycled; see the law of `segment`
    return judge_tail(found, durable=durable) if next_first is None else judge_middle(found, next_first=next_first)


def _apply(directory: Path, disk: Disk, finding: Finding) -> int | None:
    """Does what the verdict says; the size of the segment afterwards, or None when there is none."""
    path = directory / segment_name(finding.first_sequence)
    match finding.verdict.remedy:
        case Remedy.KEEP:
            return finding.size
        case Remedy.CUT:
            return _cut(disk, path, finding.verdict.pieces[-1].stop)
        case Remedy.DISCARD:
            disk.remove(path)
            return None
        case Remedy.SALVAGE:
            return _salvage(disk, path, finding)
        case Remedy.QUARANTINE:
            disk.rename(path, _quarantine_name(disk, path))
            return None


def _cut(disk: Disk, path: Path, end: int) -> int:
    file = disk.open(path, write=True)
    try:
        file.truncate(end)
        file.sync()
    finally:
        file.close()
    return end


def _salvage(disk: Disk, path: Path, finding: Finding) -> int:
    """Puts the intact frames in the place of the damaged segment, which keeps a name of its own. No instant is without both."""
    copy = path.with_suffix(".salvaged")
    damaged = disk.open(path, write=False)
    salvaged = disk.open(copy, write=True, create=True)
    try:
        salvaged.truncate(0)
        salvaged.write(0, [encode_segment_header(finding.mark, finding.first_sequence)])
        end = SEGMENT_HEADER_BYTES
        for piece in finding.verdict.pieces:
            end = _copy(damaged, piece, salvaged, end)
        salvaged.sync()
    finally:
        damaged.close()
        salvaged.close()
    disk.link(path, _quarantine_name(disk, path))
    disk.sync_directory(path.parent)
    disk.rename(copy, path)
    return end


def _copy(source: File, piece: Piece, target: File, end: int) -> int:
    for start in range(piece.start, piece.stop, _COPY_BYTES):
        data = source.read(start, min(_COPY_BYTES, piece.stop - start))
        target.write(end, [data])
        end += len(data)
    return end


def _quarantine_name(disk: Disk, path: Path) -> Path:
    taken = set(disk.names(path.parent))
    return path.with_name(
        next(name for n in itertools.count() if (name := f"{path.stem}.{n}.quarantined") not in taken)
    )
