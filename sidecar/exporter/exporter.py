"""One backend: read from the cursor on, join small frames, send, remember.

Carries out OTLP, "Failures", "OTLP/gRPC Throttling", "OTLP/HTTP Throttling", "All Other Responses" and "Multi-Destination
Exporting" (https://opentelemetry.io/docs/specs/otlp/).

Law: a frame is passed only when the backend has accepted or refused it; until then the same request is sent again, byte for
byte, for as long as it takes. In memory are one request and one frame, whatever the backlog. Nothing here is shared with
another exporter, so none waits for another.
"""

from collections.abc import Callable
from logging import getLogger
from random import Random
from threading import Thread
from typing import Protocol

from sidecar.clock import Clock, now_unix_nano
from sidecar.exporter.backend import Backend
from sidecar.exporter.backoff import Backoff
from sidecar.exporter.batch import Batch, batches
from sidecar.exporter.counters import Counters, Drop, ExportStats
from sidecar.exporter.outcome import Accepted, Refused, Retry, Transport
from sidecar.exporter.progress import Progress
from sidecar.exporter.seldom import Seldom
from sidecar.exporter.source import Cursor, FrameSource
from sidecar.exporter.stop import Stop
from sidecar.exporter.transport import connect
from sidecar.limits import DEFAULT, Limits

_log = getLogger(__name__)


class Connect(Protocol):
    """How a backend's transport is made."""

    def __call__(self, backend: Backend, *, clock: Clock, limits: Limits) -> Transport:
        """See `sidecar.exporter.transport.connect`."""
        ...


class _OutOfTimeError(Exception):
    """The deadline of a stop does not leave time for what comes next."""


