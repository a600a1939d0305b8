"""The table of message shapes, compiled: which rows of it are for an object.

The shapes are data (`tables/messages.yaml`): roles, wrappers, kinds of parts, of whatever origin. No code names a vendor.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from semconv.messages.specs import MessageSpec, Parts, PartSpec, message_spec, paths_in, spelt
from semconv.paths import Document, Steps
from semconv.table import Defect, Path, mapping, text, texts

GENERIC: Final = "generic"
"""The kind of a part that is of none."""
_NO_PART_HAS_IT: Final = ("\0",)
_MEMO_MAX: Final = 4096


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
    streamed: frozenset[str]
    """Envelopes of answers: several in a list are one answer in the pieces it came in."""
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
            "streamed",
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
        parts = Parts(table["parts"])
        foreign = {
            name: _NO_PART_HAS_IT
            for name, specs in parts.by_type.items()
            if name not in own and any(not (spec.when or spec.need) and spec.part != name for spec in specs)
        }
        roles = invert(table["roles"], ("roles",))
        reasons = invert(table["finish_reasons"], ("finish_reasons",))
        message = message_spec(table["message"], invert(table["message_kinds"], ("message_kinds",)))
        return cls(
            roles=roles,
            foreign_roles=_foreign(roles),
            finish_reasons=reasons,
            foreign_reasons=_foreign(reasons),
            mime_types=invert(table["mime_types"], ("mime_types",)),
            wrappers=tuple(_wrapper(entry, ("wrappers", place)) for place, entry in enumerate(table["wrappers"])),
            envelopes=texts(table["envelopes"], ("envelopes",)),
            streamed=frozenset(texts(table["streamed"], ("streamed",))),
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
        kind = item.get("type")
        if kind == GENERIC:
            return "type", kind, ()
        for name in self.part_types:
            said = item.get(name)
            if type(said) is str and (specs := self.specs_for(said)):
                return name, said, self._among(said, specs, item)
        if type(kind) is str:
            return "type", kind, ()
        hints = {spec.place: spec for name in item if item[name] is not None for spec in self.by_member.get(name, ())}
        return "", "", tuple([hints[place] for place in sorted(hints)])

    def renames(self, kind: str, item: Document) -> tuple[str, tuple[tuple[str, str], ...]] | None:
        """The target's kind of a part and the target's names of its members, where to read it is to rename them; else None."""
        if not item.keys() <= self.part_heads or (kind and kind not in self.by_type):
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


def _path_table(table: Document, word: str) -> dict[str, tuple[Steps, ...]]:
    return {name: paths_in(paths, (word, name)) for name, paths in mapping(table[word], (word,)).items()}


def _wrapper(entry: object, path: Path) -> tuple[tuple[Steps, ...], str, str]:
    table = mapping(entry, path, known={"has", "inside", "of_role"}, need=["has", "inside"])
    return paths_in(table["has"], (*path, "has")), text(table["inside"], (*path, "inside")), table.get("of_role", "")
