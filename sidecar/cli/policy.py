"""`affidavit policy`: what an auditor's policy trusts and asks for, in plain words."""

from __future__ import annotations

import textwrap
from pathlib import Path

import click
import orjson

from sidecar.cli.columns import output_columns
from sidecar.cli.moment import at_option
from sidecar.cli.printable import printable


@click.group()
def policy() -> None:
    """Check auditors' policies: whom they trust, what they ask for.

    `affidavit verify --policy FILE` judges by one; docs/policy.md says how to write it.
    """


@policy.command(short_help="Check a policy and say what it means.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@at_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def check(file: Path, *, at: str, as_json: bool) -> None:
    """Check a policy with the keys and roots it names, and say in plain words what it trusts and asks for.

    Exit code 0 when it can be used, also with warnings; 2 when not, with FILE:LINE and what is wrong there.
    """
    from attest.errors import PolicyError
    from attest.policy.file import read_policy
    from sidecar.cli.policy_text import asks, document, expired, trusts

    try:
        found = read_policy(file)
    except PolicyError as error:
        raise click.UsageError(printable(str(error))) from error
    if as_json:
        click.echo(orjson.dumps(document(found), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2))
        return
    click.echo(f"{click.style(f'{found.name} {found.version}', bold=True)}  {found.digest}")
    colours = {"Beware": "yellow"}
    until = [found.expires] if found.expires else []
    warnings = [*expired(found, at), *found.warnings]
    for title, clauses in (("Trusts", trusts(found)), ("Asks", asks(found)), ("Until", until), ("Beware", warnings)):
        for number, clause in enumerate(clauses):
            _say("" if number else title, clause, colours.get(title))


def _say(title: str, clause: str, colour: str | None) -> None:
    lines = textwrap.wrap(printable(clause), output_columns(None) - 12, break_long_words=False, break_on_hyphens=False)
    for number, line in enumerate(lines):
        click.echo(click.style(f"  {'' if number else title:8}{'  ' if number else ''}{line}", fg=colour))
