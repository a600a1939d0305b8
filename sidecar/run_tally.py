"""How many spans each run has started, ended, sent and left out, counted in the agent.

Law: a span counts in one run; what is counted is bounded, whatever the agent does, and for what does not fit a run is given
up whole. Nothing here knows threads, clocks or OpenTelemetry: who calls holds a lock, and says what time it is.

A run is counted where it began: in the process in which its first span without a parent started. Spans of other runs are
passed over, since another process closes those.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sidecar.run_client import SenderCounts

__all__ = ["RunTally", "Tally"]

_CLOSED_REMEMBERED_MAX = 4096
"""Runs of which it is remembered that they were closed, so that spans that end later make their next part: 100 bytes each."""
_LIVE_MAX = 10_000
"""Spans of a run that are told apart while they have not ended; more are only counted."""


@dataclass(slots=True, kw_only=True)
class RunTally:
    """What is counted of one part of a run."""

    run_id: str
    is_trace: bool
    """Whether the run is one trace, which is over with its root; another may go on with a further trace."""
    touched: float = 0.0
    """When something last happened in it, in seconds."""
    live: set[int] = field(default_factory=set)
    """Ids of spans that were started and have not ended."""
    crowd: int = 0
    """How many more there are, beyond the bound."""
    roots: int = 0
    """Of those, how many have no parent."""
    is_over: bool = False
    """A span without a parent has ended, or the run was asked to close."""
    is_asked: bool = False
    ended: int = 0
    sent: int = 0
    """Spans that the exporter acknowledged."""
    unsampled: int = 0
    outcome_json: bytes = b""

    def counts(self) -> SenderCounts:
        """The sender's counts as they stand."""
        return SenderCounts(
            spans_started=self.ended + self.in_flight,
            spans_ended=self.ended,
            spans_dropped=max(self.ended - self.sent, 0),
            spans_unsampled=self.unsampled,
        )

    @property
    def in_flight(self) -> int:
        """Spans that were started and have not ended."""
        return len(self.live) + self.crowd

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell: an acknowledgement came late, and nothing else."""
        return self.is_unheard and not self.unsampled

    @property
    def is_unheard(self) -> bool:
        """Whether nothing of it was sampled, and nobody wants it closed."""
        return not (self.ended or self.in_flight or self.is_asked)

    def start(self, span_id: int, *, is_root: bool) -> None:
        """A span of it has started."""
        if len(self.live) < _LIVE_MAX:
            self.live.add(span_id)
        else:
            self.crowd += 1
        if is_root:
            self.roots += 1
            self.is_over = False

    def due(self, linger_seconds: float, idle_seconds: float) -> float:
        """When it is to be closed; infinity while nothing tells."""
        if self.is_asked:
            return self.touched
        if self.roots:
            return float("inf")
        if self.is_over or (self.ended and not self.in_flight):  # logs, stragglers, the next trace, or what came late
            return self.touched + linger_seconds
        return float("inf") if self.in_flight else self.touched + idle_seconds


class Tally:
    """The runs of one process.

    Args:
        runs_max: runs that are counted at once, at least 1; beyond, one of which nothing was sampled is given up, else the oldest.
        linger_seconds: how long a run whose root has ended waits for what belongs to it and comes later: log records that are
            written when a span has ended, spans that run in the background, its next trace.
        idle_seconds: how long a run of which nothing was sampled waits for more.
    """

    def __init__(self, *, runs_max: int, linger_seconds: float, idle_seconds: float) -> None:
        self._runs_max, self._linger, self._idle = runs_max, linger_seconds, idle_seconds
        self._open: OrderedDict[str, RunTally] = OrderedDict()
        self._unheard: dict[str, None] = {}
        """Of those, the ones of which nothing was sampled, and some of which something was since; the oldest first."""
        self._closing: dict[str, RunTally] = {}
        self._closed: OrderedDict[str, None] = OrderedDict()
        self.given_up = 0
        """Runs that were given up because there were too many."""

    def fresh(self) -> Tally:
        """One of the same bounds that has counted nothing."""
        return Tally(runs_max=self._runs_max, linger_seconds=self._linger, idle_seconds=self._idle)

    # ---------------------------------------------------------------- what happens; each gives the run that it touched

    def start(self, run_id: str, span_id: int, now: float, *, is_root: bool, is_trace: bool) -> RunTally | None:
        """A span that will be sent has started."""
        if run := self._find(run_id, now, begins=is_root, is_trace=is_trace):
            run.start(span_id, is_root=is_root)
        return run

    def end(self, run_id: str, trace: str, span_id: int, now: float, *, is_root: bool) -> RunTally | None:
        """A span that will be sent has ended; it may have got its run's name after it started as a part of its trace."""
        started = self._started(run_id, trace, span_id)
        run = self._find(run_id, now, begins=started is not None, is_trace=run_id == trace)
        if run is None:
            return None
        if started:
            started.live.discard(span_id)
            started.roots -= is_root
            if started is not run and not (started.in_flight or started.ended or started.unsampled):
                self._forget(started.run_id)  # nothing is left of it
        elif run.crowd:
            run.crowd -= 1
        run.ended += 1
        run.is_over = run.is_over or is_root
        return run

    def leave_out(self, run_id: str, now: float, *, is_root: bool, is_trace: bool) -> RunTally | None:
        """A span was not sampled: nothing more will be heard of it."""
        if run := self._find(run_id, now, begins=is_root, is_trace=is_trace):
            run.unsampled += 1
            if run.is_unheard:
                self._unheard[run_id] = None
        return run

    def ask(self, run_id: str, outcome_json: bytes, now: float) -> RunTally | None:
        """Somebody wants the run closed now."""
        if run := self._find(run_id, now, begins=True, is_trace=False):
            run.is_asked, run.outcome_json = True, outcome_json
        return run

    def send(self, run_ids: Iterable[str], now: float) -> None:
        """The exporter acknowledged a span of each run, perhaps before it is said that the span has ended.

        The part that is being closed comes first, until all of its spans are acknowledged.
        """
        for run_id in run_ids:
            closing = self._closing.get(run_id)
            if closing and closing.sent < closing.ended:
                closing.sent += 1
            elif run := self._find(run_id, now, begins=False, is_trace=False):
                run.sent += 1

    def hurry(self) -> None:
        """No trace that is over waits any longer for what may come."""
        for run in self._open.values():
            if run.is_over and run.is_trace and not run.in_flight:
                run.is_asked = True

    # ---------------------------------------------------------------- closing

    def due(self, now: float) -> Iterator[RunTally]:
        """Takes the runs that are due; each is being closed until `done`, and what happens in it from now on is its next part."""
        yield from self._take([run for run in self._open.values() if self.when(run) <= now])

    def all(self) -> Iterator[RunTally]:
        """Takes every run."""
        yield from self._take(list(self._open.values()))

    def done(self, run: RunTally) -> None:
        """A run that was taken is closed, or given up."""
        if self._closing.get(run.run_id) is run:
            del self._closing[run.run_id]

    @property
    def next_due(self) -> float:
        """When the next run is due; infinity without any."""
        return min(map(self.when, self._open.values()), default=float("inf"))

    def when(self, run: RunTally) -> float:
        """When a run is to be closed, as it stands."""
        return run.due(self._linger, self._idle)

    @property
    def is_closing(self) -> bool:
        """Whether a run was taken and is not done."""
        return bool(self._closing)

    def _started(self, run_id: str, trace: str, span_id: int) -> RunTally | None:
        """The run in which a span was started."""
        for name in (run_id, trace):
            if (run := self._open.get(name)) and span_id in run.live:
                return run
        return None

    def _take(self, runs: Iterable[RunTally]) -> Iterator[RunTally]:
        for run in runs:
            self._forget(run.run_id)
            if run.is_empty:
                continue
            self._closing[run.run_id] = run
            self._closed[run.run_id] = None
            self._closed.move_to_end(run.run_id)
            if len(self._closed) > _CLOSED_REMEMBERED_MAX:
                self._closed.popitem(last=False)
            yield run

    def _give_up(self) -> None:
        """Forget the oldest run of which nothing was sampled, else the oldest."""
        while self._unheard:
            oldest = next(iter(self._unheard))
            if self._open[oldest].is_unheard:
                break
            del self._unheard[oldest]
        else:
            oldest = next(iter(self._open))
        self._forget(oldest)
        self.given_up += 1

    def _forget(self, run_id: str) -> None:
        self._open.pop(run_id, None)  # it may have been given up
        self._unheard.pop(run_id, None)

    def _find(self, run_id: str, now: float, *, begins: bool, is_trace: bool) -> RunTally | None:
        run = self._open.get(run_id)
        if run is None:
            if not begins and run_id not in self._closed:
                return None
            run = self._open[run_id] = RunTally(run_id=run_id, is_trace=is_trace)
            if len(self._open) > self._runs_max:
                self._give_up()
        run.touched = now
        return run
