"""The options that lint and soak share: by which packs runs are judged, which rules apply, and which of them decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from evidence.packs import Pack

__all__ = ["day", "judging_options", "system_profiles"]

_DEFAULT_PACK = "cicd-starter"

_OPTIONS = (
    click.option(
        "--pack",
        "pack_names",
        metavar="NAME|FILE",
        multiple=True,
        default=(_DEFAULT_PACK,),
        help=f"A pack to judge by; may be given again.  [default: {_DEFAULT_PACK}]",
    ),
    click.option(
        "--as-of",
        metavar="DATE",
        help="Judge what applies on this day (YYYY-MM-DD).  [default: the day each run closed]",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "info"]),
        default="error",
        show_default=True,
        help="Rules of this severity and above make a run fail.",
    ),
)


def judging_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """`--pack`, `--as-of` and `--fail-on`, as `pack_names`, `as_of` and `fail_on`."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


def day(text: str | None) -> str | None:
    """A day as YYYY-MM-DD, and in no other form.

    Raises:
        BadParameter: it is none.
    """
    try:
        if text is None or date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise click.BadParameter(f"expected YYYY-MM-DD, got {text!r}", param_hint="--as-of")


def system_profiles(names: Sequence[str], packs: Sequence[Pack], option: str) -> frozenset[str]:
    """Profiles that some rule of the packs is for.

    Raises:
        BadParameter: no rule is for one of them.
    """
    known = {name for pack in packs for rule in pack.rules for name in (rule.profile, *rule.applies_from) if name}
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise click.BadParameter(f"no rule is for {name!r}; there is {there}", param_hint=option)
    return frozenset(names)
