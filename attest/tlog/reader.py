"""Reading a log from its folder, and proving from it.

Law: nothing that tiles say is believed before it leads to the root of the checkpoint; every proof handed out was verified.
Whether the checkpoint itself is to be believed is for whoever knows the log's key.
"""

from collections.abc import Iterator
from pathlib import Path

from attest.errors import InvalidError, LogError
from attest.limits import DEFAULT
from attest.tlog.checkpoint import Checkpoint, read_checkpoint
from attest.tlog.proof import InclusionProof, is_prefix, prove_consistency, prove_inclusion
from attest.tlog.tiles import WIDTH, Tiles
from evidence.merkle import MerkleTree, leaf_hash, verify_inclusion

CHECKPOINT = "checkpoint"
"""Name of the file."""


def read_checkpoint_file(folder: Path) -> Checkpoint:
    """The checkpoint of the log in a folder.

    Raises:
        LogError: there is none.
        InvalidError: it is malformed.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise LogError(f"{folder}: no log is there: it has no file {CHECKPOINT!r}")
    with path.open("rb") as file:
        data = file.read(DEFAULT.note_bytes_max + 1)
    return read_checkpoint(data)


class LogReader:
    """A log as its checkpoint has it. Safe beside a writer: what a checkpoint speaks of does not change.

    Args:
        folder: The log's prefix.
        checkpoint: Which tree to read; the folder's own unless another is given, such as an older one.

    Raises:
        LogError: there is no checkpoint.
        InvalidError: it is malformed.
    """

    def __init__(self, folder: Path, checkpoint: Checkpoint | None = None) -> None:
        self.checkpoint = checkpoint or read_checkpoint_file(folder)
        self._tiles = Tiles(folder, self.checkpoint.size)

    def prove(self, index: int) -> InclusionProof:
        """The proof that leaf `index` is in the tree.

        Raises:
            InvalidError: no such leaf, or the tiles do not lead to the checkpoint's root.
        """
        size = self.checkpoint.size
        if not 0 <= index < size:
            raise InvalidError(f"no leaf {index} in a log of {size}")
        proof = prove_inclusion(self._tiles.node, index, size)
        leaf = self._tiles.node(0, index)
        if not verify_inclusion(leaf, index, size, proof.hashes, self.checkpoint.root):
            raise InvalidError(f"the tiles do not lead from leaf {index} to the root in the checkpoint")
        return proof

    def prove_since(self, old: Checkpoint) -> tuple[bytes, ...]:
        """The proof that the tree of an older checkpoint is a prefix of this one.

        Raises:
            InvalidError: the older one is larger, of another origin, or no prefix as far as the tiles show.
        """
        if old.origin != self.checkpoint.origin:
            raise InvalidError(f"the older checkpoint is of the log {old.origin!r}, not {self.checkpoint.origin!r}")
        if old.size > self.checkpoint.size:
            raise InvalidError(f"the older checkpoint has {old.size} leaves, the log {self.checkpoint.size}")
        hashes = prove_consistency(self._tiles.node, old.size, self.checkpoint.size)
        if not is_prefix(old, self.checkpoint, hashes):
            raise InvalidError(f"the first {old.size} leaves are not those of the older checkpoint")
        return hashes

    def audit(self) -> Iterator[bytes]:
        """Every entry in order, while the whole log is computed again; it is sound when this ends without an error.

        Raises:
            InvalidError: a file is missing or malformed, an entry is not the leaf that its tile has the hash of, a tile does not follow
                from those below it, or all of it leads to another root than the checkpoint's.
        """
        tree = MerkleTree()
        for index, entry in enumerate(self._tiles.entries()):
            tree.append(entry)
            if leaf_hash(entry) != self._tiles.node(0, index):
                raise InvalidError(f"entry {index} is not the leaf that the tile has the hash of")
            yield entry
        if tree.root() != self.checkpoint.root:
            raise InvalidError(
                f"the entries lead to the root {tree.root().hex()}, the checkpoint has {self.checkpoint.root.hex()}"
            )
        self._tiles.check_levels()

    def find(self, entry: bytes) -> int | None:
        """The last leaf that is this entry, looked for from the end; None when there is none."""
        for bundle in range((self.checkpoint.size - 1) // WIDTH, -1, -1):
            entries = self._tiles.entry_bundle(bundle)
            for at in range(len(entries) - 1, -1, -1):
                if entries[at] == entry:
                    return bundle * WIDTH + at
        return None

    def entry(self, index: int) -> bytes:
        """One entry, held to nothing.

        Raises:
            InvalidError: no such leaf, or its bundle is missing or malformed.
        """
        if not 0 <= index < self.checkpoint.size:
            raise InvalidError(f"no leaf {index} in a log of {self.checkpoint.size}")
        return self._tiles.entry_bundle(index // WIDTH)[index % WIDTH]
