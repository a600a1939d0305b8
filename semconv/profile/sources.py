"""The tables of the profiles as they are written: the built-in ones, the user's over them, and where every word stands.

Law: one profile an id, whatever the files are called and in whichever order they are read. A user's table takes the place
of a built-in one only when it says so (`override: true`, or `extends` with its own id); one that `extends` another is laid
over it, its own rows first. Whatever was laid over what, a path in the table leads back to the file and line it was written at.
Not checked here: what the other words mean; that is `semconv.profile.reader`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from semconv import table
from semconv.errors import ProfileError
from semconv.table import Defect, Path

_OF_THE_FILE: Final = ("extends", "override")
"""Words that speak of the file they stand in, not of the convention."""


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

    def origin(self, path: Path) -> tuple[Source, Path]:
        """The table that wrote what stands at a path of `content`, and its path there, as far as it goes."""
        own = _own(self.written, self.content, path)
        if own is None and self.base is not None:
            below = _own(self.base.content, self.content, path)
            if below is not None:
                return self.base.origin(below)
        return self, own or ()

    def place(self, path: Path) -> tuple[Source, int]:
        """The table that wrote what stands at a path of `content`, and the line in its file."""
        written, own = self.origin(path)
        return written, table.line(written.data, own)


class Sources:
    """The user's tables among the built-in ones, resolved one at a time: a table that cannot be used spoils no other."""

    def __init__(
        self, user: Mapping[str, bytes], written: Mapping[str, dict[str, Any]], builtin: Mapping[str, Source]
    ) -> None:
        """`user` has the files' bytes by name, `written` what was parsed of them, `builtin` the others by id."""
        self._user = user
        self._written = written
        self.builtin = builtin
        self._files: dict[str, str] = {}
        for file in sorted(written):
            self._files.setdefault(str(written[file].get("id")), file)

    def source(self, file: str, above: tuple[str, ...] = ()) -> Source:
        """The source of a user's file; `above` are the ids of the tables that extend it, on the way here.

        Raises:
            Defect: it has no id or another file's, shadows a built-in profile without a word, or extends what cannot be.
        """
        written = self._written[file]
        id_ = table.text(table.mapping(written, (), need=["id"])["id"], ("id",))
        if self._files[id_] != file:
            raise Defect(("id",), f"id {id_!r} is that of {self._files[id_]} too: expected one file an id", "id-twice")
        base = self._base(id_, written, (*above, id_)) if "extends" in written else None
        self._shadows(id_, written)
        content = _laid_over(written, base.content) if base else written
        replaced = self.builtin.get(id_)
        return Source(
            file=file, data=self._user[file], written=written, content=content, user=True, base=base, replaced=replaced
        )

    def _shadows(self, id_: str, written: Mapping[str, Any]) -> None:
        """A table says what it means by the id of a built-in profile."""
        override = table.flag(written.get("override", False), ("override",))
        if override and id_ not in self.builtin:
            hint = table.nearest(id_, self.builtin)
            raise Defect(("override",), f"override: no built-in profile has the id {id_!r}{hint}", "overrides-nothing")
        if id_ in self.builtin and not override and written.get("extends") != id_:
            ways = f"`override: true` to take its place, `extends: {id_}` to lay this table over it, or another id"
            raise Defect(("id",), f"id {id_!r} is a built-in profile's: write {ways}", "shadows-builtin")

    def _base(self, id_: str, written: Mapping[str, Any], above: tuple[str, ...]) -> Source:
        """What a table extends: with its own id the built-in one below it, else the one that is in use."""
        extends = table.text(written["extends"], ("extends",))
        if extends != id_ and extends in above:
            way = " -> ".join((*above, extends))
            raise Defect(("extends",), f"extends goes round in a circle: {way}", "extends-cycle")
        if extends != id_ and extends in self._files:
            try:
                return self.source(self._files[extends], above)
            except Defect as defect:
                if defect.code == "extends-cycle":
                    raise Defect(("extends",), str(defect), defect.code) from defect
                file = self._files[extends]
                message = f"extends {extends!r}, but {file} cannot be used: {defect}"
                raise Defect(("extends",), message, "base-unusable") from defect
        if extends not in self.builtin:
            known = sorted({*self.builtin, *self._files} - {id_})
            hint = table.nearest(extends, known)
            raise Defect(
                ("extends",),
                f"extends {extends!r}, which is no profile{hint}; known: {', '.join(known)}",
                "unknown-base",
            )
        return self.builtin[extends]


def sources(user: Mapping[str, bytes]) -> list[Source]:
    """The tables of all profiles that are in use, by file name to bytes of the user's, in the order of their ids.

    Raises:
        ProfileError: a file is no table, or has an id, `override` or `extends` that cannot be; with its line.
    """
    all_ = Sources(user, {file: table.parse(data, file, foreign=True) for file, data in user.items()}, builtin())
    by_id = dict(all_.builtin)
    for file, data in sorted(user.items()):
        try:
            source = all_.source(file)
        except Defect as defect:
            raise ProfileError(file, table.line(data, defect.path), str(defect)) from defect
        by_id[source.id] = source
    return [by_id[id_] for id_ in sorted(by_id)]


def builtin() -> dict[str, Source]:
    """The built-in tables by id; they are read once, and nobody may change what is in them."""
    return {source.id: source for source in _builtin()}


@cache
def _builtin() -> list[Source]:
    found = []
    for file in table.builtin_names("profiles"):
        data = table.builtin("profiles", file)
        content = table.parse(data, file)
        found.append(Source(file=file, data=data, written=content, content=content))
    return found


def _laid_over(written: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    return _extended(written, {word: value for word, value in base.items() if word not in _OF_THE_FILE})


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
