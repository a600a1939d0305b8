"""Comparing what another converter makes of a span with what ours does, difference by difference.

A *difference* is one place in one attribute of the target. Every one has to be in the table, which says who is right and
why; an entry of the table that nothing needs any longer is an error as well.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("differences.yaml")
RIGHT = ("ours", "both", "neither")
"""Where they are right ours is mended, and there is no difference any longer."""
KINDS = ("only theirs", "only ours", "other")
MISSING = object()
WORDS = {"attribute", "path", "kind", "theirs", "ours", "when", "right", "why"}


@dataclass(frozen=True)
class Difference:
    """One place where two translations of a span are not the same."""

    attribute: str
    path: str
    """Members and `[]` for any place in a list; empty for the attribute itself."""
    kind: str
    """`only theirs`, `only ours` or `other`."""
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        said = {"theirs": self.theirs, "ours": self.ours}
        shown = ", ".join(f"{who}: {_shown(value)}" for who, value in said.items() if value is not MISSING)
        return f"{self.attribute}{self.path}: {self.kind} ({shown})"


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[Difference]:
    """Every difference of two sets of attributes. A JSON text is the document in it."""
    for attribute in sorted({*theirs, *ours}):
        left, right = (_document(side.get(attribute, MISSING)) for side in (theirs, ours))
        yield from _differences(attribute, "", left, right)


def _differences(attribute: str, path: str, theirs: Any, ours: Any) -> Iterator[Difference]:
    if theirs is MISSING or ours is MISSING:
        yield Difference(attribute, path, "only ours" if theirs is MISSING else "only theirs", theirs, ours)
    elif isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted({*theirs, *ours}):
            yield from _differences(attribute, f"{path}.{name}", theirs.get(name, MISSING), ours.get(name, MISSING))
    elif isinstance(theirs, list) and isinstance(ours, list):
        for left, right in _aligned(theirs, ours):
            yield from _differences(attribute, f"{path}[{_kind(left if right is MISSING else right)}]", left, right)
    elif theirs != ours or type(theirs) is not type(ours):
        yield Difference(attribute, path, "other", theirs, ours)


def _aligned(theirs: list[Any], ours: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Pairs of items that are the same sort of thing, in order; messages of one place too, where that leaves equally many."""
    sorts = [_sort(item) for item in theirs], [_sort(item) for item in ours]
    if not any(sorts[0] + sorts[1]):
        yield from zip_longest(theirs, ours, fillvalue=MISSING)
        return
    for tag, start, end, begin, stop in SequenceMatcher(a=sorts[0], b=sorts[1], autojunk=False).get_opcodes():
        left, right = theirs[start:end], ours[begin:stop]
        if tag == "equal" or (len(left) == len(right) and all("role" in item for item in left + right)):
            yield from zip(left, right, strict=True)
        else:
            yield from ((item, MISSING) for item in left)
            yield from ((MISSING, item) for item in right)


def _sort(item: Any) -> str:
    """What a part is, or what a message is made of."""
    if isinstance(item, dict) and isinstance(item.get("parts"), list):
        return " ".join([item.get("role", ""), *map(_kind, item["parts"])])
    return _kind(item)


def _kind(item: Any) -> str:
    """What a part is, as it says itself."""
    return str(item.get("type", "")) if isinstance(item, dict) and "role" not in item else ""


def _document(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return [_document(item) for item in value] if isinstance(value, tuple | list) else value


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) < 90 else f"{text[:60]}…{text[-25:]}"


def judged(converter: str, cases: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]]) -> list[str]:
    """What the table does not say of a converter, and what it says in vain.

    Args:
        converter: its name in the table.
        cases: of every span their attributes, ours, those it came with, and which span it is.
    """
    entries = _listed(converter)
    idle = {id(entry) for entry in entries}
    unjudged = Counter()
    for theirs, ours, attributes, span in cases:
        for difference in differences(theirs, ours):
            entry = next((entry for entry in entries if _explains(entry, difference, attributes)), None)
            if entry is None:
                unjudged[f"{difference} on a span of {span}"] += 1
            else:
                idle.discard(id(entry))
    return sorted(unjudged) + [f"nothing needs {entry}" for entry in entries if id(entry) in idle]


def _listed(converter: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load(TABLE.read_text())[converter]
    for entry in entries:
        assert set(entry) <= WORDS, entry
        assert {"attribute", "kind", "right", "why"} <= set(entry), entry
        assert entry["kind"] in KINDS, entry
        assert entry["right"] in RIGHT, entry
    return entries


def _explains(entry: dict[str, Any], difference: Difference, attributes: dict[str, Any]) -> bool:
    return (
        _at(entry["attribute"], difference.attribute)
        and difference.kind == entry["kind"]
        and _at(entry.get("path", ""), difference.path)
        and all(_is(entry[who], getattr(difference, who)) for who in ("theirs", "ours") if who in entry)
        and all(_is(wanted, attributes.get(key, MISSING)) for key, wanted in entry.get("when", {}).items())
    )


def _at(wanted: str, path: str) -> bool:
    return path.startswith(wanted[:-1]) if wanted.endswith("*") else path == wanted


def _is(wanted: Any, value: Any) -> bool:
    """A value, one of several, nothing, or, for `{type: …}`, anything of that type."""
    if wanted is None:
        return value is None or value is MISSING
    if isinstance(wanted, dict) and set(wanted) == {"type"}:
        return type(value).__name__ == wanted["type"]
    return any(value == one for one in wanted) if isinstance(wanted, list) else bool(value == wanted)
