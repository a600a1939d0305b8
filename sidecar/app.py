"""The sidecar as one process tree: receivers and journal here, recorder and exporters in a worker of their own.

Order of a start: state directory, journal, worker, receivers, ready. Order of an end (SIGTERM, SIGINT): not ready, stop accepting and
finish what is held, commit, worker closes and seals every run and flushes, exit 0. Law: a worker that dies is started again at its
cursors; what is acknowledged in the meantime waits in the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from sidecar.errors import ConfigError, JournalError
from sidecar.journal import JournalLimits, JournalWatch, JournalWriter
from sidecar.log import Log
from sidecar.settings import Settings
from sidecar.spawn import hand_over, spawn
from sidecar.state import StateDir, hold
from sidecar.worker_spec import worker_spec

if TYPE_CHECKING:
    from sidecar.serving import Server

__all__ = ["App"]

_RESTART_FIRST_SECONDS = 0.2
_RESTART_MOST_SECONDS = 30.0
_WORKER_MORE_SECONDS = 5.0
"""What a worker gets beyond the grace period before it is killed."""
_LOOK_SECONDS = 2.0
_STEADY_SECONDS = 60.0
"""A worker that lived this long has recovered: the next restart is quick again."""


class App:
    """A sidecar, from start to exit.

    Args:
        settings: What the user wants.
        log: Where it says what it does.
        spawned: A worker that was started already and waits to be told; the first one otherwise starts when it is needed.
    """

    def __init__(self, settings: Settings, log: Log, spawned: subprocess.Popen[bytes] | None = None) -> None:
        self._settings = settings
        self._log = log
        self._state = StateDir(settings.state_dir)
        self._spec = worker_spec(settings)
        self._stopping = asyncio.Event()
        self._spawned = spawned
        self._worker: subprocess.Popen[bytes] | None = None
        self._worker_ready = asyncio.Event()
        self._worker_code: int | None = None
        self._refused = ""
        self._head = 0

    async def run(self) -> int:
        """Serves until a signal, then ends in order.

        Returns:
            The exit code: 0 when everything acknowledged is recorded and every run sealed, 1 when something is left for the next start.

        Raises:
            ConfigError: A table or the key that the settings name cannot be used.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        self._state.make()
        lock = hold(self._state, "receiver")
        self._journal = self._open_journal(loop)
        self._committed(self._journal.durable_sequence)
        found = self._journal.stats
        if found.torn_tail_bytes or found.quarantined or found.lost_frames:
            damage = {
                "torn_tail_bytes": found.torn_tail_bytes,
                "quarantined": found.quarantined,
                "lost_frames": found.lost_frames,
            }
            self._log.warning("the journal was not left in order", **damage)
        supervision = asyncio.create_task(self._supervise())
        watching = asyncio.create_task(self._watch_journal())
        try:
            servers = await self._serve()
        except BaseException:
            self._stopping.set()
            self._tell_worker("stop 1")
            await supervision
            raise
        gc.collect()
        gc.freeze()  # what is loaded now stays: looking through it again would hold an acknowledgement up for 20 ms
        ready = asyncio.create_task(self._worker_ready.wait())
        await asyncio.wait({ready, asyncio.create_task(self._stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if self._worker_ready.is_set():
            for server in servers:
                await server.set_ready(ready=True)
            addresses = {server.name: server.address for server in servers}
            self._log.info("ready", **addresses, state_dir=str(self._state.root), backends=len(self._spec.backends))
            await self._stopping.wait()
        watching.cancel()
        code = await self._end(servers, supervision)
        del lock
        if self._refused:
            raise ConfigError(self._refused)
        return code

    async def _end(self, servers: list[Server], supervision: asyncio.Task[None]) -> int:
        began, grace = time.monotonic(), self._settings.shutdown.grace_seconds
        self._log.info("stopping", grace_seconds=grace)
        for server in servers:
            await server.set_ready(ready=False)
        await asyncio.gather(*(server.stop(grace / 2) for server in servers))
        await asyncio.to_thread(self._journal.close)
        self._tell_worker(f"head {self._head}")
        left = max(1.0, grace - (time.monotonic() - began))
        self._tell_worker(f"stop {left:.3f}")
        done, _ = await asyncio.wait({supervision}, timeout=left + _WORKER_MORE_SECONDS)
        if not done and self._worker is not None:
            self._log.error("the worker did not end in time; it goes on where it was at the next start")
            self._worker.kill()
            await supervision
        code = 0 if self._worker_code == 0 else 1
        self._log.info("stopped", exit_code=code)
        return code

    # ---------------------------------------------------------------- start

    def _open_journal(self, loop: asyncio.AbstractEventLoop) -> JournalWriter:
        settings = self._settings.journal
        return JournalWriter.open(
            self._state.journal,
            limits=JournalLimits(
                in_flight_bytes_max=settings.in_flight_bytes_max,
                disk_bytes_max=settings.disk_bytes_max,
                body_bytes_max=self._settings.receiver.request_bytes_max,
            ),
            on_commit=lambda head: _soon(loop, self._committed, head),
        )

    def _committed(self, head: int) -> None:
        self._head = max(self._head, head)
        self._tell_worker(f"head {self._head}")

    async def _watch_journal(self) -> None:
        watch = JournalWatch()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            stats = self._journal.stats
            found = watch.look(stats, time.monotonic())
            if found == "fails":
                self._log.error("the journal's disk fails; senders are asked to try again", reason=stats.last_failure)
            elif found == "works":
                self._log.info("the journal's disk works again", failures=stats.failures)

    async def _serve(self) -> list[Server]:
        await asyncio.sleep(0)  # the worker is told first: it takes longer
        from sidecar.serving import serve  # noqa: PLC0415 - grpc and uvicorn, loaded while the worker loads what it needs

        return await serve(self._settings.receiver, self._journal, self._state, self._spec.packs)

    # ---------------------------------------------------------------- the worker

    async def _supervise(self) -> None:
        """Keeps a worker running until the end is asked for; waits longer after each quick death."""
        pause = _RESTART_FIRST_SECONDS
        while True:
            began = time.monotonic()
            await self._run_worker()
            if self._stopping.is_set():
                return
            lived = time.monotonic() - began
            pause = _RESTART_FIRST_SECONDS if lived > _STEADY_SECONDS else min(pause * 2, _RESTART_MOST_SECONDS)
            self._log.error("worker died; started again at its cursors", in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _run_worker(self) -> None:
        process, self._spawned = self._spawned, None
        if process is None:
            process = await asyncio.to_thread(spawn)
        await asyncio.to_thread(hand_over, process, self._spec)
        self._worker = process
        self._tell_worker(f"head {self._head}")
        if self._stopping.is_set():  # asked for while it was being started
            self._tell_worker("stop 1")
        loop = asyncio.get_running_loop()
        listener = threading.Thread(target=self._listen, args=(process, loop), daemon=True)
        listener.start()
        self._worker_code = await asyncio.to_thread(process.wait)
        await asyncio.to_thread(listener.join)  # its last words
        self._worker = None

    def _listen(self, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            fact = orjson.loads(line)
            if "cursor" in fact:
                _soon(loop, self._release, fact["cursor"])
            elif "ready" in fact:
                _soon(loop, self._worker_ready.set)
            elif "refused" in fact:
                _soon(loop, self._worker_refused, fact["refused"])

    def _worker_refused(self, reason: str) -> None:
        if self._worker_ready.is_set():  # an earlier one could: a file was changed meanwhile, and may be changed back
            self._log.error("the worker cannot do what it is told", reason=reason)
            return
        self._refused = reason
        self._stopping.set()

    def _release(self, cursor: int) -> None:
        with contextlib.suppress(JournalError):  # closed meanwhile: recycled at the next start
            self._journal.release(cursor)

    def _tell_worker(self, line: str) -> None:
        if self._worker is None or self._worker.stdin is None:
            return
        with contextlib.suppress(OSError):  # it died; the supervisor knows, and the next one is told anew
            self._worker.stdin.write(f"{line}\n".encode())
            self._worker.stdin.flush()


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *arguments: object) -> None:
    """Calls in the loop's thread; nothing once the loop is closed."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *arguments)
