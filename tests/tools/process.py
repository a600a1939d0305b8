"""A sidecar as a real process, for integration tests and the load generator. Always on loopback, always on ports of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PATIENCE_SECONDS = 90.0
"""How long a test waits for what will come, on however busy a machine: it only ends a test that has failed."""


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for `condition`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)


@dataclass
class Sidecar:
    """A running sidecar, what it said, and what it costs."""

    process: subprocess.Popen
    state: Path
    grpc: str = ""
    http: str = ""
    ready_seconds: float = 0.0
    log: list[dict] = field(default_factory=list)

    @property
    def bundles(self) -> list[Path]:
        return sorted((self.state / "bundles").glob("*.evidence.tar.gz"))

    @property
    def public_key(self) -> Path:
        return self.state / "keys" / "signing.pem.pub"

    def stop(self, timeout: float = PATIENCE_SECONDS) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """kill -9 of the receiving process; its worker sees the pipe close."""
        self.process.kill()
        self.process.wait()

    def tree(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def cpu_seconds(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self.tree())

    def pss_mib(self) -> float:
        return sum(process.memory_full_info().pss for process in self.tree()) / 2**20


def start(state: Path, **settings: str) -> Sidecar:
    """Starts a sidecar and waits until it is ready. Settings are AFFIDAVIT_ variables without the prefix."""
    chosen = {
        "STATE_DIR": str(state),
        "LOG__FORMAT": "json",
        "RECEIVER__GRPC__ENDPOINT": "127.0.0.1:0",
        "RECEIVER__HTTP__ENDPOINT": "127.0.0.1:0",
        **settings,
    }
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AFFIDAVIT_", "OTEL_"))}
    environment = {**inherited, **{f"AFFIDAVIT_{key}": value for key, value in chosen.items()}}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "run"], env=environment, stderr=subprocess.PIPE, text=True
    )
    sidecar = Sidecar(process, state)
    ready = threading.Event()

    def read() -> None:
        for line in process.stderr:
            try:
                fact = json.loads(line)
            except ValueError:
                fact = {"event": "not a log line", "line": line}
            sidecar.log.append(fact)
            if fact["event"] == "ready":
                sidecar.ready_seconds = time.perf_counter() - began
                sidecar.grpc, sidecar.http = fact["grpc"], fact["http"]
                ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    if not ready.wait(PATIENCE_SECONDS) or not sidecar.grpc:
        process.kill()
        raise RuntimeError(f"the sidecar did not start: {sidecar.log}")
    return sidecar


@contextlib.contextmanager
def running(state: Path, **settings: str) -> Iterator[Sidecar]:
    """A sidecar that is gone afterwards, whatever happens."""
    sidecar = start(state, **settings)
    try:
        yield sidecar
    finally:
        if sidecar.process.poll() is None:
            with contextlib.suppress(psutil.Error):
                for process in reversed(sidecar.tree()):
                    process.kill()
            sidecar.process.wait(10)
