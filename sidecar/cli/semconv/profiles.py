"""`affidavit semconv profiles`: which tables a translation uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.semconv.options import of_tables

if TYPE_CHECKING:
    from sidecar.cli.semconv.options import Tables


@click.command("profiles")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@of_tables
def profiles(*, as_json: bool, chosen: Tables) -> None:
    """List the profiles in use, your own among them, and the target: versions, digests, what each is detected by."""
    from evidence.canonical import canonical
    from semconv.catalogue import catalogue
    from semconv.profile.sources import sources

    found = catalogue(chosen.translator, sources(chosen.profiles))
    if as_json:
        click.echo(canonical(found).decode())
        return
    for line in _lines(found, chosen):
        click.echo(line)


def _lines(found: Mapping[str, Any], chosen: Tables) -> Iterator[str]:
    target = found["target"]
    others = ", ".join(id_ for id_ in found["targets"] if id_ != target["id"])
    yield f"{click.style(target['id'], bold=True)} {target['version']}  target  {target['digest']}"
    yield f"  {target['attributes']} attributes, {target['span_types']} span types, {target['metrics']} metrics; others: {others}"
    for profile in found["profiles"]:
        yield ""
        yield from _profile(profile, chosen)


def _profile(profile: Mapping[str, Any], chosen: Tables) -> Iterator[str]:
    rows = ", ".join(f"{count} {word}" for word, count in profile["rows"].items()) or "no rows"
    yield f"{click.style(profile['id'], bold=True)} {profile['version']}  {profile['layer']}  {profile['digest']}"
    if profile["user"]:
        yield f"  yours: {chosen.file(profile['file'], user=True)}{_over(profile)}"
    if profile["source"]:
        yield f"  made from {profile['source']}"
    yield f"  {rows}"
    yield f"  detected from {profile['threshold']}: {_marks(profile['detect'])}"


def _marks(marks: Sequence[Mapping[str, Any]]) -> str:
    kinds: dict[str, list[str]] = {}
    for mark in marks:
        kinds.setdefault(mark["kind"], []).append(f"{mark['sign']} {mark['weight']}")
    return "; ".join(f"{kind} {', '.join(said)}" for kind, said in kinds.items())


def _over(profile: Mapping[str, Any]) -> str:
    extends = f", extends {profile['extends']}" if profile["extends"] else ""
    return extends + (", takes the place of the built-in one" if profile["replaces"] else "")
