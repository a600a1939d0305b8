"""What the source of a translated item said that could have led to a key of the target.

It tells what nobody could translate from what a translation lost: a required attribute that no claim leads to is absent at
the source. Law: a claim is a row of a profile that matched, whose condition holds and whose source says something; what
was refused because it is no answer (a framework is no provider) is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from semconv import ops
from semconv.conformance.requirements import is_said
from semconv.plan.record import names_of
from semconv.profile.profile import EventRow, FoldKey, Profile, Row, Surroundings
from semconv.target import OPERATION, Target
from semconv.translation import Translation
from semconv.value import Value, document
from semconv.view import Attributes, LogView, MetricView, SpanView

REFUSALS: Final = frozenset({"not_a_provider", "sentinel", "redacted_at_source"})
"""Reasons of loss that mean: what stands there is no answer to the question."""


def claims(
    view: SpanView | LogView | MetricView, translation: Translation, profiles: Iterable[Profile], target: Target
) -> frozenset[str]:
    """The keys of the target that something of an item leads to.

    Args:
        view: the item as it was translated.
        translation: what became of it.
        profiles: those of the translator; the ones that matched are asked.
        target: the translator's.
    """
    refused = {loss.path for loss in translation.loss if loss.reason in REFUSALS}
    found: set[str] = set()
    for attributes in view.points if isinstance(view, MetricView) else (view.attributes,):
        said = {key: value for key, value in attributes.items() if is_said(value) and key not in refused}
        around = surroundings_of(view, attributes, translation)
        for profile in profiles:
            if profile.id in translation.profiles:
                found.update(_of_profile(profile, view, said, around, target))
    keys = (target.key_of(concept) for concept in found)
    return frozenset(key for key in keys if key is not None)


def surroundings_of(
    view: SpanView | LogView | MetricView, attributes: Attributes, translation: Translation
) -> Surroundings:
    """What conditions may ask of an item, or of one point of a metric, once its operation is known."""
    operation = translation.attributes.get(OPERATION, attributes.get(OPERATION))
    return Surroundings(
        scope=view.scope_name,
        keys=frozenset(attributes),
        values={key: _word(value) for key, value in attributes.items()},
        operation=operation if isinstance(operation, str) else None,
    )


def _word(value: Value) -> str | None:
    """A value as a condition asks for it."""
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else None


def _of_profile(
    profile: Profile,
    view: SpanView | LogView | MetricView,
    said: Mapping[str, Value],
    around: Surroundings,
    target: Target,
) -> Iterator[str]:
    for key, value in said.items():
        spec = target.attributes.get(key)
        if profile.identity and spec is not None:
            yield spec.concept
        taken = next(((entry, holes) for _, entry, holes in profile.rows(key) if applies(entry, value, around)), None)
        if taken is not None:
            yield from _leads_to(taken[0], value, taken[1], around)
    if isinstance(view, SpanView):
        yield from (row.to for row in profile.names if row.to and row.match(view.name) and row.when.holds(around))
        for event in view.events:
            yield from _of_event(profile.events, event.name, event.attributes, around)
    elif isinstance(view, LogView):
        for name in names_of(view.event_name, view.attributes):
            yield from _of_event((*profile.logs, *profile.events), name, view.attributes, around)


def _of_event(rows: Sequence[EventRow], name: str, attributes: Attributes, around: Surroundings) -> Iterator[str]:
    """The concepts that a span event, or a log record, of a name leads to by the rows for it."""
    for row in rows:
        if not row.matches(name) or not row.when.holds(around):
            continue
        yield row.to
        if row.lift:
            yield from attributes
        for key in row.attributes.keys() & attributes.keys():
            yield from _leads_to(row.attributes[key], attributes[key], (), around)


def applies(entry: Row | FoldKey, value: Value, around: Surroundings) -> bool:
    """Whether an entry is the one for a value: of several the first is taken."""
    if isinstance(entry, FoldKey):
        return entry.fold.when.holds(around)
    return entry.when.holds(around) and not isinstance(ops.run(entry.ops, value, ops.Scope({})), ops.Miss)


def _leads_to(entry: Row | FoldKey, value: Value, holes: Sequence[str], around: Surroundings) -> Iterator[str]:
    """The concepts that an entry leads to, given what its key holds."""
    if isinstance(entry, FoldKey):
        yield entry.fold.to
        return
    if entry.to:
        yield entry.to[:-1] + holes[-1] if entry.to.endswith("*") and holes else entry.to
    for other in entry.also:
        yield from _leads_to(other, value, holes, around)
    if entry.split:
        body = document(value) if isinstance(value, str) else value
        for path, member in entry.split.members:
            inner = _at(body, path)
            if is_said(inner) and applies(member, inner, around):
                yield from _leads_to(member, inner, (), around)


def _at(value: Value, path: Sequence[str]) -> Value:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
