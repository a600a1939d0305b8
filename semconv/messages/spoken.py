"""What is said in one message, part after part, and by whom: what stands in it twice is told once.

Laws: order is kept; cost is linear in the parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from semconv.paths import Document
from semconv.value import Value, json_text

_SILENCE: Final = {"type": "text", "content": ""}
_SAME_BY: Final = {"tool_call": ("name", "arguments"), "reasoning": ("content",)}
"""What makes two parts of a message the same, where not both have an id."""

_Key = tuple[str, ...]


class Spoken:
    """Parts with their speakers, in order."""

    __slots__ = ("_by_id", "_by_words", "_nameless", "_seen", "parts")

    def __init__(self) -> None:
        self.parts: list[tuple[str, Document]] = []
        self._by_id: dict[_Key, int] = {}
        self._by_words: dict[_Key, int] = {}
        self._nameless: dict[_Key, int] = {}
        """Those of `_by_words` that have no id."""
        self._seen = 0

    def __iter__(self) -> Iterator[Document]:
        """The parts."""
        return (part for _, part in self.parts)

    def note(self) -> None:
        """Note the parts so far: what comes from elsewhere may say them again."""
        for place in range(self._seen, len(self.parts)):
            part = self.parts[place][1]
            marks = _SAME_BY.get(part["type"])
            if marks is None:
                continue
            words = _key(part, marks)
            if isinstance(part.get("id"), str):
                self._by_id.setdefault((part["type"], part["id"]), place)
            else:
                self._nameless.setdefault(words, place)
            self._by_words.setdefault(words, place)
        self._seen = len(self.parts)

    def says(self, role: str, part: Document) -> Document | None:
        """One part more, None; or what is new in it, if it says what a noted one has said: that joins the other."""
        place = self._place(part) if self._by_words else None
        if place is not None:
            speaker, other = self.parts[place]
            if all(name not in other or other[name] == member for name, member in part.items()):
                more = {name: member for name, member in part.items() if name not in other}
                self.parts[place] = speaker, {**other, **more}
                return more
        self.parts.append((role, part))
        return None

    def without_silence(self) -> int:
        """Leave out empty texts beside something that is said; how many there were."""
        if len(self.parts) < 2 or all(part.get("content") != "" for _, part in self.parts):
            return 0
        said = [entry for entry in self.parts if entry[1] != _SILENCE]
        silent = len(self.parts) - len(said)
        if said:
            self.parts = said
        return silent if said else 0

    def messages(self, role: str) -> list[Document]:
        """The parts as messages, each of one speaker; a result of a tool is the tool's, not the user's."""
        messages: list[Document] = []
        for said_by, part in self.parts:
            speaker = "tool" if said_by == "user" and part["type"] == "tool_call_response" else said_by
            if messages and messages[-1]["role"] == speaker:
                messages[-1]["parts"].append(part)
            else:
                messages.append({"role": speaker, "parts": [part]})
        return messages or [{"role": role, "parts": []}]

    def _place(self, part: Document) -> int | None:
        """Where the part stands that says what this one says."""
        marks = _SAME_BY.get(part["type"])
        if marks is None or any(part.get(mark) is None for mark in marks[:1]):
            return None
        if not isinstance(part.get("id"), str):
            return self._by_words.get(_key(part, marks))
        found = self._by_id.get((part["type"], part["id"]))
        return self._nameless.get(_key(part, marks)) if found is None else found


def _key(part: Document, marks: tuple[str, ...]) -> _Key:
    said: list[Value] = [part.get(mark) for mark in marks]
    return part["type"], json_text(said)
