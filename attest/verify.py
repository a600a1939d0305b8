"""Verifying evidence bundles offline: one, several, or all that lie in folders, over processes.

Laws: nothing here opens a socket, writes a file or reads a clock; whatever is in the files, the answer is a verdict and never an
exception; with one bit of a bundle or of its attestation changed, the verdict is never `verified`. The container's digest is among the
signed subjects, and an attestation has one spelling only, so no byte of either is slack. Over several processes the result is the same.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias, Unpack

from attest.checks.batch import Batch
from attest.errors import AttestError, FolderError
from attest.many import chain, folder
from attest.many.absent import Batches, find_absent
from attest.many.folder import Folder
from attest.many.rows import Row, Rows
from attest.many.summary import Summary
from attest.verification import Verification, text
from attest.verifier import Terms, Verifier, died, in_full
from evidence.run import BUNDLE_SUFFIX

_FILES_PER_PROCESS = 64
_BYTES_PER_PROCESS = 16 * 1024 * 1024
"""A process of its own costs as much as verifying so many small bundles, or so much of a large one."""


def verify_file(
    path: Path, *, attestation: Path | None = None, disclosed: Path | None = None, **terms: Unpack[Terms]
) -> Verification:
    """Verify one evidence bundle. Never raises on account of what is in it or in its attestations.

    Does not check: whose key it is, when it was signed, and that the sidecar saw everything; the result's second line
    says so each time.

    Args:
        path: the bundle, `RUN.evidence.tar.gz`.
        attestation: the Sigstore bundle about it; by default those beside it, `RUN.sigstore.json`, `RUN.2.sigstore.json` and so on.
        disclosed: pieces that were withheld and are shown now, for the check `disclosed`.
        terms: what it is verified by: whom to trust, and more; see `Terms`.

    Raises:
        AttestError: both a policy and trust beside it, or `disclosed` is no file of disclosures.
        EvidenceError: `at` is no time.
    """
    return Verifier(**terms).verify(path, attestation=attestation, disclosed=disclosed)


def verify_files(
    paths: Sequence[Path],
    *,
    complete: bool = False,
    processes: int | None = 1,
    progress: Callable[[int, int], object] | None = None,
    **terms: Unpack[Terms],
) -> Summary:
    """Verify several bundles, each with the attestations beside it, and the chain between them.

    Keeps a row of about 3 KiB of each, and neither manifests nor reports.

    Args:
        paths: bundles, and folders of them, of which all below count.
        complete: every bundle of their sidecars should be among them, and one that is named and absent is a warning; so it is with a
            folder.
        processes: how many work at once; None for as many as pay. With more than 1, the death of one is a verdict, on the bundle it
            was at.
        progress: called after each bundle with how many are done and how many there are.
        terms: what they are verified by, as in `verify_file`.

    Raises:
        AttestError: no path, or more than `attest_limits.files_per_call_max`; both a policy and trust beside it.
        FolderError: a folder cannot be read, or there is nothing to verify in it.
        EvidenceError: `at` is no time.
    """
    full = in_full(terms)
    limits = full["attest_limits"]
    folders = {path: folder.find(path, limits) for path in paths if path.is_dir()}
    files = list(_files(paths, folders))
    if not len(paths) >= 1 or len(files) > limits.files_per_call_max:
        raise AttestError(f"{len(files)} files to verify, expected 1 to {limits.files_per_call_max}")
    rows: list[Row | None] = [None] * len(files)
    batches = Batches(limits)
    for done, (at, (row, told)) in enumerate(_each(partial(_Work, full), files, processes, strict=full["strict"]), 1):
        rows[at] = row
        batches.add(told)
        if progress is not None:
            progress(done, len(files))
    made = [row for row in rows if row is not None]
    looked = tuple(folders.values())
    left = _left(looked, full)
    for named in left.values():
        batches.add(named)
    return _summary(made, looked, left, batches, complete=complete or bool(folders), strict=full["strict"])


def _files(paths: Sequence[Path], folders: dict[Path, Folder]) -> Iterator[Path]:
    for path in paths:
        found = folders.get(path)
        if found is None:
            yield path
        elif found.bundles or found.orphans:
            yield from found.bundles
        else:
            raise FolderError(
                f"{path}: there is no bundle in this folder, nor below it: no NAME{BUNDLE_SUFFIX},"
                f" {found.others} other files, {found.links} symbolic links"
            )


_Answer: TypeAlias = tuple[Row, tuple[Batch, ...]]
"""What came of a bundle, and the batches that were not told of before."""


class _Work:
    """Verifies one bundle after another, and tells of each batch once: one of a thousand bundles may lie beside all of them."""

    def __init__(self, terms: Terms) -> None:
        self._verifier = Verifier(**terms)
        self._told: set[bytes] = set()

    def __call__(self, path: Path) -> _Answer:
        row, batches = self._verifier.row(path)
        new = tuple(batch for batch in batches if batch.digest in row.batches and batch.digest not in self._told)
        self._told.update(batch.digest for batch in new)
        return row, new


def _left(folders: Sequence[Folder], terms: Terms) -> dict[str, tuple[Batch, ...]]:
    """What attestations without a bundle name, by path; of no more of them than there may be bundles."""
    orphans = [path for found in folders for path in found.orphans][: terms["attest_limits"].files_per_call_max]
    if not orphans or not (terms["trust"] or terms["policy"]):
        return {}
    verifier = Verifier(**terms)
    return {text(path): verifier.left(path) for path in orphans}


def _each(
    make: Callable[[], Callable[[Path], _Answer]],
    files: Sequence[Path],
    processes: int | None,
    *,
    strict: bool,
) -> Iterator[tuple[int, _Answer]]:
    wanted = _processes(files) if processes is None else processes
    if wanted <= 1 or len(files) <= 1:
        return enumerate(map(make(), files))
    from attest.many.processes import over_processes  # noqa: PLC0415 - its pipes come from a module that knows sockets

    return over_processes(make, files, wanted, lambda path, how: (died(path, how, strict=strict), ()))


def _processes(files: Sequence[Path]) -> int:
    """As many as there are processors and work for."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    size = sum(file.stat().st_size for file in files if file.is_file())
    return max(1, min(usable, max(len(files) // _FILES_PER_PROCESS, size // _BYTES_PER_PROCESS)))


def _summary(
    rows: Sequence[Row],
    folders: Sequence[Folder],
    left: Mapping[str, Sequence[Batch]],
    batches: Batches,
    *,
    complete: bool,
    strict: bool,
) -> Summary:
    links = [row.link for row in rows]
    linked = chain.look(links, complete=complete, invalid={row.claims for row in rows if row.claims})
    absent, orphaned = find_absent(rows, left, batches, complete=complete)
    found = replace(linked, findings=(*linked.findings, *absent))
    checks = found.checks()
    return Summary(
        results=Rows(row.beside(checks[at]) if at in checks else row for at, row in enumerate(rows)),
        links=tuple(links),
        chain=found,
        folders=tuple(folders),
        left=orphaned,
        complete=complete,
        strict=strict,
    )
