"""What every signer can do."""

from typing import Protocol


class Signer(Protocol):
    """Turns a statement into an attestation file."""

    def sign(self, payload: bytes) -> bytes:
        """Sign an in-toto statement and return the bytes of a Sigstore bundle v0.3 that carries it unchanged.

        Raises:
            AttestError: no signature could be made.
        """
        ...

    def describe(self) -> str:
        """Who signs, in a few words for a log or a table; never key material."""
        ...
