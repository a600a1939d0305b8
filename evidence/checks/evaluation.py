"""Evaluates checks over the events of a part, as a stream.

Law: the result depends on the set of events and their order alone; memory is bounded whatever the number of events. Where
a bound is reached, instances count as lacking, never as satisfied.

For `exists_for_all`, a span's content may come in a log of the same span (the conventions' `event_only` mode), before or after
it, or in another span of the same operation (`evidence.checks.nesting`), and the span of a requested tool call before or after the
model's; what waits for its other half is bounded by `Limits.open_instances_max`. Joins and counts look at the span and the log
each by itself; of spans of one operation, the one around the others needs the partner.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from evidence.canonical import JsonObject, canonical
from evidence.checks.check import Check, ExistsForAll
from evidence.checks.groups import Counted
from evidence.checks.inside import Inside
from evidence.checks.instance import AttributeInstance, Instance, body_values
from evidence.checks.joins import Joined
from evidence.checks.ledger import Ledger, Place
from evidence.checks.looks import Looks
from evidence.checks.plan import Existence, Use
from evidence.checks.policy import RECEIPT_KIND as POLICY
from evidence.checks.policy import Policy
from evidence.checks.prepared import Prepared, prepared
from evidence.checks.presence import NONE, Placeholders, Presence
from evidence.checks.selector import EventKind, Selector
from evidence.checks.spans import Parts, Spans
from evidence.errors import EventError
from evidence.event import LOG, RECEIPT, RESOURCE, RUN_CLOSED, RUN_GAP, RUN_OPENED, SPAN
from evidence.limits import DEFAULT, Limits


class Evaluation:
    """The ledgers of some checks, filled event by event.

    Args:
        checks: checks by the owner whose ledger they fill, for instance the id of a signal. Equal ones are evaluated once.
        placeholders: what counts as absent although something is written.
        limits: bounds on what waits and on locations.
    """

    def __init__(
        self,
        checks: Mapping[str, Sequence[Check]],
        placeholders: Placeholders = NONE,
        limits: Limits = DEFAULT,
    ) -> None:
        self._limits = limits
        asks = prepared(checks)
        self._checks = asks.checks
        self._joins = {check: Joined(check, limits) for check in asks.joins}
        self._counts = {check: Counted(check, limits) for check in asks.counts}
        self._kinds = self._looks(asks)
        self._inside = Inside(self._kinds, limits)
        self._presence = Presence(placeholders)
        self._policy = Policy(limits)
        parts = Parts(
            spans=self._kinds["span"],
            logs=self._kinds["log"],
            inside=self._inside,
            policy=self._policy,
            presence=self._presence,
            names=asks.names,
        )
        self._telemetry = Spans(parts, limits)
        self._stand_ins = asks.stand_ins
        self._told: set[tuple[str, tuple[str, ...]]] = set()
        self._run: dict[str, bool] = {}
        self._run_id = ""

    def add(self, event: JsonObject, line: bytes = b"") -> None:
        """Look at the next event; `line` is its canonical form, made here when it is not given.

        Raises:
            EventError: the telemetry in it is not OTLP/JSON.
        """
        self._run_id = event["runid"]
        line = line or canonical(event)
        try:
            is_marked = self._presence.is_marked(line)
            if event["type"] == SPAN:
                self._telemetry.span(event, is_marked=is_marked)
            elif event["type"] == LOG:
                self._telemetry.log(event, is_marked=is_marked)
            elif add := self._VERBS.get(event["type"]):
                add(self, event)
            if is_marked or self._inside.looks_for_secrets:
                self._inside.search(event, line, is_marked=is_marked)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise EventError(f"{event['id']}: data is not OTLP/JSON: {type(error).__name__}: {error}") from error

    def result(self) -> dict[str, Ledger]:
        """One ledger for each owner, as if no further event came. May be asked for at any time."""
        run = (0, f"{self._run_id}#/run")
        found = self._existing(run)
        spoken_for = self._telemetry.spoken_for() if self._joins else {}
        for join, joined in self._joins.items():
            found[id(join)] = joined.result(spoken_for.get(joined.left, ()))
        for count, counted in self._counts.items():
            found[id(count)] = counted.result(run)
        totals: dict[str, Ledger] = {}
        for owner, owned in self._checks.items():
            if len(owned) == 1 and not self._stands_in(owned[0]):
                totals[owner] = found[id(owned[0])]
                continue
            total = totals[owner] = Ledger(self._limits)
            for check in owned:
                total.absorb(found[id(check)], satisfied=self._stands_in(check))
        return totals

    def _stands_in(self, check: Check) -> bool:
        """Whether a receipt was there that stands for the instances of a check."""
        return isinstance(check, ExistsForAll) and not self._told.isdisjoint(check.or_receipt)

    def _existing(self, run: Place) -> dict[int, Ledger]:
        """What came of each `exists_for_all`, by its identity."""
        totals: dict[int, Ledger] = {}
        for looks in self._kinds.values():
            for existence in looks.existences:
                total = totals[id(existence.check)] = Ledger(self._limits)
                total.absorb(existence.ledger)
        for existence in self._kinds["run"].existences:
            there = sum(bit for name, bit in self._kinds["run"].bits.items() if self._run.get(name))
            totals[id(existence.check)].count(run, existence.lacks(there))

        def ledger_of(existence: Existence) -> Ledger:
            return totals[id(existence.check)]

        for looks in self._kinds.values():
            looks.fold(ledger_of)
        self._telemetry.fold(ledger_of)
        self._inside.fold(ledger_of)
        return totals

    # ---------------------------------------------------------------- what is looked for

    def _looks(self, asks: Prepared) -> dict[EventKind, Looks]:
        """What is looked for in each kind of instance."""
        uses: list[tuple[Selector, Use]] = []
        firsts: list[tuple[Selector, Use]] = []
        for join, joined in self._joins.items():
            uses += [(join.when, joined.left), (join.partner, joined.right)]
        for count, counted in self._counts.items():
            uses.append((count.when, counted.count))
            if count.over is not None:
                (uses if counted.has_groups_of_population else firsts).append((count.over, counted.populate))
        return {
            kind: Looks(
                asked,
                [(selector, use) for selector, use in uses if selector.event == kind],
                [(selector, use) for selector, use in firsts if selector.event == kind],
                self._limits,
            )
            for kind, asked in asks.asked.items()
        }

    # ---------------------------------------------------------------- events

    def _resource(self, event: JsonObject) -> None:
        pairs = event["data"]["resource"].get("attributes", ())
        attributes = {pair.get("key", ""): pair.get("value") for pair in pairs}
        instance = AttributeInstance(event, "#/data/resource/attributes", attributes, self._presence)
        self._kinds["resource"].take(instance)

    def _receipt(self, event: JsonObject) -> None:
        data = event["data"]
        if data["kind"] == POLICY:
            self._policy.add(data["body"])
        values = body_values(data["body"], self._presence)
        for each in self._stand_ins:
            kind, names = each
            if kind == data["kind"] and any(type(values(name)) not in {tuple, type(None)} for name in names):
                self._told.add(each)
        self._kinds["receipt"].take(Instance(event, "#/data/body", values), data["kind"])

    def _gap(self, event: JsonObject) -> None:
        data = event["data"]
        self._kinds["gap"].take(Instance(event, "#/data", data.get), data["kind"])

    def _run_opened(self, event: JsonObject) -> None:
        self._run["opened"] = True
        self._policy.add(event["data"].get("context", {}).get("policy"))

    def _run_closed(self, event: JsonObject) -> None:
        self._run["closed"] = True
        if "spans_ended" in event["data"].get("sender_counts", ()):  # without it, a span that is missing does not show
            self._run["sender_counts"] = True

    _VERBS: ClassVar[Mapping[str, Callable[["Evaluation", JsonObject], None]]] = {
        RESOURCE: _resource,
        RECEIPT: _receipt,
        RUN_GAP: _gap,
        RUN_OPENED: _run_opened,
        RUN_CLOSED: _run_closed,
    }
    """What takes an event of each other type; on the class, as methods of its own would hold each of them in a circle."""
