"""What became of every name of one item: its attribute keys, the names of its span events, of its log event, its metric.

Laws: every occurrence of a name has one fate, and belongs to one profile or to none: the first, in the order in which rows
are asked, that has a row which applies, or in whose namespace an unknown name lies. Told from the translation alone, so
that it holds for whatever the engine did. Not told apart: fates of one key on several points of one metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from semconv.account.claims import applies, surroundings_of
from semconv.plan.record import EVENT_NAMES, names_of
from semconv.profile.profile import FoldKey, Profile, Row, Surroundings, When
from semconv.target import Target
from semconv.translation import METRICS, Translation
from semconv.value import Value
from semconv.view import Attributes, LogView, MetricView, SpanView

FATES: Final = ("mapped", "in_part", "kept", "lost", "unknown")
"""Mapped: renamed, converted, folded or derived. In part: something inside it is lost. Unknown: lost, and no table has a row."""

Item = SpanView | LogView | MetricView

_EVENTS: Final = "@events/"


class Fate(NamedTuple):
    """What became of one occurrence of a name."""

    kind: str
    """attribute, event, body (of a log event) or metric."""
    name: str
    fate: str
    reasons: tuple[str, ...]
    profile: str
    """The profile that says so; empty when no table does and it is in no namespace of those that matched."""


def attributes_of(view: Item) -> list[Attributes]:
    """The attributes of an item, of a metric those of each point."""
    return view.points if isinstance(view, MetricView) else [view.attributes]


def fates(view: Item, translation: Translation, profiles: Sequence[Profile], target: Target) -> Iterator[Fate]:
    """The fates of an item's names.

    Args:
        view: the item as it was translated.
        translation: what became of it.
        profiles: those that matched it, in the order of the translation.
        target: what it was translated to.
    """
    asked = sorted(profiles, key=lambda profile: -profile.layer)
    losses = _Losses(translation)
    yield from _of_attributes(view, translation, asked, target, losses)
    identity = next((profile.id for profile in asked if profile.identity), "")
    if isinstance(view, SpanView):
        yield from _of_events(view, translation, asked, losses)
    elif isinstance(view, MetricView):
        owner = next((profile.id for profile in asked if any(row.matches(view.name) for row in profile.metrics)), "")
        owner = owner or (identity if view.name in target.measures else "")
        path = METRICS + view.name
        owner = owner or _claimant(asked, view.name, unknown=path in losses.unknown)
        yield losses.fate("metric", view.name, path, owner, mapped=translation.name is not None)
    elif called := view.event_name or next(iter(sorted(names_of(view.event_name, view.attributes))), ""):
        owner, _ = _of_record(view, asked)
        owner = owner or (identity if called in target.events else "")
        yield losses.fate("body", called, "@body", owner, mapped=translation.body_removed)


class _Losses:
    """The losses of a translation by what they are of."""

    def __init__(self, translation: Translation) -> None:
        self.whole: dict[str, tuple[str, ...]] = {}
        self.inside: dict[str, tuple[str, ...]] = {}
        self.unknown = frozenset(translation.unknown)
        for loss in translation.loss:
            name, member, _ = loss.path.partition("#/")
            found = self.inside if member else self.whole
            found[name] = (*found.get(name, ()), loss.reason)

    def fate(self, kind: str, name: str, path: str, profile: str, *, mapped: bool) -> Fate:
        """The fate of a name whose losses stand under a path."""
        if path in self.unknown:
            return Fate(kind, name, "unknown", self.whole.get(path, ()), profile)
        if path in self.whole:
            return Fate(kind, name, "lost", self.whole[path], profile)
        if path in self.inside:
            return Fate(kind, name, "in_part", self.inside[path], profile)
        return Fate(kind, name, "mapped" if mapped else "kept", (), profile)


def _of_attributes(
    view: Item, translation: Translation, asked: Sequence[Profile], target: Target, losses: _Losses
) -> Iterator[Fate]:
    whole = frozenset((*translation.removed, *translation.attributes))
    by_point = {point.index: frozenset((*point.removed, *point.attributes)) for point in translation.points}
    identity = next((profile.id for profile in asked if profile.identity), "")
    speaker, held = _of_record(view, asked) if isinstance(view, LogView) else ("", ())
    for index, attributes in enumerate(attributes_of(view)):
        around = surroundings_of(view, attributes, translation)
        changed = by_point.get(index, whole)
        for key, value in attributes.items():
            owner = _taker(asked, key, value, around) or (identity if target.knows(key) else "")
            owner = owner or _claimant(asked, key, unknown=key in losses.unknown)
            owner = speaker if key in held else owner
            yield losses.fate("attribute", key, key, owner, mapped=key in changed)


def _of_record(view: LogView, asked: Sequence[Profile]) -> tuple[str, tuple[str, ...]]:
    """The profile that knows what a log record is, and the attributes that may have its name and body."""
    for name in sorted(names_of(view.event_name, view.attributes)):
        for profile in asked:
            for row in (*profile.logs, *profile.events):
                if (row.to or row.lost) and row.matches(name) and (not row.body or row.body in view.attributes):
                    return profile.id, (*EVENT_NAMES, row.body)
    return "", ()


def _of_events(view: SpanView, translation: Translation, asked: Sequence[Profile], losses: _Losses) -> Iterator[Fate]:
    gone = frozenset(translation.events_removed)
    for index, event in enumerate(view.events):
        path = _EVENTS + event.name
        owner = next((profile.id for profile in asked if any(row.matches(event.name) for row in profile.events)), "")
        owner = owner or _claimant(asked, event.name, unknown=path in losses.unknown)
        fate = losses.fate("event", event.name, path, owner, mapped=index in gone)
        reasons = [reason for name, found in losses.whole.items() if name.startswith(f"{path}/") for reason in found]
        yield fate._replace(fate="in_part", reasons=tuple(reasons)) if reasons and fate.fate == "kept" else fate


def _taker(asked: Sequence[Profile], key: str, value: Value, around: Surroundings) -> str:
    """The profile whose row takes a value; if its rows all pass it on, the one whose row says why it is lost."""
    rows = [(profile.id, entry) for profile in asked for _, entry, _ in profile.rows(key)]
    taken = (id_ for id_, entry in rows if applies(entry, value, around))
    return next(taken, next((id_ for id_, entry in rows if _when(entry).holds(around)), ""))


def _when(entry: Row | FoldKey) -> When:
    return entry.fold.when if isinstance(entry, FoldKey) else entry.when


def _claimant(asked: Sequence[Profile], name: str, *, unknown: bool) -> str:
    """The profile that claims a name without a row."""
    return next((profile.id for profile in asked if profile.owns(name)), "") if unknown else ""
