"""`affidavit evidence show`: a bundle as a readable timeline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sidecar.cli.evidence.options import of_output
from sidecar.cli.printable import printable_json

if TYPE_CHECKING:
    from evidence.reading.outline import Keep
    from evidence.reading.timeline import View

_LIMIT = 500
_TYPES = ("span", "log", "metric", "receipt", "gap", "run", "resource", "scope", "drift", "redaction")


@click.command()
@click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--span", "span_id", metavar="ID", help="Show the span of this id whole, with what belongs to it.")
@click.option("--event", "event_id", metavar="ID", help="Show the event of this id, or number, whole.")
@click.option("--below", metavar="ID", default="", help="Show only this span or event, and what is below it.")
@click.option(
    "--type",
    "types",
    type=click.Choice(_TYPES),
    multiple=True,
    help="Show only events of this type; may be given again.",
)
@click.option("--failed", is_flag=True, help="Show only what failed.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=_LIMIT,
    show_default=True,
    help="Events to show, those nearest to the root first; 0 for all.",
)
@click.option("--bodies", is_flag=True, help="Show whole messages, arguments and results, and not their first words.")
@click.option("--json", "as_json", is_flag=True, help="Print the timeline as JSON (timeline-v1), an object a line.")
@of_output
def show(
    bundle: Path,
    *,
    span_id: str | None,
    event_id: str | None,
    below: str,
    types: tuple[str, ...],
    limit: int,
    width: int | None,
    failed: bool,
    bodies: bool,
    as_json: bool,
    color: bool | None,
) -> None:
    r"""Show the run in BUNDLE as a timeline: who did what when, what was said, what failed, what is missing.

    Reads the bundle strictly: its container, manifest, files and events. Does NOT check signatures, scores and the mapping;
    `affidavit verify` does.

    \b
    Exit code: 0 shown
               1 tampered with or invalid, at the stage that is named; nothing is shown
               2 wrong usage, or no such span or event
               4 could not decide: an unknown format, a file that cannot be read
    """
    from evidence.errors import BundleError, UnknownFormatError
    from evidence.reading.timeline import View

    view = View(limit=limit or None, keep=_keep(types, failed=failed), below=below, bodies=bodies)
    try:
        if span_id or event_id:
            _show_events(bundle, span_id or "", event_id or "", as_json=as_json, width=width, color=color)
        else:
            _show_timeline(bundle, view, as_json=as_json, width=width, color=color)
    except UnknownFormatError as error:
        click.echo(f"affidavit: {bundle}: {error}", err=True)
        sys.exit(4)
    except OSError as error:
        if error.filename is None:  # of what is written to, not of the bundle: a pipe that was closed, a full disk
            raise
        click.echo(f"affidavit: {bundle}: {error.strerror}", err=True)
        sys.exit(4)
    except BundleError as error:
        click.echo(f"affidavit: {bundle}: not a valid bundle: {error}", err=True)
        sys.exit(1)


def _keep(types: tuple[str, ...], *, failed: bool) -> Keep | None:
    if not types and not failed:
        return None
    names = frozenset(types)

    def keep(name: str, has_failed: bool) -> bool:  # noqa: FBT001 - a Keep
        kind = "gap" if name == "run.gap" else name.partition(".")[0]
        return (not names or kind in names) and (has_failed or not failed)

    return keep


def _show_timeline(bundle: Path, view: View, *, as_json: bool, width: int | None, color: bool | None) -> None:
    from evidence.canonical import canonical
    from evidence.reading.timeline import read_timeline
    from sidecar.cli.columns import output_columns, say
    from sidecar.cli.evidence.timeline_text import timeline_lines

    timeline = read_timeline(bundle, view)
    if view.below and not timeline.entries:
        raise click.BadParameter(f"no span or event has the id {view.below}", param_hint="--below")
    if as_json:
        for record in timeline.to_json():
            click.echo(printable_json(canonical(record).decode()))
        return
    for line in timeline_lines(timeline, output_columns(width), bodies=view.bodies):
        say(line, color=color)


def _show_events(
    bundle: Path, span_id: str, event_id: str, *, as_json: bool, width: int | None, color: bool | None
) -> None:
    from evidence.canonical import canonical
    from evidence.reading.lookup import find_events, has_span_id
    from evidence.reading.outline import has_id
    from sidecar.cli.columns import output_columns, say
    from sidecar.cli.evidence.event_text import event_lines

    found, more = find_events(
        bundle,
        lambda event: bool(event_id and has_id(event, event_id)) or bool(span_id and has_span_id(event, span_id)),
    )
    if not found:
        asked = f"span has the id {span_id}" if span_id else f"event has the id {event_id}"
        raise click.BadParameter(f"no {asked}", param_hint="--span" if span_id else "--event")
    for number, event in enumerate(found):
        if as_json:
            click.echo(printable_json(canonical(event).decode()))
            continue
        if number:
            say("", color=color)
        for line in event_lines(event, output_columns(width)):
            say(line, color=color)
    if more:
        click.echo(f"affidavit: {more} more events of this span are not shown", err=True)
