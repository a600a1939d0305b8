"""Evaluates checks over the events of a part, as a stream.

Law: the result depends on the set of events and their order alone; memory is bounded whatever the number of events. Where
a bound is reached, instances count as lacking, never as satisfied.

For `exists_for_all`, a span's content may come in a log of the same span (the conventions' `event_only` mode), before or after
it, or in another span of the same operation (`evidence.nesting`), and the span of a requested tool call before or after the
model's; what waits for its other half is bounded by `Limits.open_instances_max`. Joins and counts look at the span and the log
each by itself; of spans of one operation, the one around the others needs the partner.
"""

from collections.abc import Callable, Mapping, Sequence

from evidence.canonical import JsonObject, canonical
from evidence.check import Check, CountWithin, ExistsForAll, Join, names_of
from evidence.errors import EventError
from evidence.event import LOG, RECEIPT, RESOURCE, RUN_CLOSED, RUN_GAP, RUN_OPENED, SPAN
from evidence.groups import Counted
from evidence.inside import NAMES, SERVER, TOOL_CALL_ID, TOOL_NAME, Inside
from evidence.instance import Instance, attribute_values, body_values
from evidence.joins import Joined
from evidence.ledger import Ledger, Place
from evidence.limits import DEFAULT, Limits
from evidence.looks import Existence, Look, Looks, Use
from evidence.messages import has_role
from evidence.nesting import Call, Nesting, operation_of
from evidence.policy import GATED, NEEDS_APPROVAL, Policy, is_true
from evidence.policy import RECEIPT_KIND as POLICY
from evidence.presence import NONE, Placeholders, Presence, Withheld
from evidence.selector import (
    EVENT_KINDS,
    FLAGS,
    MCP_METHOD,
    OPERATION,
    TOOL_DEFINITIONS,
    TOOL_METHOD,
    TOOL_OPERATION,
    EventKind,
    Selector,
)
from evidence.span_logs import SpanLogs, SpanTold

RESPONSE_ID = "gen_ai.response.id"
_SELF = (OPERATION, MCP_METHOD, GATED, NEEDS_APPROVAL, RESPONSE_ID, *NAMES)

Attributes = dict[str, JsonObject]
"""OTLP/JSON values by key."""


