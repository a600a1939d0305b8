"""Matching a pattern without going back: every way of matching is followed at once, by where in the text it has got to.

Law: what `fullmatch` of the standard library says, in time at most the pattern's length times the square of the text's, so that a
text that somebody else chose cannot make a pattern of ours take for ever. Python's own matcher tries one way after another,
and of those there may be more than anyone can wait for.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from re import _constants as ops  # type: ignore[attr-defined]  # what the parser makes has no public names
from re import _parser as parser  # type: ignore[attr-defined]  # the standard library's own reading of a pattern
from typing import Any, TypeAlias

from attest.errors import PolicyError

Places: TypeAlias = frozenset[int]
"""Where in the text one may have got to."""
Step: TypeAlias = Callable[[str, Places], Places]
"""From where one may be to where one may be after one part of a pattern."""

_CATEGORIES: Mapping[Any, re.Pattern[str]] = {
    ops.CATEGORY_DIGIT: re.compile(r"\d"),
    ops.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    ops.CATEGORY_SPACE: re.compile(r"\s"),
    ops.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    ops.CATEGORY_WORD: re.compile(r"\w"),
    ops.CATEGORY_NOT_WORD: re.compile(r"\W"),
}


def fullmatch(pattern: str, text: str) -> bool:
    """Whether the pattern takes the whole text.

    Raises:
        PolicyError: no regular expression, or one that looks around, refers back, sets flags, forbids going back or asks for the
            edge of a word.
    """
    return len(text) in _steps(pattern)(text, frozenset({0}))


@lru_cache(maxsize=64)
def _steps(pattern: str) -> Step:
    try:
        parsed = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(f"expected a regular expression, got {pattern[:80]!r}: {error}") from error
    if parsed.state.flags != re.UNICODE.value:
        raise PolicyError(f"expected a pattern that sets no flags, got {pattern[:80]!r}")
    return _sequence(parsed)


def _sequence(nodes: Iterable[tuple[Any, Any]]) -> Step:
    steps = [_step(kind, value) for kind, value in nodes]

    def run(text: str, places: Places) -> Places:
        for step in steps:
            places = step(text, places)
        return places

    return run


def _step(kind: Any, value: Any) -> Step:  # noqa: ANN401 - as the parser makes them
    if kind in (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN):
        return _character(_takes(kind, value))
    if kind is ops.SUBPATTERN:
        _, added, removed, inside = value
        if not added and not removed:
            return _sequence(inside)
    if kind is ops.BRANCH:
        ways = [_sequence(way) for way in value[1]]
        return lambda text, places: frozenset().union(*(way(text, places) for way in ways))
    if kind in (ops.MAX_REPEAT, ops.MIN_REPEAT):
        return _repeated(value[0], value[1], _sequence(value[2]))
    if kind is ops.AT and value in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING):
        return lambda _, places: places & {0}
    if kind is ops.AT and value is ops.AT_END_STRING:
        return lambda text, places: places & {len(text)}
    if kind is ops.AT and value is ops.AT_END:
        return lambda text, places: places & ({len(text), len(text) - 1} if text[-1:] == "\n" else {len(text)})
    raise PolicyError(f"expected a plain pattern, got one with {str(kind).lower()}")


def _character(takes: Callable[[str], bool]) -> Step:
    return lambda text, places: frozenset(at + 1 for at in places if at < len(text) and takes(text[at]))


def _repeated(least: int, most: int, once: Step) -> Step:
    def run(text: str, places: Places) -> Places:
        for _ in range(least):
            before, places = places, once(text, places)
            if places in (before, frozenset()):
                break
        found, fresh = set(places), places
        for _ in range(min(most - least, len(text) + 1)):
            fresh = once(text, fresh) - found
            if not fresh:
                break
            found |= fresh
        return frozenset(found)

    return run


def _takes(kind: Any, value: Any) -> Callable[[str], bool]:  # noqa: ANN401 - as above
    if kind is ops.LITERAL:
        return lambda char: ord(char) == value
    if kind is ops.NOT_LITERAL:
        return lambda char: ord(char) != value
    if kind is ops.ANY:
        return lambda char: char != "\n"
    if kind is ops.RANGE:
        return lambda char: value[0] <= ord(char) <= value[1]
    if kind is ops.CATEGORY:
        return lambda char: _CATEGORIES[value].match(char) is not None
    negated = value[0][0] is ops.NEGATE
    members = [_takes(*item) for item in value[negated:]]
    return lambda char: any(takes(char) for takes in members) != negated
