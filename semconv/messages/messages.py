"""The message model: bodies of any known shape in the target's. This module finds the messages and instructions in them.

The shapes are the table of `semconv.messages.shapes`; the readers walk it. Targets of the conventions:
https://github.com/open-telemetry/semantic-conventions-genai (JSON schemas of gen_ai.input.messages and its kin).

Laws: total (a body of no known shape is `None`, never an error); what was read once reads as itself; whatever a shape
has no field for rides along as an extra property. What could not ride is counted in the `Reading`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from semconv.messages.definitions import read_definitions
from semconv.messages.documents import read_documents
from semconv.messages.message import MessageReader, is_pair
from semconv.messages.reading import Reading
from semconv.messages.shapes import Shapes
from semconv.paths import Document, at, joined
from semconv.python_repr import is_address
from semconv.value import Value

__all__ = ["Reading", "read"]

_ENVELOPES_MAX: Final = 4
"""Objects around the messages that are opened."""
_TELLING: Final = ("system", "developer")
"""Roles of those whose words instructions are."""


def read(shape: str, body: Value, shapes: Shapes, *, role: str = "user", parse_text: bool = False) -> Reading | None:
    """The body in the target's shape, or None when it is of no shape the table knows.

    Args:
        shape: one of the target's shapes with structure.
        body: text, or a parsed document.
        shapes: the table.
        role: whose words a body without a role is.
        parse_text: a content that is the JSON of a list of parts is that list.
    """
    reading = Reading()
    value = _READERS[shape](body, shapes, reading, role, parse_text)
    if value is None:
        return None
    reading.value = value
    return reading


class _BodyReader:
    """One pass over one body."""

    __slots__ = ("one", "reading", "shapes", "streamed")

    def __init__(self, shapes: Shapes, reading: Reading, role: str, parse_text: bool) -> None:  # noqa: FBT001  # as read() has it
        self.shapes = shapes
        self.reading = reading
        self.one = MessageReader(shapes, reading, role, parse_text=parse_text)
        self.streamed = False
        """Whether the messages are the pieces in which one answer came."""

    # ------------------------------------------------------------------ the list of messages in a body

    def messages(self, body: Value) -> list[Any] | None:
        """Every message there is, None when something is none."""
        items = self._listed(body, _ENVELOPES_MAX)
        if items is None:
            return None
        read: list[Document] = []
        for item in items:
            several = self.one.read(item)
            if several is None:
                return None
            read += several
        return self._joined(read) if self.streamed else read

    def _joined(self, pieces: list[Document]) -> list[Document]:
        """The one message whose pieces came one after the other; where they are more than text of one role, as they are."""
        if len({piece.get("role") for piece in pieces}) != 1 or not all(_is_text(piece) for piece in pieces):
            return pieces
        text = "".join([part["content"] for piece in pieces for part in piece["parts"]])
        whole = {name: value for piece in pieces for name, value in piece.items()}
        self.reading.finish_reasons = self.reading.finish_reasons[-1:]
        return [{**whole, "parts": [{"type": "text", "content": text}]}]

    def _listed(self, body: Value, envelopes: int) -> list[Any] | None:
        """The list itself, the lists of a batch as one, the list inside an envelope, a single one."""
        if isinstance(body, dict):
            name = self._envelope(body) if envelopes else None
            if name is None:
                return [body]
            self.reading.rest.update(self.reading.without_nulls({key: body[key] for key in body if key != name}))
            return self._listed(body[name], envelopes - 1)
        if not isinstance(body, list):
            return [body] if isinstance(body, str) and not is_address(body) else None
        for item in body:
            if type(item) is list and not is_pair(item):
                return self._flattened(body)
            if type(item) is dict and "role" not in item and envelopes:
                return self._opened(body, envelopes)
        return body

    def _flattened(self, body: list[Any]) -> list[Any]:
        """The lists of a batch as one."""
        if not all(type(item) is list and not is_pair(item) for item in body):
            return body
        if len(body) > 1:
            self.reading.notes.add("flattened")
        return [message for several in body for message in several]

    def _opened(self, items: list[Any], envelopes: int) -> list[Any] | None:
        """The items, with the messages of each that is an envelope in its place."""
        read: list[Any] = []
        pieces = 0
        for place, item in enumerate(items):
            name = self._envelope(item) if type(item) is dict and self.one.role_of(item) is None else None
            if name is None or isinstance(item[name], str):
                read.append(item)
                continue
            self.reading.rest.update(
                self.reading.without_nulls({f"{place}/{key}": item[key] for key in item if key != name})
            )
            inner = self._listed(item[name], envelopes - 1)
            if inner is None:
                return None
            pieces += name in self.shapes.streamed and len(inner) == 1
            read += inner
        self.streamed = self.streamed or pieces == len(items) > 1
        return read

    def _envelope(self, body: Document) -> str | None:
        """The member that holds the messages, if the object is not one itself."""
        for name in self.shapes.envelopes:
            inner = body.get(name)
            if inner is None or any(at(body, path) is not None for path in self.shapes.message.role):
                continue
            if isinstance(inner, list):
                return name if not self.one.is_part(body) else None
            if isinstance(inner, str | dict) and not self.one.is_part(body) and self.one.wrapper(body) is None:
                return name
        return None

    # ------------------------------------------------------------------ instructions

    def instructions(self, body: Value) -> list[Any] | None:
        """The parts of what the model was told to be: a text, parts, or messages whose role is not asked for."""
        if isinstance(body, dict):
            if isinstance(body.get("parts"), list):
                self.reading.rest = {key: value for key, value in body.items() if key != "parts"}
                body = body["parts"]
            else:
                body = [body]
        elif isinstance(body, str):
            body = [body]
        if not isinstance(body, list):
            return None
        parts: list[Document] = []
        for item in body:
            if isinstance(item, dict) and "role" in item and self.one.role_of(item) is not None:
                messages = self.one.read(item)
                if messages is None:
                    return None
                for message in messages:
                    beside = {key: value for key, value in message.items() if key not in ("parts", "role")}
                    if message["role"] not in _TELLING:
                        beside["source_role"] = message["role"]
                    said = [dict(part) for part in message["parts"]] or [{"type": "text", "content": ""}]
                    joined(said[0], beside)
                    parts += said
            elif isinstance(item, str | dict):
                parts += self.one.parts.read(item)
            else:
                return None
        return parts


def _messages(body: Value, shapes: Shapes, reading: Reading, role: str, parse_text: bool) -> list[Any] | None:  # noqa: FBT001  # as read() has it
    return _BodyReader(shapes, reading, role, parse_text).messages(body)


def _instructions(body: Value, shapes: Shapes, reading: Reading, role: str, parse_text: bool) -> list[Any] | None:  # noqa: FBT001  # as read() has it
    return _BodyReader(shapes, reading, role, parse_text).instructions(body)


_READERS: Final[Mapping[str, Callable[[Value, Shapes, Reading, str, bool], list[Any] | None]]] = {
    "input_messages": _messages,
    "output_messages": _messages,
    "system_instructions": _instructions,
    "tool_definitions": lambda body, shapes, reading, _role, _parse: read_definitions(body, shapes, reading),
    "retrieval_documents": lambda body, shapes, reading, _role, _parse: read_documents(body, shapes, reading),
}


def _is_text(message: Document) -> bool:
    """Whether a message says text and nothing else."""
    return all(part.keys() == {"type", "content"} and part["type"] == "text" for part in message["parts"])
