"""The options that say what bundles are judged by, and where the result is attested: policy, time, the auditor's own signature."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sidecar.cli.moment import at_option
from sidecar.cli.printable import printable
from sidecar.cli.report_file import report_option, write_report

if TYPE_CHECKING:
    from attest.policy.policy import Policy
    from attest.signers.signer import Signer
    from attest.verification import Verification

__all__ = ["Judging", "judging_options"]

_BOTH = "--policy says by itself whom to trust: with --key or --trusted-root beside it, the verdict would not be the policy's."
_PAIR = "--attest-result and --result-key go together: a result is signed, or it is nobody's word."


class Judging(NamedTuple):
    """What bundles are judged by."""

    policy: Policy | None
    at: str
    """What time it is, as evidence writes it."""
    out: Path | None
    """Where the result is attested."""
    signer: Signer | None

    def attest(self, results: Iterable[Verification]) -> None:
        """Attest the result, if that was asked for. Nothing is written when nothing verified; the exit code stays the verdict's."""
        from attest.errors import SigningError, StatementError
        from attest.results.result import attest_result

        if self.out is None or self.signer is None:
            return
        try:
            content = attest_result(results, self.at, self.signer)
        except StatementError as error:
            click.echo(f"--attest-result: {printable(str(error))}", err=True)
            return
        except SigningError as error:  # the auditor's own key, which says nothing about any bundle
            raise click.BadParameter(printable(str(error)), param_hint="--result-key") from error
        write_report(self.out, content, "--attest-result")
        click.echo(f"result: {printable(str(self.out))}, signed with {self.signer.describe()}", err=True)


def judging_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The options, which reach the verb as one argument `judging`. Goes below `trust_options`, whose answer it looks at."""

    @functools.wraps(verb)
    def judged(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the verb takes and gives
        file, out, key = (options.pop(name) for name in ("policy_file", "attest_result", "result_key"))
        if file is not None and options.get("trust") is not None:
            raise click.UsageError(_BOTH)
        if (out is None) != (key is None):
            raise click.UsageError(_PAIR)
        if out is not None and out.exists():
            raise click.BadParameter(f"{printable(str(out))}: exists already", param_hint="--attest-result")
        judging = Judging(
            policy=_policy(file) if file else None, at=options.pop("at"), out=out, signer=_signer(key) if key else None
        )
        return verb(*arguments, judging=judging, **options)

    for option in reversed(_OPTIONS):
        judged = option(judged)
    return judged


_OPTIONS = (
    click.option(
        "--policy",
        "policy_file",
        metavar="FILE",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A policy (YAML): whom to trust, and what a bundle must amount to. In place of the options about trust.",
    ),
    at_option,
    report_option("--attest-result", "Write what verified as an in-toto Simple Verification Result, signed by you."),
    click.option(
        "--result-key",
        metavar="KEY|URI",
        help="Your private key for --attest-result: a PEM file, or the URI of a key that a service or a token keeps.",
    ),
)


def _policy(file: Path) -> Policy:
    from attest.errors import PolicyError
    from attest.policy.file import read_policy

    try:
        return read_policy(file)
    except PolicyError as error:
        raise click.BadParameter(printable(str(error)), param_hint="--policy") from error


def _signer(uri: str) -> Signer:
    from attest.errors import AttestError
    from attest.signers.key import KeySigner

    try:
        return KeySigner.from_uri(uri)
    except AttestError as error:
        raise click.BadParameter(printable(str(error)), param_hint="--result-key") from error
