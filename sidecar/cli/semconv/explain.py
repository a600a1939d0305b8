"""`affidavit semconv explain`: where a name goes, and why."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.printable import printable
from sidecar.cli.semconv.options import of_tables

if TYPE_CHECKING:
    from sidecar.cli.semconv.options import Tables

_NAME = re.compile(r"`([^`]*)`")
_NAMES_SHOWN = 3
_VALUE_SHOWN = 24
_LISTS = {
    "rows": "",
    "folds": "",
    "events": "event ",
    "logs": "log event ",
    "metrics": "metric ",
    "names": "span name ",
    "implied": "what the item is",
}
_REVERSIBLE = {
    "lossless": "yes",
    "needs_provenance": "with the item as it was received at hand",
    "irreversible": "no",
}
_OUTCOMES = {
    "moved": "goes, and follows from the result",
    "carried": "goes",
    "stays": "stays",
    "dropped": "lost, or a part of it",
    "not_taken": "not taken: the next row is asked",
    "not_asked": "the row asks for another value",
    "sentinel": "stands for content that was taken out",
}


@click.command("explain")
@click.argument("name", metavar="KEY")
@click.option("--profile", metavar="ID", help="Ask this profile alone.")
@click.option("--scope", metavar="NAME", help="Leave out rows that ask for another instrumentation scope.")
@click.option(
    "--value",
    "values",
    metavar="VALUE",
    multiple=True,
    help="Show what every row makes of a value: a JSON number, true, false or quoted text is that, anything else is text."
    " May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@of_tables
def explain(
    name: str,
    profile: str | None,
    scope: str | None,
    values: tuple[str, ...],
    *,
    as_json: bool,
    chosen: Tables,
) -> None:
    """Tell where KEY goes and why, and for a key of the target, what leads to it.

    KEY is an attribute key, a path from a loss report (`key#/member`), the name of a span event, log event, metric or
    span, or a reason of loss. Exit code 1 when nothing is known of it.
    """
    from evidence.canonical import canonical
    from semconv.explain import Explainer
    from semconv.profile.sources import sources

    known = [each.id for each in chosen.translator.profiles]
    if profile is not None and profile not in known:
        raise click.BadParameter(
            f"there is no profile {profile!r}; there are {', '.join(known)}", param_hint="--profile"
        )
    explainer = Explainer(chosen.translator, sources(chosen.profiles))
    found = explainer.explain(name, profile=profile, scope=scope, values=[_value(value) for value in values])
    if as_json:
        click.echo(canonical(found).decode())
    else:
        for line in _lines(found, chosen):
            click.echo(_NAME.sub(lambda name: click.style(name[1], bold=True), printable(line)))
    sys.exit(0 if _is_known(found) else 1)


def _value(text: str) -> Any:  # noqa: ANN401  # any scalar
    """What an attribute holds when it is given as text on a command line."""
    import orjson

    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, str | int | float) else text


# ------------------------------------------------------------------ the explanation as text


def _lines(found: Mapping[str, Any], chosen: Tables) -> Iterator[str]:
    yield f"`{found['asked']}`"
    if found["reason"]:
        yield from _block([("reason", _reason(found["reason"]))])
    if found["path"]:
        yield f"  {found['path']}"
    if found["target_name"]:
        yield from _of_target(found["target_name"], found["target"])
    for row in found["rows"]:
        yield from _row(row, chosen)
    if found["reached_from"] or found["reached_inside"]:
        yield ""
        yield "  What leads to it:"
        yield from (f"    {line}" for row in found["reached_from"] for line in _way(row, chosen))
        for member in found["reached_inside"]:
            yield f"    object {member['object']}: `{member['name']}`  ({_inside(member)})"
    if found["marks"]:
        yield ""
        for mark in found["marks"]:
            kind = mark["kind"].removesuffix("s")
            yield f"  A mark of {mark['profile']}: {kind} `{mark['sign']}` counts {mark['weight']} of {mark['threshold']}"
    yield from _unknown(found)


def _is_known(found: Mapping[str, Any]) -> bool:
    return any(found[word] for word in ("rows", "target_name", "reason", "path"))


def _unknown(found: Mapping[str, Any]) -> Iterator[str]:
    if _is_known(found):
        return
    yield ""
    claiming = ", ".join(found["namespaces"])
    if claiming:
        yield f"  No table has a row for it. It lies in a namespace of {claiming}: on an item that one of them matches it is"
        yield "  counted as lost (`no_concept`, unknown) and stays on the item as it is."
    else:
        yield "  No table has a row for it and it lies in nobody's namespace: it stays on the item as it is."
    if found["nearest"]:
        yield f"  Known names like it: {', '.join(f'`{name}`' for name in found['nearest'])}"


def _of_target(name: Mapping[str, Any], target: Mapping[str, str]) -> Iterator[str]:
    here = f"`{name['name']}`" if name["name"] else "no name: what leads to it is lost as `no_concept_at_version`"
    facts = [("target", f"{target['id']} {target['version']}"), (name["kind"], here)]
    if "type" in name:
        facts.append(("type", " ".join(filter(None, (name["type"], name["shape"] and f"({name['shape']})")))))
        facts.append(("values", ", ".join(name["members"])))
        facts.append(("itself", f"stays where {' or '.join(name['kept_by'])} matches and no row takes it"))
        levels: dict[str, list[str]] = {}
        for use in name["span_types"]:
            levels.setdefault(use["level"], []).append(use["type"])
        facts += [(level.replace("_", " "), ", ".join(types)) for level, types in levels.items()]
    yield from _block(facts)


def _row(row: Mapping[str, Any], chosen: Tables) -> Iterator[str]:
    yield ""
    yield f"  {row['profile']}: {_LISTS.get(row['list'], row['list'])}{_names(row)}  ({_place(row, chosen)})"
    facts = [("goes to", _goes(row)), ("place", row.get("place", "")), *_further(row)]
    if "reversal" in row:
        facts.append(("reversible", _REVERSIBLE[row["reversal"]]))
    facts += [(f"{tried['value']!r}"[:_VALUE_SHOWN], _tried(tried)) for tried in row.get("tried", ())]
    yield from _block(facts, indent=4)
    for member in row.get("members", ()):
        further = "; ".join(f"{label} {text}" for label, text in _further(member) if text)
        place = f"  ({_inside(member)})" if "file" in member else ""
        yield f"      `{member['name']}`: {_goes(member)}{f'; {further}' if further else ''}{place}"


def _goes(row: Mapping[str, Any]) -> str:
    if not row["concept"] or row["target"] == row["concept"]:
        return str(row["goes"])
    here = f"`{row['target']}`" if row["target"] else "this target has no key for it: `no_concept_at_version`"
    return f"{row['goes']}, here {here}"


def _further(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    steps = [
        step["words"] if step["inverse"] == "keep" else f"{step['words']} ({_inverse(step['inverse'])})"
        for step in row["operations"]
    ]
    return [
        ("when", row["when"]),
        ("by", ", then ".join(steps)),
        *(("and", remark) for remark in row["remarks"]),
        *(("reason", _reason(reason)) for reason in row["reasons"]),
    ]


def _inverse(name: str | None) -> str:
    return f"undone by {name}" if name else "has no inverse"


def _tried(tried: Mapping[str, Any]) -> str:
    said = [_OUTCOMES.get(tried["outcome"], tried["outcome"])]
    said += [f"`{key}` = {value!r}" for key, value in tried.get("sets", {}).items()]
    said += [f"lost `{loss['path']}` as `{loss['reason']}`" for loss in tried.get("lost", ())]
    said += [f"noted `{note}`" for note in tried.get("notes", ())]
    return ", ".join(said) + (f" (`{tried['reason']}` if there is none)" if tried["outcome"] == "not_taken" else "")


def _way(row: Mapping[str, Any], chosen: Tables) -> Iterator[str]:
    """What leads to a name of the target."""
    names = _names(row)
    inside = [way if way.startswith(("#/", " (")) else f" ({way})" for way in row["inside"]] or [""]
    when = f", {row['when']}" if row["when"] else ""
    for way in inside:
        yield f"{row['profile']}: {_LISTS.get(row['list'], row['list'])}{names}{way}{when}  ({_place(row, chosen)})"


def _names(row: Mapping[str, Any]) -> str:
    names: Sequence[str] = row["names"]
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:_NAMES_SHOWN]) + more


def _place(row: Mapping[str, Any], chosen: Tables) -> str:
    return f"{chosen.file(row['file'], user=row['user'])}:{row['line']}"


def _inside(member: Mapping[str, Any]) -> str:
    """Where a member of a shared object is written."""
    return f"semconv/tables/{member['file']}:{member['line']}"


def _reason(reason: Mapping[str, str]) -> str:
    return f"`{reason['reason']}`, {reason['severity']}: {reason['meaning']}"


def _block(facts: Sequence[tuple[str, str]], *, indent: int = 2) -> Iterator[str]:
    said = [(label, text) for label, text in facts if text]
    width = max((len(label) for label, _ in said), default=0)
    for label, text in said:
        yield f"{' ' * indent}{label.ljust(width)}  {text}"
