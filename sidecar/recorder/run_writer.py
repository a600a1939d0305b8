"""Writes the events of runs: each gets its run's next number, and goes to the store with what else it changes there.

Law: a run's numbers have no hole, and what does not fit a line leaves the run as it was.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from evidence import event as events
from evidence.errors import EventError
from evidence.limits import DEFAULT, INTEGER_MAX
from evidence.redaction.disclosures import PieceMaker
from evidence.timestamp import from_unix_nano
from sidecar.recorder.open_run import OpenRun
from sidecar.recorder.redacting import Redacting
from sidecar.recorder.store import RunRow, RunStore

__all__ = ["RunWriter"]

_PENDING_BYTES_MAX = 1 << 20
_GAP_CHARS_MAX = 1024


class RunWriter:
    """Writes into a `RunStore`, inside a transaction of whoever calls.

    Args:
        store: Where runs are kept.
        source: URI that stands in every event, naming this sidecar.
        redacting: What is withheld of a gap's detail.
    """

    def __init__(self, *, store: RunStore, source: str, redacting: Redacting) -> None:
        self._store = store
        self._source = source
        self._redacting = redacting

    def write(
        self,
        run: OpenRun,
        type_: str,
        data: dict[str, Any],
        at_unix_nano: int,
        *,
        subject: str | None = None,
        traceparent: str | None = None,
        pieces: PieceMaker | None = None,
    ) -> None:
        """Writes an event, already redacted; `pieces` is what was withheld of it.

        Raises:
            EventError: It is longer than a line may be, or has no canonical form. Nothing is written.
        """
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
            self.flush(run)

    def gap(self, run: OpenRun, kind: str, count: int, detail: str, at_unix_nano: int) -> None:
        """Writes a gap; a secret that the detail quotes is withheld before it may be cut in two."""
        said, pieces = self._redacting.text(run.row.disclosure_key, detail, run.row.next_seq)
        data = {"kind": kind, "count": min(count, INTEGER_MAX), "detail": said[:_GAP_CHARS_MAX]}
        is_whole = len(said) <= _GAP_CHARS_MAX
        self.write(run, events.RUN_GAP, data, at_unix_nano, pieces=pieces if is_whole else None)

    def flush(self, run: OpenRun) -> None:
        """Hands to the store what it does not have of a run."""
        if run.lines:
            self._store.append(run.row, run.row.next_seq - len(run.lines), run.lines)
            run.lines, run.pending_bytes = [], 0
            run.is_changed = True
        if run.is_changed:
            self._store.save(run.row)
            run.is_changed = False

    def _keep_withheld(self, row: RunRow, pieces: PieceMaker) -> None:
        """Keeps what was withheld of the event that is being written, for the disclosures."""
        self._store.withhold(
            row, row.next_seq, [piece.line() for piece in pieces.pieces(f"{row.run_id}:{row.next_seq}")]
        )
        counts = Counter(orjson.loads(row.withheld_json)) + Counter(pieces.reasons())
        row.withheld_json = orjson.dumps(counts, option=orjson.OPT_SORT_KEYS).decode()
