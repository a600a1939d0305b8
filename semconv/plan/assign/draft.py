"""A plan in the making."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from semconv.ops import Step
from semconv.plan.stages import Stage
from semconv.translation import Loss


@dataclass(slots=True)
class Draft:
    """What is known of a plan so far; most of it by the names that the plan has for it."""

    kept: int = 0
    derived: list[str] = field(default_factory=list)
    loss: list[Loss] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)
    constants: list[tuple[str, str, str]] = field(default_factory=list)
    stages: list[tuple[tuple[Any, ...], Stage]] = field(default_factory=list)
    """With when each is heard."""
    sums: list[Stage] = field(default_factory=list)
    source_side: list[str] = field(default_factory=list)
    lossy: bool = False
    doubtful: list[tuple[str, tuple[Step, ...]]] = field(default_factory=list)
