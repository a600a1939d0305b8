"""A plan: what to do with every item of one shape. Made once per shape by `semconv.plan.assign`, carried out per item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from semconv.ops import Step
from semconv.plan.inverse import undo
from semconv.plan.run import Run
from semconv.plan.stages import EventStage, OwnStage, Stage
from semconv.profile.profile import FoldKey, MetricRow, NameRow, Row
from semconv.translation import IRREVERSIBLE, LOSSLESS, NEEDS_PROVENANCE, Loss, Translation
from semconv.value import Value

Signal = Literal["span", "log", "point"]
"""What a plan is for. Attributes of logs carry structure as it is, the others its JSON text; only spans have events."""

Entry = tuple[int, Row | FoldKey, tuple[str, ...]]
"""A row of a table: its place there, itself, and what the holes of its key hold."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyFacts:
    """What is known of a key whatever the item it is on. Profiles are named by their places in the planner."""

    marks: tuple[tuple[int, int], ...]
    """(profile, mark) for every mark it is."""
    rows: Mapping[int, tuple[Entry, ...]]
    concept: str | None
    """The concept it is in the registry, if any."""
    owners: tuple[int, ...]
    """Profiles in whose namespace it lies."""


@dataclass(slots=True, kw_only=True, eq=False)
class Shape:
    """The shape of an item, and the plans for it by the values conditions ask about."""

    keys: tuple[str, ...]
    types: tuple[type, ...]
    scope: str
    events: frozenset[str]
    """Names of the events on a span, of the event a log record is, of the metric."""
    switches: tuple[tuple[str, Mapping[str | bool, str]], ...]
    """Keys a condition asks about, and the values of each that make a difference."""
    plans: dict[tuple[str | None, ...], Plan] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Plan:
    """What to do with items of one shape. Without profiles everything is kept."""

    profiles: tuple[str, ...] = ()
    margins: tuple[int, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()
    """Renames that nothing can contest."""
    constants: tuple[tuple[str, Value], ...] = ()
    """Values looked up beforehand, for keys that nothing can contest."""
    stages: tuple[Stage, ...] = ()
    late: tuple[Stage, ...] = ()
    """Those that ask what the others came to."""
    names: tuple[tuple[NameRow, str], ...] = ()
    events: EventStage | None = None
    kept: int = 0
    """Attributes nothing is to be done with."""
    converted: int = 0
    derived: int = 0
    lossy: bool = False
    """Whether values go that do not follow from what takes their place."""
    doubtful: tuple[tuple[str, tuple[Step, ...]], ...] = ()
    """Keys of moves that do if undoing these operations leaves the value as it is."""
    removed: tuple[str, ...] = ()
    """Derivable keys, and those of the moves."""
    loss: tuple[Loss, ...] = ()
    source_side: tuple[tuple[str, int], ...] = ()
    """What was missing before it got here: reasons and how often."""
    unknown: tuple[str, ...] = ()
    is_message: bool = False
    """Whether a stage sees to the name and the body of a log record."""
    checks: tuple[OwnStage, ...] | None = None
    """The stages when they only look whether all is right already."""
    kind_says_nothing: bool = False
    kind: int | None = None
    """The span kind a table gives to spans that come without a telling one."""
    metrics: Mapping[str, tuple[MetricRow, ...]] = field(default_factory=dict)
    unchanged: dict[int, Translation] = field(default_factory=dict)
    """Translations of items of which nothing changes: they differ by the number of atoms alone. Bounded."""


NOTHING: Final = Plan()
"""The plan for items no profile knows."""


def reversal(run: Run, plan: Plan) -> str:
    """What can be said of the way back from what became of attributes and events."""
    if run.irreversible or run.events_removed:  # of an event that is folded the time is nowhere
        return IRREVERSIBLE
    attributes = run.attributes
    if run.lossy or not run.out.keys().isdisjoint(attributes):  # what was written over cannot be told from what is new
        return NEEDS_PROVENANCE
    if any(undo(steps, attributes[key]) != attributes[key] for key, steps in plan.doubtful):
        return NEEDS_PROVENANCE
    return LOSSLESS
