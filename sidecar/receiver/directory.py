"""What the receipt service asks of the recorder: the state of runs, and their bundles. A seam; the app fills it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb

__all__ = ["RunDirectory"]


class RunDirectory(Protocol):
    """Reads what the recorder has written."""

    async def parts(self, run_id: str, *, live_scores: bool = False) -> list[pb.Run]:
        """The parts of a run in order; empty for an unknown one. A sealed part has its scores, an open one has them for the asking."""
        ...

    async def recorded(self, sequence: int, timeout_seconds: float) -> bool:
        """Waits until the recorder has passed a frame; False when it did not in time."""
        ...

    async def sealed(self, run_id: str, timeout_seconds: float) -> pb.Run | None:
        """Waits until the newest part of a run is attested, or sealed for a while; None when it is not in time, or there is none."""
        ...

    async def files(self, run_id: str, part: int) -> tuple[Path, Path | None] | None:
        """Bundle and attestation of a part (0: the newest that is sealed); None when there is none."""
        ...
