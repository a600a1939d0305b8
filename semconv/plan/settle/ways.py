"""A way: a row bound to a target, with what is done with its values; and the outcomes that this may have.

CARRIED: the source has nothing more to say. MOVED: the same, and its value follows from what stands there instead. STAYS: it stays
where it is. DROPPED: something of it is lost. A `Miss`: the row does not apply, and nothing has been counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from semconv.ops import Miss
from semconv.plan.run import Run
from semconv.profile.profile import Row
from semconv.value import Value

CARRIED, MOVED, STAYS, DROPPED = "carried", "moved", "stays", "dropped"
GONE: Final = (CARRIED, MOVED)
"""Outcomes after which the source need not stand on the item any longer."""
Outcome = str | Miss
Act = Callable[[Run, str, Value, "Way", int], Outcome]
Members = tuple[tuple[tuple[str, ...], str, "Way"], ...]

READABLE: Final = (
    "input_messages",
    "output_messages",
    "system_instructions",
    "tool_definitions",
    "retrieval_documents",
)
"""Shapes with a structure the message model knows."""

EXACT: Final[Mapping[str, type]] = {"string": str, "int": int, "double": float, "boolean": bool}
"""Types of the registry that are types of Python."""

LONG: Final = frozenset({str, bytes, list, dict})
"""Types of values that may be content."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """A row bound to a target, with what can be known of it beforehand."""

    row: Row
    act: Act
    """What is done with a value."""
    key: str = ""
    """The target's key; empty when the row claims nothing."""
    type: str = "any"
    shape: str = ""
    role: str = "user"
    members: Members = ()
    """Paths of members, the same as a suffix for labels, and their ways; in the order of the table."""
    heads: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """First steps of the members' paths to their places in `members`."""
    rest: Way | None = None
    also: tuple[Way, ...] = ()
    """What else the value says."""
