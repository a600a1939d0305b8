"""The table of message shapes, compiled, and the check whether a body has the target's shape already.

The shapes are data (`tables/messages.yaml`): roles, wrappers, kinds of parts, of whatever origin. No code names a vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from semconv.table import Defect, Path, mapping, sequence, text, texts

Document = dict[str, Any]
Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSpec:
    """How one kind of part is read."""

    part: str
    modality: str
    other_names: frozenset[str]
    """Members that only a part of another shape has: without them a part of the target's type is as it should be."""
    fields: tuple[tuple[str, tuple[Steps, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The table, compiled."""

    roles: Mapping[str, str]
    finish_reasons: Mapping[str, str]
    wrappers: tuple[tuple[tuple[Steps, ...], str, str], ...]
    envelopes: tuple[str, ...]
    message: Mapping[str, tuple[str, ...]]
    by_type: Mapping[str, PartSpec]
    by_member: Mapping[str, PartSpec]
    definitions: Mapping[str, tuple[Steps, ...]]
    documents: Mapping[str, tuple[Steps, ...]]
    required: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_table(cls, table: Document) -> Shapes:
        """Compile the table. Raises `Defect`."""
        names = (
            "roles",
            "finish_reasons",
            "wrappers",
            "envelopes",
            "message",
            "parts",
            "definitions",
            "documents",
            "target_parts",
        )
        mapping(table, (), known=names, need=names)
        by_type: dict[str, PartSpec] = {}
        by_member: dict[str, PartSpec] = {}
        for at, entry in enumerate(sequence(table["parts"], ("parts",))):
            spec = _part_spec(entry, ("parts", at))
            for name in texts(entry.get("type", []), ("parts", at, "type")):
                by_type[name] = spec
            if "has" in entry:
                by_member[text(entry["has"], ("parts", at, "has"))] = spec
        return cls(
            roles=invert(table["roles"], ("roles",)),
            finish_reasons=invert(table["finish_reasons"], ("finish_reasons",)),
            wrappers=tuple(_wrapper(entry, ("wrappers", at)) for at, entry in enumerate(table["wrappers"])),
            envelopes=texts(table["envelopes"], ("envelopes",)),
            message={
                name: texts(keys, ("message", name)) for name, keys in mapping(table["message"], ("message",)).items()
            },
            by_type=by_type,
            by_member=by_member,
            definitions=_path_table(table, "definitions"),
            documents=_path_table(table, "documents"),
            required={
                name: texts(fields, ("target_parts", name))
                for name, fields in mapping(table["target_parts"], ("target_parts",)).items()
            },
        )


def invert(table: object, path: Path) -> dict[str, str]:
    """{target: [sources]} as {source: target}; a target is a source of itself."""
    inverse: dict[str, str] = {}
    for target, sources in mapping(table, path).items():
        for source in (target, *texts(sources, (*path, target))):
            if inverse.setdefault(source, target) != target:
                raise Defect((*path, target), f"{source!r} leads to {inverse[source]!r} already")
    return inverse


# ------------------------------------------------------------------ does it have the target's shape already


def conforms(shape: str, body: Any, shapes: Shapes) -> bool:  # noqa: ANN401  # a parsed document
    """Whether a parsed body is what the target wants under `shape`; shapes without structure always are."""
    check = _CHECKS.get(shape)
    return check is None or (type(body) is list and check(body, shapes))


def are_messages(body: list[Any], shapes: Shapes) -> bool:
    """The hot loop over what is already right, so written flat."""
    required = shapes.required
    for item in body:
        if type(item) is not dict or type(item.get("role")) is not str:
            return False
        parts, reason = item.get("parts"), item.get("finish_reason")
        if type(parts) is not list or (reason is not None and type(reason) is not str):
            return False
        for part in parts:
            if type(part) is not dict:
                return False
            kind = part.get("type")
            if type(kind) is not str:
                return False
            for name in required.get(kind, ()):
                if name not in part or (name == "content" and type(part["content"]) is not str):
                    return False
    return True


def is_part(part: Any, shapes: Shapes) -> bool:  # noqa: ANN401  # a parsed document
    """Whether a part is one of the target's: a known type has what it must have, any other type is its own affair."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    fields = shapes.required.get(part["type"], ())
    return all(name in part and (name != "content" or isinstance(part[name], str)) for name in fields)


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
    return tuple(tuple(item.split(".")) for item in texts(value, path))


def _part_spec(entry: object, path: Path) -> PartSpec:
    fields = ("id", "name", "arguments", "response", "content", "url", "data", "mime", "file")
    table = mapping(entry, path, known={"type", "has", "as", "modality", *fields}, need=["as"])
    if "type" not in table and "has" not in table:
        raise Defect(path, "expected `type` or `has`, got neither")
    paths = {name: _paths(table[name], (*path, name)) for name in fields if name in table}
    heads = {steps[0] for listed in paths.values() for steps in listed}
    return PartSpec(
        part=text(table["as"], (*path, "as")),
        modality=table.get("modality", ""),
        other_names=frozenset(heads.difference(paths)),
        fields=tuple(paths.items()),
    )


def _wrapper(entry: object, path: Path) -> tuple[tuple[Steps, ...], str, str]:
    table = mapping(entry, path, known={"has", "inside", "of_role"}, need=["has", "inside"])
    return _paths(table["has"], (*path, "has")), text(table["inside"], (*path, "inside")), table.get("of_role", "")
