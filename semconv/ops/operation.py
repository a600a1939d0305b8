"""What an operation is: a value and an argument in, a value out, or the reason why it does not apply.

Law: an operation looks at nothing but its value, its argument and its `Scope`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from semconv.table import Path
from semconv.value import Texts, Value, weighed

Argument = Any
Enums = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Miss:
    """An operation does not apply to this value, and the reason of loss if nothing else does."""

    reason: str


class Scope:
    """What an operation may look at beside its value: the item's attributes, and each JSON text parsed once."""

    __slots__ = ("_parsed", "attributes", "siblings", "texts")

    def __init__(self, attributes: Mapping[str, Value], texts: Texts | None = None) -> None:
        self.attributes = attributes
        self.texts: Texts = {} if texts is None else texts
        self.siblings: Mapping[str, Value] = {}
        """The members of the object that is being taken apart."""
        self._parsed: dict[int, tuple[str, dict[str, Value] | list[Value] | None, int]] = {}

    def inside(self, value: Value) -> Value:
        """The document a text is the JSON of, None for other text; what is no text is itself. Not to be changed."""
        return self.weighed(value)[0] if isinstance(value, str) else value

    def weighed(self, text: str) -> tuple[dict[str, Value] | list[Value] | None, int]:
        """The document of a text and the number of its leaves; None and 1 when it is of none."""
        known = self._parsed.get(id(text))
        if known is None:
            found = weighed(text, self.texts)
            known = (text, None, 1) if found is None else (text, *found)
            self._parsed[id(text)] = known  # the text is kept with it, so that its id stays its own
        return known[1], known[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation of the set."""

    run: Callable[[Value, Argument, Scope], Value | Miss]
    inverse: str | None
    """The operation that undoes it, None where there is none."""
    argument: Callable[[Any, Path, Enums], Argument]
    """Checks and compiles the argument as it stands in a table."""
    cuts: bool = False
    """It leaves something of the value out, so a row that uses it says what becomes of that: `lost` or `loses`."""


UNPARSEABLE: Final = Miss("unparseable")
COERCED: Final = Miss("type_coerced")
NOT_THIS: Final = Miss("ambiguous")
NO_LABEL: Final = Miss("no_concept")
