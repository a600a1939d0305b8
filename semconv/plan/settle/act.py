"""Giving one value the fate its row says: the one place where an atom gets its bucket."""

from __future__ import annotations

from semconv import ops
from semconv.messages.messages import read
from semconv.ops import Miss
from semconv.plan.run import Run
from semconv.plan.settle.body import claim_body, offer_body
from semconv.plan.settle.claim import claim
from semconv.plan.settle.unclaimed import derived, keep, lost, sum_, unless_same
from semconv.plan.settle.ways import READABLE, Act, Outcome, Way
from semconv.profile.profile import Row
from semconv.value import Value


def way(row: Row, *, key: str = "", kind: str = "any", shape: str = "", role: str = "user") -> Way:
    """A row that claims a key of the target, or none."""
    act: Act = lost
    if row.to or key:
        act = claim_body if shape in READABLE else claim
    elif row.derived:
        act = derived
    elif row.sum_of:
        act = sum_
    elif row.keep:
        act = keep
    return Way(row=row, act=unless_same(act) if row.same_as else act, key=key, type=kind, shape=shape, role=role)


def settle(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """Give a value the fate its row says, and hear what else it says."""
    outcome = way.act(run, label, value, way, atoms)
    if way.also and not isinstance(outcome, Miss):
        for other in way.also:
            _say(run, value, other)
    return outcome


def _say(run: Run, value: Value, way: Way) -> None:
    """A further claim of a value whose atoms have their bucket already; where something else stands, that stands."""
    new = ops.run(way.row.ops, value, run.scope) if way.row.ops else value
    if isinstance(new, Miss) or not way.key:
        return
    if way.shape in READABLE:
        body = run.scope.inside(new)
        reading = read(
            way.shape, new if body is None else body, run.shapes, role=way.role, parse_text=way.row.parts_in_text
        )
        if reading is not None and (not way.row.take or reading.take(way.row.take) is not None):
            offer_body(run, way.key, reading, way.shape)
        return
    fitted = ops.fit(run.rendered(new) if way.type == "any" else new, way.type)
    if not isinstance(fitted, Miss):
        run.offer(way.key, fitted)
