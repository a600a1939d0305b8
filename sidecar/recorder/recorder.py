"""Writes runs: takes journal frames, gives every item its place in a run, and ends runs.

Law: what is in the journal up to the cursor is in exactly one run, once; a repetition is counted, a conflict is recorded, and what
comes after a run has ended opens the next part of it. Nothing is thrown away: what cannot be recorded is a gap in the run, its frame
is kept, and the next one is recorded all the same.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from evidence import event as events
from evidence.capture.receipt_numbers import ReceiptNumbers
from evidence.closing import closing_gaps
from evidence.errors import EventError, EvidenceError
from evidence.limits import DEFAULT
from evidence.redaction.commitment import SALT_BYTES
from evidence.redaction.disclosures import PieceMaker
from evidence.redaction.policy import default_policy
from evidence.run import CloseReason
from evidence.timestamp import from_unix_nano
from sidecar.errors import place_of
from sidecar.journal import Frame
from sidecar.recorder.books import Books
from sidecar.recorder.deadlines import Deadlines
from sidecar.recorder.entries import Entry, Part, digest_of, read_entries
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.redacting import Redacting
from sidecar.recorder.store import RunRow, RunStore
from sidecar.redaction import Redactor
from sidecar.translation import FrameTranslator

__all__ = ["Recorder"]

_RUNS_REMEMBERED_MAX = 2048
_ITEMS_REMEMBERED_MAX = 500_000
"""In all runs together, at some 90 bytes each."""
_PENDING_BYTES_MAX = 1 << 20
_GAP_CHARS_MAX = 1024
_COUNT_MAX = 2**53 - 1
"""The largest integer that canonical JSON (RFC 8785) has; a sender may claim more."""
_TIME_MAX = 2**63 - 1
"""The largest integer that SQLite has, in the year 2262. A run without a time of receipt has its sender's, which may be any."""
_COUNTERS = {"span": "spans", "log": "logs", "metric": "metrics", "receipt": "receipts"}
_TYPES = {
    "span": events.SPAN,
    "log": events.LOG,
    "metric": events.METRIC,
    "receipt": events.RECEIPT,
}
_KINDS = {type_: kind for kind, type_ in _TYPES.items()}


