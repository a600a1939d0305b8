"""Pairs the tool calls that models asked for with the spans that carried them out, whichever is told first.

Law: a call counts as carried out only when a tool span is there for it; what does not fit in memory counts as not.
"""

from collections import Counter
from collections.abc import Mapping

from evidence.ledger import Ledger
from evidence.limits import Limits


class ToolCalls:
    """Pairs by call id; a span without id stands for one call of its name whose id no span has."""

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
