"""Who signs bundles, by the settings: keys by their windows, or an identity; and a key of our own where neither is given.

Law: a key is made once, for its owner alone (0600), and never overwritten; a configured file that is missing is an error, not a new key.
Whatever has a network in it signs in a process of its own that is killed at a deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from evidence.regular import open_regular
from evidence.timestamp import from_unix_nano
from sidecar.clock import now_unix_nano
from sidecar.errors import ConfigError

if TYPE_CHECKING:
    from attest.keys import PublicKey
    from attest.signers.rotation import Rotation
    from attest.signers.services import Services
    from attest.signers.signer import Signer
    from attest.signers.timestamp import Timestamper

__all__ = ["KeySpec", "KeylessSpec", "Signing", "SigningSpec"]

_TIMESTAMP_SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpec:
    """A key, and when it may sign (RFC 3339 as evidence writes it; None: at any time)."""

    uri: str
    """The path of a private key in PEM, or a URI of `attest.signers.key_uri`."""
    valid_from: str | None = None
    valid_until: str | None = None
    public_key_file: Path | None = None
    pin_file: Path | None = None

    @property
    def file(self) -> Path | None:
        """The key's file; None when something else keeps it."""
        from attest.signers.key_uri import is_key_uri  # noqa: PLC0415 - what signs is loaded by who signs

        return None if is_key_uri(self.uri) else Path(self.uri)

    @property
    def public_file(self) -> Path | None:
        """Where its public half lies or would lie: the file given, or beside the key as `keys new` lays it; None when neither."""
        return self.file.with_name(self.file.name + ".pub") if self.file else self.public_key_file

    def public(self) -> PublicKey:
        """Its public half; asked for where it is kept when no file has it.

        Raises:
            AttestError: it cannot be read or had.
        """
        from attest.keys import load_private, load_public  # noqa: PLC0415 - cryptography, for signing only
        from attest.signers.key_uri import open_key  # noqa: PLC0415 - as above

        if self.public_file and self.public_file.exists():
            return load_public(self.public_file)
        return load_private(self.file).public if self.file else open_key(self.uri, pin_file=self.pin_file).public


@dataclass(frozen=True, slots=True, kw_only=True)
class KeylessSpec:
    """An identity of a Sigstore instance."""

    trust_config_file: Path
    token_file: Path | None = None
    """Where its OIDC token is; None: asked of the CI job this runs in."""
    audience: str = "sigstore"
    public_instance: bool = False
    tlog_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSpec:
    """Who signs and who dates, as plain data."""

    keys: tuple[KeySpec, ...] = ()
    """Empty, and not keyless: a key of our own."""
    keyless: KeylessSpec | None = None
    timestamp_url: str | None = None
    require_timestamp: bool = True
    deadline_seconds: float = 60.0
    """For one signature of whatever has a network in it."""


class Signing:
    """Who signs. Cryptography is loaded when it is first needed.

    Args:
        spec: Who it is.
        own_key: Where our own key is, or is made, when the spec names nobody; None when there is none.
    """

    def __init__(self, spec: SigningSpec, own_key: Path | None = None) -> None:
        self._spec = spec
        self._makes = not spec.keys and spec.keyless is None
        self.keys = (KeySpec(uri=str(own_key)),) if self._makes and own_key else spec.keys
        """The keys that may sign; none when keyless."""

    @property
    def dates(self) -> bool:
        """Whether signatures should carry a timestamp of an authority that the settings name."""
        return self._spec.timestamp_url is not None

    def ensure(self) -> Path | None:
        """Makes our own key if it is ours to make and not there; its path if it was made.

        Raises:
            ConfigError: A file that is configured is not there or holds no private key, or a package that a key needs is missing; a
                Sigstore instance's config is none, or is the public instance's and that was not asked for.
        """
        for key in self.keys:
            if key.file is None:
                _check(key)
        for name, path in self._files():
            if not path.exists():
                if not self._makes:
                    raise ConfigError(f"{name}: {path} is not there")
                from attest.keys import generate, save  # noqa: PLC0415 - 12 MiB that only signing should cost

                save(generate(), path)
                return path
        for key in self.keys:
            if key.file:
                _check_file(key.file)
        if self._spec.keyless:
            _services(self._spec.keyless)
        return None

    @property
    def warning(self) -> str | None:
        """What is published, to be said to whoever asked for the public Sigstore instance; None where nobody did.

        Raises:
            ConfigError: As `ensure`.
        """
        if self._spec.keyless is None or not _services(self._spec.keyless).public:
            return None
        from attest.signers.services import PUBLIC_WARNING  # noqa: PLC0415 - as above

        return PUBLIC_WARNING

    @cached_property
    def signer(self) -> Signer:
        """Who signs with them.

        Raises:
            AttestError: A key cannot be opened.
        """
        if self._spec.keyless:
            return _keyless(self._spec, self._spec.keyless)
        if len(self.keys) == 1 and not (self.keys[0].valid_from or self.keys[0].valid_until):
            return self._open(self.keys[0])
        return self.rotation

    @cached_property
    def rotation(self) -> Rotation:
        """Which key signs when."""
        from attest.signers.rotation import DatedKey, Rotation  # noqa: PLC0415 - as above

        dated = [
            DatedKey(uri=key.uri, valid_from=key.valid_from, valid_until=key.valid_until, open=partial(self._open, key))
            for key in self.keys
        ]
        return Rotation(dated, now=lambda: from_unix_nano(now_unix_nano()))

    def _open(self, key: KeySpec) -> Signer:
        make = partial(open_key_signer, key, self._spec)
        if key.file and self._spec.timestamp_url is None:
            return make()
        from attest.signers.bounded import BoundedSigner  # noqa: PLC0415 - for what has a network in it

        return BoundedSigner(make, what=key.uri, deadline_seconds=self._spec.deadline_seconds)

    def _files(self) -> list[tuple[str, Path]]:
        if keyless := self._spec.keyless:
            return [("attest.keyless.trust_config_file", keyless.trust_config_file)]
        return [("attest.key_file or attest.keys", key.file) for key in self.keys if key.file]


