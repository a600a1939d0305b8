"""Walks through everything an event holds: its texts, and the commitments in place of content, each with its place.

Places are JSON pointers in a fragment, `#/data/...`; an attribute is named by its key, not by its number, as everywhere in evidence.

Law: each text and each commitment once, though what was translated stands in an event twice.
"""

from collections.abc import Iterator

from evidence.canonical import JsonObject
from evidence.checks.presence import commitments
from evidence.redaction.commitment import Commitment

_VALUES = frozenset({"stringValue", "arrayValue", "kvlistValue", "bytesValue"})


def texts(event: JsonObject) -> Iterator[tuple[str, str]]:
    """Place and text of each string in the event's data."""
    seen: set[str] = set()
    for path, text in _texts(event["data"], "#/data"):
        if text not in seen:
            seen.add(text)
            yield path, text


def withheld(event: JsonObject) -> Iterator[tuple[str, Commitment]]:
    """Place and commitment of each content in the event's data that is withheld."""
    seen: set[Commitment] = set()
    for path, value in _parts(event["data"], "#/data"):
        for commitment in commitments(value):
            if commitment not in seen:
                seen.add(commitment)
                yield path, commitment


def _parts(value: JsonObject, path: str) -> Iterator[tuple[str, object]]:
    """The attributes and members that a place can name: those of telemetry, of `mapped` and of a body."""
    for name, member in value.items():
        inner = f"{path}/{name}"
        if name in {"span", "log", "metric", "resource", "scope", "mapped", "body"} and isinstance(member, dict):
            yield from _parts(member, inner)
        elif name == "attributes" and isinstance(member, list):
            for pair in member:
                key = pair.get("key") if isinstance(pair, dict) else ""
                yield f"{inner}/{key}", pair
        else:
            yield inner, member


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            key = item.get("key") if isinstance(item, dict) else None
            if isinstance(key, str):
                yield from _texts(item.get("value"), f"{path}/{key}")
            else:
                yield from _texts(item, f"{path}/{number}")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, path if name in _VALUES else f"{path}/{name}")
