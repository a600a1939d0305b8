"""Does the translation of a bundle's events again: for the sealer, to write the loss report; for `verify`, to compare.

Joins `semconv` and `evidence`, which are strangers. Law: the report is a function of the events and the tables alone, so both sides come
to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from evidence import event as events
from evidence.canonical import canonical
from semconv import otlp_json
from semconv.account.account import Account
from semconv.errors import SemconvError
from semconv.translate import Translator
from semconv.translation import Translation

__all__ = ["MappingAgain"]

_SURROUNDINGS_KEPT = 256

_VIEWS: dict[str, tuple[str, Callable[..., Any], str]] = {
    events.SPAN: ("span", otlp_json.span_view, "span"),
    events.LOG: ("log", otlp_json.log_view, "log"),
    events.METRIC: ("metric", otlp_json.metric_view, "metric"),
}
"""Event type: the member that holds the item, how it is viewed, and the translator's verb for it."""


_plain = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)

_SHARED = frozenset((events.RESOURCE, events.SCOPE))

_Item = tuple[Mapping[str, Any], str, Any]
"""An event, the translator's verb for what is in it, and the view of that."""


class _UnrecordedError(Exception):
    """An event refers to what was not recorded before it."""

    args: tuple[int, str]


class MappingAgain:
    """The translation of one bundle, done again event by event. Carries out `attest.verify.MappingRecomputer`."""

    def __init__(self, translator: Translator | None = None) -> None:
        self._translator = translator
        self._tables = translator.describe() if translator else {}
        self._loaded_from: tuple[str, dict[str, bytes]] | None = None
        """Target and profiles of that translator, when `begin` loaded it: reading the tables costs more than a small bundle."""
        self._account = Account()
        self._shared: dict[str, dict[str, Any]] = {}
        self._around: dict[tuple[str, str], otlp_json.Surroundings] = {}

    def begin(self, manifest: Mapping[str, Any], profiles: Mapping[str, bytes]) -> str | None:
        """Prepares for a bundle.

        Returns:
            Why it cannot be done here, such as other tables than those the bundle was made with; None when it can.
        """
        self._account, self._shared, self._around = Account(), {}, {}
        wanted = manifest["mapping"]
        tables = (wanted["target"]["id"], dict(profiles))
        if self._translator is None or self._loaded_from != tables:
            try:
                self._translator = Translator.load(tables[0], user_profiles=profiles)
            except SemconvError as error:
                return f"its tables cannot be loaded: {error}"
            self._tables, self._loaded_from = self._translator.describe(), tables
        return None if wanted == self._tables else _difference(wanted, self._tables)

    def event(self, event: Mapping[str, Any]) -> str | None:
        """Translates one event again.

        Returns:
            What differs from what the event says; None when nothing does.
        """
        found = self.events((event,))
        return None if found is None else found[1]

    def events(self, batch: Sequence[Mapping[str, Any]]) -> tuple[int, str] | None:
        """Translates some events again, one step for all of them before the next: that keeps the steps in the core's caches.

        Returns:
            The number of the first that says otherwise, and what differs; None when none does.
        """
        assert self._translator is not None, "begin comes first"
        items: list[_Item] = []
        error: Exception | None = None
        for event in batch:
            try:
                item = self._item(event)
            except Exception as stopped:  # noqa: BLE001 - a difference in an event before this one comes first
                error = stopped
                break
            if item is not None:
                items.append(item)
        translations = [getattr(self._translator, verb)(view) for _, verb, view in items]
        for (_, _, view), translation in zip(items, translations, strict=True):
            self._account.add(view, translation)
        for (event, _, _), translation in zip(items, translations, strict=True):
            if not _says(event["data"], translation):
                return event["seq"], f"{event['id']}: says another translation than its tables give"
        if isinstance(error, _UnrecordedError):
            return error.args
        if error is not None:
            raise error
        return None

    def _item(self, event: Mapping[str, Any]) -> _Item | None:
        """The telemetry of an event, ready to be translated; None when it holds none."""
        data = event["data"]
        if event["type"] in _SHARED:
            self._shared[data["digest"]] = data
            return None
        if event["type"] not in _VIEWS:
            return None
        member, view_of, verb = _VIEWS[event["type"]]
        around = self._surroundings(data["resource"], data["scope"])
        if around is None:
            raise _UnrecordedError(
                event["seq"], f"{event['id']}: refers to a resource or scope that was not recorded before it"
            )
        return event, verb, view_of(data[member], around)

    def _surroundings(self, resource: str, scope: str) -> otlp_json.Surroundings | None:
        """What items refer to by these digests, read once for all of them; None when it was not recorded."""
        known = self._around.get((resource, scope))
        if known is None and resource in self._shared and scope in self._shared:
            known = otlp_json.surroundings(
                self._shared[resource].get("resource", {}), self._shared[scope].get("scope", {})
            )
            if len(self._around) >= _SURROUNDINGS_KEPT:
                self._around.clear()
            self._around[resource, scope] = known
        return known

    def report(self) -> bytes:
        """reports/mapping-loss.json over the events given since `begin`."""
        assert self._translator is not None, "begin comes first"
        return canonical(self._account.report())


def _says(data: Mapping[str, Any], translation: Translation) -> bool:
    """Whether an event says this translation, in the same bytes."""
    said = {name: data[name] for name in ("mapped", "loss") if name in data}
    again = translation.to_json()
    if not again or again != said:
        return again == said
    return _plain(again) == _plain(said) or canonical(again) == canonical(said)  # 1 and true are equal to Python


def _difference(wanted: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    if wanted["target"] != here["target"]:
        return f"made with target {_name(wanted['target'])}, here is {_name(here['target'])}"
    known = {profile["id"]: profile for profile in here["profiles"]}
    for profile in wanted["profiles"]:
        if known.get(profile["id"]) != profile:
            return f"made with profile {_name(profile)}, which is another or unknown here"
    if len(known) != len(wanted["profiles"]):
        return "made with fewer profiles than there are here"
    return None


def _name(table: Mapping[str, Any]) -> str:
    return f"{table['id']} {table['version']} ({table['digest'][:19]}…)"
