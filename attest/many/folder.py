"""What lies in a folder of bundles: the bundles, attestations that belong to none, and how much else.

Law: the same folder gives the same answer, in order of path; links are not followed; nothing is opened.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from attest.errors import FolderError
from attest.limits import DEFAULT, AttestLimits
from evidence.run import ATTESTATION_SUFFIX, BUNDLE_SUFFIX

_FURTHER = re.compile(r"(?P<run>.+)\.(?:[2-9]|1[0-6])")
"""A second or later attestation, without its suffix: RUN.2 to RUN.16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What was found below one folder."""

    bundles: tuple[Path, ...]
    """Every NAME.evidence.tar.gz, in order of path."""
    orphans: tuple[Path, ...]
    """Attestations beside which there is no bundle: one was removed."""
    others: int
    """Files that are neither, and what is no file: pipes, sockets and devices, which are not opened."""
    links: int
    """Symbolic links, to whatever: none was followed."""


def find(folder: Path, limits: AttestLimits = DEFAULT) -> Folder:
    """Look through a folder and those below it.

    Raises:
        FolderError: one cannot be read, they are nested too deep, or there are too many files: it cannot be said what is there.
    """
    bundles: list[Path] = []
    orphans: list[Path] = []
    others = links = seen = 0
    for path, entries in _walk(folder, 0, limits):
        seen += len(entries)
        if seen > limits.folder_entries_max:
            raise FolderError(f"{folder}: more than {limits.folder_entries_max} files")
        links += sum(entry.is_symlink() for entry in entries)
        names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        here = {name.removesuffix(BUNDLE_SUFFIX) for name in names if name.endswith(BUNDLE_SUFFIX)}
        linked = {entry.name.removesuffix(BUNDLE_SUFFIX) for entry in entries if _is_linked_bundle(entry)}
        others += sum(not (entry.is_symlink() or entry.is_file() or entry.is_dir()) for entry in entries)
        for name in names:
            if name.endswith(BUNDLE_SUFFIX):
                bundles.append(path / name)
            elif not name.endswith(ATTESTATION_SUFFIX):
                others += 1
            elif not _belongs(name.removesuffix(ATTESTATION_SUFFIX), here, linked):
                orphans.append(path / name)
    return Folder(bundles=tuple(sorted(bundles)), orphans=tuple(sorted(orphans)), others=others, links=links)


def find_attestations(bundle: Path, limits: AttestLimits = DEFAULT) -> tuple[Path, ...]:
    """The attestations beside a bundle: RUN.sigstore.json, then RUN.2.sigstore.json and so on.

    None when the file is not named like a bundle. RUN.2.sigstore.json is of RUN.2.evidence.tar.gz where that lies beside it.
    """
    if not bundle.name.endswith(BUNDLE_SUFFIX):
        return ()
    run = os.fspath(bundle).removesuffix(BUNDLE_SUFFIX)
    first = f"{run}{ATTESTATION_SUFFIX}"
    found = [first] if os.path.isfile(first) else []  # noqa: PTH113 - asked sixteen times of every bundle
    for number in range(2, limits.attestations_per_bundle_max + 1):
        further = f"{run}.{number}{ATTESTATION_SUFFIX}"
        if os.path.isfile(further) and not os.path.isfile(f"{run}.{number}{BUNDLE_SUFFIX}"):  # noqa: PTH113 - as above
            found.append(further)
    return tuple(map(Path, found))


def _is_linked_bundle(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(BUNDLE_SUFFIX) and entry.is_symlink() and os.path.isfile(entry.path)  # noqa: PTH113 - asked as below


def _belongs(name: str, bundles: set[str], linked: set[str]) -> bool:
    """Whether an attestation is judged with one of the bundles. One that belongs to a link is not: nobody follows it."""
    further = _FURTHER.fullmatch(name)
    return name in bundles or (further is not None and further["run"] in bundles and name not in linked)


def _walk(folder: Path, depth: int, limits: AttestLimits) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    if depth > limits.folder_depth_max:
        raise FolderError(f"{folder}: folders nested more than {limits.folder_depth_max} deep")
    try:
        with os.scandir(folder) as found:
            entries = []
            for entry in found:
                entries.append(entry)
                if len(entries) > limits.folder_entries_max:
                    raise FolderError(f"{folder}: more than {limits.folder_entries_max} files")
    except OSError as error:
        raise FolderError(f"{folder}: cannot be read: {error.strerror or error}") from error
    yield folder, entries
    for entry in sorted(entries, key=lambda one: one.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, depth + 1, limits)
