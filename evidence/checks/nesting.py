"""Several spans of one operation, inside each other, and what they tell together.

So it is with a framework's call of a tool around its client's around the server's, and with an instrumentation's call of a
model around the SDK's own.

Law: a span that is the only one of its operation directly inside another tells of the same thing as that one, and what one of
them says the other need not. Two beside each other are two operations: neither they nor what they are in speak for one
another. Memory is bounded by `Limits.open_instances_max`: a span that does not fit speaks for itself alone.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from evidence.checks.selector import TOOL_METHOD, TOOL_OPERATION
from evidence.limits import Limits

Told = TypeVar("Told")

_INFERENCES = frozenset({"chat", "generate_content", "text_completion"})
_OTHERS = frozenset({"embeddings", "retrieval"})


class Call(NamedTuple):
    """What a span carries out, as far as it says."""

    operation: str
    """`operation_of` it, not empty."""
    tool: str
    """`gen_ai.tool.name`. A tool call without it is alone, and is counted beside others all the same."""
    id: str
    """What tells calls of one operation apart."""

    def may_be(self, inner: "Call") -> bool:
        """Whether the only span of the same operation inside this one can be the same call."""
        is_same = self.tool == inner.tool and bool(self.tool or self.operation != TOOL_OPERATION)
        return is_same and len({self.id, inner.id} - {""}) < 2


class _Span(NamedTuple, Generic[Told]):
    parent: str
    call: Call
    told: Told


def operation_of(operation: str, method: str) -> str:
    """What two spans of one operation have in common; "" for operations whose spans each stand for themselves, as agents do.

    Args:
        operation: `gen_ai.operation.name`.
        method: `mcp.method.name`.
    """
    if operation == TOOL_OPERATION or method == TOOL_METHOD:
        return TOOL_OPERATION
    if operation in _INFERENCES:
        return "inference"
    return operation if operation in _OTHERS else method


class Nesting(Generic[Told]):
    """The spans of a part that may be inside each other, and what each tells."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.open_instances_max
        self._spans: dict[str, _Span[Told]] = {}
        self._inner: dict[tuple[str, str], str] = {}
        """By outer span and operation, the span inside; "" for several."""

    def add(self, key: str, parent: str, call: Call, told: Told) -> None:
        """A span, in any order.

        Args:
            key: which span.
            parent: the span that it is in; "" for none.
            call: what it carries out.
            told: what it tells.
        """
        if key in self._spans:
            return
        place = parent, call.operation
        is_full = len(self._spans) >= self._most
        if parent and (place in self._inner or not is_full):
            self._inner[place] = "" if place in self._inner else key
        if not is_full:
            self._spans[key] = _Span(parent, call, told)

    def learn(self, key: str, more: Callable[[Told], Told]) -> None:
        """A span tells more than was known: `more` gives all of it, from what was."""
        if span := self._spans.get(key):
            self._spans[key] = span._replace(told=more(span.told))

    def others(self, key: str) -> list[Told]:
        """What the other spans of a span's operation tell, from the outermost on; nothing when it is alone."""
        if key not in self._spans:
            return []
        chain = deque([key])
        known = {key}
        while (outer := self._spans[chain[0]].parent) not in known and self._within(outer) == chain[0]:
            chain.appendleft(outer)
            known.add(outer)
        while (inner := self._within(chain[-1])) is not None and inner not in known:
            chain.append(inner)
            known.add(inner)
        return [self._spans[each].told for each in chain if each != key]

    def pairs(self) -> Iterator[tuple[Told, Told]]:
        """What a span tells that is inside another of its operation, and what that one tells."""
        for key, span in self._spans.items():
            if self._within(span.parent) == key:
                yield span.told, self._spans[span.parent].told

    def _within(self, key: str) -> str | None:
        """The only span inside this one that is of its operation."""
        outer = self._spans.get(key)
        found = self._inner.get((key, outer.call.operation)) if outer is not None else None
        if outer is None or not found or found == key:
            return None
        return found if outer.call.may_be(self._spans[found].call) else None
