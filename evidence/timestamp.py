"""Times as evidence writes them: RFC 3339 in UTC with nine fractional digits and a `Z`, one text for one instant.

https://www.rfc-editor.org/rfc/rfc3339

Law: `to_unix_nano(from_unix_nano(n)) == n`; times in this form sort as text.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from evidence.errors import EvidenceError

_TIME = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)\.(\d{9})Z", re.ASCII
)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_FORM = b"0000-00-00T00:00:00.000000000Z"
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_NANOS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_time(text: object) -> bool:
    """Whether `text` is a time in the one form that evidence has. Leap seconds (`:60`) are not."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    return match is not None and (match[2] <= "28" or _seconds(match[1]) is not None)


def are_times(texts: Sequence[str]) -> bool:
    """Whether each of some texts is a time (`is_time`)."""
    if set(map(len, texts)) != {len(_FORM)} or "".join(texts).encode().translate(_DIGITS) != _FORM * len(texts):
        return False
    return all(_is_second(text) for text in {text[:19] for text in texts})


def from_unix_nano(unix_nano: int) -> str:
    """The text of a time given in nanoseconds since 1970, as OTLP has it (an unsigned 64-bit integer)."""
    if not 0 <= unix_nano < 2**64:
        raise EvidenceError(f"time: expected 0 to 2^64-1 nanoseconds since 1970, got {unix_nano}")
    seconds, nanos = divmod(unix_nano, _NANOS)
    return f"{_second(seconds)}.{nanos:09d}Z"


def to_unix_nano(text: str) -> int:
    """Nanoseconds since 1970 of a time in the form of `is_time`; negative before."""
    match = _TIME.fullmatch(text)
    seconds = _seconds(match[1]) if match else None
    if match is None or seconds is None:
        raise EvidenceError(f"time: expected RFC 3339 in UTC with nine fractional digits and Z, got {text[:40]!r}")
    return seconds * _NANOS + int(match[3])


def from_rfc3339(text: str) -> str:
    """The one text of a time that a person wrote in any form of RFC 3339, section 5.6: another offset, fewer digits, `t` for `T`.

    Raises:
        EvidenceError: no such form, no such day, a leap second, more than nine fractional digits (none is dropped), or an
            offset that leaves the years 1 to 9999.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise EvidenceError(f"expected a time such as 2026-11-21T10:00:00Z, got {text[:40]!r}")
    day, second, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{second}{'+00:00' if offset in 'Zz' else offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise EvidenceError(f"expected a time that exists, got {text!r}: {error}") from error
    return f"{moment.replace(tzinfo=None).isoformat()}.{fraction or '':0<9}Z"


@lru_cache(maxsize=64)
def _is_second(text: str) -> bool:
    return is_time(f"{text}.000000000Z")


@lru_cache(maxsize=64)  # telemetry comes in the order of time: most of a second's items follow each other
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


@lru_cache(maxsize=64)
def _seconds(text: str) -> int | None:
    """Seconds since 1970 of a text that looks like a second; None when there is no such day."""
    try:
        delta = datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH
    except ValueError:
        return None
    return delta.days * 86_400 + delta.seconds
