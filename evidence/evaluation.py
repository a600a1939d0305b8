"""Evaluates checks over the events of a part, as a stream.

Law: the result depends on the set of events and their order alone; memory is bounded whatever the number of events. Where
a bound is reached, instances count as missing, never as captured.

A span's content may come in a log of the same span (the conventions' `event_only` mode), before or after it, and the
span of a requested tool call before or after the model's. Those are joined; what waits for its other half is bounded by
`Limits.open_instances_max`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evidence.canonical import JsonObject
from evidence.check import Check, ExistsForAll
from evidence.commitment import Commitment
from evidence.errors import EventError
from evidence.event import LOG, RECEIPT, RESOURCE, RUN_CLOSED, RUN_OPENED, SPAN
from evidence.ledger import Ledger
from evidence.limits import DEFAULT, Limits
from evidence.messages import has_role, requested_calls
from evidence.presence import NONE, Attributes, Placeholders, Presence, States
from evidence.selector import MCP_METHOD, OPERATION, Selector
from evidence.tool_calls import ToolCalls

TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
OUTPUT_MESSAGES = "gen_ai.output.messages"
_SELF = (OPERATION, MCP_METHOD, TOOL_NAME, TOOL_CALL_ID, TOOL_DEFINITIONS, OUTPUT_MESSAGES)
_TOOL_OPERATION, _TOOL_METHOD = "execute_tool", "tools/call"
_STATUS_ERROR = 2  # OTLP Status.StatusCode


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row, its ledger, and what it demands in the form that is quickest to test."""

    owner: str
    row: ExistsForAll
    ledger: Ledger
    all_of: frozenset[str]
    any_of: frozenset[str]
    roles: tuple[tuple[str, str, str], ...]
    """Name, attribute and role of each demand for a message of some role."""

    @classmethod
    def of(cls, owner: str, row: ExistsForAll, limits: Limits) -> "_Entry":
        roles = []
        for name in row.names:
            base, _, rest = name.partition("[role=")
            if rest:
                roles.append((name, base, rest[:-1]))
        return cls(owner, row, Ledger(limits), frozenset(row.all_of), frozenset(row.any_of), tuple(roles))

    def fits(self, there: States) -> bool:
        """Whether everything demanded is there or withheld."""
        return self.all_of <= there.keys() and (not self.any_of or not self.any_of.isdisjoint(there))

    def lacking(self, there: States) -> list[str]:
        """What is demanded and not there."""
        missing = [name for name in self.row.all_of if name not in there]
        if self.any_of and self.any_of.isdisjoint(there):
            missing.append(" or ".join(self.row.any_of))
        return missing

    def commitments(self, there: States) -> list[Commitment]:
        """What the instance owes to commitments: withheld demands, and alternatives when all that is there is withheld."""
        withheld = [state for name in self.row.all_of if isinstance(state := there.get(name), Commitment)]
        choices = [there[name] for name in self.row.any_of if name in there]
        if not any(choice is True for choice in choices):
            withheld += [choice for choice in choices if isinstance(choice, Commitment)]
        return withheld

    def count(self, path: str, there: States) -> None:
        """Enter one instance."""
        self.ledger.count(path, self.lacking(there), self.commitments(there))


