"""Joins instances with their partners, whichever comes first, and says which have none.

An instance waits in the *bucket* of its key and of the values that a partner must agree in; a partner satisfies those of its
bucket whose times fit. Only `subset` cannot be looked up: there, each of a key's partners is held against each that waits.

Law: the result depends on the instances and their order alone; memory is bounded by `Limits.open_instances_max`, and the work for
one instance by `Limits.partners_per_key_max`. What was held longest goes first when a bound is reached, and lacks a partner.
"""

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict, deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from evidence.checks.check import Compare, Join
from evidence.checks.instance import Instance, Value, comparable, digests_of, words_of
from evidence.checks.ledger import Ledger, Place
from evidence.checks.presence import Withheld
from evidence.checks.selector import Selector
from evidence.limits import Limits
from evidence.redaction.commitment import Commitment

_NANOS = 1_000_000_000

Key = tuple[int, tuple[str, ...]]
"""Which of the alternative keys, and its values."""
Agreed = tuple[object, ...]
"""What a partner must agree in: a text for each comparison, or the set of words of a `subset`."""


_ANYTHING: tuple[Agreed, ...] = ((),)
"""Nothing is compared."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """An instance without a partner so far."""

    number: int
    """In the order of coming."""
    key: Key
    agreed: Sequence[Agreed]
    """What a partner must agree in, one way or another."""
    time: int
    place: Place
    owed: Withheld
    """What it is committed to by instead of a value that is compared."""


class Joined:
    """One join over the instances of a part."""

    def __init__(self, check: Join, limits: Limits) -> None:
        self._check = check
        self._limits = limits
        self._ledger = Ledger(limits)
        self._number = 0
        self._waiting: OrderedDict[int, _Waiting] = OrderedDict()
        self._buckets: dict[tuple[Key, Agreed], list[tuple[int, int]]] = {}
        self._partners: dict[Key, dict[Agreed, list[int]]] = {}
        self._held: deque[tuple[Key, Agreed, int]] = deque()
        self._veiled: OrderedDict[Key, Withheld] = OrderedDict()
        self._failed: deque[tuple[Place, tuple[str, ...], Withheld]] = deque()
        """Instances that no partner can satisfy, and what they lack or owe instead."""
        self._has_subset = any(each.relation == "subset" for each in check.compare)
        self._is_sorted = self._has_subset
        """Whether those that wait are in buckets: there is no need before the first partner."""
        self._before = check.type == "ordered_before"
        self._is_timed = self._before or check.seconds is not None
        self._lefts = tuple(tuple(left for left, _ in names) for names in check.keys)
        self._within = None if check.seconds is None else round(check.seconds * _NANOS)
        self._words = _words(check)

    # ---------------------------------------------------------------- instances

    def left(self, instance: Instance) -> None:
        """An instance that needs a partner."""
        key, owed, lacking = self._left_key(instance)
        if key is None:
            self._fail(instance.place, lacking, owed)
            return
        agreed: tuple[Agreed, ...] = _ANYTHING
        if self._check.compare:
            agreed, owed, lacking = self._left_values(instance)
            if lacking:
                self._fail(instance.place, lacking, ())
                return
        time = 0
        if self._is_timed:
            time = instance.start if self._before else instance.time
        if self._partners and any(self._has_partner(key, each, time) for each in agreed):
            self._ledger.capture(instance.place)
            return
        self._number += 1
        waiting = _Waiting(self._number, key, agreed, time, instance.place, owed)
        self._waiting[self._number] = waiting
        if self._is_sorted:
            self._sort(waiting)
        if len(self._waiting) > self._limits.open_instances_max:
            self._give_up(next(iter(self._waiting.values())))
        elif self._has_subset and len(self._buckets[key, ()]) > self._limits.partners_per_key_max:
            self._give_up(self._waiting[min(number for _, number in self._buckets[key, ()])])

    def right(self, instance: Instance) -> None:
        """An instance that others may need."""
        if not self._is_sorted:
            self._is_sorted = True
            for waiting in self._waiting.values():
                self._sort(waiting)
        values = [self._right_values(instance, compare) for compare in self._check.compare]
        owed = tuple(each for value in values if isinstance(value, tuple) for each in value)
        time = instance.time if self._is_timed else 0
        for key in self._right_keys(instance):
            if owed:
                self._veiled[key] = owed
                if len(self._veiled) > self._limits.open_instances_max:
                    self._veiled.popitem(last=False)
            agreed: Agreed = tuple(None if isinstance(value, tuple) else value for value in values)
            self._hold(key, agreed, time)
            if None not in agreed:
                self._satisfy(key, agreed, time)

    def result(self, spoken_for: Container[Place] = ()) -> Ledger:
        """Every instance, as if no further one came; of those without a partner, not the ones at `spoken_for`."""
        total = Ledger(self._limits)
        total.absorb(self._ledger)
        for waiting in self._waiting.values():
            if waiting.place not in spoken_for:
                self._close(waiting, total)
        for place, lacking, owed in self._failed:
            if place not in spoken_for:
                _enter(place, lacking, owed, total)
        return total

    # ---------------------------------------------------------------- keys and what is compared

    def _left_key(self, instance: Instance) -> tuple[Key | None, Withheld, tuple[str, ...]]:
        """The key of the first map whose names are all there; else what is owed or lacking."""
        owed: Withheld = ()
        for number, names in enumerate(self._lefts):
            values = [instance.value(name) for name in names]
            if None in values:
                continue
            if veiled := tuple([each for value in values if type(value) is tuple for each in value]):
                owed = owed or veiled
                continue
            return (number, tuple([comparable(value) for value in values])), (), ()
        return None, owed, (" or ".join(" and ".join(names) for names in self._lefts),)

    def _right_keys(self, instance: Instance) -> Iterator[Key]:
        for number, names in enumerate(self._check.keys):
            values = [instance.value(right) for _, right in names]
            if not any(value is None or isinstance(value, tuple) for value in values):
                yield number, tuple(map(comparable, values))

    def _left_values(self, instance: Instance) -> tuple[tuple[Agreed, ...], Withheld, tuple[str, ...]]:
        """What a partner must agree in, one way or another; what is owed; what is lacking."""
        options: list[tuple[object, ...]] = []
        owed: list[Commitment] = []
        for compare in self._check.compare:
            value = instance.value(compare.left)
            if value is None:
                return (), (), (compare.left,)
            if compare.relation == "digest":
                options.append(digests_of(value))
            elif isinstance(value, tuple):
                options.append(())
            else:
                options.append((words_of(value) if compare.relation == "subset" else comparable(value),))
            if isinstance(value, tuple) and not options[-1]:
                owed += value
        return tuple(product(*options)), tuple(owed), ()

    def _right_values(self, instance: Instance, compare: Compare) -> object:
        value: Value = instance.value(compare.right)
        if value is None or isinstance(value, tuple):
            return value
        return words_of(value) if compare.relation == "subset" else comparable(value)

    # ---------------------------------------------------------------- partners

    def _hold(self, key: Key, agreed: Agreed, time: int) -> None:
        """Remember a partner, as far as it can ever matter."""
        partners = self._partners.setdefault(key, {})
        if self._has_subset and agreed not in partners and len(partners) >= self._limits.partners_per_key_max:
            return
        times = partners.setdefault(agreed, [])
        if times and self._within is None:
            times[0] = min(times[0], time)  # the earliest is before whatever any other is before
            return
        insort(times, time)
        self._held.append((key, agreed, time))
        if len(self._held) > self._limits.open_instances_max:
            self._forget(*self._held.popleft())

    def _forget(self, key: Key, agreed: Agreed, time: int) -> None:
        times = self._partners[key][agreed]
        times.pop(bisect_left(times, time) if self._within is not None else 0)
        if not times:
            del self._partners[key][agreed]
        if not self._partners[key]:
            del self._partners[key]

    def _has_partner(self, key: Key, agreed: Agreed, time: int) -> bool:
        partners = self._partners.get(key)
        if not partners:
            return False
        if not self._has_subset:
            return self._fits(partners.get(agreed), time)
        return any(self._agree(agreed, other) and self._fits(times, time) for other, times in partners.items())

    def _fits(self, times: list[int] | None, time: int) -> bool:
        """Whether one of the partners' times is as it should be for an instance of this time."""
        if not times:
            return False
        if self._within is not None:
            first = bisect_left(times, time)
            return first < len(times) and times[first] <= time + self._within
        return not self._before or times[0] <= time

    def _agree(self, left: Agreed, right: Agreed) -> bool:
        for compare, one, other in zip(self._check.compare, left, right, strict=True):
            if other is None:
                return False
            if not (one <= other if compare.relation == "subset" else one == other):  # type: ignore[operator]  # sets of words
                return False
        return True

    def _satisfy(self, key: Key, agreed: Agreed, time: int) -> None:
        """Give a partner to those that wait for one like it."""
        bucket = self._buckets.get((key, () if self._has_subset else agreed))
        if not bucket:
            return
        start, end = 0, len(bucket)
        if self._before:
            start = bisect_left(bucket, (time, 0))
        elif self._within is not None:
            start, end = bisect_left(bucket, (time - self._within, 0)), bisect_right(bucket, (time, self._number))
        for _, number in bucket[start:end]:
            waiting = self._waiting[number]
            if not self._has_subset or any(self._agree(each, agreed) for each in waiting.agreed):
                self._release(waiting)
                self._ledger.capture(waiting.place)

    # ---------------------------------------------------------------- those that wait

    def _buckets_of(self, waiting: _Waiting) -> list[tuple[Key, Agreed]]:
        if self._has_subset:
            return [(waiting.key, ())]
        return [(waiting.key, agreed) for agreed in waiting.agreed]

    def _sort(self, waiting: _Waiting) -> None:
        for bucket in self._buckets_of(waiting):
            insort(self._buckets.setdefault(bucket, []), (waiting.time, waiting.number))

    def _release(self, waiting: _Waiting) -> None:
        del self._waiting[waiting.number]
        for name in self._buckets_of(waiting) if self._is_sorted else ():
            bucket = self._buckets[name]
            del bucket[bisect_left(bucket, (waiting.time, waiting.number))]
            if not bucket:
                del self._buckets[name]

    def _give_up(self, waiting: _Waiting) -> None:
        self._release(waiting)
        self._close(waiting, self._ledger)

    def _close(self, waiting: _Waiting, ledger: Ledger) -> None:
        """An instance that found no partner: withheld when what would tell is, else lacking."""
        is_joined = waiting.key in self._partners
        owed = (waiting.owed if is_joined else ()) or self._veiled.get(waiting.key, ())
        if owed:
            ledger.withhold(waiting.place, owed)
        else:
            ledger.lack(waiting.place, (self._words[is_joined],))

    def _fail(self, place: Place, lacking: tuple[str, ...], owed: Withheld) -> None:
        self._failed.append((place, lacking, owed))
        if len(self._failed) > self._limits.open_instances_max:
            _enter(*self._failed.popleft(), self._ledger)


def _enter(place: Place, lacking: tuple[str, ...], owed: Withheld, ledger: Ledger) -> None:
    if owed:
        ledger.withhold(place, owed)
    else:
        ledger.lack(place, lacking)


def _words(check: Join) -> tuple[str, str]:
    """What an instance lacks that no partner has the key of, and one whose partners do not fit, in words."""
    key = " or ".join(dict.fromkeys(" and ".join(right for _, right in names) for names in check.keys))
    partner = f"{_named(check.partner)} of equal {key}"
    told = [f"{each.right} {_RELATIONS[each.relation]} {each.left}" for each in check.compare]
    if check.type == "ordered_before":
        told.append("before it")
    if check.seconds is not None:
        told.append(f"within {check.seconds:g} s after it")
    return partner, f"{partner} with {' and '.join(told)}" if told else partner


_RELATIONS = {"equal": "equal to", "subset": "that holds all of", "digest": "as the digest of"}


def _named(selector: Selector) -> str:
    narrowed = selector.kind or selector.operation or selector.mcp_method
    return f"{selector.event} {' or '.join(narrowed)}".rstrip()
