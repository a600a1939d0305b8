"""A progress bar on a terminal, and nothing in a pipe."""

from __future__ import annotations

import sys
from typing import Any

import click

__all__ = ["progress"]


def progress(length: int, label: str) -> Any:  # noqa: ANN401 - click's progress bar is a private type
    """A bar on standard error for `length` steps; hidden when nobody would see it move."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty() or length < 2)
