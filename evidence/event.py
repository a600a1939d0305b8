"""Evidence events: CloudEvents 1.0 objects in RFC 8785 form, one a line of `events.ndjson`.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md

Law: `decode(event.line())` gives the event back, and nothing else decodes to it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations

from evidence.canonical import JsonObject, canonical, parse_object
from evidence.digest import is_tagged, tagged
from evidence.errors import CanonicalError, EventError
from evidence.limits import DEFAULT, Limits
from evidence.timestamp import is_time

RUN_OPENED = "affidavit.run.opened.v1"
RUN_CLOSED = "affidavit.run.closed.v1"
RUN_GAP = "affidavit.run.gap.v1"
RESOURCE = "affidavit.otel.resource.v1"
SCOPE = "affidavit.otel.scope.v1"
SPAN = "affidavit.otel.span.v1"
LOG = "affidavit.otel.log.v1"
METRIC = "affidavit.otel.metric.v1"
RECEIPT = "affidavit.receipt.v1"
DRIFT = "affidavit.drift.v1"
REDACTION = "affidavit.redaction.v1"

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
"""What a run id may be: it is part of file names and of event ids."""

SEQ_MAX = 2**31 - 1
"""The highest sequence number: CloudEvents type Integer."""

FIRST_SEQ = 0
"""The sequence number of the first event of a run; later parts and amendments go on counting."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)  # W3C Trace Context
_CONSTANTS = (("specversion", "1.0"), ("datacontenttype", "application/json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The members of an event's `data` and the JSON type of each."""

    required: Mapping[str, type]
    optional: Mapping[str, type] = field(default_factory=dict)
    closed: bool = False
    """Whether other members are refused: nothing unrecomputed may stand beside telemetry."""
    digests: tuple[str, ...] = ()
    """Members that are tagged digests."""


def _telemetry(name: str) -> Shape:
    return Shape(
        required={"resource": str, "scope": str, name: dict},
        optional={"mapped": dict, "loss": dict, "received": str, "unknown_fields": str},
        closed=True,
        digests=("resource", "scope"),
    )


def _shared(name: str) -> Shape:
    return Shape(required={"digest": str, name: dict}, optional={"schemaUrl": str}, closed=True, digests=("digest",))


TYPES: Mapping[str, Shape] = {
    RUN_OPENED: Shape(
        required={"run_id": str, "part": int, "reason": str}, optional={"sidecar": dict, "context": dict}
    ),
    RUN_CLOSED: Shape(
        required={"reason": str, "events": int, "spans": int, "logs": int, "metrics": int, "receipts": int},
        optional={"sender_counts": dict, "outcome": dict, "duplicates": int},
    ),
    RUN_GAP: Shape(required={"kind": str, "count": int}, optional={"detail": str}),
    RESOURCE: _shared("resource"),
    SCOPE: _shared("scope"),
    SPAN: _telemetry("span"),
    LOG: _telemetry("log"),
    METRIC: _telemetry("metric"),
    RECEIPT: Shape(
        required={"kind": str, "idempotency_key": str, "body": dict},
        optional={"sequence": int, "trace_id": str, "span_id": str, "received": str},
    ),
    DRIFT: Shape(required={}),
    REDACTION: Shape(required={}),
}
"""Every type of event, and what its `data` holds."""

_ENVELOPE: Mapping[str, type] = {
    "specversion": str,
    "id": str,
    "source": str,
    "type": str,
    "time": str,
    "datacontenttype": str,
    "runid": str,
    "seq": int,
    "data": dict,
}
_ENVELOPE_OPTIONAL: Mapping[str, type] = {"subject": str, "traceparent": str}


def _orders(required: Mapping[str, type], optional: Mapping[str, type]) -> dict[tuple[str, ...], list[type]]:
    """Each admissible set of members in canonical order, with the type of each: what a valid object looks like at once."""
    orders = {}
    for count in range(len(optional) + 1):
        for chosen in combinations(optional, count):
            names = tuple(sorted((*required, *chosen)))
            orders[names] = [required.get(name) or optional[name] for name in names]
    return orders


ENVELOPE_ORDERS = _orders(_ENVELOPE, _ENVELOPE_OPTIONAL)
"""The admissible members of an event in canonical order, with the type of each."""
DATA_ORDERS = {name: _orders(shape.required, shape.optional) for name, shape in TYPES.items()}
"""The same of the `data` of each type of event, without what shapes that are open may hold besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceEvent:
    """One event of a run. `line` is where it is checked."""

    run_id: str
    seq: int
    type: str
    time: str
    data: JsonObject
    source: str
    subject: str | None = None
    traceparent: str | None = None

    def to_json(self) -> JsonObject:
        """The event as a JSON object, checked.

        Raises:
            EventError: a member is not what its type demands.
        """
        event: JsonObject = {
            "data": dict(sorted(self.data.items())),  # in canonical order: what is valid is then seen at once
            "datacontenttype": "application/json",
            "id": f"{self.run_id}:{self.seq}",
            "runid": self.run_id,
            "seq": self.seq,
            "source": self.source,
            "specversion": "1.0",
        }
        if self.subject is not None:
            event["subject"] = self.subject
        event["time"] = self.time
        if self.traceparent is not None:
            event["traceparent"] = self.traceparent
        event["type"] = self.type
        check(event)
        return event

    def line(self) -> bytes:
        """The canonical bytes of the event, without the newline that ends its line.

        Raises:
            EventError: a member is not what its type demands.
            CanonicalError: `data` has no canonical form.
        """
        return canonical(self.to_json())


def decode(line: bytes, limits: Limits = DEFAULT) -> JsonObject:
    """Read one line of `events.ndjson`, without its newline.

    Does not check the event against its neighbours or its run: that is the reader's part.

    Raises:
        EventError: too long, not canonical JSON, or not an evidence event.
    """
    if len(line) > limits.line_bytes_max:
        raise EventError(f"line: expected at most {limits.line_bytes_max} bytes, got {len(line)}")
    try:
        event = parse_object(line, depth_max=limits.json_depth_max)
    except CanonicalError as error:
        raise EventError(str(error)) from error
    check(event)
    return event


def check(event: JsonObject) -> None:
    """Refuse a JSON object that is not an evidence event.

    Raises:
        EventError: names the member, what was expected and what was found.
    """
    if ENVELOPE_ORDERS.get(tuple(event)) != list(map(type, event.values())):
        _check_members("event", event, _ENVELOPE, _ENVELOPE_OPTIONAL, closed=True)
    for name, expected in _CONSTANTS:
        if event[name] != expected:
            raise EventError(f"{name}: expected {expected!r}, got {event[name]!r}")
    run_id, seq, source = event["runid"], event["seq"], event["source"]
    if RUN_ID.fullmatch(run_id) is None:
        raise EventError(f"runid: expected {RUN_ID.pattern}, got {run_id[:200]!r}")
    if not 0 <= seq <= SEQ_MAX:
        raise EventError(f"seq: expected 0 to {SEQ_MAX}, got {seq}")
    if event["id"] != f"{run_id}:{seq}":
        raise EventError(f"id: expected {run_id}:{seq}, got {event['id'][:200]!r}")
    if not is_time(event["time"]):
        raise EventError(
            f"time: expected RFC 3339 in UTC with nine fractional digits and Z, got {event['time'][:40]!r}"
        )
    if source.find(":") <= 0:
        raise EventError(f"source: expected an absolute URI, got {source[:200]!r}")
    if event.get("subject") == "":
        raise EventError("subject: expected a non-empty string or none")
    if "traceparent" in event and _TRACEPARENT.fullmatch(event["traceparent"]) is None:
        raise EventError(f"traceparent: expected the W3C form, got {event['traceparent'][:80]!r}")
    _check_data(event["type"], event["data"])


def _check_data(event_type: str, data: JsonObject) -> None:
    shape = TYPES.get(event_type)
    if shape is None:
        raise EventError(f"type: expected one of {', '.join(sorted(TYPES))}, got {event_type[:200]!r}")
    if DATA_ORDERS[event_type].get(tuple(data)) != list(map(type, data.values())):
        _check_members("data", data, shape.required, shape.optional, closed=shape.closed)
    for name in shape.digests:
        if len(data[name]) != _TAGGED_LENGTH or not is_known_digest(data[name]):
            raise EventError(f"data.{name}: expected sha256:<64 hex>, got {data[name][:80]!r}")


_TAGGED_LENGTH = len(tagged(b""))
is_known_digest = lru_cache(maxsize=1024)(
    is_tagged
)  # a run has few resources and scopes, and each of its events names them


def _check_members(
    where: str, value: JsonObject, required: Mapping[str, type], optional: Mapping[str, type], *, closed: bool
) -> None:
    known = 0
    for members, demanded in ((required, True), (optional, False)):
        for name, kind in members.items():
            if name in value:
                known += 1
                if type(value[name]) is not kind:
                    raise EventError(f"{where}.{name}: expected {kind.__name__}, got {type(value[name]).__name__}")
            elif demanded:
                raise EventError(f"{where}.{name}: expected {kind.__name__}, got nothing")
    if closed and known != len(value):
        unknown = next(name for name in value if name not in required and name not in optional)
        raise EventError(f"{where}: unknown member {unknown[:200]!r}")
