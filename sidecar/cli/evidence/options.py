"""Options that the verbs for people have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from sidecar.cli.columns import COLUMNS_MIN

__all__ = ["of_output"]


def of_output(command: Callable[..., Any]) -> Callable[..., Any]:
    """How text for people is laid out: `--width` and `--color`."""
    for option in (
        click.option("--color/--no-color", "color", default=None, help="Colours, or none.  [default: on a terminal]"),
        click.option(
            "--width",
            type=click.IntRange(min=COLUMNS_MIN),
            help="Columns of a line.  [default: the terminal's; 100 in a pipe]",
        ),
    ):
        command = option(command)
    return command
