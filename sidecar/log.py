"""Our own log: one line an event, on standard error, as text for people or JSON for machines.

Law: no telemetry content, header or key material is ever in a line; values are names, counts and reasons, and what a reason quotes that
looks like a secret is left out of it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Literal

import orjson

from evidence.redaction.detectors import hidden
from evidence.timestamp import from_unix_nano
from sidecar.clock import now_unix_nano

__all__ = ["Log"]

Level = Literal["debug", "info", "warning", "error"]
_ORDER = ("debug", "info", "warning", "error")
_QUOTING = ("warning", "error")
"""Levels whose reasons may be those of a library or a backend."""


class Log:
    """Writes events at or above a level."""

    def __init__(
        self, level: Level = "info", form: Literal["text", "json"] = "text", *, process: str = "receiver"
    ) -> None:
        self._least = _ORDER.index(level)
        self._render: Callable[[str, str, str, dict[str, object]], str] = _as_json if form == "json" else _as_text
        self._process = process

    def debug(self, event: str, **facts: object) -> None:
        """Of use when something is being looked for."""
        self._write("debug", event, facts)

    def info(self, event: str, **facts: object) -> None:
        """The normal course."""
        self._write("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Something the operator should know; nothing is lost."""
        self._write("warning", event, facts)

    def error(self, event: str, **facts: object) -> None:
        """Something the operator must act on."""
        self._write("error", event, facts)

    def adopt(self) -> None:
        """Takes what libraries say through `logging`, from warnings on, so that the log has one form."""
        logging.basicConfig(handlers=[_Adopted(self)], level=logging.WARNING, force=True)

    def _write(self, level: str, event: str, facts: dict[str, object]) -> None:
        if _ORDER.index(level) >= self._least:
            line = self._render(level, self._process, event, facts)
            sys.stderr.write((hidden(line) if level in _QUOTING else line) + "\n")
            sys.stderr.flush()


class _Adopted(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        reason = f": {record.exc_info[1]!r}" if record.exc_info and record.exc_info[1] else ""
        say(record.getMessage() + reason, source=record.name)


def _as_text(level: str, process: str, event: str, facts: dict[str, object]) -> str:
    shown = " ".join(f"{key}={value}" for key, value in facts.items())
    return f"{from_unix_nano(now_unix_nano())[:23]}Z {level:7} {process}: {event}{'  ' if shown else ''}{shown}"


def _as_json(level: str, process: str, event: str, facts: dict[str, object]) -> str:
    line = {"time": from_unix_nano(now_unix_nano()), "level": level, "process": process, "event": event, **facts}
    return orjson.dumps(line, default=str).decode()
