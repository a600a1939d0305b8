"""Every small change of a JSON document or of a file, generated: changed, retyped, removed, added, doubled, put in another order.

A mutation is a name of what was done where, and the bytes that come of it. None equals what it was made from.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from evidence.canonical import canonical

__all__ = ["Mutation", "cuts_and_additions", "of_json", "of_value"]

Path = tuple[str | int, ...]
_BITS = (1, 128)


@dataclass(frozen=True)
class Mutation:
    """One change."""

    kind: str
    path: Path
    data: bytes

    def __str__(self) -> str:
        return f"{self.kind} {'.'.join(map(str, self.path)) or 'the whole'}"


def of_json(data: bytes) -> Iterator[Mutation]:
    """Changes of a canonical JSON text; those of its values are canonical again, those of its spelling are not."""
    value = json.loads(data)
    for kind, path, changed in of_value(value):
        if (text := canonical(changed)) != data:
            yield Mutation(kind, path, text)
    for path, container in _containers(value):
        if isinstance(container, dict) and container:
            yield Mutation("doubled member of", path, _spelled(value, path, _doubled))
        if isinstance(container, dict) and len(container) > 1:
            yield Mutation("reversed members of", path, _spelled(value, path, _reversed))
        if container:
            yield Mutation("space in", path, _spelled(value, path, _spaced))


def of_value(value: Any) -> Iterator[tuple[str, Path, Any]]:
    """Changes of a JSON value, each once, everywhere in it."""
    for path, leaf in _leaves(value):
        for kind, changed in _changes(leaf):
            yield kind, path, _with(value, path, lambda at, key, changed=changed: at.__setitem__(key, changed))
    for path, container in _containers(value):
        if path:
            yield "removed", path, _with(value, path, lambda at, key: at.pop(key))
            yield "emptied", path, _with(value, path, lambda at, key: at.__setitem__(key, type(at[key])()))
        if isinstance(container, dict):
            yield "added to", path, _with(value, (*path, "unknown"), lambda at, key: at.__setitem__(key, 1))
        if isinstance(container, list) and container:
            yield "doubled item of", path, _with(value, (*path, 0), lambda at, _: at.insert(0, at[0]))
        if isinstance(container, list) and len(container) > 1:
            yield "swapped items of", path, _with(value, (*path, 0), lambda at, _: at.insert(1, at.pop(0)))
    for path, _ in _leaves(value):
        if path:
            yield "removed", path, _with(value, path, lambda at, key: at.pop(key))


def cuts_and_additions(data: bytes) -> Iterator[Mutation]:
    """A file cut at several places, at both ends, and with bytes added at either end and in the middle."""
    size = len(data)
    for keep in sorted({0, 1, 2, 10, size // 3, size // 2, size - 512, size - 8, size - 1} - {-1}):
        if 0 <= keep < size:
            yield Mutation(f"cut after {keep} bytes of", (), data[:keep])
            yield Mutation(f"cut before the last {keep} bytes of", (), data[size - keep :])
    for name, extra in {"a zero": b"\0", "a newline": b"\n", "512 zeros": bytes(512), "itself": data}.items():
        yield Mutation(f"{name} after", (), data + extra)
        yield Mutation(f"{name} before", (), extra + data)
    yield Mutation("a byte inside", (), data[: size // 2] + b"x" + data[size // 2 :])


def _changes(leaf: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(leaf, bool):
        yield "turned", not leaf
    elif isinstance(leaf, int | float):
        yield "counted up", leaf + 1
        yield "negated", -leaf - 1
    elif isinstance(leaf, str):
        yield from (("changed", text) for text in _texts(leaf))
    yield "made null", None
    yield "retyped", 1 if isinstance(leaf, str) else "1"


def _texts(text: str) -> Iterator[str]:
    """Other texts, of the same form where it has one: another digit in hexadecimal, a flipped bit in base64."""
    yield text + "x"
    if not text:
        return
    last = text[-1]
    yield text[:-1] + {"0": "1", "1": "0", "a": "b"}.get(last, "0" if last.isdigit() else "a")
    yield text.upper() if text.upper() != text else text.lower() + "y"
    try:
        raw = bytearray(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return
    for at, bit in ((0, 1), (len(raw) // 2, 1), (len(raw) - 1, 128)) if raw else ():
        raw[at] ^= bit
        yield base64.b64encode(raw).decode()
        raw[at] ^= bit


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


def _containers(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict | list):
        yield path, value
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _containers(item, (*path, key))


def _with(value: Any, path: Path, change: Callable[[Any, Any], object]) -> Any:
    copy = json.loads(json.dumps(value))
    at = copy
    for key in path[:-1]:
        at = at[key]
    change(at, path[-1])
    return copy


def _spelled(value: Any, where: Path, twist: Callable[[list[str], str], str], path: Path = ()) -> bytes:
    """The canonical text of the value but for one container, whose parts are joined as `twist` says."""

    def text(item: Any, at: Path) -> str:
        if not isinstance(item, dict | list):
            return canonical([item]).decode()[1:-1]
        if isinstance(item, dict):
            keys = sorted(item, key=lambda key: key.encode("utf-16-be"))
            parts, ends = [f"{canonical([key]).decode()[1:-1]}:{text(item[key], (*at, key))}" for key in keys], "{}"
        else:
            parts, ends = [text(inner, (*at, index)) for index, inner in enumerate(item)], "[]"
        return twist(parts, ends) if at == where else f"{ends[0]}{','.join(parts)}{ends[1]}"

    return text(value, path).encode()


def _doubled(parts: list[str], ends: str) -> str:
    return f"{ends[0]}{','.join([parts[0], *parts])}{ends[1]}"


def _reversed(parts: list[str], ends: str) -> str:
    return f"{ends[0]}{','.join(reversed(parts))}{ends[1]}"


def _spaced(parts: list[str], ends: str) -> str:
    return f"{ends[0]} {','.join(parts)}{ends[1]}"
