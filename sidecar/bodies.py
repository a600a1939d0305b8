"""Which texts of an item are bodies of a signal, in whatever convention it came, or may be: for a policy that withholds them.

Also which are translated to a key that a policy names.

Law: what is withheld is said by what may stay, not by what must go. A text stays when its key is known to hold none of the bodies: a key of
the conventions, or one that every row of the tables leads to such a key. Everything else is withheld, and so is whatever repeats
twelve characters of a body where a text may stay.

Does not look at: numbers and truth values that no row takes for a body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from evidence.redaction.policy import Policy
from evidence.redaction.redaction import NOTHING, Also
from evidence.signals import registry
from semconv.profile.profile import FoldKey, Profile, Row
from semconv.translate import Translator
from sidecar.translation import TranslatedItem

__all__ = ["Bodies"]

_WINDOW = 12
"""Characters of a body that are told from chance."""
_FEW = 500
"""Stretches that are sooner looked for one by one than all at once."""
_KNOWN_MAX = 256
"""Texts that stay which are looked for in names: of more than any agent sends, the longest."""
_UNCLEAR = "signal/unclear"
_CONTENT = (
    "exception.message",
    "exception.stacktrace",
    "gen_ai.agent.description",
    "gen_ai.evaluation.explanation",
    "gen_ai.memory.query.text",
    "gen_ai.prompt.variable",
    "gen_ai.request.stop_sequences",
    "gen_ai.retrieval.query.text",
    "gen_ai.skill.description",
    "gen_ai.tool.description",
    "mcp.resource.uri",
)
"""Keys of the conventions that hold free text and are bodies of no signal: they quote bodies."""
_OPEN = (
    "affidavit.",
    "client.",
    "cloud.",
    "code.column",
    "code.file",
    "code.function",
    "code.line",
    "code.namespace",
    "container.",
    "deployment.",
    "error.type",
    "event.name",
    "event.timestamp",
    "exception.escaped",
    "exception.type",
    "faas.",
    "gen_ai.event.end_time",
    "gen_ai.event.start_time",
    "gen_ai.token.type",
    "host.",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.status_code",
    "input.mime_type",
    "k8s.",
    "net.",
    "network.",
    "os.",
    "otel.",
    "output.mime_type",
    "peer.service",
    "process.executable.",
    "process.owner",
    "process.pid",
    "process.runtime.",
    "rpc.method",
    "rpc.service",
    "rpc.system",
    "server.",
    "service.",
    "telemetry.",
    "terminal.type",
    "thread.",
    "url.scheme",
)
"""Keys, or what they begin with, of other conventions that hold no free text."""
_DEPTH_MAX = 16
_TEXTS = ("stringValue", "bytesValue", "arrayValue", "kvlistValue")


class Bodies:
    """The bodies of some signals.

    Args:
        translator: whose tables say what leads where.
        policy: which signals, and which keys of the target besides.
    """

    def __init__(self, translator: Translator, policy: Policy) -> None:
        self._translator = translator
        self._policy = policy
        known = registry().signals
        self._withheld = {body: f"signal/{signal}" for signal in policy.signals for body in known[signal].bodies}
        self._kept: dict[tuple[frozenset[str], str], str] = {}
        self._led: dict[tuple[frozenset[str], str], str] = {}

    def also(self, kind: str, body: Mapping[str, Any], item: TranslatedItem) -> Also:
        """What is withheld of an item: the values that are bodies or may be, and what repeats them elsewhere."""
        values = self._led_to_keys(kind, body, item) if self._policy.keys else {}
        if not self._withheld:
            return Also(values=values) if values else NOTHING
        profiles = frozenset(item.translation.profiles)
        bodies: list[str] = []
        stays: list[str] = []
        for pointer, pair in _pairs(body, f"/{kind}"):
            value = pair.get("value") or {}
            reason = self._reason(profiles, pair.get("key", ""), value)
            if reason:
                values[f"{pointer}/value"] = reason
                bodies += _texts(value)
            else:
                stays += _texts(value)
        if kind == "log" and body.get("body"):
            values["/log/body"] = self._reason_of_body(item)
            bodies += _texts(body["body"])
        if body.get("status", {}).get("message"):
            values["/span/status/message"] = _UNCLEAR
            bodies.append(body["status"]["message"])
        names = {pointer: text for pointer, text in _names(body, f"/{kind}") if pointer not in values}
        values |= _repeating(names, bodies, stays)
        said = frozenset(stays)
        texts = {text: _UNCLEAR for text in bodies if len(text) >= _WINDOW and text not in said}
        return Also(values=values, texts=texts)

    def around(self, name: str, data: Mapping[str, Any]) -> Also:
        """What is withheld of a resource or scope: a prompt may stand in a process's arguments."""
        if not self._withheld:
            return NOTHING
        pairs = _pairs(data, f"/{name}")
        reasons = {
            f"{at}/value": self._reason(frozenset(), pair.get("key", ""), pair.get("value") or {}) for at, pair in pairs
        }
        return Also(values={at: reason for at, reason in reasons.items() if reason})

    def _led_to_keys(self, kind: str, body: Mapping[str, Any], item: TranslatedItem) -> dict[str, str]:
        """What stands under another key than the policy names and is translated to that."""
        profiles = frozenset(item.translation.profiles)
        reasons = {
            f"{pointer}/value": self._reason_of_leads(profiles, pair.get("key", ""))
            for pointer, pair in _pairs(body, f"/{kind}")
        }
        if kind == "log" and body.get("body") and item.translation.body_removed:
            made = map(self._policy.reason_of_key, item.translation.attributes)
            reasons["/log/body"] = next(filter(None, made), "")
        return {pointer: reason for pointer, reason in reasons.items() if reason}

    def _reason_of_leads(self, profiles: frozenset[str], key: str) -> str:
        known = self._led.get((profiles, key))
        if known is None:
            if len(self._led) > 4096:
                self._led.clear()
            made = (self._policy.reason_of_key(to) for to in self._leads(profiles, key) if to)
            known = self._led[profiles, key] = next(filter(None, made), "")
        return known

    def _reason_of_body(self, item: TranslatedItem) -> str:
        made = [self._withheld[key] for key in item.translation.attributes if key in self._withheld]
        return made[0] if made and item.translation.body_removed else _UNCLEAR

    def _reason(self, profiles: frozenset[str], key: str, value: Mapping[str, Any]) -> str:
        """Why a value is withheld; empty when it may stay."""
        known = self._kept.get((profiles, key))
        if known is None:
            if len(self._kept) > 4096:
                self._kept.clear()
            known = self._kept[profiles, key] = self._reason_of_key(profiles, key)
        if known == _UNCLEAR and not any(name in value for name in _TEXTS):
            return ""
        return known

    def _reason_of_key(self, profiles: frozenset[str], key: str) -> str:
        if key in self._withheld:
            return self._withheld[key]
        leads = list(self._leads(profiles, key))
        if reason := next((self._withheld[to] for to in leads if to in self._withheld), ""):
            return reason
        target = self._translator.target
        if any(_is_content(to) for to in (key, *leads)):
            return _UNCLEAR
        if key in target.attributes or any(_begins(key, start) for start in _OPEN):
            return ""
        return "" if leads and all(leads) else _UNCLEAR

    def _leads(self, profiles: frozenset[str], key: str) -> Iterator[str]:
        """Every key of the target that a row may lead this key's value to; empty for a row that leads nowhere."""
        for profile in self._translator.profiles:
            if profile.id in profiles:
                yield from (self._translator.target.key_of(to) or "" for to in _concepts(profile, key))


