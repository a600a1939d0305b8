"""What a translation says: the changes to one item, what was lost, and where every atom of it ended.

An *atom* is the smallest thing that can be lost: an attribute, a leaf of a JSON text that was taken apart, an event, an
attribute of one, a link, name, kind, status, a scope or resource attribute. Law (the closed sum): every atom read is in
exactly one bucket, so `kept + renamed + converted + folded + derived_only + dropped == atoms_in`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from semconv.otlp_json import any_value
from semconv.view import Attributes

LOSSLESS, NEEDS_PROVENANCE, IRREVERSIBLE = "lossless", "needs_provenance", "irreversible"
REVERSALS: Final = (LOSSLESS, NEEDS_PROVENANCE, IRREVERSIBLE)
"""What is promised of the way back from a translated item that keeps its unmapped attributes, from the best to the worst.

`lossless`: `semconv.reverse` computes the item as received (its attributes with their types, name, kind, events) from the
translated one, its `Translation` and the tables, and from nothing else.
`needs_provenance`: everything the item said still stands on the translated one, but not how it said it: the spacing of a JSON
text, which of two words for one thing, a value that could be derived. The form is in the evidence event, which holds the item
as received; nowhere else.
`irreversible`: something it said stands nowhere on the translated item: a name or kind the target has no room for, a value taken
from under a key where it would be wrong, repetitions of a key, the time of an event that became a message. Whatever is
an atom is named in `loss`; the time, which is none, in `notes` as `info_folded`. Only the evidence event has it.
"""

METRICS: Final = "@metrics/"
"""Before the name of a metric that is none of the target's, where a path has to say it."""

BUCKETS: Final = ("kept", "renamed", "converted", "folded", "derived_only", "dropped")


class Loss(NamedTuple):
    """An atom that has no home in the target, or several atoms under one path.

    A path is an attribute's key; `key#/member` is a member of the JSON in it; `@name`, `@kind`, `@body`, `@event_name`, `@duplicates`,
    `@metrics/<name>`, `@events/<name>` and `@events/<name>/<key>` are what is no attribute. `size` is None where it is that of
    the whole attribute.
    """

    path: str
    reason: str
    atoms: int = 1
    size: int | None = None


@dataclass(slots=True)
class Tally:
    """The closed sum of one item."""

    atoms_in: int = 0
    kept: int = 0
    renamed: int = 0
    converted: int = 0
    folded: int = 0
    derived_only: int = 0
    dropped: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every atom read is in one bucket."""
        buckets = self.kept + self.renamed + self.converted + self.folded + self.derived_only + self.dropped
        return buckets == self.atoms_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Which tables a translation was made with; shared by all translations of one translator."""

    target: Mapping[str, str]
    profiles: Mapping[str, Mapping[str, str]]
    """Profile id to its version and digest."""
    accounting: Mapping[str, Mapping[str, str]]
    """Profile id to what its numbers mean."""


@dataclass(slots=True)
class PointTranslation:
    """What changed on one data point of a metric."""

    index: int
    attributes: Attributes
    removed: tuple[str, ...]


@dataclass(slots=True)
class Translation:
    """The result for one span, log record or metric. Everything that did not change is absent from it."""

    tally: Tally
    profiles: tuple[str, ...] = ()
    """Those that matched, in order of precedence."""
    name: str | None = None
    kind: int | None = None
    attributes: Attributes = field(default_factory=dict)
    """Target attributes that are new or have another value."""
    removed: tuple[str, ...] = ()
    """Source keys that targets carry wholly, or that can be derived: gone from the translated item."""
    events_removed: tuple[int, ...] = ()
    points: tuple[PointTranslation, ...] = ()
    loss: tuple[Loss, ...] = ()
    """Sorted by path and reason; the atoms add up to `tally.dropped`."""
    notes: tuple[Loss, ...] = ()
    """What changed in a way worth knowing although no atom was lost."""
    conflicts: tuple[tuple[str, str], ...] = ()
    """(target key, path of the claim that lost)."""
    synthesized: tuple[tuple[str, str], ...] = ()
    """(target key, what it follows from) for output that no single source atom stands behind."""
    unknown: tuple[str, ...] = ()
    """Lost keys that no table has a row for."""
    source_side: tuple[tuple[str, int], ...] = ()
    """What was missing before it got here, by reason."""
    margins: tuple[int, ...] = ()
    """For each profile, how far above its threshold it was detected."""
    reversal: str = LOSSLESS
    """One of `REVERSALS`."""
    tables: Tables | None = field(default=None, compare=False, repr=False)
    event_name: str | None = None
    """The other name a log record has."""
    body_removed: bool = False
    """Whether a log record's body is wholly in its attributes, and gone."""
    unit: str | None = None
    """The other unit a metric has."""
    scale: tuple[int, int] | None = None
    """By which ratio the numbers of its points are other ones then."""

    @property
    def changed(self) -> bool:
        """Whether the translated item differs from the source."""
        return bool(
            self.attributes
            or self.removed
            or self.name is not None
            or self.kind is not None
            or self.events_removed
            or self.points
            or self.event_name is not None
            or self.unit is not None
        )

    @property
    def unmapped(self) -> tuple[str, ...]:
        """Attribute keys that stay on the translated item although something of them is lost, sorted."""
        keys = {loss.path.partition("#/")[0] for loss in self.loss if not loss.path.startswith("@")}
        return tuple(sorted(keys.difference(self.removed, self.attributes)))

    def to_json(self) -> dict[str, Any]:
        """The members `mapped` and `loss` of an evidence event; each absent when there is nothing to say."""
        result: dict[str, Any] = {}
        if self.changed:
            result["mapped"] = self._mapped()
        if self.loss:
            by_reason: dict[str, list[str]] = {}
            for loss in self.loss:
                by_reason.setdefault(loss.reason, []).append(loss.path)
            result["loss"] = {reason: sorted(paths) for reason, paths in sorted(by_reason.items())}
        return result

    def _mapped(self) -> dict[str, Any]:
        mapped: dict[str, Any] = {"profiles": list(self.profiles)}
        if self.attributes:
            mapped["attributes"] = _sorted_key_values(self.attributes)
        if self.removed:
            mapped["removed"] = list(self.removed)
        if self.name is not None:
            mapped["name"] = self.name
        if self.kind is not None:
            mapped["kind"] = self.kind
        if self.events_removed:
            mapped["events_removed"] = list(self.events_removed)
        if self.points:
            mapped["points"] = [_point(point) for point in self.points]
        if self.event_name is not None:
            mapped["event_name"] = self.event_name
        if self.body_removed:
            mapped["body_removed"] = True
        if self.unit is not None:
            mapped["unit"] = self.unit
        if self.scale is not None:
            mapped["scale"] = list(self.scale)
        return mapped


def _point(point: PointTranslation) -> dict[str, Any]:
    result: dict[str, Any] = {"index": point.index}
    if point.attributes:
        result["attributes"] = _sorted_key_values(point.attributes)
    if point.removed:
        result["removed"] = list(point.removed)
    return result


def _sorted_key_values(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(attributes[key])} for key in sorted(attributes)]
