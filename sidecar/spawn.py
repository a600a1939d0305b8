"""Starts worker processes: first the process, then what it is to do.

A worker takes longer to load its modules than the receiver to read its settings, so the first one is started before they are read.
Law: a worker that is never told anything ends without a word.
"""

from __future__ import annotations

import contextlib
import pickle
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sidecar.worker_spec import WorkerSpec

__all__ = ["hand_over", "spawn"]


def spawn() -> subprocess.Popen[bytes]:
    """A process that loads the worker and waits for `hand_over`. Its standard input and output are pipes; see `sidecar.worker.main`."""
    return subprocess.Popen(  # our own interpreter and module
        [
            sys.executable,
            "-P",
            "-c",
            "from sidecar.worker import main; main()",
        ],  # -P: nothing of the folder it is started in
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def hand_over(process: subprocess.Popen[bytes], spec: WorkerSpec) -> None:
    """Tells a worker what to do. One that has died meanwhile is not told; whoever waits for it will see."""
    assert process.stdin is not None
    data = pickle.dumps(spec)
    with contextlib.suppress(OSError):
        process.stdin.write(struct.pack("<Q", len(data)) + data)
        process.stdin.flush()
