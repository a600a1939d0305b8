"""DSSE: what is signed, and the envelope around it.

Specification: https://github.com/secure-systems-lab/dsse (protocol.md and envelope.md, v1.0).
Law: the payload bytes are never re-serialised. They are signed, carried and hashed exactly as they came.
"""

import base64
import binascii
from dataclasses import dataclass

from attest.errors import InvalidError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The one payload type this project signs and accepts (in-toto attestation framework, envelope.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload, its type, and the signatures over both. Holding one says nothing about their validity."""

    payload_type: str
    payload: bytes
    signatures: tuple[bytes, ...]
    """Raw signatures. The format's `keyid` is unsigned and therefore not kept: nothing may be concluded from it."""

    def pae(self) -> bytes:
        """The bytes that every signature of this envelope is over."""
        return pae(self.payload_type, self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding, the bytes to be signed.

    Lengths are counted in bytes of UTF-8, not in characters: the two differ for a type outside ASCII.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding, as the Sigstore bundle's JSON form has it."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str, *, what: str) -> bytes:
    """Decode standard base64 with one spelling per value.

    Python's decoder accepts stray bits in the last character, so equality after encoding again is what makes it strict.

    Args:
        text: the encoded form.
        what: the name of the field, for the error.

    Raises:
        InvalidError: another alphabet, missing padding, white space, or bits that decode to nothing.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidError(f"{what} is not standard base64: {error}") from error
    if encode_base64(data) != text:
        raise InvalidError(f"{what} is base64 with bits that decode to nothing: another spelling of the same value")
    return data
