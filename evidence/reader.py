"""Reads an evidence bundle: strictly, as a stream, in memory that does not depend on the number of events.

Law: whoever reached `finish` has seen exactly the bytes that `seal` writes for some run; everything else ends in a
`BundleError` that names the stage (container, manifest, files, events). All or nothing: what was yielded before an error
is not evidence.

A bundle is read once, front to back. Packs and profiles stand behind the events but are wanted before them, so a bundle
that carries any is first scanned for them alone; the second reading holds them to the digests in the manifest, as the
scan did.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from evidence import manifest as layout
from evidence.canonical import JsonObject
from evidence.container import ContainerReader, Member
from evidence.digest import sha256_hex
from evidence.errors import BundleError, Check, EventError, EvidenceError
from evidence.event import decode
from evidence.limits import DEFAULT, Limits
from evidence.merkle import MerkleTree

_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """What is known of one evidence bundle once its whole file was written or read."""

    file: str
    """Name of the container file, without any folder."""
    container_sha256: str
    """SHA-256 of the container file, in hexadecimal."""
    container_bytes: int
    manifest: JsonObject
    manifest_sha256: str
    members: Mapping[str, str]
    """SHA-256 of each member, in hexadecimal, by name and in order."""
    reports: Mapping[str, bytes]
    """The content of each member under `reports/`."""
    source: str
    """The CloudEvents source of every event."""
    first_time: str
    """The earliest time of any event."""
    last_time: str
    """The latest time of any event."""

    @property
    def bundle_id(self) -> str:
        """The manifest's digest without itself, which names the bundle."""
        return str(self.manifest["bundle_id"])


class EvidenceBundle:
    """One bundle file while it is being read.

    >>> with EvidenceBundle.open(path) as bundle:            # doctest: +SKIP
    ...     for event, line in bundle.events(): ...
    ...     facts = bundle.finish()

    Does not check: signatures, whether the reports are what the events give (see `evidence.recompute`), whether the
    mapping is, times against any clock, and that bundles of a run follow each other.
    """

    manifest: JsonObject
    """Checked by itself, before any event."""
    manifest_sha256: str
    attached: Mapping[str, bytes]
    """Packs and profiles that the bundle carries, by member name, held to their digests."""

    def __init__(self, file: BinaryIO, name: str, attached: Mapping[str, bytes], limits: Limits) -> None:
        self._file = file
        self._name = name
        self._limits = limits
        with _stage("container"):
            self._container = ContainerReader(file, limits)
            self._members = self._container.members()
        data = self._first_member()
        self.manifest_sha256 = sha256_hex(data)
        self.manifest = layout.read_manifest(data, limits)
        self.attached = attached
        self._order = layout.member_order(self.manifest)
        self._listed = {entry["path"]: entry for entry in self.manifest["files"]}
        self._digests = {layout.MANIFEST: self.manifest_sha256}
        self._events: _EventChecks | None = None

    @classmethod
    def open(cls, path: Path, limits: Limits = DEFAULT) -> Self:
        """Open a bundle file and check its manifest, and the packs and profiles it carries.

        Raises:
            BundleError: at the container, its manifest, or the files it lists.
            OSError: the file cannot be read.
        """
        bundle = cls._open(path, {}, limits)
        if not any(name.startswith((layout.PACKS, layout.PROFILES)) for name in bundle._order):
            return bundle
        with bundle:
            attached = dict(bundle._scan_attached())
        again = cls._open(path, attached, limits)
        if again.manifest_sha256 != bundle.manifest_sha256:
            again._file.close()
            raise BundleError("container", "the file changed while it was read")
        return again

    @classmethod
    def _open(cls, path: Path, attached: Mapping[str, bytes], limits: Limits) -> Self:
        file = path.open("rb")
        try:
            return cls(file, path.name, attached, limits)
        except BaseException:
            file.close()
            raise

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
        member = self._next_member(layout.EVENTS)
        checks = _EventChecks(self.manifest, self._limits)
        digest = hashlib.sha256()
        if member.size > self._limits.events_bytes_max:
            raise BundleError("files", f"{member.name}: more than {self._limits.events_bytes_max} bytes")
        for line in self._lines(member, digest):
            yield checks.event(line), line
        self._hold_to_manifest(member.name, digest.hexdigest())
        checks.finish()
        self._events = checks

    def finish(self) -> BundleFacts:
        """Read what follows the events, to the last byte of the file.

        Raises:
            BundleError: a member is missing, unlisted, out of order or of another digest, or bytes are left.
            RuntimeError: `events` was not read to its end.
        """
        checks = self._events
        if checks is None:
            raise RuntimeError("read the events to their end before finish")
        reports = {}
        for name in self._order[2:]:
            content = self._content(self._next_member(name))
            self._hold_to_manifest(name, sha256_hex(content))
            if not name.startswith((layout.PACKS, layout.PROFILES)):
                reports[name] = content
        with _stage("container"):
            extra = next(self._members, None)
        if extra is not None:
            raise BundleError("files", f"{extra.name}: not listed in the manifest")
        return BundleFacts(
            file=self._name,
            container_sha256=self._container.sha256_hex,
            container_bytes=self._container.file_bytes,
            manifest=self.manifest,
            manifest_sha256=self.manifest_sha256,
            members=self._digests,
            reports=reports,
            source=checks.source,
            first_time=checks.first_time,
            last_time=checks.last_time,
        )

    # ---------------------------------------------------------------- members

    def _first_member(self) -> bytes:
        with _stage("container"):
            member = next(self._members, None)
        if member is None or member.name != layout.MANIFEST:
            raise BundleError(
                "files", f"expected {layout.MANIFEST} first, got {member.name if member else 'no member'}"
            )
        if member.size > self._limits.manifest_bytes_max:
            raise BundleError(
                "manifest", f"expected at most {self._limits.manifest_bytes_max} bytes, got {member.size}"
            )
        with _stage("container"):
            return member.read()

    def _next_member(self, name: str) -> Member:
        with _stage("container"):
            member = next(self._members, None)
        if member is None or member.name != name:
            raise BundleError("files", f"expected the member {name}, got {member.name if member else 'the end'}")
        listed = self._listed.get(name)
        if listed is not None and listed["bytes"] != member.size:
            raise BundleError("files", f"{name}: expected {listed['bytes']} bytes, got {member.size}")
        return member

    def _content(self, member: Member) -> bytes:
        if member.size > self._limits.member_bytes_max:
            raise BundleError("files", f"{member.name}: more than {self._limits.member_bytes_max} bytes")
        with _stage("container"):
            return member.read()

    def _hold_to_manifest(self, name: str, sha256: str) -> None:
        listed = self._listed.get(name)
        if listed is not None and listed["sha256"] != sha256:
            raise BundleError("files", f"{name}: expected sha256 {listed['sha256']}, got {sha256}")
        self._digests[name] = sha256

    def _scan_attached(self) -> Iterator[tuple[str, bytes]]:
        """The packs and profiles, skipping the events: the first of two readings."""
        self._next_member(layout.EVENTS)
        total = 0
        for name in self._order[2:]:
            if not name.startswith((layout.PACKS, layout.PROFILES)):
                break
            member = self._next_member(name)
            total += member.size
            if total > self._limits.attached_bytes_max:
                raise BundleError("files", f"packs and profiles: more than {self._limits.attached_bytes_max} bytes")
            content = self._content(member)
            self._hold_to_manifest(name, sha256_hex(content))
            yield name, content

    def _lines(self, member: Member, digest: "hashlib._Hash") -> Iterator[bytes]:
        """The lines of a member without their newlines; the last must end with one."""
        rest = b""
        pieces = member.pieces(_PIECE_BYTES)
        while True:
            with _stage("container"):
                piece = next(pieces, None)
            if piece is None:
                break
            digest.update(piece)
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            if len(rest) > self._limits.line_bytes_max:
                raise BundleError("events", f"a line of more than {self._limits.line_bytes_max} bytes")
            yield from lines
        if rest:
            raise BundleError("events", "the last line does not end with a newline")


