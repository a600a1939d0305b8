"""What can be said of conditions without an item: which one follows from which, and which can never be met.

Law: sound. What is said to follow does follow, and what is said to be impossible is; neither is found in every case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from semconv.profile.profile import When, is_pattern

_ALTERNATIVES_MAX = 512


def follows(weak: When, strong: When, key: str = "") -> bool:
    """Whether an item that has `key` and meets `strong` always meets `weak`."""
    there = _there(strong, key)
    allowed = dict(strong.values)
    return (
        (not weak.operation or (bool(strong.operation) and set(strong.operation) <= set(weak.operation)))
        and all(name in allowed and set(allowed[name]) <= set(values) for name, values in weak.values)
        and all(_has(name, there) for name in weak.present)
        and (not weak.any or _any_follows(weak.any, strong.any, there))
        and all(_lacks(name, strong.absent) for name in weak.absent)
        and (not weak.scope or (bool(strong.scope) and all(_lacks(name, weak.scope) for name in strong.scope)))
    )


def impossible(when: When, key: str = "") -> str:
    """Why no item that has `key` can meet a condition; empty when one might."""
    for name, values in when.values:
        if not values:
            return f"it asks {name!r} for none of any values"
    for name in _there(when, key):
        if _lacks(name, when.absent):
            asked = (
                "the row's own key is"
                if name == _known(key) and name not in when.present
                else f"{name!r} is asked to be"
            )
            return f"{asked} there, and `absent` rules it out"
    if when.any and all(_lacks(name, when.absent) for name in when.any):
        return "`absent` rules out all that `any` asks for"
    return ""


def alternatives(when: When) -> list[When]:
    """Conditions of which one holds exactly when `when` does, each asking for one operation, scope and value of a key."""
    count = max(1, len(when.operation)) * max(1, len(when.scope))
    for _, values in when.values:
        count *= max(1, len(values))
    if count > _ALTERNATIVES_MAX:
        return [when]
    none: list[tuple[str, ...]] = [()]
    choices = product(
        [(name,) for name in when.operation] or none,
        [(name,) for name in when.scope] or none,
        product(*([(name, (value,)) for value in values] for name, values in when.values)),
    )
    return [replace(when, operation=operation, scope=scope, values=values) for operation, scope, values in choices]


def _there(when: When, key: str) -> list[str]:
    """Keys, or beginnings of keys before a star, that an item has."""
    own = [_known(key)] if key else []
    return [*own, *when.present, *(name for name, _ in when.values)]


def _known(key: str) -> str:
    """What of a key with holes is known of every key it stands for: its beginning."""
    if not is_pattern(key):
        return key
    fixed = []
    for segment in key.split("."):
        if is_pattern(segment):
            break
        fixed.append(segment)
    return ".".join([*fixed, "*"])


def _has(asked: str, there: Sequence[str]) -> bool:
    """Whether a key that is asked to be there is, given what is."""
    if not asked.endswith("*"):
        return asked in there
    return any(name.removesuffix("*").startswith(asked[:-1]) for name in there)


def _lacks(asked: str, absent: Sequence[str]) -> bool:
    """Whether a key, and everything that begins as it does before its star, is among the patterns."""
    fixed = asked.removesuffix("*")
    return any(name == asked or (name.endswith("*") and fixed.startswith(name[:-1])) for name in absent)


def _any_follows(weak: Sequence[str], strong: Sequence[str], there: Sequence[str]) -> bool:
    if any(_has(name, there) for name in weak):
        return True
    return bool(strong) and all(any(_has(asked, (name,)) for asked in weak) for name in strong)
