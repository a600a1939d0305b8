"""The options that choose the tables of a translation, and the tables they choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from semconv.translate import Translator

__all__ = ["Tables", "of_tables"]

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="The configuration file (profiles, target).",
    ),
    click.option(
        "--target",
        metavar="ID",
        help="The convention to translate to: gen-ai-dev or core-1.41.1.  [default: the configured one]",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What a configuration chooses to translate with."""

    translator: Translator
    profiles: Mapping[str, bytes]
    """The user's own, by file name."""
    profiles_dir: Path | None
    keep_unmapped: bool

    def file(self, name: str, *, user: bool) -> Path:
        """Where a table is: in the user's folder, or in this package."""
        return (self.profiles_dir or Path()) / name if user else Path("semconv/profiles") / name


def of_tables(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a verb the options `--target` and `--config`, and calls it with the tables they choose as `chosen`.

    Raises:
        ConfigError: When the verb is called: the configuration or a table is not valid.
    """

    @wraps(command)
    def verb(*, target: str | None, config_file: Path | None, **rest: Any) -> None:  # noqa: ANN401  # the verb's own options
        command(chosen=_chosen(target, config_file), **rest)

    for option in _OPTIONS:
        option(verb)
    return verb


def _chosen(target: str | None, config_file: Path | None) -> Tables:
    from sidecar.settings import load
    from sidecar.tables import load_translator, read_profiles

    settings = load(config_file).semconv
    profiles = read_profiles(settings.profiles_dir)
    return Tables(
        translator=load_translator(target or settings.target, profiles, settings.profiles_dir),
        profiles=profiles,
        profiles_dir=settings.profiles_dir,
        keep_unmapped=settings.keep_unmapped,
    )
