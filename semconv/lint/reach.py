"""Rows that nothing gets to: what would come to them is taken by others before.

Law: sound. A row is named only when for every item, whatever its values, an earlier row of the same table takes what this
one would; that rows which only miss together leave nothing over is not found in every case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semconv.lint.conditions import alternatives, follows
from semconv.lint.finding import Remark
from semconv.ops import Step
from semconv.plan.bind import bind
from semconv.plan.settle import READABLE
from semconv.profile.profile import EventRow, FoldKey, MetricRow, Pattern, Profile, Row, When, pattern
from semconv.table import Path
from semconv.target import Target

_KEYS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a row, or member of a fold."""

    key: str
    order: int
    entry: Row | FoldKey
    path: Path
    pattern: Pattern | None

    @property
    def when(self) -> When:
        """Its condition."""
        return self.entry.fold.when if isinstance(self.entry, FoldKey) else self.entry.when

    def place(self, table: dict[str, Any]) -> Path:
        """The path of the key itself."""
        if isinstance(self.entry, FoldKey):
            return self.path
        keys = table["rows"][self.path[1]]["key"]
        return (*self.path, "key", keys.index(self.key)) if isinstance(keys, list) else (*self.path, "key")

    def covers(self, other: Entry) -> bool:
        """Whether every key the other stands for is one of this."""
        if self.pattern is None:
            return self.key == other.key
        if other.pattern is None:
            return self.pattern.match(other.key) is not None
        return _covers(self.pattern.segments, other.pattern.segments)

    def takes(self, other: Entry, target: Target) -> bool:
        """Whether it takes every value that the other would."""
        if isinstance(self.entry, FoldKey):
            return True
        if _takes_always(self.entry, target):
            return True
        return isinstance(other.entry, Row) and _takes_as_much(self.entry, other.entry, target)


def entries(profile: Profile) -> list[Entry]:
    """The keys of a table's rows and folds in the order in which they are asked."""
    found = [
        Entry(key=key, order=order, entry=entry, path=profile.places[order], pattern=None)
        for key, each in profile.exact.items()
        for order, entry in each
    ]
    found += [
        Entry(
            key=".".join(each.segments),
            order=each.order,
            entry=each.entry,
            path=profile.places[each.order],
            pattern=each,
        )
        for each in profile.patterns
    ]
    return sorted(found, key=lambda entry: entry.order)


def unreachable(found: Sequence[Entry], table: dict[str, Any], target: Target) -> Iterator[tuple[Remark, Path]]:
    """Rows that nothing gets to, each with the path of one that takes what would; a row is named once for all its keys."""
    by_row: dict[Path, list[tuple[Entry, Entry]]] = {}
    before: dict[str, list[Entry]] = {}
    patterns: list[Entry] = []
    for entry in found:
        taker = _taker(entry, [*before.get(entry.key, ()), *patterns], target)
        if taker is not None:
            by_row.setdefault(entry.path, []).append((entry, taker))
        if entry.pattern is None:
            before.setdefault(entry.key, []).append(entry)
        else:
            patterns.append(entry)
    for pairs in by_row.values():
        entry, taker = pairs[0]
        same = taker.key == entry.key and taker.when == entry.when and not isinstance(taker.entry, FoldKey)
        named = ", ".join(repr(each.key) for each, _ in pairs[:_KEYS_SHOWN])
        more = f" and {len(pairs) - _KEYS_SHOWN} more" if len(pairs) > _KEYS_SHOWN else ""
        what = "a fold, and folds are asked first," if isinstance(taker.entry, FoldKey) else "an earlier row"
        why = "what this one would, under the same condition" if same else "whatever would get here"
        code = "row-twice" if same else "unreachable-row"
        yield Remark(entry.place(table), code, f"{named}{more}: {what} takes {why}"), taker.place(table)


def _taker(entry: Entry, earlier: Sequence[Entry], target: Target) -> Entry | None:
    """The last of the earlier entries that together take all that would come to this one; None when something does."""
    takers = [other for other in earlier if other.covers(entry) and other.takes(entry, target)]
    if not takers:
        return None
    last = None
    for way in alternatives(entry.when):
        last = next((other for other in takers if follows(other.when, way, entry.key)), None)
        if last is None:
            return None
    return last


