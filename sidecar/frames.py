"""The journal as exporters read it: translated, one OTLP request a frame.

Law: what leaves is a function of the frame and the tables; a frame in which nothing of ours was found leaves as the bytes that came,
and so does one on which the translation fails: a backend is never held up by it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from sidecar.exporter.source import ExportFrame
from sidecar.journal import Frame, JournalReader
from sidecar.otlp.signal import OtlpSignal
from sidecar.translation import FrameTranslator, received

__all__ = ["JournalFrames"]

_TELEMETRY = frozenset(OtlpSignal)


class JournalFrames:
    """A `FrameSource` over the journal, shared by all exporters; told of new frames by `advance`.

    Args:
        reader: The journal.
        translate: The shared translation of frames.
        keep_unmapped: See `semconv.apply`.
        untranslated: Told of each frame that leaves as it came because its translation failed; from any exporter's thread.
    """

    def __init__(
        self,
        reader: JournalReader,
        translate: FrameTranslator,
        *,
        keep_unmapped: bool,
        untranslated: Callable[[Frame, Exception], None],
    ) -> None:
        self._reader = reader
        self._translate = translate
        self._keep_unmapped = keep_unmapped
        self._untranslated = untranslated
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
        try:
            body, count = self._translate.exported(frame, keep_unmapped=self._keep_unmapped)
        except Exception as error:  # noqa: BLE001 - a fault of ours or of the tables', met by this frame every time
            self._untranslated(frame, error)
            body, count = received(frame)
        return ExportFrame(frame.sequence, OtlpSignal(frame.signal), body, count)
