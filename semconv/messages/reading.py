"""What was read out of a body, and the account of what is not in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from semconv.paths import Document
from semconv.value import Value, document, leaves


@dataclass(slots=True)
class Reading:
    """What came out of a body, and the account of what is not in it."""

    value: Value = None
    finish_reasons: list[str] = field(default_factory=list)
    """In the source's own words, in order."""
    parsed_leaves: int = 0
    """Atoms that came to light because a text inside the body was JSON and was parsed."""
    derivable: int = 0
    """Leaves left out that say nothing of their own: nulls, empty texts, the second copy of a call."""
    rest: Document = field(default_factory=dict)
    """Members of an object around the messages that no message takes along."""
    notes: set[str] = field(default_factory=set)

    def take(self, which: str) -> list[Value] | None:
        """Keep of a conversation the `answer`, the assistant's messages at its end, or the `history` before them.

        Returns:
            the messages that were left out; None when there are none to keep.
        """
        messages = self.value if isinstance(self.value, list) else []
        at = len(messages)
        while at and _role(messages[at - 1]) == "assistant":
            at -= 1
        history, answer = messages[:at], messages[at:]
        ended = sum(isinstance(message, dict) and "finish_reason" in message for message in answer)
        self.finish_reasons = self.finish_reasons[len(self.finish_reasons) - ended :] if which == "answer" else []
        kept, left = (answer, history) if which == "answer" else (history, answer)
        self.value = kept
        return left if kept else None

    def parsed(self, value: Value) -> Value:
        """The document a text is the JSON of; what is none is itself."""
        found = document(value) if isinstance(value, str) else None
        return value if found is None else self.opened(found)

    def opened(self, found: Value) -> Value:
        """A document that was one text."""
        self.parsed_leaves += leaves(found) - 1
        return found

    def without_nulls(self, members: Document) -> Document:
        """The members that say something."""
        if None not in members.values():
            return members
        said = {key: value for key, value in members.items() if value is not None}
        self.derivable += len(members) - len(said)
        return said


def _role(message: Value) -> Value:
    return message.get("role") if isinstance(message, dict) else None
