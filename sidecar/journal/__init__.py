"""The durable log: what is in it was acknowledged, and what was acknowledged is in it until every consumer has passed it."""

from sidecar.journal.cursor import CursorFile
from sidecar.journal.frame import Frame, FrameEncoding, FrameSignal
from sidecar.journal.reader import JournalReader
from sidecar.journal.watch import JournalWatch
from sidecar.journal.writer import JournalStats, JournalWriter
from sidecar.limits import JournalLimits

__all__ = [
    "CursorFile",
    "Frame",
    "FrameEncoding",
    "FrameSignal",
    "JournalLimits",
    "JournalReader",
    "JournalStats",
    "JournalWatch",
    "JournalWriter",
]
