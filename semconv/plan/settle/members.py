"""Objects whose members go different ways.

Law: each leaf is an atom of its own: it goes where its member's row says, or where the rest goes.
"""

from __future__ import annotations

from typing import Final

from semconv import ops
from semconv.ops import Miss
from semconv.plan.run import Run
from semconv.plan.settle.act import settle, way
from semconv.plan.settle.unclaimed import unless_same
from semconv.plan.settle.ways import CARRIED, DROPPED, GONE, Members, Outcome, Way
from semconv.profile.profile import Row
from semconv.python_repr import is_address
from semconv.value import Value, leaves, size
from semconv.view import Attributes

_LOSSES_PER_KEY_MAX: Final = 64
"""Members of one document named singly; the rest of them is one entry."""


def split_way(row: Row, members: Members, rest: Way) -> Way:
    """A row whose value is taken apart."""
    heads: dict[str, tuple[int, ...]] = {}
    for at, (path, _, _) in enumerate(members):
        heads[path[0]] = (*heads.get(path[0], ()), at)
    act = unless_same(take_apart) if row.same_as else take_apart
    return Way(row=row, act=act, members=members, heads=heads, rest=rest)


def take_apart(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """Each leaf is an atom of its own: it goes where its member's row says, or where the rest goes."""
    parsed: Value
    parsed, count = run.scope.weighed(value) if isinstance(value, str) else (value, 0)
    if way.row.ops:
        result = ops.run(way.row.ops, value, run.scope)
        if isinstance(result, Miss):
            return result
        if result is not parsed:
            parsed, count = result, 0
    if not isinstance(parsed, dict):
        return ops.UNPARSEABLE
    if not parsed:  # nothing was said
        run.derived += atoms
        return CARRIED
    run.extra += (count or leaves(parsed)) - atoms
    left: Attributes = dict(parsed)
    dropped = False
    inside = label if "#/" in label else f"{label}#"
    heads, around = way.heads, run.scope.siblings
    run.scope.siblings = parsed
    places = [place for name in parsed if name in heads for place in heads[name]]
    for place in sorted(places):
        path, suffix, member = way.members[place]
        found, there = _member(left, path)
        if not there or (isinstance(found, str) and is_address(found)):
            continue
        outcome = settle(run, inside + suffix, found, member, leaves(found))
        if isinstance(outcome, Miss):
            continue
        dropped = dropped or outcome not in GONE
        _remove(left, path)
    if left and _settle_rest(run, inside, left, way.rest):
        dropped = True
    run.scope.siblings = around
    return DROPPED if dropped else CARRIED


def _settle_rest(run: Run, label: str, left: Attributes, rest: Way | None) -> bool:
    """What no member row took; True when something of it is lost."""
    dropped = False
    for at, name in enumerate(sorted(left)):
        found = left[name]
        if found is None or rest is None:  # a member that says it is not there
            run.derived += 1
            continue
        path = f"{label}/{name}" if at < _LOSSES_PER_KEY_MAX else f"{label}/*"
        goes = way(rest.row, key=rest.key[:-1] + name, kind=rest.type) if rest.key.endswith("*") else rest
        outcome = goes.act(run, path, found, goes, leaves(found))
        if isinstance(outcome, Miss):
            run.drop(path, outcome.reason, leaves(found), size(found))
        dropped = dropped or outcome not in GONE
    return dropped


def _member(value: Value, path: tuple[str, ...]) -> tuple[Value, bool]:
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return None, False
        value = value[step]
    return value, True


def _remove(value: Attributes, path: tuple[str, ...]) -> None:
    """Take the member at a path out of an object whose top level is ours; an object that is empty then goes with it."""
    inner = value[path[0]]
    if len(path) > 1 and isinstance(inner, dict):
        inner = dict(inner)
        _remove(inner, path[1:])
        if inner:
            value[path[0]] = inner
            return
    del value[path[0]]
