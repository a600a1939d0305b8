"""Which keys a verifier trusts. Given by the caller, never taken from what is being verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attest.errors import KeyFileError
from attest.keys import PublicKey, load_public


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTrust:
    """Trust in a set of public keys, without time limits: any signature by one of them counts, whenever it was made."""

    keys: tuple[PublicKey, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise KeyFileError("no trusted key given; expected at least one")

    @classmethod
    def load(cls, paths: Sequence[Path]) -> "KeyTrust":
        """Trust the public keys in these PEM files.

        Raises:
            KeyFileError: no path given, or one of them is no public key.
        """
        return cls(keys=tuple(load_public(path) for path in paths))

    def find(self, hint: str) -> PublicKey | None:
        """The key of that fingerprint. The hint is unsigned and only a lookup: the signature decides."""
        return next((key for key in self.keys if key.fingerprint == hint), None)
