"""Consecutive lines of a part, read all at once: most of what holds for each is seen by looking at all of them together.

Law: what is accepted here is what `evidence.event.decode` gives for each line, in its place in the run. Whatever is not certain
is not accepted and not judged: it is then read line by line, where what is wrong has a name.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from evidence.canonical import ENCODER_DEPTH_MAX, JsonObject, parse_objects
from evidence.event import DATA_ORDERS, ENVELOPE_ORDERS, SEQ_MAX, TYPES, is_known_digest
from evidence.limits import Limits
from evidence.timestamp import are_times

_place = itemgetter("specversion", "datacontenttype", "runid", "source", "seq", "id")
_content = itemgetter("time", "type", "data")
_DIGESTS = {kind: shape.digests for kind, shape in TYPES.items()}
_TRACEPARENT = b"00-%b-%b-00" % (b"0" * 32, b"0" * 16)
_HEX = bytes.maketrans(b"123456789abcdef", b"0" * 15)


def read_block(
    lines: Sequence[bytes], *, run_id: str, source: str, first_seq: int, limits: Limits
) -> list[JsonObject] | None:
    """The events of some lines, at least one; None where any of them is not certain to be one.

    Args:
        lines: without their newlines.
        run_id: the run of the line before, which was checked, and so was its `source`.
        source: the CloudEvents source of the line before.
        first_seq: the number that the first of the lines must have.
        limits: bounds on the lines.
    """
    if max(map(len, lines)) > limits.line_bytes_max or limits.json_depth_max < ENCODER_DEPTH_MAX:
        return None
    events = parse_objects(lines)
    if events is None or first_seq + len(events) - 1 > SEQ_MAX:
        return None
    try:
        expected = [
            ("1.0", "application/json", run_id, source, seq, f"{run_id}:{seq}")
            for seq in range(first_seq, first_seq + len(events))
        ]
        return events if list(map(_place, events)) == expected and _are_sound(events) else None
    except (KeyError, TypeError):  # a member is not there, or not what can be compared
        return None


def _are_sound(events: Sequence[JsonObject]) -> bool:
    """Whether events are sound apart from their place. What is equal to a text is one; a number may be a boolean."""
    times, types, data = zip(*map(_content, events), strict=True)
    return (
        set(map(tuple, events)) <= ENVELOPE_ORDERS.keys()
        and {type(event["seq"]) for event in events} == {int}
        and are_times(times)
        and _are_named([event["subject"] for event in events if "subject" in event])
        and _are_parents([event["traceparent"] for event in events if "traceparent" in event])
        and set(map(type, data)) == {dict}
        and _are_shaped(types, data)
    )


def _are_shaped(types: Sequence[str], data: Sequence[JsonObject]) -> bool:
    """Whether the `data` of events is what their types demand."""
    for kind, members in zip(types, data, strict=True):
        if DATA_ORDERS[kind].get(tuple(members)) != list(map(type, members.values())):
            return False
    digests = {members[name] for kind, members in zip(types, data, strict=True) for name in _DIGESTS[kind]}
    return all(map(is_known_digest, digests))


def _are_named(subjects: list[Any]) -> bool:
    return all(subjects) and set(map(type, subjects)) <= {str}


def _are_parents(texts: list[str]) -> bool:
    """Whether each text is of the W3C form."""
    if not set(map(len, texts)) <= {len(_TRACEPARENT)}:
        return False
    return "".join(texts).encode().translate(_HEX) == _TRACEPARENT * len(texts)
