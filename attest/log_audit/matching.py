"""Matching leaves with the bundles at hand, and the roots of the tree's prefixes on the way.

Law: every leaf has a bundle or is named missing; every bundle is a leaf, once, or is named.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from attest.errors import InvalidError
from attest.log_audit.findings import Finding, Kind
from attest.log_audit.holdings import Held, Placed
from attest.tlog.checkpoint import Checkpoint
from attest.tlog.note import VerifierKey
from attest.tlog.reader import LogReader
from evidence.merkle import MerkleTree

_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """A checkpoint that was seen before, and where."""

    file: str
    checkpoint: Checkpoint


@dataclass(slots=True)
class Matching:
    """The bundles at hand by their digest, while leaves are matched with them."""

    findings: list[Finding] = field(default_factory=list)
    files: dict[bytes, list[str]] = field(default_factory=lambda: defaultdict(list))
    placed: dict[int, bytes] = field(default_factory=dict)
    """Digest by index, as proofs under trusted checkpoints say."""
    older: list[Older] = field(default_factory=list)
    """The checkpoints that those proofs came with."""
    matched: dict[bytes, int] = field(default_factory=dict)
    """The leaf by digest."""

    @classmethod
    def of(cls, bundles: Iterable[Held], now: Checkpoint, keys: Sequence[VerifierKey]) -> "Matching":
        """Take in what is at hand."""
        matching = cls()
        for held in bundles:
            if held.refused is not None:
                matching.say("refused", f"{held.file}: {held.refused}", file=held.file)
            if held.digest is not None:
                matching.files[held.digest].append(held.file)
                for one in held.placed:
                    matching.place(one, held.digest, now, keys)
        for digest, files in matching.files.items():
            if len(files) > 1:
                reason = f"the same bundle is at hand {len(files)} times: {', '.join(files[:4])}"
                matching.say("copy", reason, digest=digest.hex(), file=files[0])
        return matching

    def place(self, one: Placed, digest: bytes, now: Checkpoint, keys: Sequence[VerifierKey]) -> None:
        """Take what a proof beside a bundle says, if a trusted checkpoint bears it out."""
        then, index = one.checkpoint, one.proof.index
        try:
            trusted = then.origin == now.origin and then.signed_by(keys) is not None
        except InvalidError as error:
            self.say("misplaced", f"{one.file}: {error}", file=one.file)
            return
        if not one.proof.proves(digest, then):
            reason = f"{one.file}: the bundle is not leaf {index} of its checkpoint of {then.size}"
            self.say("misplaced", reason, index=index, file=one.file)
        elif not trusted:
            reason = f"{one.file}: its checkpoint is of another log, or not signed by a trusted log key"
            self.say("unknown_key", reason, file=one.file)
        else:
            self.older.append(Older(file=one.file, checkpoint=then))
            if self.placed.setdefault(index, digest) != digest:
                reason = f"{one.file}: leaf {index} is another bundle under another signed checkpoint: the log has two histories"
                self.say("fork", reason, index=index, digest=digest.hex(), file=one.file)

    def leaf(self, index: int, entry: bytes) -> None:
        """A leaf of the log: whose is it?

        Raises:
            InvalidError: it is no digest.
        """
        if len(entry) != _DIGEST_BYTES:
            raise InvalidError(
                f"leaf {index} has {len(entry)} bytes, expected the {_DIGEST_BYTES} of a manifest's sha256"
            )
        if entry in self.matched:
            reason = f"leaf {index} is the same bundle as leaf {self.matched[entry]}"
            self.say("twice", reason, index=index, digest=entry.hex())
        elif entry in self.files:
            self.matched[entry] = index
        else:
            reason = f"leaf {index} is a bundle that is not at hand: manifest sha256 {entry.hex()}"
            self.say("missing", reason, index=index, digest=entry.hex())

    def strangers(self) -> None:
        """Name what is at hand and is no leaf."""
        for digest, files in self.files.items():
            if digest not in self.matched:
                reason = f"{files[0]} is not in the log: manifest sha256 {digest.hex()}"
                self.say("stranger", reason, digest=digest.hex(), file=files[0])

    def say(self, kind: Kind, reason: str, **about: Any) -> None:  # noqa: ANN401 - the members of a finding
        """Add a finding."""
        self.findings.append(Finding(kind=kind, reason=reason, **about))


def from_tiles(reader: LogReader, sizes: Collection[int], matching: Matching | None) -> dict[int, bytes]:
    """Read the whole log: the roots of its prefixes of these sizes.

    Raises:
        AttestError, OSError: the tiles cannot be read, or do not lead to the checkpoint's root; nothing follows from them.
    """
    if matching is None:
        return _roots(reader.audit(), sizes, None)
    before = len(matching.findings)
    try:
        roots = _roots(reader.audit(), sizes, matching.leaf)
    except Exception:
        del matching.findings[before:]
        matching.matched.clear()
        raise
    matching.strangers()
    return roots


def from_bundles(matching: Matching, now: Checkpoint, sizes: Collection[int]) -> dict[int, bytes]:
    """Do without tiles: bundles are where their proofs say. The roots of prefixes, when every leaf is at hand."""
    indexes = sorted(index for index in matching.placed if index < now.size)
    for index in indexes:
        digest = matching.placed[index]
        if digest in matching.matched:
            reason = f"leaf {index} is the same bundle as leaf {matching.matched[digest]}"
            matching.say("twice", reason, index=index, digest=digest.hex())
        else:
            matching.matched[digest] = index
    for digest, files in matching.files.items():
        if digest not in matching.matched:
            reason = f"{files[0]}: nothing beside it proves which leaf it is, and the log's tiles are not at hand"
            matching.say("unproven", reason, digest=digest.hex(), file=files[0])
    gaps = [(before + 1, after - 1) for before, after in pairwise([-1, *indexes, now.size]) if after - before > 1]
    for first, last in gaps:
        what = f"leaf {first} is" if first == last else f"leaves {first} to {last} are"
        matching.say("missing", f"{what} not at hand", index=first, last=last)
    if gaps:
        return {}
    roots = _roots((matching.placed[index] for index in indexes), {*sizes, now.size}, None)
    if now.size and roots[now.size] != now.root:
        reason = f"the bundles lead to the root {roots[now.size].hex()}, the checkpoint has {now.root.hex()}: the log was rewritten"
        matching.say("rewrite", reason)
        return {}
    return roots


def _roots(
    entries: Iterable[bytes], sizes: Collection[int], see: Callable[[int, bytes], None] | None
) -> dict[int, bytes]:
    tree, roots = MerkleTree(), {}
    for index, entry in enumerate(entries):
        if see:
            see(index, entry)
        tree.append(entry)
        if tree.size in sizes:
            roots[tree.size] = tree.root()
    return roots
