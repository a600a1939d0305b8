"""What telemetry says, fit for a terminal."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """The text without what a terminal would obey: a space for every control character."""
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
