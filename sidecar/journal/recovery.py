"""From the bytes of a segment to what is to be believed of it. Pure: bytes are asked for by offset and size.

Law: every intact frame is found, also behind damage, and nothing else is taken for one. What is missing at the end of the newest
segment was never acknowledged, as far as can be told, and is cut; what is missing anywhere else had been acknowledged, and
the segment is to be kept aside for a person to look at.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from sidecar.journal.frame import (
    FRAME_HEADER_BYTES,
    MARK_BYTES,
    SEGMENT_HEADER_BYTES,
    Frame,
    decode_header,
    decode_segment_header,
    intact,
)

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives at most `size` bytes from `offset`: (offset, size) -> bytes."""

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """An intact frame and where it lies."""

    frame: Frame
    group_first: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Intact frames without a gap between them."""

    start: int
    stop: int
    first: int
    last: int
    group_first: int
    """The sequence with which the last frame's group began."""
    group_start: int
    """The offset at which the last frame's group begins, or the piece when it begins before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a segment holds."""

    mark: bytes
    first_sequence: int
    size: int
    pieces: tuple[Piece, ...]
    torn_stop: int
    """Where the last trace of a frame that is not intact ends, behind the last piece; 0 without one."""


class Remedy(Enum):
    """What is to be done about a segment."""

    KEEP = "keep"
    CUT = "cut"  # truncate behind the last intact frame
    DISCARD = "discard"  # nothing was ever acknowledged from it
    SALVAGE = "salvage"  # keep it aside, and put its intact frames in its place
    QUARANTINE = "quarantine"  # keep it aside: no frame of it can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be done about a segment, and what that means for the journal."""

    remedy: Remedy
    pieces: tuple[Piece, ...] = ()
    last: int
    """The highest sequence that may have been given out from it."""
    torn_bytes: int = 0
    lost_frames: int = 0
    """Acknowledged and gone, as far as sequences tell."""


def frame_at(read: Read, size: int, mark: bytes, offset: int) -> Found | None:
    """The intact frame that begins at `offset`, if one does."""
    head = read(offset, FRAME_HEADER_BYTES)
    header = decode_header(head, mark)
    if header is None:
        return None
    start, stop = offset + FRAME_HEADER_BYTES, offset + FRAME_HEADER_BYTES + header.body_bytes
    if stop > size:
        return None
    body = read(start, header.body_bytes)
    if len(body) != header.body_bytes or not intact(head, body):
        return None
    frame = Frame(header.sequence, header.time_unix_nano, header.signal, header.encoding, body)
    return Found(frame, header.group_first, offset, stop)


def find_frame(read: Read, size: int, mark: bytes, offset: int, *, after: int) -> Found | None:
    """The first intact frame at or behind `offset` whose sequence is above `after`; damage before it is skipped."""
    found = frame_at(read, size, mark, offset)
    if found is not None and found.frame.sequence > after:
        return found
    for candidate in _marks(read, size, mark, offset + 1):
        found = frame_at(read, size, mark, candidate)
        if found is not None and found.frame.sequence > after:
            return found
    return None


def scan(read: Read, size: int, *, below: int | None = None) -> Scan | None:
    """What a segment holds; None when its header is no header.

    Args:
        read: gives its bytes.
        size: its length.
        below: the first sequence of the next segment. Frames from there on are what a failed write or sync left behind: they
            were refused, their sequences were given out again, and they do not count.
    """
    header = decode_segment_header(read(0, SEGMENT_HEADER_BYTES))
    if header is None:
        return None
    mark, first_sequence = header
    pieces: list[Piece] = []
    offset, last = SEGMENT_HEADER_BYTES, 0
    while found := find_frame(read, size, mark, offset, after=last):
        if below is not None and found.frame.sequence >= below:
            return Scan(mark=mark, first_sequence=first_sequence, size=size, pieces=tuple(pieces), torn_stop=0)
        _extend(pieces, found)
        offset, last = found.stop, found.frame.sequence
    torn_stop = _torn_stop(read, size, mark, offset)
    return Scan(mark=mark, first_sequence=first_sequence, size=size, pieces=tuple(pieces), torn_stop=torn_stop)