@dataclass(slots=True)
class _Open:
    """An open run, and what must be remembered of it to tell a repetition from something new."""

    row: RunRow
    seen: set[bytes] = field(default_factory=set)
    """Digests of the items that are recorded: what comes with one of these is a repetition."""
    keys: set[str] = field(default_factory=set)
    """Idempotency keys of the receipts among them."""
    parts: set[str] = field(default_factory=set)
    unfit: dict[str, str] = field(default_factory=dict)
    """Parts that cannot be recorded, and why: each is tried once, however many items refer to it."""
    numbers: ReceiptNumbers = field(default_factory=ReceiptNumbers)
    """Sequence numbers of receipts, to name the holes at the end."""
    lines: list[bytes] = field(default_factory=list)
    """Written in this transaction and not yet handed to the store."""
    pending_bytes: int = 0
    """Of those lines."""
    is_changed: bool = False
    """Whether the row is other than the store has it: a repetition changes it too."""


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
        self._lifecycle = lifecycle
        self._translate = translate
        self._run_key = tuple(run_key)
        self._source = source
        self._redacting = redacting or Redacting(Redactor(default_policy(), translate.translator))
        self._new_key = new_key
        self._unrecorded = unrecorded
        self._books = books or Books()
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._deadlines: Deadlines | None = None

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
        if self._deadlines is None:
            self._deadlines = Deadlines(self._lifecycle, self._store.in_state("open"))
        deadlines = self._deadlines
        if due := deadlines.due(now_unix_nano, self._newest):
            self.close(due, now_unix_nano)
        return deadlines.next_unix_nano

    def close_all(self, reason: CloseReason, at_unix_nano: int) -> None:
        """Closes every open run for one reason; 0 as time takes each run's own last."""
        self.close([(run, reason) for run in self._store.in_state("open")], at_unix_nano)

    def close(self, runs: Sequence[tuple[RunRow, CloseReason]], at_unix_nano: int) -> None:
        """Closes runs, each for its reason."""
        with self._transaction():
            for row, reason in runs:
                run = self._remember(row)
                self._close(run, reason, at_unix_nano or run.row.last_unix_nano, {})

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._store.transaction():
                yield
                self._flush()
        except BaseException:
            self._open.clear()  # what was remembered may not have been written
            self._deadlines = None
            self._books.clear()
            raise
        self._forget()

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
        for row in self._store.in_state("open"):
            self._gap(self._remember(row), kind, count, detail, frame.time_unix_nano)

    # ---------------------------------------------------------------- one entry

    def _take(self, entry: Entry, received_unix_nano: int) -> bool:
        """Gives an entry its place; False when there is only a gap in it."""
        arrived = min(received_unix_nano or entry.happened_unix_nano, _TIME_MAX)
        if entry.kind == "seal" or (entry.kind == "close" and self._is_ended(entry.run_id)):
            if (run := self._find(entry.run_id)) and entry.kind == "seal":
                self._close(run, "requested", arrived, {})
            return True
        run = self._find(entry.run_id) or self._begin(
            entry, min(received_unix_nano or entry.began_unix_nano, _TIME_MAX)
        )
        run.row.last_unix_nano = max(run.row.last_unix_nano, arrived)
        run.is_changed = True
        if entry.kind == "open":
            return True
        entry = self._redacting.entry(run.row.disclosure_key, entry)
        if entry.kind == "close":
            self._close(run, "explicit", arrived, entry.data, entry.pieces)
            return True
        if self._is_repetition(run, entry):
            run.row.duplicates += 1
            return True
        is_written = self._write_item(run, entry, received_unix_nano, arrived)
        if entry.is_root and not run.row.root_ended:
            run.row.root_ended = 1
            self._due_sooner(run.row)
        run.numbers.add(entry.data.get("sequence", 0))
        if run.row.bytes >= self._lifecycle.bytes_max:
            self._close(run, "size", arrived, {})
        return is_written

    def _write_item(self, run: _Open, entry: Entry, received_unix_nano: int, arrived_unix_nano: int) -> bool:
        """Writes an item and what it refers to, or a gap in its place."""
        data = {**entry.data, "received": from_unix_nano(received_unix_nano)} if received_unix_nano else entry.data
        when = entry.happened_unix_nano or arrived_unix_nano
        try:
            for part in entry.parts:
                self._write_part(run, part, arrived_unix_nano)
            self._write(
                run,
                _TYPES[entry.kind],
                data,
                when,
                subject=entry.subject,
                traceparent=entry.traceparent,
                pieces=entry.pieces,
            )
        except EvidenceError as error:
            self._gap(run, "unrecordable", 1, f"{entry.kind} {entry.subject or ''}: {error}", arrived_unix_nano)
            return False
        if entry.item is not None:
            self._books.enter(run.row, entry.item)
        counter = _COUNTERS[entry.kind]
        setattr(run.row, counter, getattr(run.row, counter) + 1)
        return True

    def _write_part(self, run: _Open, part: Part, at_unix_nano: int) -> None:
        """Writes a resource or scope, once in a run."""
        if part.digest in run.parts:
            return
        if part.digest not in run.unfit:
            try:
                self._write(run, part.type, part.data, at_unix_nano, pieces=part.pieces)
            except EvidenceError as error:
                name = "resource" if part.type == events.RESOURCE else "scope"
                run.unfit[part.digest] = f"its {name}: {error}"
            else:
                run.parts.add(part.digest)
                return
        raise EventError(run.unfit[part.digest])

    def _is_repetition(self, run: _Open, entry: Entry) -> bool:
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
                self._gap(run, "conflicting_receipt", 1, f"{key} came again with other content", run.row.last_unix_nano)
            run.keys.add(key)
        return False

    # ---------------------------------------------------------------- runs

    def _is_ended(self, run_id: str) -> bool:
        if run_id in self._open:
            return False
        latest = self._store.latest(run_id)
        return latest is not None and latest.state != "open"

    def _find(self, run_id: str) -> _Open | None:
        if run := self._open.get(run_id):
            return run
        row = self._store.latest(run_id)
        return self._remember(row) if row and row.state == "open" else None

    def _newest(self, run_id: str) -> RunRow | None:
        """The newest part of a run, open or not."""
        run = self._open.get(run_id)
        return run.row if run else self._store.latest(run_id)

    def _due_sooner(self, row: RunRow) -> None:
        if self._deadlines is not None:
            self._deadlines.note(row)

    def _begin(self, entry: Entry, at_unix_nano: int) -> _Open:
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
        run = self._open[row.run_id] = _Open(row)
        data: dict[str, Any] = {"run_id": row.run_id, "part": row.part, "reason": "late" if before else entry.kind}
        pieces = None
        if entry.kind == "open":
            entry = self._redacting.entry(row.disclosure_key, entry)
            data, pieces = data | entry.data, entry.pieces
        self._write(run, events.RUN_OPENED, data, at_unix_nano, pieces=pieces)
        return run

    def _close(
        self,
        run: _Open,
        reason: CloseReason,
        at_unix_nano: int,
        said: dict[str, Any],
        pieces: PieceMaker | None = None,
    ) -> None:
        row = run.row
        arrived = {name: getattr(row, name) for name in _COUNTERS.values()}
        for kind, count, detail in closing_gaps(arrived, run.numbers, row.part, said.get("sender_counts", {})):
            self._gap(run, kind, count, detail, at_unix_nano)
        self._say_what_is_withheld(run, pieces, at_unix_nano)
        data = {
            "reason": reason,
            "events": row.event_count + 1,
            **arrived,
            **said,
        }
        if row.duplicates:
            data["duplicates"] = row.duplicates
        self._write(run, events.RUN_CLOSED, data, at_unix_nano, pieces=pieces)
        row.state, row.close_reason, row.closed_unix_nano = "closed", reason, at_unix_nano
        self._flush_run(run)
        del self._open[row.run_id]

    def _say_what_is_withheld(self, run: _Open, pieces: PieceMaker | None, at_unix_nano: int) -> None:
        """How many pieces were withheld and why, those of the closing event included."""
        counts = Counter(orjson.loads(run.row.withheld_json)) + Counter(pieces.reasons() if pieces else ())
        if counts:
            data = {"policy": self._redacting.policy.reference(), "withheld": dict(sorted(counts.items()))}
            self._write(run, events.REDACTION, data, at_unix_nano)

    def _gap(self, run: _Open, kind: str, count: int, detail: str, at_unix_nano: int) -> None:
        """Writes a gap; a secret that the detail quotes is withheld before it may be cut in two."""
        said, pieces = self._redacting.text(run.row.disclosure_key, detail, run.row.next_seq)
        data = {"kind": kind, "count": min(count, _COUNT_MAX), "detail": said[:_GAP_CHARS_MAX]}
        is_whole = len(said) <= _GAP_CHARS_MAX
        self._write(run, events.RUN_GAP, data, at_unix_nano, pieces=pieces if is_whole else None)

    def _write(
        self,
        run: _Open,
        type_: str,
        data: dict[str, Any],
        at_unix_nano: int,
        *,
        subject: str | None = None,
        traceparent: str | None = None,
        pieces: PieceMaker | None = None,
    ) -> None:
        line = events.EvidenceEvent(
            run_id=run.row.run_id,
            seq=run.row.next_seq,
            type=type_,
            time=from_unix_nano(at_unix_nano),
            data=data,
            source=self._source,
            subject=subject,
            traceparent=traceparent,
        ).line()
        if len(line) > DEFAULT.line_bytes_max:
            raise EventError(f"event of {len(line)} bytes, expected at most {DEFAULT.line_bytes_max}")
        run.lines.append(line)
        if pieces:
            self._keep_withheld(run.row, pieces)
        run.row.next_seq += 1
        run.row.bytes += len(line) + 1
        run.pending_bytes += len(line) + 1
        if run.pending_bytes >= _PENDING_BYTES_MAX:
            self._flush_run(run)

    def _keep_withheld(self, row: RunRow, pieces: PieceMaker) -> None:
        """Keeps what was withheld of the event that is being written, for the disclosures."""
        self._store.withhold(
            row, row.next_seq, [piece.line() for piece in pieces.pieces(f"{row.run_id}:{row.next_seq}")]
        )
        counts = Counter(orjson.loads(row.withheld_json)) + Counter(pieces.reasons())
        row.withheld_json = orjson.dumps(counts, option=orjson.OPT_SORT_KEYS).decode()

    # ---------------------------------------------------------------- memory

    def _flush(self) -> None:
        for run in self._open.values():
            self._flush_run(run)

    def _flush_run(self, run: _Open) -> None:
        if run.lines:
            self._store.append(run.row, run.row.next_seq - len(run.lines), run.lines)
            run.lines, run.pending_bytes = [], 0
            run.is_changed = True
        if run.is_changed:
            self._store.save(run.row)
            run.is_changed = False

    def _forget(self) -> None:
        """Bounds what is remembered; a forgotten run is read back when something more comes for it."""
        items = sum([len(run.seen) for run in self._open.values()])
        while len(self._open) > _RUNS_REMEMBERED_MAX or (items > _ITEMS_REMEMBERED_MAX and len(self._open) > 1):
            items -= len(self._open.popitem(last=False)[1].seen)

    def _remember(self, row: RunRow) -> _Open:
        """An open run from the store, with what is remembered of its items read back from its own events."""
        if run := self._open.get(row.run_id):
            return run
        run = self._open[row.run_id] = _Open(row)
        for piece in self._store.lines(row):
            for line in piece.splitlines():
                self._read_back(run, orjson.loads(line))
        if row.policy_digest != self._redacting.policy.digest:
            self._change_policy(run)
        return run

    def _change_policy(self, run: _Open) -> None:
        """What was recorded before was recorded under another policy, which the manifest will not name."""
        before = run.row.policy_digest or "none"
        run.row.policy_digest = self._redacting.policy.digest
        run.row.disclosure_key = run.row.disclosure_key or self._new_key(run.row.run_id, run.row.part)
        run.is_changed = True
        detail = f"events before this one were recorded under the redaction policy {before}"
        self._gap(run, "redaction_policy", 1, detail, run.row.last_unix_nano)

    def _read_back(self, run: _Open, event: dict[str, Any]) -> None:
        data = event["data"]
        if event["type"] in {events.RESOURCE, events.SCOPE}:
            run.parts.add(data["digest"])
            return
        kind = _KINDS.get(event["type"])
        if kind and (digest := digest_of(kind, data)):
            run.seen.add(digest)
        if kind == "receipt":
            run.keys.add(data["idempotency_key"])
            run.numbers.add(data.get("sequence", 0))
