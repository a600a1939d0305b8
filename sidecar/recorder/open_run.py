"""An open run: its row, and what must be remembered of its items to tell a repetition from something new.

Law: what a run's own events give when they are read back is enough to go on with it, so it may be forgotten at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from evidence import event as events
from evidence.capture.receipt_numbers import ReceiptNumbers
from sidecar.recorder.entry import digest_of
from sidecar.recorder.store import RunRow

__all__ = ["COUNTERS", "TYPES", "OpenRun"]

TYPES = {
    "span": events.SPAN,
    "log": events.LOG,
    "metric": events.METRIC,
    "receipt": events.RECEIPT,
}
"""Kinds of item, and the types of event that they are recorded as."""
COUNTERS = {"span": "spans", "log": "logs", "metric": "metrics", "receipt": "receipts"}
"""Kinds of item, and the counts of a row."""
_KINDS = {type_: kind for kind, type_ in TYPES.items()}


@dataclass(slots=True)
class OpenRun:
    """What is known of an open run, and what is still to be handed to the store."""

    row: RunRow
    seen: set[bytes] = field(default_factory=set)
    """Digests of the items that are recorded: what comes with one of these is a repetition."""
    keys: set[str] = field(default_factory=set)
    """Idempotency keys of the receipts among them."""
    parts: set[str] = field(default_factory=set)
    """Digests of the resources and scopes that are recorded."""
    unfit: dict[str, str] = field(default_factory=dict)
    """Parts that cannot be recorded, and why: each is tried once, however many items refer to it."""
    numbers: ReceiptNumbers = field(default_factory=ReceiptNumbers)
    """Sequence numbers of receipts, to name the holes at the end."""
    lines: list[bytes] = field(default_factory=list)
    """Written in this transaction and not yet handed to the store."""
    pending_bytes: int = 0
    """Of those lines."""
    is_changed: bool = False
    """Whether the row is other than the store has it: a repetition changes it too."""

    def read_back(self, event: dict[str, Any]) -> None:
        """Remembers one of the run's own events."""
        data = event["data"]
        if event["type"] in {events.RESOURCE, events.SCOPE}:
            self.parts.add(data["digest"])
            return
        kind = _KINDS.get(event["type"])
        if kind and (digest := digest_of(kind, data)):
            self.seen.add(digest)
        if kind == "receipt":
            self.keys.add(data["idempotency_key"])
            self.numbers.add(data.get("sequence", 0))
