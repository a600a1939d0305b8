"""Tells quickly that an event holds no secret: most of what events say was said before, or is no text.

Law: an event whose texts hold a secret is always suspected; that it is suspected says nothing.
"""

from collections.abc import Sequence

import orjson

from evidence.canonical import JsonObject
from evidence.event import LOG, SPAN
from evidence.limits import DEFAULT, Limits
from evidence.redaction.detectors import LENGTH_MIN, suspect

_MEMBERS = {SPAN: "span", LOG: "log"}
_TELEMETRY = frozenset({"span", "log", "mapped"})
_DIGESTS = frozenset({"resource", "scope"})  # `evidence.event.check` holds them to be
_KNOWN_LENGTH_MAX = 64  # characters: names, models, ids; what is longer is rarely said twice
_IDS = frozenset(
    {
        "traceId",
        "spanId",
        "parentSpanId",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "timeUnixNano",
        "observedTimeUnixNano",
    }
)
"""Members of telemetry that are ids and numbers, when they are short."""
_ID_LENGTH_MAX = 32


class Suspicion:
    """Looks at the events of a part, in order; remembers at most `Limits.open_instances_max` short texts without a secret."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._most = limits.open_instances_max
        self._clean: set[str] = set()

    def falls_on(self, event: JsonObject, line: bytes) -> bool:
        """Whether a text of the event may hold a secret; `line` is its canonical form."""
        data = event["data"]
        member = _MEMBERS.get(event["type"])
        if member is None:
            return suspect(line)
        texts: list[str] = []
        for name, value in data.items():
            if name in _TELEMETRY:
                self._collect(value, texts)
            elif name not in _DIGESTS:
                self._add(value, texts)
        if not texts:
            return False
        if suspect(f'"{_BETWEEN.join(texts)}"'.encode(errors="replace")):
            return True
        if len(self._clean) + len(texts) > self._most:
            self._clean.clear()
        self._clean.update([text for text in texts if len(text) <= _KNOWN_LENGTH_MAX])
        return False

    def _collect(self, item: JsonObject, texts: list[str]) -> None:
        """The texts of telemetry that may hold a secret."""
        clean = self._clean
        for name, member in item.items():
            if name == "attributes":
                self._collect_attributes(member, texts)
            elif type(member) is str:
                if (
                    (name not in _IDS or len(member) > _ID_LENGTH_MAX)
                    and len(member) >= LENGTH_MIN
                    and member not in clean
                ):
                    texts.append(member)
            elif member:
                self._add(member, texts)

    def _collect_attributes(self, pairs: Sequence[JsonObject], texts: list[str]) -> None:
        clean = self._clean
        for pair in pairs:
            if "value" not in pair:
                continue
            value = pair["value"]
            text = value.get("stringValue")
            if text is not None:
                if len(text) >= LENGTH_MIN and (len(text) > _KNOWN_LENGTH_MAX or text not in clean):
                    texts.append(text)
            elif "stringValue" not in value:
                self._add_value(value, texts)

    def _add_value(self, value: JsonObject, texts: list[str]) -> None:
        """An OTLP/JSON value that is no text."""
        number = value.get("intValue")
        if type(number) is not str or not number.isdigit():
            self._add(orjson.dumps(value).decode(), texts)

    def _add(self, value: object, texts: list[str]) -> None:
        """A text that is long enough to hold a secret and not known to be clean; what is nested, as JSON."""
        if type(value) is str:
            if len(value) >= LENGTH_MIN and value not in self._clean:
                texts.append(value)
        elif type(value) is dict:
            for member in value.values():
                self._add(member, texts)
        elif type(value) is list and value:
            if type(value[0]) is str:
                for member in value:
                    self._add(member, texts)
            else:
                texts.append(orjson.dumps(value).decode())


_BETWEEN = '"\n"'
