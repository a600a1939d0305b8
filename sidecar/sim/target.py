"""What is soaked: something that gives recorded runs, iteration by iteration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from evidence.canonical import JsonObject
from evidence.soak.faults import Fault
from evidence.timestamp import to_unix_nano
from sidecar.errors import SidecarError

__all__ = ["Events", "RecordedRun", "Target", "Trouble", "TroubleKind"]

TroubleKind = Literal[
    "bundle_invalid",
    "unknown_format",
    "io_error",
    "subprocess_failed",
    "subprocess_timeout",
    "no_run",
    "sidecar_failed",
    "time_budget_exceeded",
]
"""Why an iteration has no verdict; beside these there is `evidence.soak.soak.UNDECIDED_RUN`."""

Events = Iterator[tuple[JsonObject, bytes]]
_NANOS_PER_MS = 1_000_000


class Trouble(SidecarError):  # noqa: N818  (what happened to an iteration, and not to the soak)
    """An infrastructure error: neither a pass nor a failure."""

    def __init__(self, kind: TroubleKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """One run as its bundle has it. It is evidence once its events were read to the end without an error."""

    run_id: str
    part: int
    opened_at: str
    closed_at: str
    event_count: int
    events: Callable[[], Events]
    """Reads them, in order."""

    @property
    def duration_ms(self) -> int:
        """From its opening to its close, by the clock of the sidecar that recorded it; 0 when that went backwards."""
        return max(0, to_unix_nano(self.closed_at) - to_unix_nano(self.opened_at)) // _NANOS_PER_MS


class Target(Protocol):
    """Gives the runs of one iteration after another."""

    @property
    def is_recorded(self) -> bool:
        """Whether the runs were recorded before: then everything about them is the same each time."""
        ...

    def runs(self, iteration: int, receiver: Sequence[Fault], seconds: float) -> Sequence[RecordedRun]:
        """The runs of an iteration, at least one.

        Args:
            iteration: From 1.
            receiver: Faults at the receiver's door, for runs that are made now.
            seconds: What making them may take.

        Raises:
            Trouble: There is none.
        """
        ...

    def clear(self) -> None:
        """Gives up what the iteration's runs took; they cannot be read any more."""
        ...
