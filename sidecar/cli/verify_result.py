"""`affidavit verify-result`: what an auditor signed about bundles, for whoever trusts the auditor."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from sidecar.cli.colours import outcome_word, verdict_word
from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from attest.results.check import ResultVerification
    from attest.results.result import Result

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("verify-result")
@click.argument("result", metavar="RESULT", type=_FILE)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=_FILE)
@click.option(
    "--key", "keys", metavar="PUB", multiple=True, type=_FILE, help="An auditor's public key that you trust (PEM)."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON: the same for the same input.")
def verify_result(result: Path, files: tuple[Path, ...], *, keys: tuple[Path, ...], as_json: bool) -> None:
    r"""Check a RESULT of `affidavit verify --attest-result`, and that each FILE is one that it is about.

    Offline. It verifies the auditor's signature and no bundle: what the result says is the auditor's word, at the time it names. Compare
    that time, the policy's digest and the properties with what you need.

    \b
    Exit code: 0 signed by a trusted auditor, and about every FILE
               1 not signed by one, changed since, or not about a FILE
               2 wrong usage
               4 could not decide: no key given, an unknown format
    """
    from attest.errors import KeyFileError
    from attest.results.check import check_result
    from attest.trust.trust import Trust

    try:
        trust = Trust.load(keys) if keys else None
    except (KeyFileError, OSError) as error:
        raise click.UsageError(printable(f"--key: {error}")) from error
    checked = check_result(result, files, trust)
    if as_json:
        click.echo(orjson.dumps(checked.to_json(), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2))
    else:
        _print(checked)
    sys.exit(checked.exit_code)


def _print(checked: ResultVerification) -> None:
    click.echo(printable(checked.file))
    rows = [(check.outcome, check.id, check.reason) for check in checked.checks]
    for outcome, name, reason in [*rows, *((held.outcome, held.file, held.reason) for held in checked.held)]:
        click.echo(f"  {outcome_word(outcome)}  {printable(f'{name:10}  {reason}')}")
    if checked.result is not None and checked.verdict == "verified":
        _say(checked.result, held=bool(checked.held))
    click.echo(f"Verdict: {verdict_word(checked.verdict)}")


def _say(result: Result, *, held: bool) -> None:
    """What the auditor says, once it is known to be the auditor."""
    policies = ", ".join(f"{policy['uri']} (sha256:{policy['digest']['sha256']})" for policy in result.policies)
    for line in (
        f"The auditor says: verified at {result.time} by {result.verifier}",
        f"  policy      {policies or 'none was named'}",
        *(f"  {'properties' if not number else '':10}  {name}" for number, name in enumerate(result.properties)),
        f"  subjects    {len(result.subjects)}{'' if held else '; no FILE was given to hold against them'}",
    ):
        click.echo(printable(line))
