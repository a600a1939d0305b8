"""What the options say that choose which rules apply: a day, and the profiles of system that a run is judged as."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from evidence.packs import Pack

__all__ = ["day", "system_profiles"]


def day(text: str | None, option: str = "--as-of") -> str | None:
    """A day as YYYY-MM-DD, and in no other form.

    Raises:
        BadParameter: it is none.
    """
    try:
        if text is None or date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise click.BadParameter(f"expected YYYY-MM-DD, got {text!r}", param_hint=option)


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