class Evaluation:
    """The ledgers of some rows, filled event by event.

    Args:
        checks: checks by the owner whose ledger they fill, for instance the id of a signal.
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
        self._presence = Presence(placeholders)
        self._owners = tuple(checks)
        self._entries = [
            _Entry.of(owner, check, limits)
            for owner, owned in checks.items()
            for check in owned
            if isinstance(check, ExistsForAll) and not check.when.values
        ]
        self._resources = [entry for entry in self._entries if entry.row.when.event == "resource"]
        self._receipts = [entry for entry in self._entries if entry.row.when.event == "receipt"]
        self._spans = _SpanEntries([entry for entry in self._entries if entry.row.when.event == "span"])
        self._relevant = self._spans.attributes | set(_SELF)
        self._calls = ToolCalls(limits)
        self._waiting: dict[str, list[tuple[_Entry, str, States]]] = {}
        self._logged: dict[str, States] = {}
        self._receipt_kinds: Counter[str] = Counter()
        self._run: States = {}
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
        totals = {owner: Ledger(self._limits) for owner in self._owners}
        for entry, ledger in self._settled():
            satisfied = any(self._receipt_kinds[kind] for kind in entry.row.or_receipt)
            totals[entry.owner].absorb(ledger, satisfied=satisfied)
        return totals

    def _settled(self) -> list[tuple[_Entry, Ledger]]:
        """What was counted, then what still waits, for each row in order."""
        waiting = {id(entry): Ledger(self._limits) for entry in self._entries}
        for entries in self._waiting.values():
            for entry, path, there in entries:
                waiting[id(entry)].count(path, entry.lacking(there))
        for entry in self._entries:
            if entry.row.when.event == "run":
                waiting[id(entry)].count(f"{self._run_id}#/run", entry.lacking(self._run))
            if entry.row.when.event == "requested_tool_call":
                waiting[id(entry)] = self._calls.ledger()
        return [(entry, ledger) for entry in self._entries for ledger in (entry.ledger, waiting[id(entry)])]

    # ---------------------------------------------------------------- spans and their logs

    def _span(self, event_id: str, data: JsonObject) -> None:
        span = data["span"]
        attributes = self._translated(span, data.get("mapped"))
        operation, method = _text(attributes, OPERATION), _text(attributes, MCP_METHOD)
        asks = self._request(attributes, f"{event_id}#/data/span/attributes/{OUTPUT_MESSAGES}", without_id=True)
        if operation == _TOOL_OPERATION or method == _TOOL_METHOD:
            self._calls.carry_out(_text(attributes, TOOL_CALL_ID), _text(attributes, TOOL_NAME))
        failed = "status" in span and span["status"].get("code") == _STATUS_ERROR
        offers_tools = asks or TOOL_DEFINITIONS in attributes
        entries = self._spans.matching(operation, method, failed, "parentSpanId" in span, offers_tools)
        if not entries:
            return
        key = span["traceId"] + span["spanId"]
        there = self._presence.states(attributes)
        if self._logged and (logged := self._logged.pop(key, None)):
            there = {**logged, **there}
        withheld = any(state is not True for state in there.values())
        path = f"{event_id}#/data/span/attributes"
        for entry in entries:
            if entry.row.when.attribute is not None and entry.row.when.attribute not in attributes:
                continue
            if entry.roles and not entry.fits(there):
                there |= _roles(entry, attributes, there)
            if not entry.fits(there) and len(self._waiting) < self._limits.open_instances_max:
                self._waiting.setdefault(key, []).append((entry, path, there))
            elif withheld or not entry.fits(there):
                entry.count(path, there)
            else:
                entry.ledger.capture(path)

    def _log(self, event_id: str, data: JsonObject) -> None:
        log = data["log"]
        key = log.get("traceId", "") + log.get("spanId", "")
        attributes = self._translated(log, data.get("mapped")) if key else {}
        if not attributes:
            return
        self._request(attributes, f"{event_id}#/data/log/attributes/{OUTPUT_MESSAGES}", without_id=False)
        there = self._presence.states(attributes)
        for entry in self._spans.entries:
            there |= _roles(entry, attributes, there)
        waiting = self._waiting.pop(key, None)
        if waiting is None:
            if len(self._logged) < self._limits.open_instances_max:
                self._logged[key] = {**self._logged.get(key, {}), **there}
            return
        still = [(entry, path, {**there, **known}) for entry, path, known in waiting]
        for entry, path, states in still:
            if entry.fits(states):
                entry.count(path, states)
        if left := [waits for waits in still if not waits[0].fits(waits[2])]:
            self._waiting[key] = left

    def _request(self, attributes: Attributes, path: str, *, without_id: bool) -> bool:
        """Enter the tool calls that the output asks for; whether there are any.

        One without an id cannot be told again: in a log it cannot be told from the one that the span itself shows.
        """
        if OUTPUT_MESSAGES not in attributes:
            return False
        calls = requested_calls(attributes[OUTPUT_MESSAGES])
        for call_id, name in calls:
            if call_id or without_id:
                self._calls.request(call_id, name, path)
        return bool(calls)

    def _translated(self, item: JsonObject, mapped: JsonObject | None) -> Attributes:
        """The attributes that any row asks for, after translation, without those that are null."""
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

    def _resource(self, event_id: str, data: JsonObject) -> None:
        pairs = data["resource"].get("attributes", ())
        there = self._presence.states({pair.get("key", ""): pair.get("value") for pair in pairs})
        for entry in self._resources:
            entry.count(f"{event_id}#/data/resource/attributes", there)

    def _receipt(self, event_id: str, data: JsonObject) -> None:
        self._receipt_kinds[data["kind"]] += 1
        there: States = {name: True for name, value in data["body"].items() if value is not None}
        for entry in self._receipts:
            if data["kind"] in entry.row.when.kind:
                entry.count(f"{event_id}#/data/body", there)

    def _run_opened(self, _event_id: str, _data: JsonObject) -> None:
        self._run["opened"] = True

    def _run_closed(self, _event_id: str, data: JsonObject) -> None:
        self._run["closed"] = True
        if data.get("sender_counts"):
            self._run["sender_counts"] = True


class _SpanEntries:
    """Span rows by what tells them apart, so that a span sees only those that can match."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self.entries = entries
        self._cache: dict[tuple[str, str, bool, bool, bool], list[_Entry]] = {}
        self._operations = {name for entry in entries for name in entry.row.when.operation}
        self._methods = {name for entry in entries for name in entry.row.when.mcp_method}
        self.attributes = {name.partition("[")[0] for entry in entries for name in entry.row.names}
        self.attributes |= {entry.row.when.attribute for entry in entries if entry.row.when.attribute}

    def matching(self, operation: str, method: str, failed: bool, has_parent: bool, offers_tools: bool) -> list[_Entry]:  # noqa: FBT001 - a key of the table
        """The rows whose conditions hold, but for the attribute that a row may ask for."""
        key = (
            operation if operation in self._operations else "",
            method if method in self._methods else "",
            failed,
            has_parent,
            offers_tools,
        )
        if key not in self._cache:
            self._cache[key] = [entry for entry in self.entries if _matches(entry.row.when, key)]
        return self._cache[key]


def _matches(row: Selector, key: tuple[str, str, bool, bool, bool]) -> bool:
    operation, method, failed, has_parent, offers_tools = key
    return (
        (not (row.operation or row.mcp_method) or operation in row.operation or method in row.mcp_method)
        and row.failed in {None, failed}
        and row.has_parent in {None, has_parent}
        and row.offers_tools in {None, offers_tools}
    )


def _roles(entry: _Entry, attributes: Attributes, there: States) -> States:
    """The demands for a message of some role that are met, as far as they are not known yet."""
    return {
        name: there[base]
        for name, base, role in entry.roles
        if name not in there and base in there and base in attributes and has_role(attributes[base], role)
    }


def _text(attributes: Attributes, key: str) -> str:
    value = attributes.get(key)
    text = value.get("stringValue", "") if value else ""
    return text if isinstance(text, str) else ""
