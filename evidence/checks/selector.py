"""Selectors: which events, or which things inside events, a check is about.

Everything that a selector picks is one *instance*. The kinds of instance, and the names that each has:

| event                 | is                                             | names                                        |
|-----------------------|------------------------------------------------|----------------------------------------------|
| `span`, `log`         | one event                                      | attributes after translation                 |
| `resource`            | one event                                      | attributes                                   |
| `receipt`             | one event                                      | members of the body; `a.b` for inner ones    |
| `gap`                 | one event                                      | `kind`, `count`, `detail`                    |
| `run`                 | the part, once                                 | `opened`, `closed`, `sender_counts` of spans |
| `requested_tool_call` | a tool call that a model's output asks for     | `id`, `name`, `tool_span`: a span carries it out |
| `tool_definition`     | a tool that a span offers                      | `name`, `digest`, `description`, `server`    |
| `withheld`            | a commitment in place of content, in any event | `alg`, `digest`, `size_bytes`, `reason`      |
| `secret`              | what a secret detector finds in any event      | `detector`                                   |

Names with `@` are no content: `@span_id @trace_id @parent_span_id @time @start @end @kind`, as far as the event has them; what
is inside an event has those of the event. `@time` is when the thing was over (the end of a span, a receipt's own time, else the
time of its event), in nanoseconds since 1970. A span has `@exception_type` too: what the last of its exception events names.

Law: a selector that selects nothing, whatever the run, is refused when it is read.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

from evidence.strict_yaml import Node

EventKind = Literal[
    "span", "log", "resource", "receipt", "run", "gap", "requested_tool_call", "tool_definition", "withheld", "secret"
]

OPERATION = "gen_ai.operation.name"
MCP_METHOD = "mcp.method.name"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
TOOL_OPERATION, TOOL_METHOD = "execute_tool", "tools/call"
"""What makes a span the carrying out of a tool call."""

Value = TypeVar("Value")

EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

_ATTRIBUTE = re.compile(r"[a-z0-9_.-]+")
_ROLE = re.compile(r"[a-z0-9_.-]+\[role=[a-z]+\]")
FLAGS: Mapping[str, int] = {"failed": 1, "has_parent": 2, "offers_tools": 4, "gated": 8, "needs_approval": 16}
"""What narrows spans by yes or no, each with a bit of its own."""
_LISTS = ("operation", "mcp_method", "kind")
_EVERY = ("@span_id", "@trace_id", "@parent_span_id", "@time", "@start", "@end", "@kind")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a kind of instance may be asked."""

    names: re.Pattern[str]
    about: tuple[str, ...]
    """Names with `@` that it may have."""
    always: tuple[str, ...]
    """Names that every instance has."""
    narrowing: tuple[str, ...] = ()
    roles: bool = False
    """Whether `KEY[role=R]`, a message of role R inside KEY, may be demanded."""


