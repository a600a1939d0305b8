"""The recorder of the sidecar that a soak runs: the real worker process, started, told, killed."""

from __future__ import annotations

import contextlib
import threading

import orjson

from sidecar.errors import ConfigError, SidecarError
from sidecar.spawn import hand_over, spawn
from sidecar.worker_spec import WorkerSpec

__all__ = ["WorkerProcess"]

_READY_SECONDS = 60.0


class WorkerProcess:
    """One worker, from its start to its end.

    Raises:
        ConfigError: It cannot do what it is told, and why.
        SidecarError: It did not get ready.
    """

    def __init__(self, spec: WorkerSpec) -> None:
        self._process = spawn()
        self._ready = threading.Event()
        self._refused = ""
        hand_over(self._process, spec)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        if not self._ready.wait(_READY_SECONDS) or self._refused or not self.is_alive:
            self.kill()
            raise ConfigError(self._refused) if self._refused else SidecarError("the recorder did not get ready")

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def tell(self, head: int) -> None:
        """Says how far the journal has got."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it died, which whoever waits for it will see
            self._process.stdin.write(f"head {head}\n".encode())
            self._process.stdin.flush()

    def kill(self) -> None:
        """Ends it at once; it starts again at its cursors."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            fact = orjson.loads(line)
            self._refused = fact.get("refused", self._refused)
            if "ready" in fact or "refused" in fact:
                self._ready.set()
        self._ready.set()
