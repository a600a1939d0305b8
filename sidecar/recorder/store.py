"""Runs on disk: their events, their state and the recorder's place in the journal, in one SQLite file.

Law: events, state and cursor change in one transaction. A recorder killed anywhere starts again at its cursor and comes to the
same runs; what it had written beyond the cursor is not there. Readers in other processes see only committed states.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

from evidence.run import CloseReason
from sidecar.errors import SidecarError

__all__ = ["RunRow", "RunStore"]

Blob: TypeAlias = bytes
State = Literal["open", "closed", "sealed", "attested"]
"""open -> closed (its last event is written) -> sealed (its bundle is on disk) -> attested (so is its attestation)."""

_SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE run (
    row INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    part INTEGER NOT NULL,
    state TEXT NOT NULL,
    opened_unix_nano INTEGER NOT NULL,
    last_unix_nano INTEGER NOT NULL,
    closed_unix_nano INTEGER NOT NULL DEFAULT 0,
    close_reason TEXT NOT NULL DEFAULT '',
    root_ended INTEGER NOT NULL DEFAULT 0,
    first_seq INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    spans INTEGER NOT NULL DEFAULT 0,
    logs INTEGER NOT NULL DEFAULT 0,
    metrics INTEGER NOT NULL DEFAULT 0,
    receipts INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    sealed_json TEXT NOT NULL DEFAULT '{}',
    disclosure_key BLOB NOT NULL DEFAULT x'',
    policy_digest TEXT NOT NULL DEFAULT '',
    withheld_json TEXT NOT NULL DEFAULT '{}',
    UNIQUE (run_id, part)
);
CREATE INDEX run_by_state ON run (state, row);
CREATE TABLE chunk (
    row INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    lines BLOB NOT NULL,
    PRIMARY KEY (row, first_seq)
);
CREATE TABLE piece (
    row INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    lines BLOB NOT NULL,
    PRIMARY KEY (row, seq)
);
"""
_FROM_VERSION_1 = """
ALTER TABLE run ADD COLUMN disclosure_key BLOB NOT NULL DEFAULT x'';
ALTER TABLE run ADD COLUMN policy_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN withheld_json TEXT NOT NULL DEFAULT '{}';
CREATE TABLE piece (row INTEGER NOT NULL, seq INTEGER NOT NULL, lines BLOB NOT NULL, PRIMARY KEY (row, seq));
"""


@dataclass(slots=True, kw_only=True)
class RunRow:
    """One part of a run, as it is stored."""

    row: int = 0
    """Number of the row; 0 before it is stored."""
    run_id: str
    part: int
    state: State = "open"
    opened_unix_nano: int
    last_unix_nano: int
    """When something new came last, by the sidecar's clock."""
    closed_unix_nano: int = 0
    close_reason: CloseReason | Literal[""] = ""
    root_ended: int = 0
    """1 once a span without a parent has been recorded."""
    first_seq: int
    next_seq: int
    spans: int = 0
    logs: int = 0
    metrics: int = 0
    receipts: int = 0
    duplicates: int = 0
    """Repetitions that came and were not recorded again."""
    bytes: int = 0
    """Bytes of its event lines."""
    sealed_json: str = "{}"
    """What sealing found: bundle, scores, signals, gaps. JSON."""
    disclosure_key: Blob = b""
    """What the salts of its commitments follow from; forgotten once it is sealed."""
    policy_digest: str = ""
    """Of the redaction policy that its events were recorded under."""
    withheld_json: str = "{}"
    """How many pieces were withheld, by reason. JSON."""

    @property
    def event_count(self) -> int:
        """Events written so far."""
        return self.next_seq - self.first_seq


_COLUMNS = tuple(field.name for field in fields(RunRow) if field.name != "row")
_SELECT = f"SELECT row, {', '.join(_COLUMNS)} FROM run "  # noqa: S608 - our own column names
_INSERT = f"INSERT INTO run ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - likewise
_UPDATE = f"UPDATE run SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE row = ?"  # noqa: S608 - likewise


