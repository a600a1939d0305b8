"""Paths into documents: what stands somewhere inside an object, and the object without it.

Laws: total; a function that changes an object changes its top level only, what is deeper is copied first.
"""

from __future__ import annotations

from typing import Any, Final

Document = dict[str, Any]
Steps = tuple[str, ...]

_STEPS_MAX: Final = 8
"""Names of a dotted member that become objects inside each other."""


def at(item: Any, path: Steps) -> Any:  # noqa: ANN401  # a parsed document
    """The value at a path, None when there is none: a member that says nothing is as good as none."""
    for step in path:
        if type(item) is not dict:
            return None
        item = item.get(step)
    return item


def drop(item: Document, path: Steps) -> None:
    """Take the value at a path out; objects that are empty then go with it."""
    if len(path) == 1:
        item.pop(path[0], None)
        return
    inner = item.get(path[0])
    if type(inner) is dict:
        inner = inner.copy()
        drop(inner, path[1:])
        if inner:
            item[path[0]] = inner
            return
    item.pop(path[0], None)


def taken(item: Document, paths: tuple[Steps, ...], kind: type = object) -> Any:  # noqa: ANN401  # a parsed document
    """The first value of a kind there is at one of the paths, taken out of the object; None when there is none."""
    for path in paths:
        value = item.get(path[0])
        if value is not None:
            if len(path) > 1:
                value = at(value, path[1:])
            if value is not None and isinstance(value, kind):
                drop(item, path)
                return value
    return None


def joined(item: Document, beside: Document) -> Document:
    """The object with the members of another; where both have a name, the other's is `source_<name>`."""
    for key, value in beside.items():
        name = key
        while name in item:
            name = f"source_{name}"
        item[name] = value
    return item


def unflattened(item: Document) -> Document:
    """An object whose members all begin with the same `name.` without it, and what is dotted still as objects; else itself."""
    for first in item:
        if "." not in first:
            return item
        break
    prefix = next(iter(item), "").partition(".")[0] + "."
    if not all(name.startswith(prefix) for name in item):
        return item
    nested: Document = {}
    for name, value in item.items():
        steps = name.split(".")[1:]
        if len(steps) > _STEPS_MAX:
            return item
        inner = nested
        for step in steps[:-1]:
            inner = inner.setdefault(step, {})
            if type(inner) is not dict:
                return item
        if steps[-1] in inner:
            return item
        inner[steps[-1]] = value
    return nested
