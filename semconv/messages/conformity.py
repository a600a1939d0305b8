"""Whether a structure has the target's shape already, in the target's own words.

Laws: total; what does not conform may still be all that its source said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from semconv.messages.shapes import Shapes


def conforms(shape: str, body: Any, shapes: Shapes) -> bool:  # noqa: ANN401  # a parsed document
    """Whether a parsed body is what the target wants under `shape`; shapes without structure always are."""
    check = _CHECKS.get(shape)
    return check is None or (type(body) is list and check(body, shapes))


def are_messages(body: list[Any], shapes: Shapes) -> bool:
    """The hot loop over what is already right, so written flat."""
    required, foreign, reasons = shapes.required, shapes.foreign_roles, shapes.foreign_reasons
    for item in body:
        if type(item) is not dict:
            return False
        role, parts, reason = item.get("role"), item.get("parts"), item.get("finish_reason")
        if type(role) is not str or role in foreign:
            return False
        if type(parts) is not list or (reason is not None and (type(reason) is not str or reason in reasons)):
            return False
        for part in parts:
            if type(part) is not dict:
                return False
            kind = part.get("type")
            if type(kind) is not str:
                return False
            fields = required.get(kind)
            if fields is None:
                if kind.startswith(shapes.foreign_prefixes):
                    return False
                continue
            for name in fields:
                if name not in part or (name == "content" and type(part["content"]) is not str):
                    return False
    return True


def is_part(part: Any, shapes: Shapes) -> bool:  # noqa: ANN401  # a parsed document
    """Whether a part is one of the target's: a known type has what it must have, any other type is its own affair."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    for name in shapes.required.get(part["type"], ()):
        if name not in part or (name == "content" and type(part["content"]) is not str):
            return False
    return True


def _are_parts(body: list[Any], shapes: Shapes) -> bool:
    return all(is_part(part, shapes) for part in body)


def _are_definitions(body: list[Any], _shapes: Shapes) -> bool:
    return all(isinstance(item, dict) and type(item.get("type")) is type(item.get("name")) is str for item in body)


def _are_documents(body: list[Any], _shapes: Shapes) -> bool:
    return all(isinstance(item, dict) and isinstance(item.get("score"), int | float | None) for item in body)


_CHECKS: Final[Mapping[str, Callable[[list[Any], Shapes], bool]]] = {
    "input_messages": are_messages,
    "output_messages": are_messages,
    "system_instructions": _are_parts,
    "tool_definitions": _are_definitions,
    "retrieval_documents": _are_documents,
}
