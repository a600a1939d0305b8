"""The worker process: recorder and exporters as cursors over the journal, and the attester, apart from the process that receives.

The receiver starts it (`sidecar.spawn`), hands it a `WorkerSpec`, then tells it on standard input how far the journal has got; the
worker tells on standard output how far all its cursors have. Law: it can be killed anywhere; it starts again at its cursors. When the
receiver goes away without a word it leaves everything as it is, for the next one to take over.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import sqlite3
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

import orjson

from sidecar.attesting import Attester
from sidecar.bundle_log import BundleLog
from sidecar.clock import now_unix_nano
from sidecar.disclosing import load_recipient
from sidecar.errors import ConfigError, place_of
from sidecar.exporter.counters import Drop
from sidecar.exporter.exporter import Exporter
from sidecar.frames import JournalFrames
from sidecar.journal import CursorFile, Frame, JournalReader
from sidecar.log import Log
from sidecar.recorder.books import Books
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.redacting import Redacting
from sidecar.recorder.sealer import Sealer
from sidecar.recorder.store import RunRow, RunStore
from sidecar.recorder.unrecorded import Unrecorded
from sidecar.redaction import Redactor
from sidecar.signing import Signing
from sidecar.state import StateDir, hold
from sidecar.tables import load_packs, load_policy, load_translator, read_profiles
from sidecar.translation import FrameTranslator
from sidecar.worker_spec import WorkerSpec

__all__ = ["main"]

_BATCH_FRAMES_MAX = 256
_BATCH_BYTES_MAX = 8 << 20
_LOCK_PATIENCE_SECONDS = 30.0
_IDLE_SECONDS_MAX = 5.0
_NANOS = 1_000_000_000


class Worker:
    """Everything that reads the journal, in one process.

    Raises:
        ConfigError: A table or the key that the settings name cannot be used.
    """

    def __init__(self, spec: WorkerSpec, log: Log) -> None:
        state = StateDir(spec.state_dir)
        self._lock = hold(state, "worker", patience_seconds=_LOCK_PATIENCE_SECONDS)
        self._log = log
        source = f"urn:affidavit:sidecar:{spec.name}"
        signing = Signing(spec.signing, state.signing_key)
        if made := signing.ensure():
            log.info("made a signing key", file=made)
        if signing.warning:
            log.warning(signing.warning)
        bundle_log = None
        if spec.sidecar_log is not None:
            bundle_log = BundleLog(state.log, state.log_key, name=spec.name, spec=spec.sidecar_log)
            if bundle_log.ensure():
                log.info("began a log", vkey=bundle_log.vkey)
        profiles = read_profiles(spec.profiles_dir)
        translator = load_translator(spec.target, profiles, spec.profiles_dir)
        translate = FrameTranslator(translator)
        self._reader = JournalReader(state.journal)
        self._frames = JournalFrames(
            JournalReader(state.journal), translate, keep_unmapped=spec.keep_unmapped, untranslated=self._not_translated
        )
        self._store = RunStore(state.runs)
        books = Books()
        self._recorder = Recorder(
            store=self._store,
            lifecycle=spec.lifecycle,
            translate=translate,
            run_key=spec.run_key,
            source=source,
            redacting=Redacting(Redactor(load_policy(spec.policy_file), translator)),
            unrecorded=self._keep_unrecorded,
            books=books,
        )
        self._unrecorded = Unrecorded(state.unrecorded)
        self._attester = Attester(
            runs=state.runs,
            out=state.bundles,
            signer=lambda: signing.signer,
            evidence=bundle_log.evidence if bundle_log else None,
            pace=spec.pace,
            log=log,
            dated=signing.dates,
        )
        self._sealer = Sealer(
            store=self._store,
            out=state.bundles,
            packs=load_packs(spec.packs),
            translator=translator,
            profiles=profiles,
            source=source,
            sealed=self._attester.add,
            chained=True,
            disclosures=spec.disclosures_dir or state.disclosures,
            encrypt_to=load_recipient(spec.encrypt_to) if spec.encrypt_to else None,
            books=books,
            log=bundle_log,
        )
        self._exporters = [
            Exporter(
                backend,
                self._frames,
                CursorFile(state.cursors / backend.name),
                on_drop=lambda drop, name=backend.name: self._dropped(name, drop),  # type: ignore[misc]  # bound now
            )
            for backend in spec.backends
        ]
        self._head = threading.Condition()
        self._told = 0
        self._stop_after_seconds: float | None = None
        self._abandoned = False

    def tell(self, head: int) -> None:
        """Says that the journal is durable up to `head`."""
        with self._head:
            self._told = max(self._told, head)
            self._head.notify_all()
        self._frames.advance(head)

    def stop(self, grace_seconds: float) -> None:
        """Asks for an orderly end: record what is there, close and seal every run, attest and export what can be."""
        with self._head:
            self._stop_after_seconds = grace_seconds
            self._head.notify_all()

    def abandon(self) -> None:
        """Asks to leave at once and everything as it is: the receiver is gone."""
        with self._head:
            self._abandoned = True
            self._head.notify_all()

    def run(self, report: Callable[[int], None]) -> None:
        """Works until it is stopped or abandoned.

        Args:
            report: Told the lowest cursor whenever it has moved.
        """
        for exporter in self._exporters:
            exporter.start()
        self._attester.start()
        reported = -1
        while not self._abandoned:
            stopping = self._stop_after_seconds is not None  # asked before reading: the journal is complete by then
            caught_up, horizon = self._record_some()
            next_due = self._recorder.close_due(horizon)
            self._seal()
            if (lowest := self.lowest_cursor()) != reported:
                report(reported := lowest)
            if caught_up and stopping:
                break
            if caught_up:
                self._wait(next_due)
        if not self._abandoned:
            self._finish()
            report(self.lowest_cursor())
        self._store.close()

    def lowest_cursor(self) -> int:
        """What every consumer has passed."""
        return min([self._recorder.cursor, *(exporter.stats().cursor for exporter in self._exporters)])

    def _record_some(self) -> tuple[bool, int]:
        """Records a batch; says whether the journal's end was reached, and up to which time nothing older can come."""
        batch: list[Frame] = []
        size = 0
        for frame in self._reader.frames(self._recorder.cursor):
            batch.append(frame)
            size += len(frame.body)
            if len(batch) >= _BATCH_FRAMES_MAX or size >= _BATCH_BYTES_MAX:
                break
        else:
            if batch:
                self._recorder.record(batch)
            return True, now_unix_nano()
        self._recorder.record(batch)
        return False, batch[-1].time_unix_nano

    def _wait(self, next_due_unix_nano: int | None) -> None:
        seconds = _IDLE_SECONDS_MAX
        if next_due_unix_nano is not None:
            seconds = min(seconds, max(0.0, (next_due_unix_nano - now_unix_nano()) / _NANOS) + 0.001)
        cursor = self._recorder.cursor
        with self._head:
            self._head.wait_for(
                lambda: self._told > cursor or self._abandoned or self._stop_after_seconds is not None, seconds
            )

    def _finish(self) -> None:
        deadline = time.monotonic() + (self._stop_after_seconds or 0.0)
        self._recorder.close_all("shutdown", now_unix_nano())
        self._seal()
        for exporter in self._exporters:
            exporter.begin_stop(max(0.0, deadline - time.monotonic()))
        self._attester.stop(max(0.0, deadline - time.monotonic()))
        for exporter in self._exporters:
            if not exporter.join():
                self._log.warning("not all exported; kept for the next start", backend=exporter.stats().backend)

    def _seal(self) -> None:
        for sealed in self._sealer.seal_closed(self._not_sealed):
            self._log.info("sealed", run=sealed.run_id, part=sealed.part, bundle=sealed.file, closure=sealed.closure)

    def _dropped(self, backend: str, drop: Drop) -> None:
        facts = {
            "signal": drop.signal.name.lower(),
            "items": drop.items,
            "frames": f"{drop.first_sequence}-{drop.last_sequence}",
        }
        self._log.error(
            "refused by a backend; kept in the run", backend=backend, **facts, reason=f"{drop.reason}: {drop.message}"
        )

    def _keep_unrecorded(self, frame: Frame, reason: str) -> None:
        kept = self._unrecorded.keep(frame)
        self._log.error(
            "not wholly recorded", sequence=frame.sequence, reason=reason, kept=kept or "no: the folder is full"
        )

    def _not_translated(self, frame: Frame, error: Exception) -> None:
        self._log.error("not translated; exported as it came", sequence=frame.sequence, reason=place_of(error))

    def _not_sealed(self, run: RunRow, error: Exception) -> None:
        self._log.error("not sealed; kept and tried again", run=run.run_id, part=run.part, reason=error)


