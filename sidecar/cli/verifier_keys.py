"""The verifier keys that options name: of logs and of witnesses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evidence.regular import open_regular
from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from attest.tlog.note import VerifierKey

__all__ = ["verifier_keys"]

_LOOKED_AT_BYTES = 1024


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
            raise click.UsageError(printable(f"{option}: {error}{_hint(option, text)}")) from error
        if key.kind != kind:
            raise click.UsageError(f"{option}: {key.name} is a key of type {key.kind:02x}, expected {kind:02x}.")
        found.append(key)
    return tuple(found)


def _hint(option: str, text: str) -> str:
    """What whoever gives a file may have meant. A private key is never to be put on a command line."""
    try:
        with open_regular(Path(text)) as file:
            is_pem = b"-----BEGIN " in file.read(_LOOKED_AT_BYTES)
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return ""
    if is_pem:
        return "; it is a file with a key in PEM: a log's verifier key lies beside it, in a file that ends in .vkey"
    return f'; it is a file: give what is in it, {option} "$(cat {text})"'
