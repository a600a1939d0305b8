"""The errors of the sidecar; the type says whose fault it is.

Law: every error raised on purpose by this room is a `SidecarError`, and its message names the thing, what was got,
what was expected and where. No message holds a secret.
"""

import traceback
from pathlib import Path


class SidecarError(Exception):
    """The root of everything this room raises on purpose."""


class ConfigError(SidecarError):
    """The operator's fault: a setting that cannot be used. Names the key and what it takes."""


class DecodeError(SidecarError):
    """The sender's fault: bytes that are not what they claim to be.

    Args:
        thing: what was to be decoded, or the whole reason when nothing else is given.
        got: what stood there, shortened.
        expected: what should have stood there.
        where: the place: a path inside the body, or a file.
    """

    def __init__(self, thing: str, *, got: str = "", expected: str = "", where: str = "") -> None:
        self.thing, self.got, self.expected, self.where = thing, got, expected, where
        parts = [f"got {got}" if got else "", f"expected {expected}" if expected else ""]
        detail = ", ".join(part for part in parts if part)
        super().__init__("".join([thing, f" at {where}" if where else "", f": {detail}" if detail else ""]))


class JournalError(SidecarError):
    """The disk's fault: the journal cannot be written or read."""


class Overloaded(SidecarError):  # noqa: N818  (a state to wait out, not a mistake to fix)
    """Nobody's fault: a bound is reached. The sender is asked to come back after `retry_after_seconds`."""

    def __init__(self, reason: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


def place_of(error: Exception) -> str:
    """Which error nobody expected, and where in the code, without a word of what was being read: for the log and for evidence."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(at.filename).name}, line {at.lineno}"
