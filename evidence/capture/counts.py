"""Counts as telemetry and receipts write them.

Law: a count is an integer of 0 or more, or its decimal text; whatever else stands there counts as 0, and nothing is raised.
"""

_DIGITS_MAX = 20  # of an unsigned 64-bit integer


def count_of(value: object) -> int:
    """The number that OTLP/JSON means: 64-bit integers are decimal text there, smaller ones are numbers."""
    if isinstance(value, str):
        return int(value) if value.isdigit() and value.isascii() and len(value) <= _DIGITS_MAX else 0
    return max(value, 0) if type(value) is int else 0
