"""What was said in an event, in lines below its own: errors, first words of messages, points of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evidence.canonical import JsonObject
from evidence.reading.excerpt import INPUT, Excerpt
from evidence.reading.timeline import Entry
from sidecar.cli.columns import Chunk, clip, folded, wrapped
from sidecar.cli.evidence.amounts import fact_words

__all__ = ["common_attributes", "said", "short_error"]

_LINES_MAX = 8
"""Excerpts of one entry, unless whole bodies are shown."""
_ERROR_BESIDE_MAX = 32
"""Characters of an error that stands on the entry's own line; a longer one has lines of its own."""
_BELOW_IT = frozenset({"assistant", "model", "tool"})


def short_error(entry: Entry) -> str:
    """The error in words when they are few enough to stand on the entry's own line; else ""."""
    error = _error(entry)
    return error if len(error) <= _ERROR_BESIDE_MAX else ""


def said(entry: Entry, room: int, *, has_children: bool, bodies: bool) -> Iterator[list[Chunk]]:
    """The lines below an entry's own.

    Args:
        entry: the entry.
        room: columns of a line.
        has_children: whether others stand below it, which tell the turns between its first input and its last output.
        bodies: whether its excerpts are whole bodies, to be shown with all their lines.
    """
    if entry.type == "metric":
        yield from _points(entry.facts, room)
    if len(error := _error(entry)) > _ERROR_BESIDE_MAX:
        yield from wrapped([Chunk(word, "red") for word in error.split()], room, " ")
    shown = [each for each in entry.excerpts if not _is_told_elsewhere(each, has_children=has_children)]
    shown = [each for each in shown if each.key != "body" or not entry.name or not each.words.endswith(entry.name)]
    between = 0 if bodies else len(shown) - _LINES_MAX
    for number, each in enumerate(shown):
        if between > 0 and number == _LINES_MAX // 2:
            yield [Chunk(f"… {between:,} more (--bodies)", "dim")]
        if between <= 0 or not 0 <= number - _LINES_MAX // 2 < between:
            yield from _excerpt_lines(each, room, bodies=bodies)


def _error(entry: Entry) -> str:
    """The error in words; "" for none."""
    words = ": ".join(filter(None, (entry.error.get("type"), entry.error.get("message"))))
    return f"! {words or 'failed'}" if entry.failed or entry.error else ""


def _is_told_elsewhere(excerpt: Excerpt, *, has_children: bool) -> bool:
    """Whether it stands further up, or is a turn that the entries below tell."""
    return excerpt.repeated or (excerpt.key == INPUT and has_children and excerpt.speaker in _BELOW_IT)


def _excerpt_lines(excerpt: Excerpt, room: int, *, bodies: bool) -> Iterator[list[Chunk]]:
    speaker = Chunk(clip(f"{excerpt.speaker}: ", 24) if excerpt.speaker else "", _SPEAKERS.get(excerpt.speaker, "dim"))
    room -= len(speaker.text)
    if excerpt.withheld:
        held = excerpt.withheld
        yield [
            speaker,
            Chunk(clip(f"withheld ({held.reason or 'no reason said'}, {held.size_bytes:,} bytes)", room), "yellow"),
        ]
        return
    sign = "→ " if "tool_call" in excerpt.part and "response" not in excerpt.part else ""
    about = (
        f"({excerpt.part}) "
        if excerpt.part not in {"text", "tools"} and not excerpt.part.startswith("tool_call")
        else ""
    )
    if bodies:
        before = speaker
        for line in (about + sign + excerpt.words).splitlines() or [""]:
            for piece in folded(line, room):
                yield [before, Chunk(piece)]
                before = Chunk(" " * len(speaker.text))
        return
    words = about + sign + excerpt.words
    tail = f" ({excerpt.characters:,} characters)"
    if excerpt.characters <= 2 * room or len(tail) > room // 2:
        tail = ""
    yield [speaker, Chunk(clip(words, room - len(tail)) + tail)]


_SPEAKERS = {"user": "cyan", "assistant": "blue", "model": "blue", "system": "magenta", "tool": "green"}


def _points(facts: JsonObject, room: int) -> Iterator[list[Chunk]]:
    points = facts["points"]
    common = common_attributes(points)
    for point in points[:_LINES_MAX]:
        about = ", ".join(
            f"{key}={fact_words(value)}" for key, value in point["attributes"].items() if key not in common
        )
        amount = ", ".join(f"{name} {_number(point[name])}" for name in ("value", "count", "sum") if name in point)
        yield [Chunk(clip(f"{amount}  {about}".rstrip(), room))]
    if facts["point_count"] > _LINES_MAX:
        yield [Chunk(f"… {facts['point_count'] - _LINES_MAX} more points", "dim")]


def common_attributes(points: Sequence[JsonObject]) -> JsonObject:
    """What all points say of themselves."""
    if not points:
        return {}
    first, *others = (point["attributes"] for point in points)
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
