"""Finds the instances that are inside events: tool calls asked for, tools offered, what is withheld, secrets.

Law: each of them once, though a span and its log, or a span and its translation, tell it twice.
"""

from evidence.canonical import JsonObject
from evidence.checks import content
from evidence.checks.instance import AttributeInstance, Instance, of_commitment, short, tool_definitions
from evidence.checks.ledger import Place
from evidence.checks.looks import Looks
from evidence.checks.messages import requested_calls
from evidence.checks.plan import LedgerOf, Plan, Tally
from evidence.checks.selector import TOOL_DEFINITIONS, EventKind
from evidence.checks.suspicion import Suspicion
from evidence.checks.tool_calls import ToolCalls
from evidence.limits import Limits
from evidence.redaction.detectors import findings

OUTPUT_MESSAGES = "gen_ai.output.messages"
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
SERVER = "server.address"
NAMES = (OUTPUT_MESSAGES, TOOL_NAME, TOOL_CALL_ID, TOOL_DEFINITIONS, SERVER)
"""The attributes that it reads."""

_Call = tuple[Plan, Plan, Place]
"""The plans for a call that was carried out and for one that was not, and where it was asked for."""
_TEXTS_MAX = 1 << 20  # characters of tool definitions that are remembered, as they came


class Inside:
    """Looks into the events of a part, in order.

    Args:
        kinds: the checks on each kind of instance.
        limits: bounds.
    """

    def __init__(self, kinds: dict[EventKind, Looks], limits: Limits) -> None:
        self._limits = limits
        self._requested = kinds["requested_tool_call"]
        self._tools = kinds["tool_definition"]
        self._withheld = kinds["withheld"]
        self._secrets = kinds["secret"]
        self.calls: ToolCalls[_Call] = ToolCalls(_settle, limits)
        self._known_tools: dict[str, tuple[JsonObject, ...]] = {}
        self._known_length = 0
        self.looks_for_secrets = self._secrets.is_used
        self._suspicion = Suspicion(limits)

    def request(self, instance: AttributeInstance, *, is_span: bool) -> bool:
        """Enter the tool calls that output messages, which must be there, ask for; whether there are any.

        One without an id cannot be told again: in a log it cannot be told from the one that the span itself shows.
        """
        calls = requested_calls(instance.attributes[OUTPUT_MESSAGES])
        path = f"#/data/{'span' if is_span else 'log'}/attributes/{OUTPUT_MESSAGES}"
        for call_id, name in calls if self._requested.is_used else ():
            if (call_id or is_span) and not self.calls.is_known(short(call_id)):
                said = {each: text for each, text in (("id", call_id), ("name", name)) if text}
                self._request(call_id, name, Instance(instance.event, path, said.get))
        return bool(calls)

    def offer(self, instance: AttributeInstance, operation: str, method: str, server: str) -> None:
        """Enter the tools that a span of an operation or MCP method offers; `server` is what listed them, "" for unknown."""
        if not self._tools.is_used:
            return
        listed = {"server": server} if server else {}
        for number, tool in enumerate(self._definitions(instance.attributes[TOOL_DEFINITIONS])):
            path = f"#/data/span/attributes/{TOOL_DEFINITIONS}/{number}"
            self._tools.take(Instance(instance.event, path, {**listed, **tool}.get), operation, method)

    def search(self, event: JsonObject, line: bytes, *, is_marked: bool) -> None:
        """Enter what is withheld of any event, and the secrets in it.

        Args:
            event: the event.
            line: its canonical form.
            is_marked: `Presence.is_marked` of the line.
        """
        if is_marked and self._withheld.is_used:
            for path, commitment in content.withheld(event):
                self._withheld.take(Instance(event, path, of_commitment(commitment).get))
        if self.looks_for_secrets and self._suspicion.falls_on(event, line):
            for path, text in content.texts(event):
                for finding in findings(text):
                    self._secrets.take(Instance(event, path, {"detector": finding.detector}.get))

    def fold(self, ledger_of: LedgerOf) -> None:
        """Enter the requested calls as if no further span came into ledgers."""
        tallies: dict[int, tuple[Plan, Tally]] = {}
        for (carried, missed, place), is_carried in self.calls.open():
            plan = carried if is_carried else missed
            tallies.setdefault(id(plan), (plan, Tally(self._limits.evidence_paths_max)))[1].add(place)
        for plan, tally in tallies.values():
            plan.fold(tally, tally, ledger_of)

    def _request(self, call_id: str, name: str, instance: Instance) -> None:
        looks = self._requested
        there = sum(bit for each, bit in looks.bits.items() if each != "tool_span" and instance.value(each))
        plans = [
            looks.plan(("", "", 0, each), each, {}, instance)
            for each in (there | looks.bits.get("tool_span", 0), there)
        ]
        for use in plans[0].uses:
            use(instance)
        self.calls.request(short(call_id), short(name), (plans[0], plans[1], instance.place))

    def _definitions(self, value: JsonObject) -> tuple[JsonObject, ...]:
        """Those of an attribute; agents offer the same ones over and over."""
        text = value.get("stringValue")
        if not isinstance(text, str):
            return tool_definitions(value)
        found = self._known_tools.get(text)
        if found is None:
            found = tool_definitions(value)
            if self._known_length + len(text) > _TEXTS_MAX or len(self._known_tools) >= self._limits.open_instances_max:
                self._known_tools.clear()
                self._known_length = 0
            self._known_tools[text] = found
            self._known_length += len(text)
        return found


def _settle(call: _Call, carried: bool) -> None:  # noqa: FBT001 - the callback of ToolCalls
    plan = call[0] if carried else call[1]
    plan.count(call[2], {})
