"""`affidavit semconv lint`: what is wrong with profiles, before the sidecar refuses them or they do other than they say."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

if TYPE_CHECKING:
    from semconv.lint.finding import Finding

_SCHEMA_VERSION = "semconv-lint-v1"
_COLORS = {"error": "red", "warning": "yellow"}


@click.command("lint")
@click.argument("paths", metavar="[FILE|DIR]...", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--target",
    metavar="ID",
    help="The convention the profiles lead to: gen-ai-dev or core-1.41.1.  [default: the configured one]",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The configuration file (profiles, target).",
)
def lint(paths: tuple[Path, ...], *, strict: bool, as_json: bool, target: str | None, config_file: Path | None) -> None:
    """Check profiles: all that would be refused at start, and what is taken but cannot be meant.

    FILE is a profile, DIR a folder of them; without either, the configured folder (semconv.profiles_dir) is checked. All
    of them together are taken as one folder, so that one may extend another.

    An error is refused at start, or can never do what it says: concepts there are not, rows that nothing gets to,
    conditions nothing meets, operations that cut something off without a reason, marks that match nothing or everything.
    A warning does what it says and is probably not meant. Exit code 0 clean, 1 errors (with --strict also warnings),
    2 usage.
    """
    from semconv.errors import SemconvError
    from semconv.lint.check import Linter
    from sidecar.settings import load

    settings = load(config_file).semconv
    chosen = paths or tuple(filter(None, [settings.profiles_dir]))
    if not chosen:
        raise click.UsageError("give a FILE or DIR, or a configuration with semconv.profiles_dir")
    files = _read(chosen)
    try:
        linter = Linter(target or settings.target)
    except SemconvError as error:
        raise click.BadParameter(str(error), param_hint="--target") from error
    found = linter.files(files)
    counts = Counter(finding.severity for finding in found)
    if as_json:
        click.echo(orjson.dumps(_document(linter.target.id, files, found), option=orjson.OPT_INDENT_2))
    else:
        for line in _lines(files, found, counts):
            click.echo(line)
    sys.exit(1 if counts["error"] or (strict and found) else 0)


def _read(paths: Sequence[Path]) -> dict[str, bytes]:
    """The files by the names they were given with; a folder stands for its profiles."""
    from sidecar.tables import profile_bytes, profile_files

    files: dict[str, bytes] = {}
    for path in paths:
        inside = profile_files(path) if path.is_dir() else [path]
        if not inside:
            raise click.UsageError(f"{path} holds no *.yaml")
        files |= {str(file): profile_bytes(file) for file in inside}
    return files


def _document(target: str, files: Mapping[str, bytes], found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "schema_version": _SCHEMA_VERSION,
        "target": target,
        "files": sorted(files),
        "findings": [
            {
                "file": finding.file,
                "line": finding.line,
                "column": finding.column,
                "severity": finding.severity,
                "code": finding.code,
                "message": finding.message,
            }
            for finding in found
        ],
    }


def _lines(files: Mapping[str, bytes], found: Sequence[Finding], counts: Mapping[str, int]) -> Iterator[str]:
    for finding in found:
        place = f"{finding.file}:{finding.line}:{finding.column}" if finding.line else finding.file
        severity = click.style(finding.severity, fg=_COLORS[finding.severity])
        yield f"{place}: {severity}: {finding.message} [{finding.code}]"
    said = ", ".join(_count(counts[severity], severity) for severity in _COLORS if counts[severity])
    yield f"{_count(len(files), 'profile')}: {said or 'nothing found'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
