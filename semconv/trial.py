"""What one row by itself makes of a value: the engine's own answer, for an item that has nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semconv.ops import Miss
from semconv.plan.bind import bind
from semconv.plan.run import Run
from semconv.plan.settle import settle
from semconv.profile.profile import Profile, Row
from semconv.target import FINISH_REASONS
from semconv.translate import Translator
from semconv.value import Value


def trial(
    translator: Translator, profile: Profile, row: Row, key: str, value: Value, *, holes: Sequence[str] = ()
) -> dict[str, Any]:
    """The outcome of a row for a value under a key, as a document.

    `outcome` is one of: `moved` (it goes, and follows from the result), `carried` (it goes), `stays`, `dropped` (something
    of it is lost), `not_taken` (the next row is asked; with the reason if there is none), `not_asked` (the row asks for
    another value) and `sentinel`.
    """
    document: dict[str, Any] = {"value": value}
    if isinstance(value, str) and value in profile.sentinels:
        return {**document, "outcome": "sentinel", "reason": profile.sentinels[value]}
    said = str(value).lower() if isinstance(value, bool) else value
    if any(asked == key and said not in allowed for asked, allowed in row.when.values):
        return {**document, "outcome": "not_asked"}
    target = translator.target
    way = bind(target, row, holes)
    run = Run({key: value}, translator.message_shapes, target.key_of(FINISH_REASONS), structured=False)
    outcome = settle(run, key, value, way, 1)
    if isinstance(outcome, Miss):
        return {**document, "outcome": "not_taken", "reason": outcome.reason}
    return {
        **document,
        "outcome": outcome,
        "sets": dict(run.out),
        "lost": [{"path": loss.path, "reason": loss.reason} for loss in run.loss],
        "notes": sorted({note.reason for note in run.notes}),
    }
