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
from evidence.bundle.members import Members
from evidence.bundle.sequence import EventSequence
from evidence.canonical import JsonObject
from evidence.container.foreign import ASSAY, is_assay
from evidence.errors import BundleError, EventError, UnknownFormatError
from evidence.limits import DEFAULT, Limits


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
        self._sequence: EventSequence | None = None
        self.manifest = members.manifest
        self.manifest_sha256 = members.manifest_sha256
        self.attached = attached

    @classmethod
    def open(cls, path: Path, limits: Limits = DEFAULT) -> Self:
        """Open a bundle file, check its manifest, and read the packs and profiles it carries.

        Raises:
            BundleError: at the container, its manifest, or the files it lists.
            UnknownFormatError: it is a bundle of another tool.
            OSError: the file cannot be read.
        """
        try:
            members = Members(path, limits)
        except BundleError as error:
            if is_assay(path):
                raise UnknownFormatError("container", ASSAY) from error
            raise
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
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[list[tuple[JsonObject, bytes]]]:
        """What `events` gives, some 48 KiB of lines at a time: quicker for who takes each event several steps further.

        Raises:
            BundleError: as `events` does.
        """
        manifest = self.manifest
        sequence = EventSequence(run_id=manifest["run_id"], first_seq=manifest["first_seq"], limits=self._limits)
        for lines in self._members.lines(layout.EVENTS):
            left = manifest["event_count"] - sequence.size
            try:
                events = sequence.add_all(lines[: left + 1])
            except EventError as error:
                raise BundleError("events", str(error)) from error
            if len(events) > left:
                raise BundleError("events", f"expected {manifest['event_count']} events, got more")
            yield list(zip(events, lines, strict=True))
        if sequence.size != manifest["event_count"]:
            raise BundleError("events", f"expected {manifest['event_count']} events, got {sequence.size}")
        if sequence.root_hex != manifest["merkle"]["root"]:
            raise BundleError("events", f"Merkle root: expected {manifest['merkle']['root']}, got {sequence.root_hex}")
        self._sequence = sequence

    def finish(self) -> BundleFacts:
        """Read what follows the events, to the last byte of the file.

        Raises:
            BundleError: a member is missing, unlisted, out of order or of another digest, or bytes are left.
            RuntimeError: `events` was not read to its end.
        """
        sequence = self._sequence
        if sequence is None:
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
            source=sequence.source,
            first_time=sequence.first_time,
            last_time=sequence.last_time,
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
