"""Signing with a key: one in a file, or one that a service or a token keeps.

The signature is made by securesystemslib's signer over the DSSE encoding, the same interface that its key management
services have. Law: a signature leaves this module only after the public half accepted it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attest.attestation.sigstore_bundle import write
from attest.dsse import PAYLOAD_TYPE, Envelope, pae
from attest.errors import KeyFileError, SigningError
from attest.keys import PrivateKey, load_private
from attest.signers.key_uri import RemoteKey, is_key_uri, open_key

if TYPE_CHECKING:
    from attest.signers.timestamp import Timestamper


class KeySigner:
    """Signs with one key pair, P-256 or Ed25519. Holds no file open and keeps no state between signatures.

    Args:
        key: the pair, or the one that somebody else keeps.
        timestamper: who dates each signature; nobody without it.
        require_timestamp: whether a signature that could not be dated is withheld; otherwise it is given without a date.
    """

    def __init__(
        self, key: PrivateKey | RemoteKey, *, timestamper: "Timestamper | None" = None, require_timestamp: bool = True
    ) -> None:
        self.public = key.public
        self._where = f" in {key.uri}" if isinstance(key, RemoteKey) else ""
        self._make = key.sign if isinstance(key, RemoteKey) else _local(key)
        self._timestamper = timestamper
        self._require_timestamp = require_timestamp

    @classmethod
    def from_file(cls, path: Path) -> "KeySigner":
        """Sign with the PEM private key at `path`.

        Raises:
            KeyFileError: it cannot be read or is no key this signer takes.
        """
        return cls(load_private(path))

    @classmethod
    def from_uri(
        cls,
        uri: str,
        *,
        public_key: Path | None = None,
        pin_file: Path | None = None,
        timestamper: "Timestamper | None" = None,
        require_timestamp: bool = True,
    ) -> "KeySigner":
        """Sign with the key that `uri` names: the path of a PEM private key, or a URI of `attest.signers.key_uri`.

        Raises:
            KeyFileError: it cannot be read or is no key this signer takes, or a package for it is missing.
            SigningError: the service that keeps it refused.
            SignerUnavailableError: that service could not be reached, or not now.
        """
        if is_key_uri(uri):
            key: PrivateKey | RemoteKey = open_key(uri, public_key=public_key, pin_file=pin_file)
        elif public_key or pin_file:
            raise KeyFileError(
                f"{uri}: a key in a file has its public half in it and no PIN; expected neither to be given"
            )
        else:
            key = load_private(Path(uri))
        return cls(key, timestamper=timestamper, require_timestamp=require_timestamp)

    def sign(self, payload: bytes) -> bytes:
        """Sign an in-toto statement; see `attest.signers.signer.Signer.sign`. P-256 signatures differ every time.

        Raises:
            SigningError: no signature was given, or one that the key's own public half does not accept, or it could not be dated.
            SignerUnavailableError: a service that is needed did not answer, and may later.
        """
        data = pae(PAYLOAD_TYPE, payload)
        signature = self._make(data)
        if not self.public.verifies(signature, data):
            raise SigningError(f"{self.describe()} made a signature that its public key does not accept")
        envelope = Envelope(payload_type=PAYLOAD_TYPE, payload=payload, signatures=(signature,))
        return write(hint=self.public.fingerprint, envelope=envelope, timestamps=self._timestamps(signature))

    def describe(self) -> str:
        """The kind of key and its fingerprint, and where it is kept when that is not here."""
        return f"{self.public.algorithm} key sha256:{self.public.fingerprint}{self._where}"

    def _timestamps(self, signature: bytes) -> tuple[bytes, ...]:
        if self._timestamper is None:
            return ()
        try:
            return (self._timestamper.stamp(signature),)
        except SigningError:
            if self._require_timestamp:
                raise
            return ()


def _local(key: PrivateKey) -> Callable[[bytes], bytes]:
    # 65 ms that only a signer has to pay; the package re-exports the name without saying so to mypy.
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # noqa: PLC0415 - see above

    signer = CryptoSigner(key.native)
    return lambda data: bytes.fromhex(signer.sign(data).signature)
