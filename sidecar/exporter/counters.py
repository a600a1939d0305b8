"""What an exporter counts, for self-telemetry and for people.

Law: every item read for a backend ends as exported, rejected or dropped, or is still to come; reasons are few, so the counters
are too.
"""

from collections import Counter, deque
from dataclasses import dataclass
from threading import Lock

from sidecar.exporter.batch import Batch
from sidecar.exporter.outcome import Accepted, Refused, Retry
from sidecar.otlp.signal import OtlpSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A request that a backend refused for good. The journal and the run still hold what was in it."""

    first_sequence: int
    last_sequence: int
    signal: OtlpSignal
    items: int
    size_bytes: int
    reason: str
    message: str
    time_unix_nano: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportStats:
    """One backend, at one moment."""

    backend: str
    position: int
    """The last sequence dealt with."""
    cursor: int
    """The last sequence that is on disk as such; never above `position`."""
    requests: int
    """Accepted by the backend."""
    sent_bytes: int
    """Of accepted requests, before compression."""
    exported: dict[OtlpSignal, int]
    """Items the backend took."""
    rejected: dict[OtlpSignal, int]
    """Items the backend rejected in a partial success."""
    dropped: dict[str, int]
    """Items of refused requests, by reason."""
    retries: dict[str, int]
    """Requests sent again or to be sent again, by reason."""
    warnings: int
    """Successes that came with a message and no rejection."""
    failing: bool
    """Whether the last answer asks for a retry."""
    last_error: str
    """The last thing that went wrong, ever; empty when nothing has."""
    errors: int
    """Failures that are not the backend's: reading the source, storing the cursor."""
    drops: tuple[Drop, ...]
    """The latest refused requests."""


class Counters:
    """Counts; written by the exporter's thread, read by any."""

    def __init__(self, drop_records_max: int) -> None:
        self._lock = Lock()
        self._drops: deque[Drop] = deque(maxlen=drop_records_max)
        self._exported: Counter[OtlpSignal] = Counter()
        self._rejected: Counter[OtlpSignal] = Counter()
        self._dropped: Counter[str] = Counter()
        self._retries: Counter[str] = Counter()
        self._requests = self._sent_bytes = self._warnings = self._errors = 0
        self._failing = False
        self._last_error = ""

    def accepted(self, batch: Batch, outcome: Accepted) -> int:
        """Count a success; give the rejected items, which no backend can make more than were sent."""
        rejected = min(outcome.rejected, batch.items)
        with self._lock:
            self._requests += 1
            self._sent_bytes += len(batch.body)
            self._exported[batch.signal] += batch.items - rejected
            self._rejected[batch.signal] += rejected
            self._warnings += bool(outcome.message and not rejected)
            if outcome.message:
                self._last_error = outcome.message
            self._failing = False
        return rejected

    def retried(self, outcome: Retry) -> None:
        """Count a request that is to be sent again."""
        with self._lock:
            self._retries[outcome.reason] += 1
            self._failing = True
            self._last_error = f"{outcome.reason}: {outcome.message}"

    def refused(self, batch: Batch, outcome: Refused, time_unix_nano: int) -> Drop:
        """Count a request that is lost to this backend, and keep a record of it."""
        drop = Drop(
            first_sequence=batch.frames[0].sequence,
            last_sequence=batch.frames[-1].sequence,
            signal=batch.signal,
            items=batch.items,
            size_bytes=len(batch.body),
            reason=outcome.reason,
            message=outcome.message,
            time_unix_nano=time_unix_nano,
        )
        with self._lock:
            self._drops.append(drop)
            self._dropped[drop.reason] += drop.items
            self._failing = False
            self._last_error = f"{outcome.reason}: {outcome.message}"
        return drop

    def failed(self, error: Exception) -> None:
        """Count a failure on our side of the wire."""
        with self._lock:
            self._errors += 1
            self._last_error = f"{type(error).__name__}: {error}"

    def snapshot(self, *, backend: str, position: int, cursor: int, store_errors: int) -> ExportStats:
        """All counts at one moment."""
        with self._lock:
            return ExportStats(
                backend=backend,
                position=position,
                cursor=cursor,
                requests=self._requests,
                sent_bytes=self._sent_bytes,
                exported=dict(self._exported),
                rejected=dict(self._rejected),
                dropped=dict(self._dropped),
                retries=dict(self._retries),
                warnings=self._warnings,
                failing=self._failing,
                last_error=self._last_error,
                errors=self._errors + store_errors,
                drops=tuple(self._drops),
            )
