"""What a recorder can tell to be missing when a run ends: receipts that were numbered, and items that the sender counted.

Law: a function of what arrived and of what the sender said; what nobody counted is not told.
"""

from collections.abc import Iterator, Mapping

from evidence.capture.counts import count_of
from evidence.capture.receipt_numbers import ReceiptNumbers
from evidence.limits import INTEGER_MAX

RECEIPT_SEQUENCE = "receipt_sequence"

_COUNTED = {"spans_ended": "spans", "logs": "logs", "receipts": "receipts"}
"""Counts of the sender, and the recorder's own that each is held against."""

CLOSING_GAPS = frozenset({RECEIPT_SEQUENCE, *(f"sender_{name}" for name in _COUNTED)})
"""The kinds of gap that are told when a run ends, and at no other time."""


def closing_gaps(
    arrived: Mapping[str, int], numbers: ReceiptNumbers, part: int, sender_counts: Mapping[str, object]
) -> Iterator[tuple[str, int, str]]:
    """Kind, count and detail of each gap.

    Args:
        arrived: how many spans, logs and receipts were recorded.
        numbers: of the receipts among them.
        part: which part of the run ends.
        sender_counts: what the sender said with the close.
    """
    if missing := numbers.missing(part):
        yield RECEIPT_SEQUENCE, missing, f"of the numbers up to {numbers.highest}, {missing} did not arrive"
    for name, own in _COUNTED.items():
        if name in sender_counts and (said := count_of(sender_counts[name])) > arrived[own]:
            yield (
                f"sender_{name}",
                min(said - arrived[own], INTEGER_MAX),
                f"the sender counted {said}, {arrived[own]} arrived",
            )
