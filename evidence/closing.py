"""What a recorder can tell to be missing when a run ends: receipts that were numbered, and items that the sender counted.

Law: a function of what arrived and of what the sender said; what nobody counted is not told.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

RECEIPT_SEQUENCE = "receipt_sequence"

_COUNTED = {"spans_ended": "spans", "logs": "logs", "receipts": "receipts"}
"""Counts of the sender, and the recorder's own that each is held against."""

CLOSING_GAPS = frozenset({RECEIPT_SEQUENCE, *(f"sender_{name}" for name in _COUNTED)})
"""The kinds of gap that are told when a run ends, and at no other time."""


def closing_gaps(
    arrived: Mapping[str, int], sequences: Collection[int], sender_counts: Mapping[str, Any]
) -> Iterator[tuple[str, int, str]]:
    """Kind, count and detail of each gap.

    Args:
        arrived: how many spans, logs and receipts were recorded.
        sequences: the distinct numbers of the numbered receipts among them.
        sender_counts: what the sender said with the close, as decimal texts.
    """
    if sequences:
        highest = max(sequences)
        if missing := highest - len(sequences):
            yield RECEIPT_SEQUENCE, missing, f"{len(sequences)} of the first {highest} receipts arrived"
    for name, own in _COUNTED.items():
        count = sender_counts.get(name)
        if isinstance(count, str) and count.isdecimal() and int(count) > arrived[own]:
            yield f"sender_{name}", int(count) - arrived[own], f"the sender counted {count}, {arrived[own]} arrived"
