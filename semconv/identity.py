"""What a span is, by the target's rules: its name, its kind, and the type of its error.

Span types are not on the wire; the operation (or the MCP method) says which one a span is. Nothing is invented: a template
whose keys are missing gives only its beginning, and a kind is changed only where the type leaves one choice.
Rules: https://github.com/open-telemetry/semantic-conventions-genai, span name and span kind of each span type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from semconv.profile.profile import NameRow
from semconv.target import OPERATION, SpanType, Target
from semconv.value import Value
from semconv.view import EventView

ERROR_TYPE: Final = "error.type"
LEFT_KIND: Final = 1
"""INTERNAL: the kind nearly every SDK leaves where none is asked for."""
STATUS_ERROR: Final = 2
_INTERNAL: Final = 1
_UNSAID_KINDS: Final = (0, 1)
"""UNSPECIFIED and INTERNAL: what an instrumentation leaves that does not use kinds."""


def span_types(target: Target, said: Callable[[str], Value]) -> tuple[SpanType, ...]:
    """The types a span that says this may have; none when it says no operation of the target's."""
    for mark, types in target.by_mark.items():
        if said(mark) is not None:
            return types
    operation = said(OPERATION)
    return target.by_operation.get(operation, ()) if type(operation) is str else ()


def kind_of(kind: int, types: Sequence[SpanType], *, says_nothing: bool, known: int | None = None) -> int:
    """The kind a span of one of these types has.

    Args:
        kind: the one it came with.
        types: what it may be; not empty.
        says_nothing: the source does not use kinds, so that INTERNAL is a default.
        known: the kind a table gives, for a span that came without a telling one.
    """
    if kind in _UNSAID_KINDS and known is not None:
        return known
    primary = types[0].kind
    one_choice = len(types) == 1
    if kind in types[0].allowed_kinds or any(kind in candidate.allowed_kinds for candidate in types[1:]):
        return primary if says_nothing and one_choice and kind in _UNSAID_KINDS else kind
    if one_choice:
        return primary
    # OTLP: what is unspecified may be taken for internal; where no type is, nothing is known.
    return _INTERNAL if not kind and any(_INTERNAL in candidate.allowed_kinds for candidate in types) else kind


def name_of(kind: int, types: Sequence[SpanType], said: Callable[[str], Value]) -> str | None:
    """The name of a span of one of these types and this kind; None when the target has no say."""
    for candidate in types:
        if kind in candidate.allowed_kinds:
            return candidate.span_name(said)
    return types[0].span_name(said)


def says_as_much(old: str, new: str, *attributes: Mapping[str, Value]) -> bool:
    """Whether everything a name said is in the new name or in an attribute."""
    return old in new or any(old in values.values() for values in attributes)


def source_name(new: str, rows: Sequence[tuple[NameRow, str]], said: Callable[[str], Value]) -> str:
    """The name a span had before it got a new one, as far as it follows from what the span says.

    Args:
        new: the name in the target.
        rows: what the tables know of names for such a span, each with the key its variable is. The first is the one that counts.
        said: what stands under a key of the translated span.

    Returns:
        The first row written out; without a row that can be, what the new name says beside its operation.
    """
    for row, key in rows:
        found = said(key) if key else ""
        if type(found) is str and bool(found) == bool(row.to):
            return f"{row.prefix}{found}{row.suffix}"
    return new.partition(" ")[2]


def error_type(events: Sequence[EventView]) -> str | None:
    """The type of the exception a failed span ended with: its last one."""
    for event in reversed(events):
        found = event.attributes.get("exception.type")
        if event.name == "exception" and isinstance(found, str) and found:
            return found
    return None
