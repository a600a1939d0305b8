"""What may become of a request: the closed set every transport answers in, and the seam it answers through.

Law: a transport never raises for what a backend or a network does; it says which of three things happened.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sidecar.otlp.signal import OtlpSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The backend has it; never sent again, whatever it rejected (OTLP, "Partial Success")."""

    rejected: int = 0
    """Items the backend did not take."""
    message: str = ""
    """Why, or a warning when `rejected` is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The same request again, later."""

    reason: str
    """One of few words, fit to count by: `grpc UNAVAILABLE`, `http 503`, `http disconnected`."""
    message: str = ""
    after_seconds: float | None = None
    """How long the backend asked to wait; None leaves it to the exponential backoff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Never again: it leaves the export queue and is counted (OTLP, "Failures")."""

    reason: str
    """One of few words, fit to count by."""
    message: str = ""
    too_large: bool = False
    """The size of the request is what was refused, so smaller requests may pass."""


Outcome: TypeAlias = Accepted | Retry | Refused


class Transport(Protocol):
    """One connection to one backend; used by one thread, except `close`."""

    def send(self, signal: OtlpSignal, body: bytes, timeout_seconds: float) -> Outcome:
        """Send one serialised `Export*ServiceRequest` and wait for what becomes of it."""
        ...

    def close(self) -> None:
        """Let go of the connection, as far as possible also under a `send` in another thread. Safe to call twice."""
        ...
