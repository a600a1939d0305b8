"""Looks into the messages of a model call: JSON text on spans, structured values on logs; readers take both.

Law: what is not shaped like messages holds no message; nothing raises on content.
"""

from typing import Any

import orjson

from evidence.canonical import JsonObject


def requested_calls(value: JsonObject) -> list[tuple[str, str]]:
    """Id and name of each tool call that output messages ask for; "" for what is not said."""
    text = value.get("stringValue")
    if isinstance(text, str) and "tool_call" not in text:
        return []
    parts = (part for message in messages(value) for part in _list(message.get("parts")))
    calls = [part for part in parts if isinstance(part, dict) and part.get("type") == "tool_call"]
    return [(_text(call.get("id")), _text(call.get("name"))) for call in calls]


def has_role(value: JsonObject, role: str) -> bool:
    """Whether a message of this role is among the messages."""
    text = value.get("stringValue")
    if isinstance(text, str) and f'"{role}"' not in text:
        return False
    return any(message.get("role") == role for message in messages(value))


def lacks_content(value: JsonObject) -> bool:
    """Whether messages, or the parts of one, are there without all that they said.

    So it is with null, a blank text, an empty list or object, a message without parts, and a part without the member that
    carries its content: what instrumentations leave of messages when content capture is off. What else is no list is content
    itself.
    """
    found = _read(value)
    return _is_empty(found) or (isinstance(found, list) and any(map(_is_hollow, found)))


def messages(value: JsonObject) -> list[JsonObject]:
    """The messages in an attribute's OTLP/JSON value; empty when it holds none."""
    return [message for message in _list(_read(value)) if isinstance(message, dict)]


_CARRIERS = {
    "text": "content",
    "reasoning": "content",
    "blob": "content",
    "uri": "uri",
    "file": "file_id",
    "tool_call": "arguments",
    "tool_call_response": "response",
}
"""By type of part, the member that carries its content (GenAI conventions, message schemas).

A tool call may leave its arguments out by the schema; but then nothing tells one without any from one whose arguments were not kept.
"""
_ABOUT = frozenset({"role", "name", "finish_reason", "index"})
"""Members of a message that are no content."""


def _is_hollow(message: object) -> bool:
    if not isinstance(message, dict):
        return _is_empty(message)
    if "parts" in message:
        parts = message["parts"]
        return _is_empty(parts) or any(map(_lacks_carrier, _list(parts)))
    if "role" in message:
        return all(_is_empty(content) for name, content in message.items() if name not in _ABOUT)
    return _lacks_carrier(message)


def _lacks_carrier(part: object) -> bool:
    """Of a type that is not known, any other member carries it. An empty text is one: tools and models answer with it."""
    if not isinstance(part, dict):
        return _is_empty(part)
    kind = part.get("type")
    if isinstance(kind, str) and kind in _CARRIERS:
        return part.get(_CARRIERS[kind]) is None
    return all(_is_empty(content) for name, content in part.items() if name != "type")


def _is_empty(value: object) -> bool:
    """Whether a plain value says nothing: null, a blank text, an empty list or object. False and 0 are values."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, list | dict) and not value)


def _read(value: JsonObject) -> object:
    """What an attribute holds as plain lists, objects and text; text that is no JSON as it is."""
    text = value.get("stringValue")
    try:
        return orjson.loads(text) if isinstance(text, str) else _plain(value)
    except orjson.JSONDecodeError:
        return text


_DEEP = 4  # messages, a message, its parts, a part: what is inside a part is content, and is not looked at


def _plain(value: object, deep: int = _DEEP) -> object:
    """An OTLP/JSON AnyValue as plain lists and objects; numbers stay as they are written, and so does what lies too deep."""
    if not isinstance(value, dict):
        return value
    inner = value.get("arrayValue", value.get("kvlistValue"))
    if inner is None:
        return next(iter(value.values()), None)
    if not deep:
        return value
    items = _list(inner.get("values"))
    if "arrayValue" in value:
        return [_plain(item, deep - 1) for item in items]
    return {pair.get("key", ""): _plain(pair.get("value"), deep - 1) for pair in items}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
