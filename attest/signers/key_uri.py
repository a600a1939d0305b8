"""Private keys that never leave where they are kept, named by a URI: a cloud's key service, a vault, a token.

The schemes and the way to sign are securesystemslib's; each needs a package of its own, which is asked for by name when it is missing.
Credentials are the ambient ones of each package, except the PIN of a token, which is read from a file. Law: what can be opened here is
listed in one table, and a key is P-256 or Ed25519 like every other.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

from attest.errors import KeyFileError, SigningError
from attest.limits import DEFAULT
from attest.signers.failure import failure
from evidence.regular import open_regular

if TYPE_CHECKING:
    from attest.keys import PublicKey

Secrets: TypeAlias = Callable[[str], str]
"""Gives the secret of a name; the only one asked for is the PIN of a token."""

_Kind: TypeAlias = Any
"""A class of signers in securesystemslib, which ships no types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteKey:
    """A private key kept elsewhere, and its public half. Opening one has asked nobody to sign anything."""

    uri: str
    public: "PublicKey"
    native: Any = field(repr=False, compare=False)
    """securesystemslib's signer."""

    def sign(self, data: bytes) -> bytes:
        """Have `data` signed: DER for P-256, 64 bytes for Ed25519. Does not check the signature.

        Raises:
            SigningError: the service refused.
            SignerUnavailableError: it could not be reached, or not now.
        """
        try:
            return bytes.fromhex(self.native.sign(data).signature)
        except Exception as error:
            raise failure(self.uri, error) from error


# ---------------------------------------------------------------- public halves


def _of_aws_or_gcp(kind: _Kind, path: str, _: Secrets | None) -> tuple[str, bytes]:
    uri, key = kind.import_(path)
    return uri, key.keyval["public"].encode()


def _of_azure(kind: _Kind, path: str, _: Secrets | None) -> tuple[str, bytes]:
    host, _keys, name, *_version = path.removeprefix("//").split("/")
    uri, key = kind.import_(host.partition(".")[0], name)
    return uri, key.keyval["public"].encode()


def _of_token(kind: _Kind, path: str, secrets: Secrets | None) -> tuple[str, bytes]:
    key_id, _, query = path.partition("?")
    label = parse_qs(query).get("label", [None])[0]
    _, key = kind.import_(int(key_id or kind.SCHEME_KEYID), label, secrets)
    return f"hsm:{path}", key.keyval["public"].encode()


def _of_vault(_: _Kind, path: str, _secrets: Secrets | None) -> tuple[str, bytes]:
    """The very version, of either kind: securesystemslib's own way gives the newest, and Ed25519 only."""
    import hvac  # type: ignore[import-untyped]  # noqa: PLC0415 - for vaults only
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - as above

    name, _slash, version = path.partition("/")
    versions = hvac.Client().secrets.transit.read_key(name)["data"]["keys"]
    if version not in versions:
        raise SigningError(f"hv:{path}: the vault has the versions {', '.join(sorted(versions, key=int))} of this key")
    text = versions[version]["public_key"]
    if text.startswith("-----BEGIN"):
        return f"hv:{path}", text.encode()
    raw = Ed25519PublicKey.from_public_bytes(b64decode(text, validate=True))
    return f"hv:{path}", raw.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


# ---------------------------------------------------------------- the table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """How the keys of one scheme are opened."""

    signer: str
    """Class in `securesystemslib.signer`."""
    modules: tuple[str, ...]
    """What must be importable."""
    packages: str
    """What to install for it."""
    form: str
    """How its URIs are written."""
    pattern: str
    """The same, as a regular expression over what follows the colon."""
    fetch: Callable[[_Kind, str, Secrets | None], tuple[str, bytes]]
    """Asks for the public half in PEM; gives the URI that it belongs to as well."""


