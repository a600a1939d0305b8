"""`affidavit semconv check`: whether telemetry is as the conventions ask, and what to do where it is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.printable import printable
from sidecar.cli.progress import progress
from sidecar.cli.semconv.options import of_tables

if TYPE_CHECKING:
    from semconv.conformance.finding import Finding
    from sidecar.cli.semconv.options import Tables
    from sidecar.translation import TranslatedItem

_COLORS = {"violation": "red", "absent-at-source": "yellow", "advice": "cyan"}
_LABELS = {"spans": "span", "logs": "log record", "metrics": "metric"}


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--translate/--as-is",
    default=False,
    help="Check what the translation makes of it, or the telemetry as it is in the file.  [default: --as-is]",
)
@click.option("--strict", is_flag=True, help="Fail on anything found, and where nothing is of the conventions.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@of_tables
def check(files: tuple[Path, ...], *, translate: bool, strict: bool, as_json: bool, chosen: Tables) -> None:
    """Check the telemetry in FILE against the conventions: what an agent emits, or what `map` made of it.

    Attributes that are required and missing, types, well-known values in another spelling, names and kinds of spans,
    messages that readers cannot parse, what is deprecated and what has taken its place. FILE is as for `affidavit seal`.

    A violation is what the conventions ask to be otherwise; what the source of a translated item never said is told
    apart. Exit code 1 when there are violations or something was refused.
    """
    from evidence.canonical import canonical
    from semconv.conformance.conformance import Checker
    from semconv.conformance.survey import Survey
    from sidecar.offline import Inputs
    from sidecar.translation import FrameTranslator

    checker = Checker.of(chosen.translator.target)
    survey, read, items = Survey(checker), Inputs(files), FrameTranslator(chosen.translator)
    with progress(len(files), "checking") as bar:
        read.on_file = bar.update
        for frame in read.frames():
            for item in items(frame):
                survey.add(*_checked(checker, item, chosen if translate else None))
    found = {**survey.report(), "mode": "translated" if translate else "as-is"}
    if as_json:
        click.echo(canonical(found).decode())
    else:
        for line in _lines(found):
            click.echo(line)
    for reason in read.refused:
        click.echo(f"affidavit: refused: {reason}", err=True)
    failed = any(found["totals"].values()) or not found["concerned"] if strict else found["totals"]["violation"]
    sys.exit(1 if failed or read.refused else 0)


def _checked(checker: Any, item: TranslatedItem, chosen: Tables | None) -> tuple[Any, tuple[Finding, ...]]:  # noqa: ANN401  # loaded when the verb runs
    """An item as it is checked, and what was found; translated when there are tables for it."""
    from semconv.account.claims import claims
    from semconv.apply import applied
    from semconv.view import LogView, SpanView

    view = item.view
    verb: Callable[..., tuple[Finding, ...]]
    verb = checker.span if isinstance(view, SpanView) else checker.log if isinstance(view, LogView) else checker.metric
    if chosen is None:
        return view, verb(view)
    said = claims(view, item.translation, chosen.translator.profiles, checker.target)
    translated = applied(view, item.translation, keep_unmapped=chosen.keep_unmapped)
    return translated, verb(translated, said.__contains__)


# ------------------------------------------------------------------ the findings as text


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    items = [_counted(count, _LABELS[kind]) for kind, count in found["items"].items() if count]
    target = f"{found['target']['id']} {found['target']['version']}"
    how = "translated" if found["mode"] == "translated" else "as received"
    yield f"{_listed(items) or 'No telemetry'}, {how}, against {target}; {found['concerned']} with something of the conventions."
    by_scope = sorted(found["findings"], key=lambda group: group["scope"])
    for scope, groups in groupby(by_scope, key=lambda group: group["scope"]):
        yield ""
        yield click.style(printable(scope) or "(no scope)", bold=True)
        for group in groups:
            yield from _group(group)
    yield ""
    if found["unlisted"]:
        yield f"{_counted(found['unlisted'], 'further finding')} not listed."
    totals = found["totals"]
    if not any(totals.values()):
        yield "Nothing found." if found["concerned"] else "Nothing here was held to the conventions."
        return
    absent = _counted(totals["absent-at-source"], "attribute") + " the source never said"
    parts = [_counted(totals["violation"], "violation"), *([absent] if found["mode"] == "translated" else [])]
    yield f"{_listed([*parts, _counted(totals['advice'], 'piece') + ' of advice'])}."


def _group(group: Mapping[str, Any]) -> Iterator[str]:
    severity = click.style(group["severity"], fg=_COLORS[group["severity"]])
    yield f"  {severity}  {group['code']}  {click.style(printable(group['path']), bold=True)}  ({_times(group)})"
    example = group["examples"][0]
    where = f" {example['trace_id']}/{example['span_id']}" if example.get("trace_id") else ""
    yield f"      got       {printable(example['got']) or '(nothing)'}"
    yield f"      expected  {printable(example['expected'])}  [{group['source']}]"
    yield f"      in        {example['signal']} {example['name']!r}{where}"
    yield f"      {group['remedy']}"


def _times(group: Mapping[str, Any]) -> str:
    items, findings = _counted(group["items"], "item"), group["findings"]
    return items if findings == group["items"] else f"{items}, {findings} places"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)
