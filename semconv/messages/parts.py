"""The parts of a message: text, reasoning, calls and their results, media, of whatever shape, in the target's.

The kinds are the table of `semconv.messages.shapes`. Laws: total; a part of no known kind is a generic part, whole; what was read
once reads as itself; what the target has no field for rides along.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from semconv.messages.conformity import is_part
from semconv.messages.reading import Reading
from semconv.messages.shapes import GENERIC, Shapes
from semconv.messages.specs import PartSpec
from semconv.paths import Document, Steps, at, drop, joined, unflattened
from semconv.value import Value, document, leaves

_MODALITIES: Final = ("image", "audio", "video")
_NESTING_MAX: Final = 8
"""Parts inside each other that are still taken apart; nobody nests more than two."""
_READINGS_MAX: Final = 4
"""What one reading made may have a kind that says more."""
_LINK: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:")
_TEXTS: Final = frozenset({"id", "name"})
_SERVER: Final = frozenset({"server_tool_call", "server_tool_call_response"})
_BYTES: Final = frozenset({"data", "either"})
_SAID: Final = frozenset({"text", "reasoning"})


class PartReader:
    """Reads the parts of one body."""

    __slots__ = ("parse_text", "reading", "shapes")

    def __init__(self, shapes: Shapes, reading: Reading, *, parse_text: bool) -> None:
        self.shapes = shapes
        self.reading = reading
        self.parse_text = parse_text

    def several(self, content: Value, nesting: int = 0) -> list[Document]:
        """The parts of a content: a text, a part, or a list of these."""
        if type(content) is str:
            if not (self.parse_text and content[:2] == "[{"):
                return [{"type": "text", "content": content}]
            content = self._opened(content)
        if type(content) is not list:
            return [] if content is None else self.read(content, nesting)
        return [part for item in content if item is not None for part in self.read(item, nesting)]

    def read(self, item: Value, nesting: int = 0) -> list[Document]:
        """What one part becomes; mostly one, but a list of texts under one heading is several."""
        if isinstance(item, str):
            return [{"type": "text", "content": item}]
        if not isinstance(item, dict):
            self.reading.notes.add("part_unrepresentable")
            return [{"type": GENERIC, "value": item}]
        renamed = self._renamed(item)
        if renamed is not None:
            return [renamed]
        item = unflattened(item)
        more: list[Document] = []
        for _ in range(_READINGS_MAX):
            typed, kind, specs = self.shapes.part(item)
            if kind in self.shapes.targets and is_part(item, self.shapes) and not _says_more(item, kind, specs):
                return [item, *more]
            found, read_as = self._first(item, typed, kind, specs, nesting)
            if not found:
                break
            item, more = found[0], found[1:] + more
            if read_as == kind or self._is_done(item):
                break
        return [item if type(item.get("type")) is str else self._generic(item), *more]

    def _renamed(self, item: Document) -> Document | None:
        """The part where to read it is to rename its members: the commonest by far."""
        kind = item.get("type", "")
        way = self.shapes.renames(kind, item) if type(kind) is str else None
        if way is None:
            return None
        part: Document = {"type": way[0]}
        for name, source in way[1]:
            value = item[source]
            if type(value) is not str and (value is None or name not in ("arguments", "response")):
                return None
            part[name] = value
        if "arguments" in part:
            part["arguments"] = self.reading.parsed(part["arguments"])
        return part

    def _is_done(self, part: Document) -> bool:
        """Whether what was read has nothing in it that could be read once more."""
        others = self.shapes.other_names.get(part["type"])
        return others is not None and others.isdisjoint(part)

    # ------------------------------------------------------------------ one part by one spec

    def _first(
        self, item: Document, typed: str, kind: str, specs: tuple[PartSpec, ...], nesting: int
    ) -> tuple[list[Document], str]:
        """What the first spec that applies makes of a part, and the kind that is; nothing if none does."""
        for spec in specs:
            if spec.is_for(item):
                found = self._by_spec(item, typed, kind, spec, nesting)
                if found:
                    return found, spec.part
        return [], ""

    def _by_spec(self, item: Document, typed: str, kind: str, spec: PartSpec, nesting: int) -> list[Document] | None:
        """The part as its spec reads it, None when it lacks what such a part must have."""
        fields: Document = {}
        used: dict[str, Steps] = {}
        for name, paths in spec.fields:
            for path in paths:
                value = item.get(path[0]) if len(path) == 1 else at(item, path)
                if value is not None and (type(value) is str or _fits(name, value)):
                    fields[name] = value
                    used[name] = path
                    break
        if spec.part == "media":
            part = self._media(spec, fields)
            used = {name: path for name, path in used.items() if name in fields}
        elif type(fields.get("content")) is list:
            return self._spread(fields["content"], spec, self._rest(item, typed, kind, spec, used), nesting)
        else:
            part = self._plain(spec, item, kind, fields)
        answer = part.pop("response", None) if part and spec.part == "tool_call" else None
        if part is None or not is_part(part, self.shapes) or type(part.get("name", "")) is not str:
            return None
        rest = self._rest(item, typed, kind, spec, used)
        if "arguments" in part:
            part["arguments"] = self.reading.parsed(part["arguments"])
        if spec.part in _SERVER:
            joined(part[spec.part], rest)
            return [part]
        if rest:
            joined(part, rest)
        if answer is None:
            return [part]
        beside = {"id": part["id"]} if "id" in part else {}
        return [part, {"type": "tool_call_response", **beside, "response": answer}]

    def _rest(self, item: Document, typed: str, kind: str, spec: PartSpec, used: Mapping[str, Steps]) -> Document:
        """What rides along: all but what was used, the kind, and members that say nothing."""
        rest = item.copy()
        rest.pop(typed, None)
        for path in used.values():
            if len(path) == 1:
                del rest[path[0]]
            else:
                self._drop(rest, path)
        if typed and rest:
            for name in self.shapes.part_types:  # says the same once more
                said = rest.get(name)
                if type(said) is str and any(spec.place == other.place for other in self.shapes.specs_for(said)):
                    del rest[name]
                    self.reading.derivable += 1
        for name, _ in spec.fields:
            if name in _TEXTS and name not in used and rest.get(name) is not None:  # it holds what the target's may not
                rest[f"source_{name}"] = rest.pop(name)
        if spec.keep_type and typed:
            rest = joined({f"source_{typed}": kind}, rest)
        return self.reading.without_nulls(rest)

    def _drop(self, rest: Document, path: Steps) -> None:
        """Take out what is inside an object, and the object if nothing is left that says something."""
        drop(rest, path)
        inner = rest.get(path[0])
        if type(inner) is dict and not any(value is not None for value in inner.values()):
            self.reading.derivable += leaves(inner)
            del rest[path[0]]

    def _plain(self, spec: PartSpec, item: Document, kind: str, fields: Document) -> Document:
        """The part's own fields, with what follows from its kind."""
        part = {"type": spec.part, **fields}
        if spec.part in ("tool_call", "server_tool_call") and "name" not in part:
            part["name"] = spec.tool or _after_prefix(kind, self.shapes)
        if spec.part in _SERVER:  # what else is said of it goes inside, under what the source calls it
            part[spec.part] = {
                "type": kind or next(name for name in item if spec in self.shapes.by_member.get(name, ()))
            }
        defaults = self.shapes.defaults.get(spec.part)
        if defaults and (kind != spec.part or not spec.other_names.isdisjoint(item)):
            part = {**part, **{name: value for name, value in defaults.items() if name not in part}}
        return part

    def _spread(self, listed: list[Value], spec: PartSpec, rest: Document, nesting: int) -> list[Document] | None:
        """A part whose content is a list of parts: these, each of the kind it stands under; the first takes along the rest."""
        if nesting >= _NESTING_MAX:
            return None
        parts = self.several(listed, nesting + 1)
        if not parts:
            return None
        if spec.part in _SAID:
            parts = [{**part, "type": spec.part} if part["type"] in _SAID else part for part in parts]
        parts[0] = joined(dict(parts[0]), rest)
        return parts

    def _media(self, spec: PartSpec, fields: Document) -> Document | None:
        """A blob, a file or a link, by what the source has of it. What is not used is taken out of the fields."""
        for name in _BYTES & fields.keys():
            fields[name] = _base64(fields[name])
        url, data, either = fields.get("url"), fields.get("data"), fields.get("either")
        mime = fields.get("mime")
        if type(mime) is str:
            fields.pop("format", None)
        else:
            mime = self._mime_of(fields.get("format"))
        used = (
            "url" if type(url) is str else "data" if type(data) is str else "either" if type(either) is str else "file"
        )
        said = fields.get(used)
        if type(said) is not str:
            return None
        link = used == "url" or (used == "either" and _LINK.match(said) is not None)
        if said.startswith("data:"):
            head, inline, tail = said.partition(";base64,")
            link = not inline
            if inline:
                mime, said = mime or head[len("data:") :] or None, tail
        for name in ("url", "data", "either", "file"):
            if name != used:
                fields.pop(name, None)
        if mime is None:
            fields.pop("mime", None)
            fields.pop("format", None)
        kind = spec.modality or next((name for name in _MODALITIES if str(mime).startswith(name)), "document")
        named = {"mime_type": mime} if mime else {}
        if used == "file":
            return {"type": "file", **named, "modality": kind, "file_id": said}
        if link:
            return {"type": "uri", **named, "modality": kind, "uri": said}
        return {"type": "blob", **named, "modality": kind, "content": said}

    def _mime_of(self, format_: object) -> str | None:
        return self.shapes.mime_types.get(format_.lower()) if isinstance(format_, str) else None

    def _generic(self, item: Document) -> Document:
        """A part of no known kind, with a type: what it calls itself elsewhere, or none."""
        for name in self.shapes.part_types:
            if isinstance(item.get(name), str):
                return joined({"type": item[name]}, {key: value for key, value in item.items() if key != name})
        return joined({"type": GENERIC}, item)

    def _opened(self, content: str) -> Value:
        """The list of parts a text is the JSON of, or the text."""
        parsed = document(content)
        if not isinstance(parsed, list) or not all(
            isinstance(part, dict) and self.shapes.part(part)[2] for part in parsed
        ):
            return [content]
        return self.reading.opened(parsed)