_KINDS: Mapping[str, _Kind] = {
    "span": _Kind(
        _ATTRIBUTE,
        (*_EVERY, "@exception_type"),
        tuple(name for name in _EVERY if name != "@parent_span_id"),
        ("operation", "mcp_method", "attribute", *FLAGS),
        roles=True,
    ),
    "log": _Kind(_ATTRIBUTE, ("@span_id", "@trace_id", "@time", "@kind"), ("@time",), ("attribute",), roles=True),
    "resource": _Kind(_ATTRIBUTE, ("@time",), ("@time",), ("attribute",)),
    "receipt": _Kind(
        re.compile(r"[A-Za-z0-9_.-]+"),
        ("@span_id", "@trace_id", "@time", "@kind"),
        ("@time", "@kind"),
        ("kind",),
    ),
    "gap": _Kind(re.compile(r"kind|count|detail"), ("@time",), ("kind", "count", "@time"), ("kind",)),
    "run": _Kind(re.compile(r"opened|closed|sender_counts"), (), ()),
    "requested_tool_call": _Kind(re.compile(r"id|name|tool_span"), _EVERY, ("@time",)),
    "tool_definition": _Kind(
        re.compile(r"name|digest|description|server"), _EVERY, ("digest", "@time"), ("operation", "mcp_method")
    ),
    "withheld": _Kind(re.compile(r"alg|digest|size_bytes|reason"), _EVERY, ("alg", "digest", "size_bytes", "@time")),
    "secret": _Kind(re.compile(r"detector"), _EVERY, ("detector", "@time")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which instances. What is not said narrows nothing."""

    event: EventKind
    operation: tuple[str, ...] = ()
    """`gen_ai.operation.name` is one of these, or `mcp.method.name` one of `mcp_method`; of a tool, that of the span that offers it."""
    mcp_method: tuple[str, ...] = ()
    attribute: str | None = None
    """The event has this attribute."""
    failed: bool | None = None
    """The span's status is an error."""
    has_parent: bool | None = None
    offers_tools: bool | None = None
    """The span names tool definitions, or the model's output asks for a tool call."""
    gated: bool | None = None
    """The span carries out a tool call that is under policy (`evidence.checks.policy`)."""
    needs_approval: bool | None = None
    kind: tuple[str, ...] = ()
    """The kind of the receipt or gap is one of these."""
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The value of each name, as text, is one of these; one that ends in `*` is a prefix. Of a list, any element."""
    at_least: tuple[tuple[str, float], ...] = ()
    """The value of each name is a number of at least this."""
    asked: int = field(init=False, compare=False, repr=False)
    """The flags that it narrows by, as bits of `FLAGS`."""
    wanted: int = field(init=False, compare=False, repr=False)
    """Those of them that must be there; the others must not."""

    def __post_init__(self) -> None:
        said = {bit: getattr(self, flag) for flag, bit in FLAGS.items()}
        object.__setattr__(self, "asked", sum(bit for bit, wanted in said.items() if wanted is not None))
        object.__setattr__(self, "wanted", sum(bit for bit, wanted in said.items() if wanted))

    @property
    def values(self) -> tuple[str, ...]:
        """The names whose values it looks at."""
        return tuple(name for name, _ in (*self.where, *self.at_least))

    @property
    def guaranteed(self) -> frozenset[str]:
        """Names that every instance has, by being one."""
        names = {*_KINDS[self.event].always, *self.values}
        if self.attribute:
            names.add(self.attribute)
        if self.operation and not self.mcp_method:
            names.add(OPERATION)
        if self.mcp_method and not self.operation:
            names.add(MCP_METHOD)
        if self.has_parent:
            names.add("@parent_span_id")
        return frozenset(names)

    @property
    def excluded(self) -> frozenset[str]:
        """Names that no instance has, by being one."""
        names = set()
        if self.has_parent is False:
            names.add("@parent_span_id")
        if self.offers_tools is False:
            names.add(TOOL_DEFINITIONS)
        return frozenset(names)

    def takes_every(self, other: "Selector") -> bool:
        """Whether every instance of `other` is one of this; False when that cannot be seen."""
        return (
            self.event == other.event
            and _within((other.operation, other.mcp_method), (self.operation, self.mcp_method))
            and (self.attribute is None or self.attribute in other.guaranteed)
            and all(getattr(self, flag) in {None, getattr(other, flag)} for flag in FLAGS)
            and _within((other.kind,), (self.kind,))
            and set(self.where) <= set(other.where)
            and set(self.at_least) <= set(other.at_least)
        )


def _within(inner: Sequence[tuple[str, ...]], outer: Sequence[tuple[str, ...]]) -> bool:
    """Whether alternatives are all among others; without any alternative everything is taken."""
    if not any(outer):
        return True
    return any(inner) and all(set(one) <= set(other) for one, other in zip(inner, outer, strict=True))


def read_selector(node: Node) -> Selector:
    """A selector from YAML.

    Raises:
        PackError: with file and line: an unknown key or kind, a name that its kind does not have, or nothing to select.
    """
    kind = node.entries().get("event")
    if kind is None:
        node.fail("expected the key 'event'")
    event: EventKind = kind.one_of(tuple(_KINDS))  # type: ignore[assignment]  # the keys of _KINDS are the kinds
    values = () if event == "run" else ("where", "at_least")
    members = node.mapping(["event"], [*_KINDS[event].narrowing, *values])
    selector = Selector(
        event=event,
        **_read(members, _LISTS, Node.texts),
        **_read(members, FLAGS, Node.boolean),
        attribute=members["attribute"].text() if "attribute" in members else None,
        where=_pairs(members, "where", Node.texts),
        at_least=_pairs(members, "at_least", Node.number),
    )
    _check(node, members, selector)
    return selector


def hold_name(node: Node, event: EventKind, name: str, *, value: bool = False) -> str:
    """`name`, which must be one that instances of this kind may have.

    Args:
        node: where it stands.
        event: the kind of instance.
        name: the name.
        value: whether its value is wanted, not only that it is there.

    Raises:
        PackError: it is not.
    """
    kind = _KINDS[event]
    if name.startswith("@"):
        known = name in kind.about
    elif value and name == "tool_span" and event == "requested_tool_call":
        known = False
    else:
        known = bool(kind.names.fullmatch(name) or (kind.roles and not value and _ROLE.fullmatch(name)))
    if not known:
        node.fail(f"{name!r} is not there in events of kind {event}")
    return name


def _read(members: Mapping[str, Node], names: Iterable[str], read: Callable[[Node], object]) -> dict[str, Any]:
    return {name: read(members[name]) for name in names if name in members}


def _pairs(members: Mapping[str, Node], key: str, read: Callable[[Node], Value]) -> tuple[tuple[str, Value], ...]:
    return tuple((name, read(value)) for name, value in members[key].entries().items()) if key in members else ()


def _check(node: Node, members: Mapping[str, Node], selector: Selector) -> None:
    if selector.event == "receipt" and not selector.kind:
        node.fail("expected the kinds of receipt in when.kind")
    for key in ("where", "at_least"):
        if key in members:
            if not members[key].entries():
                members[key].fail("expected at least one name")
            for name in members[key].entries():
                hold_name(members[key], selector.event, name, value=True)
    if selector.attribute is not None:
        hold_name(members["attribute"], selector.event, selector.attribute, value=True)
    if selector.guaranteed & selector.excluded:
        node.fail(f"selects nothing: {min(selector.guaranteed & selector.excluded)} is there and is not")
    is_tool = not (selector.operation or selector.mcp_method) or (
        TOOL_OPERATION in selector.operation or TOOL_METHOD in selector.mcp_method
    )
    if (selector.gated or selector.needs_approval) and not is_tool:
        node.fail(f"selects nothing: only {TOOL_OPERATION} and {TOOL_METHOD} are under policy")
    if selector.needs_approval and selector.gated is False:
        node.fail("selects nothing: what needs approval is under policy")
