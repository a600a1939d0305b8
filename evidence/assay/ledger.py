"""What became of everything when a bundle was converted: carried, changed, lost, or made up because the other format demands it.

Law: nothing is lost silently. Rows are counted by what they say, keep the first example, and come in one order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from evidence.canonical import JsonObject, canonical

SCHEMA_VERSION = "conversion-report-v1"
Fate = Literal["carried", "changed", "lost", "made"]
_ORDER: Mapping[Fate, int] = {"lost": 0, "changed": 1, "made": 2, "carried": 3}

_Row = tuple[Fate, str, str, str, str]


@dataclass(slots=True)
class Ledger:
    """The rows of one conversion. `what` is a type of event or a part of a bundle, `member` a member of it or empty for all."""

    _rows: dict[_Row, list[Any]] = field(default_factory=dict)

    def carried(self, what: str, to: str, example: str, member: str = "") -> None:
        """It stands in the result under `to`, nothing of it changed."""
        self._add(("carried", what, member, to, ""), example)

    def changed(self, what: str, to: str, why: str, example: str, member: str = "") -> None:
        """It stands in the result under `to`, otherwise than it was."""
        self._add(("changed", what, member, to, why), example)

    def lost(self, what: str, why: str, example: str, member: str = "") -> None:
        """It does not stand in the result."""
        self._add(("lost", what, member, "", why), example)

    def made(self, to: str, why: str, example: str, member: str = "") -> None:
        """It stands in the result and nothing said it."""
        self._add(("made", "", member, to, why), example)

    def rows(self) -> list[JsonObject]:
        """Every row, the losses first."""
        ordered = sorted(self._rows.items(), key=lambda row: (_ORDER[row[0][0]], row[0]))
        return [
            {"fate": fate, "what": what, "member": member, "to": to, "why": why, "count": count, "example": example}
            for (fate, what, member, to, why), (count, example) in ordered
        ]

    def count(self, fate: Fate) -> int:
        """How many things had this fate."""
        return sum(count for row, (count, _) in self._rows.items() if row[0] == fate)

    def _add(self, row: _Row, example: str) -> None:
        self._rows.setdefault(row, [0, example])[0] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two bundles."""

    format: str
    container_sha256: str
    bundle_id: str
    events: int
    events_sha256: str

    def to_json(self) -> JsonObject:
        """The five fields."""
        return {
            "format": self.format,
            "container_sha256": self.container_sha256,
            "bundle_id": self.bundle_id,
            "events": self.events,
            "events_sha256": self.events_sha256,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionReport:
    """One conversion, for programs: the same for the same input."""

    version: str
    """Of what converted."""
    source: Side
    result: Side
    way_back: Literal["exact", "partial"]
    """Whether the events of the source come back byte for byte when the result is converted back."""
    why_not: str
    """Why they do not; empty when they do."""
    ledger: Ledger

    def to_json(self) -> JsonObject:
        """The report as `conversion-report-v1.schema.json` describes it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "converter": {"name": "affidavit", "version": self.version},
            "from": self.source.to_json(),
            "to": self.result.to_json(),
            "way_back": {"events": self.way_back, "why": self.why_not},
            "totals": {fate: self.ledger.count(fate) for fate in _ORDER},
            "rows": self.ledger.rows(),
        }

    def to_bytes(self) -> bytes:
        """The canonical bytes of the report, and a newline."""
        return canonical(self.to_json()) + b"\n"
