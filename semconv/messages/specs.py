"""How the parts of messages, and messages, are read: the rows of the table of shapes, compiled.

Law: what a row says is kept in the order of the table; nothing here looks at a value, but whether a row is for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from semconv.paths import Document, Steps, at
from semconv.table import Defect, Path, mapping, sequence, text, texts

_FIELDS: Final = (
    "id",
    "name",
    "arguments",
    "response",
    "content",
    "url",
    "data",
    "either",
    "mime",
    "format",
    "file",
)
_PATHS: Final = (
    "role",
    "kind",
    "speaker",
    "part_role",
    "name",
    "finish_reason",
    "parts",
    "further_parts",
    "answers",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSpec:
    """How one kind of part is read."""

    part: str
    """The kind it becomes; `media` is a link, a file or a blob, by what there is."""
    place: int
    """Where in the table it stands: the first that applies is taken."""
    when: tuple[tuple[Steps, Any], ...]
    """What must stand where."""
    need: tuple[Steps, ...]
    """What must be there."""
    modality: str
    tool: str
    """The name of a tool that is named by the kind of part alone."""
    keep_type: bool
    """What the part calls itself says more than the kind it becomes."""
    other_names: frozenset[str]
    """Members that only a part of another shape has: without them a part of the target's type is as it should be."""
    fields: tuple[tuple[str, tuple[Steps, ...]], ...]

    @property
    def heads(self) -> frozenset[str]:
        """Every member of a part the spec looks at."""
        fields = [path[0] for _, paths in self.fields for path in paths]
        return frozenset([*fields, *[path[0] for path, _ in self.when], *[path[0] for path in self.need]])

    def among(self, names: frozenset[str]) -> PartSpec | None:
        """What of the spec can apply to a part that has no other members it knows; None when nothing can."""
        if not names.issuperset([*[path[0] for path, _ in self.when], *[path[0] for path in self.need]]):
            return None
        fields = ((name, _within(paths, names)) for name, paths in self.fields)
        return replace(self, fields=tuple((name, paths) for name, paths in fields if paths))

    def is_for(self, item: Document) -> bool:
        """Whether its conditions hold."""
        for path, value in self.when:
            if at(item, path) != value:
                return False
        return all(at(item, path) is not None for path in self.need)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSpec:
    """Where a message has what. Each is a list of paths, the first that is there is taken, unless said otherwise."""

    role: tuple[Steps, ...]
    """Any text there is the role."""
    kind: tuple[Steps, ...]
    """What kind of message it is: a text, or a list whose last is."""
    kinds: Mapping[str, str]
    """The roles that kinds of messages say."""
    speaker: tuple[Steps, ...]
    """The role, if it is the name of one, or else a name."""
    part_role: tuple[Steps, ...]
    """In a part: whose words it is, if it is the name of a role."""
    name: tuple[Steps, ...]
    finish_reason: tuple[Steps, ...]
    before: tuple[tuple[Steps, str], ...]
    """What comes before the parts, and the kind of part it is; all of them."""
    parts: tuple[Steps, ...]
    """The parts, all of them; to have one makes a message."""
    further_parts: tuple[Steps, ...]
    """The same, but other things have them too."""
    after: tuple[tuple[Steps, str], ...]
    """What comes after the parts, as `before`."""
    answers: tuple[Steps, ...]
    """The id of the call that a message answers."""

    @property
    def heads(self) -> frozenset[str]:
        """Every member of a message the spec looks at."""
        told = [path[0] for path, _ in (*self.before, *self.after)]
        return frozenset([*told, *[path[0] for name in _PATHS for path in getattr(self, name)]])

    def among(self, names: frozenset[str]) -> MessageSpec:
        """What of the spec can apply to a message that has no other members it knows."""
        paths: dict[str, Any] = {name: _within(getattr(self, name), names) for name in _PATHS}
        for name in ("before", "after"):
            paths[name] = tuple(told for told in getattr(self, name) if told[0][0] in names)
        return replace(self, **paths)


class Parts:
    """The kinds of parts by what gives them away."""

    def __init__(self, entries: object) -> None:
        self.by_type: dict[str, list[PartSpec]] = {}
        self.by_prefix: list[tuple[str, PartSpec]] = []
        self.by_member: dict[str, list[PartSpec]] = {}
        self.heads = frozenset(["type"])
        for place, entry in enumerate(sequence(entries, ("parts",))):
            path = ("parts", place)
            spec = _part_spec(entry, place, path)
            self.heads |= spec.heads
            for name in texts(entry.get("type", []), (*path, "type")):
                if name.endswith("*"):
                    self.by_prefix.append((name[:-1], spec))
                    continue
                for spelling in {name, spelt(name), spelt(name).replace("_", "-")}:
                    self.by_type.setdefault(spelling, []).append(spec)
            for name in texts(entry.get("has", []), (*path, "has")):
                self.by_member.setdefault(name, []).append(spec)


def spelt(kind: str) -> str:
    """The name of a kind of part in the one spelling of the table: tool-call and TOOL_CALL are tool_call."""
    return kind.lower().replace("-", "_")


def message_spec(table: object, kinds: Mapping[str, str]) -> MessageSpec:
    """The rows for messages; `kinds` are the roles that kinds of messages say. Raises `Defect`."""
    lists = _PATHS
    beside = ("before", "after")
    words = mapping(table, ("message",), known={*lists, *beside}, need=(*lists, *beside))
    paths: dict[str, Any] = {name: paths_in(words[name], ("message", name)) for name in lists}
    told: dict[str, Any] = {
        name: tuple(
            (_steps(where), text(kind, ("message", name, where)))
            for where, kind in mapping(words[name], ("message", name)).items()
        )
        for name in beside
    }
    return MessageSpec(kinds=kinds, **paths, **told)


def paths_in(value: object, path: Path) -> tuple[Steps, ...]:
    """One path or a list of them, as steps. Raises `Defect`."""
    return tuple(_steps(item) for item in texts(value, path))


def _part_spec(entry: object, place: int, path: Path) -> PartSpec:
    words = {"type", "has", "as", "when", "need", "modality", "tool", "keep_type", *_FIELDS}
    table = mapping(entry, path, known=words, need=["as"])
    if "type" not in table and "has" not in table:
        raise Defect(path, "expected `type` or `has`, got neither")
    paths = {name: paths_in(table[name], (*path, name)) for name in _FIELDS if name in table}
    heads = {steps[0] for listed in paths.values() for steps in listed}
    when = mapping(table.get("when", {}), (*path, "when"))
    return PartSpec(
        part=text(table["as"], (*path, "as")),
        place=place,
        when=tuple((_steps(name), value) for name, value in when.items()),
        need=paths_in(table.get("need", []), (*path, "need")),
        modality=table.get("modality", ""),
        tool=table.get("tool", ""),
        keep_type=bool(table.get("keep_type", False)),
        other_names=frozenset(heads.difference(paths)),
        fields=tuple(paths.items()),
    )


def _within(paths: tuple[Steps, ...], names: frozenset[str]) -> tuple[Steps, ...]:
    return tuple(path for path in paths if path[0] in names)


def _steps(path: str) -> Steps:
    return tuple(path.split("."))
