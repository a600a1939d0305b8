"""The table of message shapes, compiled, and the check whether a body has the target's shape already.

The shapes are data (`tables/messages.yaml`): roles, wrappers, kinds of parts, of whatever origin. No code names a vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
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
_NO_PART_HAS_IT: Final = ("\0",)
_PATHS_OF_MESSAGES: Final = (
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
_MEMO_MAX: Final = 4096


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
        return frozenset([*told, *[path[0] for name in _PATHS_OF_MESSAGES for path in getattr(self, name)]])

    def among(self, names: frozenset[str]) -> MessageSpec:
        """What of the spec can apply to a message that has no other members it knows."""
        paths: dict[str, Any] = {name: _within(getattr(self, name), names) for name in _PATHS_OF_MESSAGES}
        for name in ("before", "after"):
            paths[name] = tuple(told for told in getattr(self, name) if told[0][0] in names)
        return replace(self, **paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The table, compiled."""

    roles: Mapping[str, str]
    foreign_roles: frozenset[str]
    finish_reasons: Mapping[str, str]
    foreign_reasons: frozenset[str]
    mime_types: Mapping[str, str]
    wrappers: tuple[tuple[tuple[Steps, ...], str, str], ...]
    envelopes: tuple[str, ...]
    message: MessageSpec
    part_types: tuple[str, ...]
    """Members that say what a part is."""
    by_type: Mapping[str, tuple[PartSpec, ...]]
    by_prefix: tuple[tuple[str, PartSpec], ...]
    foreign_prefixes: tuple[str, ...]
    by_member: Mapping[str, tuple[PartSpec, ...]]
    definitions: Mapping[str, tuple[Steps, ...]]
    documents: Mapping[str, tuple[Steps, ...]]
    required: Mapping[str, tuple[str, ...]]
    """What the target's own parts must have; kinds of others that become one of the target's must have what none has."""
    targets: frozenset[str]
    """The target's own kinds of parts."""
    defaults: Mapping[str, Document]
    """What is written for a field that must be there and of which the source says nothing."""
    message_heads: frozenset[str]
    part_heads: frozenset[str]
    """The members of messages and of parts that the table knows."""
    other_names: Mapping[str, frozenset[str]]
    """By the target's kinds of parts: members that say something under another name than the target's."""
    memo: dict[Hashable, Any] = field(default_factory=dict)
    """What of the table can apply to an object with these members: of many paths, few. Bounded."""

    @classmethod
    def from_table(cls, table: Document) -> Shapes:
        """Compile the table. Raises `Defect`."""
        names = (
            "roles",
            "message_kinds",
            "finish_reasons",
            "mime_types",
            "wrappers",
            "envelopes",
            "message",
            "part_types",
            "parts",
            "definitions",
            "documents",
            "target_parts",
            "defaults",
        )
        mapping(table, (), known=names, need=names)
        own = {
            name: texts(fields, ("target_parts", name))
            for name, fields in mapping(table["target_parts"], ("target_parts",)).items()
        }
        parts = _Parts(table["parts"])
        foreign = {
            name: _NO_PART_HAS_IT
            for name, specs in parts.by_type.items()
            if name not in own and any(not (spec.when or spec.need) and spec.part != name for spec in specs)
        }
        roles = invert(table["roles"], ("roles",))
        reasons = invert(table["finish_reasons"], ("finish_reasons",))
        message = _message(table["message"], invert(table["message_kinds"], ("message_kinds",)))
        return cls(
            roles=roles,
            foreign_roles=_foreign(roles),
            finish_reasons=reasons,
            foreign_reasons=_foreign(reasons),
            mime_types=invert(table["mime_types"], ("mime_types",)),
            wrappers=tuple(_wrapper(entry, ("wrappers", place)) for place, entry in enumerate(table["wrappers"])),
            envelopes=texts(table["envelopes"], ("envelopes",)),
            message=message,
            message_heads=message.heads,
            part_heads=parts.heads,
            other_names={
                kind: frozenset().union(
                    *[spec.other_names for spec in parts.by_type.get(kind, ()) if spec.part == kind]
                )
                for kind in own
            },
            part_types=texts(table["part_types"], ("part_types",)),
            by_type={name: tuple(specs) for name, specs in parts.by_type.items()},
            by_prefix=tuple(parts.by_prefix),
            foreign_prefixes=tuple(prefix for prefix, _ in parts.by_prefix),
            by_member={name: tuple(specs) for name, specs in parts.by_member.items()},
            definitions=_path_table(table, "definitions"),
            documents=_path_table(table, "documents"),
            required={**foreign, **own},
            targets=frozenset(own),
            defaults={name: dict(fields) for name, fields in mapping(table["defaults"], ("defaults",)).items()},
        )

    def role(self, said: str) -> str:
        """The target's word for a role; a word of its own where it has none. `Role.USER` is USER."""
        found = self.roles.get(said) or self.roles.get(said.rpartition(".")[2].lower())
        return said if found is None else found

    def specs_for(self, kind: str) -> tuple[PartSpec, ...]:
        """What a kind of part may be read by; spelling does not count."""
        found = self.by_type.get(kind)
        if found is None:
            found = self.by_type.get(spelt(kind))
        if found is None:
            found = tuple(spec for prefix, spec in self.by_prefix if kind.startswith(prefix))
        return found

    def part(self, item: Document) -> tuple[str, str, tuple[PartSpec, ...]]:
        """The member of a part that says what it is, what that is, and how the part may be read; in the order of the table."""
        for name in self.part_types:
            said = item.get(name)
            if type(said) is str and (specs := self.specs_for(said)):
                return name, said, self._among(said, specs, item)
        kind = item.get("type")
        if type(kind) is str:
            return "type", kind, ()
        hints = {spec.place: spec for name in item if item[name] is not None for spec in self.by_member.get(name, ())}
        return "", "", tuple([hints[place] for place in sorted(hints)])

    def renames(self, kind: str, item: Document) -> tuple[str, tuple[tuple[str, str], ...]] | None:
        """The target's kind of a part and the target's names of its members, where to read it is to rename them; else None."""
        if not item.keys() <= self.part_heads:
            return None
        key = "renames", kind, frozenset(item)
        if key in self.memo:
            return self.memo[key]  # type: ignore[no-any-return]  # what is under such a key
        found = self._renames(kind, key[2])
        return self._remembered(key, found)  # type: ignore[no-any-return]  # what is under such a key

    def _renames(self, kind: str, names: frozenset[str]) -> tuple[str, tuple[tuple[str, str], ...]] | None:
        hints = [spec for name in names for spec in self.by_member.get(name, ())]
        specs = self.by_type.get(kind, ()) if kind else sorted(hints, key=lambda spec: spec.place)
        spec = next((few for spec in specs if (few := spec.among(names)) is not None), None)
        if spec is None or spec.when or spec.need or spec.keep_type or spec.part not in self.targets:
            return None
        pairs = tuple([(name, paths[0][0]) for name, paths in spec.fields if len(paths[0]) == 1])
        told, said = {name for name, _ in pairs}, {source for _, source in pairs}
        whole = len(pairs) == len(said) and said == names - {"type"} and told.issuperset(self.required[spec.part])
        same = kind == spec.part and told == said
        return (
            (spec.part, pairs) if whole and not same and (spec.part != "tool_call" or "response" not in told) else None
        )

    def message_of(self, item: Document) -> MessageSpec:
        """What of the message's spec can apply to an object."""
        names = frozenset(item.keys() & self.message_heads)
        found = self.memo.get(names)
        if found is None:
            found = self._remembered(names, self.message.among(names))
        return found  # type: ignore[no-any-return]  # what is under such a key

    def _among(self, kind: str, specs: tuple[PartSpec, ...], item: Document) -> tuple[PartSpec, ...]:
        """What of the specs for a kind can apply to an object."""
        if kind not in self.by_type:  # another spelling: rare, and there are too many to remember
            return specs
        key = kind, frozenset(item.keys() & self.part_heads)
        found = self.memo.get(key)
        if found is None:
            found = self._remembered(key, tuple([few for spec in specs if (few := spec.among(key[1])) is not None]))
        return found  # type: ignore[no-any-return]  # what is under such a key

    def _remembered(self, key: Hashable, found: Any) -> Any:  # noqa: ANN401  # what is under such a key
        if len(self.memo) >= _MEMO_MAX:
            self.memo.clear()
        self.memo[key] = found
        return found


