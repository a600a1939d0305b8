"""Reads spans and their logs for the checks: what each has after translation, how it looks, and what it waits for.

Law: a span is looked at once; what it lacks may come in a log of it, or in another span of its operation, before it or after.
"""

from collections.abc import Mapping
from typing import NamedTuple

from evidence.canonical import JsonObject
from evidence.checks.inside import NAMES, OUTPUT_MESSAGES, SERVER, TOOL_CALL_ID, TOOL_NAME, Inside
from evidence.checks.instance import AttributeInstance, short
from evidence.checks.ledger import Place
from evidence.checks.looks import Looks
from evidence.checks.messages import has_role
from evidence.checks.nesting import Call, Nesting, operation_of
from evidence.checks.plan import LedgerOf, Use
from evidence.checks.policy import GATED, NEEDS_APPROVAL, Policy, is_true
from evidence.checks.presence import Presence, Withheld
from evidence.checks.selector import FLAGS, MCP_METHOD, OPERATION, TOOL_DEFINITIONS, TOOL_METHOD, TOOL_OPERATION
from evidence.checks.span_logs import SpanLogs, SpanTold
from evidence.limits import Limits

RESPONSE_ID = "gen_ai.response.id"
READ = frozenset((OPERATION, MCP_METHOD, GATED, NEEDS_APPROVAL, RESPONSE_ID, *NAMES))
"""The attributes that it reads, whatever the checks ask for."""

Attributes = dict[str, JsonObject]
"""OTLP/JSON values by key."""

_STATUS_ERROR = 2  # OTLP Status.StatusCode
_FAILED, _HAS_PARENT, _OFFERS_TOOLS = FLAGS["failed"], FLAGS["has_parent"], FLAGS["offers_tools"]
_GATED, _NEEDS_APPROVAL = FLAGS["gated"], FLAGS["needs_approval"]


class Parts(NamedTuple):
    """What is looked for, and what is known of the run."""

    spans: Looks
    logs: Looks
    inside: Inside
    policy: Policy
    presence: Presence
    names: frozenset[str]
    """The attributes that any check asks for."""


