"""Groups of verbs whose modules are imported when a verb is used, so that none pays for another.

Law: `--help` of a group imports no verb: each verb's line stands in the group's table.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

__all__ = ["LazyGroup", "lazy_group"]

Verbs = Mapping[str, tuple[str, str]]
"""Verb: where it is (`module:name`), and its line in `--help`."""


class LazyGroup(click.Group):
    """Verbs by name, each loaded when it is used."""

    verbs: Verbs

    def __init__(self, *args: Any, verbs: Verbs, **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*args, **kwargs)
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order of the table."""
        del ctx
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, imported now; None when there is none of that name."""
        del ctx
        if cmd_name not in self.verbs:
            return None
        module, _, name = self.verbs[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        if command.help:
            command.help = command.help.replace(
                "\\b\n", "\b\n"
            )  # click's mark for lines as they are, in a raw docstring
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is meant; of a name that is none, the ones that are like it."""
        if args and args[0] not in self.verbs:
            from difflib import get_close_matches

            if like := get_close_matches(args[0], self.verbs):
                ctx.fail(f"No such command '{args[0]}'. Did you mean {' or '.join(like)}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing any verb."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.verbs.items()])


def lazy_group(name: str, about: str, verbs: Verbs) -> LazyGroup:
    """A group of verbs under one name."""
    return LazyGroup(name=name, help=about, verbs=verbs)
