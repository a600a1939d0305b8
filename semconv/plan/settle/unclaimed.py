"""Values whose rows claim nothing: lost, worked out from others, kept, or the sum of what stands there.

Law: each atom gets its bucket here, or the answer is a `Miss`.
"""

from __future__ import annotations

from typing import Final

from semconv import ops
from semconv.plan.run import Run
from semconv.plan.settle.ways import CARRIED, DROPPED, MOVED, STAYS, Act, Outcome, Way
from semconv.value import Value, same, size

_LABEL_MAX: Final = 64
"""Characters or bytes of what a rule may take away without a look at it."""


def unless_same(act: Act) -> Act:
    """The act, but nothing for a value that another key holds as well."""

    def do(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
        if way.row.same_as in run.attributes and same(run.attributes[way.row.same_as], value):
            run.derived += atoms
            return CARRIED
        return act(run, label, value, way, atoms)

    return do


def lost(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """The table knows the key and has no place for it."""
    run.drop(label, way.row.lost, atoms, size(value) if "#/" in label else None)
    return DROPPED


def derived(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """A label can be worked out; a content that stands where a label should is nowhere else, so it stays."""
    return said_already(run, label, value, way, atoms) if _is_label(value) else ops.NO_LABEL


def _is_label(value: Value) -> bool:
    """Whether a value is short enough to be worked out by a rule that does not look at it."""
    return (
        len(value) <= _LABEL_MAX if isinstance(value, str | bytes) else not value or not isinstance(value, list | dict)
    )


def said_already(run: Run, _label: str, _value: Value, _way: Way, atoms: int) -> Outcome:
    """What the value says stands elsewhere, or follows from what does."""
    run.derived += atoms
    return CARRIED


def keep(run: Run, _label: str, _value: Value, _way: Way, atoms: int) -> Outcome:
    """It stays under its own key."""
    run.kept += atoms
    return STAYS


def sum_(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """A total says nothing of its own when it is the sum of what stands there."""
    parts = [part for part in map(run.now, way.row.sum_of) if part is not None]
    total = ops.to_int(value)
    if parts and isinstance(total, int) and total == sum(part if type(part) is int else -1 for part in parts):
        run.derived += atoms
        return MOVED if type(value) is int else CARRIED
    run.drop(label, "no_concept", atoms, size(value) if "#/" in label else None)
    return DROPPED
