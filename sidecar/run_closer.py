"""Closes runs at the sidecar once their spans have gone out, on a thread of its own.

Law: the agent never waits for it but in `flush` and `stop`, which are told how long; what the sidecar does not take in time is
given up with one line in the log for each outage.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence

import grpc
from opentelemetry import context as otel

from sidecar.run_client import RunClient
from sidecar.run_tally import RunTally, Tally

__all__ = ["RunCloser"]

_log = logging.getLogger(__name__)
_FOREVER = float("inf")
_GONE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
_MEANS = (
    "the sidecar ends them by itself, without this agent's counts, so that what is lost on the way to it will not show"
)
_QUIET = otel._SUPPRESS_INSTRUMENTATION_KEY  # noqa: SLF001 - as the SDK's own processors have it: nothing here is part of a run


class RunCloser:
    """The thread that closes runs, and the lock on what is counted of them.

    Args:
        client: who speaks to the sidecar.
        tally: what is counted.
        flush_spans: sends the spans that have ended; called before runs are closed, so that their spans are there.
        clock_seconds: a clock that only goes forward.
    """

    def __init__(
        self,
        client: RunClient,
        tally: Tally,
        flush_spans: Callable[[], object],
        clock_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._tally = client, tally
        self._flush_spans = flush_spans
        self._clock_seconds = clock_seconds
        self._abandoned: list[RunClient] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wakes = _FOREVER
        self._is_stopping = self._is_ended = self._is_warned = self._is_full = False
        if hasattr(os, "register_at_fork"):
            weak = weakref.WeakMethod(self._forked)

            def in_child() -> None:
                if forked := weak():
                    forked()

            os.register_at_fork(after_in_child=in_child)

    def count(self, change: Callable[[Tally, float], RunTally | None]) -> None:
        """Change what is counted; cheap, and safe from any thread."""
        with self._changed:
            if self._is_ended:
                return
            run = change(self._tally, self._clock_seconds())
            if run is not None and (when := self._tally.when(run)) < self._wakes:
                self._wakes = when
                self._wake()

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until the traces that are over, and what else is due, are closed; False when that took too long."""
        with self._changed:
            self._tally.hurry()
            self._wakes = min(self._wakes, self._tally.next_due)
            self._changed.notify_all()
            return self._changed.wait_for(self._is_idle, timeout_seconds)

    def stop(self, last: Callable[[], object]) -> None:
        """Close every run and end: in at most twice the client's timeout, `last` apart.

        Args:
            last: sends the last spans, and no more after them.
        """
        with self._changed:
            if self._is_stopping:
                return
            self._is_stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(self._client.timeout_seconds)
        try:
            last()
        finally:
            with self._changed:
                self._is_ended = True
                runs = list(self._tally.all())
            self._close(runs, self._clock_seconds() + self._client.timeout_seconds)
            self._client.close()

    # ---------------------------------------------------------------- the thread

    def _forked(self) -> None:
        """In a child process: what was counted is its parent's to close, and the parent's connection is left alone."""
        self._abandoned.append(self._client)
        self._client = self._client.forked()
        self._tally = self._tally.fresh()
        self._changed = threading.Condition()  # the other may be held by a thread that is not here
        self._thread, self._wakes = None, _FOREVER

    def _wake(self) -> None:
        if self._thread is None and not self._is_stopping:
            thread = threading.Thread(target=self._work, name="AffidavitRunCloser", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads, or the interpreter is going down: `stop` closes what is left
                self._wakes = _FOREVER
                return
            self._thread = thread
        self._changed.notify_all()

    def _work(self) -> None:
        otel.attach(otel.set_value(_QUIET, True))  # noqa: FBT003 - the name of the argument is `value`
        while runs := self._next():
            self._say_given_up()
            try:
                self._flush_spans()
            except Exception:  # noqa: BLE001 - the exporter is the user's, and this the boundary of our thread
                _log.exception("the spans of %d runs could not be sent", len(runs))
            self._close(runs, _FOREVER)

    def _next(self) -> list[RunTally]:
        """The runs that are due next, when they are; none once it is to stop."""
        with self._changed:
            while not self._is_stopping:
                now = self._clock_seconds()
                if runs := list(self._tally.due(now)):
                    return runs
                self._wakes = self._tally.next_due
                self._changed.notify_all()
                self._changed.wait(None if self._wakes == _FOREVER else max(self._wakes - now, 0.0))
            return []

    def _is_idle(self) -> bool:
        return self._is_stopping or (not self._tally.is_closing and self._tally.next_due > self._clock_seconds())

    def _close(self, runs: Sequence[RunTally], until: float) -> None:
        """Closes runs one after the other. When the sidecar does not answer in time, the others are given up with the first."""
        token = otel.attach(otel.set_value(_QUIET, True))  # noqa: FBT003 - the name of the argument is `value`
        try:
            for at, run in enumerate(runs):
                left = min(self._client.timeout_seconds, max(until - self._clock_seconds(), 0.0))
                code = self._close_one(run, left)
                if code in _GONE:
                    self._warn(len(runs) - at, code)
                    break
                if code:
                    self._warn(1, code)
                self._done([run])
        finally:
            otel.detach(token)
            self._done(runs)

    def _close_one(self, run: RunTally, timeout_seconds: float) -> grpc.StatusCode | None:
        """Why a run could not be closed; None when it is."""
        try:
            self._client.close_run(run.run_id, run.counts(), run.outcome_json, timeout_seconds=timeout_seconds)
        except (grpc.RpcError, ValueError) as error:  # the second: a header that gRPC does not take
            return error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
        self._is_warned = False
        return None

    def _done(self, runs: Sequence[RunTally]) -> None:
        with self._changed:
            for run in runs:
                self._tally.done(run)
            self._changed.notify_all()

    def _say_given_up(self) -> None:
        if self._tally.given_up and not self._is_full:
            self._is_full = True
            _log.warning(
                "more runs are open than are counted at once; the oldest are not counted, and end without counts"
            )

    def _warn(self, runs: int, code: grpc.StatusCode) -> None:
        if not self._is_warned:
            self._is_warned = True
            _log.warning(
                "%d runs were not closed at %s (%s): %s", runs, self._client.endpoint.target, code.name, _MEANS
            )
