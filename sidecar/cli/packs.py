"""`affidavit packs`: which packs of rules there are, what one asks, whether one's own is valid, and the digest to pin it by."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.columns import output_columns
from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from evidence.packs import Pack, Rule

_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}
_LABEL_COLUMNS = 14
_as_json = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
_pack = click.argument("name", metavar="NAME|FILE")


@click.group()
def packs() -> None:
    """Packs of rules: what a reader wants to know of a run, asked of its events.

    A pack is built in and has a name, or is a file of your own (*.yaml); docs/packs.md says how to write one.
    """


@packs.command("list")
@_as_json
def list_(*, as_json: bool) -> None:
    """List the built-in packs."""
    from evidence.canonical import canonical
    from evidence.packs import BUILTIN

    found = [_summary(_load(name)) for name in BUILTIN]
    if as_json:
        click.echo(canonical({"schema_version": "packs-v1", "packs": found}).decode())
        return
    head = ("NAME", "VERSION", "KIND", "RULES", "SIGNALS", "APPLIES FROM")
    rows = [[str(row[key]) for key in ("name", "version", "kind", "rules", "signals", "applies_from")] for row in found]
    for line in _columns([head, *rows]):
        click.echo(line)


@packs.command(short_help="Show what a pack asks, rule by rule.")
@_pack
@_as_json
def show(name: str, *, as_json: bool) -> None:
    """Show what a pack asks: every rule, its reference, and its check in words."""
    from evidence.canonical import canonical

    pack = _load(name)
    if as_json:
        click.echo(canonical(_document(pack)).decode())
        return
    for line in _shown(pack):
        click.echo(line)


@packs.command(short_help="Check pack files of your own.")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
def check(files: tuple[Path, ...]) -> None:
    """Check pack files: unknown keys, words and signals, rules told twice, rules that cannot fail or cannot hold.

    Prints each file's pack, or FILE:LINE and what is wrong there first. Exit code 0 all valid, 1 otherwise.
    """
    from evidence.errors import PackError
    from sidecar.tables import read_pack_file

    failed = False
    for file in files:
        try:
            pack = read_pack_file(file)
        except PackError as error:
            failed = True
            click.echo(printable(str(error)))
        else:
            click.echo(printable(f"{file}: ok: {pack.id}, {_counted(len(pack.rules), 'rule')}"))
    sys.exit(1 if failed else 0)


@packs.command(short_help="Print the digest to pin a pack by.")
@_pack
def digest(name: str) -> None:
    """Print a pack's digest and NAME@VERSION: what a pipeline pins, and what manifests and reports name it by."""
    pack = _load(name)
    click.echo(printable(f"{pack.digest}  {pack.id}"))


def _load(name: str) -> Pack:
    from sidecar.tables import load_packs

    return load_packs([name])[0]


# ------------------------------------------------------------------ as JSON


def _summary(pack: Pack) -> dict[str, Any]:
    dates = [date for rule in pack.rules for date in rule.applies_from.values()]
    return {
        "name": pack.name,
        "version": pack.version,
        "kind": pack.kind,
        "description": pack.description,
        "digest": pack.digest,
        "rules": len(pack.rules),
        "signals": len(pack.requires_signals),
        "applies_from": min(dates, default=""),
    }


def _document(pack: Pack) -> dict[str, Any]:
    from evidence.lint.explain.rule import asks
    from evidence.signals import registry

    said = {"license": pack.license, "disclaimer": pack.disclaimer, "source_url": pack.source_url}
    return {
        **_summary(pack),
        **{key: text for key, text in said.items() if text},
        "schema_version": "pack-v1",
        "signals": list(pack.requires_signals),
        "rules": [
            {
                **rule.about,
                "id": rule.id,
                "title": rule.title,
                "severity": rule.severity,
                "signals": dict(rule.signals),
                "asks": list(asks(rule, registry())),
            }
            for rule in pack.rules
        ],
    }


# ------------------------------------------------------------------ as text


def _shown(pack: Pack) -> Iterator[str]:
    yield f"{click.style(printable(pack.id), bold=True)}  {pack.kind}  {pack.digest}"
    said = [("license", pack.license), ("source", pack.source_url), ("disclaimer", pack.disclaimer)]
    yield from _labelled(
        [("is", pack.description), ("completeness", f"over {', '.join(pack.requires_signals)}")]
        + [(label, text) for label, text in said if text]
    )
    for rule in pack.rules:
        yield ""
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    from evidence.lint.explain.rule import asks, standing
    from evidence.signals import registry

    yield f"{click.style(rule.id, bold=True)}  {click.style(rule.severity, fg=_COLORS[rule.severity])}  {printable(rule.title)}"
    remedy = [("remedy", rule.remedy)] if rule.remedy else []
    yield from _labelled([*(("asks", text) for text in asks(rule, registry())), *standing(rule), *remedy])


def _labelled(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Each label with its text, wrapped beside it; labels stay whole, as do addresses."""
    for label, text in facts:
        lines = textwrap.wrap(
            printable(text), output_columns(None) - _LABEL_COLUMNS - 2, break_long_words=False, break_on_hyphens=False
        )
        for number, line in enumerate(lines):
            yield f"  {'' if number else label:{_LABEL_COLUMNS}}{line}"


def _columns(rows: Sequence[Iterable[str]]) -> Iterator[str]:
    cells = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
