"""`affidavit health`: is a running sidecar ready; for container health checks."""

from __future__ import annotations

import sys

import click

from sidecar.settings import load

_TIMEOUT_SECONDS = 2.0


@click.command()
def health() -> None:
    """Ask the sidecar configured here whether it is ready. Exit code 0 or 1."""
    import http.client

    endpoint = load().receiver.http.endpoint
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
    sys.exit(status != http.client.OK)