def _within(paths: tuple[Steps, ...], names: frozenset[str]) -> tuple[Steps, ...]:
    return tuple(path for path in paths if path[0] in names)


def spelt(kind: str) -> str:
    """The name of a kind of part in the one spelling of the table: tool-call and TOOL_CALL are tool_call."""
    return kind.lower().replace("-", "_")


def invert(table: object, path: Path) -> dict[str, str]:
    """{target: [sources]} as {source: target}; a target is a source of itself."""
    inverse: dict[str, str] = {}
    for target, sources in mapping(table, path).items():
        for source in (target, *texts(sources, (*path, target))):
            if inverse.setdefault(source, target) != target:
                raise Defect((*path, target), f"{source!r} leads to {inverse[source]!r} already")
    return inverse


def _foreign(words: Mapping[str, str]) -> frozenset[str]:
    """The words that are not the target's own."""
    return frozenset(source for source, target in words.items() if source != target)


# ------------------------------------------------------------------ does it have the target's shape already


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


# ------------------------------------------------------------------ reading the table


def _path_table(table: Document, word: str) -> dict[str, tuple[Steps, ...]]:
    return {name: _paths(paths, (word, name)) for name, paths in mapping(table[word], (word,)).items()}


def _paths(value: object, path: Path) -> tuple[Steps, ...]:
    return tuple(_steps(item) for item in texts(value, path))


