"""Seals closed runs into bundles and enters them into the log. Signing them is for others, who may have to wait for a network.

Law: a closed run is sealed until it is on disk and in the log (once), whatever stops the process in between, and then handed on, again
after every start until it is attested; the same run gives the same bundle.
A run that cannot be sealed stays closed, with its events kept and the reason said, and does not hold up the others: it is tried
again, after longer and longer rests.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from evidence.bundle import BundleFacts, seal
from evidence.canonical import canonical
from evidence.capture.counters import faults
from evidence.manifest import CLOSURE, FORMULA_RECEIPTS, MAPPING_LOSS
from evidence.packs import Pack
from evidence.redaction.disclosures import Header
from evidence.run import RunMeta, bundle_file_name
from evidence.signals import registry
from evidence.timestamp import from_unix_nano
from semconv.translate import Translator
from sidecar.disclosing import file_name, write_disclosures
from sidecar.mapping import MappingAgain
from sidecar.producer import PRODUCER
from sidecar.recorder.books import Books
from sidecar.recorder.store import RunRow, RunStore

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

__all__ = ["Sealed", "Sealer"]

_ROWS_KEPT = 100_000
_REST_FIRST_SECONDS = 1.0
_REST_MOST_SECONDS = 300.0
_CHAIN = "last_bundle"
_TRANSLATED_AT_ONCE = 64
_ENTERED_AT_ONCE = 16
"""Bundles that share one entry into the log: its cost is the disk's, and is the same for one as for many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What sealing a part of a run gave: the line that `affidavit seal` prints, and what `GetRun` answers from."""

    file: str
    attestation: str | None
    run_id: str
    part: int
    bundle_id: str
    manifest_sha256: str
    events: int
    spans: int
    logs: int
    metrics: int
    receipts: int
    close_reason: str
    mapping: dict[str, Any]
    """Totals of the mapping loss."""
    completeness: dict[str, float]
    """Share of the required signals, by pack."""
    closure: float
    confidence: str
    signals: dict[str, str]
    gaps: dict[str, int]
    """Counters of capture health that are not zero and should be."""
    withheld: dict[str, int] = field(default_factory=dict)
    """How many pieces were withheld, by reason."""
    disclosures: str | None = None
    """The file with what was withheld."""
    log_index: int | None = None
    """Which leaf of the sidecar's log it is; None without a log."""


class AppendOnlyLog(Protocol):
    """Where sealed bundles are entered: `sidecar.bundle_log`."""

    @property
    def size(self) -> int:
        """Number of leaves, and so the place of the next one."""
        ...

    def holds(self, index: int, digest: bytes) -> bool:
        """Whether that leaf is there and is this digest."""
        ...

    def append(self, digests: Sequence[bytes]) -> int:
        """Adds leaves, all or none, on disk when this returns; the index of the first."""
        ...