class Exporter:
    """The thread that delivers to one backend.

    Args:
        backend: Where to.
        source: What; read in this exporter's own thread.
        cursor: Where the position is kept.
        on_progress: Called, in this exporter's thread, with each position once it is on disk.
        on_drop: Called, in this exporter's thread, with the record of each request that the backend refused.
        random: Gives the jitter.
        clock: The time of day, for records and for a Retry-After that is a date.
        limits: Bounds of requests, waits and records.
        connect: Makes the transport.
        stop: Where a stop is asked for.
    """

    def __init__(
        self,
        backend: Backend,
        source: FrameSource,
        cursor: Cursor,
        on_progress: Callable[[int], None] = lambda _: None,
        *,
        on_drop: Callable[[Drop], None] = lambda _: None,
        random: Random | None = None,
        clock: Clock = now_unix_nano,
        limits: Limits = DEFAULT,
        connect: Connect = connect,
        stop: Stop | None = None,
    ) -> None:
        self._backend = backend
        self._source = source
        self._progress = Progress(cursor, on_progress, lag_seconds_max=limits.export_cursor_lag_seconds_max)
        self._on_drop = on_drop
        self._clock = clock
        self._limits = limits
        self._connect = connect
        self._stop = stop or Stop()
        self._backoff = Backoff(
            initial_seconds=backend.retry_initial_seconds,
            max_seconds=backend.retry_max_seconds,
            random=random or Random(),  # noqa: S311  (jitter, not a secret)
        )
        self._counters = Counters(limits.export_drop_records_max)
        self._warn = Seldom(_log, limits.export_log_interval_seconds)
        self._batch_bytes_max = backend.batch_bytes_max
        self._drained = False
        self._promised = False
        self._transport: Transport | None = None
        self._thread = Thread(target=self._run, name=f"export-{backend.name}", daemon=True)

    def start(self) -> None:
        """Open the way to the backend and begin.

        Raises:
            ConfigError: For TLS files that cannot be used.
        """
        self._transport = self._connect(self._backend, clock=self._clock, limits=self._limits)
        self._thread.start()

    def stop(self, deadline_seconds: float) -> bool:
        """Finish the request under way, deliver what can be delivered until the deadline, and end.

        What is not delivered stays in the source, for the next start; the cursor says where.

        Returns:
            Whether everything that the source held was dealt with.
        """
        self.begin_stop(deadline_seconds)
        return self.join()

    def begin_stop(self, deadline_seconds: float) -> None:
        """The first half of `stop`, which does not wait: several exporters stop side by side."""
        self._stop.request(deadline_seconds)

    def join(self) -> bool:
        """The second half of `stop`: wait for the end, at most until the deadline."""
        if self._transport is None:
            return False
        self._thread.join(self._stop.remaining_seconds())
        if self._thread.is_alive():
            self._progress.freeze()
            self._transport.close()
        return self._drained

    def stats(self) -> ExportStats:
        """What happened so far."""
        progress = self._progress
        return self._counters.snapshot(
            backend=self._backend.name,
            position=progress.position,
            cursor=progress.stored,
            store_errors=progress.store_errors,
        )

    # ------------------------------------------------------------ in the thread

    def _run(self) -> None:
        transport = self._transport
        assert transport is not None
        try:
            while not self._drained:
                self._round(transport)
        except _OutOfTimeError:
            _log.info("%s: stopped with telemetry left for the next start", self._backend.name)
        finally:
            self._progress.store()
            transport.close()

    def _round(self, transport: Transport) -> None:
        """Deliver what is there, then wait for more. A failure on our side is counted and tried again, never the end."""
        stopping, before = self._stop.requested, self._progress.position
        try:
            self._deliver_all(transport)
            self._progress.store()
            if stopping:
                self._drained = True
                return
            if self._promised and self._progress.position == before:
                self._pause(
                    self._limits.export_idle_wait_seconds, binding=False
                )  # a source that promises what it cannot give
            self._promised = self._source.wait(self._progress.position, self._limits.export_idle_wait_seconds)
        except _OutOfTimeError:
            raise
        except Exception as error:  # noqa: BLE001  (the thread's boundary: the source is another's code, and must not end us)
            self._counters.failed(error)
            self._warn("failure", "%s: cannot go on, will try again: %r", self._backend.name, error)
            self._pause(self._backoff.next_seconds(), binding=stopping)

    def _deliver_all(self, transport: Transport) -> None:
        fits = False
        while not fits:
            fits = True
            for batch in batches(
                self._source.frames(self._progress.position),
                self._backend.signals,
                bytes_max=self._batch_bytes_max,
                frames_max=self._limits.export_batch_frames_max,
            ):
                fits = not batch.frames or self._deliver(transport, batch)
                if not fits:
                    break
                self._progress.advance(batch.through)

    def _deliver(self, transport: Transport, batch: Batch) -> bool:
        """Send until the backend has decided. False: too large as it is, and to be read again as smaller requests."""
        while True:
            stopping, remaining_seconds = self._stop.requested, self._stop.remaining_seconds()
            if not remaining_seconds:
                raise _OutOfTimeError
            timeout_seconds = min(self._backend.timeout_seconds, remaining_seconds)
            outcome = transport.send(batch.signal, batch.body, timeout_seconds)
            match outcome:
                case Retry():
                    self._wait_to_retry(outcome, stopping=stopping)
                case Accepted():
                    self._backoff.reset()
                    self._accepted(batch, outcome)
                    return True
                case Refused():
                    self._backoff.reset()
                    return self._refused(batch, outcome)

    def _wait_to_retry(self, outcome: Retry, *, stopping: bool) -> None:
        self._counters.retried(outcome)
        self._progress.store()
        self._warn(outcome.reason, "%s: will retry: %s: %s", self._backend.name, outcome.reason, outcome.message)
        own_seconds = self._backoff.next_seconds()
        if outcome.after_seconds is None:
            self._pause(own_seconds, binding=stopping)
        else:
            self._pause(outcome.after_seconds, binding=True)

    def _accepted(self, batch: Batch, outcome: Accepted) -> None:
        rejected = self._counters.accepted(batch, outcome)
        if rejected or outcome.message:
            self._warn(
                "partial", "%s: rejected %d of %d items: %s", self._backend.name, rejected, batch.items, outcome.message
            )

    def _refused(self, batch: Batch, outcome: Refused) -> bool:
        smaller = max(self._limits.export_batch_bytes_min, self._batch_bytes_max // 2)
        if outcome.too_large and len(batch.frames) > 1 and smaller < self._batch_bytes_max:
            # We made the request that large, not the agent: nothing is lost before its parts were tried.
            self._batch_bytes_max = smaller
            self._warn("size", "%s: %s: requests are now at most %d bytes", self._backend.name, outcome.reason, smaller)
            return False
        drop = self._counters.refused(batch, outcome, self._clock())
        self._warn(
            outcome.reason,
            "%s: refused %d items for good (journal %d to %d): %s: %s",
            self._backend.name,
            drop.items,
            drop.first_sequence,
            drop.last_sequence,
            drop.reason,
            drop.message,
        )
        try:
            self._on_drop(drop)
        except Exception as error:  # noqa: BLE001  (another's code: a record that cannot be kept must not repeat the request)
            self._counters.failed(error)
        return True

    def _pause(self, seconds: float, *, binding: bool) -> None:
        if not self._stop.pause(seconds, binding=binding):
            raise _OutOfTimeError