def _steps(path: str) -> Steps:
    return tuple(path.split("."))


class _Parts:
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


def _part_spec(entry: object, place: int, path: Path) -> PartSpec:
    words = {"type", "has", "as", "when", "need", "modality", "tool", "keep_type", *_FIELDS}
    table = mapping(entry, path, known=words, need=["as"])
    if "type" not in table and "has" not in table:
        raise Defect(path, "expected `type` or `has`, got neither")
    paths = {name: _paths(table[name], (*path, name)) for name in _FIELDS if name in table}
    heads = {steps[0] for listed in paths.values() for steps in listed}
    when = mapping(table.get("when", {}), (*path, "when"))
    return PartSpec(
        part=text(table["as"], (*path, "as")),
        place=place,
        when=tuple((_steps(name), value) for name, value in when.items()),
        need=_paths(table.get("need", []), (*path, "need")),
        modality=table.get("modality", ""),
        tool=table.get("tool", ""),
        keep_type=bool(table.get("keep_type", False)),
        other_names=frozenset(heads.difference(paths)),
        fields=tuple(paths.items()),
    )


def _message(table: object, kinds: Mapping[str, str]) -> MessageSpec:
    lists = _PATHS_OF_MESSAGES
    beside = ("before", "after")
    words = mapping(table, ("message",), known={*lists, *beside}, need=(*lists, *beside))
    paths: dict[str, Any] = {name: _paths(words[name], ("message", name)) for name in lists}
    told: dict[str, Any] = {
        name: tuple(
            (_steps(where), text(kind, ("message", name, where)))
            for where, kind in mapping(words[name], ("message", name)).items()
        )
        for name in beside
    }
    return MessageSpec(kinds=kinds, **paths, **told)


def _wrapper(entry: object, path: Path) -> tuple[tuple[Steps, ...], str, str]:
    table = mapping(entry, path, known={"has", "inside", "of_role"}, need=["has", "inside"])
    return _paths(table["has"], (*path, "has")), text(table["inside"], (*path, "inside")), table.get("of_role", "")
