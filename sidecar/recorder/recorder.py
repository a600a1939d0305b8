"""Writes runs: takes journal frames and gives every item its place in a run.

Law: what is in the journal up to the cursor is in exactly one run, once; a repetition is counted, a conflict is recorded, and what
comes after a run has ended opens the next part of it. Nothing is thrown away: what cannot be recorded is a gap in the run, its frame
is kept, and the next one is recorded all the same.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from evidence.errors import EventError, EvidenceError
from evidence.redaction.commitment import SALT_BYTES
from evidence.redaction.policy import default_policy
from evidence.run import CloseReason
from evidence.timestamp import from_unix_nano
from sidecar.errors import place_of
from sidecar.journal import Frame
from sidecar.recorder.books import Books
from sidecar.recorder.entries import read_entries
from sidecar.recorder.entry import Entry, Part, digest_of
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.open_run import COUNTERS, TYPES, OpenRun
from sidecar.recorder.open_runs import OpenRuns
from sidecar.recorder.redacting import Redacting
from sidecar.recorder.run_writer import RunWriter
from sidecar.recorder.store import RunRow, RunStore
from sidecar.redaction import Redactor
from sidecar.translation import FrameTranslator

__all__ = ["Recorder"]

_TIME_MAX = 2**63 - 1
"""The largest integer that SQLite has, in the year 2262. A run without a time of receipt has its sender's, which may be any."""


