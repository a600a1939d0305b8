"""The state directory: where everything lies, and who may write there.

Law: one receiving process and one worker at a time; a second one is refused by name instead of mixing two journals.
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import SidecarError

__all__ = ["StateDir", "hold"]

_PATIENCE_STEP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class StateDir:
    """The places in a state directory."""

    root: Path

    @property
    def journal(self) -> Path:
        """Segments of the journal."""
        return self.root / "journal"

    @property
    def runs(self) -> Path:
        """The recorder's SQLite file."""
        return self.root / "runs.sqlite"

    @property
    def bundles(self) -> Path:
        """Sealed bundles with their attestations."""
        return self.root / "bundles"

    @property
    def disclosures(self) -> Path:
        """What was withheld from the bundles."""
        return self.root / "disclosures"

    @property
    def unrecorded(self) -> Path:
        """Requests that could not be recorded wholly, as they came."""
        return self.root / "unrecorded"

    @property
    def cursors(self) -> Path:
        """One file a backend: how far it has got."""
        return self.root / "cursors"

    @property
    def signing_key(self) -> Path:
        """The key that is made when none is configured."""
        return self.root / "keys" / "signing.pem"

    @property
    def log(self) -> Path:
        """The append-only log of sealed bundles."""
        return self.root / "log"

    @property
    def log_key(self) -> Path:
        """The log's own key."""
        return self.root / "keys" / "log.pem"

    def make(self) -> None:
        """Makes the directories, for the owner alone.

        Raises:
            SidecarError: When that cannot be done.
        """
        try:
            for path in (self.root, self.journal, self.bundles, self.cursors, self.signing_key.parent):
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SidecarError(f"state_dir: {error.filename} cannot be made: {error.strerror}") from error


def hold(state: StateDir, role: str, *, patience_seconds: float = 0.0) -> int:
    """Takes the state directory for a role ("receiver", "worker") until this process ends; the descriptor keeps the lock.

    Raises:
        SidecarError: When another process has it and still has it after `patience_seconds`.
    """
    descriptor = os.open(state.root / f"{role}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise SidecarError(f"state_dir {state.root} is in use by another sidecar ({role})") from None
            time.sleep(_PATIENCE_STEP_SECONDS)
        else:
            return descriptor
