"""Signing with a private key that lies in a file.

The signature is made by securesystemslib's signer over the DSSE encoding, the same interface that its key management
services have. Law: a signature leaves this module only after the public half accepted it.
"""

from pathlib import Path

from attest.dsse import PAYLOAD_TYPE, Envelope, pae
from attest.errors import SigningError
from attest.keys import PrivateKey, load_private
from attest.sigstore_bundle import write


class KeySigner:
    """Signs with one key pair, P-256 or Ed25519. Holds no file open and keeps no state between signatures."""

    def __init__(self, key: PrivateKey) -> None:
        # 65 ms that only a signer has to pay; the package re-exports the name without saying so to mypy.
        from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # noqa: PLC0415 - see above

        self.public = key.public
        self._signer = CryptoSigner(key.native)

    @classmethod
    def from_file(cls, path: Path) -> "KeySigner":
        """Sign with the PEM private key at `path`.

        Raises:
            KeyFileError: it cannot be read or is no key this signer takes.
        """
        return cls(load_private(path))

    def sign(self, payload: bytes) -> bytes:
        """Sign an in-toto statement; see `attest.signers.signer.Signer.sign`. P-256 signatures differ every time.

        Raises:
            SigningError: the signature made does not verify with the key's own public half.
        """
        data = pae(PAYLOAD_TYPE, payload)
        signature = bytes.fromhex(self._signer.sign(data).signature)
        if not self.public.verifies(signature, data):
            raise SigningError(f"{self.describe()} made a signature that its public key does not accept")
        envelope = Envelope(payload_type=PAYLOAD_TYPE, payload=payload, signatures=(signature,))
        return write(hint=self.public.fingerprint, envelope=envelope)

    def describe(self) -> str:
        """The kind of key and its fingerprint."""
        return f"{self.public.algorithm} key sha256:{self.public.fingerprint}"
