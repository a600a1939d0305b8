"""The message model: messages, instructions, tool definitions and documents of any known shape, in the target's.

The shapes are the table of `semconv.shapes`; this module walks it. Targets of the conventions:
https://github.com/open-telemetry/semantic-conventions-genai (JSON schemas of gen_ai.input.messages and its kin).

Laws: total (a body of no known shape is `None`, never an error); what was read once reads as itself; whatever a shape
has no field for rides along as an extra property. What could not ride is counted in the `Reading`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from semconv.shapes import Document, PartSpec, Shapes, Steps, are_messages, is_part
from semconv.value import Value, document, leaves

_MODALITIES: Final = ("image", "audio", "video")
_PLAIN: Final = frozenset({"role", "content", "finish_reason"})


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


# ------------------------------------------------------------------ reading


def read(shape: str, body: Value, shapes: Shapes, *, role: str = "user", parse_text: bool = False) -> Reading | None:
    """The body in the target's shape, or None when it is of no shape the table knows.

    Args:
        shape: one of the target's shapes with structure.
        body: text, or a parsed document.
        shapes: the table.
        role: whose words a body without a role is.
        parse_text: a content that is the JSON of a list of parts is that list.
    """
    reader = _Reader(shapes, role, parse_text=parse_text)
    value = _READERS[shape](reader, body)
    if value is None:
        return None
    reader.reading.value = value
    return reader.reading


class _Reader:
    """One pass over one body."""

    __slots__ = ("parse_text", "reading", "role", "shapes")

    def __init__(self, shapes: Shapes, role: str, *, parse_text: bool) -> None:
        self.shapes = shapes
        self.role = role
        self.parse_text = parse_text
        self.reading = Reading()

    # messages

    def messages(self, body: Value) -> list[Any] | None:
        items = self.listed(body)
        if items is None:
            return None
        read = []
        for item in items:
            message = self.message(item)
            if message is None:
                return None
            read.append(message)
        return read

    def listed(self, body: Value) -> list[Any] | None:
        """The list of messages in a body: itself, the one list of a batch, the list inside an envelope, a single one."""
        if isinstance(body, dict):
            for name in self.shapes.envelopes:
                if isinstance(body.get(name), list) and "role" not in body:
                    self.reading.rest = {key: value for key, value in body.items() if key != name}
                    return self.listed(body[name])
            return [body]
        if isinstance(body, list):
            if len(body) == 1 and isinstance(body[0], list) and not _is_pair(body[0]):
                return list(body[0])
            return body
        return [body] if isinstance(body, str) else None

    def message(self, item: Value) -> Document | None:
        if isinstance(item, str):
            self.reading.notes.add("type_coerced")
            return {"role": self.role, "parts": [{"type": "text", "content": item}]}
        if isinstance(item, list) and _is_pair(item) and item[0] in self.shapes.roles:
            return {"role": self.shapes.roles[str(item[0])], "parts": [{"type": "text", "content": item[1]}]}
        if not isinstance(item, dict):
            return None
        if not item.keys() - _PLAIN:  # the commonest message by far: a role and a text
            role, content = item.get("role"), item.get("content")
            if type(role) is str and type(content) is str and not (self.parse_text and content[:2] == "[{"):
                role = self.shapes.roles.get(role, role)
                if role != "tool":
                    return self.plain(role, content, item.get("finish_reason"))
        if are_messages([item], self.shapes):
            return self.finished(item)
        item = self.unwrapped(item)
        role = self.role_of(item)
        if role is None:
            return self.lone_part(item)
        return self.assembled(item, role)

    def plain(self, role: str, content: str, reason: Value) -> Document:
        message: Document = {"role": role, "parts": [{"type": "text", "content": content}]}
        if reason is None:
            return message
        message["finish_reason"] = reason
        return self.finished(message)

    def unwrapped(self, item: Document) -> Document:
        """A message out of the objects around it; what stands beside it joins it."""
        for _ in range(3):
            for has, inside, of_role in self.shapes.wrappers:
                inner = item.get(inside)
                if not isinstance(inner, dict) or not all(_at(item, path)[1] for path in has):
                    continue
                if of_role and item.get(of_role) not in self.shapes.roles:
                    continue
                beside = {key: value for key, value in item.items() if key != inside}
                item = _joined(dict(inner), beside)
                break
            else:
                return item
        return item

    def role_of(self, item: Document) -> str | None:
        for key in self.shapes.message["role"]:
            if isinstance(item.get(key), str):
                return self.shapes.roles.get(item[key], item[key])
        for key in self.shapes.message["role_by_type"]:
            if isinstance(item.get(key), str) and item[key] in self.shapes.roles:
                return self.shapes.roles[item[key]]
        part = self.shapes.by_type.get(str(item.get("type")))
        if any(item.get(key) is not None for key in self.shapes.message["parts"]) and part is None:
            return self.role
        return "assistant" if any(item.get(key) for key in self.shapes.message["calls"]) else None

    def lone_part(self, item: Document) -> Document | None:
        """A part that stands where a message should: who says it follows from what it is."""
        if not isinstance(item.get("type"), str) and not any(name in self.shapes.by_member for name in item):
            return None
        part = self.part(item)
        kind = part["type"]
        if kind not in self.shapes.required:
            return None
        role = {"tool_call": "assistant", "reasoning": "assistant", "tool_call_response": "tool"}.get(kind, self.role)
        return {"role": role, "parts": [part]}

    def assembled(self, item: Document, role: str) -> Document:
        keys = self.shapes.message
        taken = (
            {*keys["role"]} if any(isinstance(item.get(key), str) for key in keys["role"]) else {*keys["role_by_type"]}
        )
        parts: list[Document] = []
        for key in keys["reasoning"]:
            if isinstance(item.get(key), str) and item[key]:
                parts.append({"type": "reasoning", "content": item[key]})
                taken.add(key)
        self.add_parts(item, parts, taken)
        self.add_calls(item, parts, taken)
        answers = next((key for key in keys["answers"] if isinstance(item.get(key), str)), None)
        if role == "tool" or answers:
            parts = self.answer(parts, item.get(answers) if answers else None)
            taken.add(answers or "")
        elif role == "user" and parts and all(part["type"] == "tool_call_response" for part in parts):
            role = "tool"
        message: Document = {"role": role, "parts": parts}
        for key in keys["name"]:
            if isinstance(item.get(key), str):
                message["name"] = item[key]
                taken.add(key)
        for key in keys["finish_reason"]:
            if isinstance(item.get(key), str) and "finish_reason" not in message:
                message["finish_reason"] = item[key]
                taken.add(key)
        beside = {key: value for key, value in item.items() if key not in taken}
        return self.finished(_joined(message, self.without_nulls(beside)))

    def add_parts(self, item: Document, parts: list[Document], taken: set[str]) -> None:
        said: list[str] = []
        for key in self.shapes.message["parts"]:
            content = item.get(key)
            if content is None:
                continue
            found = self.parts_of(content)
            taken.add(key)
            if said and len(found) == 1 and found[0].get("content") == "".join(said):
                self.reading.derivable += leaves(content)  # the same text once more
                continue
            said += [
                part["content"] for part in found if part.get("type") == "text" and isinstance(part.get("content"), str)
            ]
            parts += found

    def add_calls(self, item: Document, parts: list[Document], taken: set[str]) -> None:
        known = [part for part in parts if part.get("type") == "tool_call"]
        for key in self.shapes.message["calls"]:
            calls = item.get(key)
            if calls is None:
                continue
            taken.add(key)
            for call in calls if isinstance(calls, list) else [calls]:
                part = self.part(self.as_call(call))
                if any(_same_call(part, other) for other in known):
                    self.reading.derivable += leaves(call)
                    continue
                if parts and not known:
                    self.reading.notes.add("order_unknown")
                parts.append(part)
        texts_left = [part for part in parts if part != {"type": "text", "content": ""}]
        if texts_left and len(texts_left) < len(parts):  # an empty text beside something that is said
            self.reading.derivable += len(parts) - len(texts_left)
            parts[:] = texts_left

    def as_call(self, call: Value) -> Value:
        """A call as a part: what it calls itself says no more than where it stands."""
        if not isinstance(call, dict):
            return call
        self.reading.derivable += "type" in call
        return {**call, "type": "tool_call"}

    def answer(self, parts: list[Document], call: Value) -> list[Document]:
        """The parts of a message that answers a tool call."""
        if any(part.get("type") == "tool_call_response" for part in parts):
            return [{**parts[0], "id": parts[0].get("id", call)}] if call is not None and len(parts) == 1 else parts
        plain = [part for part in parts if set(part) == {"type", "content"} and part["type"] == "text"]
        response: Any = plain[0]["content"] if len(parts) == len(plain) == 1 else parts or None
        answer: Document = {"type": "tool_call_response", "response": response}
        if isinstance(call, str):
            answer["id"] = call
        return [answer]

    def finished(self, message: Document) -> Document:
        """The message with the target's word for why it ended; the source's own word is kept aside."""
        reason = message.get("finish_reason")
        if isinstance(reason, str) and reason:
            self.reading.finish_reasons.append(reason)
            member = self.shapes.finish_reasons.get(reason, reason)
            if member != reason:
                return {**message, "finish_reason": member}
        return message

    # parts

    def parts_of(self, content: Value) -> list[Document]:
        if isinstance(content, str) and self.parse_text and content[:2] == "[{":
            parsed = document(content)
            if isinstance(parsed, list) and all(self.is_known_part(part) for part in parsed):
                self.reading.parsed_leaves += leaves(parsed) - 1
                content = parsed
        items = content if isinstance(content, list) else [content]
        return [self.part(item) for item in items if item is not None]

    def is_known_part(self, part: Value) -> bool:
        return isinstance(part, dict) and part.get("type") in self.shapes.by_type

    def part(self, item: Value) -> Document:
        if isinstance(item, str):
            return {"type": "text", "content": item}
        if not isinstance(item, dict):
            self.reading.notes.add("part_unrepresentable")
            return {"type": "generic", "value": item}
        for _ in range(3):  # what a member gives away first may have a type that says more
            kind = item.get("type")
            spec = self.shapes.by_type.get(kind) if isinstance(kind, str) else None
            if spec is None and not isinstance(kind, str):
                spec = next((self.shapes.by_member[name] for name in item if name in self.shapes.by_member), None)
            if spec is None or (kind == spec.part and is_part(item, self.shapes) and not _says_more(item, spec)):
                break
            read = self.by_spec(item, spec)
            if read is None:
                break
            item = read
        return item if isinstance(item.get("type"), str) else _joined({"type": "generic"}, item)

    def by_spec(self, item: Document, spec: PartSpec) -> Document | None:
        """The part as its spec reads it, None when it lacks what such a part must have."""
        rest = dict(item)
        rest.pop("type", None)
        fields: dict[str, Any] = {}
        for name, paths in spec.fields:
            for path in paths:
                value, there = _at(item, path)
                if there and value is not None and name not in fields:
                    fields[name] = value
                    _drop(rest, path)
        part = self.media(spec, fields) if spec.part == "media" else {"type": spec.part, **fields}
        if part is None or not is_part(part, self.shapes):
            return None
        if "arguments" in part:
            part["arguments"] = self.parsed(part["arguments"])
        return _joined(part, self.without_nulls(rest))

    def media(self, spec: PartSpec, fields: Document) -> Document | None:
        """A blob, a file or a link, by what the source has of it."""
        url, data, mime = fields.get("url"), fields.get("data"), fields.get("mime")
        if isinstance(url, str) and url.startswith("data:") and ";base64," in url:
            head, _, data = url.partition(";base64,")
            mime = mime or head[len("data:") :] or None
            url = None
        kind = spec.modality or next((name for name in _MODALITIES if str(mime).startswith(name)), "document")
        named = {"mime_type": mime} if isinstance(mime, str) else {}
        if isinstance(url, str):
            return {"type": "uri", **named, "modality": kind, "uri": url}
        if isinstance(data, str):
            return {"type": "blob", **named, "modality": kind, "content": data}
        if isinstance(fields.get("file"), str):
            return {"type": "file", **named, "modality": kind, "file_id": fields["file"]}
        return None

    def parsed(self, arguments: Value) -> Value:
        """Arguments as the document they are the text of; text that is none stays text."""
        found = document(arguments) if isinstance(arguments, str) else None
        if found is None:
            return arguments
        self.reading.parsed_leaves += leaves(found) - 1
        return found

    def without_nulls(self, members: Document) -> Document:
        said = {key: value for key, value in members.items() if value is not None}
        self.reading.derivable += len(members) - len(said)
        return said

    # the other bodies

    def instructions(self, body: Any) -> list[Any] | None:  # noqa: ANN401  # a parsed document
        if isinstance(body, str):
            return [{"type": "text", "content": body}]
        if isinstance(body, dict):
            if isinstance(body.get("parts"), list):
                self.reading.rest = {key: value for key, value in body.items() if key != "parts"}
                body = body["parts"]
            else:
                body = [body]
        if not isinstance(body, list):
            return None
        parts: list[Document] = []
        for item in body:
            if isinstance(item, dict) and self.role_of(item) is not None and "role" in item:
                message = self.message(item)
                parts += message["parts"] if message else []
                if message and set(message) - {"role", "parts"}:
                    return None
            elif isinstance(item, str | dict):
                parts.append(self.part(item))
            else:
                return None
        return parts

    def tool_definitions(self, body: Any) -> list[Any] | None:  # noqa: ANN401  # a parsed document
        if isinstance(body, dict):
            body = [body]
        if not isinstance(body, list):
            return None
        read: list[Document] = []
        for item in body:
            tool: Any = self.parsed(item) if isinstance(item, str) else item
            if not isinstance(tool, dict):
                return None
            inside = next(
                (path[0] for path in self.shapes.definitions["lists"] if isinstance(tool.get(path[0]), list)), None
            )
            if inside and "name" not in tool:
                nested = self.tool_definitions(tool[inside])
                if nested is None or len(tool) > 1:
                    return None
                read += nested
                continue
            definition = self.definition(tool)
            if definition is None:
                return None
            read.append(definition)
        return read

    def definition(self, tool: Document) -> Document | None:
        paths = self.shapes.definitions
        tool = dict(tool)
        for path in paths["schema"]:  # a schema that is the whole tool, or only its parameters
            schema = self.parsed(tool.get(path[0]))
            if isinstance(schema, dict):
                del tool[path[0]]
                bare = "properties" in schema or schema.get("type") == "object"
                tool = _joined(tool, {"parameters": schema}) if bare else {**schema, **tool}
        for path in paths["wrappers"]:
            inner = tool.get(path[0])
            if isinstance(inner, dict):
                del tool[path[0]]
                tool = _joined(tool, inner)
        kind = tool.pop("type", None)
        found: Document = {"type": kind if isinstance(kind, str) else "function"}
        for name in ("name", "description", "parameters"):
            for path in paths[name]:
                value, there = _at(tool, path)
                if there and value is not None and name not in found:
                    found[name] = self.parsed(value) if name == "parameters" else value
                    _drop(tool, path)
        if not isinstance(found.get("name"), str):
            if not isinstance(kind, str) or kind == "function":
                return None
            found["name"] = kind  # a tool of the provider's is named by its type
        return _joined(found, self.without_nulls(tool))

    def documents(self, body: Any) -> list[Any] | None:  # noqa: ANN401  # a parsed document
        if isinstance(body, dict) and set(body) == {"documents"}:
            body = body["documents"]
        if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
            return None
        return [self.document(item) for item in body]

    def document(self, item: Document) -> Document:
        rest = dict(item)
        found: Document = {}
        for name, paths in self.shapes.documents.items():
            for path in paths:
                value, there = _at(item, path)
                if there and value is not None and name not in found:
                    found[name] = self.parsed(value) if name == "metadata" else value
                    _drop(rest, path)
        return _joined(found, rest)


_READERS: Final[Mapping[str, Callable[[_Reader, Value], list[Any] | None]]] = {
    "input_messages": _Reader.messages,
    "output_messages": _Reader.messages,
    "system_instructions": _Reader.instructions,
    "tool_definitions": _Reader.tool_definitions,
    "retrieval_documents": _Reader.documents,
}


# ------------------------------------------------------------------ helpers over documents


def _at(item: Value, path: Steps) -> tuple[Any, bool]:
    for step in path:
        if not isinstance(item, dict) or step not in item:
            return None, False
        item = item[step]
    return item, True


def _drop(item: Document, path: Steps) -> None:
    """Take the value at a path out of an object whose top level is ours to change; empty objects on the way go too."""
    if len(path) == 1:
        item.pop(path[0], None)
        return
    inner = item.get(path[0])
    if isinstance(inner, dict):
        inner = dict(inner)
        _drop(inner, path[1:])
        if inner:
            item[path[0]] = inner
        else:
            del item[path[0]]


def _joined(item: Document, beside: Document) -> Document:
    """The object with the members of another; where both have a name, the other's is `source_<name>`."""
    for key, value in beside.items():
        name = key
        while name in item:
            name = f"source_{name}"
        item[name] = value
    return item


def _says_more(item: Document, spec: PartSpec) -> bool:
    """Whether a part of the target's type has, under another name, something the target has a name for."""
    if spec.other_names.isdisjoint(item):
        return False
    return any(name not in item and any(_at(item, path)[1] for path in paths) for name, paths in spec.fields)


def _is_pair(item: list[Any]) -> bool:
    return len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], str)


def _same_call(left: Document, right: Document) -> bool:
    if left.get("id") and right.get("id"):
        return bool(left["id"] == right["id"])
    return left.get("name") == right.get("name") and left.get("arguments") == right.get("arguments")
