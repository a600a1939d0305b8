"""One gzip member with a fixed header (RFC 1952), written and read as a stream of bounded memory.

https://www.rfc-editor.org/rfc/rfc1952

Law: what is written depends on the content alone, not on how it was cut into pieces. What is read is one member, whole:
the fixed header, a complete deflate stream, the right CRC and length, and not a byte after them.
"""

import hashlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from isal import igzip_lib, isal_zlib

from evidence.errors import EvidenceError

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no flags, no time, no name, no extra flags, operating system unknown."""
_TRAILER_BYTES = 8
_LEVEL = 1  # of isal's 0 to 3: 1 is the fastest that compresses well
_PIECE_BYTES = 256 * 1024


class Writable(Protocol):
    """Takes bytes in order."""

    def write(self, data: bytes, /) -> object:
        """Write all of `data`."""
        ...


class GzipWriter:
    """Compresses what is written to it into a file. `close` ends the member and leaves the file open."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
        self._pending = bytearray()
        self._crc = 0
        self._size = 0
        out.write(HEADER)

    def write(self, data: bytes) -> None:
        """Add content."""
        self._crc = isal_zlib.crc32(data, self._crc)
        self._size += len(data)
        self._pending += data
        while len(self._pending) >= _PIECE_BYTES:  # the compressor sees equal pieces, whatever it was given
            self._out.write(self._deflate.compress(bytes(self._pending[:_PIECE_BYTES])))
            del self._pending[:_PIECE_BYTES]

    def close(self) -> None:
        """End the member: the rest of the content, CRC-32 and length."""
        self._out.write(self._deflate.compress(bytes(self._pending)) + self._deflate.flush())
        self._out.write(self._crc.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little"))


class GzipReader:
    """Inflates one gzip member from a binary file, and hashes the file on the way."""

    size: int
    """Bytes inflated so far."""

    header: bytes
    """The ten bytes that the file begins with."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        file_bytes_max: int,
        decoded_bytes_max: int,
        takes: Callable[[bytes], bool] = HEADER.__eq__,
    ) -> None:
        """`takes` says whether a header will do: another tool's may differ in what describes the file."""
        self._file = file
        self._file_bytes_max = file_bytes_max
        self._decoded_bytes_max = decoded_bytes_max
        self._file_bytes = 0
        self._sha256 = hashlib.sha256()
        self._inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
        self._crc = 0
        self.size = 0
        self.header = self._next_bytes(len(HEADER))
        if len(self.header) < len(HEADER) or not takes(self.header):
            raise EvidenceError(f"gzip header: expected {HEADER.hex()}, got {self.header.hex() or 'an empty file'}")

    def read(self, size: int) -> bytes:
        """At most `size` bytes of content; empty only at its end.

        Raises:
            EvidenceError: the stream is damaged, truncated, or over a bound.
        """
        data = b""
        while not data and not self._inflate.eof:
            piece = self._next_bytes(_PIECE_BYTES) if self._inflate.needs_input else b""
            if self._inflate.needs_input and not piece:
                raise EvidenceError("gzip: the stream ends early")
            try:
                data = self._inflate.decompress(piece, size)
            except igzip_lib.IsalError as error:  # type: ignore[misc]  # the stub declares an instance, it is a class
                raise EvidenceError(f"gzip: damaged deflate stream: {error}") from error
        self._crc = isal_zlib.crc32(data, self._crc)
        self.size += len(data)
        if self.size > self._decoded_bytes_max:
            raise EvidenceError(f"gzip: inflates to more than {self._decoded_bytes_max} bytes")
        return data

    def finish(self) -> tuple[str, int]:
        """Check the end of the member and of the file; the SHA-256 (hexadecimal) and size of the whole file.

        Raises:
            EvidenceError: content is left, CRC or length are wrong, or bytes follow.
        """
        if self.read(1):
            raise EvidenceError("gzip: content after its expected end")
        trailer = self._inflate.unused_data
        while len(trailer) <= _TRAILER_BYTES and (more := self._next_bytes(_PIECE_BYTES)):
            trailer += more
        expected = self._crc.to_bytes(4, "little") + (self.size & 0xFFFFFFFF).to_bytes(4, "little")
        if trailer[:_TRAILER_BYTES] != expected:
            raise EvidenceError(f"gzip: expected the trailer {expected.hex()}, got {trailer[:_TRAILER_BYTES].hex()}")
        if len(trailer) > _TRAILER_BYTES:
            raise EvidenceError("gzip: bytes after the end of the member")
        return self._sha256.hexdigest(), self._file_bytes

    def _next_bytes(self, size: int) -> bytes:
        data = self._file.read(size)
        self._sha256.update(data)
        self._file_bytes += len(data)
        if self._file_bytes > self._file_bytes_max:
            raise EvidenceError(f"container: larger than {self._file_bytes_max} bytes")
        return data