class _EventChecks:
    """What holds between the events of a part, and between them and its manifest."""

    def __init__(self, manifest: JsonObject, limits: Limits) -> None:
        self._manifest = manifest
        self._limits = limits
        self._run_id = manifest["run_id"]
        self._seq = manifest["first_seq"]
        self._tree = MerkleTree()
        self.source = ""
        self.first_time = self.last_time = ""

    def event(self, line: bytes) -> JsonObject:
        """The event of the next line."""
        try:
            event = decode(line, self._limits)
        except EventError as error:
            raise BundleError("events", f"line {self._tree.size + 1}: {error}") from error
        if event["seq"] != self._seq:
            raise BundleError("events", f"line {self._tree.size + 1}: seq: expected {self._seq}, got {event['seq']}")
        if event["runid"] != self._run_id:
            raise BundleError(
                "events", f"line {self._tree.size + 1}: runid: expected {self._run_id}, got {event['runid']}"
            )
        time = event["time"]
        if not self._tree.size:
            self.source, self.first_time, self.last_time = event["source"], time, time
        elif event["source"] != self.source:
            raise BundleError(
                "events", f"line {self._tree.size + 1}: source: expected {self.source}, got {event['source']}"
            )
        self.first_time, self.last_time = min(self.first_time, time), max(self.last_time, time)
        self._tree.append(line)
        self._seq += 1
        return event

    def finish(self) -> None:
        """Hold the whole to the manifest."""
        if self._tree.size != self._manifest["event_count"]:
            raise BundleError("events", f"expected {self._manifest['event_count']} events, got {self._tree.size}")
        root = self._tree.root().hex()
        if root != self._manifest["merkle"]["root"]:
            raise BundleError("events", f"Merkle root: expected {self._manifest['merkle']['root']}, got {root}")


@contextmanager
def _stage(check: Check) -> Iterator[None]:
    """An error of the container's own becomes a `BundleError` of the stage."""
    try:
        yield
    except BundleError:
        raise
    except EvidenceError as error:
        raise BundleError(check, str(error)) from error
