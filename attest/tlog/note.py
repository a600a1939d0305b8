"""Signed notes, and the keys that sign them, in their text forms.

Specification: https://c2sp.org/signed-note
Law: a note has one spelling. What is read and written again is the same bytes, and a signature by a known key that does not verify
makes the whole note worthless, whoever else signed it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from attest.dsse import decode_base64, encode_base64
from attest.errors import InvalidError, UnsupportedError
from attest.keys import is_anyones
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe

ED25519 = 0x01
"""Signature type: Ed25519 over the text of the note."""
COSIGNATURE_V1 = 0x04
"""Signature type: Ed25519 over a time and the text of a checkpoint; see `attest.tlog.cosignature`."""

_DASH = "\N{EM DASH} "
_KEY_BYTES = 32
_ID_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key that signs notes: a name, a type of signature, and 32 bytes of Ed25519."""

    name: str
    kind: int
    """`ED25519` or `COSIGNATURE_V1`: a key of one type never counts for the other."""
    public: bytes
    key_id: bytes = field(init=False)
    """Four bytes that name it in a signature line: a lookup, never a proof."""

    def __post_init__(self) -> None:
        _plain_name(self.name, "the key's name")
        if len(self.public) != _KEY_BYTES:
            raise InvalidError(f"the key {describe(self.name)} has {len(self.public)} bytes, expected {_KEY_BYTES}")
        if is_anyones(self.public):
            raise InvalidError(f"the key {describe(self.name)} is one with which anyone can sign")
        sha256 = hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public)
        object.__setattr__(self, "key_id", sha256.digest()[:_ID_BYTES])

    @classmethod
    def parse(cls, text: str, *, limits: AttestLimits = DEFAULT) -> "VerifierKey":
        """Read `NAME+HASH+KEY`: the hash in hexadecimal, the key in base64 behind its type.

        Raises:
            InvalidError: not three parts, another id than follows from name and key, or a key of the wrong length.
            UnsupportedError: a type of signature other than the two known here.
        """
        if len(text) > limits.key_file_bytes_max:
            raise InvalidError(f"a verifier key of {len(text)} characters, at most {limits.key_file_bytes_max}")
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise InvalidError(f"{describe(text)} is no verifier key, expected NAME+HASH+KEY")
        name, key_id, encoded = parts
        material = decode_base64(encoded, what="the verifier key")
        if material[:1] not in (bytes([ED25519]), bytes([COSIGNATURE_V1])):
            kind = material[:1].hex() or "nothing"
            raise UnsupportedError(f"{describe(name)} signs with the type {kind}, expected 01 or 04 (Ed25519)")
        key = cls(name=name, kind=material[0], public=material[1:])
        if key.key_id.hex() != key_id:
            raise InvalidError(f"{describe(name)} has the id {describe(key_id)}, expected {key.key_id.hex()}")
        return key

    def __str__(self) -> str:
        """The text form, `NAME+HASH+KEY`."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.kind]) + self.public)}"

    def made(self, signature: "NoteSignature") -> bool:
        """Whether that signature line claims to be by this key."""
        return (self.name, self.key_id) == (signature.name, signature.key_id)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the 64 bytes are this key's signature over the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line. Nothing in it is verified."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line, with its newline."""
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text and the signatures under it. Holding one says nothing about their validity."""

    text: str
    """With its last newline, without the blank line."""
    signatures: tuple[NoteSignature, ...]

    def __str__(self) -> str:
        """The note as it is written."""
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)

    def signed_by(self, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Which of these keys signed it, each of the type `ED25519`; keys of another type are passed over.

        Raises:
            InvalidError: a signature under the name and id of one of them does not verify.
        """
        found = []
        for key in keys:
            lines = [one for one in self.signatures if key.kind == ED25519 and key.made(one)]
            for one in lines:
                if not key.verifies(one.signature, self.text.encode()):
                    raise InvalidError(f"the note's signature by {describe(key.name)} does not verify")
            if lines:
                found.append(key)
        return tuple(found)


def read_note(data: bytes, *, limits: AttestLimits = DEFAULT) -> Note:
    """Decode a signed note. Checks its form only.

    Raises:
        InvalidError: too large, not UTF-8, a control character, no signature, too many, or a malformed line.
    """
    if len(data) > limits.note_bytes_max:
        raise InvalidError(f"the note has {len(data)} bytes, expected at most {limits.note_bytes_max}")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidError(f"the note is not UTF-8: {error}") from error
    if any(char < " " and char != "\n" for char in whole):
        raise InvalidError("the note has a control character, expected none but newlines")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise InvalidError("the note is not a text, a blank line and signature lines, each ending in a newline")
    return Note(text=text + "\n", signatures=read_signatures(lines, limits=limits))


def read_signatures(lines: str, *, limits: AttestLimits = DEFAULT) -> tuple[NoteSignature, ...]:
    """Decode signature lines, each ending in a newline: the end of a note, or what a witness answers.

    Raises:
        InvalidError: none, too many, or a malformed one.
    """
    if lines[-1:] != "\n":
        raise InvalidError("the signature lines do not end in a newline")
    found = lines[:-1].split("\n", limits.note_signatures_max)
    if len(found) > limits.note_signatures_max:
        raise InvalidError(f"more than {limits.note_signatures_max} signatures under a note")
    return tuple(_signature(line, index) for index, line in enumerate(found))


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> Note:
    """Sign a text that ends in a newline.

    Raises:
        InvalidError: the name cannot stand in a signature line.
    """
    public = verifier_key(name, key)
    signature = NoteSignature(name=name, key_id=public.key_id, signature=key.sign(text.encode()))
    return Note(text=text, signatures=(signature,))


def verifier_key(name: str, key: Ed25519PrivateKey, kind: int = ED25519) -> VerifierKey:
    """The public half of a key under a name."""
    return VerifierKey(name=name, kind=kind, public=key.public_key().public_bytes_raw())


def _signature(line: str, index: int) -> NoteSignature:
    where = f"signature line {index + 1}"
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise InvalidError(f"{where} is {describe(line)}, expected an em dash, a name and base64")
    _plain_name(name, f"the name in {where}")
    data = decode_base64(encoded, what=where)
    if len(data) <= _ID_BYTES:
        raise InvalidError(f"{where} holds {len(data)} bytes, expected a key id of 4 and a signature")
    return NoteSignature(name=name, key_id=data[:_ID_BYTES], signature=data[_ID_BYTES:])


def _plain_name(name: str, where: str) -> None:
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise InvalidError(f"{where} is {describe(name)}, expected one without spaces, controls and plus signs")
