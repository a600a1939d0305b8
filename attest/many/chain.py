"""The chain of bundles: each names the one its sidecar sealed before, by id and manifest digest.

Law: what contradicts another bundle at hand is a failure; a bundle that is not at hand is said, and is a warning only where everything
should be at hand. Who is not vouched for discredits nobody who is: a bundle that nobody trusted signed fails against one that somebody
did, and never the other way round; one that is invalid takes no part.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from attest.checks.batch import Named
from attest.verdict import Check, Outcome

Kind: TypeAlias = Literal[
    "duplicate",
    "duplicate_part",
    "fork",
    "rollback",
    "cycle",
    "other_manifest",
    "other_run",
    "missing_bundle",
    "missing_part",
    "missing_amended",
    "missing_attested",
    "sequence",
]

_NAMES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A bundle's place among others: what is left of its manifest when thousands are verified."""

    bundle_id: str
    manifest_sha256: str
    signer: str | None
    """Who signed it, else whom its attestation names for itself."""
    source: str
    """The CloudEvents source of its events: the sidecar by its own name."""
    vouched: bool
    """Whether somebody who is trusted signed it."""
    run_id: str
    part: int
    first_seq: int
    last_seq: int
    opened_at: str
    closed_at: str
    amends: str | None = None
    previous_id: str | None = None
    previous_sha256: str | None = None

    @property
    def sidecar(self) -> tuple[str | None, str]:
        """Which sidecar it is from, as far as is known: two may well record parts of one run, and share a signer."""
        return self.signer, self.source

    @property
    def place(self) -> tuple[tuple[str | None, str], str, int]:
        """Which part of which run: one sidecar seals it once."""
        return self.sidecar, self.run_id, self.part

    def to_json(self) -> dict[str, Any]:
        """What tells it from the others."""
        return {
            "bundle_id": self.bundle_id,
            "run_id": self.run_id,
            "part": self.part,
            "closed_at": self.closed_at,
            "previous_bundle_id": self.previous_id,
            "signer": self.signer,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the others at hand say about one bundle's place."""

    at: int
    """Position of the bundle."""
    outcome: Outcome
    reason: str
    kind: Kind | None = None
    """What is broken; None when nothing is."""
    missing: tuple[Named, ...] = ()
    """The bundles that are not at hand, when it is about such."""

    def __str__(self) -> str:
        """The reason, with the first of the files that are missing, where their names are known."""
        return with_files(self.reason, self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What came of looking at bundles together."""

    findings: tuple[Finding, ...] = ()
    heads: tuple[int, ...] = ()
    """Positions of bundles that no other at hand follows."""
    beginnings: tuple[int, ...] = ()
    """Positions of bundles that follow none at hand."""

    @property
    def breaks(self) -> tuple[Finding, ...]:
        """The findings that say what is broken."""
        return tuple(finding for finding in self.findings if finding.kind is not None)

    def checks(self) -> dict[int, Check]:
        """The check `chain` of each bundle about which something was found: the worst of it."""
        found: dict[int, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            found[finding.at].append(finding)
        return {at: _worst(findings) for at, findings in found.items()}


_WORST_FIRST: tuple[Outcome, ...] = ("fail", "warn", "pass")


def with_files(reason: str, missing: Sequence[Named]) -> str:
    """A reason with the first of the files that it is about, where their names are known."""
    files = [named.file for named in missing if named.file]
    more = f" and {len(files) - _NAMES_MAX:,} more" if len(files) > _NAMES_MAX else ""
    return f"{reason} ({', '.join(files[:_NAMES_MAX])}{more})" if files else reason


def check_alone(manifest: Mapping[str, Any]) -> Check:
    """Check the links of one bundle without its neighbours."""
    own = manifest["bundle_id"]
    previous = manifest.get("previous_bundle")
    if own in (manifest.get("amends"), (previous or {}).get("bundle_id")):
        return Check(id="chain", outcome="fail", reason="the bundle names itself as the one before it")
    if previous is None:
        return Check(id="chain", outcome="pass", reason="it names no bundle before it")
    return Check(id="chain", outcome="pass", reason=_not_at_hand("the bundle before it", previous["bundle_id"]))


def look(links: Sequence[Link | None], *, complete: bool, invalid: Collection[str] = ()) -> Chain:
    """Look at bundles together.

    Does not show that the newest ones were removed: no bundle at hand names them. `attest.many.absent` does where a statement names
    them, and `affidavit log verify`.

    Args:
        links: a place for each bundle; None for one that takes no part.
        complete: whether every bundle of their sidecars should be among them, so that an absent one is a warning.
        invalid: ids that invalid bundles at hand claim.
    """
    known = _Known(links, complete=complete, invalid=frozenset(invalid))
    named = {link.previous_id for _, link in known.all}
    return Chain(
        findings=tuple(finding for rule in _RULES for finding in rule(known)),
        heads=tuple(at for at, link in known.all if link.bundle_id not in named),
        beginnings=tuple(at for at, link in known.all if link.previous_id not in known.by_id),
    )


class _Known:
    """The links, and where each is found."""

    def __init__(self, links: Sequence[Link | None], *, complete: bool, invalid: frozenset[str]) -> None:
        self.all = [(at, link) for at, link in enumerate(links) if link is not None]
        self.complete = complete
        self.invalid = invalid
        self.by_id = {link.bundle_id: link for _, link in self.all}
        self.by_place = {link.place: link for _, link in self.all}

    def groups(self, key: Callable[[Link], Hashable | None]) -> Iterator["_Group"]:
        """The links that share a key, for every key that several different bundles have. None is no key."""
        groups: dict[Hashable, list[tuple[int, Link]]] = defaultdict(list)
        for at, link in self.all:
            if (shared := key(link)) is not None:
                groups[shared].append((at, link))
        for group in groups.values():
            if len({link.bundle_id for _, link in group}) > 1:
                yield _Group(group)

    def absent(self, at: int, kind: Kind, what: str, bundle_id: str) -> Finding:
        """That a bundle is not at hand: a warning only where all should be, or where it is here and cannot be relied on."""
        if bundle_id in self.invalid:
            return Finding(at=at, kind=kind, outcome="warn", reason=f"{what}, {bundle_id}, is here and is invalid")
        if self.complete:
            reason = f"{what}, {bundle_id}, is missing: removed, or never handed over"
            return Finding(at=at, kind=kind, outcome="warn", reason=reason, missing=(Named(bundle_id),))
        return Finding(at=at, outcome="pass", reason=_not_at_hand(what, bundle_id))


class _Group:
    """Links that contradict each other, with what each is held to worked out once: there may be as many as anyone can make."""

    def __init__(self, links: Sequence[tuple[int, Link]]) -> None:
        self.links = links
        self.different = len({link.bundle_id for _, link in links})
        self._vouched = {link.bundle_id for _, link in links if link.vouched}
        self._first: dict[tuple[str | None, str], Link] = {}
        for _, link in links:
            first = self._first.setdefault(link.sidecar, link)
            if link.closed_at < first.closed_at:
                self._first[link.sidecar] = link

    def outcome(self, link: Link) -> Outcome:
        """What the contradiction amounts to for one of them: see the law."""
        others = len(self._vouched) - (link.bundle_id in self._vouched)
        return "fail" if not link.vouched or others else "warn"

    def before(self, link: Link) -> Link | None:
        """The one of the same sidecar that was closed first, if that was before this one."""
        first = self._first[link.sidecar]
        return first if first.closed_at < link.closed_at else None


def _not_at_hand(what: str, bundle_id: str) -> str:
    return f"{what}, {bundle_id}, is not at hand"


def _worst(findings: Sequence[Finding]) -> Check:
    for outcome in _WORST_FIRST:
        reasons = dict.fromkeys(str(finding) for finding in findings if finding.outcome == outcome)
        if reasons:
            return Check(id="chain", outcome=outcome, reason="; ".join(reasons))
    raise ValueError("no finding")


# ------------------------------------------------------------------ rules


def _duplicates(known: _Known) -> Iterator[Finding]:
    times = Counter(link.bundle_id for _, link in known.all)
    for at, link in known.all:
        if times[link.bundle_id] > 1:
            reason = f"the same bundle is here {times[link.bundle_id]} times"
            yield Finding(at=at, kind="duplicate", outcome="warn", reason=reason)


def _duplicate_parts(known: _Known) -> Iterator[Finding]:
    for group in known.groups(lambda link: link.place):
        for at, link in group.links:
            reason = f"{group.different} different bundles claim to be part {link.part} of run {link.run_id}"
            yield Finding(at=at, kind="duplicate_part", outcome=group.outcome(link), reason=reason)


def _forks(known: _Known) -> Iterator[Finding]:
    """Several bundles follow one. Of those of one sidecar, each closed after another went back to what it had left behind."""
    for group in known.groups(lambda link: link.previous_id):
        for at, link in group.links:
            outcome, left = group.outcome(link), group.before(link)
            if left is not None:
                reason = (
                    f"the chain goes back to {link.previous_id}: {left.bundle_id} had followed that already,"
                    f" closed at {left.closed_at}"
                )
                yield Finding(at=at, kind="rollback", outcome=outcome, reason=reason)
            else:
                reason = f"the chain forks: {group.different} different bundles name {link.previous_id} before them"
                yield Finding(at=at, kind="fork", outcome=outcome, reason=reason)


def _predecessors(known: _Known) -> Iterator[Finding]:
    for at, link in known.all:
        if link.previous_id is None:
            continue
        before = known.by_id.get(link.previous_id)
        if before is None:
            yield known.absent(at, "missing_bundle", "the bundle before it", link.previous_id)
        elif link.previous_sha256 != before.manifest_sha256:
            reason = f"the bundle before it, {link.previous_id}, has another manifest than the one linked"
            yield Finding(at=at, kind="other_manifest", outcome="fail", reason=reason)
        elif link.closed_at < before.opened_at:
            # Runs overlap and are sealed as they close, so that merely closing earlier is no sign of anything.
            reason = (
                f"it was closed at {link.closed_at}, before the bundle that it follows was opened, at {before.opened_at}:"
                " sealed late, or the sidecar's clock or state was set back"
            )
            yield Finding(at=at, kind="rollback", outcome="warn", reason=reason)
        else:
            yield Finding(at=at, outcome="pass", reason=f"it follows the bundle {link.previous_id}, which is at hand")


def _cycles(known: _Known) -> Iterator[Finding]:
    """Bundles that follow each other in a ring: digests make it impossible, and nothing here relies on that."""
    done: set[str] = set()
    ring: set[str] = set()
    for _, link in known.all:
        way: dict[str, int] = {}
        at: Link | None = link
        while at is not None and at.bundle_id not in done and at.bundle_id not in way:
            way[at.bundle_id] = len(way)
            at = known.by_id.get(at.previous_id) if at.previous_id else None
        if at is not None and at.bundle_id in way:
            ring.update(bundle_id for bundle_id, place in way.items() if place >= way[at.bundle_id])
        done.update(way)
    for at_, link in known.all:
        if link.bundle_id in ring:
            reason = "the chain is a ring: going back from this bundle leads to it again"
            yield Finding(at=at_, kind="cycle", outcome="fail", reason=reason)


def _amendments(known: _Known) -> Iterator[Finding]:
    for at, link in known.all:
        if link.amends is None:
            continue
        amended = known.by_id.get(link.amends)
        if amended is None:
            yield known.absent(at, "missing_amended", "the bundle that it amends", link.amends)
        elif amended.run_id != link.run_id:
            reason = f"it amends {link.amends}, which is of the run {amended.run_id}, and is itself of {link.run_id}"
            yield Finding(at=at, kind="other_run", outcome="fail", reason=reason)


def _parts(known: _Known) -> Iterator[Finding]:
    """Parts of one run go on counting: no part is absent, and between two no event number is missing or used twice."""
    for at, link in known.all:
        if link.part == 1:
            continue
        before = known.by_place.get((link.sidecar, link.run_id, link.part - 1))
        if before is None:
            if known.complete:
                reason = f"part {link.part - 1} of run {link.run_id} is missing: removed, or never handed over"
                yield Finding(at=at, kind="missing_part", outcome="warn", reason=reason)
        elif link.first_seq != before.last_seq + 1:
            reason = f"it starts with event {link.first_seq}, expected {before.last_seq + 1} after the part before"
            yield Finding(at=at, kind="sequence", outcome="warn", reason=reason)


_RULES: tuple[Callable[[_Known], Iterator[Finding]], ...] = (
    _duplicates,
    _duplicate_parts,
    _forks,
    _predecessors,
    _cycles,
    _amendments,
    _parts,
)
