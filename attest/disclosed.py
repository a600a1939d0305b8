"""The check `disclosed`: pieces that were withheld from a bundle and are shown now, held to their commitments in its events.

Law: what is shown is proven piece by piece, or the check fails; nothing that is shown changes what else is known of the bundle.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attest.errors import InvalidError, UnsupportedError
from attest.limits import AttestLimits
from evidence.bundle import BundleFacts, EvidenceBundle
from evidence.errors import DisclosureError
from evidence.redaction.disclosures import LINE_BYTES_MAX, read
from evidence.redaction.proof import Proof


class DisclosedWatch:
    """Looks at the events as they go by. Carries out `attest.watch.Recomputing`."""

    def __init__(self, path: Path, limits: AttestLimits) -> None:
        self._path = path
        self._limits = limits
        self._proof: Proof

    def begin(self, bundle: EvidenceBundle) -> str | None:
        """Read the file. What is wrong with it raises, and so does a file about another run."""
        size = self._path.stat().st_size
        if size > self._limits.disclosed_bytes_max:
            raise UnsupportedError(f"{size} bytes of disclosures, at most {self._limits.disclosed_bytes_max} are read")
        with self._path.open("rb") as file:
            header, pieces = read(_lines(file), self._path.name)
            self._proof = Proof(header, pieces)
        self._proof.begin(bundle.manifest)
        return None

    def event(self, event: dict[str, Any], _line: bytes) -> str | None:
        """Prove the pieces of one event."""
        try:
            self._proof.event(event)
        except DisclosureError as error:
            return str(error)
        return None

    def finish(self, _facts: BundleFacts) -> str:
        """Whether every piece had its event."""
        try:
            self._proof.finish()
        except DisclosureError as error:
            raise InvalidError(str(error)) from error
        size = self._proof.size
        return f"{size} {'piece is' if size == 1 else 'pieces are'} what was withheld, each under its commitment"


def _lines(file: Any) -> Iterator[bytes]:  # noqa: ANN401 - a binary file
    while line := file.readline(LINE_BYTES_MAX + 2):
        yield line
