"""`affidavit health`: is a running sidecar ready, and does anything wait; for container health checks and for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from sidecar.settings import load

_TIMEOUT_SECONDS = 2.0
_STORE_SECONDS = 0.5
_NANOS = 1_000_000_000


@click.command()
def health() -> None:
    """Ask the sidecar configured here whether it is ready. Exit code 0 or 1.

    Says as well how many runs wait to be sealed and how many bundles for their signature, which changes no exit code: nothing is lost
    meanwhile, and the log says what is waited for.
    """
    import http.client

    settings = load()
    endpoint = settings.receiver.http.endpoint
    host, _, port = endpoint.rpartition(":")
    local = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104 - asked on loopback
    try:
        connection = http.client.HTTPConnection(local, int(port), timeout=_TIMEOUT_SECONDS)
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except OSError as error:
        click.echo(f"affidavit: {endpoint}: {error.strerror or error}", err=True)
        sys.exit(1)
    click.echo(f"{endpoint}: {'ready' if status == http.client.OK else f'not ready ({status})'}")
    for line in _waiting(settings.state_dir):
        click.echo(line)
    sys.exit(status != http.client.OK)


def _waiting(state_dir: Path) -> Iterator[str]:
    """What waits by the recorder's file; nothing where it cannot be read, as from another machine."""
    import sqlite3

    from sidecar.clock import now_unix_nano
    from sidecar.errors import SidecarError
    from sidecar.recorder.store import RunStore
    from sidecar.state import StateDir

    try:
        store = RunStore(StateDir(state_dir).runs, read_only=True, patience_seconds=_STORE_SECONDS)
        found = store.waiting()
        store.close()
    except (SidecarError, sqlite3.Error):
        return
    for state, one, many in (
        ("closed", "run waits to be sealed", "runs wait to be sealed"),
        ("sealed", "bundle waits for its signature", "bundles wait for their signature"),
    ):
        if state in found:
            count, oldest = found[state]
            seconds = max(0, now_unix_nano() - oldest) // _NANOS
            yield f"{count:,} {one if count == 1 else many}, the oldest for {seconds:,} s"
