"""A sidecar for the length of a soak: receivers and journal in this process, the recorder in its own, all on loopback.

Law: it listens on free ports of 127.0.0.1, writes into one folder that its caller gives, exports to nobody, and has ended when
`stop` returns. A run ends when it is closed by name or collected, never by time.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import grpc

from evidence.run import ATTESTATION_SUFFIX, BUNDLE_SUFFIX
from evidence.soak.faults import Fault
from sidecar.directory import StoredRuns
from sidecar.errors import SidecarError
from sidecar.journal import JournalWriter
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from sidecar.receiver.grpc_server import GrpcServer
from sidecar.receiver.http_server import HttpServer
from sidecar.receiver.receipts import ReceiptService
from sidecar.recorder.store import RunStore
from sidecar.settings import Settings
from sidecar.sim.door import Door, Relay, Weather
from sidecar.sim.target import Trouble
from sidecar.sim.worker_process import WorkerProcess
from sidecar.state import StateDir
from sidecar.worker_spec import worker_spec

__all__ = ["LocalSidecar"]

T = TypeVar("T")

_FREE = "127.0.0.1:0"
_CALL_SECONDS = 60.0
_NEVER_SECONDS = 1e9


class LocalSidecar:
    """Receives, records and seals. `start` first, `stop` last.

    Args:
        folder: Its state directory; made when it is not there.
        settings: What a user configured; where it listens, what it exports and when runs end is decided here.
        packs: What its bundles are scored by.
        seed: What faults at the door are drawn by.
    """

    def __init__(self, folder: Path, settings: Settings, packs: Sequence[str], seed: int) -> None:
        never = {"quiet_seconds": _NEVER_SECONDS, "idle_seconds": _NEVER_SECONDS, "age_seconds_max": _NEVER_SECONDS}
        own = {
            "state_dir": folder,
            "exporters": {},
            "run": settings.run.model_copy(update=never),
            "evidence": settings.evidence.model_copy(update={"packs": tuple(packs)}),
            "log": settings.log.model_copy(update={"level": "error"}),
        }
        self._spec = worker_spec(settings.model_copy(update=own))
        self._state = StateDir(folder)
        self._seed = seed
        self._weather = Weather()
        self._loop = (
            asyncio.new_event_loop()
        )  # not uvloop: this one comes and goes within a process, and speed is no matter
        self._thread = threading.Thread(target=self._loop.run_forever, name="soak-sidecar", daemon=True)
        self._relays = {"grpc": Relay(self._weather), "http": Relay(self._weather)}
        self._servers: tuple[GrpcServer, HttpServer] | None = None
        self._worker: WorkerProcess | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._given_up: set[str] = set()
        """Runs that were not sealed when they should have been: if they are later, that is no other iteration's."""

    def start(self) -> None:
        """Listens when it returns.

        Raises:
            ConfigError: A table that the settings name cannot be used.
            SidecarError: It cannot listen.
        """
        self._thread.start()
        try:
            self._state.make()
            for relay in self._relays.values():
                self._do(relay.start())
            self._do(self._up())
        except BaseException:
            self.stop()
            raise

    @property
    def addresses(self) -> dict[str, str]:
        """HOST:PORT of `grpc` and `http`; the same from start to stop."""
        return {name: relay.address for name, relay in self._relays.items()}

    def begin(self, iteration: int, faults: Sequence[Fault]) -> None:
        """From now on requests meet the faults of this iteration."""
        self._weather.begin(faults, self._seed, iteration)

    def collect(self, seconds: float) -> list[Path]:
        """Closes and seals every run there is; gives the bundles, by name. No request meets a fault any more.

        Raises:
            Trouble: They were not sealed in that time.
        """
        self._weather.calm()
        self._do(self._settled())
        if not self._do(StoredRuns(self._state).recorded(self._journal.durable_sequence, seconds), seconds):
            self._given_up.update(self._unsealed())
            raise Trouble("sidecar_failed", f"what was received was not recorded in {seconds:g} s")
        assert self._servers is not None, "started"
        try:
            with grpc.insecure_channel(self._servers[0].address) as channel:
                service = EvidenceServiceStub(channel)
                for run_id in self._unsealed():
                    service.SealRun(pb.SealRunRequest(run_id=run_id), timeout=seconds)
        except grpc.RpcError as error:
            self._given_up.update(self._unsealed())
            raise Trouble("sidecar_failed", f"not sealed: {error.code().name}: {error.details()}") from error
        given_up = tuple(f"{run_id}." for run_id in self._given_up)
        found = sorted(self._state.bundles.glob(f"*{BUNDLE_SUFFIX}"))
        return [path for path in found if not path.name.startswith(given_up)]

    def forget(self) -> None:
        """Deletes the bundles that were collected, with their attestations."""
        for path in self._state.bundles.iterdir():
            if path.name.endswith((BUNDLE_SUFFIX, ATTESTATION_SUFFIX)):
                path.unlink(missing_ok=True)

    def stop(self) -> None:
        """Ends everything; calling it again changes nothing."""
        if not self._thread.is_alive():
            return
        for relay in self._relays.values():
            self._do(relay.stop())
        with contextlib.suppress(Trouble):
            self._do(self._settled())
        self._do(self._down())
        self._do(_finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_SECONDS)
        self._loop.close()

    # ---------------------------------------------------------------- up and down, in the loop

    async def _up(self) -> None:
        self._journal = JournalWriter.open(self._state.journal, on_commit=self._committed)
        self._worker = await asyncio.to_thread(WorkerProcess, self._spec)
        self._committed(self._journal.durable_sequence)
        door = Door(self._journal, self._weather, self._restart)
        service = ReceiptService(door, StoredRuns(self._state, self._spec.packs))
        self._servers = (GrpcServer(door, service, _FREE, None), HttpServer(door, _FREE, None))
        for server in self._servers:
            await server.start()
            await server.set_ready(ready=True)
            host, _, port = server.address.rpartition(":")
            self._relays[server.name].upstream = (host, int(port))

    async def _down(self) -> None:
        for relay in self._relays.values():
            relay.upstream = None
            await relay.drop()
        for server in self._servers or ():
            await server.stop(0)
        self._servers = None
        if self._worker is not None:
            await asyncio.to_thread(self._worker.kill)
        if hasattr(self, "_journal"):
            await asyncio.to_thread(self._journal.close)

    async def _restart(self) -> None:
        """Asked for by a request, which does not live to see it."""
        self._restarting = asyncio.create_task(self._down_and_up())
        await asyncio.Event().wait()

    async def _down_and_up(self) -> None:
        await self._down()
        await self._up()

    async def _settled(self) -> None:
        """Waits for a restart that is under way."""
        restarting, self._restarting = self._restarting, None
        if restarting is not None:
            try:
                await restarting
            except SidecarError as error:
                raise Trouble("sidecar_failed", f"not started again: {error}") from error

    def _committed(self, head: int) -> None:
        if self._worker is not None:
            self._worker.tell(head)

    # ---------------------------------------------------------------- from the caller's thread

    def _do(self, work: Coroutine[Any, Any, T], seconds: float = 0.0) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds + _CALL_SECONDS)

    def _unsealed(self) -> list[str]:
        try:
            store = RunStore(self._state.runs, read_only=True)
        except SidecarError:  # nothing was ever recorded
            return []
        try:
            found = {row.run_id for state in ("open", "closed", "sealed") for row in store.in_state(state)}
            return sorted(found - self._given_up)
        finally:
            store.close()


async def _finish() -> None:
    """Ends what the loop still has. gRPC's servers end their own thread when they are freed, which has to be while the loop runs."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    gc.collect()
    await asyncio.get_running_loop().shutdown_default_executor()
