"""Deciding beforehand what follows from a shape alone, so that no item of it pays for the question again.

Law: what is decided is what the stages would have done; whatever depends on a value is left to a stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semconv.plan.assign.draft import Draft
from semconv.plan.assign.hearing import Hearing
from semconv.plan.assign.rows import Assigned, Family, Rank
from semconv.plan.bind import is_tabled, leaves_as_is, looked_up
from semconv.plan.inverse import undo
from semconv.plan.settle import EXACT, LONG, READABLE, Way
from semconv.plan.stages import KeyStage, OwnStage
from semconv.profile.profile import Fold
from semconv.target import FINISH_REASONS
from semconv.translation import Loss


def first_claims(hearing: Hearing, singles: Sequence[Assigned], families: Mapping[Fold, Family]) -> Mapping[str, Rank]:
    """For each key that is claimed, when the first claim to it is heard."""
    claims = [(one.rank, key) for one in singles for bound in one.ways for key in hearing.binder.targets_of(bound)]
    for fold, family in families.items():
        keys = (hearing.target.key_of(concept) or "" for concept in (fold.to, FINISH_REASONS))
        claims += [((*family.rank, ()), key) for key in keys]
    first: dict[str, Rank] = {}
    for rank, key in sorted(claims):
        first.setdefault(key, rank)
    return first


def place(hearing: Hearing, one: Assigned, draft: Draft, first: Mapping[str, Rank]) -> None:
    """Decide what follows from the shape; leave to a stage what depends on values."""
    key, bound = one.key, one.ways[0]
    row, kind, value = bound.row, hearing.types[key], hearing.around.values.get(key)
    if one.exact and value is not None and value in one.sentinels and not (row.derived or row.keep):
        draft.kept += 1
        draft.source_side.append(one.sentinels[value])
        return
    single = len(one.ways) == 1 and not row.same_as and not row.also
    redactable = bool(one.sentinels) and kind is str and not one.exact
    tabled = bool(row.ops) and kind is str and is_tabled(row)
    wins = single and _wins(hearing, one, bound, first)
    if single and row.lost and not bound.key and bound.rest is None and not redactable:
        draft.loss.append(Loss(key, row.lost))
    elif single and (row.keep or (bound.key == key and tabled and leaves_as_is(row, value))):
        draft.kept += 1
    elif single and bound.key == key and not row.ops and (bound.shape in READABLE or bound.type == "string[]"):
        draft.stages.append((one.rank, OwnStage(key, bound)))
    elif single and row.derived and (value is not None or hearing.types[key] not in LONG):
        draft.derived.append(key)
    elif wins and not redactable and (not row.ops or (tabled and leaves_as_is(row, value))):
        draft.moves.append((key, bound.key))
        if row.ops and value is None:
            draft.doubtful.append((key, row.ops))
        else:
            draft.lossy = draft.lossy or undo(row.ops, value) != value
    elif wins and tabled and (said := looked_up(row, value)) is not None:
        draft.constants.append((key, bound.key, said))
        draft.lossy = draft.lossy or undo(row.ops, said) != value
    elif any(each.row.sum_of for each in one.ways):
        draft.sums.append(KeyStage(key, one.ways, one.sentinels))
    else:
        draft.stages.append((one.rank, KeyStage(key, one.ways, one.sentinels if redactable else {})))


def _wins(hearing: Hearing, one: Assigned, bound: Way, first: Mapping[str, Rank]) -> bool:
    """Whether a claim can only win, and with the value's own type."""
    return bool(
        bound.key
        and not bound.row.copy
        and not bound.row.lost
        and bound.key not in hearing.types
        and first[bound.key] == one.rank
        and bound.shape not in READABLE
        and hearing.types[one.key] is EXACT.get(bound.type)
    )
