"""Proofs of a log: made from its tiles, reading only those that are needed, and as text (c2sp.org/tlog-proof, tlog-witness).

The algorithms are RFC 9162's (sections 2.1.3 and 2.1.4), over the roots of complete subtrees; `evidence.merkle` verifies.
Law: a proof is worth what it proves: the making trusts the hashes that it is given, and whoever hands one out verifies it first
(`attest.tlog.reader`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from attest.dsse import encode_base64
from attest.errors import InvalidError
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe
from attest.tlog.checkpoint import Checkpoint, read_checkpoint, read_hash, read_number
from evidence.merkle import leaf_hash, node_hash, verify_consistency, verify_inclusion

PROOF_TYPE = "c2sp.org/tlog-proof@v1"
"""First line of a proof's text."""
GROWTH = b"old "
"""How the text of a proof of growth begins."""

Node = Callable[[int, int], bytes]
"""The root of a complete subtree, by height and index: `attest.tlog.tiles.Tiles.node`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """Where a leaf is in the tree of some checkpoint, and the hashes that show it, from the leaf upwards."""

    index: int
    hashes: tuple[bytes, ...]

    def proves(self, entry: bytes, checkpoint: Checkpoint) -> bool:
        """Whether the entry is that leaf of the checkpoint's tree. The checkpoint's signature is another matter."""
        return verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.hashes, checkpoint.root)


def prove_inclusion(node: Node, index: int, size: int) -> InclusionProof:
    """The proof that leaf `index` is in the tree of `size` leaves.

    Raises:
        IndexError: no such leaf.
        InvalidError: a tile that it follows from is not there.
    """
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} of a tree of {size}")
    path, begin, end = [], 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_range_root(node, middle, end))
            end = middle
        else:
            path.append(_range_root(node, begin, middle))
            begin = middle
    return InclusionProof(index=index, hashes=tuple(reversed(path)))


def prove_consistency(node: Node, first: int, second: int) -> tuple[bytes, ...]:
    """The proof that the tree of `first` leaves is a prefix of that of `second`; empty when one of them says nothing.

    Raises:
        IndexError: `first` is larger than `second`.
        InvalidError: a tile that it follows from is not there.
    """
    if not 0 <= first <= second:
        raise IndexError(f"prefix of {first} in a tree of {second}")
    if first in (0, second):
        return ()
    path, begin, end = [], 0, second
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append(_range_root(node, middle, end))
            end = middle
        else:
            path.append(_range_root(node, begin, middle))
            begin = middle
    if begin:
        path.append(_range_root(node, begin, end))
    return tuple(reversed(path))


def is_prefix(old: Checkpoint, new: Checkpoint, hashes: tuple[bytes, ...]) -> bool:
    """Whether the hashes show that everything in the old tree is in the new one, in the same places."""
    if not old.size:
        return not hashes
    return verify_consistency(old.size, new.size, hashes, old.root, new.root)


def write_proof(proof: InclusionProof, checkpoint: Checkpoint) -> str:
    """The text of a proof with its checkpoint, to be kept beside what it is about (`.tlog-proof`)."""
    return f"{PROOF_TYPE}\nindex {proof.index}\n{_lines(proof.hashes)}\n{checkpoint}"


def read_proof(data: bytes, *, limits: AttestLimits = DEFAULT) -> tuple[InclusionProof, Checkpoint]:
    """Decode the text of a proof. Checks its form only; what stands behind `extra` is not authenticated and passed over.

    Raises:
        InvalidError: too large, another first line, a malformed index or hash, too many of them, or no checkpoint.
    """
    lines, checkpoint = _read(data, limits)
    if lines[0] != PROOF_TYPE:
        raise InvalidError(f"the proof begins with {describe(lines[0])}, expected {PROOF_TYPE}")
    at = 2 if lines[1:2] and lines[1].startswith("extra ") else 1
    if lines[at : at + 1] == [] or not lines[at].startswith("index "):
        raise InvalidError(f"the proof's line {at + 1} is not an index")
    index = read_number(lines[at].removeprefix("index "), "the proof's index")
    return InclusionProof(index=index, hashes=_hashes(lines[at + 1 :], limits)), checkpoint


def write_growth(old: int, hashes: Iterable[bytes], checkpoint: Checkpoint) -> str:
    """The text of a proof that a checkpoint extends the tree of `old` leaves: what a witness is sent (c2sp.org/tlog-witness)."""
    return f"old {old}\n{_lines(hashes)}\n{checkpoint}"


def read_growth(data: bytes, *, limits: AttestLimits = DEFAULT) -> tuple[int, tuple[bytes, ...], Checkpoint]:
    """Decode the text of a proof of growth. Checks its form only.

    Raises:
        InvalidError: too large, no old size, a malformed hash, too many of them, or no checkpoint.
    """
    lines, checkpoint = _read(data, limits)
    if not lines[0].startswith(GROWTH.decode()):
        raise InvalidError(f"the proof begins with {describe(lines[0])}, expected 'old' and a size")
    old = read_number(lines[0].removeprefix(GROWTH.decode()), "the proof's old size")
    return old, _hashes(lines[1:], limits), checkpoint


def _lines(hashes: Iterable[bytes]) -> str:
    return "".join(f"{encode_base64(one)}\n" for one in hashes)


def _read(data: bytes, limits: AttestLimits) -> tuple[list[str], Checkpoint]:
    """The lines before the first blank one, of which there is one at least, and the checkpoint behind it."""
    if len(data) > limits.note_bytes_max:
        raise InvalidError(f"the proof has {len(data)} bytes, expected at most {limits.note_bytes_max}")
    head, blank, note = data.partition(b"\n\n")
    if not blank:
        raise InvalidError("the proof has no blank line before its checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidError(f"the proof is not ASCII before its checkpoint: {error}") from error
    return lines, read_checkpoint(note, limits=limits)


def _hashes(lines: Sequence[str], limits: AttestLimits) -> tuple[bytes, ...]:
    if len(lines) > limits.proof_hashes_max:
        raise InvalidError(f"the proof has {len(lines)} hashes, expected at most {limits.proof_hashes_max}")
    return tuple(read_hash(line, f"hash {number} of the proof") for number, line in enumerate(lines, 1))


def _range_root(node: Node, begin: int, end: int) -> bytes:
    """The root over leaves `begin` to `end`, where `begin` is a multiple of the size of the range's largest subtree."""
    count = end - begin
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return node(height, begin >> height)
    middle = begin + _split(count)
    return node_hash(_range_root(node, begin, middle), _range_root(node, middle, end))


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1
