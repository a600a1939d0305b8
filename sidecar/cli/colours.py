"""How outcomes and verdicts look, whichever command says them: a good one green, a bad one red."""

from __future__ import annotations

import click

__all__ = ["outcome_word", "verdict_word"]

_OUTCOMES = {
    "pass": "green",
    "warn": "yellow",
    "undecided": "yellow",
    "miss": "red",
    "fail": "red",
    "skip": "bright_black",
}
_VERDICTS = {
    "verified": "green",
    "warnings": "yellow",
    "insufficient": "red",
    "undecided": "yellow",
    "invalid": "red",
}


def outcome_word(outcome: str) -> str:
    """The outcome of a check, as wide as the longest."""
    return click.style(outcome.ljust(9), fg=_OUTCOMES[outcome])


def verdict_word(verdict: str, columns: int = 0) -> str:
    """A verdict, at least so many columns wide."""
    return click.style(verdict.ljust(columns), fg=_VERDICTS[verdict])
