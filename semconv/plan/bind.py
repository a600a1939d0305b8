"""Binding rows to a target: which key a concept has there, what may stand under it, and what that makes certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Final

from semconv import ops
from semconv.plan.settle import EXACT, READABLE, Way, split_way, way
from semconv.profile.profile import Row
from semconv.target import Target

BOUND_MAX: Final = 1 << 14
"""Bound rows that are kept; only a row with a hole in its target can be bound in more ways than one."""
NAME_MAX: Final = 256
"""Characters of what a hole holds, if the row that is bound with it is to be kept."""
TABLED = ("enum", "refuse")
"""Operations that are a look into a table: of values that are in none of them they change none."""


class Binder:
    """Binds the rows of tables to one target, each once: it is in many plans, and an object that is taken apart is many rows."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._bound = lru_cache(maxsize=BOUND_MAX)(lambda row, holes: bind(target, row, holes))
        self._targets = lru_cache(maxsize=BOUND_MAX)(lambda bound: tuple(dict.fromkeys(targets_of(bound))))

    def bind(self, row: Row, holes: Sequence[str] = ()) -> Way:
        """As `bind`. `row` is one of a table: what is made for the occasion is not worth keeping."""
        if not row.to.endswith("*") or not holes:
            return self._bound(row, ())
        return self._bound(row, (holes[-1],)) if len(holes[-1]) <= NAME_MAX else bind(self.target, row, holes)

    def targets_of(self, bound: Way) -> tuple[str, ...]:
        """As `targets_of`, each key once."""
        return self._targets(bound) if len(bound.key) <= NAME_MAX else tuple(dict.fromkeys(targets_of(bound)))

    @cached_property
    def own(self) -> Mapping[str, Way]:
        """A claim to each key of the target's own namespaces by a source of the same name."""
        keys = [key for key in self.target.attributes if key.startswith(self.target.namespaces)]
        return {key: bind_key(self.target, Row(to=key), key) for key in keys}


def bind(target: Target, row: Row, holes: Sequence[str] = ()) -> Way:
    """The row with its key in the target; a concept the target has no key for is lost as such."""
    bound = _bound(target, row, holes)
    return replace(bound, also=tuple(bind(target, other) for other in row.also)) if row.also else bound


def _bound(target: Target, row: Row, holes: Sequence[str]) -> Way:
    if row.split:
        members = tuple((path, "/" + "/".join(path), bind(target, member)) for path, member in row.split.members)
        return split_way(row, members, bind(target, row.split.rest))
    if row.sum_of:
        return way(replace(row, sum_of=tuple(target.key_of(concept) or concept for concept in row.sum_of)))
    if not row.to:
        return way(row)
    key = target.key_of(row.to[:-1] + holes[-1] if row.to.endswith("*") and holes else row.to)
    return way(Row(lost="no_concept_at_version", when=row.when)) if key is None else bind_key(target, row, key)


def bind_key(target: Target, row: Row, key: str) -> Way:
    """The row as a claim to a key of the target."""
    spec = target.attributes.get(key)
    shape = spec.shape if spec else ""
    role = row.role or ("assistant" if shape == "output_messages" else "user")
    return way(row, key=key, kind=target.type_of(key), shape=shape, role=role)


def bind_own(target: Target, key: str, concept: str, found: type, *, structured: bool) -> Way | None:
    """What is to be done with a key of the registry itself, given its type; None when it is fine as it is."""
    own = bind(target, Row(to=concept))
    if own.key != key:  # it has another key here, or none
        return own
    if not any(key.startswith(space) for space in target.namespaces):
        return None
    if own.shape in READABLE or own.type == "string[]":
        return own
    if own.type == "any":
        return own if found in (list, dict) and not structured else None
    return None if found is EXACT[own.type] else own


def is_certain(bound: Way, found: type) -> bool:
    """Whether the row takes a value of this type whatever it is, so that no other row is asked."""
    if bound.row.same_as:
        return bound.rest is None and not bound.row.to
    if bound.row.to:
        fits = found is EXACT.get(bound.type) or bound.type == "any"
        return fits and not bound.row.ops and bound.shape not in READABLE
    return bound.rest is None


def is_tabled(row: Row) -> bool:
    """Whether what the row makes of a value can be looked up beforehand."""
    return all(step.name in TABLED for step in row.ops)


def leaves_as_is(row: Row, value: str | None) -> bool:
    """Whether the tables of a row leave a value as it is; None stands for every value that is in none of them."""
    if value is None:
        return not any(step.name == "enum" and step.argument[1] for step in row.ops)
    return ops.run(row.ops, value, ops.Scope({})) == value


def looked_up(row: Row, value: str | None) -> str | None:
    """What the tables of a row make of a value that is in them; None when nothing."""
    if value is None or not is_tabled(row):
        return None
    said = ops.run(row.ops, value, ops.Scope({}))
    return said if isinstance(said, str) else None


def targets_of(bound: Way) -> list[str]:
    """Every key the row may claim, by itself or through its members."""
    inner = [key for _, _, member in bound.members for key in targets_of(member)]
    if bound.rest is not None:
        inner += targets_of(bound.rest)
    inner += [key for other in bound.also for key in targets_of(other)]
    return [bound.key, *inner] if bound.key else inner
