"""Closing the books: where the atoms of any number of translations went.

Laws: accounts of parts add up to the account of the whole; what is reported is a function of what was added (and, where it names
an example, of the order); what an account remembers is bounded (`semconv.account.counts`).
"""

from __future__ import annotations

from typing import Any, Final

from semconv.account.counts import ENTRIES_MAX, NAME_CHARS_MAX, count_names, entry_of, numberless, short
from semconv.account.loss_report import loss_report
from semconv.account.sums import KeySum, ReasonSum, SourceSum, Sums
from semconv.target import OPERATION
from semconv.translation import Loss, Translation
from semconv.value import size
from semconv.view import Attributes, LogView, MetricView, SpanView

_USAGE: Final = "gen_ai.usage.input_tokens"
_ROLL_UPS: Final = frozenset({"invoke_agent", "invoke_workflow"})
_SIGNALS: Final = {"SpanView": "span", "LogView": "log", "MetricView": "metric"}
_NOT_RETAINED: Final = frozenset({"@name", "@kind", "@event_name", "@duplicates"})


class Account:
    """The books of a set of items."""

    __slots__ = ("_known", "_sums")

    def __init__(self) -> None:
        self._sums = Sums()
        self._known: dict[tuple[str, str, str], KeySum] = {}
        """The sums by key under the paths as they came; only a short way, forgotten when it grows long."""

    def add(self, view: SpanView | LogView | MetricView, translation: Translation) -> None:
        """Enter one item and its translation."""
        sums = self._sums
        tally = translation.tally
        buckets = sums.buckets
        buckets["atoms_in"] += tally.atoms_in
        buckets["kept"] += tally.kept
        buckets["renamed"] += tally.renamed
        buckets["converted"] += tally.converted
        buckets["folded"] += tally.folded
        buckets["derived_only"] += tally.derived_only
        buckets["dropped"] += tally.dropped
        sums.unbalanced += not tally.balanced
        self._count(view)
        source = self._source(translation, view.scope_name)
        source.atoms_in += tally.atoms_in
        if isinstance(view, SpanView):
            sums.reversal[translation.reversal] = sums.reversal.get(translation.reversal, 0) + 1
        if translation.tables is not None:
            sums.tables = translation.tables
        if not translation.profiles and not translation.loss:
            return
        source.dropped += tally.dropped
        for profile, margin in zip(translation.profiles, translation.margins, strict=True):
            histogram = sums.margins.setdefault(profile, {})
            histogram[margin] = histogram.get(margin, 0) + 1
        if translation.loss:
            self._enter_losses(view, translation, source)
        if translation.notes:
            count_names(sums.notes, [note.reason for note in translation.notes])
        if translation.conflicts:
            count_names(sums.conflicts, [(key, numberless(path)) for key, path in translation.conflicts])
        if translation.synthesized:
            count_names(sums.synthesized, translation.synthesized)
        if translation.unknown:
            count_names(sums.unknown, map(numberless, translation.unknown))
        for reason, count in translation.source_side:
            sums.source_side[reason] = sums.source_side.get(reason, 0) + count
        if isinstance(view, SpanView):
            self._enter_numbers(view.attributes, translation)

    def merge(self, other: Account) -> None:
        """Enter everything another account holds. Examples stay those of the account that was there first."""
        self._sums.add_up(other._sums)

    def report(self) -> dict[str, Any]:
        """The `mapping-loss-v1` report."""
        return loss_report(self._sums)

    # ------------------------------------------------------------------ entering an item

    def _count(self, view: SpanView | LogView | MetricView) -> None:
        sums = self._sums
        items = sums.items
        total = 0
        if isinstance(view, SpanView):
            items["spans"] += 1
            items["events"] += len(view.events)
            items["links"] += len(view.links)
            truncated = view.dropped_attributes_count + view.dropped_events_count + view.dropped_links_count
            for value in view.attributes.values():
                total += len(value) if isinstance(value, str) and value.isascii() else size(value)
            for event in view.events:
                total += size(event.attributes)
        elif isinstance(view, LogView):
            items["logs"] += 1
            truncated = view.dropped_attributes_count
            total = size(view.body) + sum([size(value) for value in view.attributes.values()])
        else:
            items["metrics"] += 1
            truncated = 0
            total = sum([size(value) for point in view.points for value in point.values()])
        sums.bytes["bytes_in"] += total
        if truncated:
            sums.source_side["truncated_at_source"] = sums.source_side.get("truncated_at_source", 0) + truncated

    def _source(self, translation: Translation, scope: str) -> SourceSum:
        sums = self._sums
        profiles = translation.profiles
        name = (profiles[0] if len(profiles) == 1 else "+".join(profiles), short(scope))
        source = sums.sources.get(name)
        return source if source is not None else entry_of(sums.sources, name, ("*", "*"), SourceSum)

    def _enter_losses(self, view: SpanView | LogView | MetricView, translation: Translation, source: SourceSum) -> None:
        sums = self._sums
        attributes: Attributes = {} if isinstance(view, MetricView) else view.attributes
        signal = type(view).__name__
        removed = translation.removed
        lost_bytes = retained_bytes = 0
        for loss in translation.loss:
            path, reason, atoms, lost = loss
            if lost is None:
                lost = size(attributes.get(path))
            retained = path not in _NOT_RETAINED and path not in removed
            lost_bytes += lost
            retained_bytes += lost if retained else 0
            total = sums.reasons.get(reason)
            if total is None:
                total = sums.reasons[reason] = ReasonSum()
            total.count += atoms
            total.bytes += lost
            total.retained = total.retained and retained
            source.by_reason[reason] = source.by_reason.get(reason, 0) + atoms
            key = self._known.get((signal, path, reason))
            if key is None:
                key = self._key(view, translation, loss)
            key.count += atoms
            key.bytes += lost
        sums.bytes["bytes_lost"] += lost_bytes
        sums.bytes["bytes_retained_raw"] += retained_bytes

    def _key(self, view: SpanView | LogView | MetricView, translation: Translation, loss: Loss) -> KeySum:
        """The entry of a lost path, under its name with numbers as one; found again by the path itself."""
        sums = self._sums
        signal = type(view).__name__
        container = f"{_SIGNALS[signal]}.{_container(short(loss.path))}"
        name = (numberless(loss.path), container, loss.reason)
        new = name not in sums.keys
        key: KeySum = entry_of(sums.keys, name, ("*", container, loss.reason), KeySum)
        if new and not key.count:
            key.declared = loss.path not in translation.unknown
            key.target = next((target for target, path in translation.conflicts if path == loss.path), "")
            if not isinstance(view, MetricView):
                key.example = (short(view.trace_id), short(view.span_id))
        if len(self._known) >= ENTRIES_MAX:
            self._known.clear()
        if len(loss.path) <= NAME_CHARS_MAX:
            self._known[signal, loss.path, loss.reason] = key
        return key

    def _enter_numbers(self, attributes: Attributes, translation: Translation) -> None:
        """Whether token counts say what the target means by them."""
        sums = self._sums
        if _USAGE not in attributes and _USAGE not in translation.attributes:
            return
        meanings = translation.tables.accounting if translation.tables else {}
        said = [
            meanings[id_]["cache_in_input"] for id_ in translation.profiles if "cache_in_input" in meanings.get(id_, {})
        ]
        meaning = said[-1] if said else "unknown"
        sums.cache_in_input[meaning] = sums.cache_in_input.get(meaning, 0) + 1
        operation = translation.attributes.get(OPERATION, attributes.get(OPERATION))
        sums.roll_ups += isinstance(operation, str) and operation in _ROLL_UPS


def _container(path: str) -> str:
    if path.startswith("@events"):
        return "event"
    return path[1:] if path.startswith("@") else "attribute"
