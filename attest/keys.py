"""Key pairs on disk: made, saved, loaded, named, and used to check a signature.

P-256 with SHA-256 by default, because everything that reads Sigstore bundles can check it; Ed25519 as well.
Private keys are PKCS#8 PEM, public keys SubjectPublicKeyInfo PEM (RFC 5958, RFC 5280 section 4.1.2.7, RFC 7468).
Laws: a private key file is created with mode 0600 and never overwritten; a key is named by the SHA-256 of its
SubjectPublicKeyInfo in DER, in hexadecimal, wherever it needs a name.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from attest.errors import KeyFileError
from attest.limits import DEFAULT, AttestLimits
from attest.pem import encrypted, no_private_key, no_public_key, public_path, read_pem, read_private_pem

Algorithm: TypeAlias = Literal["ecdsa-p256-sha256", "ed25519"]

_PrivateNative: TypeAlias = ec.EllipticCurvePrivateKey | Ed25519PrivateKey
_PublicNative: TypeAlias = ec.EllipticCurvePublicKey | Ed25519PublicKey

_P = (1 << 255) - 19
_ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_SMALL_ORDER = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})
"""The y of every point of edwards25519 whose order divides 8."""

_PEM = serialization.Encoding.PEM
_DER = serialization.Encoding.DER
_SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key that signatures can be checked with. Having one says nothing about whom it belongs to."""

    algorithm: Algorithm
    fingerprint: str
    """SHA-256 of the SubjectPublicKeyInfo DER, lower-case hexadecimal: the hint in an attestation."""
    native: _PublicNative = field(repr=False, compare=False)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` over `data` was made with the private half. False for anything malformed."""
        try:
            if isinstance(self.native, Ed25519PublicKey):
                self.native.verify(signature, data)
            else:
                self.native.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def to_pem(self) -> bytes:
        """The SubjectPublicKeyInfo in PEM, as `.pub` files hold it."""
        return self.native.public_bytes(_PEM, _SPKI)

    def __reduce__(self) -> tuple[Any, ...]:  # a native key cannot be handed to another process, its PEM can
        return load_public, (self.to_pem(),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A private key and its public half. Its text form never shows key material."""

    public: PublicKey
    native: _PrivateNative = field(repr=False, compare=False)

    def to_pem(self) -> bytes:
        """PKCS#8 PEM without a password: the file's mode is what protects it."""
        return self.native.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def generate(algorithm: Algorithm = "ecdsa-p256-sha256") -> PrivateKey:
    """Make a new key pair from the operating system's randomness."""
    if algorithm == "ed25519":
        return _private(Ed25519PrivateKey.generate())
    return _private(ec.generate_private_key(ec.SECP256R1()))


def save(key: PrivateKey, path: Path) -> Path:
    """Write the private key to `path` (0600) and the public one beside it (0644), creating both or neither.

    Returns:
        The path of the public key.

    Raises:
        KeyFileError: either file exists already (it is left as it is), or the directory cannot be written.
    """
    public = public_path(path)
    _create(path, key.to_pem(), 0o600)
    try:
        _create(public, key.public.to_pem(), 0o644)
    except KeyFileError:
        path.unlink()
        raise
    return public


def load_private(path: Path, *, limits: AttestLimits = DEFAULT) -> PrivateKey:
    """Read an unencrypted PKCS#8 (or traditional) PEM private key.

    Does not check who else may read the file: orchestrators mount secrets with modes of their own.

    Raises:
        KeyFileError: unreadable, encrypted, no private key, or neither P-256 nor Ed25519.
    """
    pem = read_private_pem(path, limits=limits)
    try:
        native = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise encrypted(path) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise no_private_key(path, pem) from error
    if not isinstance(native, ec.EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise KeyFileError(f"{path}: {_kind(native)}; expected P-256 or Ed25519")
    return _private(native, str(path))


def load_public(source: Path | bytes, *, limits: AttestLimits = DEFAULT) -> PublicKey:
    """Read a SubjectPublicKeyInfo PEM public key from a file, or from the PEM itself.

    Raises:
        KeyFileError: unreadable, no public key (a private key and a certificate are named as such), or neither P-256
            nor Ed25519.
    """
    path = source if isinstance(source, Path) else None
    pem = source if isinstance(source, bytes) else read_pem(source, limits=limits)
    where = str(path or "public key")
    try:
        native = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise no_public_key(path, pem) from error
    if not isinstance(native, ec.EllipticCurvePublicKey | Ed25519PublicKey):
        raise KeyFileError(f"{where}: {_kind(native)}; expected P-256 or Ed25519")
    return _public(native, where)


def is_anyones(raw: bytes) -> bool:
    """Whether an Ed25519 public key is one of the few points of small order, under which signatures are made without any private key.

    Whoever gives away such a key can deny everything that is signed with it later. RFC 8032 section 5.1 does not refuse them.
    """
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    return y % _P in _SMALL_ORDER


def _private(native: _PrivateNative, where: str = "generated key") -> PrivateKey:
    return PrivateKey(public=_public(native.public_key(), where), native=native)


def _public(native: _PublicNative, where: str) -> PublicKey:
    algorithm: Algorithm = "ed25519"
    if isinstance(native, ec.EllipticCurvePublicKey):
        if not isinstance(native.curve, ec.SECP256R1):
            raise KeyFileError(f"{where}: an elliptic curve key on {native.curve.name}; expected P-256")
        algorithm = "ecdsa-p256-sha256"
    elif is_anyones(native.public_bytes_raw()):
        raise KeyFileError(f"{where}: an Ed25519 key with which anyone can sign; expected one of a private key")
    fingerprint = hashlib.sha256(native.public_bytes(_DER, _SPKI)).hexdigest()
    return PublicKey(algorithm=algorithm, fingerprint=fingerprint, native=native)


def _kind(native: object) -> str:
    """What kind of key it is, by the name of its class."""
    name = type(native).__name__.removesuffix("PrivateKey").removesuffix("PublicKey")
    return f"{'an' if name[:1] in 'AEIOURSX' else 'a'} {name} key"


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError as error:
        raise KeyFileError(f"{path}: exists already, and a key is never overwritten") from error
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be created: {error.strerror or error}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):  # ours to remove: O_EXCL says that we made it
            path.unlink()
        raise KeyFileError(f"{path}: cannot be written: {error.strerror or error}") from error
