"""An auditor's policy: whom to trust, and what a bundle must amount to.

Data only: `attest.policy.file` reads it and `attest.policy.requirements` judges by it.
Law: a policy comes from outside the bundle, and its digest stands in every verdict that was made by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from attest.trust.trust import Trust

CONFIDENCES = ("low", "medium", "high")
"""The words for the confidence of a closure score, the lowest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackThreshold:
    """What must be so of one pack that a bundle was scored by."""

    name: str
    completeness_min: float
    """Share of the pack's required signals, 0 to 1."""
    digest: str | None = None
    """`sha256:…` of the pack that counts; None takes any of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What a bundle must amount to. None and empty ask for nothing."""

    packs: tuple[PackThreshold, ...] = ()
    closure_min: float | None = None
    confidence_min: str | None = None
    """`low`, `medium` or `high`."""
    dropped_ratio_max: float | None = None
    """Share of the atoms of telemetry that translation lost, 0 to 1."""
    dropped_major_max: int | None = None
    """Atoms lost whose loss matters."""
    built_in_tables: bool = False
    """Whether translation tables that a bundle carries itself are not enough: by them less may be lost."""
    capture_max: Mapping[str, int] = field(default_factory=dict)
    """Highest count by counter of capture health; a flag counts as 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy, as a file says it."""

    name: str
    version: str
    digest: str
    """`sha256:…` over the bytes of the file."""
    expires: str | None = None
    """From this time on it says nothing, and what is judged by it is undecided."""
    trust: Trust = field(default_factory=Trust)
    thresholds: Thresholds = Thresholds()
    warnings: tuple[str, ...] = ()
    """What whoever relies on it should know: where it says less than it seems to."""
