"""What is wrong with a file as YAML, all of it, in one pass over its events.

Law: nothing is built before this has passed. Depth is bounded while it is read, aliases (which multiply) and tags (which
make other things than text, numbers, lists and mappings) are flaws, and so is a key that comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

DEPTH_MAX: Final = 32
"""Levels of lists and mappings in a table. Ours have eight."""

KEY_TWICE: Final = "key-twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One flaw; line and column count from 1."""

    line: int
    column: int
    code: str
    message: str

    @property
    def fatal(self) -> bool:
        """Whether the file cannot be read any further for it."""
        return self.code != KEY_TWICE


@dataclass(slots=True)
class _Level:
    """An open list or mapping."""

    mapping: bool
    at_key: bool = True
    keys: set[str] = field(default_factory=set)

    def next(self) -> None:
        """Something stands complete at this level."""
        self.at_key = not self.at_key


def flaws(data: bytes) -> Iterator[Flaw]:
    """The flaws in the order of the file; none follows one of its syntax or its depth."""
    import yaml  # noqa: PLC0415  # a process that reads no table does not pay for it

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    levels: list[_Level] = []
    try:
        for event in yaml.parse(data, Loader=loader):
            if isinstance(event, yaml.AliasEvent):
                yield _flaw(event.start_mark, "alias", "aliases are not allowed in a profile")
            elif getattr(event, "tag", None) is not None:
                yield _flaw(event.start_mark, "tag", f"tags are not allowed in a profile, got {event.tag}")  # type: ignore[attr-defined]  # it has one
            if isinstance(event, yaml.CollectionStartEvent):
                if len(levels) == DEPTH_MAX:
                    yield _flaw(event.start_mark, "too-deep", f"expected at most {DEPTH_MAX} levels")
                    return
                if levels and levels[-1].mapping and levels[-1].at_key:
                    yield _flaw(event.start_mark, "key-no-text", "expected text as key, got a list or mapping")
                levels.append(_Level(isinstance(event, yaml.MappingStartEvent)))
            elif isinstance(event, yaml.CollectionEndEvent):
                levels.pop()
                _complete(levels)
            elif isinstance(event, yaml.NodeEvent):
                twice = _twice(event, levels)
                if twice:
                    yield _flaw(event.start_mark, KEY_TWICE, twice)
                _complete(levels)
    except yaml.MarkedYAMLError as error:
        yield _flaw(error.problem_mark, "not-yaml", error.problem or "not YAML")
    except (yaml.YAMLError, ValueError) as error:
        yield _flaw(None, "not-yaml", f"not YAML: {type(error).__name__}")


def _twice(event: Any, levels: list[_Level]) -> str:  # noqa: ANN401  # an event of PyYAML
    """What to say of a scalar that is a key its mapping has already; empty when it is not."""
    if not levels or not levels[-1].mapping or not levels[-1].at_key:
        return ""
    key = getattr(event, "value", "")
    if key not in levels[-1].keys:
        levels[-1].keys.add(key)
        return ""
    return f"key {key!r} comes twice"


def _complete(levels: list[_Level]) -> None:
    if levels:
        levels[-1].next()


def _flaw(mark: Any, code: str, message: str) -> Flaw:  # noqa: ANN401  # a mark of PyYAML, or none
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Flaw(line=line, column=column, code=code, message=message)
