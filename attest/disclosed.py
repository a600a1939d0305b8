"""The check `disclosed`: pieces that were withheld from a bundle and are shown now, held to their commitments in its events.

Law: what is shown is proven piece by piece, or the check fails; nothing that is shown changes what else is known of the bundle. A file
that holds no pieces is the caller's mistake and says nothing about the bundle.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from attest.errors import DisclosedFileError, InvalidError
from attest.limits import AttestLimits
from evidence.bundle import BundleFacts, EvidenceBundle
from evidence.canonical import parse_object
from evidence.errors import DisclosureError, EvidenceError
from evidence.redaction.disclosures import LINE_BYTES_MAX, SCHEMA_VERSION, read
from evidence.redaction.proof import Proof
from evidence.regular import open_regular

_MAGIC = (
    (b"", "an empty file"),
    (b"\x1f\x8b", "a gzip file, such as a bundle"),
    (b"-----BEGIN ", "a PEM file, such as a key"),
)
_TYPED_BY = ("schema_version", "schema", "mediaType", "specversion")
"""Members by which a JSON object says what it is."""


class DisclosedWatch:
    """Looks at the events as they go by. Carries out `attest.watch.Recomputing`.

    Raises:
        DisclosedFileError: the file cannot be read, is too large, or is no file of disclosures.
    """

    def __init__(self, path: Path, limits: AttestLimits) -> None:
        try:
            size = path.stat().st_size
            if size > limits.disclosed_bytes_max:
                raise DisclosedFileError(f"{path}: {size} bytes, at most {limits.disclosed_bytes_max} are read")
            with open_regular(path) as file:
                self._proof = _read(file, path)
        except OSError as error:
            raise DisclosedFileError(f"{path}: cannot be read: {error.strerror or error}") from error

    def begin(self, bundle: EvidenceBundle) -> str | None:
        """Start with a bundle. Disclosures about another run raise."""
        self._proof.begin(bundle.manifest)
        return None

    def events(self, batch: Sequence[tuple[dict[str, Any], bytes]]) -> tuple[int, str] | None:
        """Prove the pieces of some events."""
        for event, _ in batch:
            try:
                self._proof.event(event)
            except DisclosureError as error:
                return event["seq"], str(error)
        return None

    def finish(self, _facts: BundleFacts) -> str:
        """Whether every piece had its event."""
        try:
            self._proof.finish()
        except DisclosureError as error:
            raise InvalidError(str(error)) from error
        size = self._proof.size
        return f"{size} {'piece is' if size == 1 else 'pieces are'} what was withheld, each under its commitment"


def _read(file: IO[bytes], path: Path) -> Proof:
    try:
        header, pieces = read(_lines(file), path.name)
        return Proof(header, pieces)
    except DisclosureError as error:
        file.seek(0)
        raise DisclosedFileError(f"{error}; the file is {_kind(file.readline(LINE_BYTES_MAX + 2))}") from error


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LINE_BYTES_MAX + 2):
        yield line


def _kind(first: bytes) -> str:
    """What a file seems to be, from its first line; never what it holds."""
    for magic, kind in _MAGIC:
        if first == magic or (magic and first.startswith(magic)):
            return kind
    try:
        obj = parse_object(first.removesuffix(b"\n"))
    except EvidenceError:
        return "not lines of canonical JSON"
    said = next((obj[name] for name in _TYPED_BY if isinstance(obj.get(name), str)), None)
    if said is None:
        return "a JSON object that does not say what it is"
    return "disclosures" if said == SCHEMA_VERSION else f"JSON of the type {said[:64]!r}"
