"""Capture health: what the events of a part tell about what was not captured.

Law: `result` is a function of the events alone, so `verify` recomputes what the manifest says. Counters that only the
recorder could know (refusals at the door, repetitions) reach it as events: gaps, and the closing event's own counts.
"""

from array import array
from collections import Counter
from collections.abc import Callable
from hashlib import sha256

from evidence.canonical import JsonObject
from evidence.event import LOG, METRIC, RECEIPT, RUN_CLOSED, RUN_GAP, RUN_OPENED, SPAN
from evidence.limits import DEFAULT, Limits

_COUNTED = {SPAN: "spans", LOG: "logs", METRIC: "metrics", RECEIPT: "receipts"}
_DROPPED = (
    ("droppedAttributesCount", "dropped_attributes_at_source"),
    ("droppedEventsCount", "dropped_events_at_source"),
    ("droppedLinksCount", "dropped_links_at_source"),
)
_GAPS = {
    "sender_spans_ended": "sender_missing_spans",
    "sender_logs": "sender_missing_logs",
    "sender_receipts": "sender_missing_receipts",
    "receipt_sequence": "missing_receipts",
    "rejected": "rejected",
    "truncated": "truncated",
}
"""Kinds of gap that have a counter of their own; every gap counts in `gaps` and `gap_items` as well."""
_SUMS = (
    *_COUNTED.values(),
    *(counter for _, counter in _DROPPED),
    *_GAPS.values(),
    "gaps",
    "gap_items",
    "lossy_items",
    "clock_skew",
    "time_regressions",
    "duplicates",
    "conflicting_ids",
    "orphan_spans",
    "remote_parents",
    "missing_parents",
    "untracked_spans",
    "count_mismatch",
)
_FLAGS = ("unopened", "unclosed", "sender_uncounted")
COUNTERS = frozenset((*_SUMS, *_FLAGS))
"""Every member of the result: sums, and three booleans."""

_COUNT_MAX = 2**53 - 1  # the largest integer of RFC 8785; what senders claim is added up, and they may claim anything
_COMPARED_AT_ONCE = 32_768  # spans; some 100 bytes each
_REMOTE = 0x200  # OTLP span flags: the parent is known to be in another process


class CaptureHealth:
    """Accumulates over the events of one part, in order.

    Holds 24 bytes a span for up to `Limits.spans_tracked_max` spans, and nothing that grows otherwise; spans beyond
    that are counted in `untracked_spans` and not looked at for repetitions and parents.
    """

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._counts = dict.fromkeys(_SUMS, 0)
        self._events = 0
        self._last_time = ""
        self._opened = self._closed = False
        self._claimed: JsonObject = {}
        self._ids = array("Q")
        self._contents = array("Q")
        self._parents = array("Q")
        self._add: dict[str, Callable[[JsonObject, bytes], None]] = {
            SPAN: self._span,
            LOG: self._item,
            METRIC: self._item,
            RUN_OPENED: self._run_opened,
            RUN_CLOSED: self._run_closed,
            RUN_GAP: self._gap,
        }

    def add(self, event: JsonObject, line: bytes) -> None:
        """Count one event; `line` is its canonical form."""
        counts, kind = self._counts, event["type"]
        self._events += 1
        if kind in _COUNTED:
            counts[_COUNTED[kind]] += 1
        if event["time"] < self._last_time:
            counts["time_regressions"] += 1
        self._last_time = event["time"]
        if add := self._add.get(kind):
            add(event["data"], line)

    def result(self) -> dict[str, int | bool]:
        """The counters, with `unopened`, `unclosed` and `sender_uncounted`."""
        counts = dict(self._counts)
        for counter, count in self._compared().items():
            counts[counter] += count
        counts["count_mismatch"] += self._mismatch()
        flags = (not self._opened, not self._closed, not self._claimed.get("sender_counts"))
        counts = {name: min(count, _COUNT_MAX) for name, count in counts.items()}
        return {**counts, **dict(zip(_FLAGS, flags, strict=True))}

    def _span(self, data: JsonObject, line: bytes) -> None:
        span = data["span"]
        self._item(data, line)
        if _number(span.get("endTimeUnixNano")) < _number(span.get("startTimeUnixNano")):
            self._counts["clock_skew"] += 1
        for name, counter in _DROPPED:
            if name in span:
                self._counts[counter] += _number(span[name])
        if len(self._ids) >= self._limits.spans_tracked_max:
            self._counts["untracked_spans"] += 1
            return
        trace = _key(span.get("traceId"))
        parent = _key(span.get("parentSpanId"))
        if parent and _number(span.get("flags")) & _REMOTE:
            self._counts["remote_parents"] += 1
            parent = 0
        self._ids.append(trace ^ _key(span.get("spanId")))
        self._parents.append(trace ^ parent if parent else 0)
        # `data` is the first member in canonical order, so the line up to the next one is its canonical form.
        self._contents.append(int.from_bytes(sha256(line[: line.rfind(b',"datacontenttype":')]).digest()[:8], "big"))

    def _item(self, data: JsonObject, _line: bytes) -> None:
        if "loss" in data:
            self._counts["lossy_items"] += 1
        log = data.get("log")
        if log and "droppedAttributesCount" in log:
            self._counts["dropped_attributes_at_source"] += _number(log["droppedAttributesCount"])

    def _run_opened(self, _data: JsonObject, _line: bytes) -> None:
        self._opened = self._opened or self._events == 1

    def _run_closed(self, data: JsonObject, _line: bytes) -> None:
        self._closed = True
        self._claimed = {**data, "at": self._events}
        self._counts["duplicates"] += _number(data.get("duplicates"))

    def _gap(self, data: JsonObject, _line: bytes) -> None:
        self._counts["gaps"] += 1
        self._counts["gap_items"] += _number(data["count"])
        if counter := _GAPS.get(data["kind"]):
            self._counts[counter] += _number(data["count"])

    def _mismatch(self) -> int:
        """By how much the closing event's counts differ from what is there: lines taken out or put in before sealing."""
        if not self._closed:
            return 0
        there = {name: self._counts[name] for name in _COUNTED.values()} | {"events": self._events}
        return sum(abs(_number(self._claimed[name]) - count) for name, count in there.items())

    def _compared(self) -> Counter[str]:
        """Spans whose id came before, with the same or other content, and spans whose parent is not there.

        Done share by share of the ids, so that what is looked up is bounded in memory whatever the number of spans.
        """
        counts: Counter[str] = Counter()
        shares = 1 + len(self._ids) // _COMPARED_AT_ONCE
        for share in range(shares):
            first: dict[int, int] = {}
            for identity, content in zip(self._ids, self._contents, strict=True):
                if identity % shares != share:
                    continue
                if identity in first:
                    counts["duplicates" if first[identity] == content else "conflicting_ids"] += 1
                else:
                    first[identity] = content
            absent = [each for each in self._parents if each and each % shares == share and each not in first]
            counts["orphan_spans"] += len(absent)
            counts["missing_parents"] += len(set(absent))
        return counts


def _key(text: object) -> int:
    """The last 64 bits of a hexadecimal id; 0 for none and for what is no id."""
    try:
        return int(text[-16:], 16) & 0xFFFFFFFFFFFFFFFF if isinstance(text, str) and text else 0
    except ValueError:
        return 0


def _number(value: object) -> int:
    """A count as OTLP/JSON and receipts write it: an integer or its decimal text; 0 for anything else."""
    if type(value) is int:
        return max(value, 0)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20 else 0
