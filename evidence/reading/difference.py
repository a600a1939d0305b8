"""What changed between two runs: a comparison of their profiles, table by table.

The document is `run-diff-v1` (`schemas/run-diff-v1.schema.json`).

Law: a run does not differ from itself, and exchanging the two exchanges the sides of every change and nothing else. What
is withheld is not compared: equal and different bodies have commitments that say nothing of it, and what one run says may
stand in what the other withholds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from evidence.canonical import JsonObject
from evidence.reading.facets import FACETS
from evidence.reading.run_profile import Profile, Value

SCHEMA_VERSION = "run-diff-v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One name of a table whose value is another."""

    name: str
    a: Value
    """The value in the first run; None where the first run has none."""
    b: Value
    words: str
    """The first characters of what the name, a digest, stands for; "" for what is no digest."""

    def to_json(self) -> JsonObject:
        """The change as `run-diff-v1` has it."""
        told: JsonObject = {"name": self.name, "a": self.a, "b": self.b}
        return told | {"words": self.words} if self.words else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How two runs differ."""

    a: JsonObject
    """What names the first bundle."""
    b: JsonObject
    changes: Mapping[str, tuple[Change, ...]]
    """By facet, in the order of `FACETS`; facets without a change are not there."""
    same: tuple[str, ...]
    """Facets of which both say the same, and withhold nothing."""
    silent: tuple[str, ...]
    """Facets of which neither says anything."""
    withheld: Mapping[str, tuple[int, int]]
    """By facet: bodies on either side that could not be compared."""
    ignored: tuple[str, ...]
    """Facets that were not asked for."""

    @property
    def differs(self) -> bool:
        """Whether anything that was compared is not the same."""
        return bool(self.changes)

    def to_json(self) -> JsonObject:
        """The document."""
        return {
            "schema_version": SCHEMA_VERSION,
            "a": self.a,
            "b": self.b,
            "differs": self.differs,
            "changes": {facet: [change.to_json() for change in changes] for facet, changes in self.changes.items()},
            "same": list(self.same),
            "silent": list(self.silent),
            "withheld": {facet: {"a": a, "b": b} for facet, (a, b) in self.withheld.items()},
            "ignored": list(self.ignored),
        }


def difference(a: Profile, b: Profile, ignore: Collection[str] = ()) -> Difference:
    """Compare two profiles.

    Args:
        a: the first run.
        b: the second.
        ignore: facets that are left out.
    """
    compared = [facet for facet in FACETS if facet not in ignore]
    changes = {facet: found for facet in compared if (found := _changes(facet, a, b))}
    withheld = {facet: (a.withheld.get(facet, 0), b.withheld.get(facet, 0)) for facet in compared}
    unchanged = [facet for facet in compared if facet not in changes]
    return Difference(
        a=a.bundle,
        b=b.bundle,
        changes=changes,
        same=tuple(facet for facet in unchanged if a.tables[facet] and not any(withheld[facet])),
        silent=tuple(facet for facet in unchanged if not a.tables[facet] and not any(withheld[facet])),
        withheld={facet: sides for facet, sides in withheld.items() if any(sides)},
        ignored=tuple(facet for facet in FACETS if facet in ignore),
    )


def _changes(facet: str, a: Profile, b: Profile) -> tuple[Change, ...]:
    one, other = a.tables[facet], b.tables[facet]
    changes = (
        Change(name=name, a=one.get(name), b=other.get(name), words=a.words.get(name, "") or b.words.get(name, ""))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name) or type(one.get(name)) is not type(other.get(name))
    )
    withholds = facet in a.withheld, facet in b.withheld
    return tuple(change for change in changes if (less := _lesser(change)) is None or not withholds[less])


def _lesser(change: Change) -> int | None:
    """Which side has less of it, 0 or 1: where that one withholds, it cannot be told whether it has. None for neither."""
    if change.a is None or change.b is None:
        return int(change.b is None)
    if isinstance(change.a, int | float) and isinstance(change.b, int | float):
        return int(change.b < change.a)
    return None
