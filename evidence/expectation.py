"""Evaluates expectation rows over the events of a part, as a stream.

Law: the result depends on the set of events and their order alone; memory is bounded whatever the number of events. Where
a bound is reached, instances count as missing, never as captured.

A span's content may come in a log of the same span (the conventions' `event_only` mode), before or after it, and the
span of a requested tool call before or after the model's. Those are joined; what waits for its other half is bounded by
`Limits.open_instances_max`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from evidence.canonical import JsonObject
from evidence.commitment import Commitment, read_commitment
from evidence.condition import MCP_METHOD, OPERATION, Row
from evidence.errors import EventError
from evidence.event import LOG, RECEIPT, RESOURCE, RUN_CLOSED, RUN_OPENED, SPAN
from evidence.ledger import Ledger
from evidence.limits import DEFAULT, Limits

TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
OUTPUT_MESSAGES = "gen_ai.output.messages"
_SELF = (OPERATION, MCP_METHOD, TOOL_NAME, TOOL_CALL_ID, TOOL_DEFINITIONS, OUTPUT_MESSAGES)
_TOOL_OPERATION, _TOOL_METHOD = "execute_tool", "tools/call"
_STATUS_ERROR = 2  # OTLP Status.StatusCode

_Attributes = dict[str, dict[str, Any]]
_States = dict[str, bool | Commitment]
"""What is there of the names that rows ask for: True, or a commitment when it is withheld. What is absent has no entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholders:
    """Words that emitters write in place of content."""

    whole: frozenset[str] = frozenset()
    """A value that is one of these is absent."""
    inside: tuple[str, ...] = ()
    """A structured value or JSON text is absent when one of these is a string anywhere in it."""