# ---------------------------------------------------------------- the process


def main() -> None:
    """The worker's process. Reads lines `head N` and `stop SECONDS`, writes JSON lines `{"ready": true}` and `{"cursor": N}`.

    It ends with `{"refused": REASON}` when it cannot do what it is told, and without a word when nobody tells it anything.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the receiver decides when to end
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stdin = sys.stdin.buffer
    if (spec := _read_spec(stdin)) is None:
        return
    log = Log(spec.log_level, spec.log_form, process="worker")
    log.adopt()
    try:
        worker = Worker(spec, log)
    except ConfigError as error:
        _say(refused=str(error))
        sys.exit(2)
    threading.Thread(target=_listen, args=(worker, stdin), daemon=True).start()
    _say(ready=True)
    gc.collect()
    gc.freeze()  # the tables and modules stay: they need not be looked through again
    try:
        worker.run(lambda cursor: _say(cursor=cursor))
    except (sqlite3.Error, OSError) as error:
        log.error("the state directory cannot be read or written", reason=error)  # noqa: TRY400 - our own log, without tracebacks
        sys.stderr.flush()
        os._exit(1)  # `_listen` still reads from our parent, over which an orderly end would stumble
    log.debug("worker ended")


def _listen(worker: Worker, stdin: BinaryIO) -> None:
    for line in stdin:
        verb, _, value = line.decode().strip().partition(" ")
        if verb == "head":
            worker.tell(int(value))
        elif verb == "stop":
            worker.stop(float(value))
            return
    worker.abandon()


def _read_spec(stdin: BinaryIO) -> WorkerSpec | None:
    size = stdin.read(8)
    data = stdin.read(struct.unpack("<Q", size)[0]) if len(size) == 8 else b""
    return pickle.loads(data) if data else None  # noqa: S301 - from our parent


def _say(**facts: object) -> None:
    with contextlib.suppress(BrokenPipeError):  # the receiver is gone; `_listen` sees it as well and ends the worker
        os.write(sys.stdout.fileno(), orjson.dumps(facts) + b"\n")
