"""One event whole: what was received, and beside it what translation set, removed and lost.

Law: nothing is cut; every line is fit for a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from rich.cells import cell_len

from evidence.canonical import JsonObject
from evidence.checks.item import Item, mapping, pairs, read_item, sequence, texts, withheld_in
from evidence.reading.excerpt import decoded
from evidence.reading.outline import type_name
from sidecar.cli.columns import Chunk, clip, folded, styled
from sidecar.cli.printable import printable

__all__ = ["event_lines"]

_INDENT = 6
_SIGNS = {"set": ("+", "green"), "removed": ("-", "red"), "kept": (" ", "")}
_TOLD_APART = frozenset({"attributes", "events", "name"})


def event_lines(event: JsonObject, columns: int) -> Iterator[str]:
    """The lines of one event that passed `evidence.event.check`."""
    item = read_item(event)
    yield styled([Chunk(clip(f"{event['id']}  {type_name(event)}", columns), "bold")])
    about: JsonObject = {name: event[name] for name in ("time", "subject", "traceparent") if name in event}
    if item is None:
        yield from _members({**about, **_of_sender(event["data"])}, columns)
        return
    yield from _members({**about, "name": item.received.get("name"), **_plain_members(item)}, columns)
    if item.name != item.received.get("name") and item.kind != "log":
        yield from _value("+ name", item.name, "green", columns)
    yield from _attributes(item, columns)
    for number, each in enumerate(sequence(item.received.get("events"))):
        yield from _span_event(number, mapping(each), item, columns)
    yield from _losses(mapping(event["data"].get("loss")), columns)


def _of_sender(data: JsonObject) -> JsonObject:
    """The data of an event that is no telemetry; the attributes of a resource or scope by their names."""
    told = dict(data)
    for name in ("resource", "scope"):
        if isinstance(shared := told.pop(name, None), dict):
            others = {key: value for key, value in shared.items() if key != "attributes"}
            told |= {**others, **{key: decoded(value) for key, value in pairs(shared.get("attributes"))}}
    return told


def _plain_members(item: Item) -> JsonObject:
    """What the received item says beside its attributes; and who translated it."""
    members = {key: value for key, value in item.received.items() if key not in _TOLD_APART}
    if "body" in members:
        members["body"] = decoded(mapping(members["body"]))
    for name in ("resource", "scope"):
        members[name] = item.data.get(name)
    if profiles := texts(item.mapped.get("profiles")):
        members["translated by"] = ", ".join(profiles)
    return members


def _attributes(item: Item, columns: int) -> Iterator[str]:
    received = dict(pairs(item.received.get("attributes")))
    yield ""
    yield styled([Chunk("attributes", "bold"), Chunk(": + set by translation, - removed by it", "dim")])
    rows = [(key, "set", value) for key, value in pairs(item.mapped.get("attributes"))]
    for key, value in received.items():
        removed = key in texts(item.mapped.get("removed")) or item.attributes.get(key) != value
        rows.append((key, "removed" if removed else "kept", value))
    for key, state, value in sorted(rows, key=lambda row: (row[0], row[1])):
        sign, style = _SIGNS[state]
        if commitment := withheld_in(value):
            about = f"{commitment.reason or 'no reason said'}, {commitment.size_bytes:,} bytes"
            held = f"withheld ({about}, {commitment.alg}:{commitment.digest})"
            yield from _value(f"{sign} {key}", held, "yellow", columns)
        else:
            yield from _value(f"{sign} {key}", decoded(value), style, columns)


def _span_event(number: int, event: JsonObject, item: Item, columns: int) -> Iterator[str]:
    removed = number in sequence(item.mapped.get("events_removed"))
    yield ""
    fate = "  removed by translation" if removed else ""
    name = clip(f"span event {event.get('name', '')}", columns - len(fate))
    yield styled([Chunk(name, "bold"), Chunk(fate, "red")])
    for key, value in pairs(event.get("attributes")):
        yield from _value(f"  {key}", decoded(value), "", columns)


def _losses(loss: Mapping[str, Any], columns: int) -> Iterator[str]:
    if not loss:
        return
    yield ""
    head = "lost in translation"
    how = clip(": `affidavit semconv explain REASON` tells", columns - len(head))
    yield styled([Chunk(head, "bold"), Chunk(how, "dim")])
    for reason, paths in sorted(loss.items()):
        yield from _value(f"  {reason}", ", ".join(texts(paths)), "yellow", columns)


def _members(members: Mapping[str, Any], columns: int) -> Iterator[str]:
    for name, value in members.items():
        if value not in (None, "", [], {}):
            yield from _value(f"  {name}", value, "", columns)


def _value(name: str, value: Any, style: str, columns: int) -> Iterator[str]:  # noqa: ANN401 - whatever telemetry holds
    """A name and its value: beside it when it fits there, else below it with all its lines."""
    lines = _lines(value)
    beside = f"{printable(name)}  "
    if len(lines) == 1 and cell_len(beside) + cell_len(printable(lines[0])) <= columns:
        yield styled([Chunk(beside, style or "dim"), Chunk(printable(lines[0]), style)])
        return
    yield from (styled([Chunk(piece, style or "dim")]) for piece in folded(name, columns))
    for line in lines:
        for piece in folded(line, columns - _INDENT):
            yield styled([Chunk(" " * _INDENT), Chunk(piece, style)])


def _lines(value: Any) -> Sequence[str]:  # noqa: ANN401 - whatever telemetry holds
    if isinstance(value, str):
        return value.splitlines() or [""]
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode().splitlines()
    except (TypeError, ValueError, RecursionError):
        return ["(nested too deeply to be written)"]
