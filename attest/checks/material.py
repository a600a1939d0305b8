"""What one attestation came to, apart from the bundle it is about: who signed it, and when that was seen.

Data only: `attest.checks.key` and `attest.checks.certificate` make it, `attest.checks.time` judges its times.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from attest.trust.roots import Entry
from attest.verdict import Check, LogEntryFacts, ProvenTime, SignedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """What the timestamps of an attestation came to."""

    times: tuple[ProvenTime, ...] = ()
    """One for each that verified, earliest first."""
    verified: tuple[bytes, ...] = ()
    """Those responses, in the order of the file."""
    authorities: tuple[Entry, ...] = ()
    """Who made them, each once."""
    distinct: int = 0
    """How many of them have roots of their own."""
    concerns: tuple[str, ...] = ()
    """What counts for nothing and has to be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """What is known of when an attestation was signed."""

    stamps: Stamps = field(default_factory=Stamps)
    logged: ProvenTime | None = None
    """When a transparency log promised to include it; None when none did, or its promise did not verify."""
    refuted: Check | None = None
    """Why its timestamps cannot be so; None when they can."""

    @property
    def times(self) -> tuple[ProvenTime, ...]:
        """All that was proven, earliest first."""
        return in_time((*self.stamps.times, *((self.logged,) if self.logged else ())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The answers about signature and trust, and what is proven with them."""

    signature: Check
    trust: Check
    signer: SignedBy | None = None
    """Who made the signature, as far as it verified; the row `trust` says whether that counts."""
    dated: Dated
    """When it was signed, by those who are trusted for this very signature."""
    log_entry: LogEntryFacts | None = None
    """Where a transparency log has it; None when its proof was not verified."""


def in_time(times: Iterable[ProvenTime]) -> tuple[ProvenTime, ...]:
    """Earliest first; of equals, a timestamp before a log's."""
    return tuple(sorted(times, key=lambda proven: (proven.time, proven.source != "rfc3161", proven.by)))
