"""Definitions of tools, of any known shape, in the target's: a type, a name, and for functions a description and a schema.

Laws: total; a definition of no known shape makes the whole `None`; whatever a shape has no field for rides along.
"""

from __future__ import annotations

import re
from typing import Any, Final

from semconv.messages.reading import Reading
from semconv.messages.shapes import Shapes
from semconv.paths import Document, joined, taken
from semconv.python_repr import parse_repr
from semconv.value import Value, document

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,127}")
_NESTING_MAX: Final = 3
"""Lists of definitions inside each other."""


def read_definitions(body: Value, shapes: Shapes, reading: Reading) -> list[Document] | None:
    """The definitions of a list, of an object that holds one, or of an object whose members they are."""
    return _definitions(body, shapes, reading, _NESTING_MAX)


def _definitions(body: Any, shapes: Shapes, reading: Reading, nesting: int) -> list[Document] | None:  # noqa: ANN401  # a parsed document
    if isinstance(body, dict):
        inside = _list_in(body, shapes)
        if inside and nesting:
            reading.rest.update(reading.without_nulls({key: value for key, value in body.items() if key != inside}))
            return _definitions(body[inside], shapes, reading, nesting - 1)
        body = _by_name(body) or [body]
    if not isinstance(body, list):
        return None
    read: list[Document] = []
    for item in body:
        tool = _opened(item, reading) if isinstance(item, str) else item
        if not isinstance(tool, dict):
            return None
        inside = _list_in(tool, shapes)
        if inside and nesting:
            nested = _definitions(tool[inside], shapes, reading, nesting - 1)
            others = reading.without_nulls({key: value for key, value in tool.items() if key != inside})
            if nested is None:
                return None
            read += nested + [
                definition for definition in [_definition(others, shapes, reading)] if definition and others
            ]
            continue
        definition = _definition(tool, shapes, reading)
        if definition is None:
            return None
        read.append(definition)
    return read


def _list_in(tool: Document, shapes: Shapes) -> str | None:
    """The member that holds the definitions, if the object is not one itself."""
    if "name" in tool or "type" in tool:
        return None
    return next((path[0] for path in shapes.definitions["lists"] if isinstance(tool.get(path[0]), list)), None)


def _by_name(body: Document) -> list[Document] | None:
    """An object whose members are the definitions, each under its name."""
    if (
        len(body) == 0
        or "name" in body
        or "type" in body
        or not all(isinstance(member, dict) for member in body.values())
    ):
        return None
    if not all(
        "description" in member or "parameters" in member or "inputSchema" in member for member in body.values()
    ):
        return None
    return [{"name": name, **member} for name, member in body.items()]


def _opened(item: str, reading: Reading) -> Value:
    """A definition that is the JSON or the Python of one, or the name alone."""
    found: Value = document(item)
    if found is None and item[-1:] == ")":
        found = parse_repr(item)
        if isinstance(found, dict) and "type" in found:
            found["source_type"] = found.pop("type")
    if found is not None:
        return reading.opened(found)
    return {"name": item} if _NAME.fullmatch(item) else None


def _definition(tool: Document, shapes: Shapes, reading: Reading) -> Document | None:
    paths = shapes.definitions
    tool = dict(tool)
    for path in paths["schema"]:  # a schema that is the whole tool, or only its parameters
        schema = reading.parsed(tool.get(path[0]))
        if isinstance(schema, dict):
            del tool[path[0]]
            bare = "properties" in schema or schema.get("type") == "object"
            tool = joined(tool, {"parameters": schema}) if bare else {**schema, **tool}
    wrapped = False
    for name in (tool.get("type"), *[path[0] for path in paths["wrappers"]]):
        inner = tool.get(name) if isinstance(name, str) else None
        if isinstance(inner, dict):
            beside = {key: value for key, value in tool.items() if key != name}
            tool, wrapped = joined(beside, inner), True
    for path in paths["wrappers"]:
        if tool.get(path[0]) is not None:  # something else of that name
            tool = joined(tool, {f"source_{path[0]}": tool.pop(path[0])})
    if not wrapped and len(tool) == 1 and isinstance(inner := next(iter(tool.values())), dict):
        return joined(
            {"type": next(iter(tool)), "name": next(iter(tool))}, inner
        )  # a tool of the provider's, by its name
    kind = tool.pop("type", None)
    if isinstance(kind, str) and "." in kind:  # the name of a class
        tool["source_type"], kind = kind, None
    found: Document = {"type": kind if isinstance(kind, str) else "function"}
    for name in ("name", "description", "parameters"):
        value = taken(tool, paths[name], str if name == "name" else object)
        if value is not None:
            found[name] = reading.parsed(value) if name == "parameters" else value
    if not isinstance(found.get("name"), str):
        if not isinstance(kind, str) or kind == "function":
            return None
        found["name"] = kind  # a tool of the provider's is named by its type
    return joined(found, reading.without_nulls(tool))
