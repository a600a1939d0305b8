"""`affidavit evidence diff`: what changed between two runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sidecar.cli.evidence.options import of_output
from sidecar.cli.printable import printable_json

if TYPE_CHECKING:
    from evidence.reading.run_profile import Profile


@click.command()
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("--only", metavar="FACET", multiple=True, help="Compare only this; may be given again.")
@click.option("--ignore", metavar="FACET", multiple=True, help="Leave this out; may be given again.")
@click.option("--exit-zero", is_flag=True, help="Exit code 0 whether the runs differ or not.")
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON (run-diff-v1).")
@of_output
def diff(
    first: Path,
    second: Path,
    *,
    only: tuple[str, ...],
    ignore: tuple[str, ...],
    exit_zero: bool,
    as_json: bool,
    width: int | None,
    color: bool | None,
) -> None:
    r"""Show what changed between the runs in bundles A and B, facet by facet; only what is not the same.

    Ids, times and durations always differ and are not compared. Names are those after translation, so that runs of different
    frameworks compare. What is withheld cannot be compared, and is said to be. Does NOT check signatures, scores and the
    mapping; `affidavit verify` does.

    \b
    Facets: signals scores packs capture gaps agents models sampling prompts
            inputs tools_offered tools_requested tools_called finish_reasons
            errors policies decisions approvals receipts tokens counts
            environment instrumentation mapping withheld closing

    \b
    Exit code: 0 the same in all that could be compared
               1 they differ
               2 wrong usage, or a bundle that cannot be read or is not valid
    """
    from evidence.canonical import canonical
    from evidence.reading.difference import difference
    from sidecar.cli.columns import output_columns, say
    from sidecar.cli.evidence.difference_text import difference_lines

    ignored = _ignored(only, ignore)
    found = difference(_profile(first), _profile(second), ignored)
    if as_json:
        click.echo(printable_json(canonical(found.to_json()).decode()))
    else:
        for line in difference_lines(found, output_columns(width)):
            say(line, color=color)
    sys.exit(1 if found.differs and not exit_zero else 0)


def _ignored(only: tuple[str, ...], ignore: tuple[str, ...]) -> frozenset[str]:
    from evidence.reading.facets import FACETS

    for option, names in (("--only", only), ("--ignore", ignore)):
        if unknown := sorted(set(names) - set(FACETS)):
            raise click.BadParameter(
                f"there is no facet {unknown[0]!r}; there are {', '.join(FACETS)}", param_hint=option
            )
    return frozenset(facet for facet in FACETS if facet in ignore or (only and facet not in only))


def _profile(path: Path) -> Profile:
    from evidence.errors import BundleError
    from evidence.reading.run_profile import read_profile

    try:
        return read_profile(path)
    except (BundleError, OSError) as error:
        reason = f"not a valid bundle: {error}" if isinstance(error, BundleError) else error.strerror
        click.echo(f"affidavit: {path}: {reason}", err=True)
        sys.exit(2)