class RunStore:
    """The recorder's file. Its writers are the recorder and, for what is sealed, the attester.

    Readers, of any number, are opened with `read_only`.
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, durable: bool = True, patience_seconds: float = 10.0
    ) -> None:
        """Opens the file, making it on first use.

        Args:
            path: The file.
            read_only: For readers beside the writer.
            durable: False for a file that nobody needs after a crash.
            patience_seconds: How long another writer is waited for.

        Raises:
            SidecarError: When it is not a file of ours, or of a newer version.
        """
        self.path = path
        try:
            if read_only:
                self._db = sqlite3.connect(
                    f"file:{path}?mode=ro",
                    uri=True,
                    isolation_level=None,
                    timeout=patience_seconds,
                    check_same_thread=False,
                )
            else:
                self._db = sqlite3.connect(path, isolation_level=None, timeout=patience_seconds)
                self._prepare(durable=durable)
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error as error:
            raise SidecarError(f"{path}: not the file of runs that was expected: {error}") from error
        if version != _SCHEMA_VERSION:
            raise SidecarError(f"{path}: file of runs of version {version}, expected {_SCHEMA_VERSION}")

    def _prepare(self, *, durable: bool) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(
            f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}"
        )  # the cursor must not outlive what it stands for
        self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if (script := {0: _SCHEMA, 1: _FROM_VERSION_1}.get(version)) is not None:
            self._db.executescript(f"BEGIN; {script} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;")

    def close(self) -> None:
        """Gives the file back."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it is left."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has rolled it back already, and says so instead of why
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # ---------------------------------------------------------------- meta

    def meta(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - SQLite's own scalar types
        """A single value, such as the cursor."""
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if found is None else found[0]

    def set_meta(self, key: str, value: str | int) -> None:
        """Stores a single value."""
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )

    # ---------------------------------------------------------------- runs

    def save(self, run: RunRow) -> None:
        """Writes a run's state; a new one gets its row number."""
        values = [getattr(run, name) for name in _COLUMNS]
        if run.row:
            self._db.execute(_UPDATE, (*values, run.row))
        else:
            run.row = self._db.execute(_INSERT, values).lastrowid or 0

    def parts(self, run_id: str) -> list[RunRow]:
        """The parts of one run, in order."""
        return self._rows("WHERE run_id = ? ORDER BY part", run_id)

    def latest(self, run_id: str) -> RunRow | None:
        """The newest part of a run."""
        return next(iter(self._rows("WHERE run_id = ? ORDER BY part DESC LIMIT 1", run_id)), None)

    def row(self, number: int) -> RunRow | None:
        """The part in that row."""
        return next(iter(self._rows("WHERE row = ?", number)), None)

    def attested(self, found: Mapping[int, str]) -> None:
        """Makes sealed parts attested, at one stroke; `found` is what sealing and attesting found, as JSON by row."""
        with self.transaction():
            self._db.executemany(
                "UPDATE run SET state = 'attested', sealed_json = ? WHERE row = ? AND state = 'sealed'",
                [(sealed_json, row) for row, sealed_json in found.items()],
            )

    def in_state(self, state: State) -> list[RunRow]:
        """All parts in one state, oldest first."""
        return self._rows("WHERE state = ? ORDER BY row", state)

    def waiting(self) -> dict[State, tuple[int, int]]:
        """Of closed and of sealed parts, where there are any: how many wait for the next step, and when the oldest was closed."""
        counted = (
            "SELECT state, count(*), min(closed_unix_nano) FROM run WHERE state IN ('closed', 'sealed') GROUP BY state"
        )
        return {state: (count, oldest) for state, count, oldest in self._db.execute(counted)}

    def prune(self, keep: int) -> None:
        """Forgets the oldest finished parts beyond `keep`; their bundles stay."""
        self._db.execute(
            "DELETE FROM run WHERE state = 'attested' AND row <= (SELECT max(row) FROM run) - ?",  # rows count up: nothing is walked
            (keep,),
        )

    def _rows(self, where: str, *values: str | int) -> list[RunRow]:
        found = self._db.execute(_SELECT + where, values).fetchall()
        return [RunRow(row=row[0], **dict(zip(_COLUMNS, row[1:], strict=True))) for row in found]

    # ---------------------------------------------------------------- events

    def append(self, run: RunRow, first_seq: int, lines: list[bytes]) -> None:
        """Adds event lines, the first of which has `first_seq`."""
        self._db.execute("INSERT INTO chunk VALUES (?, ?, ?)", (run.row, first_seq, b"\n".join(lines) + b"\n"))

    def lines(self, run: RunRow) -> Iterator[bytes]:
        """The run's event lines in order, in pieces of whole lines each ending in a newline."""
        for (lines,) in self._db.execute("SELECT lines FROM chunk WHERE row = ? ORDER BY first_seq", (run.row,)):
            yield lines

    def withhold(self, run: RunRow, seq: int, lines: list[bytes]) -> None:
        """Keeps what was withheld of one event, as lines of disclosures."""
        self._db.execute("INSERT INTO piece VALUES (?, ?, ?)", (run.row, seq, b"\n".join(lines) + b"\n"))

    def withheld(self, run: RunRow) -> Iterator[bytes]:
        """What was withheld of a run's events in order, in pieces of whole lines each ending in a newline."""
        for (lines,) in self._db.execute("SELECT lines FROM piece WHERE row = ? ORDER BY seq", (run.row,)):
            yield lines

    def drop_lines(self, run: RunRow) -> None:
        """Gives the space of a sealed run's events back, and of what was withheld of them."""
        self._db.execute("DELETE FROM chunk WHERE row = ?", (run.row,))
        self._db.execute("DELETE FROM piece WHERE row = ?", (run.row,))
        self._db.execute("PRAGMA incremental_vacuum(256)")
