"""The tables of the profiles as they are written: the built-in ones, the user's over them, and where every word stands.

Law: one profile an id. A user's table takes the place of the one with its id; one that `extends` another is laid over it,
its own rows first. Whatever was laid over what, a path in the table leads back to the file and the line it was written at.
Not checked here: what the words mean; that is `semconv.profile_reader`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semconv import table
from semconv.errors import ProfileError
from semconv.table import Path


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """One profile's table."""

    file: str
    data: bytes
    written: dict[str, Any]
    """What the file itself says."""
    content: dict[str, Any]
    """The table: what is written, laid over what it extends."""
    user: bool = False
    base: Source | None = None
    """The table it extends."""
    replaced: Source | None = None
    """The table of the same id whose place it takes."""

    @property
    def id(self) -> str:
        """The profile's id, as far as it is one: nothing has been checked."""
        return str(self.content.get("id"))

    def place(self, path: Path) -> tuple[Source, int]:
        """The table that wrote what stands at a path of `content`, and the line in its file."""
        own = _own(self.written, self.content, path)
        if own is None and self.base is not None:
            below = _own(self.base.content, self.content, path)
            if below is not None:
                return self.base.place(below)
        return self, table.line(self.data, own or ())


def sources(user: Mapping[str, bytes]) -> list[Source]:
    """The tables of all profiles that are in use, by file name to bytes of the user's, in the order of their ids.

    Raises:
        ProfileError: a file is no table, or extends a profile there is not.
    """
    by_id = {source.id: source for source in map(_builtin, table.builtin_names("profiles"))}
    for file in sorted(user):
        source = _users(file, user[file], by_id)
        by_id[source.id] = source
    return [by_id[id_] for id_ in sorted(by_id)]


def _builtin(file: str) -> Source:
    data = table.builtin("profiles", file)
    content = table.parse(data, file)
    return Source(file=file, data=data, written=content, content=content)


def _users(file: str, data: bytes, by_id: Mapping[str, Source]) -> Source:
    written = table.parse(data, file, foreign=True)
    base = None
    content = written
    if "extends" in written:
        base = by_id.get(str(written["extends"]))
        if base is None:
            known = ", ".join(sorted(by_id))
            line = table.line(data, ("extends",))
            raise ProfileError(file, line, f"extends {written['extends']!r}, which is no profile; known: {known}")
        content = _extended(written, base.content)
    replaced = by_id.get(str(content.get("id")))
    return Source(file=file, data=data, written=written, content=content, user=True, base=base, replaced=replaced)


def _extended(over: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """A table laid over the one it extends: its own rows come first, its own words win."""
    merged = dict(base)
    for word, value in over.items():
        below = base.get(word)
        if isinstance(value, list) and isinstance(below, list):
            merged[word] = value + [item for item in below if item not in value]
        elif isinstance(value, dict) and isinstance(below, dict):
            merged[word] = _extended(value, below)
        else:
            merged[word] = value
    merged.pop("extends", None)
    return merged


def _own(part: Any, merged: Any, path: Path) -> Path | None:  # noqa: ANN401  # parsed documents
    """The path in `part` of what stands at `path` of the table that was made with it; None when it is not from there.

    The way ends early at what the table has not either: a word that is missing is looked for where it should stand.
    """
    own: list[str | int] = []
    for step in path:
        if isinstance(merged, list) and isinstance(step, int) and step < len(merged):
            merged = merged[step]
            at: str | int | None = (
                next((at for at, item in enumerate(part) if item is merged), None) if isinstance(part, list) else None
            )
        elif isinstance(merged, dict) and step in merged:
            merged = merged[step]
            at = step if isinstance(part, dict) and step in part else None
        else:
            break
        if at is None:
            return None
        part = part[at]
        own.append(at)
    return tuple(own)
