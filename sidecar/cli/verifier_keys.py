"""The verifier keys that options name: of logs and of witnesses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from attest.tlog.note import VerifierKey

__all__ = ["verifier_keys"]


def verifier_keys(option: str, texts: Sequence[str], kind: int) -> tuple[VerifierKey, ...]:
    """The keys as an option names them, NAME+HASH+KEY, each of that type of signature.

    Raises:
        UsageError: one is no such key.
    """
    from attest.errors import AttestError
    from attest.tlog.note import VerifierKey

    found = []
    for text in texts:
        try:
            key = VerifierKey.parse(text)
        except AttestError as error:
            hint = f'; it is a file: give what is in it, {option} "$(cat {text})"' if _is_file(text) else ""
            raise click.UsageError(printable(f"{option}: {error}{hint}")) from error
        if key.kind != kind:
            raise click.UsageError(f"{option}: {key.name} is a key of type {key.kind:02x}, expected {kind:02x}.")
        found.append(key)
    return tuple(found)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return False
