"""What telemetry says, fit for a terminal."""

from __future__ import annotations

__all__ = ["printable", "printable_json"]


def printable(text: str) -> str:
    """The text without what a terminal would obey: a space for every control character."""
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def printable_json(text: str) -> str:
    r"""A JSON text of one line in which what a terminal would obey is escaped (`\u202e`): the same value."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
