"""Signs what is sealed, apart from sealing: no bundle waits for a network to be sealed.

What waits is, on disk, the rows of the store in state `sealed`: it survives whatever stops the process and is handed over anew at
every start. Law: what is handed over is attested in the end, or still waits and its log says so. What is there at once is signed at once,
up to a batch; what comes while a signature is being made gathers for the next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import orjson

from attest.errors import KeyFileError, SignerUnavailableError, SigningError, WitnessError
from attest.signers.failure import failure
from evidence.bundle import BundleFacts
from evidence.errors import EvidenceError
from evidence.manifest import FORMULA_RECEIPTS
from evidence.run import bundle_file_name
from sidecar.attestations import Evidence, attest_beside, attestation_path, read_facts
from sidecar.clock import now_unix_nano
from sidecar.errors import place_of
from sidecar.log import Log
from sidecar.recorder.store import RunRow, RunStore
from sidecar.spool import Pace, Spool, Waiting

if TYPE_CHECKING:
    from attest.signers.signer import Signer

__all__ = ["Attester"]

_NANOS = 1_000_000_000
_FAULT_REST_SECONDS = 1.0
"""After a fault of ours, or of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A waiting part, read."""

    waiting: Waiting
    run: RunRow
    facts: BundleFacts


class Attester:
    """Attests sealed parts of runs in batches, in a thread of its own.

    Args:
        runs: The file of the store, which it opens for itself.
        out: Folder of the bundles.
        signer: Gives who signs; asked again after it failed.
        evidence: Proves that bundles are in the sidecar's log; None when there is none.
        pace: How many at once, and when again.
        log: Where it says what it does.
        dated: Whether signatures should carry a timestamp: one that does not is said.
        clock_seconds: For waits and rests.
        random: For jitter.
    """

    def __init__(
        self,
        *,
        runs: Path,
        out: Path,
        signer: Callable[[], Signer],
        evidence: Evidence | None = None,
        pace: Pace,
        log: Log,
        dated: bool = False,
        clock_seconds: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self._runs = runs
        self._out = out
        self._signer = _Told(signer)
        self._evidence = evidence
        self._log = log
        self._dated = dated
        self._clock_seconds = clock_seconds
        self._spool = Spool(pace, random or Random())  # noqa: S311 - for jitter
        self._store: RunStore | None = None
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="attester", daemon=True)

    def add(self, run: RunRow, facts: BundleFacts | None) -> None:
        """Takes a sealed part. `facts` are those of its sealing; without them the bundle is read back before it is signed."""
        with self._changed:
            self._spool.add(run.row, run.closed_unix_nano, _slim(facts) if facts else None, self._clock_seconds())
            self._changed.notify_all()

    def start(self) -> None:
        """Begins to sign."""
        self._thread.start()

    def stop(self, grace_seconds: float) -> None:
        """Signs what can be signed within the grace, and says what is left for the next start."""
        with self._changed:
            self._stopping = True
            self._spool.hurry()
            self._changed.notify_all()
        self._thread.join(max(0.0, grace_seconds))
        if len(self._spool):
            self._log.warning("not all attested; kept for the next start", **self._state())

    def step(self) -> float | None:
        """Attests a batch if there is one and it is time.

        Returns:
            In how many seconds there is more to do; None: when something is added.
        """
        with self._changed:
            now = self._clock_seconds()
            if (seconds := self._spool.due_in(now)) != 0.0:
                return seconds
            taken = self._spool.take(now)
        if batch := [item for waiting in taken if (item := self._read(waiting))]:
            self._attest(batch)
        with self._changed:
            return self._spool.due_in(self._clock_seconds())

    # ---------------------------------------------------------------- one batch

    def _read(self, waiting: Waiting) -> _Item | None:
        """What is known of a part; None when there is nothing to sign, or not now."""
        self._store = self._store or RunStore(self._runs)
        run = self._store.row(waiting.row)
        if run is None or run.state != "sealed":
            with self._changed:
                self._spool.forget([waiting])
            return None
        try:
            facts = waiting.facts or read_facts(self._out / bundle_file_name(run.run_id, run.part))
        except (EvidenceError, OSError) as error:
            self._set_aside(waiting, run, error)
            return None
        return _Item(waiting=waiting, run=run, facts=facts)

    def _attest(self, batch: Sequence[_Item]) -> None:
        try:
            data = attest_beside([item.facts for item in batch], self._signer, evidence=self._evidence)
        except (SigningError, KeyFileError, WitnessError) as error:
            self._refused(batch, error)
        except Exception as error:  # noqa: BLE001 - no statement over these: found by halves, and only its own bundle waits
            if len(batch) == 1:
                self._set_aside(batch[0].waiting, batch[0].run, error)
            else:
                self._attest(batch[: len(batch) // 2])
                self._attest(batch[len(batch) // 2 :])
        else:
            self._commit(batch)
            dated = b'"rfc3161Timestamps"' in data
            say = self._log.warning if self._dated and not dated else self._log.info
            say("attested", bundles=len(batch), dated=dated, waiting=len(self._spool))

    def _commit(self, batch: Sequence[_Item]) -> None:
        assert self._store is not None, "its rows were read"
        found = {}
        for item in batch:
            sealed = orjson.loads(item.run.sealed_json)
            sealed["attestation"] = attestation_path(item.facts.path).name
            found[item.run.row] = orjson.dumps(sealed).decode()
        self._store.attested(found)
        with self._changed:
            self._spool.done(item.waiting for item in batch)

    def _refused(self, batch: Sequence[_Item], error: SigningError | KeyFileError | WitnessError) -> None:
        passing = isinstance(error, SignerUnavailableError | WitnessError)
        with self._changed:
            now = self._clock_seconds()
            seconds = self._spool.refused([item.waiting for item in batch], now, lasting=not passing)
        say = self._log.warning if passing else self._log.error
        say("not attested yet; tried again", **self._state(), in_seconds=round(seconds, 1), reason=error)

    def _set_aside(self, waiting: Waiting, run: RunRow, error: Exception) -> None:
        with self._changed:
            seconds = self._spool.set_aside(waiting, self._clock_seconds())
        facts = {"run": run.run_id, "part": run.part, "in_seconds": round(seconds, 1)}
        self._log.error("a bundle cannot be attested; kept and tried again", **facts, reason=error)

    def _state(self) -> dict[str, object]:
        with self._changed:
            oldest = self._spool.oldest_unix_nano
            age = max(0, now_unix_nano() - oldest) // _NANOS if oldest else 0
            return {"waiting": len(self._spool), "oldest_seconds": age}

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        while True:
            try:
                seconds = self.step()
            except Exception as error:  # noqa: BLE001 - such as a store that another writer holds for long: all of it waits still
                seconds = _FAULT_REST_SECONDS
                self._log.error("attesting failed; tried again", reason=place_of(error), in_seconds=seconds)
            with self._changed:
                if seconds == 0.0:
                    continue
                if self._stopping:
                    break
                self._changed.wait_for(self._is_due, seconds)
        if self._store:
            self._store.close()

    def _is_due(self) -> bool:
        return self._stopping or self._spool.due_in(self._clock_seconds()) == 0.0


class _Told:
    """A signer whose every fault is a SigningError, that of making it included."""

    def __init__(self, signer: Callable[[], Signer]) -> None:
        self._signer = signer

    def sign(self, payload: bytes) -> bytes:
        try:
            return self._signer().sign(payload)
        except Exception as error:
            raise failure("signing", error) from error

    def describe(self) -> str:
        return self._signer().describe()


def _slim(facts: BundleFacts) -> BundleFacts:
    """The facts without the reports that no statement speaks of."""
    return replace(facts, reports={FORMULA_RECEIPTS: facts.reports[FORMULA_RECEIPTS]})
