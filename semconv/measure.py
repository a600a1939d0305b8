"""What a metric measures: the instrument behind its data, its unit, and the ratio between two units.

Law: a ratio is exact, with one of its sides 1: numbers are multiplied or divided by it once, so that what comes out is the
nearest number there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from semconv.table import Defect, Path, mapping, number, sequence

INSTRUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "histogram": ("histogram", "exponentialHistogram"),
    "counter": ("sum",),
    "updowncounter": ("sum",),
    "gauge": ("gauge",),
}
"""Instruments of the conventions, and the kinds of OTLP data they record."""

Ratio = tuple[int, int]
"""By what numbers are multiplied, and then divided."""
Units = Mapping[str, Mapping[str, Ratio]]
"""A unit of a target, to other units and spellings of it, to what numbers in these have to be multiplied with."""

SAME: Final[Ratio] = (1, 1)
_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Measure:
    """What a target asks of one of its metrics."""

    instrument: str
    unit: str


def dimension(unit: str) -> str:
    """A unit of UCUM without its annotations, which say what is counted and not in what."""
    return _ANNOTATION.sub("", unit) or "1"


def ratio(units: Units, found: str, wanted: str) -> Ratio | None:
    """What numbers in one unit are multiplied with to be in another; None where nothing says it."""
    if dimension(found) == dimension(wanted):
        return SAME
    return units.get(wanted, {}).get(found)


def scaled(value: float, by: Ratio) -> float:
    """A number in another unit."""
    return value * by[0] / by[1]


def units(table: Mapping[str, Any]) -> Units:
    """The units of a table. Raises `Defect`."""
    return {
        unit: {name: _ratio(by, (unit, name)) for name, by in mapping(others, (unit,)).items()}
        for unit, others in table.items()
    }


def _ratio(value: object, path: Path) -> Ratio:
    sides = [number(side, path) for side in sequence(value, path)]
    if len(sides) != 2 or min(sides) < 1 or 1 not in sides:
        raise Defect(path, f"expected two whole numbers from 1, one of them 1; got {value!r}")
    return sides[0], sides[1]
