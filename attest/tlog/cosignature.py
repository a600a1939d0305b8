"""A witness's cosignature: that a checkpoint was the newest consistent one that it had seen of a log, and when.

Specification: https://c2sp.org/tlog-cosignature (Ed25519, `cosignature/v1`)
Law: the time is under the signature; a cosignature made for another checkpoint or another time does not verify.
"""

import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attest.errors import InvalidError
from attest.shape import describe
from attest.tlog.note import COSIGNATURE_V1, NoteSignature, VerifierKey, verifier_key

_TIMESTAMP = struct.Struct(">Q")
_BYTES = _TIMESTAMP.size + 64


def cosigned_message(text: str, unix_seconds: int) -> bytes:
    r"""The bytes that a witness signs for a checkpoint's text.

    >>> cosigned_message("log\n0\nROOT=\n", 1679315147)
    b'cosignature/v1\ntime 1679315147\nlog\n0\nROOT=\n'
    """
    return f"cosignature/v1\ntime {unix_seconds}\n{text}".encode()


def cosign(text: str, name: str, key: Ed25519PrivateKey, unix_seconds: int) -> NoteSignature:
    """Cosign a checkpoint's text as the witness of that name. Whether it is consistent is for the witness to know."""
    signature = _TIMESTAMP.pack(unix_seconds) + key.sign(cosigned_message(text, unix_seconds))
    return NoteSignature(name=name, key_id=verifier_key(name, key, COSIGNATURE_V1).key_id, signature=signature)


def cosigned_at(signature: NoteSignature, witness: VerifierKey, text: str) -> int:
    """When the witness cosigned that text, in seconds since 1970.

    Raises:
        InvalidError: another length, a time beyond 2^63 - 1, or a signature that does not verify.
    """
    data = signature.signature
    if len(data) != _BYTES:
        raise InvalidError(f"the cosignature by {describe(witness.name)} has {len(data)} bytes, expected {_BYTES}")
    (unix_seconds,) = _TIMESTAMP.unpack(data[: _TIMESTAMP.size])
    if unix_seconds >> 63:
        raise InvalidError(f"the cosignature by {describe(witness.name)} has a time beyond 2^63 - 1")
    if not witness.verifies(data[_TIMESTAMP.size :], cosigned_message(text, unix_seconds)):
        raise InvalidError(f"the cosignature by {describe(witness.name)} does not verify")
    return int(unix_seconds)
