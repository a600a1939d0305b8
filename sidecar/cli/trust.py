"""`affidavit trust`: get a Sigstore trusted root, and see what is in one.

Law: `fetch` is the one command that goes online for verification's sake; what it writes is a file that somebody named, and nothing reads
it that is not told to.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from evidence.regular import open_regular
from sidecar.cli.columns import folded, output_columns, say
from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from attest.trust.roots import Entry, Root
    from attest.trust_fetch import Fetched, Repository

_KINDS = (
    ("certificate authority", "authorities"),
    ("certificate log", "ct_logs"),
    ("transparency log", "logs"),
    ("timestamp authority", "timestamp_authorities"),
)


@click.group()
def trust() -> None:
    """Get and show Sigstore trusted roots.

    A trusted root says whose certificates, log entries and timestamps count, and when. `affidavit verify --trusted-root FILE` takes one;
    docs/trust-roots.md says how to pin it.
    """


@trust.command(short_help="Get a trusted root from a TUF repository (online).")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where the trusted root goes."
)
@click.option("--url", metavar="URL", help="A private Sigstore's TUF repository. Without it: the public instance's.")
@click.option(
    "--root",
    "initial_root",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The initial root.json of that repository, from whoever runs it. Needed with --url.",
)
@click.option(
    "--client-config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the client trust config for signing there as well, from the repository's signing config.",
)
@click.option("--replace", is_flag=True, help="Replace files that are there and differ.")
@click.option(
    "--deadline", type=click.FloatRange(1, 3600), default=60.0, show_default=True, metavar="SECONDS", help="In all."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was fetched as JSON.")
def fetch(
    *,
    out: Path,
    url: str | None,
    initial_root: Path | None,
    client_config: Path | None,
    replace: bool,
    deadline: float,
    as_json: bool,
) -> None:
    """Get a trusted root, into a file you name. The only command of verification that goes online.

    The repository's metadata are checked from its initial root on (The Update Framework). Nothing is cached. Prints the file's SHA-256, to be
    written into a policy or compared with what somebody else has got, and what is in it.
    """
    from attest.trust.roots import read_root, trusted_root
    from attest.trust_fetch import SIGNING_CONFIG, TRUSTED_ROOT
    from attest.trust_fetch import fetch as fetch_targets
    from sidecar.recorder.durable import write_durably

    if (url is None) is not (initial_root is None):
        raise click.UsageError(
            "--url and --root belong together: a repository, and the root that trust in it begins with"
        )
    repository = _repository(url, initial_root)
    names = [TRUSTED_ROOT, *([SIGNING_CONFIG] if client_config else [])]
    fetched = fetch_targets(repository, names, deadline_seconds=deadline)
    data = fetched.targets[TRUSTED_ROOT]
    root = read_root(trusted_root(data, str(out)))  # what is no trusted root is not written
    files = {out: data}
    if client_config:
        files[client_config] = _client_config(data, fetched.targets[SIGNING_CONFIG])
    states = {path: _state(path, content, replace=replace) for path, content in files.items()}
    for path, content in files.items():
        if states[path] != "unchanged":
            write_durably(path, content)
    if as_json:
        click.echo(_json({**_document(root), **_origin(repository, fetched), "state": states[out]}))
        return
    _show(
        root, f"from {repository.url}, TUF root {fetched.root_version}, current until {fetched.expires}; {states[out]}"
    )
    if client_config:
        click.echo(f"client trust config: {printable(str(client_config))} ({states[client_config]})", err=True)


@trust.command(short_help="Show what a trusted root holds.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(file: Path, *, as_json: bool) -> None:
    """Show a trusted root's SHA-256 and what is in it: authorities and logs, and from when to when each counts. Offline."""
    from attest.errors import UnsupportedError
    from attest.limits import DEFAULT
    from attest.trust.roots import read_root, trusted_root

    data = _read(file, DEFAULT.trusted_root_bytes_max)
    try:
        root = read_root(trusted_root(data, printable(str(file))))
        document = _document(root)
    except UnsupportedError as error:
        raise click.UsageError(printable(str(error))) from error
    if as_json:
        click.echo(_json(document))
    else:
        _show(root)


