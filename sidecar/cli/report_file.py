"""Where a verb writes a report: that it cannot be written is wrong usage, and is said before the work where that can be known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["report_option", "write_report"]


class _ReportFile(click.Path):
    """A file to be written, in a folder that is there."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"{printable(str(path))}: there is no folder {printable(str(path.parent))}", param, ctx)
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            self.fail(f"{printable(str(path))}: Permission denied", param, ctx)
        return path


def report_option(
    name: str, help_text: str, *, required: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes the file of a report."""
    return click.option(name, type=_ReportFile(path_type=Path, dir_okay=False), required=required, help=help_text)


def write_report(path: Path, content: bytes, option: str) -> None:
    """Write a file; that it cannot be written says nothing about any bundle, so it is usage."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise click.BadParameter(f"{printable(str(path))}: {error.strerror}", param_hint=option) from error
