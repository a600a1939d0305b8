"""The command `affidavit`: a table of verbs, and what every one of them does with an error.

Law: a verb's module is imported when the verb is used, so `verify` never pays for grpc. Errors are sentences, never tracebacks.
Exit codes: 0 done, 1 failed, 2 usage or configuration; `verify` has its own (DESIGN section 10).
"""

from __future__ import annotations

import os
import sys

import click

from sidecar.cli.lazy import LazyGroup, Verbs

__all__ = ["main"]

_VERBS: Verbs = {
    "run": ("sidecar.cli.run:run", "Run the sidecar: receive, record, export, seal, attest."),
    "seal": ("sidecar.cli.seal:seal", "Seal recorded telemetry into evidence bundles, offline."),
    "attest": ("sidecar.cli.attest:attest", "Sign bundles that are there, once more or for the first time."),
    "verify": ("sidecar.cli.verify:verify", "Verify evidence bundles, offline."),
    "log": ("sidecar.cli.log:log", "Show, prove from and verify the log of sealed bundles."),
    "verify-result": ("sidecar.cli.verify_result:verify_result", "Check a result that an auditor signed, offline."),
    "evidence": ("sidecar.cli.evidence:evidence", "Check, show, compare and disclose evidence bundles."),
    "packs": ("sidecar.cli.packs:packs", "List, show and check packs of rules."),
    "sim": ("sidecar.cli.sim:sim", "Check runs again and again, under faults: reliability as evidence."),
    "semconv": ("sidecar.cli.semconv:semconv", "Translate telemetry to the GenAI and MCP conventions."),
    "policy": ("sidecar.cli.policy:policy", "Check auditors' policies: whom they trust, what they ask for."),
    "trust": ("sidecar.cli.trust:trust", "Get and show Sigstore trusted roots."),
    "keys": ("sidecar.cli.keys:keys", "Make and show signing keys."),
    "config": ("sidecar.cli.config:config", "Check and show the configuration."),
    "health": ("sidecar.cli.health:health", "Ask a running sidecar whether it is ready."),
    "demo": ("sidecar.cli.demo:demo", "See the whole way on recorded agent runs."),
}
"""Verb: where it is, and its line in `affidavit --help`."""


@click.group(
    cls=LazyGroup, verbs=_VERBS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="affidavit", prog_name="affidavit")
@click.pass_context
def affidavit(context: click.Context) -> None:
    """Evidence for AI agents: what happened, what was lost, what is missing.

    Sits beside an agent, passes its telemetry on in today's conventions, and seals every run into a bundle that anyone can verify
    offline. `affidavit demo` shows all of it in a few seconds.
    """
    if os.environ.get("NO_COLOR"):  # noqa: TID251 - no setting of ours: https://no-color.org
        context.color = False


def main() -> None:
    """Runs the command line; the only place that turns our errors into exit codes."""
    from attest.errors import AttestError, KeyFileError
    from evidence.errors import EvidenceError
    from sidecar.errors import ConfigError, SidecarError

    try:
        try:
            affidavit.main(standalone_mode=False)
        finally:
            sys.stdout.flush()  # a full disk shows here, not when the interpreter ends and has an exit code of its own
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        _say("interrupted")
        sys.exit(130)
    except (
        ConfigError,
        KeyFileError,
    ) as error:  # a key is always the caller's own, and named by an option or a setting
        _say(str(error))
        sys.exit(2)
    except (SidecarError, EvidenceError, AttestError) as error:
        _say(str(error))
        sys.exit(1)
    except BrokenPipeError:
        _give_up_output()  # whoever read it has read enough
        sys.exit(1)
    except OSError as error:
        _give_up_output()
        _say(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        sys.exit(1)


def _give_up_output() -> None:
    """Nothing more is written, so that the interpreter does not try what failed again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: str) -> None:
    from sidecar.cli.printable import printable

    click.echo(
        f"affidavit: {printable(message)}", err=True
    )  # names of files are in it, and whoever made them chose those
