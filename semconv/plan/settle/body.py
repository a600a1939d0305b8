"""A claim to a key with a structure that the message model reads: messages, instructions, definitions, documents.

Law: two structures are equal when they say the same, however they are written; an empty one hides nothing that another says.
"""

from __future__ import annotations

from typing import Final

from semconv import ops
from semconv.messages.messages import Reading, read
from semconv.ops import Miss
from semconv.plan.run import EQUAL, LOST, WON, Run
from semconv.plan.settle.claim import moved
from semconv.plan.settle.unclaimed import said_already
from semconv.plan.settle.ways import DROPPED, STAYS, Outcome, Way
from semconv.translation import Loss
from semconv.value import Value, leaves, size

_NOTHING_SAID: Final[tuple[Value, ...]] = ("[]", [])
"""A structure that says there is nothing to say."""


def claim_body(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """A claim to a key with a structure the message model reads."""
    own = label == way.key
    if way.row.secondary and way.key in run.out and run.out[way.key] not in _NOTHING_SAID:
        run.lose(way.key, label, way.row.yields, atoms, size(value))
        return DROPPED
    new = ops.run(way.row.ops, value, run.scope) if way.row.ops else value
    if isinstance(new, Miss):
        return new
    parsed, count = run.scope.weighed(new) if isinstance(new, str) else (None, leaves(new))
    body = new if parsed is None else parsed
    reading = read(way.shape, body, run.shapes, role=way.role, parse_text=way.row.parts_in_text)
    if reading is None or (own and reading.rest):
        return Miss("unstructured")
    if reading.value == [] and not own and not reading.rest:  # it says that there is nothing to say
        return said_already(run, label, value, way, atoms)
    left = reading.take(way.row.take) if way.row.take else []
    if left is None:
        return Miss("unstructured")
    if way.row.loses:
        run.notes.append(Loss(label, way.row.loses, 0))
    if own and reading.value == body and run.structured == (body is new):
        run.kept += atoms
        return STAYS
    won = WON
    if own:
        run.out[label] = run.rendered(reading.value)
        _offer_reasons(run, reading, way.shape)
    else:
        won = offer_body(run, way.key, reading, way.shape)
    run.extra += count - atoms
    if won is LOST:
        run.lose(way.key, label, way.row.yields, count, size(new))
        return DROPPED
    for name, member in reading.rest.items():
        run.drop(f"{label}#/{name}", "partial_no_concept", leaves(member), size(member))
        count -= leaves(member)
    if left and not any(other.row.take for other in way.also):
        lost = min(leaves(left), count)
        run.drop(f"{label}#/{'history' if way.row.take == 'answer' else 'answer'}", "superseded", lost, size(left))
        count -= lost
    else:
        left = []
    book(run, label, reading, count, equal=won is EQUAL)
    if own or (way.row.secondary and won is EQUAL):
        return STAYS
    return DROPPED if reading.rest or left else moved(run, value, way)


def offer_body(run: Run, key: str, reading: Reading, shape: str) -> int:
    """Claim a key with a structure: equal is what says the same, however it is written."""
    won = run.offer(key, run.rendered(reading.value))
    if (
        won is LOST and reading.value and run.now(key) in _NOTHING_SAID
    ):  # an empty list hides nothing that another source says
        if key not in run.out:
            run.kept -= 1
            run.derived += 1
        run.out[key] = run.rendered(reading.value)
        won = WON
    if won is LOST:
        current = run.now(key)
        standing = run.scope.inside(current) if isinstance(current, str) else current
        other = read(shape, standing, run.shapes) if standing is not None else None
        if other is not None and other.value == reading.value:
            won = EQUAL
    if won is WON:
        _offer_reasons(run, reading, shape)
    return won


def _offer_reasons(run: Run, reading: Reading, shape: str) -> None:
    """The source's own words for why its messages ended, where the target has a place for them."""
    if shape == "output_messages" and reading.finish_reasons and run.finish_reasons_key:
        run.offer(run.finish_reasons_key, list(reading.finish_reasons))


def book(run: Run, label: str, reading: Reading, atoms: int, *, equal: bool) -> None:
    """Put the atoms of a structure that was read into their buckets."""
    if equal:
        run.derived += atoms
        return
    run.extra += reading.parsed_leaves
    atoms += reading.parsed_leaves
    derivable = min(reading.derivable, atoms)
    run.derived += derivable
    run.folded += atoms - derivable
    for note in sorted(reading.notes):
        run.notes.append(Loss(label, note, 0))
