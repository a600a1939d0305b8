"""What the tables make of given telemetry: what is mapped, kept, lost and why, and what no table has a row for.

Atoms are counted by `semconv.account.account`, names by their fates. Laws: an item that several profiles match is counted with
each of them, in the totals once; the report is a function of what was added (and, where it names an example, of the
order), sorted, and bounded (`semconv.account.counts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from semconv.account.account import Account
from semconv.account.counts import NAME_CHARS_MAX, SHOWN_MAX, count_names, entry_of, most, numberless
from semconv.account.fates import FATES, Fate, Item, attributes_of, fates
from semconv.profile.profile import LAYERS
from semconv.translate import Translator
from semconv.translation import BUCKETS, Translation
from semconv.view import MetricView, SpanView

SCHEMA_VERSION: Final = "semconv-coverage-v1"

_LAYERS: Final = {number: name for name, number in LAYERS.items()}
_UNKNOWN: Final = "unknown"
_FOREIGN: Final = ""
"""In place of a profile: no table has a row for the name, and it is in no namespace of those that matched."""

Name = tuple[str, str]
"""What it is the name of, and the name with its numbers as `{i}`."""
Example = dict[str, str]


@dataclass(slots=True)
class _Count:
    """What became of one name."""

    fates: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    reasons: dict[str, int] = field(default_factory=dict)
    example: Example = field(default_factory=dict)
    """The first of the unknown ones, if there are any, else the first."""

    def add(self, fate: Fate, example: Example) -> None:
        if not self.example or (fate.fate == _UNKNOWN and not self.fates[_UNKNOWN]):
            self.example = example
        self.fates[fate.fate] += 1
        for reason in fate.reasons:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def to_json(self, name: Name) -> dict[str, Any]:
        """The fates that there are, the reasons and the example."""
        said = {fate: count for fate, count in self.fates.items() if count}
        return {
            "name": name[1],
            "kind": name[0],
            **said,
            "reasons": dict(sorted(self.reasons.items())),
            "example": self.example,
        }


@dataclass(slots=True)
class _Book:
    """Items that the same profiles match."""

    account: Account = field(default_factory=Account)
    items: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("spans", "logs", "metrics", "points"), 0))
    scopes: dict[str, int] = field(default_factory=dict)

    def add(self, view: Item, translation: Translation) -> None:
        self.account.add(view, translation)
        if isinstance(view, MetricView):
            self.items["metrics"] += 1
            self.items["points"] += len(view.points)
        else:
            self.items["spans" if isinstance(view, SpanView) else "logs"] += 1
        count_names(self.scopes, [view.scope_name[:NAME_CHARS_MAX]])

    def merge(self, other: _Book) -> None:
        self.account.merge(other.account)
        for signal, count in other.items.items():
            self.items[signal] += count
        for scope, count in other.scopes.items():
            count_names(self.scopes, [scope], count)

    def to_json(self) -> dict[str, Any]:
        """Items, where they come from, and where their atoms went."""
        report = self.account.report()
        return {
            "items": dict(self.items),
            "scopes": [{"scope": scope, "items": count} for scope, count in most(self.scopes)],
            "atoms": {bucket: report["totals"][bucket] for bucket in ("atoms_in", *BUCKETS)},
            "lost": [entry for entry in report["by_reason"] if entry["atoms"]],
        }


@dataclass(slots=True)
class _Stranger:
    """Items of one scope that no profile matches, with keys in the namespaces of some."""

    items: int = 0
    namespaces: set[str] = field(default_factory=set)
    names: dict[str, int] = field(default_factory=dict)
    example: Example = field(default_factory=dict)


class Coverage:
    """The coverage of a set of items by one translator's tables."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._profiles = {profile.id: profile for profile in translator.profiles}
        self._books: dict[tuple[str, ...], _Book] = {}
        """By the profiles that match: every item is in one of them."""
        self._names: dict[str, dict[Name, _Count]] = {}
        """By the profile they belong to."""
        self._strangers: dict[str, _Stranger] = {}

    def add(self, view: Item, translation: Translation, *, file: str = "") -> None:
        """Enter one item and its translation; `file` is where it came from, for examples."""
        ids = tuple(sorted(translation.profiles))
        book: _Book = entry_of(self._books, ids, ids[:1], _Book)
        book.add(view, translation)
        example = _example(view, file)
        if not ids:
            self._strange(view, example)
            return
        matched = [self._profiles[id_] for id_ in translation.profiles]
        for fate in fates(view, translation, matched, self._translator.target):
            counts = self._names.setdefault(fate.profile, {})
            name: Name = (fate.kind, numberless(fate.name))
            count: _Count = entry_of(counts, name, (fate.kind, "*"), _Count)
            count.add(fate, example)

    def _strange(self, view: Item, example: Example) -> None:
        claimed: dict[str, set[str]] = {}
        for key in {key for attributes in attributes_of(view) for key in attributes}:
            ids = {id_ for id_, profile in self._profiles.items() if key.startswith(profile.namespaces)}
            if ids:
                claimed[numberless(key)] = ids
        if not claimed:
            return
        stranger: _Stranger = entry_of(self._strangers, view.scope_name[:NAME_CHARS_MAX], "*", _Stranger)
        stranger.items += 1
        stranger.namespaces.update(*claimed.values())
        stranger.example = stranger.example or example
        count_names(stranger.names, [key[:NAME_CHARS_MAX] for key in claimed])

    # ------------------------------------------------------------------ the report

    @property
    def unknown(self) -> int:
        """How many names no table has a row for although they lie in a namespace of a profile that matches."""
        return len(self._entries(_UNKNOWN))

    def report(self) -> dict[str, Any]:
        """The coverage as a JSON value."""
        whole = _Book()
        for book in self._books.values():
            whole.merge(book)
        unknown = self._entries(_UNKNOWN)
        foreign = self._foreign()
        return {
            "schema_version": SCHEMA_VERSION,
            "target": self._translator.describe()["target"],
            "totals": {**whole.to_json(), "unmatched": dict(self._books.get((), _Book()).items)},
            "profiles": [self._profile(id_) for id_ in sorted(self._profiles) if self._books_of(id_)],
            "unknown": unknown[:SHOWN_MAX],
            "foreign": foreign[:SHOWN_MAX],
            "unmatched": self._unmatched()[:SHOWN_MAX],
            "distinct": {"unknown": len(unknown), "foreign": len(foreign), "unmatched": len(self._strangers)},
        }

    def _books_of(self, id_: str) -> list[_Book]:
        return [book for ids, book in self._books.items() if id_ in ids]

    def _profile(self, id_: str) -> dict[str, Any]:
        book = _Book()
        for part in self._books_of(id_):
            book.merge(part)
        profile, names = self._profiles[id_], self._names.get(id_, {})
        return {
            "id": id_,
            "version": profile.version,
            "digest": profile.digest,
            "layer": _LAYERS[profile.layer],
            **book.to_json(),
            "distinct": {fate: sum(bool(count.fates[fate]) for count in names.values()) for fate in FATES},
            "names": [count.to_json(name) for name, count in sorted(names.items())],
        }

    def _entries(self, fate: str) -> list[dict[str, Any]]:
        """Names with a fate, of all profiles, the most frequent first."""
        found = [
            {**count.to_json(name), "profile": id_}
            for id_, names in self._names.items()
            for name, count in names.items()
            if count.fates[fate]
        ]
        return sorted(found, key=lambda entry: (-entry[fate], entry["name"], entry["kind"], entry["profile"]))

    def _foreign(self) -> list[dict[str, Any]]:
        """Names that are in no table and in no namespace, nor the target's own; the most frequent first."""
        knows = self._translator.target.knows
        found = [(name, count) for name, count in self._names.get(_FOREIGN, {}).items() if not knows(name[1])]
        ordered = sorted(found, key=lambda item: (-sum(item[1].fates.values()), item[0]))
        return [count.to_json(name) for name, count in ordered]

    def _unmatched(self) -> list[dict[str, Any]]:
        return [
            {
                "scope": scope,
                "items": stranger.items,
                "namespaces": sorted(stranger.namespaces),
                "names": [{"name": name, "count": count} for name, count in most(stranger.names)][:SHOWN_MAX],
                "example": stranger.example,
            }
            for scope, stranger in sorted(self._strangers.items(), key=lambda item: (-item[1].items, item[0]))
        ]


# ------------------------------------------------------------------ helpers


def _example(view: Item, file: str) -> Example:
    if isinstance(view, MetricView):
        return {"file": file, "metric": view.name[:NAME_CHARS_MAX]}
    signal = "span" if isinstance(view, SpanView) else "log"
    return {
        "file": file,
        "signal": signal,
        "trace_id": view.trace_id[:NAME_CHARS_MAX],
        "span_id": view.span_id[:NAME_CHARS_MAX],
    }