class Expectations:
    """The ledgers of some rows, filled event by event.

    Args:
        rows: rows by the owner whose ledger they fill, for instance the id of a signal.
        placeholders: what counts as absent although something is written.
        limits: bounds on what waits and on locations.
    """

    def __init__(
        self,
        rows: Mapping[str, Sequence[Row]],
        placeholders: Placeholders = Placeholders(),
        limits: Limits = DEFAULT,
    ) -> None:
        self._limits = limits
        self._values = _Values(placeholders)
        self._owners = [(owner, row, Ledger(limits)) for owner, owned in rows.items() for row in owned]
        self._names = tuple(rows)
        self._spans = _SpanRows([(row, ledger) for _, row, ledger in self._owners if row.event == "span"])
        self._relevant = self._spans.attributes | set(_SELF)
        self._calls = _ToolCalls(limits)
        self._waiting: dict[str, list[tuple[Row, Ledger, str, _States]]] = {}
        self._logged: dict[str, _States] = {}
        self._receipts: Counter[str] = Counter()
        self._run = {"opened": False, "closed": False, "sender_counts": False}
        self._run_id = ""
        self._add: dict[str, Callable[[str, JsonObject], None]] = {
            SPAN: self._span,
            LOG: self._log,
            RESOURCE: self._resource,
            RECEIPT: self._receipt,
            RUN_OPENED: self._run_opened,
            RUN_CLOSED: self._run_closed,
        }

    def add(self, event: JsonObject) -> None:
        """Look at the next event.

        Raises:
            EventError: the telemetry in it is not OTLP/JSON.
        """
        self._run_id = event["runid"]
        add = self._add.get(event["type"])
        if add is None:
            return
        try:
            add(event["id"], event["data"])
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise EventError(f"{event['id']}: data is not OTLP/JSON: {type(error).__name__}: {error}") from error

    def result(self) -> dict[str, Ledger]:
        """One ledger for each owner, as if no further event came. May be asked for at any time."""
        totals = {name: Ledger(self._limits) for name in self._names}
        pending = self._pending()
        for owner, row, ledger in self._owners:
            satisfied = any(self._receipts[kind] for kind in row.or_receipt)
            totals[owner].absorb(ledger, satisfied=satisfied)
            if id(ledger) in pending:
                totals[owner].absorb(pending[id(ledger)], satisfied=satisfied)
            if row.event == "run":
                here = [name for name, there in self._run.items() if there]
                missing = _lacking(row, dict.fromkeys(here, True))
                totals[owner].absorb(_one(f"{self._run_id}#/run", missing), satisfied=satisfied)
            if row.event == "requested_tool_call":
                totals[owner].absorb(self._calls.ledger(), satisfied=satisfied)
        return totals

    # ---------------------------------------------------------------- spans and their logs

    def _span(self, event_id: str, data: JsonObject) -> None:
        span = data["span"]
        attributes = self._translated(span, data.get("mapped"))
        operation, method = _text(attributes, OPERATION), _text(attributes, MCP_METHOD)
        failed = span.get("status", {}).get("code") == _STATUS_ERROR
        requested: list[tuple[str, str]] = []
        if OUTPUT_MESSAGES in attributes:
            requested = _requested_calls(attributes[OUTPUT_MESSAGES])
            for call_id, name in requested:
                self._calls.request(call_id, name, f"{event_id}#/data/span/attributes/{OUTPUT_MESSAGES}")
        if operation == _TOOL_OPERATION or method == _TOOL_METHOD:
            self._calls.carry_out(_text(attributes, TOOL_CALL_ID), _text(attributes, TOOL_NAME))
        rows = self._spans.matching(operation, method)
        if not rows:
            return
        marks = {
            "failed": failed,
            "has_parent": bool(span.get("parentSpanId")),
            "offers_tools": bool(requested) or TOOL_DEFINITIONS in attributes,
        }
        key = span.get("traceId", "") + span.get("spanId", "")
        logged = self._logged.pop(key, None) if self._logged else None
        path = f"{event_id}#/data/span/attributes"
        for row, ledger in rows:
            if _applies(row, attributes, marks):
                states = self._values.states(row.names, attributes)
                self._instance(row, ledger, path, key, {**logged, **states} if logged else states)

    def _instance(self, row: Row, ledger: Ledger, path: str, key: str, states: _States) -> None:
        missing = _lacking(row, states)
        if missing and len(self._waiting) < self._limits.open_instances_max:
            self._waiting.setdefault(key, []).append((row, ledger, path, states))
        else:
            ledger.count(path, missing, _commitments(row, states))

    def _log(self, event_id: str, data: JsonObject) -> None:
        log = data["log"]
        key = log.get("traceId", "") + log.get("spanId", "")
        attributes = self._translated(log, data.get("mapped")) if key else {}
        states = self._values.states(self._spans.names, attributes) if attributes else {}
        if not states:
            return
        if OUTPUT_MESSAGES in attributes:
            for call_id, name in _requested_calls(attributes[OUTPUT_MESSAGES]):
                if call_id:  # one without id cannot be told from the one that the span itself shows
                    self._calls.request(call_id, name, f"{event_id}#/data/log/attributes/{OUTPUT_MESSAGES}")
        if key in self._waiting:
            for row, ledger, path, known in self._waiting.pop(key):
                self._instance(row, ledger, path, key, {**states, **known})
        elif len(self._logged) < self._limits.open_instances_max:
            self._logged[key] = {**self._logged.get(key, {}), **states}

    def _translated(self, item: JsonObject, mapped: JsonObject | None) -> _Attributes:
        """The attributes that any row asks for, after translation, without those that are null."""
        relevant = self._relevant
        attributes = {pair["key"]: pair.get("value") for pair in item.get("attributes", ()) if pair["key"] in relevant}
        if mapped:
            for key in mapped.get("removed", ()):
                attributes.pop(key, None)
            for pair in mapped.get("attributes", ()):
                if pair["key"] in relevant:
                    attributes[pair["key"]] = pair.get("value")
        return {key: value for key, value in attributes.items() if value}

    def _pending(self) -> dict[int, Ledger]:
        """What still waits for its log, counted as missing, by the identity of the ledger it belongs to."""
        pending: dict[int, Ledger] = {}
        for entries in self._waiting.values():
            for row, ledger, path, states in entries:
                pending.setdefault(id(ledger), Ledger(self._limits)).count(path, _lacking(row, states))
        return pending

    # ---------------------------------------------------------------- everything else

    def _resource(self, event_id: str, data: JsonObject) -> None:
        pairs = data["resource"].get("attributes", ())
        attributes = {pair["key"]: pair["value"] for pair in pairs if pair.get("value")}
        for _, row, ledger in self._owners:
            if row.event == "resource":
                states = self._values.states(row.names, attributes)
                ledger.count(f"{event_id}#/data/resource/attributes", _lacking(row, states), _commitments(row, states))

    def _receipt(self, event_id: str, data: JsonObject) -> None:
        self._receipts[data["kind"]] += 1
        there: _States = {name: True for name, value in data["body"].items() if value is not None}
        for _, row, ledger in self._owners:
            if row.event == "receipt" and data["kind"] in row.kind:
                ledger.count(f"{event_id}#/data/body", _lacking(row, there))

    def _run_opened(self, _event_id: str, _data: JsonObject) -> None:
        self._run["opened"] = True

    def _run_closed(self, _event_id: str, data: JsonObject) -> None:
        self._run["closed"] = True
        self._run["sender_counts"] = bool(data.get("sender_counts"))


