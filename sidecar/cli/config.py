"""`affidavit config`: is a configuration understood, and what is in force."""

from __future__ import annotations

from pathlib import Path

import click

from sidecar.settings import load


@click.group()
def config() -> None:
    """Check and show the configuration.

    It is read from one YAML file (--config, else the one that AFFIDAVIT_CONFIG names), AFFIDAVIT_* variables over it, and the standard
    OTEL_EXPORTER_OTLP_* variables as one more backend. config/affidavit.yaml explains every setting.
    """


@config.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
def check(file: Path | None) -> None:
    """Say whether FILE, with the environment over it, is understood. Exit code 0 or 2."""
    load(file)
    click.echo(f"{file or 'environment and defaults'}: understood", err=True)


@config.command()
@click.option(
    "--config", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The configuration file."
)
def show(file: Path | None) -> None:
    """Print the settings in force as YAML. Secrets are masked."""
    import yaml

    click.echo(yaml.safe_dump(load(file).masked(), sort_keys=False), nl=False)
