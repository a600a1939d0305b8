"""A hearing: a shape, the values that conditions ask about, and the profiles that match, in the order they are heard.

Law: which operation an item is about follows from the shape and those values; what the target's own key says comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from semconv.plan.bind import Binder, looked_up
from semconv.plan.plan import KeyFacts, Shape, Signal
from semconv.profile.profile import Profile, Row, Surroundings
from semconv.target import OPERATION


class Hearing:
    """What a plan is made from.

    Args:
        shape: The shape of the items.
        facts: What is known of the shape's keys, in their order.
        profiles: Those that match, in the order they are heard, by their place in the planner.
        values: Of the keys that conditions ask about.
        binder: Binds rows to the target.
        signal: What the items are.
    """

    def __init__(
        self,
        shape: Shape,
        facts: Sequence[KeyFacts],
        profiles: Mapping[int, Profile],
        values: Mapping[str, str | None],
        binder: Binder,
        *,
        signal: Signal,
    ) -> None:
        self.shape = shape
        self.binder = binder
        self.target = binder.target
        self.signal = signal
        self.profiles = profiles
        self.heard = list(profiles.values())
        self.asked = sorted(self.heard, key=lambda profile: -profile.layer)
        """The most special first, as rows are asked."""
        self.spaces = tuple(space for profile in self.heard for space in profile.namespaces)
        self.types = dict(zip(shape.keys, shape.types, strict=True))
        self.facts = dict(zip(shape.keys, facts, strict=True))
        unsaid = Surroundings(scope=shape.scope, keys=frozenset(shape.keys), values=values)
        self.around = Surroundings(unsaid.scope, unsaid.keys, values, self._operation(unsaid))

    def _operation(self, around: Surroundings) -> str | None:
        """The operation that follows from the shape and its values; conditions that ask for one are not met yet."""
        key = self.target.key_of(OPERATION) or OPERATION
        if self.types.get(key) is str:
            value = around.values.get(key)
            rows = self._rows_that_say(key, around, reversed(list(self.profiles)))
            return next((said for _, row in rows if (said := looked_up(row, value))), value)
        claims = [
            (place, order, source, row)
            for source in around.keys
            for place, at in enumerate(self.profiles)
            for order, row in self._rows_that_say(source, around, [at])
        ]
        for _, _, source, row in sorted(claims, key=lambda claim: claim[:3]):
            said = looked_up(row, around.values.get(source))
            if said:
                return said
        return next(
            (
                str(implied.value)
                for profile in self.heard
                for implied in profile.implied
                if implied.to == OPERATION and implied.when.holds(around)
            ),
            None,
        )

    def _rows_that_say(self, key: str, around: Surroundings, places: Iterable[int]) -> list[tuple[int, Row]]:
        return [
            (order, entry)
            for at in places
            for order, entry, _ in self.facts[key].rows.get(at, ())
            if isinstance(entry, Row) and entry.to == OPERATION and entry.when.holds(around)
        ]
