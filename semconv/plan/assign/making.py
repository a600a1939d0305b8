"""Making a plan: the keys of a shape are assigned to rows, and claims are put in the order in which they are heard.

Claims to a key of the target are heard from the general to the special: what is there already, then what the conventions' own
older names say, then vendors by how surely they were detected.

Law: the result depends on the set of keys, not on their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from semconv.plan.assign import beside
from semconv.plan.assign.draft import Draft
from semconv.plan.assign.foresee import first_claims, place
from semconv.plan.assign.hearing import Hearing
from semconv.plan.assign.rows import NATIVE, Family, assign, natural
from semconv.plan.bind import bind
from semconv.plan.plan import Plan
from semconv.plan.record import RecordStage
from semconv.plan.run import Run
from semconv.plan.settle import way
from semconv.plan.skeleton import skeleton
from semconv.plan.stages import FoldStage, KeyStage, OwnStage, Stage
from semconv.profile.profile import Fold, Row

_LAST: Final = 1 << 16
"""The place after every profile."""


def make_plan(hearing: Hearing, margins: Sequence[int]) -> Plan:
    """The plan for items of one shape; `margins` say how surely each of the profiles heard was detected."""
    draft = Draft()
    record = beside.record(hearing) if hearing.signal == "log" else None
    if record is not None:
        draft.stages.append(((NATIVE, -1), record))
    singles, families = assign(hearing, draft, record.held if record else ())
    for family in families.values():
        # whose words, and none of them: whatever else says something is heard before
        if all(entry.path[-1] == "role" for _, entry, _ in family.members):
            family.rank = (_LAST, *family.rank)
    first = first_claims(hearing, singles, families)
    for assigned in sorted(singles, key=lambda one: one.rank):
        place(hearing, assigned, draft, first)
    for fold, family in families.items():
        draft.stages.append(((*family.rank, ()), _fold_stage(hearing, fold, family)))
    return _finished(hearing, draft, margins)


def _finished(hearing: Hearing, draft: Draft, margins: Sequence[int]) -> Plan:
    stages = tuple(stage for _, stage in sorted(draft.stages, key=lambda item: item[0]))
    late = (*beside.implied(hearing), *draft.sums)
    events = beside.events(hearing, draft) if hearing.signal == "span" else None
    checks = tuple(stage for stage in stages if isinstance(stage, OwnStage))
    names, metrics = beside.names(hearing), beside.metrics(hearing, draft)
    speaking = any(row.says for row, _ in names)
    only_checks = len(checks) == len(stages) and not (draft.moves or draft.constants or late or events or speaking)
    moved = [source for source, _ in draft.moves] + [source for source, _, _ in draft.constants]
    return Plan(
        profiles=tuple(profile.id for profile in hearing.heard),
        margins=tuple(margins),
        moves=tuple(draft.moves),
        constants=tuple((target, said) for _, target, said in draft.constants),
        stages=stages,
        late=late,
        names=names,
        events=events,
        checks=checks if only_checks else None,
        kept=draft.kept,
        converted=len(draft.constants),
        derived=len(draft.derived),
        removed=tuple(sorted([*draft.derived, *moved])),
        source_side=tuple(sorted(Counter(draft.source_side).items())),
        loss=tuple(sorted(draft.loss)),
        unknown=tuple(sorted(draft.unknown)),
        lossy=draft.lossy or bool(draft.derived),
        doubtful=tuple(draft.doubtful),
        kind_says_nothing=any(profile.kind_says_nothing for profile in hearing.heard),
        kind=next(
            (row.kind for profile in hearing.heard for row in profile.kinds if row.when.holds(hearing.around)), None
        ),
        is_message=any(isinstance(stage, RecordStage) for stage in stages),
        metrics=metrics,
    )


def _fold_stage(hearing: Hearing, fold: Fold, family: Family) -> Stage:
    bound = bind(hearing.target, Row(to=fold.to, role=fold.role, parts_in_text=fold.parts_in_text, yields=fold.yields))
    members = sorted(family.members, key=lambda member: natural(member[0]))
    if not bound.key:
        return _Several(tuple(KeyStage(key, (bound,), {}) for key, _, _ in members))
    made = skeleton((key, entry.path, holes) for key, entry, holes in members)
    stage = FoldStage(bound, made.keys, made.tree, made.gaps, family.sentinels)
    lost = way(Row(lost="part_unrepresentable"))
    return _Several((stage, *(KeyStage(key, (lost,), {}) for key in made.homeless))) if made.homeless else stage


@dataclass(frozen=True, slots=True)
class _Several:
    """Stages that stand at one place."""

    stages: tuple[Stage, ...]

    def do(self, run: Run) -> None:
        """All of them in turn."""
        for stage in self.stages:
            stage.do(run)
