"""A part of a run as a timeline for people: a head, then its events as a tree, each told in a few bounded words.

A bundle is read twice: once for the outline of its tree, once for what is then shown; so memory depends on what is shown
and not on the size of the bundle. The document is `timeline-v1` (`schemas/timeline-v1.schema.json`), an object a line.

Law: what is shown is a function of the bundle and the view alone. Does not check signatures, and takes scores as the
bundle states them: `verify` recomputes them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from evidence.bundle.reader import EvidenceBundle
from evidence.canonical import JsonObject
from evidence.checks.item import integer, mapping, read_item, text, texts
from evidence.errors import BundleError
from evidence.event import REDACTION, RESOURCE
from evidence.limits import DEFAULT, Limits
from evidence.reading.excerpt import DEFINITIONS, INPUT, INSTRUCTIONS, WORDS, Excerpt, excerpts
from evidence.reading.facts import error_of, facts_of
from evidence.reading.head import head_of
from evidence.reading.outline import Arrangement, Hidden, Keep, Outline, Place, began_nanos, label, type_name

SCHEMA_VERSION = "timeline-v1"

_REPEATABLE = frozenset({INPUT, INSTRUCTIONS, DEFINITIONS})
_ABOVE_MAX = 32  # entries above that are looked at for what was told already
_SERVICES_MAX = 10_000
_KINDS: Mapping[object, str] = {2: "server", 3: "client", 4: "producer", 5: "consumer"}  # OTLP Span.SpanKind


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of a bundle is wanted."""

    limit: int | None = None
    """Events to show at most; None for all."""
    keep: Keep | None = None
    """Which events; None for all."""
    below: str = ""
    """Id of a span, or id or number of an event: only it and what is below it."""
    bodies: bool = False
    """Whether whole bodies are wanted, as far as `Limits.shown_characters_max` goes, and not their first words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of a timeline."""

    place: Place
    event_id: str
    type: str
    """One of `evidence.reading.outline.TYPE_NAMES`."""
    label: str
    """The operation of a span, else the type."""
    name: str
    began_nanos: int
    """Nanoseconds since 1970."""
    ended_nanos: int
    """0 for an event without duration, or with an end that nobody knows."""
    trace_id: str
    span_id: str
    kind: str
    """What part a span took in a call between processes: `client`, `server`, `producer`, `consumer`; "" for others."""
    service: str
    """The service whose telemetry it is; "" for none."""
    failed: bool
    error: Mapping[str, str]
    """`type` and `message` of the error, as far as it has any."""
    facts: JsonObject
    """What else is known of an event of this type (`evidence.reading.facts`)."""
    excerpts: tuple[Excerpt, ...]
    excerpts_left_out: int
    losses: Mapping[str, int]
    """How many paths translation lost, by reason."""
    profiles: tuple[str, ...]
    """The tables that changed something of it."""

    @property
    def number(self) -> str:
        """The event's sequence number, which its id ends in."""
        return self.event_id.rpartition(":")[2]

    @property
    def duration_nanos(self) -> int | None:
        """How long it took; None for what has no duration; negative when the sender's clock went back."""
        return self.ended_nanos - self.began_nanos if self.ended_nanos else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What of a bundle is shown."""

    head: JsonObject
    entries: tuple[Entry, ...]
    """In the order of the tree: an event before what is below it."""
    hidden: Hidden | None
    """What was left out and is below nothing that is shown."""
    untracked: int
    """Events beyond `Limits.spans_tracked_max`, which have no place."""
    started_nanos: int

    def to_json(self) -> Iterator[JsonObject]:
        """The records of the document: a head, an object an entry, an end."""
        yield {"record": "head", "schema_version": SCHEMA_VERSION, **self.head}
        ids = {entry.place.row: entry.event_id for entry in self.entries}
        for entry in self.entries:
            yield _entry_json(entry, ids, self.started_nanos)
        yield {
            "record": "end",
            "entries": len(self.entries),
            "hidden": self.hidden.to_json() if self.hidden else None,
            "untracked": self.untracked,
        }


def read_timeline(path: Path, view: View, limits: Limits = DEFAULT) -> Timeline:
    """Read a bundle strictly and arrange what the view asks for.

    Raises:
        BundleError: the file is not a valid evidence bundle; nothing of it is shown then.
        OSError: it cannot be read.
    """
    outline = Outline(view.below, limits)
    withheld = 0
    with EvidenceBundle.open(path, limits) as bundle:
        for event, _ in bundle.events():
            outline.add(event)
            if event["type"] == REDACTION:
                withheld += _withheld_pieces(event)
        facts = bundle.finish()
    head = head_of(facts)
    if "redaction" in head:
        head["redaction"] = {**head["redaction"], "withheld": withheld}
    arranged = outline.arrange(view.limit, view.keep)
    return Timeline(
        head=head,
        entries=tuple(_without_repetition(_read_entries(path, arranged, view, limits, facts.manifest_sha256))),
        hidden=arranged.hidden,
        untracked=outline.untracked,
        started_nanos=arranged.started_nanos,
    )


def _withheld_pieces(event: JsonObject) -> int:
    """How many pieces the recorder says that it withheld."""
    return sum(max(integer(count) or 0, 0) for count in mapping(event["data"].get("withheld")).values())


# ------------------------------------------------------------------ entries


def _read_entries(path: Path, arranged: Arrangement, view: View, limits: Limits, manifest_sha256: str) -> list[Entry]:
    """The entries of the arranged events, in the order of the tree."""
    places = {place.row: place for place in arranged.places}
    entries: dict[int, Entry] = {}
    services: dict[str, str] = {}
    spent = 0
    with EvidenceBundle.open(path, limits) as bundle:
        if bundle.manifest_sha256 != manifest_sha256:
            raise BundleError("container", "the file changed while it was read")
        for row, (event, _) in enumerate(bundle.events()):
            if event["type"] == RESOURCE and len(services) < _SERVICES_MAX:
                services[event["data"]["digest"]] = text(facts_of(event, None).get("service.name"))
            if row in places:
                whole = view.bodies and spent < limits.shown_characters_max
                entries[row] = read_entry(event, places[row], services, None if whole else WORDS)
                spent += sum(len(each.words) for each in entries[row].excerpts)
    return [entries[place.row] for place in arranged.places]


def read_entry(event: JsonObject, place: Place, services: Mapping[str, str], words: int | None = WORDS) -> Entry:
    """What a timeline says of one event that passed `evidence.event.check`.

    Args:
        event: the event.
        place: where it stands.
        services: names of services by the digest of their resource.
        words: characters of an excerpt; None for all.
    """
    item = read_item(event)
    found, left_out = excerpts(item, words) if item else ((), 0)
    data = event["data"]
    return Entry(
        place=place,
        event_id=event["id"],
        type=type_name(event),
        label=label(event, item),
        name=item.name if item else text(data.get("kind")),
        began_nanos=began_nanos(event, item),
        ended_nanos=item.end_nanos if item else 0,
        trace_id=item.id("traceId") if item else text(data.get("trace_id")),
        span_id=item.id("spanId") if item else text(data.get("span_id")),
        kind=_KINDS.get(integer(item.received.get("kind")), "") if item and item.kind == "span" else "",
        service=services.get(text(data.get("resource")), ""),
        failed=item.failed if item else False,
        error=error_of(item) if item else {},
        facts=facts_of(event, item),
        excerpts=found,
        excerpts_left_out=left_out,
        losses=item.losses if item else {},
        profiles=tuple(texts(item.mapped.get("profiles"))) if item else (),
    )


def _without_repetition(entries: list[Entry]) -> Iterator[Entry]:
    """The entries with every excerpt marked that stands further up.

    Of instructions and of what a model was told again, in any entry; of other inputs and of what a log record says, in one
    that is above it in the tree.
    """
    first: dict[str, int] = {}
    above: dict[int, int | None] = {}
    for entry in entries:
        row = entry.place.row
        above[row] = entry.place.parent
        marked = []
        for each in entry.excerpts:
            told_by = first.setdefault(each.digest, row) if each.digest else row
            told = told_by != row and (
                (each.key in _REPEATABLE and (each.key != INPUT or each.history))
                or ((each.key == INPUT or entry.type == "log") and _is_above(told_by, row, above))
            )
            marked.append(replace(each, repeated=True) if told else each)
        yield replace(entry, excerpts=tuple(marked))


def _is_above(row: int, of: int, above: Mapping[int, int | None]) -> bool:
    """Whether a row is among the nearest ones above another."""
    up: int | None = of
    for _ in range(_ABOVE_MAX):
        up = above[up] if up is not None else None
        if up == row:
            return True
    return False


def _entry_json(entry: Entry, ids: Mapping[int, str], started_nanos: int) -> JsonObject:
    place = entry.place
    return {
        "record": "entry",
        "event_id": entry.event_id,
        "type": entry.type,
        "label": entry.label,
        "name": entry.name,
        "depth": place.depth,
        "parent": ids[place.parent] if place.parent is not None else None,
        "trace_id": entry.trace_id,
        "span_id": entry.span_id,
        "kind": entry.kind,
        "service": entry.service,
        "began_unix_nano": str(entry.began_nanos),
        "offset_nanos": str(entry.began_nanos - started_nanos),
        "duration_nanos": None if entry.duration_nanos is None else str(entry.duration_nanos),
        "failed": entry.failed,
        "error": dict(entry.error),
        "facts": entry.facts,
        "excerpts": [each.to_json() for each in entry.excerpts],
        "excerpts_left_out": entry.excerpts_left_out,
        "losses": dict(entry.losses),
        "profiles": list(entry.profiles),
        "notes": list(place.notes),
        "hidden": place.hidden.to_json() if place.hidden else None,
    }
