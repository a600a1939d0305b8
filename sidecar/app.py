"""The sidecar as one process tree: receivers and journal here, recorder and exporters in a worker of their own.

Order of a start: state directory, journal, worker, receivers, ready. Order of an end (SIGTERM, SIGINT): not ready, stop accepting and
finish what is held, commit, worker closes and seals every run and flushes, exit 0. Law: a worker that dies is started again at its
cursors; what is acknowledged in the meantime waits in the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import threading
from pathlib import Path

import orjson

from evidence import packs
from sidecar import worker
from sidecar.clock import now_unix_nano
from sidecar.directory import StoredRuns
from sidecar.errors import ConfigError
from sidecar.exporter import Backend
from sidecar.journal import JournalLimits, JournalWriter
from sidecar.limits import Limits
from sidecar.log import Log
from sidecar.otlp.signal import OtlpSignal
from sidecar.receiver import Admission, serve_grpc, serve_http
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.settings import Settings
from sidecar.state import StateDir, hold

__all__ = ["App"]

_RESTART_FIRST_SECONDS = 0.2
_RESTART_MOST_SECONDS = 30.0
_STEADY_SECONDS = 60.0
"""A worker that lived this long has recovered: the next restart is quick again."""


class App:
    """A sidecar, from start to exit."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._state = StateDir(settings.state_dir)
        self._spec = worker_spec(settings)
        self._stopping = asyncio.Event()
        self._worker: subprocess.Popen[bytes] | None = None
        self._worker_ready = asyncio.Event()
        self._worker_gone = asyncio.Event()
        self._head = 0

    async def run(self, *, ready: asyncio.Event | None = None) -> int:
        """Serves until a signal, then ends in order.

        Returns:
            The exit code: 0 when everything acknowledged is recorded and every run sealed, 1 when something is left for the next start.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        self._state.make()
        lock = hold(self._state, "receiver")
        self._journal = self._open_journal(loop)
        self._head = self._journal.durable_sequence
        supervision = asyncio.create_task(self._supervise())
        servers = await self._serve()
        await self._worker_ready.wait()
        for server in servers:
            server.set_ready(ready=True)
        self._log.info("ready", state_dir=self._state.root, **{server.name: server.address for server in servers})
        if ready:
            ready.set()
        await self._stopping.wait()
        code = await self._end(servers, supervision)
        del lock
        return code

    # ---------------------------------------------------------------- start

    def _open_journal(self, loop: asyncio.AbstractEventLoop) -> JournalWriter:
        settings = self._settings.journal
        journal = JournalWriter.open(
            self._state.journal,
            limits=JournalLimits(
                in_flight_bytes_max=settings.in_flight_bytes_max,
                disk_bytes_max=settings.disk_bytes_max,
                body_bytes_max=self._settings.receiver.request_bytes_max,
            ),
            on_commit=lambda head: loop.call_soon_threadsafe(self._committed, head),
        )
        return journal
