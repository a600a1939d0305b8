"""Closing the books: the `mapping-loss-v1` report over any number of translations.

Accounts of parts add up to the account of the whole. Laws: the report is a function of what was added (and, where it
names an example, of the order); it holds only what JSON can say exactly; its lists are sorted and bounded, and say how
many entries there are in all. What an account remembers is bounded too: beyond the bound entries share the key `*`, and
long names that begin alike share one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from semconv.reasons import REASONS, SEVERITIES
from semconv.target import OPERATION
from semconv.translation import BUCKETS, Loss, Tables, Translation
from semconv.value import size
from semconv.view import Attributes, LogView, MetricView, SpanView

SCHEMA_VERSION: Final = "mapping-loss-v1"
ENTRIES_MAX: Final = 4096
"""Distinct keys, sources or conflicts an account tells apart."""
SHOWN_MAX: Final = 200
"""Entries of one list in a report."""
NAME_CHARS_MAX: Final = 256
"""Of a key, a scope or an id, which senders may make as long as they like."""

_USAGE: Final = "gen_ai.usage.input_tokens"
_ROLL_UPS: Final = frozenset({"invoke_agent", "invoke_workflow"})
_INDEX: Final = re.compile(r"(?<=[./])\d+(?=[./]|$)")
_SIGNALS: Final = {"SpanView": "span", "LogView": "log", "MetricView": "metric"}
_NOT_RETAINED: Final = frozenset({"@name", "@kind", "@event_name", "@duplicates"})


@dataclass(slots=True)
class _Sum:
    """Atoms and bytes of one reason, key or source."""

    count: int = 0
    bytes: int = 0
    retained: bool = True


@dataclass(slots=True)
class _KeySum:
    count: int = 0
    bytes: int = 0
    declared: bool = True
    target: str = ""
    example: tuple[str, str] = ("", "")


@dataclass(slots=True)
class _SourceSum:
    atoms_in: int = 0
    dropped: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)


class Account:
    """The books of a set of items."""

    def __init__(self) -> None:
        self._tables: Tables | None = None
        self._items = {"spans": 0, "logs": 0, "metrics": 0, "events": 0, "links": 0}
        self._buckets = dict.fromkeys(("atoms_in", *BUCKETS), 0)
        self._bytes = {"bytes_in": 0, "bytes_lost": 0, "bytes_retained_raw": 0}
        self._unbalanced = 0
        self._margins: dict[str, dict[int, int]] = {}
        self._reasons: dict[str, _Sum] = {}
        self._notes: dict[str, int] = {}
        self._sources: dict[tuple[str, str], _SourceSum] = {}
        self._keys: dict[tuple[str, str, str], _KeySum] = {}
        self._known: dict[tuple[str, str, str], _KeySum] = {}
        """The entries of `_keys` by the paths as they came; only a short way, forgotten when it grows long."""
        self._conflicts: dict[tuple[str, str], int] = {}
        self._synthesized: dict[tuple[str, str], int] = {}
        self._unknown: dict[str, int] = {}
        self._source_side: dict[str, int] = {}
        self._cache_in_input: dict[str, int] = {}
        self._roll_ups = 0
        self._reversal: dict[str, int] = {}

    # ------------------------------------------------------------------ adding

    def add(self, view: SpanView | LogView | MetricView, translation: Translation) -> None:
        """Enter one item and its translation."""
        tally = translation.tally
        buckets = self._buckets
        buckets["atoms_in"] += tally.atoms_in
        buckets["kept"] += tally.kept
        buckets["renamed"] += tally.renamed
        buckets["converted"] += tally.converted
        buckets["folded"] += tally.folded
        buckets["derived_only"] += tally.derived_only
        buckets["dropped"] += tally.dropped
        self._unbalanced += not tally.balanced
        self._count(view)
        source = self._source(translation, view.scope_name)
        source.atoms_in += tally.atoms_in
        if isinstance(view, SpanView):
            self._reversal[translation.reversal] = self._reversal.get(translation.reversal, 0) + 1
        if translation.tables is not None:
            self._tables = translation.tables
        if not translation.profiles and not translation.loss:
            return
        source.dropped += tally.dropped
        for profile, margin in zip(translation.profiles, translation.margins, strict=True):
            histogram = self._margins.setdefault(profile, {})
            histogram[margin] = histogram.get(margin, 0) + 1
        if translation.loss:
            self._enter_losses(view, translation, source)
        if translation.notes:
            _count_all(self._notes, [note.reason for note in translation.notes])
        if translation.conflicts:
            _count_all(self._conflicts, [(key, numberless(path)) for key, path in translation.conflicts])
        if translation.synthesized:
            _count_all(self._synthesized, translation.synthesized)
        if translation.unknown:
            _count_all(self._unknown, map(numberless, translation.unknown))
        for reason, count in translation.source_side:
            self._source_side[reason] = self._source_side.get(reason, 0) + count
        if isinstance(view, SpanView):
            self._enter_numbers(view.attributes, translation)

    def merge(self, other: Account) -> None:
        """Enter everything another account holds. Examples stay those of the account that was there first."""
        self._tables = self._tables or other._tables
        for mine, theirs in (
            (self._items, other._items),
            (self._buckets, other._buckets),
            (self._bytes, other._bytes),
            (self._notes, other._notes),
            (self._conflicts, other._conflicts),
            (self._synthesized, other._synthesized),
            (self._unknown, other._unknown),
            (self._source_side, other._source_side),
            (self._cache_in_input, other._cache_in_input),
            (self._reversal, other._reversal),
        ):
            _add_up(mine, theirs)
        self._unbalanced += other._unbalanced
        self._roll_ups += other._roll_ups
        for profile, histogram in other._margins.items():
            _add_up(self._margins.setdefault(profile, {}), histogram)
        for reason, total in other._reasons.items():
            mine_total = self._reasons.setdefault(reason, _Sum())
            mine_total.count += total.count
            mine_total.bytes += total.bytes
            mine_total.retained = mine_total.retained and total.retained
        for name, source in other._sources.items():
            mine_source = bounded(self._sources, name, ("*", "*"), _SourceSum)
            mine_source.atoms_in += source.atoms_in
            mine_source.dropped += source.dropped
            _add_up(mine_source.by_reason, source.by_reason)
        for entry, key in other._keys.items():
            mine_key = bounded(self._keys, entry, ("*", *entry[1:]), _KeySum)
            if not mine_key.count:
                mine_key.declared, mine_key.target, mine_key.example = key.declared, key.target, key.example
            mine_key.count += key.count
            mine_key.bytes += key.bytes

    def _count(self, view: SpanView | LogView | MetricView) -> None:
        items = self._items
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
        self._bytes["bytes_in"] += total
        if truncated:
            self._source_side["truncated_at_source"] = self._source_side.get("truncated_at_source", 0) + truncated

    def _source(self, translation: Translation, scope: str) -> _SourceSum:
        profiles = translation.profiles
        name = (profiles[0] if len(profiles) == 1 else "+".join(profiles), _short(scope))
        source = self._sources.get(name)
        return source if source is not None else bounded(self._sources, name, ("*", "*"), _SourceSum)

    def _enter_losses(
        self, view: SpanView | LogView | MetricView, translation: Translation, source: _SourceSum
    ) -> None:
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
            total = self._reasons.get(reason)
            if total is None:
                total = self._reasons[reason] = _Sum()
            total.count += atoms
            total.bytes += lost
            total.retained = total.retained and retained
            source.by_reason[reason] = source.by_reason.get(reason, 0) + atoms
            key = self._known.get((signal, path, reason))
            if key is None:
                key = self._key(view, translation, loss)
            key.count += atoms
            key.bytes += lost
        self._bytes["bytes_lost"] += lost_bytes
        self._bytes["bytes_retained_raw"] += retained_bytes

    def _key(self, view: SpanView | LogView | MetricView, translation: Translation, loss: Loss) -> _KeySum:
        """The entry of a lost path, under its name with numbers as one; found again by the path itself."""
        signal = type(view).__name__
        container = f"{_SIGNALS[signal]}.{_container(_short(loss.path))}"
        name = (numberless(loss.path), container, loss.reason)
        new = name not in self._keys
        key: _KeySum = bounded(self._keys, name, ("*", container, loss.reason), _KeySum)
        if new and not key.count:
            key.declared = loss.path not in translation.unknown
            key.target = next((target for target, path in translation.conflicts if path == loss.path), "")
            if not isinstance(view, MetricView):
                key.example = (_short(view.trace_id), _short(view.span_id))
        if len(self._known) >= ENTRIES_MAX:
            self._known.clear()
        if len(loss.path) <= NAME_CHARS_MAX:
            self._known[signal, loss.path, loss.reason] = key
        return key

    def _enter_numbers(self, attributes: Attributes, translation: Translation) -> None:
        """Whether token counts say what the target means by them."""
        if _USAGE not in attributes and _USAGE not in translation.attributes:
            return
        meanings = translation.tables.accounting if translation.tables else {}
        said = [
            meanings[id_]["cache_in_input"] for id_ in translation.profiles if "cache_in_input" in meanings.get(id_, {})
        ]
        meaning = said[-1] if said else "unknown"
        self._cache_in_input[meaning] = self._cache_in_input.get(meaning, 0) + 1
        operation = translation.attributes.get(OPERATION, attributes.get(OPERATION))
        self._roll_ups += isinstance(operation, str) and operation in _ROLL_UPS

    # ------------------------------------------------------------------ the report

    def report(self) -> dict[str, Any]:
        """The report as a JSON value; sorted, bounded, and the same for the same books."""
        atoms, content = self._buckets["atoms_in"], self._bytes["bytes_in"]
        report: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "balanced": self._unbalanced == 0,
            "profiles": [self._profile(id_) for id_ in sorted(self._margins)],
            "totals": {
                **self._items,
                **self._buckets,
                "balanced": self._unbalanced == 0,
                **self._bytes,
                "dropped_by_severity": self._by_severity(),
                "loss_ratio_atoms": _ratio(self._buckets["dropped"], atoms),
                "loss_ratio_bytes": _ratio(self._bytes["bytes_lost"], content),
                "distinct": self._distinct(),
            },
            "by_reason": self._by_reason(),
            "by_source": _shown(self._by_source()),
            "by_key": _shown(self._by_key()),
            "conflicts": _shown(self._by_conflict()),
            "source_side": {
                "redacted_at_source": self._source_side.get("redacted_at_source", 0),
                "truncated_at_source": self._source_side.get("truncated_at_source", 0),
                "absent_at_source": [],
            },
            "synthesized": _shown(
                [{"target": target, "rule": rule, "count": count} for (target, rule), count in _most(self._synthesized)]
            ),
            "unknown_keys": _shown([{"key": key, "count": count} for key, count in _most(self._unknown)]),
            "accounting": {"cache_in_input": self._meaning(), "usage_rollups": self._roll_ups},
            "reversible": {
                "lossless_spans": self._reversal.get("lossless", 0),
                "needs_provenance": self._reversal.get("needs_provenance", 0),
                "irreversible": self._reversal.get("irreversible", 0),
            },
        }
        if self._tables is not None:
            report["target"] = dict(self._tables.target)
        return report

    def _profile(self, id_: str) -> dict[str, Any]:
        histogram = self._margins[id_]
        items = sum(histogram.values())
        middle, seen = 0, 0
        for margin in sorted(histogram):
            seen += histogram[margin]
            if seen * 2 >= items:
                middle = margin
                break
        facts = self._tables.profiles.get(id_, {}) if self._tables else {}
        return {"id": id_, **facts, "items": items, "margin": {"min": min(histogram), "p50": middle}}

    def _distinct(self) -> dict[str, int]:
        return {
            "by_source": len(self._sources),
            "by_key": len(self._keys),
            "conflicts": len(self._conflicts),
            "synthesized": len(self._synthesized),
            "unknown_keys": len(self._unknown),
        }

    def _by_severity(self) -> dict[str, int]:
        """What was dropped, by how much it matters: what is said elsewhere once more (`info`) is told from what is gone."""
        atoms = dict.fromkeys(SEVERITIES, 0)
        for reason, total in self._reasons.items():
            atoms[REASONS.get(reason, "minor")] += total.count
        return atoms

    def _by_reason(self) -> list[dict[str, Any]]:
        lost = [
            {
                "reason": reason,
                "severity": REASONS.get(reason, "minor"),
                "atoms": total.count,
                "bytes": total.bytes,
                "recoverable": total.retained,
            }
            for reason, total in sorted(self._reasons.items(), key=lambda item: (-item[1].count, item[0]))
        ]
        noted = [
            {"reason": reason, "severity": REASONS.get(reason, "info"), "atoms": 0, "noted": count}
            for reason, count in _most(self._notes)
        ]
        return lost + noted

    def _by_source(self) -> list[dict[str, Any]]:
        return [
            {
                "profile": profile,
                "scope": scope,
                "atoms_in": source.atoms_in,
                "dropped": source.dropped,
                "by_reason": dict(sorted(source.by_reason.items())),
            }
            for (profile, scope), source in sorted(self._sources.items(), key=lambda item: (-item[1].atoms_in, item[0]))
        ]

    def _by_key(self) -> list[dict[str, Any]]:
        return [
            {
                "key": path,
                "container": container,
                "reason": reason,
                "count": key.count,
                "bytes": key.bytes,
                "target": key.target or None,
                "declared": key.declared,
                "example": {"trace_id": key.example[0], "span_id": key.example[1]},
            }
            for (path, container, reason), key in sorted(self._keys.items(), key=lambda item: (-item[1].count, item[0]))
        ]

    def _by_conflict(self) -> list[dict[str, Any]]:
        return [
            {"concept": key, "chosen": {"key": key}, "lost": [{"key": path}], "count": count}
            for (key, path), count in _most(self._conflicts)
        ]

    def _meaning(self) -> str:
        said = sorted(self._cache_in_input)
        return said[0] if len(said) == 1 else "mixed" if said else "unknown"


# ------------------------------------------------------------------ helpers


def _container(path: str) -> str:
    if path.startswith("@events"):
        return "event"
    return path[1:] if path.startswith("@") else "attribute"


def numberless(path: str) -> str:
    """A path with its numbers as `{i}`, so that the tenth message counts with the first."""
    return _INDEX.sub("{i}", _short(path))


def _short(name: str) -> str:
    return name if len(name) <= NAME_CHARS_MAX else f"{name[:NAME_CHARS_MAX]}…"


def bounded(entries: dict[Any, Any], name: Any, other: Any, make: Any) -> Any:  # noqa: ANN401  # one helper for three tables
    """The entry of a name, or the common one when there is no room for another."""
    if name not in entries and len(entries) >= ENTRIES_MAX:
        name = other
    return entries.setdefault(name, make())


def _count_all(counts: dict[Any, int], names: Iterable[Any]) -> None:
    for name in names:
        if name not in counts and len(counts) >= ENTRIES_MAX:
            name = ("*", "*") if isinstance(name, tuple) else "*"  # noqa: PLW2901  # the common entry
        counts[name] = counts.get(name, 0) + 1


def _add_up(mine: dict[Any, int], theirs: Mapping[Any, int]) -> None:
    for name, count in theirs.items():
        mine[name] = mine.get(name, 0) + count


def _most(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _shown(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return entries[:SHOWN_MAX]


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
