"""What an account holds: sums by bucket, reason, source and key.

Laws: sums of parts add up to the sums of the whole, in any order but for the examples; their size is bounded (`semconv.account.counts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from semconv.account.counts import add_up, entry_of
from semconv.translation import BUCKETS, Tables


@dataclass(slots=True)
class ReasonSum:
    """Atoms and bytes lost for one reason."""

    count: int = 0
    bytes: int = 0
    retained: bool = True
    """Whether all of it stays on the items as it came."""


@dataclass(slots=True)
class KeySum:
    """Atoms and bytes lost of one path for one reason."""

    count: int = 0
    bytes: int = 0
    declared: bool = True
    """Whether a table says so, rather than knowing nothing of it."""
    target: str = ""
    """The key that something else had claimed."""
    example: tuple[str, str] = ("", "")
    """Ids of the first trace and span."""


@dataclass(slots=True)
class SourceSum:
    """Atoms of the items of one scope that the same profiles match."""

    atoms_in: int = 0
    dropped: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Sums:
    """The sums of a set of items."""

    tables: Tables | None = None
    """Of the last translation that says which."""
    items: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("spans", "logs", "metrics", "events", "links"), 0)
    )
    buckets: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("atoms_in", *BUCKETS), 0))
    bytes: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("bytes_in", "bytes_lost", "bytes_retained_raw"), 0)
    )
    unbalanced: int = 0
    """Items whose buckets do not add up to their atoms."""
    margins: dict[str, dict[int, int]] = field(default_factory=dict)
    """How surely each profile was detected: a histogram."""
    reasons: dict[str, ReasonSum] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    sources: dict[tuple[str, str], SourceSum] = field(default_factory=dict)
    """By profiles and scope."""
    keys: dict[tuple[str, str, str], KeySum] = field(default_factory=dict)
    """By path, container and reason."""
    conflicts: dict[tuple[str, str], int] = field(default_factory=dict)
    synthesized: dict[tuple[str, str], int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    source_side: dict[str, int] = field(default_factory=dict)
    cache_in_input: dict[str, int] = field(default_factory=dict)
    roll_ups: int = 0
    reversal: dict[str, int] = field(default_factory=dict)

    def add_up(self, other: Sums) -> None:
        """Adds everything other sums hold. Examples stay those that were here first."""
        self.tables = self.tables or other.tables
        for mine, theirs in (
            (self.items, other.items),
            (self.buckets, other.buckets),
            (self.bytes, other.bytes),
            (self.notes, other.notes),
            (self.conflicts, other.conflicts),
            (self.synthesized, other.synthesized),
            (self.unknown, other.unknown),
            (self.source_side, other.source_side),
            (self.cache_in_input, other.cache_in_input),
            (self.reversal, other.reversal),
        ):
            add_up(mine, theirs)
        self.unbalanced += other.unbalanced
        self.roll_ups += other.roll_ups
        for profile, histogram in other.margins.items():
            add_up(self.margins.setdefault(profile, {}), histogram)
        for reason, total in other.reasons.items():
            mine_total = self.reasons.setdefault(reason, ReasonSum())
            mine_total.count += total.count
            mine_total.bytes += total.bytes
            mine_total.retained = mine_total.retained and total.retained
        for name, source in other.sources.items():
            mine_source = entry_of(self.sources, name, ("*", "*"), SourceSum)
            mine_source.atoms_in += source.atoms_in
            mine_source.dropped += source.dropped
            add_up(mine_source.by_reason, source.by_reason)
        for entry, key in other.keys.items():
            mine_key = entry_of(self.keys, entry, ("*", *entry[1:]), KeySum)
            if not mine_key.count:
                mine_key.declared, mine_key.target, mine_key.example = key.declared, key.target, key.example
            mine_key.count += key.count
            mine_key.bytes += key.bytes
