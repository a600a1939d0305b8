"""Files of disclosures on disk: for their owner alone, in the clear or for one recipient.

An encrypted file is a line of JSON that says for whom, and a line of base64 for each chunk of lines, sealed with HPKE (RFC 9180, base mode,
single shot). Law: a chunk opens only in its place of its own file, and the last says that it is the last, so that nothing is swapped or
cut off unseen. An error never quotes what a file holds.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from evidence.canonical import canonical, parse_object
from evidence.digest import tagged
from evidence.durable import replacing
from evidence.errors import CanonicalError, DisclosureError
from evidence.redaction.disclosures import LINE_BYTES_MAX, SUFFIX, Header, Piece, read
from evidence.run import BUNDLE_SUFFIX, bundle_file_name
from sidecar.errors import ConfigError

__all__ = ["file_name", "known_key", "load_private_key", "load_recipient", "open_disclosures", "write_disclosures"]

_SCHEMA = "disclosures-hpke-v1"
_SUITE = "DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305"
_CHUNK_BYTES = 1 << 20


def file_name(run_id: str, part: int) -> str:
    """The name of the disclosures of a part of a run."""
    return bundle_file_name(run_id, part).removesuffix(BUNDLE_SUFFIX) + SUFFIX


def write_disclosures(path: Path, header: Header, lines: Iterator[bytes], recipient: X25519PublicKey | None) -> Path:
    """Writes a file whole or not at all, mode 0600, encrypted when there is a recipient.

    Args:
        path: the file.
        header: its first line.
        lines: pieces of whole lines, each ending in a newline.
        recipient: who may read it.
    """
    everything = _after(header.line() + b"\n", lines)
    with replacing(path, mode=0o600) as file:  # durably: what the store has of it is deleted next
        file.writelines(_sealed(header, everything, recipient) if recipient else everything)
    return path


def open_disclosures(path: Path, key: X25519PrivateKey | None = None) -> tuple[Header, Iterator[Piece]]:
    """The header of a file and its pieces, as they come.

    Raises:
        DisclosureError: it is not such a file, or is encrypted and not for this key.
        OSError: it cannot be read.
    """
    return read(_opened(path, key), path.name)


def known_key(path: Path) -> bytes | None:
    """The key in a file of disclosures that is there already; None when there is none to be read."""
    try:
        return open_disclosures(path)[0].key
    except (DisclosureError, OSError):
        return None


def load_recipient(path: Path) -> X25519PublicKey:
    """A recipient's public key, PEM.

    Raises:
        ConfigError: it is not an X25519 public key.
    """
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"redaction.encrypt_to: {path}: {_why(error)}") from None
    if not isinstance(key, X25519PublicKey):
        raise ConfigError(f"redaction.encrypt_to: {path}: expected an X25519 public key")
    return key


def load_private_key(path: Path) -> X25519PrivateKey:
    """The private key of a recipient, PEM.

    Raises:
        ConfigError: it is not an X25519 private key without a password.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: {_why(error)}") from None
    if not isinstance(key, X25519PrivateKey):
        raise ConfigError(f"{path}: expected an X25519 private key")
    return key


# ------------------------------------------------------------------ inside


def _suite() -> hpke.Suite:
    return hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _sealed(header: Header, lines: Iterator[bytes], recipient: X25519PublicKey) -> Iterator[bytes]:
    raw = recipient.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    about = canonical(
        {
            "schema_version": _SCHEMA,
            "suite": _SUITE,
            "recipient": tagged(raw),
            "run_id": header.run_id,
            "part": header.part,
        }
    )
    yield about + b"\n"
    number, chunk = 0, b""
    for piece in lines:
        chunk += piece
        if len(chunk) >= _CHUNK_BYTES:
            yield _seal(chunk, recipient, _info(about, number, is_last=False))
            number, chunk = number + 1, b""
    yield _seal(chunk, recipient, _info(about, number, is_last=True))


def _seal(chunk: bytes, recipient: X25519PublicKey, info: bytes) -> bytes:
    return base64.b64encode(_suite().encrypt(chunk, recipient, info)) + b"\n"


def _info(about: bytes, number: int, *, is_last: bool) -> bytes:
    return about + f"\n{number}{'.' if is_last else ''}".encode()


def _opened(path: Path, key: X25519PrivateKey | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        first = file.readline(LINE_BYTES_MAX)
        if not _is_encrypted(first):
            yield first
            while line := file.readline(LINE_BYTES_MAX + 1):
                yield line
            return
        if key is None:
            raise DisclosureError(f"{path.name}: encrypted, and no key was given to open it")
        about, number, line = first.removesuffix(b"\n"), 0, file.readline(LINE_BYTES_MAX)
        while line:
            following = file.readline(LINE_BYTES_MAX)
            try:
                data = base64.b64decode(line.removesuffix(b"\n"), validate=True)
                chunk = _suite().decrypt(data, key, _info(about, number, is_last=not following))
            except (InvalidTag, ValueError, binascii.Error):
                raise DisclosureError(
                    f"{path.name}: chunk {number} is not for this key, or is damaged or cut off"
                ) from None
            yield from chunk.splitlines(keepends=True)
            number, line = number + 1, following
        if not number:
            raise DisclosureError(f"{path.name}: cut off")


def _is_encrypted(first: bytes) -> bool:
    try:
        return parse_object(first.removesuffix(b"\n")).get("schema_version") == _SCHEMA
    except CanonicalError:
        return False


def _why(error: Exception) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "not a key in PEM that can be read"