class _SpanRows:
    """Span rows by operation and method, so that a span sees only those that can match."""

    def __init__(self, rows: Sequence[tuple[Row, Ledger]]) -> None:
        self._rows = rows
        self._cache: dict[tuple[str, str], list[tuple[Row, Ledger]]] = {}
        self._operations = {name for row, _ in rows for name in row.operation}
        self._methods = {name for row, _ in rows for name in row.mcp_method}
        self.names = tuple(sorted({name for row, _ in rows for name in row.names}))
        self.attributes = {name.partition("[")[0] for name in self.names}
        self.attributes |= {row.attribute for row, _ in rows if row.attribute}

    def matching(self, operation: str, method: str) -> list[tuple[Row, Ledger]]:
        """The rows whose operation or method condition holds."""
        key = (operation if operation in self._operations else "", method if method in self._methods else "")
        if key not in self._cache:
            self._cache[key] = [
                (row, ledger)
                for row, ledger in self._rows
                if not (row.operation or row.mcp_method) or key[0] in row.operation or key[1] in row.mcp_method
            ]
        return self._cache[key]


class _Values:
    """Whether a value is there, withheld, or only a word in its place."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._whole = placeholders.whole
        self._inside = frozenset(placeholders.inside)
        self._quoted = tuple(orjson.dumps(word).decode() for word in placeholders.inside)

    def states(self, names: Sequence[str], attributes: _Attributes) -> _States:
        """What is there of some names."""
        states: _States = {}
        for name in names:
            base, _, role = name.partition("[role=")
            value = attributes.get(base)
            if value and (found := self._state(value)) and (not role or _has_role(value, role[:-1])):
                states[name] = found
        return states

    def _state(self, value: JsonObject) -> bool | Commitment:
        text = value.get("stringValue")
        if text is not None:
            return text not in self._whole and not any(word in text for word in self._quoted)
        if "kvlistValue" in value or "arrayValue" in value:
            return read_commitment(value) or not self._hollow(value)
        return True

    def _hollow(self, value: object) -> bool:
        """Whether a placeholder stands anywhere inside a structured value."""
        if isinstance(value, dict):
            return any(map(self._hollow, value.values()))
        if isinstance(value, list):
            return any(map(self._hollow, value))
        return isinstance(value, str) and value in self._inside


class _ToolCalls:
    """Pairs the tool calls that models asked for with the spans that carried them out.

    By call id; a span without id stands for one call of its name whose id no span has.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._requested: dict[str, tuple[str, str]] = {}
        self._carried: dict[str, None] = {}
        self._paired: dict[str, None] = {}
        self._unnamed: Counter[str] = Counter()
        self._without_id = 0
        self._settled = Ledger(limits)

    def request(self, call_id: str, name: str, path: str) -> None:
        """A model asked for a call; told again, it is the same request."""
        if call_id and (call_id in self._paired or call_id in self._requested):
            return
        if call_id in self._carried:
            del self._carried[call_id]
            self._pair(call_id, path)
        elif self._has_room(self._requested):
            self._without_id += not call_id
            self._requested[call_id or f"\x00{self._without_id}"] = (name, path)
        else:
            self._settled.count(path, ("tool_span",))

    def carry_out(self, call_id: str, name: str) -> None:
        """A tool span; several of one call (the client's and the server's) are one."""
        if not call_id:
            if name in self._unnamed or self._has_room(self._unnamed):
                self._unnamed[name] += 1
        elif request := self._requested.pop(call_id, None):
            self._pair(call_id, request[1])
        elif call_id not in self._paired and self._has_room(self._carried):
            self._carried[call_id] = None

    def _pair(self, call_id: str, path: str) -> None:
        self._settled.count(path, ())
        if self._has_room(self._paired):
            self._paired[call_id] = None

    def _has_room(self, table: Mapping[str, object]) -> bool:
        return len(table) < self._limits.open_instances_max

    def ledger(self) -> Ledger:
        """Every requested call: captured when its span is there."""
        total = Ledger(self._limits)
        total.absorb(self._settled, satisfied=False)
        unnamed = Counter(self._unnamed)
        for name, path in self._requested.values():
            there = unnamed[name] > 0
            unnamed[name] -= there
            total.count(path, () if there else ("tool_span",))
        return total


