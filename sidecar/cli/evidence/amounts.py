"""Times, amounts and facts in words."""

from __future__ import annotations

from typing import Any

__all__ = ["count", "fact_words", "seconds", "span_of_time"]

_MICRO, _MILLI, _SECOND = 1_000, 1_000_000, 1_000_000_000
_MINUTE, _HOUR, _DAY = 60 * _SECOND, 3600 * _SECOND, 86_400 * _SECOND


def count(number: int, noun: str) -> str:
    """`1 span`, `2 spans`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def seconds(nanos: int, *, signed: bool = False) -> str:
    """A duration in at most nine columns, cut and not rounded; `signed` with a plus before what is not negative."""
    sign = "-" if nanos < 0 else "+" if signed else ""
    size = abs(nanos)
    if size < _MILLI:
        return f"{sign}{size // _MICRO} µs" if size else f"{sign}0 s"
    if size < _SECOND:
        return f"{sign}{size // _MILLI} ms"
    if size < _MINUTE:
        return f"{sign}{size // _SECOND}.{size % _SECOND // (10 * _MILLI):02} s"
    if size < _HOUR:
        return f"{sign}{size // _MINUTE}m {size % _MINUTE // _SECOND:02}s"
    if size < _DAY:
        return f"{sign}{size // _HOUR}h {size % _HOUR // _MINUTE:02}m"
    return f"{sign}{size // _DAY} d"


def span_of_time(opened: str, closed: str) -> str:
    """Two times of evidence as `2026-11-21 07:47:04.578 to 07:47:09.112 UTC`."""
    first, last = (time[:23].replace("T", " ") for time in (opened, closed))
    end = last[11:] if first[:10] == last[:10] else last
    return f"{first} to {end} UTC"


def fact_words(value: Any) -> str:  # noqa: ANN401 - a fact
    """One value of `evidence.reading.facts`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
