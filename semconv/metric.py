"""A metric as a whole: what its points came to, and whether it is one of the target's, under which name and in which unit.

A metric becomes the target's when all of its points agree to a row, its data are what the target's instrument records, and its
unit is the target's or one of an exact ratio to it: then the numbers are scaled. Otherwise it stays as it is, and its name is
counted as lost. Laws: the closed sum over all points; numbers are never changed without the unit saying so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from semconv.measure import INSTRUMENTS, SAME, Ratio, ratio
from semconv.plan.plan import Plan, reversal
from semconv.plan.run import Run
from semconv.profile.profile import MetricRow
from semconv.target import Target
from semconv.translation import (
    IRREVERSIBLE,
    LOSSLESS,
    METRICS,
    NEEDS_PROVENANCE,
    REVERSALS,
    Loss,
    PointTranslation,
    Tables,
    Tally,
    Translation,
)
from semconv.value import size
from semconv.view import Attributes, MetricView

Made = Sequence[tuple[Plan, Run]]
"""For each point its plan and run."""

_AROUND: Final = 3
"""Atoms every metric has: the name and version of its scope, and what kind of data it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What becomes of a metric's name and unit."""

    name: str | None = None
    unit: str | None = None
    scale: Ratio | None = None
    says: tuple[str, ...] = ()
    """Attributes of points that say what the new name says."""
    lost: str = ""
    """Why it is none of the target's."""


def merged(view: MetricView, made: Made, target: Target, tables: Tables) -> Translation:
    """One translation of a metric from the runs over its points."""
    measured = _measured(view, made, target)
    around = _AROUND + len(view.resource) + len(view.scope_attributes) + len(view.metadata) + bool(view.description)
    said = bool(view.unit)
    atoms = 1 + around + said + sum([1 + len(attributes) for attributes in view.points]) + view.duplicate_keys
    tally = Tally(atoms, around)
    points: list[PointTranslation] = []
    loss: list[Loss] = []
    for index, (plan, run) in enumerate(made):
        lost = [_sized(entry, view.points[index]) for entry in (*plan.loss, *run.loss)]
        told = {entry.path for entry in lost if entry.path in measured.says}
        removed = tuple(sorted([key for key in (*plan.removed, *run.removed, *told) if key not in run.out]))
        if run.out or removed:
            points.append(PointTranslation(index, run.out, removed))
        loss += [entry for entry in lost if entry.path not in told]
        _add(tally, run, len(told), scaled=measured.scale is not None)
    if view.duplicate_keys:
        loss.append(Loss("@duplicates", "superseded", view.duplicate_keys, 0))
    if measured.lost:
        loss.append(Loss(METRICS + view.name, measured.lost, 1, size(view.name)))
    tally.dropped += view.duplicate_keys + bool(measured.lost)
    tally.renamed += measured.name is not None
    tally.kept += (measured.name is None and not measured.lost) + (said and measured.unit is None)
    tally.converted += said and measured.unit is not None
    margins = {id_: margin for plan, _ in made for id_, margin in zip(plan.profiles, plan.margins, strict=True)}
    changed = bool(points) or measured.name is not None or measured.unit is not None
    reversals = [reversal(run, plan) for plan, run in made] + [_reversal(view, made, target, measured)]
    unknown = {key for plan, _ in made for key in plan.unknown if key not in measured.says}
    return Translation(
        tally,
        tuple(sorted(margins)),
        name=measured.name,
        points=tuple(points),
        loss=_summed(loss),
        conflicts=tuple(sorted({conflict for _, run in made for conflict in run.conflicts})),
        synthesized=(("@unit", "metric"),) if measured.unit is not None and not said else (),
        unknown=tuple(sorted(unknown)),
        margins=tuple(margins[id_] for id_ in sorted(margins)),
        reversal=max(reversals, key=REVERSALS.index) if changed else LOSSLESS,
        tables=tables,
        unit=measured.unit,
        scale=measured.scale,
    )


# ------------------------------------------------------------------ name and unit


def _measured(view: MetricView, made: Made, target: Target) -> _Measured:
    row = _row(view, made)
    name = target.metrics.get(row.to) if row is not None else None
    if name is None and view.name in target.measures:
        name = view.name
    if name is None:
        return _Measured(lost=(row.lost or "no_concept_at_version") if row is not None else "")
    measure = target.measures[name]
    if view.type and view.type not in INSTRUMENTS[measure.instrument]:
        return _Measured(lost="metric_type_mismatch")
    found = view.unit or (row.unit if row is not None else "") or (measure.unit if name == view.name else "")
    by = ratio(target.units, found, measure.unit)
    if by is None:
        return _Measured(lost="metric_type_mismatch" if found else "unit_ambiguous")
    if by != SAME and view.type == "exponentialHistogram":  # its bounds are powers of a base, which a ratio moves apart
        return _Measured(lost="precision_lost")
    return _Measured(
        name=name if name != view.name else None,
        unit=measure.unit if measure.unit != view.unit and (view.unit or name != view.name) else None,
        scale=by if by != SAME else None,
        says=tuple(key for key, _ in row.points if key not in target.attributes) if row and name != view.name else (),
    )


def _row(view: MetricView, made: Made) -> MetricRow | None:
    """The first row for a metric of this name that all its points agree to."""
    rows = {id(row): row for plan, _ in made for row in plan.metrics.get(view.name, ())}
    for row in rows.values():
        if all(run.now(key) in allowed for key, allowed in row.points for _, run in made):
            return row
    return None


def _reversal(view: MetricView, made: Made, target: Target, measured: _Measured) -> str:
    """What becomes of the metric itself: of all names that lead to the new one the first in the alphabet is the source."""
    if view.duplicate_keys:
        return IRREVERSIBLE
    if measured.unit is not None or measured.says:
        return NEEDS_PROVENANCE
    if measured.name is None:
        return LOSSLESS
    names = [
        old
        for plan, _ in made
        for old, rows in plan.metrics.items()
        if any(target.metrics.get(row.to) == measured.name for row in rows)
    ]
    return LOSSLESS if view.name == min(names) else NEEDS_PROVENANCE


# ------------------------------------------------------------------ sums over points


def _add(tally: Tally, run: Run, told: int, *, scaled: bool) -> None:
    """Enter a point: its value, and what became of its attributes."""
    tally.atoms_in += run.extra
    tally.kept += run.kept + (not scaled)
    tally.renamed += run.renamed
    tally.converted += run.converted + scaled
    tally.folded += run.folded
    tally.derived_only += run.derived + told
    tally.dropped += run.dropped - told


def _sized(loss: Loss, attributes: Attributes) -> Loss:
    return Loss(loss.path, loss.reason, loss.atoms, size(attributes.get(loss.path)) if loss.size is None else loss.size)


def _summed(losses: list[Loss]) -> tuple[Loss, ...]:
    """Losses of many points, one for each path and reason."""
    found: dict[tuple[str, str], list[int]] = {}
    for loss in losses:
        entry = found.setdefault((loss.path, loss.reason), [0, 0])
        entry[0] += loss.atoms
        entry[1] += loss.size or 0
    return tuple(Loss(path, reason, atoms, bytes_) for (path, reason), (atoms, bytes_) in sorted(found.items()))
