"""The events of a part as a tree: spans below their parents, and what belongs to a span below it.

An outline keeps a skeleton of each event (who it is, whose child, when) and nothing of what it says, so that a tree of very
many events is arranged in little memory; what is then shown is read a second time.

Law: every event has exactly one place, whatever the telemetry claims: parents that are not there, cycles and ids that
come twice are said and never followed. Order is by time, then as recorded.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from evidence.canonical import JsonObject
from evidence.checks.item import Item, integer, nanos, read_item, text
from evidence.event import RECEIPT, RESOURCE, RUN_CLOSED, RUN_OPENED, SCOPE
from evidence.limits import DEFAULT, Limits
from evidence.reading import forest
from evidence.reading.forest import NONE
from evidence.timestamp import to_unix_nano

TYPE_NAMES = (
    "run.opened",
    "run.closed",
    "run.gap",
    "resource",
    "scope",
    "span",
    "log",
    "metric",
    "receipt",
    "drift",
    "redaction",
)
"""What the types of event are called here: the middle of `affidavit.otel.span.v1`."""

NOTES = ("failed", "span_id_repeated", "parent_absent", "parent_remote", "parent_cycle")
"""What is odd about an event or its place; a skeleton has a bit for each."""
_FAILED, _REPEATED, _ABSENT, _REMOTE, _CYCLE = (1 << bit for bit in range(len(NOTES)))

_TIME_MAX = 2**63 - 1
_LABELS_MAX = 256
_LABEL_CHARACTERS = 64
_RANKS = {RUN_OPENED: 0, RESOURCE: 1, SCOPE: 1, RUN_CLOSED: 3}  # what describes the run stands before and after it
_RANK = 2
_REMOTE_FLAG = 0x200  # OTLP span flags: the parent is known to be in another process

Keep = Callable[[str, bool], bool]
"""Whether an event is wanted, by its type's name and whether it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """Events that were left out at one place."""

    events: int
    failed: int
    labels: Mapping[str, int]
    """How many of each operation, or type of event; the most frequent first."""

    def to_json(self) -> JsonObject:
        """As `timeline-v1` has it."""
        return {"events": self.events, "failed": self.failed, "labels": dict(self.labels)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one event stands among those that are shown."""

    row: int
    """Its position in the bundle, from 0."""
    parent: int | None
    """The row of the nearest event above it that is shown."""
    depth: int
    notes: tuple[str, ...]
    hidden: Hidden | None
    """What was left out below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """The events that are shown, in the order of the tree."""

    places: tuple[Place, ...]
    hidden: Hidden | None
    """What was left out and is below nothing that is shown."""
    started_nanos: int
    """When the first of all events began, in nanoseconds since 1970; 0 when nothing says."""


class Outline:
    """The skeletons of the events of one part, taken in order.

    Holds some 200 bytes an event for up to `Limits.spans_tracked_max` events; those beyond are counted in `untracked`.

    Args:
        below: id of a span, or id or number of an event: only it and what is below it is arranged.
        limits: the bound.
    """

    def __init__(self, below: str = "", limits: Limits = DEFAULT) -> None:
        self._below = below
        self._limits = limits
        self._numbers: dict[bytes, int] = {}
        self._labels: dict[str, int] = {"others": 0}
        self._own, self._parent, self._time = array("q"), array("q"), array("q")
        self._rank, self._type, self._flags, self._label = array("b"), array("b"), array("b"), array("h")
        self._tops: set[int] = set()
        self.untracked = 0
        """Events that were not looked at."""

    def __len__(self) -> int:
        return len(self._own)

    def add(self, event: JsonObject) -> None:
        """Look at the next event, which passed `evidence.event.check`."""
        if len(self) >= self._limits.spans_tracked_max:
            self.untracked += 1
            return
        item = read_item(event)
        own, parent = self._spans(event, item)
        remote = item is not None and item.kind == "span" and (integer(item.received.get("flags")) or 0) & _REMOTE_FLAG
        if self._below and (has_id(event, self._below) or (own != NONE and item and item.id("spanId") == self._below)):
            self._tops.add(len(self))
        self._own.append(own)
        self._parent.append(parent)
        self._time.append(min(began_nanos(event, item), _TIME_MAX))
        self._rank.append(_RANKS.get(event["type"], _RANK))
        self._type.append(TYPE_NAMES.index(type_name(event)))
        self._flags.append((_FAILED if item and item.failed else 0) | (_REMOTE if remote else 0))
        self._label.append(self._label_number(label(event, item)))

    def arrange(self, limit: int | None = None, keep: Keep | None = None) -> Arrangement:
        """The tree of the events so far.

        Args:
            limit: events to show at most: those nearest to the root, then the earlier ones; None for all.
            keep: which are wanted; all, when not given.
        """
        parents, flags = self._parents()
        nodes = forest.preorder(parents, self._when)
        inside = forest.below(nodes, parents, self._tops) if self._below else range(len(nodes))
        wanted = bytearray(len(nodes))
        for row in inside:
            wanted[row] = keep is None or keep(TYPE_NAMES[self._type[row]], bool(flags[row] & _FAILED))
        chosen = forest.select(nodes, parents, wanted, limit)
        hidden = {row: self._hidden(rows, flags) for row, rows in chosen.hidden.items()}
        places = tuple(
            Place(
                row=row,
                parent=None if above == NONE else above,
                depth=depth,
                notes=tuple(note for bit, note in enumerate(NOTES) if bit and flags[row] >> bit & 1),
                hidden=hidden.get(row),
            )
            for row, (above, depth) in chosen.shown.items()
        )
        return Arrangement(places=places, hidden=hidden.get(NONE), started_nanos=self._started())

    # ---------------------------------------------------------------- skeletons

    def _spans(self, event: JsonObject, item: Item | None) -> tuple[int, int]:
        """Number of the event's own span and number of the span that it belongs below; NONE for none."""
        if item is None:
            data = event["data"] if event["type"] == RECEIPT else {}
            return NONE, self._number(text(data.get("trace_id")), text(data.get("span_id")))
        trace, span = item.id("traceId"), item.id("spanId")
        if item.kind != "span":
            return NONE, self._number(trace, span)
        return self._number(trace, span), self._number(trace, item.id("parentSpanId"))

    def _number(self, trace: str, span: str) -> int:
        """A number for a span, the same for the same ids; NONE without an id."""
        if not span:
            return NONE
        name = blake2b(f"{trace}:{span}".encode(errors="surrogatepass"), digest_size=16).digest()
        return self._numbers.setdefault(name, len(self._numbers))

    def _label_number(self, name: str) -> int:
        if len(self._labels) < _LABELS_MAX:
            self._labels.setdefault(name, len(self._labels))
        return self._labels.get(name, 0)

    def _started(self) -> int:
        told = [time for time, rank in zip(self._time, self._rank, strict=True) if time and rank == _RANK]
        return min(told or filter(None, self._time), default=0)

    # ---------------------------------------------------------------- the tree

    def _parents(self) -> tuple[Sequence[int], Sequence[int]]:
        """The row above each, NONE for none; and the flags, with what is odd."""
        flags = array("b", self._flags)
        first = array("q", [NONE]) * len(self._numbers)
        for row, number in enumerate(self._own):
            if number != NONE and first[number] != NONE:
                flags[row] |= _REPEATED
            elif number != NONE:
                first[number] = row
        parents = array("q", [NONE]) * len(self)
        for row, number in enumerate(self._parent):
            if number != NONE:
                parents[row] = first[number]
            if parents[row] != NONE:
                flags[row] &= ~_REMOTE
            elif number != NONE and self._own[row] != NONE and not flags[row] & _REMOTE:
                flags[row] |= _ABSENT
        for root in forest.break_cycles(parents, self._when):
            flags[root] |= _CYCLE
        return parents, flags

    def _when(self, row: int) -> tuple[int, int, int]:
        return self._rank[row], self._time[row], row

    def _hidden(self, rows: Sequence[int], flags: Sequence[int]) -> Hidden:
        names = list(self._labels)
        counts = Counter(names[self._label[row]] for row in rows)
        return Hidden(
            events=len(rows),
            failed=sum(flags[row] & _FAILED for row in rows),
            labels=dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))),
        )


def type_name(event: JsonObject) -> str:
    """The short name of an event's type, one of `TYPE_NAMES`."""
    return str(event["type"]).removeprefix("affidavit.").removeprefix("otel.").removesuffix(".v1")


def has_id(event: JsonObject, event_id: str) -> bool:
    """Whether it is the event of this id, or of this number."""
    return event_id in {event["id"], str(event["seq"])}


def label(event: JsonObject, item: Item | None) -> str:
    """What an event is counted as: a span's operation or MCP method, else the type of event."""
    if item is None or item.kind != "span":
        return type_name(event)
    return (item.text("gen_ai.operation.name") or item.text("mcp.method.name") or "span")[:_LABEL_CHARACTERS]


def began_nanos(event: JsonObject, item: Item | None) -> int:
    """When an event began, in nanoseconds since 1970: as its sender says, else when it was recorded; 0 or more."""
    own = item.start_nanos if item else nanos(event["data"].get("time_unix_nano"))
    return own or max(to_unix_nano(event["time"]), 0)
