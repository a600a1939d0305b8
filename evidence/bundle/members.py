"""The members of a bundle in their order, each held to the manifest: what `evidence.bundle.reader` reads events from.

Law: members come exactly as the manifest and the design order them, and each has the size and digest that is listed.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evidence import manifest as layout
from evidence.canonical import JsonObject
from evidence.container.archive import ContainerReader, Member
from evidence.digest import sha256_hex
from evidence.errors import BundleError, Check, EvidenceError
from evidence.limits import Limits
from evidence.regular import open_regular

_PIECE_BYTES = 48 * 1024  # of lines: decoded, they still fit where a core reads fast


class Members:
    """One reading of a bundle file, front to back, with its manifest checked.

    Raises:
        BundleError: the container or the manifest is not valid.
        OSError: the file cannot be read.
    """

    manifest: JsonObject
    manifest_sha256: str
    digests: dict[str, str]
    """SHA-256 of each member read so far, in hexadecimal, by name."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._limits = limits
        self._file = open_regular(path)
        try:
            with stage("container"):
                self._container = ContainerReader(self._file, limits)
            self._iterator = self._container.members()
            data = self._read_manifest()
            self.manifest_sha256 = sha256_hex(data)
            self.manifest = layout.read_manifest(data, limits)
        except BaseException:
            self._file.close()
            raise
        self.order = layout.member_order(self.manifest)
        self.attached = [name for name in self.order if name.startswith((layout.PACKS, layout.PROFILES))]
        self._listed = {entry["path"]: entry for entry in self.manifest["files"]}
        self.digests = {layout.MANIFEST: self.manifest_sha256}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def content(self, name: str) -> bytes:
        """The whole content of the next member, which must be `name`."""
        member = self._next(name)
        if member.size > self._limits.member_bytes_max:
            raise BundleError("files", f"{name}: more than {self._limits.member_bytes_max} bytes")
        with stage("container"):
            content = member.read()
        self._hold(name, sha256_hex(content))
        return content

    def skip(self, name: str) -> None:
        """Pass over the next member, which must be `name`. Its digest is not looked at."""
        self._next(name)

    def lines(self, name: str) -> Iterator[list[bytes]]:
        """The lines of the next member, which must be `name`, without their newlines; the last must end with one.

        They come some at a time: those that end in one piece of `_PIECE_BYTES`.
        """
        member = self._next(name)
        if member.size > self._limits.events_bytes_max:
            raise BundleError("files", f"{name}: more than {self._limits.events_bytes_max} bytes")
        digest = hashlib.sha256()
        rest: list[bytes] = []
        rest_bytes = 0
        for piece in self._pieces(member):
            digest.update(piece)
            lines = piece.split(b"\n")
            rest.append(lines[0])
            rest_bytes += len(lines[0])
            if rest_bytes > self._limits.line_bytes_max:
                raise BundleError("events", f"a line of more than {self._limits.line_bytes_max} bytes")
            if len(lines) > 1:
                lines[0] = b"".join(rest)
                rest = [lines.pop()]
                rest_bytes = len(rest[0])
                yield lines
        if rest_bytes:
            raise BundleError("events", "the last line does not end with a newline")
        self._hold(name, digest.hexdigest())

    def end(self) -> tuple[str, int]:
        """The digest (hexadecimal) and size of the file, once no member and no byte is left."""
        with stage("container"):
            extra = next(self._iterator, None)
        if extra is not None:
            raise BundleError("files", f"{extra.name}: not listed in the manifest")
        return self._container.sha256_hex, self._container.file_bytes

    def _read_manifest(self) -> bytes:
        with stage("container"):
            member = next(self._iterator, None)
        if member is None or member.name != layout.MANIFEST:
            raise BundleError(
                "files", f"expected {layout.MANIFEST} first, got {member.name if member else 'no member'}"
            )
        if member.size > self._limits.manifest_bytes_max:
            raise BundleError(
                "manifest", f"expected at most {self._limits.manifest_bytes_max} bytes, got {member.size}"
            )
        with stage("container"):
            return member.read()

    def _next(self, name: str) -> Member:
        with stage("container"):
            member = next(self._iterator, None)
        if member is None or member.name != name:
            raise BundleError("files", f"expected the member {name}, got {member.name if member else 'the end'}")
        listed = self._listed.get(name)
        if listed is not None and listed["bytes"] != member.size:
            raise BundleError("files", f"{name}: expected {listed['bytes']} bytes, got {member.size}")
        return member

    def _pieces(self, member: Member) -> Iterator[bytes]:
        pieces = member.pieces(_PIECE_BYTES)
        while True:
            with stage("container"):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    def _hold(self, name: str, sha256: str) -> None:
        listed = self._listed.get(name)
        if listed is not None and listed["sha256"] != sha256:
            raise BundleError("files", f"{name}: expected sha256 {listed['sha256']}, got {sha256}")
        self.digests[name] = sha256


@contextmanager
def stage(check: Check) -> Iterator[None]:
    """Name the stage of what goes wrong inside: an error of this room becomes a `BundleError` of `check`."""
    try:
        yield
    except BundleError:
        raise
    except EvidenceError as error:
        raise BundleError(check, str(error)) from error
