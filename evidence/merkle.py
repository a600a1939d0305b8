"""Merkle tree hash and proofs of RFC 9162 (Certificate Transparency 2.0), section 2.1, over SHA-256.

https://www.rfc-editor.org/rfc/rfc9162#section-2.1

Law: a leaf is hashed behind 0x00 and a node behind 0x01, so that no leaf can pass for a node; the root of `n` leaves
needs log2(n) hashes of memory.
"""

import hashlib
from collections.abc import Iterable, Sequence

_sha256 = hashlib.sha256

EMPTY_ROOT = hashlib.sha256().digest()
"""The hash of a tree without leaves."""


def leaf_hash(leaf: bytes) -> bytes:
    """The 32-byte hash of one leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of an inner node over two 32-byte hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """A growing tree that keeps only the roots of its complete subtrees (a compact range)."""

    __slots__ = ("_roots", "size")

    size: int
    """Number of leaves."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []  # complete subtrees from left to right; one for each 1 bit of the size

    def append(self, leaf: bytes) -> None:
        """Add one leaf."""
        node = leaf_hash(leaf)
        size = self.size
        while size & 1:
            node = node_hash(self._roots.pop(), node)
            size >>= 1
        self._roots.append(node)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves: the same as `append` for each, but a level at a time."""
        nodes = [_sha256(b"\x00" + leaf).digest() for leaf in leaves]
        size = self.size
        self.size += len(nodes)
        complete: list[bytes] = []  # from the lowest level upwards
        while nodes:
            if size & 1:
                nodes.insert(0, self._roots.pop())
            if len(nodes) & 1:
                complete.append(nodes.pop())
            nodes = [
                _sha256(b"\x01" + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=True)
            ]
            size >>= 1
        self._roots += reversed(complete)

    def root(self) -> bytes:
        """The 32-byte Merkle tree hash of the leaves so far."""
        if not self._roots:
            return EMPTY_ROOT
        node = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            node = node_hash(left, node)
        return node


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of leaves given by their hashes, by the recursive definition (section 2.1.1)."""
    if not leaf_hashes:
        return EMPTY_ROOT
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    split = _split(len(leaf_hashes))
    return node_hash(root_of(leaf_hashes[:split]), root_of(leaf_hashes[split:]))


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The path that shows leaf `index` to be in the tree (section 2.1.3.1), from the leaf upwards."""
    if not 0 <= index < len(leaf_hashes):
        raise IndexError(f"leaf {index} of a tree of {len(leaf_hashes)}")
    if len(leaf_hashes) == 1:
        return []
    split = _split(len(leaf_hashes))
    left, right = leaf_hashes[:split], leaf_hashes[split:]
    if index < split:
        return [*inclusion_proof(left, index), root_of(right)]
    return [*inclusion_proof(right, index - split), root_of(left)]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Iterable[bytes], root: bytes) -> bool:
    """Whether `path` proves that the hashed `leaf` is leaf `index` of the tree of `size` with `root` (2.1.3.2)."""
    steps = list(path)
    if not 0 <= index < size or not _are_hashes(leaf, root, *steps):
        return False
    position, last, node = index, size - 1, leaf
    for other in steps:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(other, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, other)
        position, last = position >> 1, last >> 1
    return last == 0 and node == root


def consistency_proof(leaf_hashes: Sequence[bytes], first: int) -> list[bytes]:
    """The path that shows the tree of the first `first` leaves to be a prefix of the whole (section 2.1.4.1)."""
    if not 0 < first <= len(leaf_hashes):
        raise IndexError(f"prefix of {first} in a tree of {len(leaf_hashes)}")
    return _subproof(leaf_hashes, first, complete=True)


def verify_consistency(first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Whether `path` proves the tree (`first`, `first_root`) to be a prefix of (`second`, `second_root`) (2.1.4.2)."""
    if not 0 < first <= second or not _are_hashes(first_root, second_root, *path):
        return False
    if first == second:
        return not path and first_root == second_root
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        return False
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = steps[0]
    for other in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, other)
        position, last = position >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _are_hashes(*values: bytes) -> bool:
    """Whether each has the length of one: of others a node could be put together in more ways than one."""
    return all(len(value) == len(EMPTY_ROOT) for value in values)


def _subproof(leaf_hashes: Sequence[bytes], first: int, *, complete: bool) -> list[bytes]:
    if first == len(leaf_hashes):
        return [] if complete else [root_of(leaf_hashes)]
    split = _split(len(leaf_hashes))
    left, right = leaf_hashes[:split], leaf_hashes[split:]
    if first <= split:
        return [*_subproof(left, first, complete=complete), root_of(right)]
    return [*_subproof(right, first - split, complete=False), root_of(left)]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