class Evaluation:
    """The ledgers of some checks, filled event by event.

    Args:
        checks: checks by the owner whose ledger they fill, for instance the id of a signal. Equal ones are evaluated once.
        placeholders: what counts as absent although something is written.
        limits: bounds on what waits and on locations.
    """

    def __init__(
        self,
        checks: Mapping[str, Sequence[Check]],
        placeholders: Placeholders = NONE,
        limits: Limits = DEFAULT,
    ) -> None:
        self._limits = limits
        self._checks = {owner: tuple(owned) for owner, owned in checks.items()}
        distinct = dict.fromkeys(check for owned in self._checks.values() for check in owned)
        self._joins = {check: Joined(check, limits) for check in distinct if isinstance(check, Join)}
        self._counts = {check: Counted(check, limits) for check in distinct if isinstance(check, CountWithin)}
        existences = [check for check in distinct if isinstance(check, ExistsForAll)]
        self._kinds = {kind: Looks(_of(kind, existences), self._uses(kind), limits) for kind in EVENT_KINDS}
        self._spans, self._logs = self._kinds["span"], self._kinds["log"]
        self._inside = Inside(self._kinds, limits)
        self._presence = Presence(placeholders)
        self._policy = Policy(limits)
        self._nesting: Nesting[SpanTold] = Nesting(limits)
        self._span_logs = SpanLogs(self._spans.bits, self._nesting, limits)
        self._relevant = frozenset((*_SELF, *self._attribute_names(distinct)))
        self._receipt_kinds: dict[str, None] = dict.fromkeys(k for check in existences for k in check.or_receipt)
        self._told_kinds: set[str] = set()
        self._run: dict[str, bool] = {}
        self._run_id = ""
        self._add: dict[str, Callable[[JsonObject, bytes], None]] = {
            SPAN: self._span,
            LOG: self._log,
            RESOURCE: self._resource,
            RECEIPT: self._receipt,
            RUN_GAP: self._gap,
            RUN_OPENED: self._run_opened,
            RUN_CLOSED: self._run_closed,
        }

    def add(self, event: JsonObject, line: bytes = b"") -> None:
        """Look at the next event; `line` is its canonical form, made here when it is not given.

        Raises:
            EventError: the telemetry in it is not OTLP/JSON.
        """
        self._run_id = event["runid"]
        line = line or canonical(event)
        try:
            if add := self._add.get(event["type"]):
                add(event, line)
            if self._inside.searches:
                self._inside.search(event, line)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise EventError(f"{event['id']}: data is not OTLP/JSON: {type(error).__name__}: {error}") from error

    def result(self) -> dict[str, Ledger]:
        """One ledger for each owner, as if no further event came. May be asked for at any time."""
        run = (0, f"{self._run_id}#/run")
        found: dict[Check, Ledger] = self._existing(run)
        found |= {check: joined.result(self._spoken_for(joined.left)) for check, joined in self._joins.items()}
        found |= {check: counted.result(run) for check, counted in self._counts.items()}
        totals = {owner: Ledger(self._limits) for owner in self._checks}
        for owner, owned in self._checks.items():
            for check in owned:
                satisfied = isinstance(check, ExistsForAll) and not self._told_kinds.isdisjoint(check.or_receipt)
                totals[owner].absorb(found[check], satisfied=satisfied)
        return totals

    def _spoken_for(self, use: Use) -> frozenset[Place]:
        """The places of spans that need no partner when the span around them, of the same operation, is held to have one."""
        return frozenset(
            inner.place for inner, outer in self._nesting.pairs() if use in inner.uses and use in outer.uses
        )

    def _existing(self, run: Place) -> dict[Check, Ledger]:
        """What came of each `exists_for_all`."""
        totals: dict[Check, Ledger] = {}
        for looks in self._kinds.values():
            for existence in looks.existences:
                totals[existence.check] = Ledger(self._limits)
                totals[existence.check].absorb(existence.ledger)
        for existence in self._kinds["run"].existences:
            there = sum(bit for name, bit in self._kinds["run"].bits.items() if self._run.get(name))
            totals[existence.check].count(run, existence.lacks(there))

        def ledger_of(existence: Existence) -> Ledger:
            return totals[existence.check]

        for looks in self._kinds.values():
            looks.fold(ledger_of)
        self._span_logs.fold(ledger_of)
        self._inside.fold(ledger_of)
        return totals

    # ---------------------------------------------------------------- what is looked for

    def _uses(self, kind: EventKind) -> list[tuple[Selector, Use]]:
        uses: list[tuple[Selector, Use]] = []
        for check, joined in self._joins.items():
            uses += [(check.when, joined.left), (check.partner, joined.right)]
        for count, counted in self._counts.items():
            uses.append((count.when, counted.count))
            if count.over is not None:
                uses.append((count.over, counted.populate))
        return [(selector, use) for selector, use in uses if selector.event == kind]

    def _attribute_names(self, distinct: Mapping[Check, None]) -> set[str]:
        """Every name that may be an attribute of a span or log."""
        names = {name for kind in (self._spans, self._logs) for name in kind.bits}
        for check in distinct:
            names |= set(names_of(check))
        return names

    # ---------------------------------------------------------------- spans and their logs

    def _span(self, event: JsonObject, line: bytes) -> None:
        data = event["data"]
        span = data["span"]
        attributes = self._translated(span, data.get("mapped"))
        path = f"{event['id']}#/data/span/attributes"
        operation, method = _text(attributes, OPERATION), _text(attributes, MCP_METHOD)
        is_tool = operation == TOOL_OPERATION or method == TOOL_METHOD
        if is_tool:
            self._inside.calls.carry_out(_text(attributes, TOOL_CALL_ID), _text(attributes, TOOL_NAME))
        asks = self._inside.request(event, attributes, path, is_span=True)
        if TOOL_DEFINITIONS in attributes:
            self._inside.offer(event, attributes, operation, method, _text(attributes, SERVER) if method else "")
        flags = self._flags(span, attributes, is_tool=is_tool, offers=asks or TOOL_DEFINITIONS in attributes)
        instance = Instance(event, path, attribute_values(attributes, self._presence))
        own, withheld = self._states(instance, attributes, self._spans, line)
        look = Look(operation, method, flags, own, own, 0)
        told = self._take_span(instance, attributes, look, withheld, span["traceId"] + span["spanId"])
        if nested := operation_of(operation, method):
            trace, parent = span["traceId"], span.get("parentSpanId")
            tool, call_id = (TOOL_NAME, TOOL_CALL_ID) if is_tool else ("", RESPONSE_ID)
            call = Call(nested, _text(attributes, tool), _text(attributes, call_id))
            self._nesting.add(trace + span["spanId"], trace + parent if parent else "", call, told)

    def _take_span(
        self, instance: Instance, attributes: Attributes, look: Look, withheld: dict[str, Withheld], key: str
    ) -> SpanTold:
        """Enter a span, with what logs of it held, and let it wait for more when it lacks anything."""
        looks, there = self._spans, look.own
        if told := self._span_logs.told(key):
            there |= told[0]
            withheld = {**{name: each for name, each in told[1].items() if not look.own & looks.bits[name]}, **withheld}
        plan = looks.plan(look._replace(there=there), withheld, instance)
        if plan.lacking and looks.roles and (roles := self._roles(attributes, looks, there, withheld)):
            there |= roles
            plan = looks.plan(look._replace(there=there), withheld, instance)
        plan.settle(instance.place, withheld)
        if plan.lacking:
            self._span_logs.wait(key, plan, instance.place, there, withheld)
        for use in plan.uses:
            use(instance)
        return SpanTold(there, withheld, instance.place, plan.uses)

    def _flags(self, span: JsonObject, attributes: Attributes, *, is_tool: bool, offers: bool) -> int:
        flags = FLAGS["offers_tools"] if offers else 0
        if "status" in span and span["status"].get("code") == _STATUS_ERROR:
            flags |= FLAGS["failed"]
        if "parentSpanId" in span:
            flags |= FLAGS["has_parent"]
        if is_tool:
            gated, approval = self._policy.tool(_text(attributes, TOOL_NAME))
            approval = approval or is_true(attributes.get(NEEDS_APPROVAL))
            if gated or approval or is_true(attributes.get(GATED)):
                flags |= FLAGS["gated"]
            if approval:
                flags |= FLAGS["needs_approval"]
        return flags

    def _log(self, event: JsonObject, line: bytes) -> None:
        data = event["data"]
        log = data["log"]
        key = log.get("traceId", "") + log.get("spanId", "")
        attributes = self._translated(log, data.get("mapped")) if key or self._logs.is_used else {}
        path = f"{event['id']}#/data/log/attributes"
        instance = Instance(event, path, attribute_values(attributes, self._presence))
        if attributes and key:
            self._inside.request(event, attributes, path, is_span=False)
            there, withheld = self._states(instance, attributes, self._spans, line)
            if there:
                there |= self._roles(attributes, self._spans, there, withheld)
                self._span_logs.tell(key, there, withheld)
        if self._logs.is_used:
            there, withheld = self._states(instance, attributes, self._logs, line)
            there |= self._roles(attributes, self._logs, there, withheld)
            self._logs.enter(instance, there, withheld)

    def _states(
        self, instance: Instance, attributes: Attributes, looks: Looks, line: bytes
    ) -> tuple[int, dict[str, Withheld]]:
        """The names that are there, as bits, and the commitments of those that are withheld."""
        bits, state_of, is_marked = looks.bits, self._presence.state, self._presence.is_marked(line)
        there = 0
        withheld: dict[str, Withheld] = {}
        for key, value in attributes.items():
            if key in bits:
                state = state_of(key, value, is_marked=is_marked)
                if state is not None:
                    there |= bits[key]
                    if state is not True:
                        withheld[key] = state
        for name, bit in looks.about:
            there |= bit if instance.value(name) is not None else 0
        return there, withheld

    def _roles(self, attributes: Attributes, looks: Looks, there: int, withheld: dict[str, Withheld]) -> int:
        """The bits of the demands for a message of some role that are met; `withheld` gets those that are withheld."""
        met = 0
        for name, bit, base, role in looks.roles:
            if base in attributes and there & looks.bits[base] and has_role(attributes[base], role):
                met |= bit
                if base in withheld:
                    withheld[name] = withheld[base]
        return met

    def _translated(self, item: JsonObject, mapped: JsonObject | None) -> Attributes:
        """The attributes that any check asks for, after translation, without those that are null."""
        relevant = self._relevant
        attributes = {
            key: value
            for pair in item.get("attributes", ())
            if (key := pair.get("key")) in relevant and (value := pair.get("value"))
        }
        if mapped:
            for key in mapped.get("removed", ()):
                attributes.pop(key, None)
            for pair in mapped.get("attributes", ()):
                if (key := pair.get("key")) in relevant and (value := pair.get("value")):
                    attributes[key] = value
        return attributes

    # ---------------------------------------------------------------- everything else

    def _resource(self, event: JsonObject, _line: bytes) -> None:
        pairs = event["data"]["resource"].get("attributes", ())
        values = attribute_values({pair.get("key", ""): pair.get("value") for pair in pairs}, self._presence)
        self._kinds["resource"].take(Instance(event, f"{event['id']}#/data/resource/attributes", values))

    def _receipt(self, event: JsonObject, _line: bytes) -> None:
        data = event["data"]
        if data["kind"] in self._receipt_kinds:
            self._told_kinds.add(data["kind"])
        if data["kind"] == POLICY:
            self._policy.add(data["body"])
        values = body_values(data["body"], self._presence)
        self._kinds["receipt"].take(Instance(event, f"{event['id']}#/data/body", values), data["kind"])

    def _gap(self, event: JsonObject, _line: bytes) -> None:
        data = event["data"]
        self._kinds["gap"].take(Instance(event, f"{event['id']}#/data", data.get), data["kind"])

    def _run_opened(self, event: JsonObject, _line: bytes) -> None:
        self._run["opened"] = True
        self._policy.add(event["data"].get("context", {}).get("policy"))

    def _run_closed(self, event: JsonObject, _line: bytes) -> None:
        self._run["closed"] = True
        if event["data"].get("sender_counts"):
            self._run["sender_counts"] = True


_STATUS_ERROR = 2  # OTLP Status.StatusCode


def _of(kind: EventKind, checks: Sequence[ExistsForAll]) -> list[ExistsForAll]:
    return [check for check in checks if check.when.event == kind]


def _text(attributes: Attributes, key: str) -> str:
    value = attributes.get(key)
    text = value.get("stringValue", "") if value else ""
    return text if isinstance(text, str) else ""
