"""Where a verb writes a report: that it cannot be written is wrong usage, and is said before the work where that can be known."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SARIF", "report_option", "write_report"]

SARIF = b"sarif-schema-2.1.0"
"""Stands in every SARIF file of ours."""


class _ReportFile(click.Path):
    """A file to be written, in a folder that is there, in place of an earlier one of its kind and of nothing else.

    `replaces` stands in every file of its kind; None leaves to the verb what is replaced.
    """

    def __init__(self, replaces: bytes | None) -> None:
        super().__init__(path_type=Path, dir_okay=False)
        self._replaces = replaces

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"{printable(str(path))}: there is no folder {printable(str(path.parent))}", param, ctx)
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            self.fail(f"{printable(str(path))}: Permission denied", param, ctx)
        if self._replaces and path.is_file() and not _holds(path, self._replaces):
            self.fail(f"{printable(str(path))}: is no earlier report, and nothing else is written over", param, ctx)
        return path


def _holds(path: Path, words: bytes) -> bool:
    """Whether a file holds these words, or nothing."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return True
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(words) >= 0


def report_option(
    name: str, help_text: str, *, replaces: bytes | None = None, required: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes the file of a report; `replaces` stands in every such report, and a file without it is not written over."""
    return click.option(name, type=_ReportFile(replaces), required=required, help=help_text)


def write_report(path: Path, content: bytes, option: str) -> None:
    """Write a file; that it cannot be written says nothing about any bundle, so it is usage."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise click.BadParameter(f"{printable(str(path))}: {error.strerror}", param_hint=option) from error