class Spans:
    """Takes the spans and logs of a part, in order."""

    def __init__(self, parts: Parts, limits: Limits) -> None:
        self._spans, self._logs, self._inside = parts.spans, parts.logs, parts.inside
        self._policy, self._presence = parts.policy, parts.presence
        self._names = parts.names | READ
        self._nesting: Nesting[SpanTold] = Nesting(limits)
        self._span_logs = SpanLogs(parts.spans.bits, self._nesting, limits)

    def span(self, event: JsonObject, *, is_marked: bool) -> None:
        """Enter a span; `is_marked` as `Presence.is_marked` says of the event."""
        data = event["data"]
        span = data["span"]
        attributes = self._translated(span, data)
        operation, method = _text(attributes, OPERATION), _text(attributes, MCP_METHOD)
        instance = AttributeInstance(event, "#/data/span/attributes", attributes, self._presence, is_marked)
        flags = self._flags(span, attributes)
        if operation == TOOL_OPERATION or method == TOOL_METHOD:
            flags |= self._carry_out(attributes)
        if OUTPUT_MESSAGES in attributes and self._inside.request(instance, is_span=True):
            flags |= _OFFERS_TOOLS
        if TOOL_DEFINITIONS in attributes:
            self._inside.offer(instance, operation, method, _text(attributes, SERVER) if method else "")
        own, withheld = self._presence.states(attributes, self._spans.bits, is_marked=is_marked)
        trace = span["traceId"]
        key = short(trace + span["spanId"])
        told = self._take(instance, (operation, method, flags, own), withheld, key)
        if nested := operation_of(operation, method):
            parent = span.get("parentSpanId")
            tool, call_id = (TOOL_NAME, TOOL_CALL_ID) if nested == TOOL_OPERATION else ("", RESPONSE_ID)
            call = Call(nested, short(_text(attributes, tool)), short(_text(attributes, call_id)))
            self._nesting.add(key, short(trace + parent) if parent else "", call, told)

    def log(self, event: JsonObject, *, is_marked: bool) -> None:
        """Enter a log record; `is_marked` as `Presence.is_marked` says of the event."""
        data = event["data"]
        log = data["log"]
        key = short(log.get("traceId", "") + log.get("spanId", ""))
        if not key and not self._logs.is_used:
            return
        attributes = self._translated(log, data)
        instance = AttributeInstance(event, "#/data/log/attributes", attributes, self._presence, is_marked)
        if attributes and key:
            if OUTPUT_MESSAGES in attributes:
                self._inside.request(instance, is_span=False)
            there, withheld = self._presence.states(attributes, self._spans.bits, is_marked=is_marked)
            there |= _late(instance, self._spans, there, withheld)
            if there:
                self._span_logs.tell(key, there, withheld)
        if self._logs.is_used:
            there, withheld = self._presence.states(attributes, self._logs.bits, is_marked=is_marked)
            there |= _late(instance, self._logs, there, withheld)
            self._logs.enter(instance, there, withheld)

    def fold(self, ledger_of: LedgerOf) -> None:
        """Enter what still waits, if nothing further came, into ledgers."""
        self._span_logs.fold(ledger_of)

    def spoken_for(self) -> Mapping[Use, frozenset[Place]]:
        """By what takes instances, the places of spans that need no partner when the span around them is held to have one."""
        found: dict[Use, set[Place]] = {}
        for inner, outer in self._nesting.pairs():
            for use in inner.uses:
                if use in outer.uses:
                    found.setdefault(use, set()).add(inner.place)
        return {use: frozenset(places) for use, places in found.items()}

    def _take(
        self, instance: AttributeInstance, seen: tuple[str, str, int, int], withheld: dict[str, Withheld], key: str
    ) -> SpanTold:
        """Enter a span, with what logs of it held, and let it wait for more when it lacks anything."""
        looks, there = self._spans, seen[3]
        if told := self._span_logs.told(key):
            withheld = {**{name: each for name, each in told[1].items() if not there & looks.bits[name]}, **withheld}
            there |= told[0]
        plan = looks.plan(seen, there, withheld, instance)
        if plan.wants and (late := _late(instance, looks, there, withheld)):
            there |= late
            plan = looks.plan(seen, there, withheld, instance)
        plan.settle(instance.place, withheld)
        if plan.lacking:
            self._span_logs.wait(key, plan, instance.place, there, withheld)
        for use in plan.uses:
            use(instance)
        return SpanTold(there, withheld, instance.place, plan.uses)

    def _flags(self, span: JsonObject, attributes: Attributes) -> int:
        flags = _OFFERS_TOOLS if TOOL_DEFINITIONS in attributes else 0
        if "status" in span and span["status"].get("code") == _STATUS_ERROR:
            flags |= _FAILED
        return flags | _HAS_PARENT if "parentSpanId" in span and span["parentSpanId"].strip("0") else flags

    def _carry_out(self, attributes: Attributes) -> int:
        """Enter a span that carries out a tool call; the flags of its policy."""
        name = _text(attributes, TOOL_NAME)
        self._inside.calls.carry_out(short(_text(attributes, TOOL_CALL_ID)), short(name))
        gated, approval = self._policy.tool(name)
        if approval or is_true(attributes.get(NEEDS_APPROVAL)):
            return _GATED | _NEEDS_APPROVAL
        return _GATED if gated or is_true(attributes.get(GATED)) else 0

    def _translated(self, item: JsonObject, data: JsonObject) -> Attributes:
        """The attributes that any check asks for, after translation, without those that are null."""
        names = self._names
        try:
            attributes = {
                key: value
                for pair in item.get("attributes", ())
                if (key := pair["key"]) in names and (value := pair["value"])
            }
        except KeyError:  # OTLP/JSON leaves out an empty key, and what holds nothing
            attributes = {
                key: value
                for pair in item["attributes"]
                if (key := pair.get("key")) in names and (value := pair.get("value"))
            }
        if "mapped" in data:
            mapped = data["mapped"]
            for key in mapped.get("removed", ()):
                attributes.pop(key, None)
            for pair in mapped.get("attributes", ()):
                if (key := pair.get("key")) in names and (value := pair.get("value")):
                    attributes[key] = value
        return attributes


def _late(instance: AttributeInstance, looks: Looks, there: int, withheld: dict[str, Withheld]) -> int:
    """What else is there: messages of some role, and what is no content. `withheld` gets the roles that are withheld."""
    met = 0
    for name, bit in looks.about:
        if instance.value(name) is not None:
            met |= bit
    for name, bit, base, role in looks.roles:
        attributes = instance.attributes
        if base in attributes and there & looks.bits[base] and has_role(attributes[base], role):
            met |= bit
            if base in withheld:
                withheld[name] = withheld[base]
    return met


def _text(attributes: Mapping[str, JsonObject], key: str) -> str:
    if key not in attributes:
        return ""
    text = attributes[key].get("stringValue")
    return text if isinstance(text, str) else ""
