"""`affidavit keys`: make and show signing keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

if TYPE_CHECKING:
    from sidecar.signing import KeySpec, Signing

_CONFIG = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The configuration file.",
)


@click.group()
def keys() -> None:
    """Make and show signing keys.

    A sidecar makes its own P-256 key on first start; these verbs are for keys of your own, and for handing the public one to auditors.
    """


@keys.command(short_help="Make a key pair.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The private key's file (mode 0600)."
)
@click.option(
    "--algorithm",
    type=click.Choice(["ecdsa-p256-sha256", "ed25519"]),
    default="ecdsa-p256-sha256",
    show_default=True,
    help="P-256 is understood by everything that reads Sigstore bundles.",
)
def new(out: Path, algorithm: str) -> None:
    """Make a key pair: the private key to OUT, the public key to OUT.pub. Existing files are never overwritten."""
    from attest.keys import generate, save
    from attest.pem import public_path

    key = generate(algorithm)  # type: ignore[arg-type]  # click has checked the choice
    save(key, out)
    click.echo(f"private key: {out} (keep it)", err=True)
    click.echo(f"public key:  {public_path(out)} (give it to auditors)", err=True)
    _print(public_path(out))


@keys.command("list", short_help="Which keys may sign, and which signs now.")
@_CONFIG
def list_keys(config_file: Path | None) -> None:
    """Say which keys may sign by the configuration, which of them signs now, and print one line of JSON for each.

    Asks nobody: the fingerprint of a key that is kept elsewhere is said where its public half is given.
    """
    from attest.errors import SigningError
    from evidence.timestamp import from_unix_nano
    from sidecar.clock import now_unix_nano

    signing = _signing(config_file)
    now = from_unix_nano(now_unix_nano())
    try:
        current = signing.rotation.current().uri
    except SigningError as error:
        click.echo(f"affidavit: {error}", err=True)
        current = None
    for key, dated in zip(signing.keys, signing.rotation.keys, strict=True):
        facts = {"key": key.uri, "state": dated.state(now), "signs_now": key.uri == current}
        facts |= {"valid_from": key.valid_from, "valid_until": key.valid_until}
        public = key.public_file
        click.echo(orjson.dumps(facts | (_facts(public) if public and public.exists() else {"file": None})).decode())


@keys.command(short_help="The public half and fingerprint of a key.")
@click.argument("key", metavar="[FILE|URI]", required=False)
@click.option(
    "--pin-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="PIN of a PKCS#11 token."
)
@_CONFIG
def show(key: str | None, pin_file: Path | None, config_file: Path | None) -> None:
    """Print kind and fingerprint of the public key in FILE, as JSON; or of the key that URI names, and its public half in PEM.

    Without either: of the key that signs now, by the configuration.
    """
    from attest.signers.key_uri import is_key_uri, open_key

    if key is None:
        current = _current(_signing(config_file))
        key = str(current.public_file or current.uri)
    if is_key_uri(key):
        public = open_key(key, pin_file=pin_file).public
        facts = {"key": key, "algorithm": public.algorithm, "fingerprint": f"sha256:{public.fingerprint}"}
        click.echo(orjson.dumps({**facts, "pem": public.to_pem().decode()}).decode())
        return
    if not Path(key).exists():
        raise click.UsageError(f"{key} is not there: the sidecar makes its own key on its first start. Name a FILE.")
    _print(Path(key))


@keys.command(short_help="The keys of the configuration, for an auditor's policy.")
@_CONFIG
def policy(config_file: Path | None) -> None:
    """Print the keys of the configuration, with their windows, as an auditor's policy file trusts them (YAML, docs/policy.md).

    Public halves only. A key that is kept elsewhere is asked for its public half unless a file of it is given.
    """
    import yaml

    entries = []
    for key in _signing(config_file).keys:
        window = {"valid_from": key.valid_from, "valid_until": key.valid_until}
        entries.append({"pem": key.public().to_pem().decode(), **{name: at for name, at in window.items() if at}})

    class Dumper(yaml.SafeDumper):
        """Writes a PEM as the lines that it is."""

    Dumper.add_representer(
        str,
        lambda dumper, text: dumper.represent_scalar(
            "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
        ),
    )
    click.echo(yaml.dump({"keys": entries}, Dumper=Dumper, sort_keys=False), nl=False)


def _signing(config_file: Path | None) -> Signing:
    from sidecar.settings import load
    from sidecar.signing import Signing
    from sidecar.state import StateDir
    from sidecar.worker_spec import signing_spec

    settings = load(config_file)
    if settings.attest.method == "keyless":
        raise click.UsageError("attest.method is keyless: an identity signs, and no key")
    return Signing(signing_spec(settings.attest), StateDir(settings.state_dir).signing_key)


def _current(signing: Signing) -> KeySpec:
    uri = signing.rotation.current().uri
    return next(key for key in signing.keys if key.uri == uri)


def _print(public: Path) -> None:
    click.echo(orjson.dumps(_facts(public)).decode())


def _facts(public: Path) -> dict[str, str]:
    from attest.keys import load_public

    key = load_public(public)
    return {"file": str(public), "algorithm": key.algorithm, "fingerprint": f"sha256:{key.fingerprint}"}
