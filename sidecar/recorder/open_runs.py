"""The runs that are open: begins them, finds them again, ends them.

Law: of a run at most one part is open, and what comes after a part has ended opens the next. A run that is due is ended. What is
remembered is bounded: a run that was forgotten is read back from the store.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from evidence import event as events
from evidence.closing import closing_gaps
from evidence.redaction.disclosures import PieceMaker
from evidence.run import CloseReason
from sidecar.recorder.books import Books
from sidecar.recorder.deadlines import Deadlines
from sidecar.recorder.entry import Entry
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.open_run import COUNTERS, OpenRun
from sidecar.recorder.redacting import Redacting
from sidecar.recorder.run_writer import RunWriter
from sidecar.recorder.store import RunRow, RunStore

__all__ = ["OpenRuns"]

_RUNS_REMEMBERED_MAX = 2048
_ITEMS_REMEMBERED_MAX = 500_000
"""In all runs together, at some 90 bytes each."""


class OpenRuns:
    """The open runs of a `RunStore`.

    Args:
        store: Where runs are kept.
        lifecycle: When they end.
        writer: Writes their events.
        redacting: What is withheld of them.
        new_key: Draws the key of a part of a run, given its run id and number.
        books: Where the accounts of the runs are kept for the sealer.
    """

    def __init__(
        self,
        *,
        store: RunStore,
        lifecycle: Lifecycle,
        writer: RunWriter,
        redacting: Redacting,
        new_key: Callable[[str, int], bytes],
        books: Books,
    ) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._writer = writer
        self._redacting = redacting
        self._new_key = new_key
        self._books = books
        self._open: OrderedDict[str, OpenRun] = OrderedDict()
        self._deadlines: Deadlines | None = None

    # ---------------------------------------------------------------- finding

    def __iter__(self) -> Iterator[OpenRun]:
        """Every open run, the oldest first."""
        for row in self._store.in_state("open"):
            yield self.of(row)

    def find(self, run_id: str) -> OpenRun | None:
        """The open part of a run."""
        if run := self._open.get(run_id):
            return run
        row = self._store.latest(run_id)
        return self.of(row) if row and row.state == "open" else None

    def of(self, row: RunRow) -> OpenRun:
        """The open run that has this row, with what is remembered of its items read back from its own events."""
        if run := self._open.get(row.run_id):
            return run
        run = self._open[row.run_id] = OpenRun(row)
        for piece in self._store.lines(row):
            for line in piece.splitlines():
                run.read_back(orjson.loads(line))
        if row.policy_digest != self._redacting.policy.digest:
            self._change_policy(run)
        return run

    def is_ended(self, run_id: str) -> bool:
        """Whether a run has ended and nothing has come for it since."""
        if run_id in self._open:
            return False
        latest = self._store.latest(run_id)
        return latest is not None and latest.state != "open"

    # ---------------------------------------------------------------- when they end

    def due(self, now_unix_nano: int) -> list[tuple[RunRow, CloseReason]]:
        """The runs to end now, oldest first, each with the reason. They are not given again."""
        return self._times().due(now_unix_nano, self._newest)

    @property
    def next_unix_nano(self) -> int | None:
        """No run is due before; None without open runs."""
        return self._times().next_unix_nano

    def root_ended(self, run: OpenRun) -> None:
        """Notes that the root span of a run has ended, after which it is due sooner."""
        if not run.row.root_ended:
            run.row.root_ended = 1
            self._due_sooner(run.row)

    def _times(self) -> Deadlines:
        if self._deadlines is None:
            self._deadlines = Deadlines(self._lifecycle, self._store.in_state("open"))
        return self._deadlines

    def _newest(self, run_id: str) -> RunRow | None:
        """The newest part of a run, open or not."""
        run = self._open.get(run_id)
        return run.row if run else self._store.latest(run_id)

    def _due_sooner(self, row: RunRow) -> None:
        if self._deadlines is not None:
            self._deadlines.note(row)

    # ---------------------------------------------------------------- their first and last events

    def begin(self, entry: Entry, at_unix_nano: int) -> OpenRun:
        """Begins a run, or its next part, with the entry that was the first to come for it."""
        before = self._store.latest(entry.run_id)
        first = before.next_seq if before else events.FIRST_SEQ
        row = RunRow(
            run_id=entry.run_id,
            part=before.part + 1 if before else 1,
            opened_unix_nano=at_unix_nano,
            last_unix_nano=at_unix_nano,
            first_seq=first,
            next_seq=first,
            policy_digest=self._redacting.policy.digest,
        )
        row.disclosure_key = self._new_key(row.run_id, row.part)
        self._store.save(row)
        self._due_sooner(row)
        self._books.open(row)
        run = self._open[row.run_id] = OpenRun(row)
        data: dict[str, Any] = {"run_id": row.run_id, "part": row.part, "reason": "late" if before else entry.kind}
        pieces = None
        if entry.kind == "open":
            entry = self._redacting.entry(row.disclosure_key, entry)
            data, pieces = data | entry.data, entry.pieces
        self._writer.write(run, events.RUN_OPENED, data, at_unix_nano, pieces=pieces)
        return run

    def close(
        self,
        run: OpenRun,
        reason: CloseReason,
        at_unix_nano: int,
        said: dict[str, Any] | None = None,
        pieces: PieceMaker | None = None,
    ) -> None:
        """Ends a run: what is missing of it, what was withheld, and its counts.

        Args:
            run: The run.
            reason: Why it ends.
            at_unix_nano: When.
            said: What the sender said with it.
            pieces: What was withheld of that.
        """
        row, said = run.row, said or {}
        arrived = {name: getattr(row, name) for name in COUNTERS.values()}
        for kind, count, detail in closing_gaps(arrived, run.numbers, row.part, said.get("sender_counts", {})):
            self._writer.gap(run, kind, count, detail, at_unix_nano)
        self._say_what_is_withheld(run, pieces, at_unix_nano)
        data = {"reason": reason, "events": row.event_count + 1, **arrived, **said}
        if row.duplicates:
            data["duplicates"] = row.duplicates
        self._writer.write(run, events.RUN_CLOSED, data, at_unix_nano, pieces=pieces)
        row.state, row.close_reason, row.closed_unix_nano = "closed", reason, at_unix_nano
        self._writer.flush(run)
        del self._open[row.run_id]

    def _say_what_is_withheld(self, run: OpenRun, pieces: PieceMaker | None, at_unix_nano: int) -> None:
        """How many pieces were withheld and why, those of the closing event included."""
        counts = Counter(orjson.loads(run.row.withheld_json)) + Counter(pieces.reasons() if pieces else ())
        if counts:
            data = {"policy": self._redacting.policy.reference(), "withheld": dict(sorted(counts.items()))}
            self._writer.write(run, events.REDACTION, data, at_unix_nano)

    def _change_policy(self, run: OpenRun) -> None:
        """What was recorded before was recorded under another policy, which the manifest will not name."""
        before = run.row.policy_digest or "none"
        run.row.policy_digest = self._redacting.policy.digest
        run.row.disclosure_key = run.row.disclosure_key or self._new_key(run.row.run_id, run.row.part)
        run.is_changed = True
        detail = f"events before this one were recorded under the redaction policy {before}"
        self._writer.gap(run, "redaction_policy", 1, detail, run.row.last_unix_nano)

    # ---------------------------------------------------------------- memory

    def flush(self) -> None:
        """Hands to the store what it does not have of any run."""
        for run in self._open.values():
            self._writer.flush(run)

    def trim(self) -> None:
        """Forgets the runs that were remembered first, beyond the bounds."""
        items = sum([len(run.seen) for run in self._open.values()])
        while len(self._open) > _RUNS_REMEMBERED_MAX or (items > _ITEMS_REMEMBERED_MAX and len(self._open) > 1):
            items -= len(self._open.popitem(last=False)[1].seen)

    def forget(self) -> None:
        """Forgets all: what is remembered may not have been written."""
        self._open.clear()
        self._deadlines = None
