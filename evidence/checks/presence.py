"""Whether content is there, withheld against a commitment, or only a word in its place.

Law: null, a blank text, a placeholder and messages without their content are absent; what is withheld, be it in part, is
never taken for what is there, and a mark of withholding that commits to nothing is absent.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import orjson

from evidence.canonical import JsonObject
from evidence.checks.item import commitment_in
from evidence.checks.messages import lacks_content
from evidence.redaction.commitment import KEY, Commitment, marks, read_member

Withheld = tuple[Commitment, ...]
"""Content of which at least a part is withheld: what it is committed to by."""
State = Literal[True] | Withheld
"""What is there of a name. What is absent has no state."""

_TEXTS_DEEP_MAX = 4  # JSON in a text in JSON in a text


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholders:
    """Words that emitters write in place of content."""

    whole: frozenset[str] = frozenset()
    """A value that is one of these is absent; one that ends in `*` is a prefix."""
    inside: tuple[str, ...] = ()
    """A structured value or JSON text is absent when one of these is a string anywhere in it."""


NONE = Placeholders()
"""Every word is content."""

MESSAGES = frozenset({"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"})
"""Attributes that hold messages, or the parts of one."""


class Presence:
    """Tells what is there from what only looks so."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._whole = placeholders.whole
        self._prefixes = tuple(word[:-1] for word in placeholders.whole if word.endswith("*"))
        self._inside = frozenset(placeholders.inside)
        self._quoted = tuple(orjson.dumps(word).decode() for word in placeholders.inside)
        self._marks = (KEY.encode(), *(orjson.dumps(word)[1:-1] for word in placeholders.inside))
        self._escapes = any(b"\\" in mark for mark in self._marks)

    def is_marked(self, line: bytes) -> bool:
        """Whether a word that stands in place of content may be inside a value of this event; False is certain."""
        for mark in self._marks:
            if mark in line:
                return True
        return self._escapes

    def state(self, key: str, value: JsonObject, is_marked: bool = True) -> State | None:  # noqa: FBT001, FBT002 - called for every attribute
        """What is there of an attribute.

        Args:
            key: its key.
            value: its value in OTLP/JSON; empty for null.
            is_marked: `is_marked` of the event that it is from.
        """
        text = value.get("stringValue") if value else ""
        if text is None:
            if "kvlistValue" not in value and "arrayValue" not in value:
                return True
            if (is_marked and self._is_hollow(value)) or (key in MESSAGES and lacks_content(value)):
                return None
            return (is_marked and tuple(commitments(value))) or True
        if self._is_word(text):
            return None
        if is_marked and any(map(text.__contains__, self._quoted)):
            return None
        if key in MESSAGES and lacks_content(value):
            return None
        return tuple(commitments(text)) or None if is_marked and KEY in text else True

    def states(
        self, attributes: Mapping[str, JsonObject], bits: Mapping[str, int], *, is_marked: bool
    ) -> tuple[int, dict[str, Withheld]]:
        """What is there of those attributes that have a bit: their bits, and what withheld ones are committed to by."""
        there, withheld = 0, {}
        whole, prefixes = self._whole, self._prefixes
        for key, value in attributes.items():
            if key not in bits:
                continue
            text = None if is_marked or key in MESSAGES else value.get("stringValue")
            if text is not None:  # most of what there is
                if text and text not in whole and not text.isspace() and not text.startswith(prefixes):
                    there |= bits[key]
                continue
            state = self.state(key, value, is_marked)
            if state is not None:
                there |= bits[key]
                if state is not True:
                    withheld[key] = state
        return there, withheld

    def plain_state(self, value: object) -> State | None:
        """What is there of a member of a receipt's body."""
        if value is None or self._is_hollow(value):
            return None
        if isinstance(value, str) and self._is_word(value):
            return None
        return tuple(commitments(value)) or (None if isinstance(value, str) and KEY in value else True)

    def _is_word(self, text: str) -> bool:
        """Whether a text says nothing, or is a word in place of content."""
        return not text or text in self._whole or text.isspace() or text.startswith(self._prefixes)

    def _is_hollow(self, value: object) -> bool:
        """Whether a placeholder stands anywhere inside a structured value."""
        if isinstance(value, dict):
            return any(map(self._is_hollow, value.values()))
        if isinstance(value, list):
            return any(map(self._is_hollow, value))
        return isinstance(value, str) and value in self._inside


def commitments(value: object) -> Iterator[Commitment]:
    """Every commitment inside a value: OTLP/JSON or plain JSON, or text with marks or JSON in it."""
    if isinstance(value, str):
        if KEY in value:
            yield from marks(value)
            yield from _members(value, _TEXTS_DEEP_MAX)
    elif isinstance(value, list):
        for item in value:
            yield from commitments(item)
    elif isinstance(value, dict):
        if (found := read_member(value) or commitment_in(value)) is not None:
            yield found
            return
        for item in value.values():
            yield from commitments(item)


def _members(value: object, deep: int) -> Iterator[Commitment]:
    """Those that are members of objects in a JSON text, and in JSON texts in it."""
    if isinstance(value, str):
        if deep and KEY in value:
            with suppress(orjson.JSONDecodeError):
                yield from _members(orjson.loads(value), deep - 1)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item, deep)
    elif isinstance(value, dict):
        if (found := read_member(value)) is not None:
            yield found
            return
        for item in value.values():
            yield from _members(item, deep)
