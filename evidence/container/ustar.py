"""The one ustar header that a member of a bundle may have (POSIX pax, "ustar Interchange Format").

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06

Law: a header is a function of name and size; `decode(encode(name, size)) == (name, size)` and every other block is
refused. So there is no place for links, owners, times, extensions or slack.
"""

import re

from evidence.errors import EvidenceError

BLOCK_BYTES = 512
END = bytes(2 * BLOCK_BYTES)
"""Two zero blocks end an archive."""
SIZE_BYTES_MAX = 8**11 - 1
"""Eleven octal digits."""
NAME = re.compile(r"(?!.*//)[A-Za-z0-9](?:[A-Za-z0-9_.-]|/(?=[A-Za-z0-9])){0,99}", re.ASCII)
"""A relative path of plain names, none of which starts with a dot."""

_MODE_UID_GID = b"0000644\x000000000\x000000000\x00"
_MTIME = b"00000000000\x00"
_MAGIC = b"ustar\x0000"
_OWNERS = bytes(64) + b"0000000\x000000000\x00"
_TAIL = (b"0" + bytes(100) + _MAGIC + _OWNERS).ljust(BLOCK_BYTES - 156, b"\x00")
_FIXED_SUM = sum(b" " * 8) + sum(_TAIL)
"""What the checksum counts behind the time: itself as blanks, and the rest."""


def encode(name: str, size: int) -> bytes:
    """The 512-byte header of a regular file.

    Raises:
        EvidenceError: `name` is no plain relative path of at most 100 ASCII characters, or `size` does not fit.
    """
    if NAME.fullmatch(name) is None:
        raise EvidenceError(
            f"member name: expected a plain relative path of at most 100 characters, got {name[:200]!r}"
        )
    if not 0 <= size <= SIZE_BYTES_MAX:
        raise EvidenceError(f"member {name}: expected 0 to {SIZE_BYTES_MAX} bytes, got {size}")
    head = name.encode().ljust(100, b"\x00") + _MODE_UID_GID + f"{size:011o}\x00".encode() + _MTIME
    return head + f"{sum(head) + _FIXED_SUM:06o}\x00 ".encode() + _TAIL


def decode(block: bytes) -> tuple[str, int]:
    """Name and size of a header.

    Raises:
        EvidenceError: the block is not exactly what `encode` writes for some name and size.
    """
    try:
        name = block[:100].rstrip(b"\x00").decode("ascii")
        size = int(block[124:135].decode("ascii"), 8)
    except ValueError as error:
        raise EvidenceError(f"tar header: {error}") from error
    if encode(name, size) != block:
        raise EvidenceError(f"tar header of {name!r}: fields are not the fixed ones")
    return name, size


def padding(size: int) -> int:
    """Zero bytes that follow `size` bytes of content."""
    return -size % BLOCK_BYTES