def _repository(url: str | None, initial_root: Path | None) -> Repository:
    from attest.limits import DEFAULT
    from attest.trust_fetch import Repository, public_repository

    if url is None or initial_root is None:
        return public_repository()
    return Repository(url=url, initial_root=_read(initial_root, DEFAULT.tuf_root_bytes_max))


def _read(file: Path, bytes_max: int) -> bytes:
    """A file, or as much of it as shows that it is too large."""
    try:
        with open_regular(file) as stream:
            return stream.read(bytes_max + 1)
    except OSError as error:
        raise click.UsageError(printable(f"{file}: {error.strerror or error}")) from error


def _client_config(root: bytes, signing: bytes) -> bytes:
    """The two halves in one document, each as its repository has it."""
    from attest.signers.services import MEDIA_TYPE, read_services
    from sidecar.errors import SidecarError

    try:
        config = {"mediaType": MEDIA_TYPE, "trustedRoot": orjson.loads(root), "signingConfig": orjson.loads(signing)}
    except orjson.JSONDecodeError as error:
        raise SidecarError(f"the repository's signing config is not JSON: {error}") from error
    data = orjson.dumps(config, option=orjson.OPT_INDENT_2)
    read_services(data)
    return data


def _state(path: Path, data: bytes, *, replace: bool) -> str:
    """What becomes of a file that may be there: a root that others pinned is not replaced unasked."""
    if not path.exists():
        return "new"
    if path.read_bytes() == data:
        return "unchanged"
    if not replace:
        raise click.UsageError(
            f"{printable(str(path))} is there and differs from what was fetched: compare them with `affidavit trust show`, or --replace it"
        )
    return "replaced"


def _show(root: Root, origin: str | None = None) -> None:
    click.echo(f"{click.style(f'sha256:{root.sha256}', bold=True)}  {printable(root.name)}")
    if origin:
        click.echo(printable(origin))
    for kind, listed in _KINDS:
        entries: tuple[Entry, ...] = getattr(root, listed)
        for entry in entries:
            click.echo(f"\n  {kind}  {click.style(printable(entry.name), bold=True)}")
            for text in (entry.window(), *_details(entry)):
                for line in folded(text, output_columns(None) - 6):
                    say(f"    {line}", color=None)
    if not (root.authorities or root.logs or root.ct_logs or root.timestamp_authorities):
        click.echo("\n  nothing: no certificate and no timestamp counts by this root")


def _details(entry: Entry) -> Iterator[str]:
    """Lines about an entry; a digest has one of its own, so that it can be copied."""
    for one in sorted(entry.ids):
        yield f"id {one.hex()}"
    for certificate in _certificates(entry):
        yield f"{certificate['subject']}, until {certificate['not_after']}"
        yield f"  sha256:{certificate['sha256']}"


def _document(root: Root) -> dict[str, Any]:
    entries = [
        {
            "kind": kind,
            "name": entry.name,
            "valid_from": entry.start,
            "valid_until": entry.end,
            "ids": [one.hex() for one in sorted(entry.ids)],
            "certificates": _certificates(entry),
        }
        for kind, listed in _KINDS
        for entry in getattr(root, listed)
    ]
    return {"file": root.name, "sha256": root.sha256, "entries": entries}


def _origin(repository: Repository, fetched: Fetched) -> dict[str, Any]:
    return {"url": repository.url, "tuf_root_version": fetched.root_version, "current_until": fetched.expires}


def _certificates(entry: Entry) -> list[dict[str, str]]:
    from cryptography.x509 import load_der_x509_certificate

    from attest.errors import UnsupportedError
    from evidence.digest import sha256_hex

    found = []
    for data in entry.chain:
        try:
            one = load_der_x509_certificate(data)
            subject, until = one.subject.rfc4514_string(), one.not_valid_after_utc
        except ValueError as error:
            raise UnsupportedError(f"a certificate of {entry.name} cannot be read: {error}") from error
        found.append({"subject": subject, "not_after": f"{until:%Y-%m-%dT%H:%M:%SZ}", "sha256": sha256_hex(data)})
    return found


def _json(document: dict[str, Any]) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
