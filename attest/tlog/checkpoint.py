"""A checkpoint: the head of a log's tree, as the text of a signed note.

Specification: https://c2sp.org/tlog-checkpoint, with cosignatures by https://c2sp.org/tlog-cosignature
Law: a tree head has one spelling; a checkpoint counts only under a key that bears its origin's name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attest.dsse import decode_base64, encode_base64
from attest.errors import InvalidError
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe
from attest.tlog.cosignature import cosigned_at
from attest.tlog.note import COSIGNATURE_V1, Note, NoteSignature, VerifierKey, read_note, sign_note
from evidence.merkle import EMPTY_ROOT

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
SIZE_MAX = (1 << 63) - 1
"""Largest tree that is read."""


def read_number(text: str, what: str) -> int:
    """A decimal number in its one spelling, at most `SIZE_MAX`.

    Raises:
        InvalidError: signs, leading zeroes, other digits than ASCII's, or too large.
    """
    if not _SIZE.fullmatch(text) or int(text) > SIZE_MAX:
        raise InvalidError(f"{what} is {describe(text)}, expected a decimal number below 2^63, without leading zeroes")
    return int(text)


def read_hash(text: str, what: str) -> bytes:
    """The 32 bytes of a hash in base64.

    Raises:
        InvalidError: not base64, or another length.
    """
    data = decode_base64(text, what=what)
    if len(data) != len(EMPTY_ROOT):
        raise InvalidError(f"{what} has {len(data)} bytes, expected 32")
    return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree head and the note it came in. Nothing is verified yet: see `signed_by` and `cosigned_by`."""

    origin: str
    size: int
    root: bytes
    note: Note

    def __str__(self) -> str:
        """The whole note."""
        return str(self.note)

    def signed_by(self, keys: Iterable[VerifierKey]) -> VerifierKey | None:
        """The log's key among these that signed it; None when none of them did.

        Raises:
            InvalidError: a signature under the name and id of one of them does not verify.
        """
        return next(iter(self.note.signed_by(key for key in keys if key.name == self.origin)), None)

    def cosigned_by(self, witnesses: Iterable[VerifierKey]) -> Mapping[VerifierKey, int]:
        """When each of these witnesses cosigned it, in seconds since 1970; the latest time when one did so twice.

        Raises:
            InvalidError: a cosignature under the name and id of one of them does not verify.
        """
        found: dict[VerifierKey, int] = {}
        for key in witnesses:
            for one in self.note.signatures:
                if key.kind == COSIGNATURE_V1 and key.made(one):
                    found[key] = max(cosigned_at(one, key, self.note.text), found.get(key, 0))
        return found

    def with_signatures(self, more: Iterable[NoteSignature]) -> "Checkpoint":
        """The same checkpoint with further signature lines."""
        note = Note(text=self.note.text, signatures=(*self.note.signatures, *more))
        return Checkpoint(origin=self.origin, size=self.size, root=self.root, note=note)


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The text that a log signs.

    >>> print(checkpoint_text("example.com/log", 0, EMPTY_ROOT), end="")
    example.com/log
    0
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    """
    return f"{origin}\n{size}\n{encode_base64(root)}\n"


def sign_checkpoint(origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> Checkpoint:
    """Sign a tree head under its origin's name.

    Raises:
        InvalidError: an origin that cannot be the name of a key.
    """
    note = sign_note(checkpoint_text(origin, size, root), origin, key)
    return Checkpoint(origin=origin, size=size, root=root, note=note)


def read_checkpoint(data: bytes, *, limits: AttestLimits = DEFAULT) -> Checkpoint:
    """Decode a checkpoint. Checks its form only: neither signature nor trust.

    Extension lines are accepted, because they are under the signatures, and nothing is concluded from them.

    Raises:
        InvalidError: no signed note, fewer than three lines, an empty one, or a malformed size or root.
    """
    note = read_note(data, limits=limits)
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise InvalidError("the checkpoint's text is not an origin, a size and a root, each on a line of its own")
    size = read_number(lines[1], "the checkpoint's size")
    root = read_hash(lines[2], "the checkpoint's root")
    if not size and root != EMPTY_ROOT:
        raise InvalidError("the checkpoint of an empty log has another root than that of the empty tree")
    return Checkpoint(origin=lines[0], size=size, root=root, note=note)