def _covers(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """Whether a pattern matches all that another does."""
    for place, segment in enumerate(wide):
        if segment == "**":
            return place < len(narrow)
        if place >= len(narrow) or narrow[place] == "**":
            return False
        number = pattern(segment, 0, Row(), ()) if segment.startswith("{") else None
        inner = narrow[place]
        if segment in ("*", inner):
            continue
        if number is None or not (inner.startswith("{") or number.match(inner) is not None):
            return False
    return len(wide) == len(narrow)


def _takes_always(row: Row, target: Target) -> bool:
    """Whether a row takes a value of any type and content."""
    if row.split or row.ops:
        return False
    if not row.to:
        return True
    if row.same_as:
        return False
    bound = bind(target, row)
    return bool(bound.key) and bound.type in ("any", "string") and bound.shape not in READABLE


def _takes_as_much(row: Row, other: Row, target: Target) -> bool:
    """Whether a row takes every value that another does, as it does the same to it."""
    if _steps(row.ops) != _steps(other.ops) or bool(row.split) != bool(other.split):
        return False
    if row.split:
        return True
    if not row.to or not other.to:
        return False
    mine, theirs = bind(target, row), bind(target, other)
    return bool(mine.key) and (mine.type, mine.shape) == (theirs.type, theirs.shape)


def _steps(steps: Iterable[Step]) -> list[tuple[str, Any]]:
    return [(step.name, step.argument) for step in steps]


# ------------------------------------------------------------------ lists that are not about keys


def unreachable_elsewhere(profile: Profile, table: dict[str, Any]) -> Iterator[tuple[Remark, Path]]:
    """The same for what a table says of span names and kinds, of what is implied, of events, log events and metrics."""
    yield from _later("names", list(zip(_paths(table, "names"), profile.names, strict=True)), _same_name)
    yield from _later("kinds", list(zip(_paths(table, "kinds"), profile.kinds, strict=True)), lambda *_: True)
    yield from _later(
        "implied", list(zip(_paths(table, "implied"), profile.implied, strict=True)), lambda a, b: a.to == b.to
    )
    yield from _later("events", list(zip(_paths(table, "events", "event"), profile.events, strict=True)), _same_event)
    yield from _later(
        "metrics", list(zip(_paths(table, "metrics", "name"), profile.metrics, strict=True)), _same_metric
    )
    yield from _later("logs", list(zip(_paths(table, "logs", "event"), profile.logs, strict=True)), _same_event)


def _later(word: str, rows: Sequence[tuple[Path, Any]], alike: Any) -> Iterator[tuple[Remark, Path]]:  # noqa: ANN401  # a question about two rows of one kind
    for at, (path, row) in enumerate(rows):
        for earlier, other in rows[:at]:
            if alike(other, row) and follows(getattr(other, "when", When()), getattr(row, "when", When())):
                same = getattr(other, "when", When()) == getattr(row, "when", When())
                message = f"this row of `{word}` is never asked: an earlier one holds whenever it does"
                yield Remark(path, "row-twice" if same else "unreachable-row", message), earlier
                break


def _same_name(one: Any, other: Any) -> bool:  # noqa: ANN401  # name rows
    return (one.prefix, one.to, one.suffix) == (other.prefix, other.to, other.suffix)


def _same_event(one: EventRow, other: EventRow) -> bool:
    return one.matches(other.pattern) and one.body in ("", other.body)


def _same_metric(one: MetricRow, other: MetricRow) -> bool:
    asked = dict(other.points)
    return one.matches(other.name) and all(
        key in asked and set(asked[key]) <= set(values) for key, values in one.points
    )


def _paths(table: dict[str, Any], word: str, listed: str = "") -> list[Path]:
    """The paths of a list's rows; where a word of theirs may list several names, of each of these."""
    found: list[Path] = []
    for at, row in enumerate(table.get(word, [])):
        names = row[listed] if listed else None
        found += [(word, at, listed, number) for number in range(len(names))] if isinstance(names, list) else []
        found += [] if isinstance(names, list) else [(word, at, listed) if listed else (word, at)]
    return found
