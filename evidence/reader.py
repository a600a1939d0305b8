"""Reads an evidence bundle: strictly, as a stream, in memory that does not depend on the number of events.

Law: whoever reached `finish` has seen exactly the bytes that `seal` writes for some run; everything else ends in a
`BundleError` that names the stage (container, manifest, files, events). All or nothing: what was yielded before an error
is not evidence.

A bundle is read once, front to back. Packs and profiles stand behind the events but are wanted before them, so a bundle
that carries any is first scanned for them alone; the second reading holds them to the same manifest as the first did.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from evidence import manifest as layout
from evidence.canonical import JsonObject
from evidence.errors import BundleError, EventError
from evidence.event import decode
from evidence.limits import DEFAULT, Limits
from evidence.members import Members
from evidence.merkle import MerkleTree


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """What is known of one evidence bundle once its whole file was written or read."""

    path: Path
    """The container file."""
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
    def file(self) -> str:
        """Name of the container file, without any folder."""
        return self.path.name

    @property
    def bundle_id(self) -> str:
        """The manifest's digest without itself, which names the bundle."""
        return str(self.manifest["bundle_id"])


class EvidenceBundle:
    """One bundle file while it is being read.

    >>> with EvidenceBundle.open(path) as bundle:            # doctest: +SKIP
    ...     for event, line in bundle.events(): ...
    ...     facts = bundle.finish()

    Does not check: signatures, whether the reports and the mapping are what the events give, times against any clock,
    and that the bundles of a run follow each other.
    """

    manifest: JsonObject
    """Checked by itself, before any event."""
    manifest_sha256: str
    attached: Mapping[str, bytes]
    """Packs and profiles that the bundle carries, by member name, held to their digests."""

    def __init__(self, path: Path, members: Members, attached: Mapping[str, bytes], limits: Limits) -> None:
        self._path = path
        self._members = members
        self._limits = limits
        self._checks: _EventChecks | None = None
        self.manifest = members.manifest
        self.manifest_sha256 = members.manifest_sha256
        self.attached = attached

    @classmethod
    def open(cls, path: Path, limits: Limits = DEFAULT) -> Self:
        """Open a bundle file, check its manifest, and read the packs and profiles it carries.

        Raises:
            BundleError: at the container, its manifest, or the files it lists.
            OSError: the file cannot be read.
        """
        members = Members(path, limits)
        if not members.attached:
            return cls(path, members, {}, limits)
        attached = _read_attached(members, limits)
        again = Members(path, limits)
        if again.manifest_sha256 != members.manifest_sha256:
            again.close()
            raise BundleError("container", "the file changed while it was read")
        return cls(path, again, attached, limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._members.close()

    def events(self) -> Iterator[tuple[JsonObject, bytes]]:
        """Each event as decoded and as its line without the newline, in order; once.

        Raises:
            BundleError: as soon as a line is not what it must be, or, after the last, when the whole is not.
        """
        checks = _EventChecks(self.manifest, self._limits)
        for line in self._members.lines(layout.EVENTS):
            yield checks.event(line), line
        checks.finish()
        self._checks = checks

    def finish(self) -> BundleFacts:
        """Read what follows the events, to the last byte of the file.

        Raises:
            BundleError: a member is missing, unlisted, out of order or of another digest, or bytes are left.
            RuntimeError: `events` was not read to its end.
        """
        checks = self._checks
        if checks is None:
            raise RuntimeError("read the events to their end before finish")
        for name in self._members.attached:
            self._members.content(name)
        reports = {name: self._members.content(name) for name in self._members.order[2 + len(self._members.attached) :]}
        container_sha256, container_bytes = self._members.end()
        return BundleFacts(
            path=self._path,
            container_sha256=container_sha256,
            container_bytes=container_bytes,
            manifest=self.manifest,
            manifest_sha256=self.manifest_sha256,
            members=self._members.digests,
            reports=reports,
            source=checks.source,
            first_time=checks.first_time,
            last_time=checks.last_time,
        )


def _read_attached(members: Members, limits: Limits) -> dict[str, bytes]:
    """The packs and profiles of a bundle: the first of its two readings."""
    try:
        members.skip(layout.EVENTS)
        attached: dict[str, bytes] = {}
        for name in members.attached:
            attached[name] = members.content(name)
            if sum(map(len, attached.values())) > limits.attached_bytes_max:
                raise BundleError("files", f"packs and profiles: more than {limits.attached_bytes_max} bytes")
        return attached
    finally:
        members.close()


class _EventChecks:
    """What holds between the events of a part, and between them and its manifest."""

    def __init__(self, manifest: JsonObject, limits: Limits) -> None:
        self._manifest = manifest
        self._limits = limits
        self._next_seq = manifest["first_seq"]
        self._tree = MerkleTree()
        self.source = ""
        self.first_time = self.last_time = ""

    def event(self, line: bytes) -> JsonObject:
        """The event of the next line."""
        try:
            event = decode(line, self._limits)
            self._check_place(event)
        except EventError as error:
            raise BundleError("events", f"line {self._tree.size + 1}: {error}") from error
        self._tree.append(line)
        self._next_seq += 1
        return event

    def finish(self) -> None:
        """Hold the whole to the manifest."""
        if self._tree.size != self._manifest["event_count"]:
            raise BundleError("events", f"expected {self._manifest['event_count']} events, got {self._tree.size}")
        root = self._tree.root().hex()
        if root != self._manifest["merkle"]["root"]:
            raise BundleError("events", f"Merkle root: expected {self._manifest['merkle']['root']}, got {root}")

    def _check_place(self, event: JsonObject) -> None:
        manifest, time = self._manifest, event["time"]
        if self._tree.size == 0:
            self.source, self.first_time, self.last_time = event["source"], time, time
        if event["seq"] != self._next_seq:
            raise EventError(f"seq: expected {self._next_seq}, got {event['seq']}")
        if event["seq"] > manifest["last_seq"]:
            raise EventError(f"seq: expected at most {manifest['last_seq']}, got {event['seq']}")
        if event["runid"] != manifest["run_id"]:
            raise EventError(f"runid: expected {manifest['run_id']}, got {event['runid']}")
        if event["source"] != self.source:
            raise EventError(f"source: expected {self.source}, got {event['source']}")
        if time < self.first_time:
            self.first_time = time
        elif time > self.last_time:
            self.last_time = time
