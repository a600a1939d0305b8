"""An append-only log: RFC 9162 Merkle tree, real inclusion proofs, checkpoints as C2SP signed notes.

Specifications: RFC 9162 section 2.1, https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note.
"""

import base64
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.sigstore.pki import spki


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """Where an entry lies, and the proof of it."""

    index: int
    tree_size: int
    root: bytes
    path: tuple[bytes, ...]
    checkpoint: str
    leaf_hash: bytes


@dataclass(slots=True, kw_only=True)
class Log:
    """A log with its key. `key_id` is what trusted roots and entries name it by."""

    key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey
    origin: str
    signer_name: str
    witnesses: list[Callable[[str], str]] = field(default_factory=list)
    """Each is given the body of a checkpoint and returns one more signature line."""
    _leaves: list[bytes] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key_id(self) -> bytes:
        public = self.key.public_key()
        if isinstance(self.key, Ed25519PrivateKey):
            return hashlib.sha256(f"{self.origin}\n".encode() + b"\x01" + public.public_bytes_raw()).digest()
        return hashlib.sha256(spki(public)).digest()

    def append(self, data: bytes) -> Inclusion:
        with self._lock:
            self._leaves.append(hashlib.sha256(b"\x00" + data).digest())
            index, leaves = len(self._leaves) - 1, list(self._leaves)
        tree_root = root(leaves)
        return Inclusion(
            index=index,
            tree_size=len(leaves),
            root=tree_root,
            path=tuple(path(index, leaves)),
            checkpoint=self.checkpoint(len(leaves), tree_root),
            leaf_hash=leaves[index],
        )

    def checkpoint(self, tree_size: int, tree_root: bytes) -> str:
        """The signed note over a tree head."""
        body = f"{self.origin}\n{tree_size}\n{base64.b64encode(tree_root).decode()}\n"
        lines = [note_line(self.signer_name, self.key_id[:4], self.sign(body.encode()))]
        return body + "\n" + "".join([*lines, *(witness(body) for witness in self.witnesses)])

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.key, Ed25519PrivateKey):
            return self.key.sign(data)
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


def note_line(name: str, hint: bytes, signature: bytes) -> str:
    """One signature of a signed note."""
    return f"\N{EM DASH} {name} {base64.b64encode(hint + signature).decode()}\n"


def root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.3.1, over leaf hashes."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*path(index, leaves[:split]), root(leaves[split:])]
    return [*path(index - split, leaves[split:]), root(leaves[:split])]


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)
