"""Giving one value the fate its row says: the one place where an atom gets its bucket.

Every function here answers with an outcome. CARRIED: the source has nothing more to say. MOVED: the same, and its value
follows from what stands there instead. STAYS: it stays where it is. DROPPED: something of it is lost. A `Miss`: the row does
not apply, and nothing has been counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from semconv import ops
from semconv.inverse import undo
from semconv.messages import Reading, read
from semconv.ops import Miss
from semconv.profile import Row
from semconv.python_repr import is_address
from semconv.run import EQUAL, LOST, WON, Run
from semconv.translation import Loss
from semconv.value import Value, exactly, leaves, same, size
from semconv.view import Attributes

CARRIED, MOVED, STAYS, DROPPED = "carried", "moved", "stays", "dropped"
GONE: Final = (CARRIED, MOVED)
"""Outcomes after which the source need not stand on the item any longer."""
Outcome = str | Miss
Act = Callable[[Run, str, Value, "Way", int], Outcome]
Members = tuple[tuple[tuple[str, ...], str, "Way"], ...]

READABLE: Final = (
    "input_messages",
    "output_messages",
    "system_instructions",
    "tool_definitions",
    "retrieval_documents",
)
"""Shapes with a structure the message model knows."""

EXACT: Final[Mapping[str, type]] = {"string": str, "int": int, "double": float, "boolean": bool}
"""Types of the registry that are types of Python."""

LONG: Final = frozenset({str, bytes, list, dict})
"""Types of values that may be content."""
_LABEL_MAX: Final = 64
"""Characters or bytes of what a rule may take away without a look at it."""
NOTHING_SAID: Final[tuple[Value, ...]] = ("[]", [])
"""A structure that says there is nothing to say."""
_LOSSES_PER_KEY_MAX: Final = 64
"""Members of one document named singly; the rest of them is one entry."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """A row bound to a target, with what can be known of it beforehand."""

    row: Row
    act: Act
    """What is done with a value."""
    key: str = ""
    """The target's key; empty when the row claims nothing."""
    type: str = "any"
    shape: str = ""
    role: str = "user"
    members: Members = ()
    """Paths of members, the same as a suffix for labels, and their ways; in the order of the table."""
    heads: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """First steps of the members' paths to their places in `members`."""
    rest: Way | None = None
    also: tuple[Way, ...] = ()
    """What else the value says."""


