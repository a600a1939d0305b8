"""Times as Assay writes them: RFC 3339 in UTC, with as many digits of a second as there are to say (0, 3, 6 or 9).

Law: `to_unix_nano(from_unix_nano(n)) == n`. What is read may have any number of digits up to nine, and `+00:00` for `Z`.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

from evidence.errors import EvidenceError

_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|\+00:00)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOS = 1_000_000_000


@lru_cache(maxsize=16)  # each event's time is asked for when it is checked and when it is compared
def to_unix_nano(text: str) -> int:
    """Nanoseconds since 1970; negative before.

    Raises:
        EvidenceError: not RFC 3339, not in UTC, or no such day or second.
    """
    match = _TIME.fullmatch(text)
    seconds = _seconds(match[1]) if match else None
    if match is None or seconds is None:
        raise EvidenceError(f"time: expected RFC 3339 in UTC, got {text[:40]!r}")
    return seconds * _NANOS + int((match[2] or "0").ljust(9, "0"))


@lru_cache(maxsize=64)  # most events of a second follow each other
def _seconds(text: str) -> int | None:
    """Seconds since 1970; None when there is no such day or second."""
    try:
        delta = datetime.fromisoformat(text.upper()).replace(tzinfo=UTC) - _EPOCH
    except ValueError:
        return None
    return delta.days * 86_400 + delta.seconds


def from_unix_nano(unix_nano: int) -> str:
    """The text of a time."""
    seconds, nanos = divmod(unix_nano, _NANOS)
    days, second = divmod(seconds, 86_400)
    day = datetime.fromordinal(_EPOCH.toordinal() + days).date().isoformat()
    digits = f"{nanos:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{day}T{clock}{'.' * bool(digits)}{digits}Z"
