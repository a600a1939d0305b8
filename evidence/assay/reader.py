"""Reads an Assay bundle: strictly, as a stream, in memory that does not depend on the number of events.

The order of checks is that of its own verifier, and further ones stand where it has none.
Law: whoever reached `finish` has seen the bytes of a whole bundle whose lines, counts and digests agree; everything else
ends in a `BundleError` that names the stage. All or nothing: what was yielded before an error is not evidence.

Does not check: whether anything outside `evidence.assay.event.HASHED` is true. Nothing in the format binds it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from evidence.assay.claims import Claims, ClaimsSeen
from evidence.assay.container import EVENTS, AssayContainer
from evidence.assay.event import read_event
from evidence.assay.limits import DEFAULT, AssayLimits
from evidence.assay.manifest import read_manifest
from evidence.canonical import JsonObject
from evidence.digest import sha256_hex
from evidence.errors import BundleError, EventError
from evidence.regular import open_regular


@dataclass(frozen=True, slots=True, kw_only=True)
class AssayFacts:
    """What is known of one Assay bundle once its whole file was read."""

    container_sha256: str
    container_bytes: int
    manifest: JsonObject
    manifest_sha256: str
    events_sha256: str
    odd: tuple[str, ...]
    """What of the container is otherwise than Assay writes it; only the container's digest covers it."""
    claims: Claims

    @property
    def run_root(self) -> str:
        """The tagged digest over the content hashes: the bundle's id, and all that its format binds."""
        return str(self.manifest["run_root"])


class AssayBundle:
    """One Assay bundle while it is being read.

    >>> with AssayBundle.open(path) as bundle:            # doctest: +SKIP
    ...     for event, line in bundle.events(): ...
    ...     facts = bundle.finish()
    """

    manifest: JsonObject
    """Checked by itself, before any event."""
    manifest_bytes: bytes

    def __init__(self, path: Path, limits: AssayLimits = DEFAULT) -> None:
        self._limits = limits
        self._claims = ClaimsSeen(limits)
        self._is_read = False
        self._file = open_regular(path)
        try:
            self._container = AssayContainer(self._file, limits)
            self.manifest_bytes = self._container.manifest()
            self.manifest = read_manifest(self.manifest_bytes, limits)
            size, listed = self._container.begin_events(), self.manifest["files"][EVENTS]["bytes"]
            if size != listed:
                raise BundleError("files", f"{EVENTS}: expected {listed} bytes, got {size}")
        except BaseException:
            self._file.close()
            raise

    @classmethod
    def open(cls, path: Path, limits: AssayLimits = DEFAULT) -> Self:
        """Open a bundle file and check its manifest by itself.

        Raises:
            BundleError: at the container, its members or the manifest.
            OSError: the file cannot be read.
        """
        return cls(path, limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()

    def events(self) -> Iterator[tuple[JsonObject, bytes]]:
        """Each event as decoded and as its line without the newline, in order; once.

        Raises:
            BundleError: as soon as a line is not what it must be, or, after the last, when the whole is not.
        """
        manifest, root, count = self.manifest, hashlib.sha256(), 0
        source = ""
        for line in self._container.lines():
            if count >= self._limits.events_max:
                raise BundleError("events", f"more than {self._limits.events_max} events")
            try:
                event = read_event(line, self._limits)
                source = source or event["source"]
                _check_place(event, count, manifest["run_id"], source)
            except EventError as error:
                raise BundleError("events", f"line {count + 1}: {error}") from error
            root.update(f"{event['assaycontenthash']}\n".encode())
            count += 1
            self._claims.add(event, line, count)
            yield event, line
        self._hold(count, f"sha256:{root.hexdigest()}")
        self._is_read = True

    def finish(self) -> AssayFacts:
        """Read what follows the events, to the last byte of the file.

        Raises:
            BundleError: a further member, or bytes beside the archive.
            RuntimeError: `events` was not read to its end.
        """
        if not self._is_read:
            raise RuntimeError("read the events to their end before finish")
        container_sha256, container_bytes = self._container.end()
        return AssayFacts(
            container_sha256=container_sha256,
            container_bytes=container_bytes,
            manifest=self.manifest,
            manifest_sha256=sha256_hex(self.manifest_bytes),
            events_sha256=self._container.events_sha256,
            odd=tuple(self._container.odd),
            claims=self._claims.claims(self.manifest),
        )

    def _hold(self, count: int, root: str) -> None:
        """What must hold between the lines and the manifest."""
        manifest = self.manifest
        listed = manifest["files"][EVENTS]["sha256"]
        if (found := f"sha256:{self._container.events_sha256}") != listed:
            raise BundleError("files", f"{EVENTS}: expected {listed}, got {found}")
        if count != manifest["event_count"]:
            raise BundleError("events", f"expected {manifest['event_count']} events, got {count}")
        if root != manifest["run_root"]:
            raise BundleError("events", f"run root: expected {manifest['run_root']}, got {root}")
        if manifest["bundle_id"] != root:
            raise BundleError("manifest", f"bundle_id: expected the run root {root}, got {manifest['bundle_id']}")


def read_assay(path: Path, limits: AssayLimits = DEFAULT) -> AssayFacts:
    """Read a whole Assay bundle; see `AssayBundle`."""
    with AssayBundle.open(path, limits) as bundle:
        for _ in bundle.events():
            pass
        return bundle.finish()


def _check_place(event: JsonObject, index: int, run_id: str, source: str) -> None:
    if event["assayseq"] != index:
        raise EventError(f"assayseq: expected {index}, got {event['assayseq']}")
    if event["assayrunid"] != run_id:
        raise EventError(f"assayrunid: expected {run_id[:100]!r}, got {event['assayrunid'][:100]!r}")
    if event["source"] != source:
        raise EventError(f"source: expected {source[:100]!r}, got {event['source'][:100]!r}")
    if event["id"] != f"{run_id}:{index}":
        raise EventError(f"id: expected {run_id[:100]}:{index}, got {event['id'][:100]!r}")
