"""docs/conventions.md: for every source convention, where each of its names goes. Made from the tables, word by word.

Rows are rendered as they are written, through `semconv.profile.words`, so that a word a table learns is shown before this file knows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from semconv import table
from semconv.catalogue import signs
from semconv.ops import OPS, Enums
from semconv.profile import words
from semconv.profile.inside import Objects
from semconv.profile.profile import LAYERS, Profile
from semconv.profile.shared import shared
from semconv.profile.sources import Source, sources
from semconv.reasons import MEANINGS, REASONS
from semconv.target import Target
from semconv.translate import DEFAULT_TARGET, Translator
from tests.tools import markdown
from tests.tools.translators import loaded

HEAD = """\
# Source conventions

Where each name of each source convention goes, and why what has no home has none. Made from the tables in `semconv/` by
`make proto`; not to be edited. `affidavit semconv explain NAME` answers for one name, with the line of its table, and
`affidavit semconv coverage FILE` for your own telemetry. The words of a table: [profiles/README](../semconv/profiles/README.md).

An item is translated by all profiles that detect it. Of the rows for one key the first is taken whose condition holds and whose
operations apply: those of vendors before older names of the conventions, these before the conventions themselves. What stands
under a key of the target stays; other claims to it are heard in the opposite order. A key that lies in a namespace
of a profile and has no row is unknown: counted as lost, and kept. Every other key stays as it is. Keys may have holes: `{i}` is a number,
`*` one segment, `**` all that follow.

