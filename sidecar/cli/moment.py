"""The option that says what time it is: nothing that is judged looks at a clock by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["at_option"]


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> str:
    from evidence.errors import EvidenceError
    from evidence.timestamp import from_rfc3339, from_unix_nano
    from sidecar.clock import now_unix_nano

    if text is None:
        return from_unix_nano(now_unix_nano())
    try:
        return from_rfc3339(text)
    except EvidenceError as error:
        raise click.BadParameter(str(error)) from error


def at_option(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--at`, which reaches the verb as a time in the form that evidence has."""
    return click.option(
        "--at",
        metavar="TIME",
        callback=_moment,
        help="What time it is (RFC 3339), for a policy's expiry and a result; otherwise this machine's clock says.",
    )(verb)
