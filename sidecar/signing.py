"""The key that signs bundles: the configured one, or one of our own made on first start.

Law: a key is made once, for its owner alone (0600), and never overwritten; a configured key that is missing is an error, not a new key.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.errors import ConfigError

if TYPE_CHECKING:
    from attest.signers.signer import Signer

__all__ = ["SigningKey"]


class SigningKey:
    """A private key file. Cryptography is loaded when it is first needed.

    Args:
        path: The private key in PEM.
        make: Whether it is ours to make when it is not there.
    """

    def __init__(self, path: Path, *, make: bool) -> None:
        self.path = path
        self._make = make

    def ensure(self) -> bool:
        """Makes the key if it is ours to make and not there; says whether it was made.

        Raises:
            ConfigError: A configured key is not there.
        """
        if self.path.exists():
            return False
        if not self._make:
            raise ConfigError(
                f"attest.key_file: {self.path} is not there, expected a private key in PEM (`affidavit keys new`)"
            )
        from attest.keys import generate, save  # noqa: PLC0415 - 12 MiB that only signing should cost

        save(generate(), self.path)
        return True

    @cached_property
    def signer(self) -> Signer:
        """Who signs with it."""
        from attest.signers.key import KeySigner  # noqa: PLC0415 - as above

        return KeySigner.from_file(self.path)
