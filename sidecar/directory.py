"""The recorder's file as the receipt service reads it; carries out `sidecar.receiver.directory.RunDirectory`.

The recorder writes in another process; SQLite shows this one committed states only.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import orjson

from evidence.run import safe_run_id
from sidecar.errors import SidecarError
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.recorder.store import RunRow, RunStore
from sidecar.state import StateDir

__all__ = ["StoredRuns"]

T = TypeVar("T")

_POLL_SECONDS = 0.02
_ATTEST_SECONDS_MAX = 30.0
"""How long whoever waits for a bundle waits for its signature as well, and half of their own deadline at most: it may take hours."""
_STATES = {
    "open": pb.RUN_STATE_OPEN,
    "closed": pb.RUN_STATE_CLOSED,
    "sealed": pb.RUN_STATE_SEALED,
    "attested": pb.RUN_STATE_ATTESTED,
}


class StoredRuns:
    """Reads a state directory that a recorder may be writing."""

    def __init__(self, state: StateDir, packs: Sequence[str] = ()) -> None:
        self._state = state
        self._packs = tuple(packs)
        self._store: RunStore | None = None
        self._lock = threading.Lock()

    async def parts(self, run_id: str, *, live_scores: bool = False) -> list[pb.Run]:
        """See `RunDirectory.parts`. A part with very many events has no scores before it is sealed."""

        def read(store: RunStore) -> list[pb.Run]:
            rows = store.parts(safe_run_id(run_id))
            return [self._with_scores(_run(row), row, store) if live_scores else _run(row) for row in rows]

        return await self._ask(read) or []

    async def recorded(self, sequence: int, timeout_seconds: float) -> bool:
        """See `RunDirectory.recorded`."""

        async def passed() -> bool | None:
            cursor = await self._ask(lambda store: int(store.meta("cursor", 0)))
            return True if cursor is not None and cursor >= sequence else None

        return await _until(passed, timeout_seconds) is not None

    async def sealed(self, run_id: str, timeout_seconds: float) -> pb.Run | None:
        """See `RunDirectory.sealed`."""
        sealed_at, patience = float("inf"), min(_ATTEST_SECONDS_MAX, timeout_seconds / 2)

        async def finished() -> pb.Run | None:
            nonlocal sealed_at
            parts = await self.parts(run_id)
            if not parts or parts[-1].state not in {pb.RUN_STATE_SEALED, pb.RUN_STATE_ATTESTED}:
                return None
            sealed_at = min(sealed_at, time.monotonic())
            waited = time.monotonic() - sealed_at
            return parts[-1] if parts[-1].state == pb.RUN_STATE_ATTESTED or waited > patience else None

        return await _until(finished, timeout_seconds) if await self.parts(run_id) else None

    async def files(self, run_id: str, part: int) -> tuple[Path, Path | None] | None:
        """See `RunDirectory.files`."""
        rows = await self._ask(lambda store: store.parts(safe_run_id(run_id))) or []
        done = [row for row in rows if row.state in {"sealed", "attested"} and part in {0, row.part}]
        if not done:
            return None
        sealed = orjson.loads(done[-1].sealed_json)
        folder = self._state.bundles
        return folder / sealed["file"], folder / sealed["attestation"] if sealed["attestation"] else None

    def _with_scores(self, run: pb.Run, row: RunRow, store: RunStore) -> pb.Run:
        from sidecar.live_scores import add_scores  # noqa: PLC0415 - 10 MiB that only this question should cost

        add_scores(run, row, store, self._packs)
        return run

    async def _ask(self, question: Callable[[RunStore], T]) -> T | None:
        return await asyncio.to_thread(self._ask_now, question)

    def _ask_now(self, question: Callable[[RunStore], T]) -> T | None:
        with self._lock:
            if self._store is None:
                try:
                    self._store = RunStore(self._state.runs, read_only=True)
                except SidecarError:  # the recorder has not made it yet
                    return None
            return question(self._store)


def _run(row: RunRow) -> pb.Run:
    run = pb.Run(
        run_id=row.run_id,
        part=row.part,
        state=_STATES[row.state],
        opened_at_unix_nano=row.opened_unix_nano,
        closed_at_unix_nano=row.closed_unix_nano,
        close_reason=row.close_reason,
        event_count=row.event_count,
        span_count=row.spans,
        receipt_count=row.receipts,
    )
    sealed = orjson.loads(row.sealed_json)
    if sealed:
        run.bundle_id, run.bundle_file = sealed["bundle_id"], sealed["file"]
        run.completeness = min(sealed["completeness"].values(), default=0.0)
        run.closure, run.closure_confidence = sealed["closure"], sealed["confidence"]
        run.signals.extend(pb.SignalStatus(signal=name, status=status) for name, status in sealed["signals"].items())
        run.gaps.extend(f"{name}: {count}" for name, count in sealed["gaps"].items())
    return run


async def _until(found: Callable[[], Awaitable[T | None]], timeout_seconds: float) -> T | None:
    deadline = time.monotonic() + timeout_seconds
    while (answer := await found()) is None and time.monotonic() < deadline:  # noqa: ASYNC110 - the recorder is another process
        await asyncio.sleep(_POLL_SECONDS)
    return answer
