"""What a sender says that it sent, in the closing event, against what is in the events.

The counts are `SenderCounts` of proto/affidavit/evidence/v1/evidence.proto. Law: a count that was not given says nothing; it
is not zero. Of repeated items one counts as arrived.
"""

from collections.abc import Mapping
from itertools import pairwise

from evidence.capture.counts import count_of

_KINDS = (("spans_ended", "spans"), ("logs", "logs"), ("receipts", "receipts"))
_LOST = {"spans_dropped": "sender_dropped_spans", "spans_unsampled": "sender_unsampled_spans"}
"""What the sender knows that it did not send, and the counter it stands in."""


def compare(said: Mapping[str, object], arrived: Mapping[str, int]) -> dict[str, int]:
    """The counters of capture health that the sender's own counts raise.

    Args:
        said: the sender's counts by name, as the closing event has them.
        arrived: spans, logs and receipts that are there.
    """
    counts = {counter: count_of(said.get(name)) for name, counter in _LOST.items()}
    counts["sender_surplus"] = 0
    for name, kind in _KINDS:
        if name in said:
            difference = count_of(said[name]) - arrived[kind]
            counts[f"sender_missing_{kind}"] = max(difference, 0)
            counts["sender_surplus"] += max(-difference, 0)
    if "spans_started" in said and "spans_ended" in said:
        counts["sender_unended_spans"] = max(count_of(said["spans_started"]) - count_of(said["spans_ended"]), 0)
    counts["sender_contradictions"] = _contradictions(said)
    return counts


def is_counted(said: Mapping[str, object]) -> bool:
    """Whether the sender said how many spans it ended, without which one that is missing does not show."""
    return "spans_ended" in said


def _contradictions(said: Mapping[str, object]) -> int:
    """How many of a sender's counts cannot be true together: none drops what never ended, or ends what never started."""
    order = [count_of(said[name]) for name in ("spans_dropped", "spans_ended", "spans_started") if name in said]
    return sum(less > more for less, more in pairwise(order))
