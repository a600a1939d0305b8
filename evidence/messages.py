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


def messages(value: JsonObject) -> list[JsonObject]:
    """The messages in an attribute's OTLP/JSON value; empty when it holds none."""
    text = value.get("stringValue")
    try:
        found = orjson.loads(text) if isinstance(text, str) else _plain(value)
    except orjson.JSONDecodeError:
        return []
    return [message for message in _list(found) if isinstance(message, dict)]


def _plain(value: object) -> object:
    """An OTLP/JSON AnyValue as plain lists, objects and text, as far as messages need."""
    if not isinstance(value, dict):
        return value
    if "arrayValue" in value:
        return [_plain(item) for item in _list(value["arrayValue"].get("values"))]
    if "kvlistValue" in value:
        return {pair.get("key", ""): _plain(pair.get("value")) for pair in _list(value["kvlistValue"].get("values"))}
    return value.get("stringValue")


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
