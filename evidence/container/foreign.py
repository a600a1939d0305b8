"""Whether a file is an evidence bundle of another tool, or says so. Looks at its first bytes and decides nothing else."""

import re
import zlib
from pathlib import Path

_HEAD_BYTES = 16 * 1024
_DECODED_BYTES = 64 * 1024
_NAMES = (b"manifest.json\x00", b"events.ndjson\x00")
_SIZE = slice(124, 136)
_MAGIC = slice(257, 265)
_NUMBERED = re.compile(rb'"schema_version"\s*:\s*[0-9-]')
"""Their manifest numbers its version, ours names it."""

ASSAY = (
    "an evidence bundle of Assay, not one of ours: `affidavit verify` reads it, "
    "`affidavit evidence convert --to native` makes it one of ours"
)
"""What is said where only bundles of ours are read."""


def is_assay(path: Path) -> bool:
    """Whether the file at `path` begins as an Assay bundle does. False for one that cannot be read or inflated.

    A file that is taken for one here is judged as one, and as nothing else.
    """
    try:
        with path.open("rb") as file:
            data = zlib.decompressobj(wbits=31).decompress(file.read(_HEAD_BYTES), _DECODED_BYTES)
    except (OSError, ValueError, zlib.error):
        return False
    if not data.startswith(_NAMES):
        return False
    return data[_MAGIC] == b"ustar  \x00" or _NUMBERED.search(_first_member(data)) is not None


def _first_member(data: bytes) -> bytes:
    """The content of the first member, as far as it is there: what stands in events must not decide what a file is."""
    try:
        size = int(data[_SIZE].strip(b" \x00"), 8)
    except ValueError:
        return b""
    return data[512 : 512 + max(size, 0)]