def _fits(name: str, value: Value) -> bool:
    """Whether a value that is no text can be what a field holds; one that cannot rides along."""
    if name in _BYTES:
        return _base64(value) is not None
    return (type(value) is list and bool(value)) if name == "content" else name in ("arguments", "response")


def _base64(value: Value) -> str | None:
    """A text as it is; bytes written as numbers, a list or one that says it is a buffer, in base64; None of anything else."""
    if type(value) is dict and value.keys() == {"type", "data"} and value["type"] == "Buffer":
        value = value["data"]
    if type(value) is list and value:
        octets = [octet for octet in value if isinstance(octet, int) and type(octet) is int and 0 <= octet <= 255]
        return b64encode(bytes(octets)).decode("ascii") if len(octets) == len(value) else None
    return value if type(value) is str else None


def _after_prefix(kind: str, shapes: Shapes) -> str | None:
    return next((kind[len(prefix) :] for prefix, _ in shapes.by_prefix if kind.startswith(prefix)), None)


def _says_more(item: Document, kind: str, specs: tuple[PartSpec, ...]) -> bool:
    """Whether a part of the target's type has, under another name, something the target has a name for."""
    for spec in specs:
        if spec.part == kind and not spec.other_names.isdisjoint(item):
            return any(
                name not in item and any(at(item, path) is not None for path in paths) for name, paths in spec.fields
            )
    return False