def _applies(row: Row, attributes: _Attributes, marks: Mapping[str, bool]) -> bool:
    return (
        (row.attribute is None or row.attribute in attributes)
        and (row.failed is None or row.failed == marks["failed"])
        and (row.has_parent is None or row.has_parent == marks["has_parent"])
        and (row.offers_tools is None or row.offers_tools == marks["offers_tools"])
    )


def _lacking(row: Row, states: _States) -> list[str]:
    missing = [name for name in row.all_of if name not in states]
    if row.any_of and not any(name in states for name in row.any_of):
        missing.append(" or ".join(row.any_of))
    return missing


def _commitments(row: Row, states: _States) -> list[Commitment]:
    """What the instance owes to commitments: withheld demands, and an alternative only when all that is there is withheld."""
    withheld = [state for name in row.all_of if isinstance(state := states.get(name), Commitment)]
    choices = [states[name] for name in row.any_of if name in states]
    if choices and all(isinstance(choice, Commitment) for choice in choices):
        withheld += [choice for choice in choices if isinstance(choice, Commitment)]
    return withheld


def _one(path: str, missing: Sequence[str]) -> Ledger:
    ledger = Ledger()
    ledger.count(path, missing)
    return ledger


def _text(attributes: _Attributes, key: str) -> str:
    value = attributes.get(key)
    text = value.get("stringValue", "") if value else ""
    return text if isinstance(text, str) else ""


def _messages(value: JsonObject) -> list[JsonObject]:
    """The messages in an attribute, which is JSON text on spans and structured on logs; empty when it is neither."""
    text = value.get("stringValue")
    try:
        messages = orjson.loads(text) if isinstance(text, str) else _plain(value)
    except orjson.JSONDecodeError:
        return []
    return [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []


def _requested_calls(value: JsonObject) -> list[tuple[str, str]]:
    """Id and name of each tool call that the output messages ask for."""
    text = value.get("stringValue")
    if isinstance(text, str) and "tool_call" not in text:
        return []
    parts = (part for message in _messages(value) for part in _list(message.get("parts")))
    calls = [part for part in parts if isinstance(part, dict) and part.get("type") == "tool_call"]
    return [(_str(call.get("id")), _str(call.get("name"))) for call in calls]


def _has_role(value: JsonObject, role: str) -> bool:
    return any(message.get("role") == role for message in _messages(value))


def _plain(value: object) -> object:
    """An OTLP/JSON AnyValue as plain lists, objects and text, as far as messages need."""
    if not isinstance(value, dict):
        return value
    if "arrayValue" in value:
        return [_plain(item) for item in _list(value["arrayValue"].get("values"))]
    if "kvlistValue" in value:
        return {pair["key"]: _plain(pair.get("value")) for pair in _list(value["kvlistValue"].get("values"))}
    return value.get("stringValue")


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""
