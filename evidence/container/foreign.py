"""Whether a file is an evidence bundle of another tool, or says so. Looks at its first bytes and decides nothing else."""

import re
import zlib
from pathlib import Path

from evidence.regular import open_regular

_HEAD_BYTES = 16 * 1024
_HEADER_BYTES = 512
_MANIFEST_BYTES = 64 * 1024
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
    inflate = zlib.decompressobj(wbits=31)
    try:
        with open_regular(path) as file:
            header = inflate.decompress(file.read(_HEAD_BYTES), _HEADER_BYTES)
        if not header.startswith(_NAMES):
            return False
        if header[_MAGIC] == b"ustar  \x00":
            return True
        size = min(max(int(header[_SIZE].strip(b" \x00"), 8), 1), _MANIFEST_BYTES)
        # what stands behind the first member must not decide what the file is
        return _NUMBERED.search(inflate.decompress(inflate.unconsumed_tail, size)) is not None
    except (OSError, ValueError, zlib.error):
        return False
