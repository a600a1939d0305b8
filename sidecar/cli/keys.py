"""`affidavit keys`: make and show signing keys."""

from __future__ import annotations

from pathlib import Path

import click
import orjson


@click.group()
def keys() -> None:
    """Make and show signing keys.

    A sidecar makes its own P-256 key on first start; these verbs are for keys of your own, and for handing the public one to auditors.
    """


@keys.command()
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
    from attest.keys import generate, public_path, save

    key = generate(algorithm)  # type: ignore[arg-type]  # click has checked the choice
    save(key, out)
    click.echo(f"private key: {out} (keep it)", err=True)
    click.echo(f"public key:  {public_path(out)} (give it to auditors)", err=True)
    _print(public_path(out))


@keys.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
def show(file: Path | None) -> None:
    """Print kind and fingerprint of the public key in FILE, as JSON. Without FILE: of the sidecar configured here."""
    from attest.keys import public_path
    from sidecar.settings import load
    from sidecar.state import StateDir

    if file is None:
        settings = load()
        file = public_path(settings.attest.key_file or StateDir(settings.state_dir).signing_key)
        if not file.exists():
            raise click.UsageError(f"{file} is not there: the sidecar makes it on its first start. Name a FILE.")
    _print(file)


def _print(public: Path) -> None:
    from attest.keys import load_public

    key = load_public(public)
    facts = {"file": str(public), "algorithm": key.algorithm, "fingerprint": f"sha256:{key.fingerprint}"}
    click.echo(orjson.dumps(facts).decode())
