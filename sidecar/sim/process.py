"""One run of a command: started in a process group of its own, its output bounded, and nothing of it left afterwards.

Law: when `run_command` returns, no process of the group is alive. The group is killed while its leader is still to be waited for,
so that its number cannot be another's by then.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from sidecar.sim.target import Trouble

__all__ = ["Ended", "run_command"]

OUTPUT_BYTES_MAX = 64 * 1024
"""Of what a command writes, its end is kept."""
_PIECE_BYTES = 4096
_POLL_SECONDS = 0.01
_TERM_SECONDS = 2.0
_READ_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    """Its exit code; negative: the signal that ended it."""
    timed_out: bool
    output: bytes
    """The end of its standard output and standard error."""


def run_command(argv: Sequence[str], environment: Mapping[str, str], seconds: float) -> Ended:
    """Runs a command to its end, or ends it: SIGTERM to its group at the deadline, SIGKILL two seconds later.

    Raises:
        Trouble: It cannot be started.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the caller's own command
            list(argv),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise Trouble("subprocess_failed", f"{argv[0]}: cannot be started: {error.strerror}") from error
    assert process.stdout is not None
    tail = _Tail(process.stdout)
    timed_out = False
    try:
        timed_out = not _has_ended(process.pid, seconds)
        if timed_out:
            _signal(process.pid, signal.SIGTERM)
            _has_ended(process.pid, _TERM_SECONDS)
    finally:
        _signal(process.pid, signal.SIGKILL)
        code = process.wait()
    return Ended(code=code, timed_out=timed_out, output=tail.end())


def _has_ended(pid: int, seconds: float) -> bool:
    """Waits for a child without taking its exit status; whether it ended in time."""
    deadline = time.monotonic() + seconds
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in it
        os.killpg(group, number)


class _Tail:
    """Reads a pipe to its end and keeps the last of it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._pieces: deque[bytes] = deque(maxlen=OUTPUT_BYTES_MAX // _PIECE_BYTES + 1)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def end(self) -> bytes:
        """What is kept, once the pipe has ended or nothing more is waited for: a process that left the group may hold it open."""
        self._thread.join(_READ_SECONDS)
        if not self._thread.is_alive():
            self._pipe.close()
        return b"".join(list(self._pieces))[-OUTPUT_BYTES_MAX:]

    def _read(self) -> None:
        while piece := os.read(self._pipe.fileno(), _PIECE_BYTES):
            self._pieces.append(piece)
