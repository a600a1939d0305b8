"""Bundles that trusted statements at hand name, and that are not at hand themselves: removed together with their attestations.

A statement speaks of up to a thousand bundles, and lies beside each of them. Laws: only what somebody trusted signed names anything, so that
a stranger cannot make up bundles to be missed; each absent bundle is named once; the answer is the same whatever order bundles were
verified in. What is here and is not valid is not absent: it has a verdict of its own, and a worse one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attest.checks.batch import Batch, Named
from attest.limits import AttestLimits
from attest.many.chain import Finding
from attest.many.rows import Row


class Batches:
    """What the statements at hand name, each batch kept once."""

    def __init__(self, limits: AttestLimits) -> None:
        self._max = limits.batches_bytes_max
        self._kept: dict[bytes, Batch] = {}
        self._bytes = 0
        self.too_many = False
        """Whether they name more than is kept; then none is kept, so that no order of verifying decides which."""

    def add(self, batches: Iterable[Batch]) -> None:
        """Keep these, but those that are kept already."""
        for batch in batches:
            if self.too_many or batch.digest in self._kept:
                continue
            self._kept[batch.digest] = batch
            self._bytes += batch.size
            if self._bytes > self._max:
                self.too_many = True
                self._kept.clear()

    def get(self, digest: bytes) -> Sequence[Named] | Batch:
        """What is named in that batch."""
        return self._kept.get(digest, ())


def find_absent(
    rows: Sequence[Row], left: Mapping[str, Sequence[Batch]], batches: Batches, *, complete: bool
) -> tuple[tuple[Finding, ...], dict[str, tuple[Named, ...]]]:
    """Look for what is named and not at hand.

    Args:
        rows: of every bundle at hand.
        left: the batches of attestations without a bundle, by the attestation's path.
        batches: all of them.
        complete: whether every bundle should be among them, so that an absent one is a warning.

    Returns:
        What is found, at the first bundle beside which the statement lies; and what no more than attestations without a bundle name, by
        their path.
    """
    look = _Look(rows, batches)
    findings = tuple(
        _finding(at, absent, complete=complete) for at, digest in _places(rows) if (absent := look.absent(digest))
    )
    if batches.too_many:
        findings = tuple(_unlooked(at, complete=complete) for at, _ in list(_places(rows))[:1])
    return findings, {
        path: tuple(named for batch in each for named in look.absent(batch.digest)) for path, each in left.items()
    }


class _Look:
    """What is at hand, and what was named as absent already."""

    def __init__(self, rows: Sequence[Row], batches: Batches) -> None:
        self._batches = batches
        self._done = {row.link.bundle_id if row.link else row.claims for row in rows}
        self._unsound: dict[bytes, set[str]] = defaultdict(set)
        """Names of files that are here and not sound, by the batch of a statement beside them."""
        self._undecided: set[str] = set()
        """Names of those of which nothing says by whom they were named; apart, because there may be as many as there are batches."""
        for row in rows:
            if row.name is None:
                continue
            for digest in row.batches:
                self._unsound[digest].add(row.name)
            if row.verdict == "undecided" and not row.batches:
                self._undecided.add(row.name)

    def absent(self, digest: bytes) -> tuple[Named, ...]:
        unsound = self._unsound[digest]
        found = tuple(
            named
            for named in self._batches.get(digest)
            if named.bundle_id not in self._done and named.file not in unsound and named.file not in self._undecided
        )
        self._done.update(named.bundle_id for named in found)
        return found


def _places(rows: Sequence[Row]) -> Iterator[tuple[int, bytes]]:
    """Where each batch is said: at the first bundle that it lies beside, if one can be at one that takes part in the chain."""
    first: dict[bytes, int] = {}
    for at, row in enumerate(rows):
        for digest in row.batches:
            known = first.setdefault(digest, at)
            if rows[known].link is None and row.link is not None:
                first[digest] = at
    return iter(sorted((at, digest) for digest, at in first.items()))


def _finding(at: int, absent: tuple[Named, ...], *, complete: bool) -> Finding:
    if complete:
        reason = f"its statement also names {so_many(absent)} missing: removed, or never handed over"
        return Finding(at=at, kind="missing_attested", outcome="warn", reason=reason, missing=absent)
    return Finding(
        at=at, outcome="pass", reason=f"its statement also names {so_many(absent)} not at hand", missing=absent
    )


def _unlooked(at: int, *, complete: bool) -> Finding:
    reason = "the statements at hand name more bundles than can be kept: whether all of them are here was not looked at"
    return Finding(
        at=at, kind="missing_attested" if complete else None, outcome="warn" if complete else "pass", reason=reason
    )


def so_many(absent: Sequence[Named]) -> str:
    """How many bundles, for a sentence that goes on with how they are."""
    return "a bundle that is" if len(absent) == 1 else f"{len(absent):,} bundles that are"
