"""The bundles that one statement names, as they are kept while thousands of others are verified: some hundred bytes for each.

Law: a batch says what the statement says and judges nothing; equal lists have one digest, so that each is kept and handed over once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple, Self

_ID_BYTES = 32


class Named(NamedTuple):
    """A bundle as it is named somewhere else."""

    bundle_id: str
    file: str | None = None
    """What its file was called when the statement was signed; None where only the id is named."""

    def to_json(self) -> dict[str, str | None]:
        """The two fields."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class Batch:
    """The bundles of one statement, packed."""

    ids: bytes
    """32 bytes for each."""
    files: bytes
    """Their names in UTF-8, separated by a slash, which no name has."""
    digest: bytes = field(init=False)
    """SHA-256 over both, which tells batches apart."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha256(self.ids + self.files).digest())

    @classmethod
    def of(cls, entries: Mapping[str, Mapping[str, Any]]) -> Self:
        """Pack the entries of a statement that was read (`attest.attestation.statement.read`)."""
        ids = b"".join(map(bytes.fromhex, entries))
        return cls(ids, "/".join(entry["file"] for entry in entries.values()).encode())

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.ids) + len(self.files)

    def __len__(self) -> int:
        return len(self.ids) // _ID_BYTES

    def __iter__(self) -> Iterator[Named]:
        for at, file in enumerate(self.files.decode().split("/")):
            yield Named(self.ids[_ID_BYTES * at : _ID_BYTES * (at + 1)].hex(), file)


def others(batches: Sequence[Batch], bundle_id: str | None) -> tuple[Batch, ...]:
    """The batches that name more than that one bundle, each once."""
    return tuple({batch.digest: batch for batch in batches if len(batch) > 1 or batch.ids.hex() != bundle_id}.values())