_SERVICES: Mapping[str, _Service] = {
    "awskms": _Service(
        signer="AWSSigner",
        modules=("boto3",),
        packages="boto3",
        form="awskms:KEY_ID, with the id, ARN or alias of a key",
        pattern=r"\S+",
        fetch=_of_aws_or_gcp,
    ),
    "gcpkms": _Service(
        signer="GCPSigner",
        modules=("google.cloud.kms",),
        packages="google-cloud-kms",
        form="gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V",
        pattern=r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+/cryptoKeyVersions/\d+",
        fetch=_of_aws_or_gcp,
    ),
    "azurekms": _Service(
        signer="AzureSigner",
        modules=("azure.identity", "azure.keyvault.keys"),
        packages="azure-identity and azure-keyvault-keys",
        form="azurekms://VAULT.vault.azure.net/keys/NAME/VERSION",
        pattern=r"//[^/]+/keys/[^/]+/[^/]+",
        fetch=_of_azure,
    ),
    "hv": _Service(
        signer="VaultSigner",
        modules=("hvac",),
        packages="hvac",
        form="hv:NAME/VERSION, a key of HashiCorp Vault's transit engine",
        pattern=r"[^/]+/\d+",
        fetch=_of_vault,
    ),
    "hsm": _Service(
        signer="HSMSigner",
        modules=("pkcs11",),
        packages="python-pkcs11",
        form="hsm:[KEYID][?label=LABEL], a key on a PKCS#11 token",
        pattern=r"\d*(\?label=[^\s&]+)?",
        fetch=_of_token,
    ),
}

SCHEMES = tuple(_SERVICES)
"""What a URI of a key may begin with."""


# ---------------------------------------------------------------- opening


def is_key_uri(text: str) -> bool:
    """Whether `text` begins like the URI of a key, and is not the path of a file."""
    return text.partition(":")[0] in _SERVICES


def check_key(uri: str) -> None:
    """Say whether a key of that name could be opened here, without asking anybody.

    Raises:
        KeyFileError: an unknown scheme or form, or a package that is missing.
    """
    _service(uri)


def open_key(uri: str, *, public_key: Path | None = None, pin_file: Path | None = None) -> RemoteKey:
    """Open the private key that `uri` names.

    Args:
        uri: a URI of one of `SCHEMES`.
        public_key: file of its public half in PEM; asked of the service without it.
        pin_file: file with the PIN of a token.

    Raises:
        KeyFileError: an unknown scheme or form, a package that is missing, a file that cannot be read, or a key that is neither P-256
            nor Ed25519.
        SigningError: the service refused, or knows no such key.
        SignerUnavailableError: it could not be reached, or not now.
    """
    service = _service(uri)
    if uri.startswith("hsm:") != (pin_file is not None):
        raise KeyFileError(f"{uri}: a token and the file of its PIN go together, and only they; got one of them")
    from securesystemslib import signer as library  # noqa: PLC0415 - 65 ms that only a signer has to pay

    from attest.keys import load_public  # noqa: PLC0415 - as above

    kind, secrets = getattr(library, service.signer), _secrets(pin_file) if pin_file else None
    try:
        public = load_public(public_key) if public_key else _fetched(service, kind, uri, secrets)
        native = kind.from_priv_key_uri(uri, library.SSlibKey.from_crypto(public.native), secrets)  # type: ignore[attr-defined]  # re-exported
    except KeyFileError:
        raise
    except Exception as error:
        raise failure(uri, error) from error
    return RemoteKey(uri=uri, public=public, native=native)


def _service(uri: str) -> _Service:
    scheme, _, path = uri.partition(":")
    if (service := _SERVICES.get(scheme)) is None:
        raise KeyFileError(
            f"{uri}: a key of no known scheme; expected one of {', '.join(f'{name}:' for name in SCHEMES)}"
        )
    if not re.fullmatch(service.pattern, path):
        raise KeyFileError(f"{uri.partition('&')[0]}: expected {service.form}")  # behind it some write the PIN
    if not all(map(_importable, service.modules)):
        raise KeyFileError(f"{uri}: keys of {scheme}: need {service.packages}, which is not installed")
    return service


def _fetched(service: _Service, kind: _Kind, uri: str, secrets: Secrets | None) -> "PublicKey":
    from attest.keys import load_public  # noqa: PLC0415 - as above

    found, pem = service.fetch(kind, uri.partition(":")[2], secrets)
    if found != uri:
        raise SigningError(f"{uri}: the service gives the public key of {found}; name that one, or give the public key")
    return load_public(pem)


def _importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it
        return False


def _secrets(path: Path) -> Secrets:
    try:
        with open_regular(path) as file:
            pin = file.read(DEFAULT.key_file_bytes_max).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path}: the PIN cannot be read: {error}") from error
    return lambda _: pin
