"""What an Assay bundle says outside its own identity: the values seen, and what speaks against taking them for more.

The content hash, and with it the run root and the bundle id, is over type, subject and data of each event. Everything else
can be rewritten and sealed again under the same id, so it is shown as what it is: a claim of whoever made the file.

Law: bounded whatever the bundle holds; nothing here changes an outcome from what the bytes are worth.
"""

from dataclasses import dataclass, field

from evidence.assay import timestamp
from evidence.assay.event import UNBOUND
from evidence.assay.event_types import is_known
from evidence.assay.limits import AssayLimits
from evidence.assay.mandates import Mandates
from evidence.canonical import JsonObject
from evidence.redaction.detectors import findings, hidden, suspect

_COUNTED_ONLY = ("traceparent", "tracestate", "assaysemanticdigest")
"""Members that differ from event to event: how many have one says more than the first few values."""
_WAITING_BYTES = 48 * 1024
"""Lines that are looked through for secrets together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One member that the identity does not bind, over all events."""

    member: str
    events: int
    """In how many events it stands."""
    values: tuple[str, ...]
    """The first distinct values, cut short; for `time` the earliest and the latest."""
    is_complete: bool
    """Whether `values` are all there are."""

    def to_json(self) -> JsonObject:
        """The four fields."""
        return {
            "member": self.member,
            "events": self.events,
            "values": list(self.values),
            "complete": self.is_complete,
        }

    def __str__(self) -> str:
        said = ", ".join(self.values) + ("" if self.is_complete or not self.values else ", …")
        return f"{UNBOUND[self.member]} ({said or self.events})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something about the content that an auditor should know: `id` names it, `lines` are the first it was met at."""

    id: str
    says: str
    count: int
    lines: tuple[int, ...]

    def to_json(self) -> JsonObject:
        """The four fields."""
        return {"id": self.id, "says": self.says, "count": self.count, "lines": list(self.lines)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Everything that was seen."""

    unbound: tuple[Claim, ...]
    doubts: tuple[Doubt, ...]
    source: str
    """The one source of all events, as it is."""
    first_unix_nano: int
    """The earliest time of any event, as it says."""
    last_unix_nano: int

    def to_json(self) -> JsonObject:
        """What was seen, for a report."""
        return {
            "unbound": [claim.to_json() for claim in self.unbound],
            "doubts": [doubt.to_json() for doubt in self.doubts],
        }


@dataclass(slots=True)
class _Seen:
    events: int = 0
    values: dict[str, None] = field(default_factory=dict)
    is_complete: bool = True
    last: object = None
    """The value seen before this one: mostly it comes again."""


class ClaimsSeen:
    """Looks at the events of one bundle, in order."""

    def __init__(self, limits: AssayLimits) -> None:
        self._limits = limits
        self._members = {name: _Seen() for name in UNBOUND}
        self._doubts: dict[str, tuple[str, int, list[int]]] = {}
        self._first = self._last = self._before = 0
        self._count = 0
        self._source = ""
        self._mandates = Mandates(limits)
        self._waiting: list[tuple[bytes, int, bool]] = []
        self._waiting_bytes = 0

    def add(self, event: JsonObject, line: bytes, number: int) -> None:
        """Look at the event of the line of that number (from 1)."""
        for name, seen in self._members.items():
            if name in event:
                seen.events += 1
                if event[name] != seen.last:
                    seen.last = event[name]
                    self._keep(name, seen, event[name])
        self._time(event["time"], number)
        if not is_known(event["type"]):
            self._doubt("unknown_type", f"types that Assay does not write, such as {self._kept(event['type'])}", number)
        self._mandates.add(event, number)
        self._waiting.append((line, number, not event["assaysecrets"]))
        self._waiting_bytes += len(line)
        if self._waiting_bytes > _WAITING_BYTES:
            self._look_for_secrets()
        self._source = event["source"]
        self._count += 1

    def claims(self, manifest: JsonObject) -> Claims:
        """What was seen in the whole bundle."""
        times = tuple(map(timestamp.from_unix_nano, sorted({self._first, self._last})))
        unbound = [
            Claim(
                member=name,
                events=seen.events,
                values=times if name == "time" else tuple(seen.values),
                is_complete=seen.is_complete or name == "time",
            )
            for name, seen in self._members.items()
            if seen.events
        ]
        self._look_for_secrets()
        self._whole(manifest)
        doubts = [
            Doubt(id=name, says=says, count=count, lines=tuple(lines))
            for name, (says, count, lines) in sorted(self._doubts.items())
        ]
        return Claims(
            unbound=tuple(unbound),
            doubts=tuple(doubts),
            source=self._source,
            first_unix_nano=self._first,
            last_unix_nano=self._last,
        )

    # ------------------------------------------------------------ parts

    def _keep(self, name: str, seen: _Seen, value: object) -> None:
        if name == "time":
            return
        if name in _COUNTED_ONLY:
            seen.is_complete = False
            return
        text = self._kept(str(value).lower() if isinstance(value, bool) else str(value))
        if text in seen.values:
            return
        if len(seen.values) < self._limits.values_seen_max:
            seen.values[text] = None
        else:
            seen.is_complete = False

    def _kept(self, text: str) -> str:
        """A text as it may be shown: without the secrets in it, and cut."""
        text, most = hidden(text), self._limits.value_chars_max
        return text if len(text) <= most else f"{text[: most - 1]}…"

    def _time(self, text: str, number: int) -> None:
        now = timestamp.to_unix_nano(text)
        if number == 1:
            self._first = self._last = now
        elif now < self._before:
            self._doubt("time_backwards", "times go backwards", number)
        self._first, self._last, self._before = min(self._first, now), max(self._last, now), now

    def _look_for_secrets(self) -> None:
        """In the lines that wait, together: mostly there is nothing in any of them."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not suspect(b"\n".join(line for line, _, _ in waiting)):
            return
        for line, number, denies in waiting:
            found = next(findings(line.decode()), None) if suspect(line) else None
            if found is None:
                continue
            self._doubt("secret", f"secrets in the clear, the first by the detector {found.detector}", number)
            if denies:
                self._doubt("secret_denied", "secrets although assaysecrets says that there are none", number)

    def _whole(self, manifest: JsonObject) -> None:
        """What is so of the bundle as a whole."""
        for name, says, line in sorted(self._mandates.findings(), key=lambda finding: finding[2]):
            self._doubt(name, says, line)
        if self._count > 1 and self._first == self._last:
            self._doubt("time_equal", "all events have one time", 1, self._count)
        names = self._members["assayproducer"].values
        if self._kept(manifest["producer"]["name"]) not in names or len(names) > 1:
            self._doubt("producer_differs", "manifest and events name different producers", 1)

    def _doubt(self, name: str, says: str, number: int, count: int = 1) -> None:
        said, before, lines = self._doubts.get(name, (says, 0, []))
        if len(lines) < self._limits.lines_named_max:
            lines.append(number)
        self._doubts[name] = said, before + count, lines