*Lost as* is why something has no home; of a row that claims a key, why its value is lost when a stronger claim says something else
(`conflict_lost` where nothing stands). What no row names inside a value that is taken apart is lost as `partial_no_concept`.
"""

LISTS = {
    "rows": ("Attributes", "Key"),
    "folds": ("Families of keys", "Key"),
    "events": ("Events, of spans or as log records", "Event"),
    "logs": ("Log records alone", "Event"),
    "metrics": ("Metrics", "Metric"),
    "names": ("Span names", "Name"),
    "kinds": ("Span kinds", ""),
    "implied": ("What follows from the item itself", ""),
}
"""Lists of a table, in the order in which they are shown: title and head of the first column. One that is not here comes last."""

COLUMNS = ("Goes to", "How", "When", "Lost as", "Besides")

FACTS = {
    "otlp_kind": "The span kind of OTLP",
    "identity": "Keys of the target are rows to themselves",
    "bare_keys": "Keys without a namespace belong to it",
    "sentinels": "Values that say that the content was taken out",
    "accounting": "What its numbers mean",
}
"""Words of a table that say one thing of the whole convention."""

SHOWN_ABOVE = {"id", "version", "source", "layer", "detect", "namespaces", "enums", *LISTS}


def conventions() -> str:
    """The whole document."""
    translator = loaded()
    written = {source.id: source for source in sources({})}
    profiles = sorted(translator.profiles, key=lambda profile: (profile.layer, profile.id))
    return "\n".join(_document(translator, [(profile, written[profile.id]) for profile in profiles])).rstrip() + "\n"


def _document(translator: Translator, profiles: list[tuple[Profile, Source]]) -> Iterator[str]:
    yield HEAD
    yield from markdown.table(
        ("Convention", "Layer", "Made from"),
        (
            [f"[{profile.id}](#{profile.id})", _layer(profile), source.content.get("source", "")]
            for profile, source in profiles
        ),
    )
    yield "Shared by all: [objects](#shared-objects), [values](#shared-values), [operations](#operations),"
    yield "[reasons of loss](#reasons-of-loss), [targets](#targets)."
    yield ""
    for profile, source in profiles:
        yield from _profile(profile, source)
    yield from _objects(translator.target)
    yield from _values()
    yield from _operations()
    yield from _reasons()
    yield from _targets(translator.target)


# ------------------------------------------------------------------ one profile


def _profile(profile: Profile, source: Source) -> Iterator[str]:
    yield f"## {profile.id}"
    yield ""
    yield from _comment(source.data)
    yield f"- Version {profile.version}, {_layer(profile)}; table [{source.file}](../semconv/profiles/{source.file})"
    yield f"- Made from {source.content.get('source', 'nothing that is named')}"
    yield f"- Detected when these reach {profile.threshold}: {_marks(profile)}"
    if profile.namespaces:
        yield f"- Namespaces: {', '.join(f'`{name}`' for name in profile.namespaces)}"
    for word, value in source.content.items():
        if word not in SHOWN_ABOVE and not _is_list_of_rows(value):
            yield f"- {FACTS.get(word, word)}: {_plainly(value)}"
    yield ""
    lists = {word: rows for word, rows in source.content.items() if _is_list_of_rows(rows)}
    for word in [*(word for word in LISTS if word in lists), *(word for word in lists if word not in LISTS)]:
        yield from _list(word, lists[word], profile.enums)
    enums = source.content.get("enums", {})
    if enums:
        yield "### Values"
        yield ""
        for name, values in enums.items():
            yield f"- `{name}`: {_pairs(values)}"
        yield ""


def _list(word: str, rows: list[dict[str, Any]], enums: Enums) -> Iterator[str]:
    title, head = LISTS.get(word, (word.capitalize(), "Name"))
    yield f"### {title}"
    yield ""
    if word == "folds":
        for row in rows:
            yield from _fold(row)
        return
    cells = [cells for row in rows for cells in _cells(_names(row, words.NAMES.get(word, word)), row, enums)]
    yield from markdown.table((head, *COLUMNS), cells)


def _fold(row: dict[str, Any]) -> Iterator[str]:
    when = words.condition(row)
    besides = "".join(f"; {remark}" for remark in words.remarks(row))
    yield f"To {words.goes(row)}{f', {when}' if when else ''}{besides}:"
    yield ""
    yield from markdown.table(
        ("Key", "Place in the structure"), ([f"`{key}`", f"`{place}`"] for key, place in row["keys"].items())
    )


def _cells(name: str, row: words.Row, enums: Enums, depth: int = 0) -> Iterator[list[str]]:
    """The line of a row, and those of the rows inside it; a rest that is lost as every rest is goes without saying."""
    how = ", then ".join(step.words for step in words.operations(row, enums))
    lost = row.get("yields", row.get("lost"))
    yield [name, _goes(row), how, words.condition(row), f"`{lost}`" if lost else "", "; ".join(_besides(row))]
    for inner, member in words.members(row):
        label = f"`{inner}`" if inner.startswith("#/") else inner
        if member != {"lost": "partial_no_concept"}:
            yield from _cells(f"{'&nbsp;' * 2 * (depth + 1)}{label}", member, enums, depth + 1)


def _goes(row: words.Row) -> str:
    return "no home" if "lost" in row and "to" not in row else words.goes(row)


def _besides(row: words.Row) -> list[str]:
    return words.remarks({word: value for word, value in row.items() if word != "yields"})


def _names(row: words.Row, word: str) -> str:
    names = row.get(word, [])
    return ", ".join(f"`{name}`" for name in ([names] if isinstance(names, str) else names))


def _marks(profile: Profile) -> str:
    kinds: dict[str, list[str]] = {}
    for mark in signs(profile):
        kinds.setdefault(mark["kind"], []).append(f"`{mark['sign']}` {mark['weight']}")
    return "; ".join(f"{kind} {', '.join(said)}" for kind, said in kinds.items())


def _comment(data: bytes) -> Iterator[str]:
    """What a table says of itself at its top."""
    lines = []
    for line in data.decode().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    if lines:
        yield from lines
        yield ""


# ------------------------------------------------------------------ what they share


def _objects(target: Target) -> Iterator[str]:
    yield "## Shared objects"
    yield ""
    yield "Objects that are the same wherever they turn up, and where their members go."
    yield ""
    files = {name: table.parse(table.builtin("tables", name), name) for name in table.builtin_names("tables")}
    enums = shared(files, target).enums
    for name, members in Objects().written.items():
        yield f"### {name}"
        yield ""
        cells = [cells for way, row in members.items() for cells in _cells(f"`{way}`", row, enums)]
        yield from markdown.table(("Member", *COLUMNS), cells)


def _values() -> Iterator[str]:
    yield "## Shared values"
    yield ""
    yield "Values of the target, and the words of others for them."
    yield ""
    for name, members in table.parse(table.builtin("tables", "enums.yaml"), "enums.yaml").items():
        yield f"### {name}"
        yield ""
        if isinstance(members, dict):
            yield from markdown.table(
                ("Value", "Said as"), ([f"`{value}`", _listed(said)] for value, said in members.items())
            )
        else:
            yield f"{_listed(members)}"
            yield ""


def _operations() -> Iterator[str]:
    yield "## Operations"
    yield ""
    yield "What may be done to a value, and what undoes it. `keep`: it only asks; the value passes as it is, or the row does not apply. A"
    yield "look into a table has no inverse where the table has several words for one value."
    yield ""
    yield from markdown.table(
        ("Operation", "Undone by"),
        ([f"`{name}`", f"`{op.inverse}`" if op.inverse else "nothing"] for name, op in OPS.items()),
    )


def _reasons() -> Iterator[str]:
    yield "## Reasons of loss"
    yield ""
    yield from markdown.table(
        ("Reason", "Severity", "Meaning"), ([f"`{name}`", REASONS[name], meaning] for name, meaning in MEANINGS.items())
    )


def _targets(default: Target) -> Iterator[str]:
    yield "## Targets"
    yield ""
    others = [id_.removesuffix(".yaml") for id_ in table.builtin_names("targets")]
    targets = [default, *(loaded(id_).target for id_ in others if id_ != DEFAULT_TARGET)]
    facts = {target.id: table.parse(table.builtin("targets", f"{target.id}.yaml"), target.id) for target in targets}
    yield from markdown.table(
        ("Target", "Version", "Made from", "Attributes", "Span types", "Metrics"),
        (
            [f"`{target.id}`", target.version, str(facts[target.id]["source"]), str(len(target.attributes)),
             str(len(target.span_types)), str(len(target.metrics))]
            for target in targets
        ),
    )  # fmt: skip
    for target in targets[1:]:
        yield f"Concepts that `{target.id}` has another key for, or none:"
        yield ""
        concepts = sorted({*default.keys, *target.keys})
        differing = [
            (concept, target.key_of(concept))
            for concept in concepts
            if target.key_of(concept) != default.key_of(concept)
        ]
        yield from markdown.table(
            ("Concept", "Key"),
            ([f"`{concept}`", f"`{key}`" if key else "none: `no_concept_at_version`"] for concept, key in differing),
        )


# ------------------------------------------------------------------ Markdown


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"`{value}` is `{said}`" for value, said in values.items())


def _plainly(value: object) -> str:
    return _pairs(value) if isinstance(value, Mapping) else f"`{words.plain(value)}`"


def _is_list_of_rows(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(row, dict) for row in value)


def _layer(profile: Profile) -> str:
    return next(name for name, number in LAYERS.items() if number == profile.layer)