def _services(keyless: KeylessSpec) -> Services:
    """The instance that signs, which is the public one only where that was asked for."""
    from attest.errors import SigningError  # noqa: PLC0415 - for identities only
    from attest.signers.services import PUBLIC_WARNING, read_services  # noqa: PLC0415 - as above

    try:
        services = read_services(_trust_config(keyless))
    except SigningError as error:
        raise ConfigError(f"{keyless.trust_config_file}: {error}") from error
    if services.public and not keyless.public_instance:
        raise ConfigError(
            f"{keyless.trust_config_file}: is of the public instance; attest.keyless.public_instance or --public-instance asks for it,"
            f" and {PUBLIC_WARNING}"
        )
    return services


def _trust_config(keyless: KeylessSpec) -> bytes:
    from attest.limits import DEFAULT  # noqa: PLC0415 - as above

    try:
        with open_regular(keyless.trust_config_file) as file:
            return file.read(DEFAULT.trust_config_bytes_max + 1)
    except OSError as error:
        raise ConfigError(f"{keyless.trust_config_file}: cannot be read: {error.strerror}") from error


def _check_file(path: Path) -> None:
    """Whether a private key is there, as far as that can be told without cryptography."""
    from attest.errors import KeyFileError  # noqa: PLC0415 - as below
    from attest.pem import read_private_pem  # noqa: PLC0415 - as below

    try:
        read_private_pem(path)
    except KeyFileError as error:
        raise ConfigError(f"attest.key_file or attest.keys: {error}") from error


def _check(key: KeySpec) -> None:
    from attest.errors import KeyFileError  # noqa: PLC0415 - for keys that are kept elsewhere
    from attest.signers.key_uri import check_key  # noqa: PLC0415 - as above

    try:
        check_key(key.uri)
    except KeyFileError as error:
        raise ConfigError(f"attest.keys: {error}") from error


def open_key_signer(key: KeySpec, spec: SigningSpec) -> Signer:
    """Opens one key and whoever dates its signatures; where it signs, which may be a process of its own."""
    from attest.signers.key import KeySigner  # noqa: PLC0415 - as above

    seconds = min(_TIMESTAMP_SECONDS_MAX, spec.deadline_seconds / 2)
    return KeySigner.from_uri(
        key.uri,
        public_key=key.public_key_file,
        pin_file=key.pin_file,
        timestamper=_timestamper(spec.timestamp_url, seconds) if spec.timestamp_url else None,
        require_timestamp=spec.require_timestamp,
    )


def _timestamper(url: str, seconds: float) -> Timestamper:
    from attest.signers.timestamp import Timestamper  # noqa: PLC0415 - as above

    return Timestamper(url, clock=now_unix_nano, timeout_seconds=seconds)


def _keyless(spec: SigningSpec, keyless: KeylessSpec) -> Signer:
    from attest.signers.bounded import BoundedSigner  # noqa: PLC0415 - as above
    from attest.signers.identity import AmbientToken, TokenFile  # noqa: PLC0415 - as above
    from attest.signers.keyless import KeylessSigner  # noqa: PLC0415 - as above

    audience = keyless.audience
    tokens = (
        TokenFile(path=keyless.token_file, audience=audience) if keyless.token_file else AmbientToken(audience=audience)
    )
    make = partial(
        KeylessSigner,
        _trust_config(keyless),
        tokens,
        clock=now_unix_nano,
        tlog_version=keyless.tlog_version,
        require_timestamp=spec.require_timestamp,
        public=keyless.public_instance,
    )
    what = f"keyless by {keyless.trust_config_file.name}"
    return BoundedSigner(make, what=what, deadline_seconds=spec.deadline_seconds)
