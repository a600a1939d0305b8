"""`affidavit verify`: an auditor's one command. Offline, and without grpc; without sigstore unless certificates are judged."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sidecar.cli.garbage import rare_collections
from sidecar.cli.judging import judging_options
from sidecar.cli.printable import printable
from sidecar.cli.report_file import SARIF, report_option, write_report
from sidecar.cli.trusting import trust_options

if TYPE_CHECKING:
    from attest.many.summary import Summary
    from attest.policy.policy import Policy
    from attest.trust.trust import Trust
    from attest.verification import Verification
    from sidecar.cli.judging import Judging
    from sidecar.cli.verify_several import HowMuch


_NOBODY = (
    "nobody to trust was named, so that nothing can be decided: "
    "--key PUB, or --trusted-root FILE with --identity and --issuer, or --policy FILE"
)


class _By(NamedTuple):
    """What bundles are judged by."""

    trust: Trust | None
    policy: Policy | None
    at: str
    strict: bool


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@trust_options
@judging_options
@click.option(
    "--attestation",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The attestation, when it does not lie beside the one FILE under its own name (NAME.sigstore.json).",
)
@click.option(
    "--disclosed",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Withheld pieces that were disclosed (`affidavit evidence disclose`), to be proven against the one FILE.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="The FILEs are all bundles of their sidecars: one that is named and absent is a warning. A folder means that by itself.",
)
@click.option("--strict", is_flag=True, help="Warnings make exit code 3.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON instead of text: the same for the same input."
)
@report_option("--sarif", "Write every check that did not pass as SARIF 2.1.0.", replaces=SARIF)
@click.option(
    "--full", is_flag=True, help="Of several bundles, every result in full, not only of those that did not verify."
)
@click.option(
    "--summary",
    is_flag=True,
    help="Of several bundles, no line for each: only what is wrong with them and between them, and how many.",
)
@click.option("--quiet", is_flag=True, help="Print nothing: the exit code says it.")
@click.option(
    "--processes",
    metavar="N",
    type=click.IntRange(1, 256),
    help="How many processes verify.  [default: as many as pay]",
)
def verify(
    files: tuple[Path, ...],
    *,
    trust: Trust | None,
    judging: Judging,
    attestation: Path | None,
    disclosed: Path | None,
    complete: bool,
    strict: bool,
    as_json: bool,
    sarif: Path | None,
    full: bool,
    summary: bool,
    quiet: bool,
    processes: int | None,
) -> None:
    r"""Verify evidence bundles (NAME.evidence.tar.gz) with the attestation beside each.

    FILE is a bundle, or a folder: then every bundle below it, and the chain between them. Reads nothing but what is given, writes
    nothing but what you ask for, opens no connection, trusts nobody who is not named here.

    \b
    Exit code: 0 verified
               1 invalid: tampered with, or not signed by whom you named
               2 wrong usage
               3 verified with warnings, under --strict
               4 could not decide: nobody to trust given, no attestation, an unknown format, an expired policy
               5 whole, but not what the policy asks for
    """
    from evidence.run import ATTESTATION_SUFFIX

    several = len(files) > 1 or files[0].is_dir()
    beside = next((file for file in files if file.name.endswith(ATTESTATION_SUFFIX) and file.is_file()), None)
    _refuse_pairs(
        (f"{printable(str(beside))} is an attestation: FILE is the bundle beside it, or the folder of both.", beside),
        ("--attestation goes with one FILE.", attestation and several),
        ("--disclosed goes with one FILE.", disclosed and several),
        ("--complete is about several FILEs.", complete and not several),
        ("--full and --summary are about several FILEs.", (full or summary) and not several),
        ("Of --full, --summary, --quiet and --json only one makes sense.", full + summary + quiet + as_json > 1),
    )
    by = _By(trust, judging.policy, judging.at, strict)
    nobody = trust is None and judging.policy is None
    if not several:
        result = _verify_one(files[0], by, attestation=attestation, disclosed=disclosed)
        _write_sarif(sarif, [result], None)
        if not quiet:
            _print(result, as_json=as_json, nobody=nobody)
        judging.attest([result])
        sys.exit(result.exit_code)
    found = _verify_several(files, by, complete=complete, processes=processes)
    _write_sarif(sarif, found.results, found)
    if as_json:
        for piece in found.to_json_pieces():
            click.echo(piece, nl=False)
    elif not quiet:
        _print_several(found, "full" if full else "summary" if summary else "table", nobody=nobody)
    judging.attest(found.results)
    sys.exit(found.exit_code)


def _refuse_pairs(*pairs: tuple[str, object]) -> None:
    """Say what is wrong with options that make no sense together, the first of them."""
    for reason, wrong in pairs:
        if wrong:
            raise click.UsageError(reason)


@rare_collections()
def _verify_one(file: Path, by: _By, *, attestation: Path | None, disclosed: Path | None) -> Verification:
    from attest.errors import DisclosedFileError
    from attest.verify import verify_file
    from sidecar.mapping import MappingAgain

    try:
        return verify_file(file, **by._asdict(), mapping=MappingAgain(), attestation=attestation, disclosed=disclosed)
    except DisclosedFileError as error:
        raise click.BadParameter(printable(str(error)), param_hint="--disclosed") from error


@rare_collections()
def _verify_several(files: Sequence[Path], by: _By, *, complete: bool, processes: int | None) -> Summary:
    from attest.errors import AttestError
    from attest.verify import verify_files
    from sidecar.cli.progress import progress
    from sidecar.mapping import MappingAgain

    with progress(100, "verifying") as bar:
        try:
            return verify_files(
                files,
                **by._asdict(),
                mapping=MappingAgain(),
                complete=complete,
                processes=processes,
                progress=lambda done, of: bar.update(100 * done // of - bar.pos),
            )
        except AttestError as error:
            raise click.UsageError(printable(str(error))) from error


def _write_sarif(path: Path | None, results: Sequence[Verification], found: Summary | None) -> None:
    if path is None:
        return
    from importlib.metadata import version

    from attest.sarif import sarif_bytes

    write_report(path, sarif_bytes(results, version=version("affidavit"), summary=found), "--sarif")


def _hint(*steps: str) -> None:
    """Say what to do next, after the result and apart from it."""
    sys.stdout.flush()
    for step in steps:
        click.echo(f"Next: {step}", err=True)


def _print_several(found: Summary, how_much: HowMuch, *, nobody: bool) -> None:
    from sidecar.cli.verify_several import Several

    several = Several(found)
    for line in several.lines(how_much):
        click.echo(line)
    _hint(*([_NOBODY] if nobody else several.next_steps()))


def _print(result: Verification, *, as_json: bool, nobody: bool) -> None:
    import orjson

    from sidecar.cli.verify_text import of_one

    if as_json:
        click.echo(orjson.dumps(result.to_json(), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2))
        return
    for line in of_one(result):
        click.echo(line)
    _hint(*([_NOBODY] if nobody else _next_steps(result)))


def _next_steps(result: Verification) -> Iterator[str]:
    if result.verdict != "verified":
        from attest.many.summary import Summary
        from sidecar.cli.verify_several import Several

        yield from Several(Summary(results=(result,))).next_steps()
