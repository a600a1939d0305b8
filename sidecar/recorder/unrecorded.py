"""Frames that could not be recorded wholly, kept as they came: acknowledged telemetry is never thrown away.

Law: a frame that is kept is a file whose name says what is in it, so that `affidavit seal` takes it as it is once the reason is gone.
The folder is bounded; what is above the bound is not kept, and whoever asked is told so.
"""

from __future__ import annotations

from pathlib import Path

from sidecar.journal import Frame, FrameEncoding, FrameSignal
from sidecar.limits import DEFAULT
from sidecar.recorder.durable import write_durably

__all__ = ["Unrecorded"]

_SUFFIXES: dict[int, str] = {FrameEncoding.PROTOBUF: "pb", FrameEncoding.JSON: "json"}


class Unrecorded:
    """The folder of such frames. Made when the first one comes."""

    def __init__(self, folder: Path, *, bytes_max: int = DEFAULT.unrecorded_bytes_max) -> None:
        self._folder = folder
        self._bytes_max = bytes_max

    def keep(self, frame: Frame) -> Path | None:
        """Writes a frame's body to a file; the same frame to the same file.

        Returns:
            The file; None when the folder is full.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / _name(frame)
        others = sum(file.stat().st_size for file in self._folder.iterdir() if file != path)
        if others + len(frame.body) > self._bytes_max:
            return None
        return write_durably(path, frame.body)


def _name(frame: Frame) -> str:
    """Such as `7.traces.pb`: the signal's name is what `affidavit seal` takes a file at its word for."""
    known = frame.signal in set(FrameSignal)
    kind = FrameSignal(frame.signal).name.lower() if known else f"signal-{frame.signal}"
    return f"{frame.sequence}.{kind}.{_SUFFIXES.get(frame.encoding, f'encoding-{frame.encoding}')}"
