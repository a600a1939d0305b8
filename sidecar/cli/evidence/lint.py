"""`affidavit evidence lint`: does a bundle hold what packs ask of it; what is missing, where, and what would close it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sidecar.cli.applying import day, judging_options, system_profiles
from sidecar.cli.garbage import rare_collections
from sidecar.cli.printable import printable
from sidecar.cli.progress import progress
from sidecar.cli.report_file import SARIF, report_option, write_report

if TYPE_CHECKING:
    from evidence.lint.explain import Target
    from evidence.lint.lint import Options
    from evidence.lint.report import Severity
    from evidence.packs import Pack


@click.command("lint")
@click.argument("paths", metavar="BUNDLE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@judging_options
@report_option("--report", "Write the report as JSON (lint-report-v1).", replaces=b"lint-report-v1")
@report_option("--sarif", "Write the findings as SARIF 2.1.0.", replaces=SARIF)
@click.option(
    "--explain",
    "targets",
    metavar="TARGET",
    multiple=True,
    help="Say how closure.score, completeness or a rule (PACK:RULE) came about and what would close it; may be given again.",
)
@click.option(
    "--profile",
    "profiles",
    metavar="P",
    multiple=True,
    help="Rules that are for this profile of system apply; may be given again.",
)
@click.option("--strict", is_flag=True, help="Undecided rules make exit code 3.")
def lint(
    *,
    paths: tuple[Path, ...],
    pack_names: tuple[str, ...],
    report: Path | None,
    sarif: Path | None,
    targets: tuple[str, ...],
    as_of: str | None,
    profiles: tuple[str, ...],
    fail_on: Severity,
    strict: bool,
) -> None:
    r"""Lint evidence bundles: does the evidence support the rules of a pack, and where does it not.

    BUNDLE is NAME.evidence.tar.gz, or a folder of them. Reads nothing else and opens no connection. Says what the evidence supports,
    never that anybody complies. Signatures are not checked: `affidavit verify` does that.

    \b
    Exit code: 0 no rule at or above --fail-on fails
               1 a bundle is tampered with or invalid
               2 wrong usage
               3 a rule is undecided, under --strict
               4 could not decide: an unknown format, a file that cannot be read
               5 a rule fails
    """
    from importlib.metadata import version

    from evidence.lint.lint import lint as lint_bundle
    from evidence.lint.report import LintReport
    from evidence.lint.sarif import sarif_bytes
    from sidecar.cli.evidence.lint_text import lines

    options = _options(pack_names, as_of, profiles)
    explained = _targets(targets, options.packs)
    bundles = list(_bundles(paths))
    with progress(len(bundles), "linting") as bar, rare_collections():
        linted = []
        for path in bundles:
            linted.append(lint_bundle(path, options, name=_name(path)))
            bar.update(1)
    found = LintReport(
        version=version("affidavit"), options=options, bundles=tuple(linted), fail_on=fail_on, strict=strict
    )
    if report is not None:
        write_report(report, found.to_bytes(), "--report")
    if sarif is not None:
        write_report(sarif, sarif_bytes(found), "--sarif")
    for line in lines(found, explained):
        click.echo(line)
    sys.exit(found.exit_code)


def _options(pack_names: Sequence[str], as_of: str | None, profiles: Sequence[str]) -> Options:
    """What the options choose.

    Raises:
        ConfigError: a pack cannot be read, or two have one name.
        BadParameter: a day or a profile that there is not.
    """
    from evidence.lint.lint import Options
    from sidecar.tables import load_packs

    packs = load_packs(pack_names)
    return Options(packs=packs, as_of=day(as_of), profiles=system_profiles(profiles, packs, "--profile"))


def _targets(texts: Sequence[str], packs: Sequence[Pack]) -> list[Target]:
    from evidence.errors import PackError
    from evidence.lint.explain import parse_target

    try:
        return [parse_target(text, packs) for text in texts]
    except PackError as error:
        raise click.BadParameter(str(error), param_hint="--explain") from error


def _bundles(paths: Sequence[Path]) -> Iterator[Path]:
    """The files; a folder stands for the bundles in it."""
    from evidence.run import BUNDLE_SUFFIX

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(path.glob(f"*{BUNDLE_SUFFIX}"))
        if not inside:
            raise click.UsageError(f"{printable(str(path))} holds no *{BUNDLE_SUFFIX}")
        yield from inside


def _name(path: Path) -> str:
    """The name as it was given, as text that any report can hold."""
    return path.as_posix().encode(errors="surrogateescape").decode(errors="replace")