def judge_tail(scan_: Scan, *, durable: int) -> Verdict:
    """What is to be done about the newest segment.

    Args:
        scan_: what it holds.
        durable: a sequence up to which frames are known to have been durable: the watermark, which may lag behind.
    """
    pieces = _without_torn_group(scan_)
    last = pieces[-1].last if pieces else scan_.first_sequence - 1
    end = pieces[-1].stop if pieces else SEGMENT_HEADER_BYTES
    lost = _holes(pieces, scan_.first_sequence) + max(0, durable - last)
    if lost:
        remedy = Remedy.SALVAGE if pieces else Remedy.QUARANTINE
        return Verdict(remedy=remedy, pieces=pieces, last=max(last, durable), lost_frames=lost)
    torn = max(0, max(scan_.torn_stop, scan_.pieces[-1].stop if scan_.pieces else 0) - end)
    return Verdict(remedy=Remedy.CUT if pieces else Remedy.DISCARD, pieces=pieces, last=last, torn_bytes=torn)


def judge_middle(scan_: Scan, *, next_first: int) -> Verdict:
    """What is to be done about a segment that has a successor.

    One that ends with its last intact frame was cut to it on purpose, so a hole behind that frame is known already.
    """
    pieces, first = scan_.pieces, scan_.first_sequence
    if not pieces:
        return Verdict(remedy=Remedy.QUARANTINE, last=next_first - 1, lost_frames=next_first - first)
    behind = next_first - 1 - pieces[-1].last if pieces[-1].stop < scan_.size else 0
    damaged = behind or pieces[0].start != SEGMENT_HEADER_BYTES or len(pieces) > 1
    remedy = Remedy.SALVAGE if damaged else Remedy.KEEP
    lost = _holes(pieces, first) + behind if damaged else 0
    return Verdict(remedy=remedy, pieces=pieces, last=pieces[-1].last, lost_frames=lost)


def unreadable(first_sequence: int, size: int, *, next_first: int | None) -> Verdict:
    """What is to be done about a segment without a header, of which only the name and the size are known.

    As the newest, it may have given out as many sequences as frames fit into it.
    """
    last = next_first - 1 if next_first is not None else first_sequence + size // FRAME_HEADER_BYTES
    lost = 0 if next_first is None else next_first - first_sequence
    return Verdict(remedy=Remedy.QUARANTINE, last=last, lost_frames=lost)


def _extend(pieces: list[Piece], found: Found) -> None:
    sequence, adjoins = found.frame.sequence, bool(pieces) and pieces[-1].stop == found.start
    piece = Piece(
        start=pieces[-1].start if adjoins else found.start,
        stop=found.stop,
        first=pieces[-1].first if adjoins else sequence,
        last=sequence,
        group_first=found.group_first,
        group_start=pieces[-1].group_start if adjoins and found.group_first < sequence else found.start,
    )
    pieces[len(pieces) - adjoins :] = [piece]


def _without_torn_group(scan_: Scan) -> tuple[Piece, ...]:
    """The pieces before the first gap inside the last group.

    A group is written after the one before it is durable, and a power cut keeps any subset of its pages: a gap inside the
    last group is a torn group, none of which was acknowledged. A gap before it is damage to what was.
    """
    pieces, expected = scan_.pieces, scan_.first_sequence
    for index, piece in enumerate(pieces):
        if expected < piece.first and pieces[-1].group_first <= expected:
            return pieces[:index]
        expected = piece.last + 1
    return pieces


def _holes(pieces: Sequence[Piece], first_sequence: int) -> int:
    """Sequences missing before and between the pieces."""
    expected, missing = first_sequence, 0
    for piece in pieces:
        missing += piece.first - expected
        expected = piece.last + 1
    return missing


def _marks(read: Read, size: int, mark: bytes, offset: int) -> Iterator[int]:
    """Where the mark stands, from `offset` on."""
    while offset + MARK_BYTES <= size:
        chunk = read(offset, _CHUNK_BYTES)
        at = chunk.find(mark)
        while at >= 0:
            yield offset + at
            at = chunk.find(mark, at + 1)
        if len(chunk) < MARK_BYTES:
            return
        offset += len(chunk) - (MARK_BYTES - 1)


def _torn_stop(read: Read, size: int, mark: bytes, offset: int) -> int:
    """Where the last trace of a frame behind `offset` ends; 0 without a trace."""
    stop = 0
    for start in _marks(read, size, mark, offset):
        header = decode_header(read(start, FRAME_HEADER_BYTES), mark)
        claimed = start + FRAME_HEADER_BYTES + header.body_bytes if header else start + MARK_BYTES
        stop = max(stop, claimed if claimed <= size else start + MARK_BYTES)
    return stop
