"""`affidavit semconv coverage`: what the tables make of given telemetry, and what they have no row for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.printable import printable
from sidecar.cli.progress import progress
from sidecar.cli.semconv.options import of_tables

if TYPE_CHECKING:
    from sidecar.cli.semconv.options import Tables

_SHOWN = 20
"""Entries of one list; `--json` has the others."""
_SHOWN_IN_LINE = 12
_BUCKETS = {
    "kept": "kept",
    "renamed": "renamed",
    "converted": "converted",
    "folded": "folded",
    "derived_only": "derivable",
    "dropped": "lost",
}
_HEAD = ("profile", "spans", "logs", "points", "mapped", "in part", "kept", "lost", "unknown", "atoms", "of them lost")


@click.command("coverage")
@click.argument("inputs", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print the coverage as JSON, every name with what became of it.")
@click.option("--fail-on-unknown", is_flag=True, help="Exit with 1 when a name has no row in any table.")
@of_tables
def coverage(inputs: tuple[Path, ...], *, as_json: bool, fail_on_unknown: bool, chosen: Tables) -> None:
    """Show what the tables make of the telemetry in FILE: mapped, lost and why, and what they have no row for.

    FILE is as INPUT of `affidavit semconv map`. A name (an attribute key, the name of a span event, log event or metric) is
    unknown when it lies in a namespace of a profile that matches and no table has a row for it. Exit code 1 when something
    was refused; the rest is covered all the same.
    """
    from evidence.canonical import canonical
    from semconv.account.coverage import Coverage
    from sidecar.offline import Inputs
    from sidecar.translation import FrameTranslator

    read, found, translate = Inputs(inputs), Coverage(chosen.translator), FrameTranslator(chosen.translator)
    with progress(len(inputs), "translating") as bar:
        read.on_file = bar.update
        for frame in read.frames():
            for item in translate(frame):
                found.add(item.view, item.translation, file=str(read.reading))
    report = found.report()
    if as_json:
        click.echo(canonical(report).decode())
    else:
        for line in _lines(report):
            click.echo(line)
    for reason in read.refused:
        click.echo(f"affidavit: refused: {reason}", err=True)
    sys.exit(1 if read.refused or (fail_on_unknown and found.unknown) else 0)


# ------------------------------------------------------------------ the coverage as text


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    target, totals, distinct = report["target"], report["totals"], report["distinct"]
    items, whole = totals["items"], totals["atoms"]
    yield (
        f"To {target['id']} {target['version']}: {items['spans']} spans, {items['logs']} log records, "
        f"{items['points']} points of {items['metrics']} metrics; {whole['dropped']} of {whole['atoms_in']} atoms lost."
    )
    yield ""
    yield from _table(report["profiles"], totals["unmatched"])
    yield ""
    yield "mapped to unknown: distinct names that belong to the profile; atoms and what is lost of them: of all items it matches."
    for profile in report["profiles"]:
        yield ""
        yield click.style(profile["id"], bold=True)
        atoms = [f"{profile['atoms'][bucket]} {said}" for bucket, said in _BUCKETS.items() if profile["atoms"][bucket]]
        yield from _listed("  from ", [f"{_scope(entry)} ({entry['items']})" for entry in profile["scopes"]])
        yield from _listed("  atoms", atoms)
        yield from _listed("  lost ", [f"{entry['reason']} {entry['atoms']}" for entry in profile["lost"]])
    yield from _names("Unknown: no table has a row for these", report["unknown"], distinct["unknown"], "unknown")
    yield from _names(
        "Foreign: in no table and no namespace, they pass as they are", report["foreign"], distinct["foreign"], "kept"
    )
    yield from _unmatched(report["unmatched"], distinct["unmatched"])


def _table(profiles: Sequence[Mapping[str, Any]], unmatched: Mapping[str, int]) -> Iterator[str]:
    rows = [
        [
            profile["id"],
            *(profile["items"][signal] for signal in ("spans", "logs", "points")),
            *(profile["distinct"][fate] for fate in ("mapped", "in_part", "kept", "lost", "unknown")),
            profile["atoms"]["atoms_in"],
            _percent(profile["atoms"]["dropped"], profile["atoms"]["atoms_in"]),
        ]
        for profile in profiles
    ]
    if any(unmatched.values()):
        rows.append(["(none)", *(unmatched[signal] for signal in ("spans", "logs", "points"))])
    cells = [[*_HEAD], *([str(cell) for cell in row] + [""] * (len(_HEAD) - len(row)) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    for row in cells:
        numbers = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join([row[0].ljust(widths[0]), *numbers]).rstrip()


def _names(title: str, entries: Sequence[Mapping[str, Any]], count: int, fate: str) -> Iterator[str]:
    if not count:
        return
    yield ""
    yield click.style(f"{title} ({count})", bold=True)
    for entry in entries[:_SHOWN]:
        owner = f"{entry['profile']}: " if entry.get("profile") else ""
        kind = "" if entry["kind"] == "attribute" else f"{entry['kind']} "
        yield f"  {owner}{kind}{printable(entry['name'])}  {entry.get(fate, 0)} times  {_example(entry['example'])}"
    yield from _more(count)


def _unmatched(entries: Sequence[Mapping[str, Any]], count: int) -> Iterator[str]:
    if not count:
        return
    yield ""
    yield click.style("Matched by no profile, with keys in the namespaces of some", bold=True)
    for entry in entries[:_SHOWN]:
        names = ", ".join(printable(name["name"]) for name in entry["names"][:_SHOWN])
        yield f"  {_scope(entry)}  {entry['items']} items  {_example(entry['example'])}"
        yield f"    {names}  ({', '.join(entry['namespaces'])})"
    yield from _more(count)


def _more(count: int) -> Iterator[str]:
    if count > _SHOWN:
        yield f"  and {count - _SHOWN} more"


def _listed(label: str, parts: Sequence[str]) -> Iterator[str]:
    more = [f"{len(parts) - _SHOWN_IN_LINE} more"] if len(parts) > _SHOWN_IN_LINE else []
    if parts:
        yield f"{label}  {', '.join([*parts[:_SHOWN_IN_LINE], *more])}"


def _scope(entry: Mapping[str, Any]) -> str:
    return printable(entry["scope"]) or "(a scope without a name)"


def _example(example: Mapping[str, str]) -> str:
    if "metric" in example:
        return f"{example['file']}, metric {printable(example['metric'])}"
    what = "span" if example["signal"] == "span" else "log record"
    return f"{example['file']}, {what} {example['span_id']}".rstrip()


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""
