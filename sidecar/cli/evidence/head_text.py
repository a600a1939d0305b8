"""The head of a bundle as lines for people: who recorded what, with which scores and what amiss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from evidence.canonical import JsonObject
from evidence.timestamp import to_unix_nano
from sidecar.cli.columns import Chunk, clip, styled, wrapped
from sidecar.cli.evidence.amounts import count, seconds, span_of_time

__all__ = ["head_lines"]


_CLOSED = {
    "explicit": "closed by its sender",
    "root_ended": "closed when its root had ended",
    "idle": "closed when nothing more came",
    "age": "closed for its age",
    "size": "closed for its size",
    "shutdown": "closed when the sidecar stopped",
    "requested": "closed on request",
}
"""Why the part was closed, in words (`evidence.run.CLOSE_REASONS`)."""


def head_lines(head: JsonObject, columns: int) -> Iterator[str]:
    """What is known of the part as a whole."""
    part = "" if head["part"] == 1 and "amends" not in head else f", part {head['part']}"
    yield styled([Chunk(clip(f"Run {head['run_id']}{part}", columns), "bold")])
    for name, chunks in _head(head):
        for number, line in enumerate(wrapped(chunks, columns - 13, ", ")):
            yield styled([Chunk(f"  {'' if number else name:9}  ", "dim"), *line])
    note = "Not checked here: signature, scores, mapping. `affidavit verify` checks them."
    yield styled([Chunk("  "), Chunk(clip(note, columns - 2), "dim")])


def _head(head: JsonObject) -> Iterator[tuple[str, list[Chunk]]]:
    opened, closed = head["opened_at"], head["closed_at"]
    took = seconds(to_unix_nano(closed) - to_unix_nano(opened))
    reason = _CLOSED.get(head["close_reason"], f"closed by {head['close_reason'].replace('_', ' ')}")
    yield "recorded", [Chunk(span_of_time(opened, closed)), Chunk(took), Chunk(reason)]
    producer = head["producer"]
    yield "by", [Chunk(f"{producer['name']} {producer['version']}"), Chunk(f"bundle {head['bundle_id'][:16]}…")]
    if "amends" in head:
        yield "amends", [Chunk(f"bundle {head['amends'][:16]}…")]
    counts = [Chunk(count(number, name[:-1])) for name, number in head["counts"].items() if number]
    yield "holds", [Chunk(count(head["event_count"], "event")), *counts]
    for pack in head["packs"]:
        ratio = pack["completeness"]
        said = "completeness not said" if ratio is None else f"completeness {ratio:.2f}"
        yield "pack", [Chunk(f"{pack['name']} {pack['version']}: {said}")]
    score, confidence = head["closure"]["score"], head["closure"]["confidence"]
    if isinstance(score, int | float):
        yield "closure", [Chunk(f"{score:.2f}"), Chunk(f"confidence {confidence}", _confidence_style(confidence))]
    if head["signals"]:
        yield "signals", list(_signals(head["signals"]))
        missing = [Chunk(name) for name, state in head["signals"].items() if state == "missing"]
        yield from [("missing", missing)] if missing else []
    yield "capture", [_counter(*each) for each in head["capture_health"].items()] or [Chunk("nothing amiss")]
    mapping = head["mapping"]
    if mapping.get("atoms_in"):
        yield "mapping", [Chunk(f"to {mapping['target']}"), *_lost(mapping)]
    if "redaction" in head:
        yield "redacted", list(_redaction(head["redaction"]))


def _signals(signals: Mapping[str, str]) -> Iterator[Chunk]:
    by_state = Counter(signals.values())
    for state, style in (("captured", "green"), ("redacted", "yellow"), ("missing", "red"), ("unknown", "dim")):
        if by_state[state]:
            yield Chunk(f"{by_state[state]} {state}", style)


def _lost(mapping: Mapping[str, Any]) -> Iterator[Chunk]:
    """What translation lost that matters: the other severities are of what is said elsewhere, or by nobody's will."""
    lost = {severity: mapping["lost"].get(severity, 0) for severity in ("major", "minor")}
    for severity, number in lost.items():
        if number:
            yield Chunk(
                f"{number:,} {severity} {'loss' if number == 1 else 'losses'}", "yellow" if severity == "major" else ""
            )
    said = f"of {count(mapping['atoms_in'], 'atom')}"
    yield Chunk(said if any(lost.values()) else f"nothing that matters lost {said}", "dim")


def _redaction(redaction: Mapping[str, Any]) -> Iterator[Chunk]:
    """What the recorder withheld, and by which policy; a sender may have withheld more by itself."""
    pieces = redaction["withheld"]
    yield Chunk(f"{count(pieces, 'piece')} withheld", "yellow") if pieces else Chunk("nothing withheld by the recorder")
    yield Chunk(f"policy {redaction['policy_digest'][:19]}…", "dim")


def _counter(name: str, number: int | bool) -> Chunk:  # noqa: FBT001 - a counter of capture health may be a flag
    words = name.replace("_", " ")
    return Chunk(words if number is True else f"{words}: {number:,}", "yellow")


def _confidence_style(confidence: object) -> str:
    return {"high": "green", "medium": "yellow", "low": "red"}.get(str(confidence), "")
