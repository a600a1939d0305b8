"""One message of any known shape, in the target's: its role, its parts, its name and why it ended.

Laws: total; whatever a message has no field for rides along; what stands in it twice is told once.
"""

from __future__ import annotations

from typing import Any, Final

from semconv.messages.conformity import are_messages, is_part
from semconv.messages.parts import PartReader
from semconv.messages.reading import Reading
from semconv.messages.shapes import GENERIC, Shapes
from semconv.messages.specs import MessageSpec
from semconv.messages.spoken import Spoken
from semconv.paths import Document, Steps, at, drop, joined, taken, unflattened
from semconv.python_repr import parse_repr
from semconv.value import Value, document, leaves

_PLAIN: Final = frozenset({"role", "content", "finish_reason"})
_CONTENT: Final = frozenset({str, dict, type(None)})
"""What messages hold: texts, and objects that may be parts. What a tool gives may be anything."""
_WRAPPERS_MAX: Final = 4
"""Objects around one message that are opened."""
_OWN_ID: Final = (("id",),)
"""Where the conventions of 1.28 to 1.36 had the id of the call that a tool's message answers."""
_SPEAKERS: Final = {
    "tool_call": "assistant",
    "reasoning": "assistant",
    "server_tool_call": "assistant",
    "server_tool_call_response": "assistant",
    "tool_call_response": "tool",
}
"""Who says a part that stands where a message should."""


