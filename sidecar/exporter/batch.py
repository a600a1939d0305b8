"""Small frames into larger requests, without decoding them.

Serialised protobuf messages of one type, joined end to end, are the serialisation of their merge, and merging
`Export*ServiceRequest` messages appends their lists (protobuf encoding guide, "Last One Wins"). Pure.

Law: the bodies of the frames of one signal, in order, joined, are the bodies of the batches of that signal, joined; no batch
is above `bytes_max` unless it is one frame; at most one frame beyond the batch in hand has been read from the source.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sidecar.exporter.source import ExportFrame
from sidecar.otlp.signal import OtlpSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive frames of one signal, to be sent as one request."""

    frames: tuple[ExportFrame, ...]
    """In order. None: nothing to send up to `through`."""
    through: int
    """The cursor once this is delivered: the last sequence read, skipped frames included."""
    body: bytes

    @property
    def signal(self) -> OtlpSignal:
        """The one signal of all frames."""
        return self.frames[0].signal

    @property
    def items(self) -> int:
        """Spans, log records or data points."""
        return sum(frame.items for frame in self.frames)


def batches(
    frames: Iterable[ExportFrame], signals: AbstractSet[OtlpSignal], *, bytes_max: int, frames_max: int
) -> Iterator[Batch]:
    """Join consecutive frames of one signal; pass over those that are empty or of a signal not in `signals`.

    Args:
        frames: in order of their sequence; read one at a time.
        signals: what the backend takes.
        bytes_max: the size of a joined body. A larger frame goes alone.
        frames_max: frames read for one batch, skipped ones included.
    """
    held: list[ExportFrame] = []
    held_bytes = read = through = 0
    for frame in frames:
        wanted = bool(frame.body) and frame.signal in signals
        fits = not (wanted and held) or (frame.signal is held[0].signal and held_bytes + len(frame.body) <= bytes_max)
        if read and not (fits and read < frames_max):
            yield _batch(held, through)
            held, held_bytes, read = [], 0, 0
        if wanted:
            held.append(frame)
            held_bytes += len(frame.body)
        read += 1
        through = frame.sequence
    if read:
        yield _batch(held, through)


def _batch(held: list[ExportFrame], through: int) -> Batch:
    body = held[0].body if len(held) == 1 else b"".join(frame.body for frame in held)
    return Batch(frames=tuple(held), through=through, body=body)
