"""Assigning the keys of a shape: each to the rows that are tried for it, or to the fold that takes it.

Law: rows are asked from the most special profile to the most general, so that a vendor's table may refine the registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Final

from semconv.plan.assign.draft import Draft
from semconv.plan.assign.hearing import Hearing
from semconv.plan.bind import bind_own, is_certain
from semconv.plan.plan import KeyFacts
from semconv.plan.settle import Way
from semconv.profile.profile import Fold, FoldKey
from semconv.translation import Loss

Rank = tuple[Any, ...]
"""When a claim is heard: place of the profile, place of the row, the key as numbers and words."""

NATIVE: Final = -1
"""The place of what an item has under the target's own keys: before any profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A key and the rows that are tried for it."""

    key: str
    rank: Rank
    ways: tuple[Way, ...]
    sentinels: Mapping[str, str]
    exact: bool = False
    """Whether the shape knows if the value is a sentinel."""


@dataclass(slots=True, kw_only=True)
class Family:
    """The keys of one fold."""

    rank: Rank
    sentinels: Mapping[str, str]
    members: list[tuple[str, FoldKey, tuple[str, ...]]] = field(default_factory=list)


def assign(hearing: Hearing, draft: Draft, held: tuple[str, ...]) -> tuple[list[Assigned], dict[Fold, Family]]:
    """The keys that are tried one by one, and those that folds take; the rest is entered in the draft. `held` are taken already."""
    singles: list[Assigned] = []
    families: dict[Fold, Family] = {}
    identity = any(profile.identity for profile in hearing.heard)
    for key in hearing.shape.keys:
        if key in held:
            continue
        facts = hearing.facts[key]
        if hearing.types[key] is NoneType:  # it says nothing, and nothing that does is kept out by it
            draft.kept += 1
            continue
        found = _rows(hearing, key, facts)
        if isinstance(found, Family):
            family = families.setdefault(found.members[0][1].fold, found)
            if family is not found:
                family.rank = min(family.rank, found.rank)
                family.members += found.members
        elif found is not None:
            singles.append(found)
        elif facts.concept is not None and identity:
            own = bind_own(hearing.target, key, facts.concept, hearing.types[key], structured=hearing.signal == "log")
            if own is None:
                draft.kept += 1
            else:
                singles.append(Assigned(key=key, rank=(NATIVE, 0, natural(key)), ways=(own,), sentinels={}))
        elif any(at in hearing.profiles for at in facts.owners):
            draft.loss.append(Loss(key, "no_concept"))
            draft.unknown.append(key)
        else:
            draft.kept += 1
    return singles, families


def _rows(hearing: Hearing, key: str, facts: KeyFacts) -> Assigned | Family | None:
    """The rows for a key in the order they are tried, or the fold that takes it."""
    ways: list[Way] = []
    rank: Rank = ()
    sentinels: Mapping[str, str] = {}
    exact = False
    order_asked = sorted(enumerate(hearing.profiles.items()), key=lambda item: (-item[1][1].layer, item[0]))
    for place, (at, profile) in order_asked:
        for order, entry, holes in facts.rows.get(at, ()):
            fold = entry.fold if isinstance(entry, FoldKey) else None
            if not (fold.when if fold else entry.when).holds(hearing.around):  # type: ignore[union-attr]  # a Row when no fold
                continue
            if isinstance(entry, FoldKey):
                if ways:
                    continue
                return Family(rank=(place, order), sentinels=profile.sentinels, members=[(key, entry, holes)])
            if not ways:
                rank, sentinels = (place, order, natural(key)), profile.sentinels
                exact = key in profile.exact
            ways.append(hearing.binder.bind(entry, holes))
            if is_certain(ways[-1], hearing.types[key]):
                return _assigned(key, rank, ways, sentinels, exact=exact)
    return _assigned(key, rank, ways, sentinels, exact=exact) if ways else None


def _assigned(key: str, rank: Rank, ways: list[Way], sentinels: Mapping[str, str], *, exact: bool) -> Assigned:
    if any(bound.key == key for bound in ways):
        return Assigned(key=key, rank=(NATIVE, 0, natural(key)), ways=tuple(ways), sentinels={})
    return Assigned(key=key, rank=rank, ways=tuple(ways), sentinels=sentinels, exact=exact)


def natural(key: str) -> Rank:
    """A sort key in which message 10 comes after message 9."""
    return tuple(
        (0, int(part), part) if part.isdecimal() and part.isascii() and len(part) < 10 else (1, 0, part)
        for part in key.split(".")
    )
