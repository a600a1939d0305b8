"""The registry of evidence signals, and what is expected of each in a part of a run.

The registry is data (`registry.yaml`) with a version and a digest; both stand in every manifest, so that a score is only
recomputed with the registry it was made with.

Law: a signal is captured when every expected instance of it is there, redacted when every absent body is committed to,
missing when an expected instance is absent, and unknown when nothing says that it should be there. No vacuous pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from evidence.canonical import JsonObject, canonical
from evidence.capture.counters import Counters, read_counters
from evidence.checks.check import Check, read_check
from evidence.checks.presence import Placeholders
from evidence.digest import tagged
from evidence.strict_yaml import Node, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One canonical signal."""

    id: str
    title: str
    replay_critical: bool
    weight: int
    """Its share in the closure score; 0 unless it is replay-critical."""
    bodies: tuple[str, ...]
    """Attributes that hold content and may be withheld against a commitment."""
    expected: tuple[Check, ...]
    remedy: str
    """What to instrument or configure where it is missing, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All signals, and what else the scores are made with."""

    version: str
    digest: str
    """Tagged SHA-256 over the canonical form of the whole table."""
    signals: Mapping[str, Signal]
    placeholders: Placeholders
    uncontrolled: Mapping[str, str]
    """What is uncontrolled in a replay, by the signal that would hold it."""
    counters: Counters
    """What the counters of capture health mean."""

    confidence: Mapping[str, tuple[str, ...]]
    """The counters of capture health that lower the confidence, by level."""

    def reference(self) -> JsonObject:
        """What a manifest says about the registry."""
        return {"version": self.version, "digest": self.digest}


@cache
def registry() -> Registry:
    """The registry of this installation."""
    return read_registry(files("evidence").joinpath("registry.yaml").read_bytes(), "registry.yaml")


def read_registry(data: bytes, file: str) -> Registry:
    """Read a registry strictly.

    Raises:
        PackError: with file and line, what does not fit.
    """
    node = load(data, file)
    members = node.mapping(
        ["id", "version", "placeholders", "placeholders_inside", "signals", "uncontrolled", "confidence"]
    )
    signals: dict[str, Signal] = {}
    for entry in members["signals"].items():
        signal = _signal(entry)
        if signal.id in signals:
            entry.fail(f"the signal {signal.id!r} stands twice")
        signals[signal.id] = signal
    counters = read_counters(members["confidence"])
    return Registry(
        version=members["version"].text(),
        digest=tagged(canonical(node.plain())),
        signals=signals,
        placeholders=Placeholders(
            whole=frozenset(members["placeholders"].texts()),
            inside=members["placeholders_inside"].texts(),
        ),
        uncontrolled=_uncontrolled(members["uncontrolled"], signals),
        counters=counters,
        confidence={
            level: tuple(name for name, counter in counters.items() if counter.level == level)
            for level in ("low", "medium")
        },
    )


def _signal(node: Node) -> Signal:
    members = node.mapping(["id", "title", "replay_critical", "weight", "bodies", "expected", "remedy"])
    signal = Signal(
        id=members["id"].text(),
        title=members["title"].text(),
        replay_critical=members["replay_critical"].boolean(),
        weight=members["weight"].count(),
        bodies=tuple(item.text() for item in members["bodies"].items()),
        expected=tuple(read_check(row, "exists_for_all") for row in members["expected"].items()),
        remedy=members["remedy"].text(),
    )
    if bool(signal.weight) != signal.replay_critical:
        members["weight"].fail("a signal has a weight exactly when it is replay-critical")
    if not signal.expected:
        members["expected"].fail("a signal that is never expected is always unknown")
    return signal


def _uncontrolled(node: Node, signals: Mapping[str, Signal]) -> dict[str, str]:
    for name, member in node.entries().items():
        if name not in signals:
            member.fail(f"unknown signal {name!r}")
    return {name: member.text() for name, member in node.entries().items()}
