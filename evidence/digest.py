"""SHA-256 in the two text forms that files carry: bare hexadecimal, and tagged `sha256:<hex>`."""

import hashlib
import re
from pathlib import Path

from evidence.errors import BundleError
from evidence.regular import open_regular

_TAGGED = re.compile(r"sha256:[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 1024 * 1024


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of `data` in lower-case hexadecimal, 64 characters."""
    return hashlib.sha256(data).hexdigest()


def tagged(data: bytes) -> str:
    """The SHA-256 of `data` as `sha256:<hex>`."""
    return "sha256:" + sha256_hex(data)


def file_sha256_hex(path: Path, bytes_max: int) -> str:
    """The SHA-256 of a file's bytes, read piece by piece and held to none of its formats.

    Raises:
        BundleError: it is larger than `bytes_max`; the check is `container`.
        OSError: it cannot be read, or is no regular file.
    """
    sha256, left = hashlib.sha256(), bytes_max
    with open_regular(path) as file:
        while piece := file.read(_PIECE_BYTES):
            left -= len(piece)
            if left < 0:
                raise BundleError("container", f"larger than {bytes_max} bytes")
            sha256.update(piece)
    return sha256.hexdigest()


def is_sha256_hex(text: object) -> bool:
    """Whether `text` is 64 lower-case hexadecimal characters."""
    return isinstance(text, str) and _HEX.fullmatch(text) is not None


def is_tagged(text: object) -> bool:
    """Whether `text` is a tagged SHA-256."""
    return isinstance(text, str) and _TAGGED.fullmatch(text) is not None
