"""The journal as exporters read it: translated, one OTLP request a frame.

Law: what leaves is a function of the frame and the tables; a frame in which nothing of ours was found leaves as the bytes that came.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from sidecar.exporter.source import ExportFrame
from sidecar.journal import Frame, JournalReader
from sidecar.otlp.signal import OtlpSignal
from sidecar.translation import FrameTranslator

__all__ = ["JournalFrames"]

_TELEMETRY = frozenset(OtlpSignal)


class JournalFrames:
    """A `FrameSource` over the journal, shared by all exporters; told of new frames by `advance`."""

    def __init__(self, reader: JournalReader, translate: FrameTranslator, *, keep_unmapped: bool) -> None:
        self._reader = reader
        self._translate = translate
        self._keep_unmapped = keep_unmapped
        self._head = 0
        self._grown = threading.Condition()

    def advance(self, head: int) -> None:
        """Says that frames up to `head` are durable."""
        with self._grown:
            self._head = max(self._head, head)
            self._grown.notify_all()

    def frames(self, after: int) -> Iterator[ExportFrame]:
        """See `FrameSource.frames`. Frames that are not telemetry come empty, so that cursors pass them."""
        for frame in self._reader.frames(after):
            yield self._exported(frame)

    def wait(self, after: int, timeout_seconds: float) -> bool:
        """See `FrameSource.wait`."""
        with self._grown:
            return self._grown.wait_for(lambda: self._head > after, timeout_seconds)

    def _exported(self, frame: Frame) -> ExportFrame:
        if frame.signal not in _TELEMETRY:
            return ExportFrame(frame.sequence, OtlpSignal.TRACES, b"", 0)
        body, count = self._translate.exported(frame, keep_unmapped=self._keep_unmapped)
        return ExportFrame(frame.sequence, OtlpSignal(frame.signal), body, count)
