"""Capture health: what the events of a part tell about what was not captured.

Law: `result` is a function of the events alone, so `verify` recomputes what the manifest says. What only the recorder could
know (repetitions, damage of its journal) reaches it as events: gaps, and the closing event's own counts. What it can see in
the events it does not take on the recorder's word: where both tell of the same holes, the larger number stands.

What each counter means, and which level of confidence it lowers to, is a table: `confidence` in `registry.yaml`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import ClassVar

from evidence.canonical import JsonObject
from evidence.capture import sender_counts
from evidence.capture.counts import count_of
from evidence.capture.receipt_numbers import ReceiptNumbers
from evidence.capture.sampling import is_thinned, is_unsampled
from evidence.capture.span_graph import SpanGraph
from evidence.capture.tolerance import CLOCK_SKEW_NANOS_MAX
from evidence.capture.truncation import count_cut
from evidence.errors import EvidenceError
from evidence.event import LOG, METRIC, RECEIPT, RUN_CLOSED, RUN_GAP, RUN_OPENED, SPAN
from evidence.limits import DEFAULT, INTEGER_MAX, Limits
from evidence.timestamp import to_unix_nano

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
}
"""Kinds of gap that have a counter of their own; every gap counts in `gaps` and `gap_items` as well."""
_SUMS = (
    *_COUNTED.values(),
    *(counter for _, counter in _DROPPED),
    *_GAPS.values(),
    "gaps",
    "gap_items",
    "lossy_items",
    "truncated_texts",
    "unsampled_items",
    "thinned_spans",
    "clock_skew",
    "early_children",
    "future_items",
    "time_regressions",
    "duplicates",
    "conflicting_ids",
    "orphan_spans",
    "remote_parents",
    "missing_parents",
    "untracked_spans",
    "untracked_receipts",
    "repeated_receipt_numbers",
    "sender_unended_spans",
    "sender_dropped_spans",
    "sender_unsampled_spans",
    "sender_surplus",
    "sender_contradictions",
    "count_mismatch",
)
_FLAGS = ("unopened", "unclosed", "sender_uncounted")
COUNTERS = frozenset((*_SUMS, *_FLAGS))
"""Every member of the result: sums, and three booleans."""


class CaptureHealth:
    """Accumulates over the events of one part, in order.

    Memory is what `SpanGraph` and `ReceiptNumbers` say, and nothing that grows otherwise.
    """

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._counts = dict.fromkeys(_SUMS, 0)
        self._events = 0
        self._part = 1
        self._last_time = ""
        self._opened = self._closed = False
        self._claimed: JsonObject = {}
        self._graph = SpanGraph(limits)
        self._numbers = ReceiptNumbers(limits)

    def add(self, event: JsonObject, line: bytes) -> None:
        """Count one event; `line` is its canonical form."""
        kind, time, data = event["type"], event["time"], event["data"]
        self._events += 1
        if kind in _COUNTED:
            self._counts[_COUNTED[kind]] += 1
            if time > data.get("received", time) and _is_ahead(time, data["received"]):
                self._counts["future_items"] += 1
        if time < self._last_time:
            self._counts["time_regressions"] += 1
        self._last_time = time
        if add := self._VERBS.get(kind):
            add(self, data, line)

    def result(self) -> dict[str, int | bool]:
        """The counters, with `unopened`, `unclosed` and `sender_uncounted`."""
        counts = dict(self._counts)
        compared = self._graph.compared()
        counts |= {name: counts[name] + count for name, count in compared.items()}
        repeated = compared["duplicates"] + compared["conflicting_ids"]
        said = self._said()
        seen = sender_counts.compare(said, {**counts, "spans": counts["spans"] - repeated})
        seen["missing_receipts"] = self._numbers.missing(self._part)
        counts |= {name: max(counts[name], count) for name, count in seen.items()}
        counts["repeated_receipt_numbers"] = self._numbers.repeated
        counts["untracked_receipts"] = self._numbers.untracked
        counts["untracked_spans"] = self._graph.untracked
        counts["remote_parents"] = self._graph.remote_parents
        counts["count_mismatch"] = self._mismatch()
        flags = (not self._opened, not self._closed, not sender_counts.is_counted(said))
        counts = {name: min(count, INTEGER_MAX) for name, count in counts.items()}
        return {**counts, **dict(zip(_FLAGS, flags, strict=True))}

    # ---------------------------------------------------------------- telemetry and receipts

    def _span(self, data: JsonObject, line: bytes) -> None:
        counts, span = self._counts, data["span"]
        self._item(data, line)
        flags, start = count_of(span.get("flags")), count_of(span.get("startTimeUnixNano"))
        if count_of(span.get("endTimeUnixNano")) < start:
            counts["clock_skew"] += 1
        if is_unsampled(flags):
            counts["unsampled_items"] += 1
        if "traceState" in span and is_thinned(span["traceState"]):
            counts["thinned_spans"] += 1
        for name, counter in _DROPPED:
            if name in span:
                counts[counter] += count_of(span[name])
        if "attributes" in span and (cut := count_cut(span["attributes"])):
            counts["truncated_texts"] += cut
        # `data` is the first member in canonical order, so the line up to the next one is its canonical form.
        self._graph.add(span, flags, start, memoryview(line)[: line.rfind(b',"datacontenttype":')])

    def _log(self, data: JsonObject, line: bytes) -> None:
        counts, log = self._counts, data["log"]
        self._item(data, line)
        if is_unsampled(count_of(log.get("flags"))):
            counts["unsampled_items"] += 1
        if "droppedAttributesCount" in log:
            counts["dropped_attributes_at_source"] += count_of(log["droppedAttributesCount"])
        if cut := count_cut(log.get("attributes", ())) + count_cut(({"value": log.get("body")},)):
            counts["truncated_texts"] += cut

    def _item(self, data: JsonObject, _line: bytes) -> None:
        if "loss" in data:
            self._counts["lossy_items"] += 1

    def _receipt(self, data: JsonObject, _line: bytes) -> None:
        self._numbers.add(count_of(data.get("sequence")))

    # ---------------------------------------------------------------- the run

    def _run_opened(self, data: JsonObject, _line: bytes) -> None:
        if self._events == 1:
            self._opened, self._part = True, data["part"]

    def _run_closed(self, data: JsonObject, _line: bytes) -> None:
        self._closed = True
        self._claimed = data
        self._counts["duplicates"] += count_of(data.get("duplicates"))

    def _gap(self, data: JsonObject, _line: bytes) -> None:
        self._counts["gaps"] += 1
        self._counts["gap_items"] += count_of(data["count"])
        if counter := _GAPS.get(data["kind"]):
            self._counts[counter] += count_of(data["count"])

    def _said(self) -> JsonObject:
        """The sender's own counts."""
        said = self._claimed.get("sender_counts")
        return said if isinstance(said, dict) else {}

    def _mismatch(self) -> int:
        """By how much the closing event's counts differ from what is there: lines taken out or put in before sealing."""
        if not self._closed:
            return 0
        there = {name: self._counts[name] for name in _COUNTED.values()} | {"events": self._events}
        return sum(abs(count_of(self._claimed[name]) - count) for name, count in there.items())

    _VERBS: ClassVar[Mapping[str, Callable[["CaptureHealth", JsonObject, bytes], None]]] = {
        SPAN: _span,
        LOG: _log,
        METRIC: _item,
        RECEIPT: _receipt,
        RUN_OPENED: _run_opened,
        RUN_CLOSED: _run_closed,
        RUN_GAP: _gap,
    }
    """What takes an event of each type; on the class, as methods of its own would hold each of them in a circle."""


def _is_ahead(time: str, received: object) -> bool:
    """Whether an item claims to have happened after it was received, by more than clocks may disagree."""
    try:
        return to_unix_nano(time) - _received_at(str(received)) > CLOCK_SKEW_NANOS_MAX
    except EvidenceError:
        return False


_received_at = lru_cache(maxsize=64)(to_unix_nano)  # what comes in one request was received at one time
