"""SHA-256 in the two text forms that files carry: bare hexadecimal, and tagged `sha256:<hex>`."""

import hashlib
import re

_TAGGED = re.compile(r"sha256:[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{64}")


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of `data` in lower-case hexadecimal, 64 characters."""
    return hashlib.sha256(data).hexdigest()


def tagged(data: bytes) -> str:
    """The SHA-256 of `data` as `sha256:<hex>`."""
    return "sha256:" + sha256_hex(data)


def is_sha256_hex(text: object) -> bool:
    """Whether `text` is 64 lower-case hexadecimal characters."""
    return isinstance(text, str) and _HEX.fullmatch(text) is not None


def is_tagged(text: object) -> bool:
    """Whether `text` is a tagged SHA-256."""
    return isinstance(text, str) and _TAGGED.fullmatch(text) is not None
