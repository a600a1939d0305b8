"""Counts instances, or the distinct values of one of their names, in groups.

An instance of the check is a group: that of all instances, or one for each combination of values of `per`, in which an absent
name is a value of its own. An instance without the name whose values are told apart may be one more value, or not: it counts
where that is to the run's disadvantage.

Law: groups and values held are bounded by `Limits.open_instances_max`; what belongs to a group that is not held is lacking.
"""

from evidence.checks.check import CountWithin
from evidence.checks.instance import Instance, comparable
from evidence.checks.ledger import Ledger, Place
from evidence.checks.presence import Withheld
from evidence.limits import Limits
from evidence.redaction.commitment import Commitment

Key = tuple[str | None, ...]


class _Group:
    """The instances of one group."""

    __slots__ = ("absent", "over", "owed", "place", "sure", "values")

    def __init__(self, place: Place) -> None:
        self.place = place
        """Of the first instance, or of the first of the population."""
        self.sure = 0
        """Instances, or distinct values."""
        self.absent = 0
        """Instances that lack the name whose values are told apart."""
        self.owed: Withheld = ()
        """The first commitment that stands in place of such a value."""
        self.values: set[str] = set()
        self.over: Place | None = None
        """Where there were too many."""


class Counted:
    """One count over the instances of a part."""

    def __init__(self, check: CountWithin, limits: Limits) -> None:
        self._check = check
        self._limits = limits
        self._ledger = Ledger(limits)
        self._groups: dict[Key, _Group] = {}
        self._values = 0
        self._first: Place | None = None
        """Where the population begins."""
        self._most = check.most
        amount = f" of distinct {check.distinct}" if check.distinct else ""
        self._too_many = f"a count{amount} of at most {check.most}"
        self._too_few = f"a count{amount} of at least {check.least}"

    def count(self, instance: Instance) -> None:
        """One of what is counted."""
        key = self._key(instance)
        if isinstance(key, Commitment):
            self._ledger.withhold(instance.place, (key,))
            return
        group = self._group(key, instance.place)
        if group is None:
            self._ledger.lack(instance.place, (self._too_many if self._most is not None else self._too_few,))
            return
        self._enter(group, instance)
        if self._most is not None and group.over is None and group.sure + group.absent > self._most:
            group.over = instance.place

    @property
    def has_groups_of_population(self) -> bool:
        """Whether each of the population matters, not only that there is one: it has a group, be it of none."""
        return bool(self._check.least and self._check.per)

    def populate(self, instance: Instance) -> None:
        """One of the population."""
        self._first = min(self._first or instance.place, instance.place)
        if self.has_groups_of_population and not isinstance(key := self._key(instance), Commitment):
            self._group(key, instance.place)

    def result(self, run: Place) -> Ledger:
        """Every group, as if no further instance came; `run` is where a whole run is."""
        total = Ledger(self._limits)
        over = self._check.over
        if over is not None and over.event != "run" and self._first is None:
            return total
        total.absorb(self._ledger)
        groups = list(self._groups.values())
        if not groups and not total.expected and (not self._check.per or over is not None):
            groups.append(_Group(self._first or run))
        for group in groups:
            self._judge(group, total)
        return total

    def _key(self, instance: Instance) -> Key | Commitment:
        values = [instance.value(name) for name in self._check.per]
        for value in values:
            if isinstance(value, tuple):
                first: Commitment = value[0]
                return first
        return tuple(None if value is None else comparable(value) for value in values)

    def _group(self, key: Key, place: Place) -> _Group | None:
        group = self._groups.get(key)
        if group is None and len(self._groups) < self._limits.open_instances_max:
            group = self._groups[key] = _Group(place)
        return group

    def _enter(self, group: _Group, instance: Instance) -> None:
        if self._check.distinct is None:
            group.sure += 1
            return
        value = instance.value(self._check.distinct)
        if value is None or isinstance(value, tuple):
            group.absent += 1
            group.owed = group.owed or value or ()
        elif not self._is_decided(group) and (told := comparable(value)) not in group.values:
            if self._values < self._limits.open_instances_max:
                self._values += 1
                group.values.add(told)
                group.sure += 1
            elif self._most is not None:
                group.sure += 1

    def _is_decided(self, group: _Group) -> bool:
        """Whether further values change nothing, and need not be held."""
        return group.over is not None or (self._most is None and group.sure >= (self._check.least or 0))

    def _judge(self, group: _Group, ledger: Ledger) -> None:
        least, most = self._check.least or 0, self._most
        if most is not None and group.sure > most:
            ledger.lack(group.over or group.place, (self._too_many,))
        elif group.over is not None:
            self._unsure(group, ledger, self._too_many)
        elif group.sure >= least:
            ledger.capture(group.place)
        elif group.sure + group.absent >= least:
            self._unsure(group, ledger, self._too_few)
        else:
            ledger.lack(group.place, (self._too_few,))

    def _unsure(self, group: _Group, ledger: Ledger, words: str) -> None:
        """It hangs on instances whose value is not there."""
        if group.owed:
            ledger.withhold(group.over or group.place, group.owed)
        else:
            ledger.lack(group.over or group.place, (words,))
