"""`affidavit sim soak`: the runs of a scenario against packs, again and again, under faults."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import orjson

from sidecar.cli.applying import day, judging_options, system_profiles
from sidecar.cli.printable import printable
from sidecar.cli.progress import progress
from sidecar.cli.report_file import report_option, write_report

if TYPE_CHECKING:
    from evidence.limits import Limits
    from evidence.packs import Pack
    from evidence.soak.perturbation import Profile
    from sidecar.sim.commands import Commands
    from sidecar.sim.soak import Plan

_COMMAND = "cmd:"
_SEED_MOST = 2**53 - 1  # the largest integer that every reader of JSON has
_LINES_SHOWN = 20


@click.command()
@click.argument("command", metavar="[-- COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@click.option("--iterations", metavar="N", type=click.IntRange(1, 10_000_000), required=True, help="Runs to check.")
@click.option(
    "--seed",
    metavar="S",
    type=click.IntRange(0, _SEED_MOST),
    default=0,
    show_default=True,
    help="What is drawn, is drawn by it.",
)
@click.option(
    "--target", metavar="T", help='A bundle, a folder of bundles, or "cmd: COMMAND"; else the command after --.'
)
@judging_options
@click.option(
    "--profile",
    "profile_name",
    metavar="NAME",
    default="none",
    show_default=True,
    help="What goes wrong: `affidavit sim profiles` lists them.",
)
@report_option("--report", "Write the report as JSON (soak-report-v1).", replaces=b"soak-report-v1")
@click.option("--runs", "keep_runs", is_flag=True, help="Put each run into the report.")
@click.option(
    "--time-budget",
    metavar="SECONDS",
    type=click.IntRange(1, 10_000_000),
    default=3600,
    show_default=True,
    help="Stop when this is used up.",
)
@click.option("--strict", is_flag=True, help="Such a rule that cannot be decided makes a run fail, too.")
@click.option("--stop-on-first-failure", is_flag=True, help="Make no further run after one that failed.")
@click.option("--max-failures", metavar="N", type=click.IntRange(1), help="Make no further run after N that failed.")
@click.option(
    "--limit",
    "limit_texts",
    metavar="NAME=VALUE",
    multiple=True,
    help="A bound on reading bundles, by its name in the report; may be given again.",
)
@click.option(
    "--rule-profile",
    "rule_profiles",
    metavar="P",
    multiple=True,
    help="Rules for this profile of system apply; may be given again.",
)
@click.option(
    "--command-timeout",
    metavar="SECONDS",
    type=click.FloatRange(0.1, 86_400),
    default=60.0,
    show_default=True,
    help="What one run of the command may take.",
)
@click.option(
    "--protocol",
    type=click.Choice(["grpc", "http/protobuf"]),
    default="http/protobuf",
    show_default=True,
    help="What the command is told to send OTLP by.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Configuration of the sidecar that a command sends to.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the bundles and the output of each run of the command here.",
)
def soak(
    *,
    command: tuple[str, ...],
    iterations: int,
    seed: int,
    target: str | None,
    pack_names: tuple[str, ...],
    profile_name: str,
    report: Path | None,
    keep_runs: bool,
    time_budget: int,
    fail_on: str,
    strict: bool,
    stop_on_first_failure: bool,
    max_failures: int | None,
    limit_texts: tuple[str, ...],
    as_of: str | None,
    rule_profiles: tuple[str, ...],
    command_timeout: float,
    protocol: str,
    config_file: Path | None,
    keep: Path | None,
) -> None:
    """Check the runs of one scenario against packs, N times, under a seeded perturbation profile.

    A bundle, or each of a folder's in turn, is judged as it would be had the faults of the profile met it. A command is run N times and
    sends to a sidecar in this process; the runs it makes are closed, sealed and judged. The same bundles, options and seed give the
    same report, byte for byte. docs/soak.md explains profiles, numbers and kinds of error.

    \b
    Exit code: 0 every run passed
               1 no run failed, but some have no verdict: a bundle that does not read, a command that fails
               2 wrong usage
               5 a run failed
    """  # noqa: D301 - the escape is meant: click takes the character as "leave these lines as they are"
    from importlib.metadata import version

    from evidence.soak.soak import DecisionPolicy
    from evidence.soak.soak import report as make_report
    from sidecar.cli.soak_text import lines
    from sidecar.sim.bundles import Bundles
    from sidecar.sim.soak import Plan, run_soak
    from sidecar.tables import load_packs

    profile = _profile(profile_name)
    packs = load_packs(pack_names)
    policy = DecisionPolicy(
        fail_severity=fail_on,
        strict=strict,
        stop_on_first_failure=stop_on_first_failure,
        max_failures=max_failures,
    )
    _check_packs(packs, policy.counts, fail_on)
    limits = _limits(limit_texts)
    judged_on, judged_as = day(as_of), system_profiles(rule_profiles, packs, "--rule-profile")
    argv = _command(target, command)
    if profile.needs_receiver and argv is None:
        raise click.BadParameter(
            f"{profile.name!r} is about a receiver; recorded bundles meet none", param_hint="--profile"
        )
    with progress(iterations, "soaking") as bar:
        plan = Plan(
            packs=packs, profile=profile, iterations=iterations, seed=seed, time_budget_seconds=time_budget, policy=policy,
            limits=limits, as_of=judged_on, rule_profiles=judged_as, keep_runs=keep_runs,
            on_iteration=bar.update,
        )  # fmt: skip
        generated_at, recorded = None, None
        if argv is None:
            bundles = Bundles(Path(target or ""), limits)
            found = run_soak(bundles, plan)
            generated_at, recorded = bundles.newest_closed_at, len(bundles.paths)
            if bundles.amendments:
                _say(f"{bundles.amendments} amendments left out: they hold what came late for a run, and no run")
        else:
            with _commands(
                argv,
                plan,
                pack_names,
                protocol=protocol,
                timeout_seconds=command_timeout,
                config=config_file,
                keep=keep,
            ) as commands:
                found = run_soak(commands, plan)
            if commands.failed is not None:
                _say("the end of what the command wrote when it first did not end well:")
                click.echo(_shown(commands.failed.output), err=True)
    for line in lines(found, packs, recorded=recorded):
        click.echo(line)
    if report is not None:
        made = make_report(
            found, iterations=iterations, seed=seed, time_budget_secs=time_budget, limits=limits,
            packs=[("built-in" if pack.is_builtin else name, pack) for name, pack in zip(pack_names, packs, strict=True)],
            suite=profile.name + (" --strict" if strict else ""), version=version("affidavit"), generated_at=generated_at,
        )  # fmt: skip
        content = orjson.dumps(made, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        write_report(report, content, "--report")
    sys.exit(5 if found.failures else 0 if found.pass_all else 1)


@click.command()
def profiles() -> None:
    """List the perturbation profiles: what goes wrong in each, and where."""
    from evidence.soak.perturbation import profiles as table

    known = table()
    for profile in known.by_name.values():
        place = "receiver" if profile.needs_receiver else "run" if profile.run or profile.one_of else ""
        click.echo(f"{profile.name:18} {place:9} {profile.title}")
    click.echo(f"version {known.version}, {known.digest}")


# ---------------------------------------------------------------- what the options mean


def _profile(name: str) -> Profile:
    from evidence.errors import EvidenceError
    from evidence.soak.perturbation import profiles as table

    try:
        return table().named(name)
    except EvidenceError as error:
        raise click.BadParameter(str(error), param_hint="--profile") from error


def _check_packs(packs: Sequence[Pack], counts: Callable[[str], bool], fail_severity: str) -> None:
    if not any(counts(rule.severity) for pack in packs for rule in pack.rules):
        raise click.UsageError(f"no rule of the packs is of severity {fail_severity} or worse: no run could fail")


def _limits(texts: Sequence[str]) -> Limits:
    from evidence.limits import DEFAULT, REPORTED

    bounds: dict[str, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in REPORTED:
            raise click.BadParameter(f"{name!r}: expected one of {', '.join(REPORTED)}", param_hint="--limit")
        most = getattr(DEFAULT, REPORTED[name])
        if not (value.isascii() and value.isdigit() and len(value) < 20 and 0 < int(value) <= most):
            raise click.BadParameter(
                f"{name}: expected an integer from 1 to {most}, got {value!r}", param_hint="--limit"
            )
        bounds[REPORTED[name]] = int(value)
    return replace(DEFAULT, **bounds)


def _command(target: str | None, rest: Sequence[str]) -> list[str] | None:
    """The command that is the target; None when it is bundles."""
    if rest and target is not None:
        raise click.UsageError("--target and a command after -- exclude each other.")
    if rest:
        return list(rest)
    if target is None:
        raise click.UsageError('Missing option --target (a bundle, a folder, "cmd: COMMAND"), or a command after --.')
    if not target.startswith(_COMMAND):
        return None
    try:
        argv = shlex.split(target.removeprefix(_COMMAND))
    except ValueError as error:
        raise click.BadParameter(f"{target!r}: {error}", param_hint="--target") from error
    if not argv:
        raise click.BadParameter("expected a command after cmd:", param_hint="--target")
    return argv


@contextmanager
def _commands(
    argv: Sequence[str],
    plan: Plan,
    packs: Sequence[str],
    *,
    protocol: str,
    timeout_seconds: float,
    config: Path | None,
    keep: Path | None,
) -> Iterator[Commands]:
    """A sidecar for the command, in a folder that is gone afterwards."""
    from sidecar.settings import load
    from sidecar.sim.commands import Commands, process_environment
    from sidecar.sim.local import LocalSidecar

    settings = load(config)
    with TemporaryDirectory(prefix="affidavit-soak-") as folder:
        sidecar = LocalSidecar(Path(folder), settings, packs, plan.seed)
        sidecar.start()
        try:
            yield Commands(
                argv, sidecar, seed=plan.seed, protocol=protocol, timeout_seconds=timeout_seconds,
                environment=process_environment(), keep=keep, limits=plan.limits,
            )  # fmt: skip
        finally:
            sidecar.stop()


def _say(message: str) -> None:
    click.echo(f"affidavit: {message}", err=True)


def _shown(output: bytes) -> str:
    """The last lines of what a command wrote."""
    lines = output.decode(errors="replace").splitlines()[-_LINES_SHOWN:]
    return "\n".join(f"  {printable(line)}" for line in lines)
