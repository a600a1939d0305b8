"""A claim of a value to a key of the target.

Law: the first claim to be heard stands; what a later one says is equal to it, or lost and said to be.
"""

from __future__ import annotations

from semconv import ops
from semconv.ops import Miss
from semconv.plan.inverse import undo
from semconv.plan.run import EQUAL, LOST, WON, Run
from semconv.plan.settle.ways import CARRIED, DROPPED, EXACT, MOVED, STAYS, Outcome, Way
from semconv.translation import Loss
from semconv.value import Value, exactly, size


def claim(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """Claim the row's key for the value, after the row's operations and as the key's type."""
    row, key, new = way.row, way.key, value
    if row.ops:
        result = ops.run(row.ops, value, run.scope)
        if isinstance(result, Miss):
            return result
        new = result
    fitted: Value = new
    if type(new) is not EXACT.get(way.type):
        fits = ops.fit(run.rendered(new) if way.type == "any" else new, way.type)
        if isinstance(fits, Miss):
            return fits
        if way.type != "any" and type(fits) is not type(new) and type(new) is not list:
            run.notes.append(Loss(label, "type_coerced", 0))
        fitted = fits
    if fitted is None and label != key:  # nothing is no value of an attribute
        return ops.NOT_THIS
    unchanged = fitted is value or (type(fitted) is type(value) and fitted == value)
    if row.loses and not unchanged:
        run.notes.append(Loss(label, row.loses, 0))
    if label == key:  # the target's own key
        if unchanged:
            run.kept += atoms
        else:
            run.out[key] = fitted
            run.converted += atoms
            if row.lost:
                run.notes.append(Loss(label, row.lost, 0))
        return STAYS
    won = run.offer(key, fitted)
    if row.lost:
        if won is WON:
            run.synthesized.append((key, label))
        run.drop(label, row.lost, atoms, size(value))
        return DROPPED
    if row.copy:
        run.kept += atoms
        return STAYS
    if won is LOST:
        run.lose(key, label, row.yields, atoms, size(value))
        return DROPPED
    if won is EQUAL:
        run.derived += atoms
    elif unchanged:
        run.renamed += atoms
    else:
        run.converted += atoms
    return moved(run, value, way)


def moved(run: Run, value: Value, way: Way) -> Outcome:
    """CARRIED, or MOVED when undoing the row's operations on what stands gives the value itself, its type included.

    Not asked of an item that is known to be no longer reversible: there it makes no difference.
    """
    return CARRIED if run.lossy or not exactly(undo(way.row.ops, run.now(way.key)), value) else MOVED
