"""Whether an attribute's content is there, withheld against a commitment, or only a word in its place.

Law: null, an empty value and a placeholder are absent; what is withheld is never taken for what is there.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from evidence.canonical import JsonObject
from evidence.commitment import Commitment, read_commitment

Attributes = dict[str, dict[str, Any]]
"""OTLP/JSON values by key."""
States = dict[str, bool | Commitment]
"""What is there of some names: True, or a commitment when it is withheld. What is absent has no entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholders:
    """Words that emitters write in place of content."""

    whole: frozenset[str] = frozenset()
    """A value that is one of these is absent."""
    inside: tuple[str, ...] = ()
    """A structured value or JSON text is absent when one of these is a string anywhere in it."""


NONE = Placeholders()
"""Every word is content."""


class Presence:
    """Tells what is there from what only looks so."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._whole = placeholders.whole
        self._whole_length_max = max(map(len, placeholders.whole), default=0)
        self._inside = frozenset(placeholders.inside)
        self._quoted = tuple(orjson.dumps(word).decode() for word in placeholders.inside)

    def states(self, attributes: Attributes) -> States:
        """What is there of some attributes."""
        states: States = {}
        for key, value in attributes.items():
            text = value.get("stringValue") if value else ""
            if text is None:
                if state := self._structured(value):
                    states[key] = state
            elif value and not self._is_placeholder(text):
                states[key] = True
        return states

    def _is_placeholder(self, text: str) -> bool:
        if len(text) <= self._whole_length_max and text in self._whole:
            return True
        return any(map(text.__contains__, self._quoted))

    def _structured(self, value: JsonObject) -> bool | Commitment:
        """What is there of a value that is no text; False for nothing."""
        if "kvlistValue" in value or "arrayValue" in value:
            return read_commitment(value) or not self._is_hollow(value)
        return True

    def _is_hollow(self, value: object) -> bool:
        """Whether a placeholder stands anywhere inside a structured value."""
        if isinstance(value, dict):
            return any(map(self._is_hollow, value.values()))
        if isinstance(value, list):
            return any(map(self._is_hollow, value))
        return isinstance(value, str) and value in self._inside