class Sealer:
    """Seals the closed runs of a store, in the order in which they closed.

    Args:
        store: Whose runs.
        out: Folder of the bundles.
        packs: What every bundle is scored by.
        translator: What the runs were translated with.
        profiles: The user's profiles among its tables; they go into the bundle, so that it stands alone.
        source: The URI in the runs' events.
        sealed: Handed every part once its bundle may be signed, with the facts when it was sealed just now; first what an earlier process
            left sealed and not attested.
        chained: Whether each bundle names the one sealed before it.
        disclosures: Folder of what was withheld; that of the bundles unless it is said otherwise.
        encrypt_to: Who may read that; None leaves it in the clear.
        books: The accounts that the recorder kept.
        log: Where each bundle is entered before it is signed; None for no log.
        clock_seconds: For the rests between tries.
    """

    def __init__(
        self,
        *,
        store: RunStore,
        out: Path,
        packs: Sequence[Pack],
        translator: Translator,
        profiles: Mapping[str, bytes],
        source: str,
        sealed: Callable[[RunRow, BundleFacts | None], None] = lambda _run, _facts: None,
        chained: bool,
        disclosures: Path | None = None,
        encrypt_to: X25519PublicKey | None = None,
        books: Books | None = None,
        log: AppendOnlyLog | None = None,
        clock_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._out = out
        self._packs = tuple(packs)
        self._translator = translator
        self._profiles = dict(profiles)
        self._source = source
        self._hand_on = sealed
        self._chained = chained
        self._disclosures = disclosures or out
        self._encrypt_to = encrypt_to
        self._books = books or Books()
        self._log = log
        self._clock_seconds = clock_seconds
        self._resting: dict[int, tuple[float, float]] = {}
        """Rows that failed: until when they rest, and for how long."""
        self._fresh = True

    def seal_closed(self, failed: Callable[[RunRow, Exception], None]) -> Iterator[Sealed]:
        """Seals, logs and hands on what is closed, after what was sealed before a crash and is not in the log yet.

        Args:
            failed: Told of a run that could not be sealed or logged; a later call tries again, the next ones pass over it.

        Yields:
            What was sealed just now, before it is attested.
        """
        runs = iter(self._left() + self._store.in_state("closed"))
        while some := list(islice(runs, _ENTERED_AT_ONCE if self._log else 1)):
            for run, facts in self._seal_and_enter(some, failed):
                self._resting.pop(run.row, None)
                self._hand_on(run, facts)
                if facts:
                    yield Sealed(**orjson.loads(run.sealed_json))

    def _seal_and_enter(
        self, runs: Sequence[RunRow], failed: Callable[[RunRow, Exception], None]
    ) -> Sequence[tuple[RunRow, BundleFacts | None]]:
        """What may be handed on of these runs: on disk and in the log."""
        done: list[tuple[RunRow, BundleFacts | None]] = []
        for run in runs:
            if self._clock_seconds() < self._resting.get(run.row, (0.0, 0.0))[0]:
                continue
            try:
                done.append((run, self._seal(run) if run.state == "closed" else None))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this run's and must not hold up the others
                self._rest(run)
                failed(run, error)
        try:
            self._enter([run for run, _ in done])
        except Exception as error:  # noqa: BLE001 - the log's: these wait for it, and what is sealed later tries anew
            for run, _ in done:
                self._rest(run)
                failed(run, error)
            return ()
        return done

    def _left(self) -> list[RunRow]:
        """What is sealed and was not handed on: at first all of it, afterwards what could not be entered into the log."""
        if self._fresh:
            self._fresh = False
            return self._store.in_state("sealed")
        rows = [self._store.row(row) for row in self._resting]
        return [run for run in rows if run and run.state == "sealed"]

    def _rest(self, run: RunRow) -> None:
        _, before = self._resting.get(run.row, (0.0, 0.0))
        seconds = min(max(_REST_FIRST_SECONDS, 2 * before), _REST_MOST_SECONDS)
        self._resting[run.row] = (self._clock_seconds() + seconds, seconds)

    # ---------------------------------------------------------------- sealing

    def _seal(self, run: RunRow) -> BundleFacts:
        descriptor, name = tempfile.mkstemp(prefix=".events-", dir=self._out)
        spool = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(self._store.lines(run))
            facts = seal(
                events=spool,
                run=self._meta(run),
                packs=self._packs,
                profiles=self._profiles,
                mapping_loss=self._mapping_loss(run),
                out=self._out / bundle_file_name(run.run_id, run.part),
            )
        finally:
            spool.unlink(missing_ok=True)
        sealed = replace(_describe(run, facts), disclosures=self._disclose(run))
        run.state, run.sealed_json, run.disclosure_key = "sealed", orjson.dumps(sealed).decode(), b""
        with self._store.transaction():
            self._store.save(run)
            self._store.drop_lines(run)
            self._store.prune(_ROWS_KEPT)
            if self._chained:
                link = {"bundle_id": facts.bundle_id, "manifest_sha256": facts.manifest_sha256}
                self._store.set_meta(_CHAIN, orjson.dumps(link).decode())
        return facts

    def _enter(self, runs: Sequence[RunRow]) -> None:
        """Makes the bundles of sealed runs leaves of the log, each once.

        Their rows say beforehand which leaves they are to be. After a crash that is where to look: the log can only have been extended by
        these very leaves, or by those of runs that took their places because these failed.
        """
        if self._log is None:
            return
        new = [(run, sealed) for run in runs if not self._entered(sealed := orjson.loads(run.sealed_json))]
        if not new:
            return
        with self._store.transaction():
            for index, (run, sealed) in enumerate(new, self._log.size):
                run.sealed_json = orjson.dumps(sealed | {"log_index": index}).decode()
                self._store.save(run)
        self._log.append([bytes.fromhex(sealed["manifest_sha256"]) for _, sealed in new])

    def _entered(self, sealed: Mapping[str, Any]) -> bool:
        assert self._log is not None, "asked only when there is one"
        index = sealed.get("log_index")
        return index is not None and self._log.holds(index, bytes.fromhex(sealed["manifest_sha256"]))

    def _disclose(self, run: RunRow) -> str | None:
        """Writes what was withheld of a run; the name of the file, None when nothing was."""
        if run.withheld_json == "{}":
            return None
        policy = {"digest": run.policy_digest}
        header = Header(run_id=run.run_id, part=run.part, policy=policy, key=run.disclosure_key)
        self._disclosures.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._disclosures / file_name(run.run_id, run.part)
        return write_disclosures(path, header, self._store.withheld(run), self._encrypt_to).name

    def _mapping_loss(self, run: RunRow) -> bytes:
        """The loss report: from the books, else by translating every event again."""
        if account := self._books.take(run):
            return canonical(account.report())
        again = MappingAgain(self._translator)
        for piece in self._store.lines(run):
            lines = piece.splitlines()
            for first in range(0, len(lines), _TRANSLATED_AT_ONCE):
                again.events([orjson.loads(line) for line in lines[first : first + _TRANSLATED_AT_ONCE]])
        return again.report()

    def _meta(self, run: RunRow) -> RunMeta:
        return RunMeta(
            run_id=run.run_id,
            part=run.part,
            opened_at=from_unix_nano(run.opened_unix_nano),
            closed_at=from_unix_nano(run.closed_unix_nano),
            close_reason=run.close_reason or "end_of_input",
            source=self._source,
            producer=PRODUCER,
            mapping=self._translator.describe(),
            amends=self._amended(run),
            redaction={"policy_digest": run.policy_digest} if run.policy_digest else None,
            previous_bundle=orjson.loads(self._store.meta(_CHAIN, "null")) if self._chained else None,
        )

    def _amended(self, run: RunRow) -> str | None:
        if run.part == 1:
            return None
        before = next((part for part in self._store.parts(run.run_id) if part.part == run.part - 1), None)
        return orjson.loads(before.sealed_json)["bundle_id"] if before else None


def _describe(run: RunRow, facts: BundleFacts) -> Sealed:
    closure = orjson.loads(facts.reports[CLOSURE])
    totals = orjson.loads(facts.reports[MAPPING_LOSS])["totals"]
    states = {name: detail["status"] for name, detail in closure["completeness"]["by_signal"].items()}
    return Sealed(
        file=facts.file,
        attestation=None,
        run_id=run.run_id,
        part=run.part,
        bundle_id=facts.bundle_id,
        manifest_sha256=facts.manifest_sha256,
        events=run.event_count,
        spans=run.spans,
        logs=run.logs,
        metrics=run.metrics,
        receipts=run.receipts,
        close_reason=run.close_reason,
        mapping=totals,
        completeness=orjson.loads(facts.reports[FORMULA_RECEIPTS])["outputs"]["completeness"],
        closure=closure["closure"]["score"],
        confidence=closure["closure"]["confidence"],
        signals=states,
        gaps=gaps_of(facts.manifest["capture_health"]),
        withheld=orjson.loads(run.withheld_json),
    )


def gaps_of(health: Mapping[str, int | bool]) -> dict[str, int]:
    """The counters of capture health that are not zero and should be."""
    return {name: int(count) for name, count in faults(health, registry().counters).items()}