class Recorder:
    """The one writer of a `RunStore`.

    Args:
        store: Where runs are kept.
        lifecycle: When they end.
        translate: The shared translation of frames.
        run_key: What tells runs apart (setting `run.key`).
        source: URI that stands in every event, naming this sidecar.
        books: Where the accounts of the runs are kept for the sealer; without, it translates their events again.
        redacting: What is withheld before anything is written or hashed; secrets unless it is said otherwise.
        new_key: Draws the key of a part of a run, given its run id and number.
        unrecorded: Told of each frame that could not be recorded wholly, and why, without its content. It may be told again of the
            same one.
    """

    def __init__(
        self,
        *,
        store: RunStore,
        lifecycle: Lifecycle,
        translate: FrameTranslator,
        run_key: Sequence[str],
        source: str,
        unrecorded: Callable[[Frame, str], None],
        redacting: Redacting | None = None,
        new_key: Callable[[str, int], bytes] = lambda _run_id, _part: secrets.token_bytes(SALT_BYTES),
        books: Books | None = None,
    ) -> None:
        self._store = store
        self._run_bytes_max = lifecycle.bytes_max
        self._translate = translate
        self._run_key = tuple(run_key)
        self._redacting = redacting or Redacting(Redactor(default_policy(), translate.translator))
        self._unrecorded = unrecorded
        self._books = books or Books()
        self._writer = RunWriter(store=store, source=source, redacting=self._redacting)
        self._runs = OpenRuns(
            store=store,
            lifecycle=lifecycle,
            writer=self._writer,
            redacting=self._redacting,
            new_key=new_key,
            books=self._books,
        )

    @property
    def cursor(self) -> int:
        """Sequence of the last frame that is recorded."""
        return int(self._store.meta("cursor", 0))

    def record(self, frames: Iterable[Frame]) -> None:
        """Records the frames in one transaction: all of them, or none when the disk fails."""
        with self._transaction():
            sequence = self.cursor
            for frame in frames:
                if frame.sequence > sequence + 1 and sequence:
                    lost = frame.sequence - sequence - 1
                    self._gap_everywhere("journal", lost, "requests lost to damage of the journal", frame)
                self._record(frame)
                sequence = frame.sequence
            self._store.set_meta("cursor", sequence)

    def close_due(self, now_unix_nano: int) -> int | None:
        """Closes the runs that are due; gives the time before which no other will be, None without open runs."""
        if due := self._runs.due(now_unix_nano):
            self.close(due, now_unix_nano)
        return self._runs.next_unix_nano

    def close_all(self, reason: CloseReason, at_unix_nano: int) -> None:
        """Closes every open run for one reason; 0 as time takes each run's own last."""
        self.close([(run, reason) for run in self._store.in_state("open")], at_unix_nano)

    def close(self, runs: Sequence[tuple[RunRow, CloseReason]], at_unix_nano: int) -> None:
        """Closes runs, each for its reason."""
        with self._transaction():
            for row, reason in runs:
                run = self._runs.of(row)
                self._runs.close(run, reason, at_unix_nano or run.row.last_unix_nano)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._store.transaction():
                yield
                self._runs.flush()
        except BaseException:
            self._runs.forget()
            self._books.clear()
            raise
        self._runs.trim()

    # ---------------------------------------------------------------- one frame

    def _record(self, frame: Frame) -> None:
        """Records what can be recorded of a frame. Whatever is wrong with it, it must not hold up the next one."""
        missing = 0
        try:
            may_hold, name = self._redacting.may_hold(frame), self._redacting.naming_digest
            for entry in read_entries(frame, self._translate, self._run_key, may_hold=may_hold, naming_digest=name):
                missing += not self._take(entry, frame.time_unix_nano)
        except (sqlite3.Error, OSError):
            raise  # the disk's fault, not the frame's: it is tried again
        except Exception as error:  # noqa: BLE001 - a fault of ours or of the tables', met by this frame every time
            self._books.clear()  # it may have been met between an item and its entry
            reason = f"a request could not be recorded to its end: {place_of(error)}"
            self._gap_everywhere("unrecordable", 1, reason, frame)
            self._unrecorded(frame, reason)
        else:
            if missing:
                self._unrecorded(frame, f"{missing} of its items could not be recorded; the gaps in their runs say why")

    def _gap_everywhere(self, kind: str, count: int, detail: str, frame: Frame) -> None:
        """Acknowledged requests are missing, and any run that is open may have been in them."""
        for run in self._runs:
            self._writer.gap(run, kind, count, detail, frame.time_unix_nano)

    # ---------------------------------------------------------------- one entry

    def _take(self, entry: Entry, received_unix_nano: int) -> bool:
        """Gives an entry its place; False when there is only a gap in it."""
        runs = self._runs
        arrived = min(received_unix_nano or entry.happened_unix_nano, _TIME_MAX)
        if entry.kind == "seal" or (entry.kind == "close" and runs.is_ended(entry.run_id)):
            if (run := runs.find(entry.run_id)) and entry.kind == "seal":
                runs.close(run, "requested", arrived)
            return True
        run = runs.find(entry.run_id) or runs.begin(entry, min(received_unix_nano or entry.began_unix_nano, _TIME_MAX))
        run.row.last_unix_nano = max(run.row.last_unix_nano, arrived)
        run.is_changed = True
        if entry.kind == "open":
            return True
        entry = self._redacting.entry(run.row.disclosure_key, entry)
        if entry.kind == "close":
            runs.close(run, "explicit", arrived, entry.data, entry.pieces)
            return True
        if self._is_repetition(run, entry):
            run.row.duplicates += 1
            return True
        is_written = self._write_item(run, entry, received_unix_nano, arrived)
        if entry.is_root:
            runs.root_ended(run)
        run.numbers.add(entry.data.get("sequence", 0))
        if run.row.bytes >= self._run_bytes_max:
            runs.close(run, "size", arrived)
        return is_written

    def _write_item(self, run: OpenRun, entry: Entry, received_unix_nano: int, arrived_unix_nano: int) -> bool:
        """Writes an item and what it refers to, or a gap in its place."""
        data = {**entry.data, "received": from_unix_nano(received_unix_nano)} if received_unix_nano else entry.data
        when = entry.happened_unix_nano or arrived_unix_nano
        try:
            for part in entry.parts:
                self._write_part(run, part, arrived_unix_nano)
            self._writer.write(
                run,
                TYPES[entry.kind],
                data,
                when,
                subject=entry.subject,
                traceparent=entry.traceparent,
                pieces=entry.pieces,
            )
        except EvidenceError as error:
            self._writer.gap(run, "unrecordable", 1, f"{entry.kind} {entry.subject or ''}: {error}", arrived_unix_nano)
            return False
        if entry.item is not None:
            self._books.enter(run.row, entry.item)
        counter = COUNTERS[entry.kind]
        setattr(run.row, counter, getattr(run.row, counter) + 1)
        return True

    def _write_part(self, run: OpenRun, part: Part, at_unix_nano: int) -> None:
        """Writes a resource or scope, once in a run."""
        if part.digest in run.parts:
            return
        if part.digest not in run.unfit:
            try:
                self._writer.write(run, part.type, part.data, at_unix_nano, pieces=part.pieces)
            except EvidenceError as error:
                run.unfit[part.digest] = f"its {part.name}: {error}"
            else:
                run.parts.add(part.digest)
                return
        raise EventError(run.unfit[part.digest])

    def _is_repetition(self, run: OpenRun, entry: Entry) -> bool:
        """Whether this very item is recorded already; an item of the same name and other content is a conflict and is recorded."""
        digest = digest_of(entry.kind, entry.data)
        if digest is None:
            return False
        if digest in run.seen:
            return True
        run.seen.add(digest)
        if entry.kind == "receipt":  # a span that comes again with other content is seen in the events themselves
            key = entry.data["idempotency_key"]
            if key in run.keys:
                detail = f"{key} came again with other content"
                self._writer.gap(run, "conflicting_receipt", 1, detail, run.row.last_unix_nano)
            run.keys.add(key)
        return False
