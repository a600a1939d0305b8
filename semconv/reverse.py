"""The way back: the item as it was received, from its translation.

`semconv.translation.REVERSALS` says what is promised. Where the promise is `lossless`, the original is computed here from the
translated item, what the translation says of the change (which keys are new, which are gone, whether name or kind are
others) and the tables; nothing has to have been kept. For each key that is gone the tables have the rows that may have
carried it, and `semconv.plan.inverse` what their operations make of it on the way back. What is found that way is translated again:
it is the original if that gives the same translation, which also says so of itself.

Laws, held as properties over recorded and generated telemetry: for every item whose translation is `lossless`, its reversal is
the item, types included; whatever is given back translates into what was asked about. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Final, TypeVar

from semconv import identity
from semconv.errors import NotReversibleError
from semconv.plan.bind import bind
from semconv.plan.inverse import undo
from semconv.profile.profile import Profile, Row
from semconv.translate import Translator
from semconv.translation import LOSSLESS, Translation
from semconv.value import Value, exactly
from semconv.view import Attributes, LogView, MetricView, SpanView

WAYS_MAX: Final = 4096
"""Originals that are tried for one item. With the tables there are, it is mostly one, and never yet more than a few."""

View = TypeVar("View", SpanView, LogView, MetricView)


def reverse(translator: Translator, view: View, translation: Translation) -> View:
    """The view of the item as it was received.

    Args:
        translator: with the tables the translation was made with; that they are the same is the caller's to know
            (`Translation.tables` has their digests).
        view: the translated item, unmapped attributes kept.
        translation: what was said of it. Read of it are profiles, attributes, removed, name, kind, points and reversal.

    Raises:
        NotReversibleError: the translation does not promise it, or item, translation and tables do not belong together.
    """
    if translation.reversal != LOSSLESS:
        raise NotReversibleError(f"the translation says {translation.reversal}")
    if not translation.changed:
        return view
    for original in islice(_originals(translator, view, translation), WAYS_MAX):
        if _says_the_same(_translated(translator, original), translation):
            return original
    raise NotReversibleError("no item leads to this one by these tables")


def _translated(translator: Translator, view: SpanView | LogView | MetricView) -> Translation:
    if isinstance(view, SpanView):
        return translator.span(view)
    return translator.log(view) if isinstance(view, LogView) else translator.metric(view)


def _says_the_same(new: Translation, old: Translation) -> bool:
    return (
        new.reversal == LOSSLESS
        and _shape(new) == _shape(old)
        and exactly(new.attributes, old.attributes)
        and all(exactly(mine.attributes, its.attributes) for mine, its in zip(new.points, old.points, strict=True))
    )


def _shape(said: Translation) -> tuple[object, ...]:
    points = [(point.index, point.removed) for point in said.points]
    return said.profiles, said.name, said.kind, said.removed, said.events_removed, points


# ------------------------------------------------------------------ what it may have been


def _originals(translator: Translator, view: View, translation: Translation) -> Iterator[View]:
    back = _Back(translator, translation.profiles)
    if isinstance(view, MetricView):
        for name in back.metric_names(view.name, translation.name):
            changed = {point.index: point for point in translation.points}
            points = [
                list(back.attributes(point, changed[at].attributes, changed[at].removed)) if at in changed else [point]
                for at, point in enumerate(view.points)
            ]
            for several in product(*points):
                yield replace(view, name=name, points=list(several))
        return
    for attributes in back.attributes(view.attributes, translation.attributes, translation.removed):
        if isinstance(view, LogView):
            yield replace(view, attributes=attributes)
            continue
        kind = view.kind if translation.kind is None else identity.LEFT_KIND
        for name in back.names(view, translation.name):
            yield replace(view, attributes=attributes, name=name, kind=kind)


class _Back:
    """The tables of the profiles that were heard, read from right to left."""

    def __init__(self, translator: Translator, profiles: Sequence[str]) -> None:
        self.target = translator.target
        by_id = {profile.id: profile for profile in translator.profiles}
        missing = [id_ for id_ in profiles if id_ not in by_id]
        if missing:
            raise NotReversibleError(f"the tables have no profile {', '.join(missing)}")
        self.profiles: list[Profile] = [by_id[id_] for id_ in profiles]

    def attributes(self, after: Attributes, new: Attributes, removed: Sequence[str]) -> Iterator[Attributes]:
        """What the attributes may have been: those that are not new, with all that may have stood under what is gone."""
        kept = {key: value for key, value in after.items() if key not in new}
        for values in product(*(self._values(key, after) for key in removed)):
            yield {**kept, **dict(zip(removed, values, strict=True))}

    def _values(self, key: str, after: Attributes) -> list[Value]:
        """What may have stood under a key, each value once."""
        found: list[Value] = []
        for value in self._undone(key, after):
            if not any(exactly(value, other) for other in found):
                found.append(value)
        return found

    def _undone(self, key: str, after: Attributes) -> Iterator[Value]:
        spec = self.target.attributes.get(key)
        rows = [(entry, holes) for profile in self.profiles for _, entry, holes in profile.rows(key)]
        own = [(Row(to=spec.concept if spec else key), ())]
        for entry, holes in [*rows, *own]:
            if not isinstance(entry, Row):
                continue
            way = bind(self.target, entry, holes)
            if way.key in after:
                yield undo(way.row.ops, after[way.key])
            parts = [after[part] for part in way.row.sum_of if part in after]
            if parts and all(type(part) is int for part in parts):
                yield sum(parts)  # type: ignore[arg-type]  # all of them are int

    def names(self, view: SpanView, new: str | None) -> list[str]:
        """What the span may have been called."""
        if new is None:
            return [view.name]
        rows = [
            (row, self.target.key_of(row.to) or "" if row.to else "")
            for profile in self.profiles
            for row in profile.names
        ]
        found = [identity.source_name(new, [row], view.attributes.get) for row in rows]
        return list(dict.fromkeys([*found, identity.source_name(new, [], view.attributes.get)]))

    def metric_names(self, name: str, new: str | None) -> list[str]:
        """What the metric may have been called."""
        if new is None:
            return [name]
        rows = [row for profile in self.profiles for row in profile.metrics]
        return sorted({row.name for row in rows if self.target.metrics.get(row.to) == new})
