"""Pairs the tool calls that models asked for with the spans that carried them out, whichever is told first.

Law: a call counts as carried out only when a tool span is there for it; what does not fit in memory counts as not.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from evidence.limits import Limits

Call = TypeVar("Call")


class ToolCalls(Generic[Call]):
    """Pairs by call id; a span without id stands for one call of its name whose id no span has.

    Args:
        settle: takes each call once nothing can change it any more, and whether it was carried out.
        limits: bounds on what waits.
    """

    def __init__(self, settle: Callable[[Call, bool], None], limits: Limits) -> None:
        self._limits = limits
        self._settle = settle
        self._requested: dict[str, tuple[str, Call]] = {}
        self._carried: dict[str, None] = {}
        self._paired: dict[str, None] = {}
        self._unnamed: Counter[str] = Counter()
        self._without_id = 0

    def is_known(self, call_id: str) -> bool:
        """Whether this call was asked for before: told again, it is the same request."""
        return bool(call_id) and (call_id in self._paired or call_id in self._requested)

    def request(self, call_id: str, name: str, call: Call) -> None:
        """A model asked for a call that is not known."""
        if call_id in self._carried:
            del self._carried[call_id]
            self._pair(call_id, call)
        elif self._has_room(self._requested):
            self._without_id += not call_id
            self._requested[call_id or f"\x00{self._without_id}"] = (name, call)
        else:
            self._settle(call, False)  # noqa: FBT003 - the callback's own parameter

    def carry_out(self, call_id: str, name: str) -> None:
        """A tool span; several of one call (the client's and the server's) are one."""
        if not call_id:
            if name in self._unnamed or self._has_room(self._unnamed):
                self._unnamed[name] += 1
        elif request := self._requested.pop(call_id, None):
            self._pair(call_id, request[1])
        elif call_id not in self._paired and self._has_room(self._carried):
            self._carried[call_id] = None

    def open(self) -> Iterator[tuple[Call, bool]]:
        """The calls that are not settled, and whether each would count as carried out if no further span came."""
        unnamed = Counter(self._unnamed)
        for name, call in self._requested.values():
            there = unnamed[name] > 0
            unnamed[name] -= there
            yield call, there

    def _pair(self, call_id: str, call: Call) -> None:
        self._settle(call, True)  # noqa: FBT003 - the callback's own parameter
        if self._has_room(self._paired):
            self._paired[call_id] = None

    def _has_room(self, table: Mapping[str, object]) -> bool:
        return len(table) < self._limits.open_instances_max
