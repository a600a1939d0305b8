"""The structure that a family of keys makes: each key at its path, to be filled with values item by item.

Law: the result depends on the keys and their order alone. A key whose place is taken, or lies inside another's, has no home.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """Objects and lists with keys where their values go."""

    tree: Any
    keys: tuple[str, ...]
    """Those that have a place in it."""
    homeless: tuple[str, ...]
    gaps: bool
    """Whether numbers were missing in a list: 0, 2."""


def skeleton(members: Iterable[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> Skeleton:
    """The structure of a family.

    Args:
        members: each key with its path in the structure and what the holes of both hold, those first that are to have their place.
    """
    tree: dict[Any, Any] = {}
    keys: list[str] = []
    homeless: list[str] = []
    for key, path, holes in members:
        (keys if _put(tree, _filled(path, holes), key) else homeless).append(key)
    listed, gaps = _listed(tree)
    return Skeleton(listed, tuple(keys), tuple(homeless), gaps)


def _filled(path: tuple[str, ...], holes: tuple[str, ...]) -> tuple[str | int, ...]:
    """A path with its holes filled: numbers for `{i}`, the segments `**` stood for."""
    at = 0
    steps: list[str | int] = []
    for step in path:
        if step == "**":
            steps += holes[-1].split(".")
        elif step == "*":
            steps.append(holes[at])
            at += 1
        elif step.startswith("{"):
            steps.append(int(holes[at]))
            at += 1
        else:
            steps.append(int(step) if step.isdecimal() else step)
    return tuple(steps)


def _put(tree: dict[Any, Any], path: tuple[str | int, ...], key: str) -> bool:
    """Put a key at a path of a tree; False when something else is there or on the way."""
    for step in path[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return False
        tree = inner
    if path[-1] in tree:
        return False
    tree[path[-1]] = key
    return True


def _listed(tree: Any) -> tuple[Any, bool]:  # noqa: ANN401  # a document of keys
    """The tree with lists where numbers were, and whether numbers were missing in between."""
    if not isinstance(tree, dict):
        return tree, False
    inner = {step: _listed(value) for step, value in tree.items()}
    gaps = any(gap for _, gap in inner.values())
    numbers = sorted(step for step in inner if isinstance(step, int))
    if numbers and len(numbers) == len(inner):
        return [inner[step][0] for step in numbers], gaps or numbers != list(range(len(numbers)))
    return {str(step): value for step, (value, _) in inner.items()}, gaps
