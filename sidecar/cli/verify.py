"""`affidavit verify`: an auditor's one command. Offline, and without grpc or sigstore."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from sidecar.cli.moment import at_option
from sidecar.cli.printable import printable
from sidecar.cli.trusting import trust_options

if TYPE_CHECKING:
    from attest.policy import Policy
    from attest.trust import Trust
    from attest.verification import Summary, Verification

_COLOURS = {
    "pass": "green",
    "warn": "yellow",
    "undecided": "yellow",
    "miss": "red",
    "fail": "red",
    "skip": "bright_black",
}
_VERDICT_COLOURS = {
    "verified": "green",
    "warnings": "yellow",
    "insufficient": "red",
    "undecided": "yellow",
    "invalid": "red",
}


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@trust_options
@click.option(
    "--policy",
    "policy_file",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A policy (YAML): whom to trust, and what a bundle must amount to. In place of the options about trust.",
)
@at_option
@click.option(
    "--attestation",
    type=click.Path(path_type=Path),
    help="The attestation, when it does not lie beside the one FILE under its own name (NAME.sigstore.json).",
)
@click.option(
    "--disclosed",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Withheld pieces that were disclosed (`affidavit evidence disclose`), to be proven against the one FILE.",
)
@click.option("--strict", is_flag=True, help="Warnings make exit code 3.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON instead of text: the same for the same input."
)
def verify(
    files: tuple[Path, ...],
    attestation: Path | None,
    disclosed: Path | None,
    *,
    trust: Trust | None,
    policy_file: Path | None,
    at: str,
    strict: bool,
    as_json: bool,
) -> None:
    r"""Verify evidence bundles (NAME.evidence.tar.gz) with the attestation beside each.

    Reads nothing but the files given, opens no connection, trusts no key that is not given here.

    \b
    Exit code: 0 verified
               1 tampered with or invalid
               2 wrong usage
               3 verified with warnings, under --strict
               4 could not decide: no key given, no attestation, an unknown format, an expired policy
               5 whole, but not what the policy asks for
    """
    from attest.errors import DisclosedFileError
    from attest.verify import verify_file, verify_files
    from sidecar.cli.progress import progress
    from sidecar.mapping import MappingAgain

    policy = _policy(policy_file, trust) if policy_file else None
    if attestation is not None and len(files) > 1:
        raise click.UsageError("--attestation goes with one FILE.")
    if disclosed is not None and len(files) > 1:
        raise click.UsageError("--disclosed goes with one FILE.")
    if len(files) == 1:
        try:
            result = verify_file(
                files[0],
                attestation=attestation,
                trust=trust,
                policy=policy,
                at=at,
                mapping=MappingAgain(),
                disclosed=disclosed,
                strict=strict,
            )
        except DisclosedFileError as error:
            raise click.BadParameter(str(error), param_hint="--disclosed") from error
        _print(result, as_json=as_json)
        sys.exit(result.exit_code)
    with progress(len(files), "verifying") as bar:
        summary = verify_files(
            files,
            trust=trust,
            policy=policy,
            at=at,
            mapping=MappingAgain(),
            strict=strict,
            progress=lambda _: bar.update(1),
        )
    _print_all(summary, as_json=as_json)
    sys.exit(summary.exit_code)


def _policy(file: Path, trust: Trust | None) -> Policy:
    from attest.errors import PolicyError
    from attest.policy_file import read_policy

    if trust is not None:
        raise click.UsageError(
            "--policy says by itself whom to trust: with --key or --trusted-root beside it, the verdict would not be the policy's."
        )
    try:
        return read_policy(file)
    except PolicyError as error:
        raise click.BadParameter(printable(str(error)), param_hint="--policy") from error


def _print(result: Verification, *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(result.to_json(), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2))
        return
    click.echo(result.file)
    for check in result.checks:
        click.echo(f"  {click.style(f'{check.outcome:9}', fg=_COLOURS[check.outcome])}  {check.id:10}  {check.reason}")
    click.echo(result.integrity)
    click.echo(result.assurance)
    click.echo(f"Verdict: {click.style(result.verdict, fg=_VERDICT_COLOURS[result.verdict])}")


def _print_all(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(summary.to_json(), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2))
        return
    for result in summary.results:
        _print(result, as_json=False)
        click.echo()
    counts = ", ".join(f"{count} {verdict}" for verdict, count in summary.to_json()["counts"].items() if count)
    click.echo(f"{len(summary.results)} bundles: {counts}")
