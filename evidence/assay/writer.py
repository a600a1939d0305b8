"""Writes an Assay bundle: one way, from events that its own reader and ours accept.

Law: the members are a function of the events and the producer; the container one of them and of the zlib at hand. What
cannot be in a bundle is refused here, before it is written.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from evidence.assay import gnu_tar
from evidence.assay.container import EVENTS, GZIP_HEADER, MANIFEST
from evidence.assay.event import OPTIONAL, content_hash, read_event
from evidence.assay.limits import DEFAULT, AssayLimits
from evidence.assay.manifest import make_manifest, read_manifest
from evidence.canonical import JsonObject, canonical
from evidence.errors import EventError, EvidenceError

_LEVEL = 9
_PIECE_BYTES = 256 * 1024


class AssayWriter:
    """Takes events one after another into a spool file, then writes the bundle.

    Args:
        spool: an empty binary file that can be read again, left open.
        run_id: without a colon.
        source: the URI in every event.
        producer: `name`, `version` and, when known, `git`.
    """

    def __init__(
        self,
        spool: BinaryIO,
        *,
        run_id: str,
        source: str,
        producer: Mapping[str, str],
        limits: AssayLimits = DEFAULT,
    ) -> None:
        self._spool = spool
        self._run_id = run_id
        self._source = source
        self._producer = dict(producer)
        self._limits = limits
        self._events_sha256 = hashlib.sha256()
        self._root = hashlib.sha256()
        self._bytes = self._count = 0

    def event(self, *, type_: str, time: str, data: object, secrets: bool, **optional: str | None) -> bytes:
        """Append an event; `optional` are the members of `evidence.assay.event.OPTIONAL`, None for none. Its line.

        Raises:
            EventError: it is not what the format takes, or too large for it; nothing was appended.
        """
        event: JsonObject = {
            "specversion": "1.0",
            "type": type_,
            "source": self._source,
            "id": f"{self._run_id}:{self._count}",
            "time": time,
            "datacontenttype": "application/json",
            "assayrunid": self._run_id,
            "assayseq": self._count,
            "assayproducer": self._producer["name"],
            "assayproducerversion": self._producer["version"],
            "assaygit": self._producer.get("git", "unknown"),
            "assaypii": False,
            "assaysecrets": secrets,
            "data": data,
        }
        event |= {name: optional[name] for name in OPTIONAL if optional.get(name) is not None}
        try:
            event["assaycontenthash"] = content_hash(event)
            line = canonical(event)
        except EvidenceError as error:
            raise EventError(str(error)) from error
        self.line(line)
        return line

    def line(self, line: bytes) -> None:
        """Append an event that has its line already, without the newline.

        Raises:
            EventError: it is not what the format takes; nothing was appended.
        """
        event = read_event(line, self._limits)
        if self._count >= self._limits.events_max:
            raise EventError(f"more than {self._limits.events_max} events")
        if self._bytes + len(line) + 1 > self._limits.events_bytes_max:
            raise EventError(f"more than {self._limits.events_bytes_max} bytes of events")
        if event["id"] != f"{self._run_id}:{self._count}" or event["source"] != self._source:
            raise EventError(f"expected event {self._run_id}:{self._count} of {self._source}, got {event['id'][:100]}")
        self._spool.write(line + b"\n")
        self._events_sha256.update(line + b"\n")
        self._root.update(f"{event['assaycontenthash']}\n".encode())
        self._bytes += len(line) + 1
        self._count += 1

    def finish(self, out: BinaryIO) -> bytes:
        """Write the container; the manifest in it.

        Raises:
            BundleError: there is no event, or the manifest is not what the format takes.
        """
        manifest = make_manifest(
            run_id=self._run_id,
            producer=self._producer,
            event_count=self._count,
            run_root=f"sha256:{self._root.hexdigest()}",
            events_sha256=self._events_sha256.hexdigest(),
            events_bytes=self._bytes,
        )
        read_manifest(manifest, self._limits)
        self._spool.seek(0)
        deflate, crc, size = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS), 0, 0
        out.write(GZIP_HEADER)
        for piece in self._archive(manifest):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            out.write(deflate.compress(piece))
        out.write(deflate.flush() + crc.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little"))
        return manifest

    def _archive(self, manifest: bytes) -> Iterator[bytes]:
        yield gnu_tar.encode(MANIFEST, len(manifest)) + manifest + bytes(gnu_tar.padding(len(manifest)))
        yield gnu_tar.encode(EVENTS, self._bytes)
        while piece := self._spool.read(_PIECE_BYTES):
            yield piece
        yield bytes(gnu_tar.padding(self._bytes) + 2 * gnu_tar.BLOCK_BYTES)
