"""What the counters of capture health mean: the table `confidence` of the registry.

Law: every counter stands in the table once, and the table names no other. Who wants to know what a counter is worth asks
here: the confidence of the scores, the warning of `verify`, the words of both, and what a recorder calls a gap.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from evidence.capture.health import COUNTERS
from evidence.strict_yaml import Node

Level = Literal["low", "medium", "noted", "plain"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One counter of capture health."""

    level: Level
    """What it lowers the confidence to when it is above zero. `noted` lowers nothing and should be zero all the same; `plain`
    is no fault."""
    meaning: str
    """What it says, as a clause."""


Counters = Mapping[str, Counter]
"""Every counter by its name, the worst first."""


def read_counters(node: Node) -> Counters:
    """Read the table.

    Raises:
        PackError: with file and line: an unknown level or counter, one that stands twice, or one that is left out.
    """
    counters: dict[str, Counter] = {}
    levels = node.mapping(LEVELS)
    for level in LEVELS:
        for name, meaning in levels[level].entries().items():
            if name not in COUNTERS:
                meaning.fail(f"capture health has no counter {name!r}")
            if name in counters:
                meaning.fail(f"the counter {name!r} stands twice")
            counters[name] = Counter(level=level, meaning=meaning.text())
    if left_out := sorted(COUNTERS - counters.keys()):
        node.fail(f"expected every counter, got none of {', '.join(left_out)}")
    return counters


def faults(health: Mapping[str, int | bool], counters: Counters) -> dict[str, int | bool]:
    """The counters that are not zero and should be. One that the table does not know, of another version, is a fault."""
    return {
        name: count
        for name, count in health.items()
        if count and (name not in counters or counters[name].level != "plain")
    }


def doubts(health: Mapping[str, int | bool], counters: Counters) -> dict[str, int | bool]:
    """The counters that cast doubt on the run being whole: those that lower the confidence to `low`, the worst known first."""
    return {name: health[name] for name, counter in counters.items() if counter.level == "low" and health.get(name)}