class MessageReader:
    """Reads the messages of one body."""

    __slots__ = ("parse_text", "parts", "reading", "role", "shapes")

    def __init__(self, shapes: Shapes, reading: Reading, role: str, *, parse_text: bool) -> None:
        """`role` is whose words a message without a role is."""
        self.shapes = shapes
        self.reading = reading
        self.role = role
        self.parse_text = parse_text
        self.parts = PartReader(shapes, reading, parse_text=parse_text)

    def is_part(self, item: Document) -> bool:
        """Whether an object says of itself that it is a part of a known kind."""
        return isinstance(item.get("type"), str) and bool(self.shapes.part(item)[2])

    def read(self, item: Value, wrappers: int = _WRAPPERS_MAX) -> list[Document] | None:
        """What one message becomes; several where the words of several speakers are in it."""
        shapes = self.shapes
        if isinstance(item, str):
            return self._text(item)
        if isinstance(item, list) and is_pair(item) and item[0] in shapes.roles:
            return [{"role": shapes.roles[str(item[0])], "parts": [{"type": "text", "content": item[1]}]}]
        if not isinstance(item, dict):
            return None
        if not item.keys() - _PLAIN:  # the commonest message by far: a role and a text
            role, content, reason = item.get("role"), item.get("content"), item.get("finish_reason")
            if type(role) is str and type(content) is str and (reason is None or type(reason) is str):
                role = shapes.roles.get(role) or shapes.role(role)
                if role != "tool" and not (self.parse_text and content[:2] == "[{"):
                    return [self._plain(role, content, reason)]
        if are_messages([item], shapes):
            return [self._finished(item)]
        inner = self._unwrapped(item) if wrappers else item
        if inner is not item:
            return self.read(inner, wrappers - 1)
        spec = shapes.message_of(item)
        said = self._role(item, spec)
        return self._lone_part(item) if said is None else self._assembled(item, spec, *said)

    def _text(self, item: str) -> list[Document] | None:
        """A text is a message of the default role, unless it is the JSON or the Python of one that says its own."""
        opened: Value = document(item) if item[:1] == "{" else None
        told = isinstance(opened, dict) and any(isinstance(at(opened, path), str) for path in self.shapes.message.role)
        if item[-1:] == ")" and item[:1].isupper():
            opened = parse_repr(item)
            told = isinstance(opened, dict) and self.role_of(opened) is not None
        if isinstance(opened, dict) and told:
            self.reading.opened(opened)
            return self.read(opened)
        self.reading.notes.add("type_coerced")
        return [{"role": self.role, "parts": [{"type": "text", "content": item}]}]

    def _plain(self, role: str, content: str, reason: Value) -> Document:
        message: Document = {"role": role, "parts": [{"type": "text", "content": content}]}
        if reason is None:
            return message
        message["finish_reason"] = reason
        return self._finished(message)

    def _unwrapped(self, item: Document) -> Document:
        """A message out of the object around it; what stands beside it joins it."""
        item = unflattened(item)
        inside = self.wrapper(item)
        if inside is None:
            return item
        beside = item.copy()
        del beside[inside]
        return joined(item[inside].copy(), beside)

    def wrapper(self, item: Document) -> str | None:
        """The member that holds the message itself."""
        for has, inside, of_role in self.shapes.wrappers:
            if type(item.get(inside)) is not dict or (
                of_role and str(item.get(of_role)) not in self.shapes.message.kinds
            ):
                continue
            if all(at(item, path) is not None for path in has):
                return inside
        return None

    def role_of(self, item: Document) -> tuple[str, Steps | None] | None:
        """Whose words a message is and where it says so; None when it is no message."""
        return self._role(item, self.shapes.message_of(item))

    def _role(self, item: Document, spec: MessageSpec) -> tuple[str, Steps | None] | None:
        for path in spec.role:
            said = at(item, path)
            if isinstance(said, str):
                return self.shapes.role(said), path
        for paths, names in ((spec.kind, spec.kinds), (spec.speaker, self.shapes.roles)):
            for path in paths:
                said = at(item, path)
                if isinstance(said, str) and said in names:
                    return names[said], path
                if isinstance(said, list):  # the path of a class
                    for word in said[-1:]:
                        if isinstance(word, str) and word in names:
                            return names[word], None
        if self.is_part(item):
            return None
        if any(at(item, path) is not None for path in spec.parts):
            return self.role, None
        if any(kind == "tool_call" and at(item, path) for path, kind in spec.after):
            return "assistant", None
        if any(isinstance(at(item, path), str) for path in spec.finish_reason):
            return (self.role, None) if any(at(item, path) is not None for path in spec.further_parts) else None
        return None

    def _lone_part(self, item: Document) -> list[Document] | None:
        """A part that stands where a message should: who says it follows from what it is."""
        if not self.shapes.part(item)[2]:
            return None
        parts = self.parts.read(item)
        if any(part["type"] not in self.shapes.targets for part in parts):
            return None
        return [{"role": _SPEAKERS.get(parts[0]["type"], self.role), "parts": parts}]

    def _assembled(self, item: Document, spec: MessageSpec, role: str, said: Steps | None) -> list[Document] | None:
        """The message of an object with a role; None when its content is nothing anyone says."""
        left = item.copy()
        if said:
            drop(left, said)
        spoken = Spoken()
        for path, kind in spec.before:
            self._add(spoken, role, taken(left, (path,)), kind)
        if not self._add_parts(spoken, role, left, spec):
            return None
        if spec.after:
            self._add_after(spoken, role, left, spec)
        self.reading.derivable += spoken.without_silence()
        answers = taken(left, spec.answers, str) if spec.answers else None
        if role == "tool" and not answers and not any("id" in part for part in spoken):
            answers = taken(left, _OWN_ID, str)
        if role == "tool" or answers:
            parts, unused = _answer(list(spoken), answers)
            spoken.parts = [("tool", part) for part in parts]
            if unused:
                left["tool_call_id"] = unused
        messages = spoken.messages(role)
        for key, paths in (("name", spec.name), ("finish_reason", spec.finish_reason)):
            value = taken(left, paths, str) if paths else None
            if value is not None:
                messages[0][key] = value
            elif left.get(key) is not None:  # it holds what the target's may not
                left[f"source_{key}"] = left.pop(key)
        if left:
            joined(messages[0], self.reading.without_nulls(left))
        messages[0] = self._finished(messages[0])
        return messages

    # ------------------------------------------------------------------ the parts of one message

    def _add_parts(self, spoken: Spoken, role: str, left: Document, spec: MessageSpec) -> bool:
        """The parts of a message wherever it has some; a text that says all of them once more is told once.

        Returns:
            False when they are nothing anyone says.
        """
        said: list[str] = []
        for path in spec.parts + spec.further_parts:
            content = taken(left, (path,))
            if content is None:
                continue
            raws = content if type(content) is list else [content]
            if not _CONTENT.issuperset(map(type, raws)):
                if role != "tool":
                    return False
                spoken.parts.append((role, {"type": "tool_call_response", "response": content}))
                continue
            found: list[tuple[str, Document]] = []
            for raw in raws:
                speaker = self._speaker(raw, role) if type(raw) is dict else role
                found += [(speaker, part) for part in self.parts.several(raw)]
            texts = [
                part["content"] for _, part in found if part["type"] == "text" and type(part.get("content")) is str
            ]
            if said and len(found) == len(texts) == 1 and texts[0] == "".join(said):
                self.reading.derivable += leaves(content)  # the same text once more
                continue
            said += texts
            spoken.parts += found
        return True

    def _speaker(self, part: Document, role: str) -> str:
        """Whose words a part is, if it says so itself."""
        for path in self.shapes.message.part_role:
            said = at(part, path)
            if type(said) is str and said in self.shapes.roles:
                return self.shapes.roles[said]
        return role

    def _add_after(self, spoken: Spoken, role: str, left: Document, spec: MessageSpec) -> None:
        """What a message has beside its parts, calls before all."""
        told = any(part["type"] == "text" and part.get("content") for part in spoken)
        called = any(part["type"] == "tool_call" for part in spoken)
        for path, kind in spec.after:
            new = self._add(spoken, role, taken(left, (path,)), kind)
            if new and kind == "tool_call" and told and not called:
                self.reading.notes.add("order_unknown")

    def _add(self, spoken: Spoken, role: str, value: Value, kind: str) -> bool:
        """Parts that stand under a name of their own; True when there was something new in them."""
        if value is None:
            return False
        if isinstance(value, str) and value[:1] in "[{" and kind != "reasoning":
            value = self.reading.parsed(value)
        spoken.note()
        new = False
        for one in value if isinstance(value, list) else [value]:
            before = self.reading.parsed_leaves
            told = self.reading.parsed(one) if kind == "tool_call" else one
            for read in self.parts.read(self._as_part(told, kind)):
                part = read
                if isinstance(part.get("arguments"), str):
                    part = {**part, "arguments": self.reading.parsed(part["arguments"])}
                if part["type"] == kind and not self._is_whole(part):
                    part = {**part, "type": GENERIC}  # where it stands says what it is, but it says nothing
                more = spoken.says(role, part)
                if more is None:
                    new = True
                else:
                    self.reading.derivable += leaves(one) + self.reading.parsed_leaves - before - len(more)
        return new

    def _is_whole(self, part: Document) -> bool:
        """Whether a part has what one of its kind must have."""
        return is_part(part, self.shapes) and type(part.get("name", "")) is str

    def _as_part(self, one: Value, kind: str) -> Value:
        """A part that says what it is, or is told by where it stands."""
        if not isinstance(one, dict):
            return {"type": kind, kind: one}
        one = unflattened(one)
        if kind != "tool_call" and self.shapes.part(one)[1]:
            return one
        return {**one, "type": kind}

    def _finished(self, message: Document) -> Document:
        """The message with the target's word for why it ended; the source's own word is kept aside."""
        reason = message.get("finish_reason")
        if isinstance(reason, str) and reason:
            self.reading.finish_reasons.append(reason)
            member = self.shapes.finish_reasons.get(reason, reason)
            if member != reason:
                return {**message, "finish_reason": member}
        return message


def is_pair(item: list[Any]) -> bool:
    """Whether a list is a role and a text."""
    return len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], str)


def _answer(parts: list[Document], call: str | None) -> tuple[list[Document], str | None]:
    """The parts of a message that answers a tool call, and the id of the call where no part takes it."""
    for place, part in enumerate(parts):
        if part["type"] == "tool_call_response":
            if call is None or part.get("id") is not None:
                return parts, None if call == part.get("id") else call
            return [*parts[:place], {**part, "id": call}, *parts[place + 1 :]], None
    plain = len(parts) == 1 and set(parts[0]) == {"type", "content"} and parts[0]["type"] == "text"
    response: Any = parts[0]["content"] if plain else parts or None
    answer: Document = {"type": "tool_call_response", "response": response}
    return [{**answer, "id": call} if call else answer], None
