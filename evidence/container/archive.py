"""The container of an evidence bundle: named members in ustar, in one gzip member.

Law: the bytes are a function of the members and their order; reading accepts those bytes, up to the choices of a
compressor, and nothing else. The container is transport: identity is over the members.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from evidence.container import ustar
from evidence.container.gzip_stream import GzipReader, GzipWriter, Writable
from evidence.errors import EvidenceError
from evidence.limits import DEFAULT, Limits

_PIECE_BYTES = 1024 * 1024
_ZERO = b"\x00"


def write_container(out: Writable, members: Iterable[tuple[str, int, BinaryIO | bytes]]) -> None:
    """Write members in the order given.

    Args:
        out: a binary file, left open.
        members: name, size in bytes, and content of each; a file is read from where it stands.

    Raises:
        EvidenceError: a name or size does not fit, or a content is shorter or longer than its size.
    """
    gzip = GzipWriter(out)
    for name, size, content in members:
        gzip.write(ustar.encode(name, size))
        if isinstance(content, bytes):
            written = len(content)
            gzip.write(content)
        else:
            written = 0
            while piece := content.read(_PIECE_BYTES):
                written += len(piece)
                gzip.write(piece)
        if written != size:
            raise EvidenceError(f"member {name}: expected {size} bytes of content, got {written}")
        gzip.write(bytes(ustar.padding(size)))
    gzip.write(ustar.END)
    gzip.close()


class Member:
    """One member while it is being read: its name, its size, and its content once."""

    __slots__ = ("_left", "_reader", "name", "size")

    def __init__(self, reader: "ContainerReader", name: str, size: int) -> None:
        self._reader = reader
        self._left = size
        self.name = name
        self.size = size

    def pieces(self, piece_bytes: int = _PIECE_BYTES) -> Iterator[bytes]:
        """The rest of the content in pieces of at most `piece_bytes`."""
        while self._left:
            piece = self._reader.take(min(self._left, piece_bytes))
            self._left -= len(piece)
            yield piece

    def read(self) -> bytes:
        """The rest of the content at once; the caller has looked at `size`."""
        return b"".join(self.pieces())


class ContainerReader:
    """Reads a container strictly, once, from front to back.

    Raises:
        EvidenceError: whatever is not as `write_container` writes it, as soon as it is met.
    """

    sha256_hex: str
    """Digest of the container file; known once `members` is exhausted."""
    file_bytes: int
    """Size of the container file; known once `members` is exhausted."""

    def __init__(self, file: BinaryIO, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._gzip = GzipReader(
            file, file_bytes_max=limits.bundle_bytes_max, decoded_bytes_max=limits.decoded_bytes_max
        )

    def members(self) -> Iterator[Member]:
        """The members in order. A member left unread is skipped; the end of the file is checked after the last."""
        for _ in range(self._limits.members_max + 1):
            block = self._exactly(ustar.BLOCK_BYTES)
            if not block.strip(_ZERO):
                break
            member = self._member(block)
            yield member
            for _ in member.pieces():
                pass
            if self._exactly(ustar.padding(member.size)).strip(_ZERO):
                raise EvidenceError(f"member {member.name}: padding that is not zero")
        else:
            raise EvidenceError(f"container: more than {self._limits.members_max} members")
        if self._exactly(ustar.BLOCK_BYTES).strip(_ZERO):
            raise EvidenceError("container: one zero block instead of two at its end")
        self.sha256_hex, self.file_bytes = self._gzip.finish()

    def take(self, size: int) -> bytes:
        """At most `size` bytes of the archive, at least one."""
        data = self._gzip.read(size)
        if not data:
            raise EvidenceError("container: the archive ends early")
        return data

    def _member(self, block: bytes) -> Member:
        name, size = ustar.decode(block)
        if len(name) > self._limits.path_bytes_max:
            raise EvidenceError(f"member {name[:200]!r}: path longer than {self._limits.path_bytes_max}")
        if self._gzip.size + size > self._limits.decoded_bytes_max:
            raise EvidenceError(f"member {name}: {size} bytes do not fit in {self._limits.decoded_bytes_max} decoded")
        return Member(self, name, size)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self.take(size - len(data))
        return data
