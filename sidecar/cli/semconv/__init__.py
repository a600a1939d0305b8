"""`affidavit semconv`: one module a verb."""

from __future__ import annotations

import click

from sidecar.cli.semconv.check import check
from sidecar.cli.semconv.coverage import coverage
from sidecar.cli.semconv.explain import explain
from sidecar.cli.semconv.lint import lint
from sidecar.cli.semconv.map import map_
from sidecar.cli.semconv.profiles import profiles


@click.group()
def semconv() -> None:
    """Translate telemetry to the GenAI and MCP semantic conventions, and say what was lost."""


for _verb in (map_, check, coverage, explain, lint, profiles):
    semconv.add_command(_verb)