def settle(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """Give a value the fate its row says, and hear what else it says."""
    outcome = way.act(run, label, value, way, atoms)
    if way.also and not isinstance(outcome, Miss):
        for other in way.also:
            _say(run, value, other)
    return outcome


def way(row: Row, *, key: str = "", kind: str = "any", shape: str = "", role: str = "user") -> Way:
    """A row that claims a key of the target, or none."""
    act: Act = _lost
    if row.to or key:
        act = _claim_body if shape in READABLE else _claim
    elif row.derived:
        act = _derived
    elif row.sum_of:
        act = _sum
    elif row.keep:
        act = _keep
    return Way(row=row, act=_unless_same(act) if row.same_as else act, key=key, type=kind, shape=shape, role=role)


def split_way(row: Row, members: Members, rest: Way) -> Way:
    """A row whose value is taken apart."""
    heads: dict[str, tuple[int, ...]] = {}
    for at, (path, _, _) in enumerate(members):
        heads[path[0]] = (*heads.get(path[0], ()), at)
    act = _unless_same(_take_apart) if row.same_as else _take_apart
    return Way(row=row, act=act, members=members, heads=heads, rest=rest)


# ------------------------------------------------------------------ rows that claim nothing


def _unless_same(act: Act) -> Act:
    def do(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
        """Nothing to say for what another key holds as well."""
        if way.row.same_as in run.attributes and same(run.attributes[way.row.same_as], value):
            run.derived += atoms
            return CARRIED
        return act(run, label, value, way, atoms)

    return do


def _lost(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    run.drop(label, way.row.lost, atoms, size(value) if "#/" in label else None)
    return DROPPED


def _derived(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """A label can be worked out; a content that stands where a label should is nowhere else, so it stays."""
    return _said_already(run, label, value, way, atoms) if is_label(value) else ops.NO_LABEL


def is_label(value: Value) -> bool:
    """Whether a value is short enough to be worked out by a rule that does not look at it."""
    return (
        len(value) <= _LABEL_MAX if isinstance(value, str | bytes) else not value or not isinstance(value, list | dict)
    )


def _said_already(run: Run, _label: str, _value: Value, _way: Way, atoms: int) -> Outcome:
    run.derived += atoms
    return CARRIED


def _keep(run: Run, _label: str, _value: Value, _way: Way, atoms: int) -> Outcome:
    run.kept += atoms
    return STAYS


def _sum(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """A total says nothing of its own when it is the sum of what stands there."""
    parts = [part for part in map(run.now, way.row.sum_of) if part is not None]
    total = ops.to_int(value)
    if parts and isinstance(total, int) and total == sum(part if type(part) is int else -1 for part in parts):
        run.derived += atoms
        return MOVED if type(value) is int else CARRIED
    run.drop(label, "no_concept", atoms, size(value) if "#/" in label else None)
    return DROPPED


# ------------------------------------------------------------------ a claim to a key


def _claim(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    row, key, new = way.row, way.key, value
    if row.ops:
        result = ops.run(row.ops, value, run.scope)
        if isinstance(result, Miss):
            return result
        new = result
    fitted: Value = new
    if type(new) is not EXACT.get(way.type):
        fits = ops.fit(run.rendered(new) if way.type == "any" else new, way.type)
        if isinstance(fits, Miss):
            return fits
        if way.type != "any" and type(fits) is not type(new) and type(new) is not list:
            run.notes.append(Loss(label, "type_coerced", 0))
        fitted = fits
    if fitted is None and label != key:  # nothing is no value of an attribute
        return ops.NOT_THIS
    unchanged = fitted is value or (type(fitted) is type(value) and fitted == value)
    if row.loses and not unchanged:
        run.notes.append(Loss(label, row.loses, 0))
    if label == key:  # the target's own key
        if unchanged:
            run.kept += atoms
        else:
            run.out[key] = fitted
            run.converted += atoms
            if row.lost:
                run.notes.append(Loss(label, row.lost, 0))
        return STAYS
    won = run.offer(key, fitted)
    if row.lost:
        if won is WON:
            run.synthesized.append((key, label))
        run.drop(label, row.lost, atoms, size(value))
        return DROPPED
    if row.copy:
        run.kept += atoms
        return STAYS
    if won is LOST:
        run.lose(key, label, row.yields, atoms, size(value))
        return DROPPED
    if won is EQUAL:
        run.derived += atoms
    elif unchanged:
        run.renamed += atoms
    else:
        run.converted += atoms
    return _moved(run, value, way)


def _moved(run: Run, value: Value, way: Way) -> Outcome:
    """CARRIED, or MOVED when undoing the row's operations on what stands gives the value itself, its type included.

    Not asked of an item that is known to be no longer reversible: there it makes no difference.
    """
    return CARRIED if run.lossy or not exactly(undo(way.row.ops, run.now(way.key)), value) else MOVED


def _claim_body(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
    """A claim to a key with a structure the message model reads."""
    own = label == way.key
    if way.row.secondary and way.key in run.out and run.out[way.key] not in NOTHING_SAID:
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
        return _said_already(run, label, value, way, atoms)
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
    return DROPPED if reading.rest or left else _moved(run, value, way)


def offer_body(run: Run, key: str, reading: Reading, shape: str) -> int:
    """Claim a key with a structure: equal is what says the same, however it is written."""
    won = run.offer(key, run.rendered(reading.value))
    if (
        won is LOST and reading.value and run.now(key) in NOTHING_SAID
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


# ------------------------------------------------------------------ objects whose members go different ways


def _take_apart(run: Run, label: str, value: Value, way: Way, atoms: int) -> Outcome:
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
