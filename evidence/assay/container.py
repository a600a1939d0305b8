"""The container of an Assay bundle: `manifest.json`, then `events.ndjson`, in a tar in one gzip member. Read as a stream.

Law: whoever reached `end` has seen one gzip member, two regular files and nothing beside them; no byte that could hold
something is passed over. What merely describes the file (times, owners, padding) may be otherwise than Assay writes it and
is named.
"""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from evidence.assay import gnu_tar
from evidence.assay.limits import DEFAULT, AssayLimits
from evidence.container.gzip_stream import GzipReader
from evidence.errors import BundleError, EvidenceError

MANIFEST = "manifest.json"
EVENTS = "events.ndjson"
MEMBERS = (MANIFEST, EVENTS)
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""Deflate, no flags, no time, best compression, operating system unknown."""
_LEVELS = (b"\x00", b"\x02", b"\x04")
_PIECE_BYTES = 256 * 1024


class AssayContainer:
    """One reading, front to back: `manifest`, then `lines` to their end, then `end`.

    Raises:
        BundleError: at the container, or at a member that is not the one that comes next.
    """

    events_sha256: str
    """Digest of events.ndjson in hexadecimal; known once `lines` is exhausted."""
    events_bytes: int
    """Size of events.ndjson as its header says; known once `lines` is begun."""

    def __init__(self, file: BinaryIO, limits: AssayLimits = DEFAULT) -> None:
        self._limits = limits
        self._seen: list[str] = []
        self.odd: list[str] = []
        """What is otherwise than Assay writes it, in words."""
        try:
            self._gzip = GzipReader(
                file,
                file_bytes_max=limits.bundle_bytes_max,
                decoded_bytes_max=limits.decoded_bytes_max,
                takes=_is_plain,
            )
        except EvidenceError as error:
            raise BundleError("container", str(error)) from error
        self._note_gzip(self._gzip.header)

    def manifest(self) -> bytes:
        """The content of the first member."""
        size = self._member(self._limits.manifest_bytes_max)
        content = b"".join(self._pieces(size))
        self._padding(size)
        return content

    def begin_events(self) -> int:
        """Go to the second member; its size."""
        self.events_bytes = self._member(self._limits.events_bytes_max)
        return self.events_bytes

    def lines(self) -> Iterator[bytes]:
        """The lines of the second member without their newlines, each within its bound."""
        digest = hashlib.sha256()
        rest = b""
        for piece in self._pieces(self.events_bytes):
            digest.update(piece)
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
            if len(rest) > self._limits.line_bytes_max:
                raise BundleError("events", f"a line of more than {self._limits.line_bytes_max} bytes")
        self._padding(self.events_bytes)
        self.events_sha256 = digest.hexdigest()
        if rest:
            raise BundleError("events", "the last line does not end with a newline")

    def end(self) -> tuple[str, int]:
        """The digest (hexadecimal) and size of the file, once no member and no byte is left."""
        if any(block := self._block()):
            raise BundleError("files", f"{_name(block)}: expected the end of the archive after {EVENTS}")
        zeros = 1
        try:
            while block := self._some(gnu_tar.BLOCK_BYTES):
                if any(block) or len(block) < gnu_tar.BLOCK_BYTES:
                    raise BundleError("container", "bytes after the end of the archive")
                zeros += 1
                if zeros > self._limits.zero_blocks_max:
                    raise BundleError("container", f"more than {self._limits.zero_blocks_max} zero blocks at the end")
            if zeros < 2:
                raise BundleError("container", "one zero block at the end of the archive, expected two")
            if zeros > 2:
                self.odd.append(f"{zeros} zero blocks at the end")
            return self._gzip.finish()
        except BundleError:
            raise
        except EvidenceError as error:
            raise BundleError("container", str(error)) from error

    # ------------------------------------------------------------ parts

    def _member(self, bytes_max: int) -> int:
        """The header of the member that comes next, which must be the one in its place; its size."""
        expected = MEMBERS[len(self._seen)]
        block = self._block()
        if not any(block):
            raise BundleError("files", f"expected the member {expected}, got the end of the archive")
        try:
            name, size, odd = gnu_tar.decode(block)
        except EvidenceError as error:
            raise BundleError("container", str(error)) from error
        if name != expected:
            raise BundleError("files", _misplaced(name, expected, self._seen))
        if size > bytes_max:
            raise BundleError("files", f"{name}: says {size} bytes, expected at most {bytes_max}")
        self._seen.append(name)
        self.odd += [f"{name}: {each}" for each in odd]
        return size

    def _block(self) -> bytes:
        return b"".join(self._pieces(gnu_tar.BLOCK_BYTES))

    def _padding(self, size: int) -> None:
        if any(b"".join(self._pieces(gnu_tar.padding(size)))):
            raise BundleError("container", "padding behind a member that is not zero")

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            try:
                piece = self._gzip.read(min(size, _PIECE_BYTES))
            except EvidenceError as error:
                raise BundleError("container", str(error)) from error
            if not piece:
                raise BundleError("container", "the archive ends early")
            size -= len(piece)
            yield piece

    def _some(self, size: int) -> bytes:
        """As many bytes as there still are, up to `size`."""
        data = b""
        while len(data) < size and (piece := self._gzip.read(size - len(data))):
            data += piece
        return data

    def _note_gzip(self, header: bytes) -> None:
        if header[4:8] != GZIP_HEADER[4:8]:
            self.odd.append(f"gzip time {int.from_bytes(header[4:8], 'little')}")
        if header[8:9] != GZIP_HEADER[8:9]:
            self.odd.append(f"gzip level flag {header[8]}")
        if header[9:] != GZIP_HEADER[9:]:
            self.odd.append(f"gzip system {header[9]}")


def _is_plain(header: bytes) -> bool:
    """A gzip header without name, comment or extra field."""
    return header[:4] == GZIP_HEADER[:4] and header[8:9] in _LEVELS


def _name(block: bytes) -> str:
    return repr(block[:100].rstrip(b"\x00").decode("utf-8", "backslashreplace"))


def _misplaced(name: str, expected: str, seen: list[str]) -> str:
    """Why a member is not the one that comes next."""
    if name.startswith("/"):
        why = "an absolute path"
    elif ".." in name.split("/"):
        why = "a path that leaves its folder"
    elif name in seen:
        why = "a second one of that name"
    elif name in MEMBERS:
        why = "out of order"
    else:
        why = "not a member of an Assay bundle"
    return f"{name[:100]!r}: {why}, expected {expected}"
