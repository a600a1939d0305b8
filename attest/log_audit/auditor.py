"""Auditing a log against bundles and older checkpoints.

Two ways to the same answer. With the log's tiles every leaf is read and the tree computed again. Without them, from a checkpoint
alone, each bundle's own proof says which leaf it is; when every leaf is at hand, the tree is computed from the bundles themselves.
Laws: only what leads to the root of a checkpoint signed by a trusted log key is believed; what could not be shown is `undecided` and
never passed over; a missing leaf is named by its index, so that it can be asked for.
It cannot show a bundle that was never logged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from attest.errors import AttestError, InvalidError
from attest.log_audit.findings import Finding, LogAudit
from attest.log_audit.holdings import Held
from attest.log_audit.matching import Matching, Older, from_bundles, from_tiles
from attest.tlog.checkpoint import Checkpoint
from attest.tlog.note import VerifierKey
from attest.tlog.proof import is_prefix
from attest.tlog.reader import LogReader


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAuditor:
    """What an auditor holds against a log.

    >>> LogAuditor(keys=[key]).audit(reader.checkpoint, reader, bundles=hold([folder]))     # doctest: +SKIP
    """

    keys: Sequence[VerifierKey] = ()
    """Log keys that are trusted."""
    witnesses: Sequence[VerifierKey] = ()
    """Witnesses all of which must have cosigned."""
    older: Sequence[Older] = ()
    """Checkpoints that were seen before."""
    consistency: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)
    """Proofs from older sizes to the checkpoint's, for when there are no tiles."""

    def audit(
        self, checkpoint: Checkpoint, reader: LogReader | None, bundles: Iterable[Held] | None = None
    ) -> LogAudit:
        """Audit the log of a checkpoint.

        Args:
            checkpoint: the newest one.
            reader: the log's tiles at that checkpoint; None when there is nothing but the checkpoint.
            bundles: everything that is said to have been logged; None to look at the log alone.
        """
        found: list[Finding] = []
        key = self._signer(checkpoint, found)
        if key is None:  # whoever made it, nothing follows from what it says
            return LogAudit(checkpoint=checkpoint, findings=tuple(found))
        cosigned = self._cosigners(checkpoint, found)
        matching = None if bundles is None else Matching.of(bundles, checkpoint, self.keys)
        older = self._older(checkpoint, (*self.older, *(matching.older if matching else ())), found)
        roots = self._roots(checkpoint, reader, matching, {one.checkpoint.size for one in older}, found)
        shown = sum([self._compare(one, checkpoint, roots, found) for one in older])
        return LogAudit(
            checkpoint=checkpoint,
            key=key,
            witnesses=cosigned,
            leaves=len(matching.matched) if matching else None,
            older=shown,
            findings=(*found, *(matching.findings if matching else ())),
        )

    def _roots(
        self,
        checkpoint: Checkpoint,
        reader: LogReader | None,
        matching: Matching | None,
        sizes: set[int],
        found: list[Finding],
    ) -> Mapping[int, bytes]:
        """The roots of the log's prefixes, as far as they can be had, while its leaves are matched."""
        if reader is None:
            return from_bundles(matching, checkpoint, sizes) if matching else {}
        try:
            return from_tiles(reader, sizes, matching)
        except (AttestError, OSError) as error:
            found.append(Finding(kind="tiles", reason=f"the log cannot be read: {error}"))
            return {}

    def _signer(self, checkpoint: Checkpoint, found: list[Finding]) -> VerifierKey | None:
        try:
            key = checkpoint.signed_by(self.keys)
        except InvalidError as error:
            found.append(Finding(kind="checkpoint", reason=str(error)))
            return None
        if key is None:
            trusted = f"trusted is {', '.join(map(str, self.keys))}" if self.keys else "none was named to trust"
            reason = f"the checkpoint of {checkpoint.origin!r} is not signed by a trusted log key; {trusted}"
            found.append(Finding(kind="unknown_key", reason=reason))
        return key

    def _cosigners(self, checkpoint: Checkpoint, found: list[Finding]) -> tuple[VerifierKey, ...]:
        try:
            cosigned = tuple(checkpoint.cosigned_by(self.witnesses))
        except InvalidError as error:
            found.append(Finding(kind="checkpoint", reason=str(error)))
            return ()
        found.extend(
            Finding(kind="witnesses", reason=f"the witness {key} did not cosign the checkpoint")
            for key in self.witnesses
            if key not in cosigned
        )
        return cosigned

    def _older(self, checkpoint: Checkpoint, given: Sequence[Older], found: list[Finding]) -> list[Older]:
        """Those that count: of this log, signed by a trusted key, each tree head once."""
        heads: dict[tuple[int, bytes], Older] = {}
        for one in given:
            then = one.checkpoint
            try:
                if then.origin != checkpoint.origin:
                    raise InvalidError(f"it is of the log {then.origin!r}, not {checkpoint.origin!r}")
                if then.signed_by(self.keys) is None:
                    raise InvalidError("it is not signed by a trusted log key, so nothing follows from it")
            except InvalidError as error:
                reason = f"the older checkpoint in {one.file} does not count: {error}"
                found.append(Finding(kind="unknown_key", reason=reason, file=one.file))
                continue
            heads.setdefault((then.size, then.root), one)
        sound = sorted(heads.values(), key=lambda one: one.checkpoint.size)
        for one, other in pairwise(sound):
            if one.checkpoint.size == other.checkpoint.size:
                reason = f"{one.file} and {other.file} have {one.checkpoint.size} leaves each and different roots: the log has two histories"
                found.append(Finding(kind="fork", reason=reason, file=other.file))
        return sound

    def _compare(self, one: Older, now: Checkpoint, roots: Mapping[int, bytes], found: list[Finding]) -> bool:
        """Whether the older checkpoint is a prefix; when it is not, how."""
        then = one.checkpoint
        head = f"the older checkpoint in {one.file} has {then.size} leaves with the root {then.root.hex()}"
        if then.size > now.size:
            reason = f"{head}, and the log has only {now.size} now: it was rolled back"
            found.append(Finding(kind="rollback", reason=reason, file=one.file))
        elif then.size == now.size and then.root != now.root:
            reason = f"{head}, and now one of the same size has the root {now.root.hex()}: the log has two histories"
            found.append(Finding(kind="fork", reason=reason, file=one.file))
        elif then.size in (0, now.size) or roots.get(then.size) == then.root:
            return True
        elif then.size in roots:
            reason = (
                f"{head}, and its first {then.size} leaves have the root {roots[then.size].hex()} now: it was rewritten"
            )
            found.append(Finding(kind="rewrite", reason=reason, file=one.file))
        elif then.size in self.consistency:
            if is_prefix(then, now, self.consistency[then.size]):
                return True
            reason = f"{head}, and the proof given does not show them to be a prefix"
            found.append(Finding(kind="unproven", reason=reason, file=one.file))
        else:
            reason = f"{head}; whether they are a prefix takes the log's tiles, every bundle, or a proof (affidavit log prove --since)"
            found.append(Finding(kind="unproven", reason=reason, file=one.file))
        return False