def _concepts(profile: Profile, key: str) -> Iterator[str]:
    for _, entry, _ in profile.rows(key):
        if isinstance(entry, FoldKey):
            yield entry.fold.to
        else:
            yield from _of_row(entry)


def _of_row(row: Row) -> Iterator[str]:
    if row.to:
        yield row.to
    if row.split:
        for _, member in row.split.members:
            yield from _of_row(member)
        yield from _of_row(row.split.rest)
    for other in row.also:
        yield from _of_row(other)
    if not row.to and not row.split and not row.derived:
        yield ""


def _is_content(key: str) -> bool:
    return any(key == content or key.startswith(f"{content}.") for content in _CONTENT)


def _begins(key: str, start: str) -> bool:
    return key.startswith(start) if start.endswith(".") else key == start or key.startswith(f"{start}.")


# ------------------------------------------------------------------ texts of an item


def _pairs(value: Any, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401 - OTLP/JSON
    """Every attribute of an item and of what is inside it, with its place."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _pairs(each, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in {"attributes", "filteredAttributes", "metadata"}:
                yield from ((f"{pointer}/{name}/{index}", pair) for index, pair in enumerate(member))
            elif name != "body":
                yield from _pairs(member, f"{pointer}/{name}")


def _names(value: Any, pointer: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - OTLP/JSON
    """Every text of an item that is no attribute: names, states, descriptions."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _names(each, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, member in value.items():
            if name not in {"key", "value", "body"} and not name.endswith(("Id", "UnixNano")):
                yield from _names(member, f"{pointer}/{name}")


def _texts(value: Any, depth: int = 0) -> list[str]:  # noqa: ANN401 - OTLP/JSON, and JSON inside its texts
    """Every text inside a value, each as it stands and what is inside it when it is JSON."""
    if isinstance(value, str):
        inner = _parsed(value) if depth < _DEPTH_MAX else None
        return [value] if inner is None else [value, *_texts(inner, depth + 1)]
    if isinstance(value, dict):
        return [text for member in value.values() for text in _texts(member, depth + 1)] if depth < 200 else []
    if isinstance(value, list):
        return [text for member in value for text in _texts(member, depth + 1)] if depth < 200 else []
    return []


def _parsed(text: str) -> object:
    if text.lstrip()[:1] not in {"{", "[", '"'}:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _repeating(names: Mapping[str, str], bodies: Iterable[str], stays: Iterable[str]) -> dict[str, str]:
    """The names that repeat a stretch of a body, beside what stays anyway such as the name of a model or tool."""
    long = {pointer: text for pointer, text in names.items() if len(text) >= _WINDOW}
    if not long:
        return {}
    said = "\0".join(bodies)
    known = sorted({text for text in stays if len(text) > 2}, key=len, reverse=True)[:_KNOWN_MAX]
    windows = {text: _windows(text, known) for text in set(long.values())}
    every = set().union(*windows.values())
    if len(every) <= _FEW:
        repeated = {window for window in every if window in said}
    else:
        repeated = every.intersection(said[at : at + _WINDOW] for at in range(len(said) - _WINDOW + 1))
    return {pointer: _UNCLEAR for pointer, text in long.items() if not repeated.isdisjoint(windows[text])}


def _windows(text: str, known: Iterable[str]) -> set[str]:
    """Every stretch of a text that would be told from chance, without what stays anyway."""
    for each in known:
        text = text.replace(each, "\0")
    return {text[at : at + _WINDOW] for at in range(len(text) - _WINDOW + 1)}
