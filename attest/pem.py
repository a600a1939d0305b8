"""What a key's file holds by its PEM labels (RFC 7468), before any cryptography is loaded.

Law: a file is opened without waiting for it and read once, within a bound; what is said of it is its labels, never its content. Whoever
gives one half of a key where the other belongs is told so, and where the other is.
"""

import re
from pathlib import Path

from attest.errors import KeyFileError
from attest.limits import DEFAULT, AttestLimits
from evidence.regular import open_regular

PUBLIC_SUFFIX = ".pub"
"""What the public half's file is called after the private one's."""

_LABEL = re.compile(rb"-----BEGIN ([\x20-\x7e]{1,64}?)-----")
_ENCRYPTED = "ENCRYPTED PRIVATE KEY"


def read_pem(path: Path, *, limits: AttestLimits = DEFAULT) -> bytes:
    """The bytes of a key's file.

    Raises:
        KeyFileError: it cannot be read, is no regular file, or too large to be a key's.
    """
    try:
        with open_regular(path) as file:
            data = file.read(limits.key_file_bytes_max + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > limits.key_file_bytes_max:
        raise KeyFileError(f"{path}: larger than {limits.key_file_bytes_max} bytes; expected a PEM key")
    return data


def read_private_pem(path: Path, *, limits: AttestLimits = DEFAULT) -> bytes:
    """The bytes of a file that holds a private key, as far as its labels tell; what kind of key they do not.

    Raises:
        KeyFileError: as `read_pem`; or it has no private key, or an encrypted one.
    """
    pem = read_pem(path, limits=limits)
    labels = _labels(pem)
    if _ENCRYPTED in labels:
        raise encrypted(path)
    if not any(label.endswith("PRIVATE KEY") for label in labels):
        raise no_private_key(path, pem)
    return pem


def encrypted(path: Path) -> KeyFileError:
    """The error of a private key that nothing here has the password for."""
    return KeyFileError(f"{path}: the private key is encrypted; expected PKCS#8 PEM without a password")


def no_private_key(path: Path, pem: bytes) -> KeyFileError:
    """The error of a file that holds something else than a private key."""
    likely = ""
    if path.suffix == PUBLIC_SUFFIX:
        likely = f", which is likely in {path.with_suffix('')}"
    return KeyFileError(f"{path}: {_instead(pem, 'PRIVATE KEY')}; expected a PKCS#8 PEM private key{likely}")


def no_public_key(path: Path | None, pem: bytes) -> KeyFileError:
    """The error of a file that holds something else than a public key."""
    likely = ""
    if path is not None and public_path(path).exists():
        likely = f", which is likely in {public_path(path)}"
    return KeyFileError(f"{path or 'public key'}: {_instead(pem, 'PUBLIC KEY')}; expected a PEM public key{likely}")


def public_path(path: Path) -> Path:
    """Where the public half of the private key at `path` lies: the same name with `.pub` after it."""
    return path.with_name(path.name + PUBLIC_SUFFIX)


def _instead(pem: bytes, wanted: str) -> str:
    """What a file holds that is not the key that was asked for, from its first label."""
    if not pem.strip():
        return "an empty file"
    label = next(iter(_labels(pem)), None)
    if label is None:
        return "not PEM"
    return f"a damaged PEM {label}" if label == wanted else f"a PEM {label}"


def _labels(pem: bytes) -> tuple[str, ...]:
    return tuple(label.decode("ascii") for label in _LABEL.findall(pem))
