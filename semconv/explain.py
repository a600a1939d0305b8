"""Where a name goes and why: the row of every table that has one for it, and for a name of the target, what leads to it.

Law: an explanation is a function of the tables and the question. It says what the rows say; which of them takes a value
depends on the item as well, so rows are given in the order in which they are asked, with their conditions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from semconv import table
from semconv.catalogue import sign
from semconv.ops import Enums
from semconv.plan.bind import bind
from semconv.plan.settle import READABLE
from semconv.profile import words, written
from semconv.profile.inside import FILE, Objects
from semconv.profile.profile import LAYERS, FoldKey, Profile, Row
from semconv.profile.shared import shared
from semconv.profile.sources import Source
from semconv.reasons import MEANINGS, REASONS
from semconv.target import Target
from semconv.translate import Translator
from semconv.translation import IRREVERSIBLE, LOSSLESS, NEEDS_PROVENANCE
from semconv.trial import trial
from semconv.value import Value

SCHEMA_VERSION: Final = "semconv-explain-v1"

_HOLE: Final = re.compile(r"\{[a-z]\}")
_EVENT: Final = "@events/"
_METRIC: Final = "@metrics/"
_PATHS: Final = {
    "@name": "The name of a span.",
    "@event_name": "The name of a log record, where it said more than the event it was found to be.",
    "@kind": "The kind of a span.",
    "@body": "The body of a log record.",
    "@duplicates": "Attributes whose key came again later on the same item: the last one is the one that is read.",
}
"""Paths of a loss report that are no names."""
_LAYERS: Final = {number: name for name, number in LAYERS.items()}
_NEAR_MAX: Final = 5
_NEAR_ENOUGH: Final = 0.75


class Explainer:
    """Answers questions about one translator's tables."""

    def __init__(self, translator: Translator, tables: Sequence[Source]) -> None:
        """`tables` are those that the translator was made from."""
        self.translator = translator
        self.target: Target = translator.target
        self._tables = {source.id: source for source in tables}
        asked = sorted(translator.profiles, key=lambda profile: (-profile.layer, profile.id))
        self._objects = Objects()
        files = {name: table.parse(table.builtin("tables", name), name) for name in table.builtin_names("tables")}
        self._enums = shared(files, self.target).enums
        self._profiles = [(profile, self._tables[profile.id]) for profile in asked]

    def explain(
        self, name: str, *, profile: str | None = None, scope: str | None = None, values: Sequence[Value] = ()
    ) -> dict[str, Any]:
        """All that the tables say of a name, as a document.

        Args:
            name: a key, the path of a loss (`key#/member`, `@events/name`), the name of an event, log event, metric or
                span, or a reason of loss. Numbers in it may be given as holes (`{i}`).
            profile: the only profile to ask; None for all.
            scope: rows that ask for another scope are left out.
            values: for each of them every row says what it makes of it.
        """
        key, _, member = name.removeprefix(_EVENT).removeprefix(_METRIC).partition("#/")
        key = _HOLE.sub("0", key)
        heard = [(each, source) for each, source in self._profiles if profile in (None, each.id)]
        of_target = self._of_target(key)
        rows = [row for each, source in heard for row in self._keyed(each, source, key, member, values)]
        rows += [row for each, source in heard for row in self._named(each, source, key)]
        if name.startswith(_EVENT) and not rows:  # of an event, one attribute
            event, _, attribute = key.rpartition("/")
            rows = [row for each, source in heard for row in self._named(each, source, event, attribute)]
        reached = [row for each, source in heard for row in self._reaching(each, source, of_target)]
        rows, reached = ([row for row in found if _in_scope(row.pop("scopes"), scope)] for found in (rows, reached))
        return {
            "schema_version": SCHEMA_VERSION,
            "asked": name,
            "target": {"id": self.target.id, "version": self.target.version, "digest": self.target.digest},
            "reason": _reason(name) if name in REASONS else None,
            "path": _PATHS.get(name),
            "target_name": of_target,
            "rows": rows,
            "reached_from": reached,
            "reached_inside": list(self._reaching_inside(of_target)),
            "marks": [mark for each, _ in heard for mark in _marks(each, key)],
            "namespaces": [each.id for each, _ in heard if each.owns(key)],
            "nearest": [] if rows or of_target or name in REASONS or name in _PATHS else self._nearest(key),
        }

    # ------------------------------------------------------------------ rows for a name

    def _keyed(
        self, profile: Profile, source: Source, key: str, member: str, values: Sequence[Value]
    ) -> Iterator[dict[str, Any]]:
        """Rows for a key, in the order in which they are asked; of its members only the one that is asked for, if any."""
        for order, entry, holes in profile.rows(key):
            word, place, *way = profile.places[order]
            document = self._said(profile, source, str(word), int(place))
            if isinstance(entry, FoldKey):
                document |= {"names": [str(way[-1])], "place": ".".join(entry.path), "reversal": NEEDS_PROVENANCE}
            else:
                document["reversal"] = self._reversal(entry, holes)
                document["tried"] = [
                    trial(self.translator, profile, entry, key, value, holes=holes) for value in values
                ]
            if member and "members" in document:
                document["members"] = [self._member(profile, source.content[str(word)][int(place)], member)]
            yield document

    def _member(self, profile: Profile, row: words.Row, way: str) -> dict[str, Any]:
        """The row for one member of a value."""
        found = self._objects.find(row, way)
        name = found.name if found.name == "the rest" else f"#/{way}"
        document = {"name": name, **self._words(found.row, profile.enums)}
        if found.object:
            document |= {"file": FILE, "line": self._objects.line(found.object, found.name)}
        return document

    def _reversal(self, entry: Row, holes: Sequence[str]) -> str:
        """Whether a value the row takes follows from the result, as far as the row alone can say."""
        way = bind(self.target, entry, holes)
        if entry.evict:
            return IRREVERSIBLE
        stays = entry.keep or entry.copy or (entry.lost and not entry.split)
        renamed = way.key and way.shape not in READABLE and entry.reversible
        return LOSSLESS if stays or renamed else NEEDS_PROVENANCE

    def _named(self, profile: Profile, source: Source, name: str, attribute: str = "") -> Iterator[dict[str, Any]]:
        """Rows for events, log events, metrics and span names; of an event only the row for one attribute, if there is one."""
        for word, place, row in written.rows(source):
            if word in written.KEYED or not any(
                written.names(pattern, name) for pattern in written.texts(row, words.NAMES.get(word))
            ):
                continue
            document = self._said(profile, source, word, place)
            own = [member for member in document.get("members", ()) if member["name"] == attribute]
            yield {**document, "members": own} if own else document

    # ------------------------------------------------------------------ names of the target

    def _of_target(self, name: str) -> dict[str, Any] | None:
        """What the target says of a name that is its own, or that it has another name for."""
        target = self.target
        concept = next((concept for concept, metric in target.metrics.items() if name in (concept, metric)), None)
        if concept is not None:
            return {"kind": "metric", "concept": concept, "name": target.metrics[concept]}
        if name in target.events:
            return {"kind": "event", "concept": name, "name": name}
        spec = target.attributes.get(name)
        concept = spec.concept if spec else name
        if not target.knows(concept):
            return None
        document: dict[str, Any] = {"kind": "attribute", "concept": concept, "name": target.key_of(concept)}
        if spec is not None:
            document |= {"type": spec.type, "shape": spec.shape or None, "members": sorted(spec.members)}
            document["kept_by"] = [profile.id for profile, _ in self._profiles if profile.identity]
            document["span_types"] = [
                {"type": kind.type, "level": level}
                for kind in target.span_types
                for level in ("required", "conditionally_required", "recommended", "opt_in")
                if name in getattr(kind, level)
            ]
        return document

    def _reaching(
        self, profile: Profile, source: Source, of_target: Mapping[str, Any] | None
    ) -> Iterator[dict[str, Any]]:
        """Every row that claims a concept, with the ways inside it."""
        concept = of_target["concept"] if of_target else ""
        for word, place, row in written.rows(source) if concept else ():
            ways = [inside for inside, claimed in self._objects.claims(row) if written.leads(claimed, concept)]
            if ways or f"{{{concept}}}" in row.get("pattern", ""):
                yield {**self._said(profile, source, word, place), "inside": [way for way in ways if way]}

    def _reaching_inside(self, of_target: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
        """Members of the shared objects that claim a concept."""
        for object_, name, row, claimed in self._objects.claiming() if of_target else ():
            if of_target and written.leads(claimed, of_target["concept"]):
                place = {"object": object_, "name": name, "file": FILE, "line": self._objects.line(object_, name)}
                yield {**place, **self._words(row, self._enums)}

    # ------------------------------------------------------------------ one row as a document

    def _said(self, profile: Profile, source: Source, word: str, place: int) -> dict[str, Any]:
        by, line = source.place((word, place))
        row = source.content[word][place]
        return {
            "profile": profile.id,
            "layer": _LAYERS[profile.layer],
            "list": word,
            "file": by.file,
            "line": line,
            "user": by.user,
            "names": written.texts(row, words.NAMES.get(word)),
            "scopes": written.texts(row.get("when") or {}, "scope"),
            **self._words(row, profile.enums),
        }

    def _words(self, row: words.Row, enums: Enums) -> dict[str, Any]:
        concept = row.get("to")
        document: dict[str, Any] = {
            "goes": words.goes(row),
            "concept": concept,
            "target": self._name_of(concept) if concept else None,
            "operations": [{"words": step.words, "inverse": step.inverse} for step in words.operations(row, enums)],
            "when": words.condition(row),
            "remarks": words.remarks(row),
            "reasons": [_reason(reason) for reason in _reasons(row)],
        }
        inner = [{"name": name, **self._words(member, enums)} for name, member in words.members(row)]
        if inner:
            document["members"] = inner
        return document

    def _name_of(self, concept: str) -> str | None:
        return self.target.metrics.get(concept) or self.target.key_of(concept)

    def _nearest(self, name: str) -> list[str]:
        known = {key for profile, _ in self._profiles for key in profile.exact} | set(self.target.attributes)
        rows = [(word, row) for _, source in self._profiles for word, _, row in written.rows(source)]
        known.update(text for word, row in rows for text in written.texts(row, words.NAMES.get(word)))
        return get_close_matches(name, sorted(known), n=_NEAR_MAX, cutoff=_NEAR_ENOUGH)


# ------------------------------------------------------------------ helpers


def _in_scope(scopes: Sequence[str], scope: str | None) -> bool:
    return scope is None or not scopes or any(written.names(pattern, scope) for pattern in scopes)


def _reasons(row: words.Row) -> list[str]:
    """The reasons that a row names, its operations among them, but not those of its members."""
    said = [row[word] for word in ("lost", "loses", "yields") if word in row]
    spec = row.get("op", [])
    for step in spec if isinstance(spec, list) else [spec]:
        if isinstance(step, Mapping):
            nested = [
                value for argument in step.values() if isinstance(argument, Mapping) for value in argument.values()
            ]
            said += [*step.values(), *nested]
    return list(dict.fromkeys(reason for reason in said if isinstance(reason, str) and reason in REASONS))


def _marks(profile: Profile, name: str) -> Iterator[dict[str, Any]]:
    """What a name counts for when a profile is detected."""
    for mark in profile.marks:
        if mark.pattern == name if mark.value else mark.matches(name):
            said = {"kind": mark.kind, "sign": sign(mark), "weight": mark.weight, "threshold": profile.threshold}
            yield {"profile": profile.id, **said}


def _reason(name: str) -> dict[str, str]:
    return {"reason": name, "severity": REASONS[name], "meaning": MEANINGS[name]}
