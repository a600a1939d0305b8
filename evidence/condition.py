"""The table language of expectations: in which events something is expected, and what must then be there.

A row of a table is `{when: {...}, all_of: [...], any_of: [...], or_receipt: [...]}`. `when` names the kind of event and
narrows it; each matching event is one *instance*; the instance is satisfied when everything in `all_of` and something in
`any_of` is there. The names mean, by kind:

| event                 | names                                                                         |
|-----------------------|-------------------------------------------------------------------------------|
| `span`                | attributes after translation; `KEY[role=R]`: a message of role R inside KEY    |
| `resource`            | attributes of the resource                                                    |
| `receipt`             | members of the receipt's body                                                 |
| `run`                 | `opened`, `closed`, `sender_counts`: once for the part                         |
| `requested_tool_call` | `tool_span`: each tool call in a model's output has a span that carries it out |

Law: a row either quantifies over all matching events or is refused when it is read; a row that cannot fail is refused.
"""

import re
from dataclasses import dataclass
from typing import Literal

from evidence.strict_yaml import Node

EventKind = Literal["span", "resource", "receipt", "run", "requested_tool_call"]

OPERATION = "gen_ai.operation.name"
MCP_METHOD = "mcp.method.name"

_NAMES: dict[str, re.Pattern[str]] = {
    "span": re.compile(r"[a-z0-9_.]+(\[role=[a-z]+\])?"),
    "resource": re.compile(r"[a-z0-9_.]+"),
    "receipt": re.compile(r"[A-Za-z0-9_.]+"),
    "run": re.compile(r"opened|closed|sender_counts"),
    "requested_tool_call": re.compile(r"tool_span"),
}
_NARROWING: dict[str, tuple[str, ...]] = {
    "span": ("operation", "mcp_method", "attribute", "failed", "has_parent", "offers_tools"),
    "resource": (),
    "receipt": ("kind",),
    "run": (),
    "requested_tool_call": (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of an expectation table."""

    event: EventKind
    operation: tuple[str, ...] = ()
    """`gen_ai.operation.name` is one of these, or `mcp.method.name` one of `mcp_method`; both empty: any span."""
    mcp_method: tuple[str, ...] = ()
    attribute: str | None = None
    """The span has this attribute."""
    failed: bool | None = None
    """The span's status is an error."""
    has_parent: bool | None = None
    offers_tools: bool | None = None
    """The span names tool definitions, or the model's output asks for a tool call."""
    kind: tuple[str, ...] = ()
    """The receipt's kind is one of these."""
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    or_receipt: tuple[str, ...] = ()
    """Receipts of these kinds anywhere in the part stand for every instance."""

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is demanded, in one way or another."""
        return self.all_of + self.any_of

    @property
    def guaranteed(self) -> frozenset[str]:
        """Names that every event matching `when` has by that alone."""
        names = {self.attribute} if self.attribute else set()
        if self.operation and not self.mcp_method:
            names.add(OPERATION)
        if self.mcp_method and not self.operation:
            names.add(MCP_METHOD)
        return frozenset(names)


def read_row(node: Node, extra: tuple[str, ...] = ()) -> Row:
    """A row from YAML.

    Args:
        node: the row.
        extra: further keys that the caller reads.

    Raises:
        PackError: an unknown key, a name that its kind of event does not have, or a row that cannot fail.
    """
    members = node.mapping(["when"], ["all_of", "any_of", "or_receipt", *extra])
    kind = members["when"].entries().get("event")
    if kind is None:
        members["when"].fail("expected the key 'event'")
    event: EventKind = kind.one_of(tuple(_NAMES))  # type: ignore[assignment]  # the keys of _NAMES are the kinds
    when = members["when"].mapping(["event"], _NARROWING[event])
    row = Row(
        event=event,
        operation=when["operation"].texts() if "operation" in when else (),
        mcp_method=when["mcp_method"].texts() if "mcp_method" in when else (),
        attribute=when["attribute"].text() if "attribute" in when else None,
        failed=when["failed"].boolean() if "failed" in when else None,
        has_parent=when["has_parent"].boolean() if "has_parent" in when else None,
        offers_tools=when["offers_tools"].boolean() if "offers_tools" in when else None,
        kind=when["kind"].texts() if "kind" in when else (),
        all_of=members["all_of"].texts() if "all_of" in members else (),
        any_of=members["any_of"].texts() if "any_of" in members else (),
        or_receipt=members["or_receipt"].texts() if "or_receipt" in members else (),
    )
    _check(node, row)
    return row


def _check(node: Node, row: Row) -> None:
    for name in row.names:
        if _NAMES[row.event].fullmatch(name) is None:
            node.fail(f"{name!r} is not there in events of kind {row.event}")
    if row.event == "receipt" and not row.kind:
        node.fail("expected the kinds of receipt in when.kind")
    if all(name in row.guaranteed for name in row.all_of) and (
        not row.any_of or any(name in row.guaranteed for name in row.any_of)
    ):
        node.fail("cannot fail: nothing is demanded that `when` does not already say")
