"""The options by which a verb is told who signs; one place for all verbs that sign."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from sidecar.signing import KeySpec, Signing

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)

_OPTIONS = (
    click.option(
        "--key",
        metavar="FILE|URI",
        help="Private key (PEM) to sign with, or awskms:, gcpkms:, azurekms:, hv: (Vault) or hsm: (PKCS#11); docs/signing.md.",
    ),
    click.option("--public-key", type=_FILE, help="Public half of a key that is kept elsewhere.  [default: asked for]"),
    click.option("--pin-file", type=_FILE, help="PIN of a PKCS#11 token."),
    click.option("--timestamp-url", metavar="URL", help="RFC 3161 authority that dates signatures made with a key."),
    click.option("--keyless", is_flag=True, help="Sign as an identity, by the Sigstore instance of --trust-config."),
    click.option("--trust-config", type=_FILE, help="Client trust config (JSON) of that instance."),
    click.option("--token-file", type=_FILE, help="OIDC token of the identity.  [default: that of the CI job]"),
    click.option("--audience", default="sigstore", show_default=True, help="For whom the token is made."),
    click.option(
        "--tlog-version",
        type=click.Choice(["1", "2"]),
        help="Of the transparency log.  [default: 1 where there is one]",
    ),
    click.option(
        "--public-instance",
        is_flag=True,
        help="The config may be the public one: identity and digests stay public for ever.",
    ),
    click.option(
        "--deadline", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="Seconds for one signature."
    ),
)


def signing_options(verb: F) -> F:
    """Gives a verb the options; their values go to `chosen_signing`."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


def chosen_signing(
    *,
    key: str | None,
    public_key: Path | None,
    pin_file: Path | None,
    timestamp_url: str | None,
    keyless: bool,
    trust_config: Path | None,
    token_file: Path | None,
    audience: str,
    tlog_version: str | None,
    public_instance: bool,
    deadline: float,
) -> Signing | None:
    """Who signs by the options; None when they name nobody.

    Raises:
        UsageError: they contradict each other.
        ConfigError: a file or a package that they need is not there, or another than it should be.
    """
    from sidecar.signing import KeylessSpec, KeySpec, Signing, SigningSpec

    _refuse(
        keyless and key is not None, "--key and --keyless: one of them signs; `affidavit attest` twice adds the other"
    )
    _refuse(keyless and trust_config is None, "--keyless: needs --trust-config, the instance to sign by")
    _refuse(
        keyless and timestamp_url is not None,
        "--timestamp-url: for keys; the trust config says who dates keyless signatures",
    )
    for_keyless = trust_config or token_file or tlog_version or public_instance
    _refuse(
        not keyless and bool(for_keyless),
        "--trust-config, --token-file, --tlog-version, --public-instance: for --keyless",
    )
    _refuse(
        key is None and bool(public_key or pin_file or timestamp_url),
        "--public-key, --pin-file, --timestamp-url: for --key",
    )
    if keyless and trust_config:
        identity = KeylessSpec(
            trust_config_file=trust_config,
            token_file=token_file,
            audience=audience,
            public_instance=public_instance,
            tlog_version=int(tlog_version) if tlog_version else None,
        )
        return _ready(Signing(SigningSpec(keyless=identity, deadline_seconds=deadline)))
    if key is None:
        return None
    kept = KeySpec(uri=key, public_key_file=public_key, pin_file=pin_file)
    return _ready(Signing(SigningSpec(keys=(kept,), timestamp_url=timestamp_url, deadline_seconds=deadline)))


def _ready(signing: Signing) -> Signing:
    """Who signs, once all files are there, and whoever asked for what cannot be taken back was told so."""
    for key in signing.keys:
        _check_files(key)
    signing.ensure()
    if signing.warning:
        click.echo(f"affidavit: {signing.warning}", err=True)
    return signing


def _check_files(key: KeySpec) -> None:
    """The files of a key are what they should be: said before anything is read or signed.

    Raises:
        UsageError: one is not.
    """
    from attest.errors import KeyFileError
    from attest.keys import load_private, load_public

    try:
        if key.file:
            load_private(key.file)
        if key.public_key_file:
            load_public(key.public_key_file)
    except KeyFileError as error:
        raise click.UsageError(printable(f"{'--key' if key.file else '--public-key'}: {error}")) from error
    if key.file and key.file.stat().st_mode & stat.S_IROTH:
        said = f"{key.file}: anyone on this machine may read this private key, and sign with it (chmod 600)"
        click.echo(f"affidavit: {printable(said)}", err=True)


def _refuse(wrong: bool, why: str) -> None:  # noqa: FBT001 - reads as a sentence where it is called
    if wrong:
        raise click.UsageError(why)
