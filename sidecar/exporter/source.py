"""What an exporter reads and where it remembers how far it came: the seams to whoever owns the journal.

Law: sequences only grow; an exporter holds no frame longer than it takes to deliver it, so what is waiting lies in the
source, never in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from sidecar.otlp.signal import OtlpSignal


@dataclass(frozen=True, slots=True)
class ExportFrame:
    """One translated request as it should leave: shared by all exporters, changed by none."""

    sequence: int
    """The position in the journal of what this came from."""
    signal: OtlpSignal
    body: bytes
    """A serialised `Export*ServiceRequest`. Empty: nothing to send, the cursor moves past it."""
    items: int
    """Spans, log records or data points in `body`."""


class FrameSource(Protocol):
    """A durable sequence of frames that can be read again from any position."""

    def frames(self, after: int) -> Iterator[ExportFrame]:
        """Give, one at a time, every frame there is now whose sequence is above `after`, then stop."""
        ...

    def wait(self, after: int, timeout_seconds: float) -> bool:
        """Wait until something above `after` exists, at most `timeout_seconds`; say whether it does."""
        ...


class Cursor(Protocol):
    """A consumer's position, kept across restarts."""

    def load(self) -> int:
        """The last position stored; 0 when there is none."""
        ...

    def store(self, sequence: int) -> None:
        """Keep `sequence`; on return it is durable."""
        ...
