"""One line of an Assay bundle: a CloudEvents 1.0 object with the extensions of its evidence contract.

Law: what is read is canonical, of the members that the contract names and of their types, and carries the digest of its
own content. Which of its members that digest binds is `HASHED`; all others are `UNBOUND`.
"""

from collections.abc import Mapping
from functools import lru_cache

from evidence.assay import timestamp
from evidence.assay.limits import DEFAULT, AssayLimits
from evidence.canonical import JsonObject, canonical, parse_object
from evidence.digest import is_tagged, tagged
from evidence.errors import CanonicalError, EventError, EvidenceError

HASHED = ("specversion", "type", "datacontenttype", "subject", "data")
"""Members that the content hash is over, the run root therefore too; `subject` only where there is one."""

REQUIRED: Mapping[str, type] = {
    "specversion": str,
    "type": str,
    "source": str,
    "id": str,
    "time": str,
    "datacontenttype": str,
    "assayrunid": str,
    "assayseq": int,
    "assayproducer": str,
    "assayproducerversion": str,
    "assaygit": str,
    "assaypii": bool,
    "assaysecrets": bool,
    "assaycontenthash": str,
    "data": object,
}
OPTIONAL: Mapping[str, type] = {
    "subject": str,
    "traceparent": str,
    "tracestate": str,
    "assaypolicyid": str,
    "assaysemanticdigest": str,
    "assaydigestprofile": str,
}
UNBOUND: Mapping[str, str] = {
    "assayrunid": "run id",
    "source": "source",
    "time": "time",
    "assayproducer": "producer",
    "assayproducerversion": "producer version",
    "assaygit": "git",
    "assaypolicyid": "policy id",
    "assaypii": "flag for personal data",
    "assaysecrets": "flag for secrets",
    "traceparent": "trace context",
    "tracestate": "trace state",
    "assaysemanticdigest": "soft digest",
    "assaydigestprofile": "soft digest's profile",
}
"""Members outside the content hash, and with that outside the run root and the bundle id; `id` and `assayseq` follow from
run id and place."""

_BOM = b"\xef\xbb\xbf"
_CONSTANTS = (("specversion", "1.0"), ("datacontenttype", "application/json"))


def read_event(line: bytes, limits: AssayLimits = DEFAULT) -> JsonObject:
    """Read one line, without its newline. Does not look at its neighbours.

    Raises:
        EventError: names the member, what was expected and what was found.
    """
    if len(line) > limits.line_bytes_max:
        raise EventError(f"{len(line)} bytes, expected at most {limits.line_bytes_max}")
    if line.startswith(_BOM):
        raise EventError("begins with a byte order mark")
    if not line.strip():
        raise EventError("a blank line")
    try:
        event = parse_object(line, depth_max=limits.json_depth_max)
    except CanonicalError as error:
        raise EventError(str(error)) from error
    if len(line) > min(limits.object_members_max, limits.string_bytes_max):
        check_size(event, limits)
    _check_members(event)
    for name, expected in _CONSTANTS:
        if event[name] != expected:
            raise EventError(f"{name}: expected {expected!r}, got {event[name][:100]!r}")
    if event["assaycontenthash"] != (made := content_hash(event)):
        raise EventError(f"assaycontenthash: expected {made}, got {event['assaycontenthash'][:100]!r}")
    _check_values(event)
    return event


def content_hash(event: JsonObject) -> str:
    """The tagged SHA-256 of what the format binds of an event."""
    return tagged(canonical({name: event[name] for name in HASHED if name in event}))


def check_size(value: object, limits: AssayLimits) -> None:
    """Refuse objects of too many members and strings of too many bytes, at any depth.

    Raises:
        EventError: one is over its bound.
    """
    waiting = [value]
    for item in waiting:
        if isinstance(item, dict):
            if len(item) > limits.object_members_max:
                raise EventError(f"an object of {len(item)} members, expected at most {limits.object_members_max}")
            waiting += item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and len(item.encode()) > limits.string_bytes_max:
            raise EventError(f"a string of {len(item.encode())} bytes, expected at most {limits.string_bytes_max}")


@lru_cache(maxsize=64)
def _admissible(names: tuple[str, ...]) -> tuple[type, ...] | None:
    """The types of the members of these names but `data`; None when they are not those of an event. The same for most of a bundle."""
    if not REQUIRED.keys() <= set(names) <= REQUIRED.keys() | OPTIONAL.keys():
        return None
    return tuple(REQUIRED.get(name) or OPTIONAL[name] for name in names if name != "data")


def _check_members(event: JsonObject) -> None:
    kinds = _admissible(tuple(event))
    if kinds is not None and kinds == tuple([type(value) for name, value in event.items() if name != "data"]):
        return
    for name, kind in REQUIRED.items():
        if name not in event:
            raise EventError(f"{name}: expected {kind.__name__}, got nothing")
    for name, value in event.items():
        expected = REQUIRED.get(name) or OPTIONAL.get(name)
        if expected is None:
            raise EventError(f"unknown member {name[:100]!r}, which nothing binds")
        if expected is not object and type(value) is not expected:
            raise EventError(f"{name}: expected {expected.__name__}, got {type(value).__name__}")


def _check_values(event: JsonObject) -> None:
    if event["assayseq"] < 0:
        raise EventError(f"assayseq: expected 0 or more, got {event['assayseq']}")
    if not event["type"]:
        raise EventError("type: expected a name, got an empty string")
    if event["source"].find(":") <= 0:
        raise EventError(f"source: expected a URI, got {event['source'][:100]!r}")
    try:
        timestamp.to_unix_nano(event["time"])
    except EvidenceError as error:
        raise EventError(str(error)) from error
    if not is_tagged(event["assaycontenthash"]):
        raise EventError("assaycontenthash: expected sha256:<64 hex>")
    if ("assaysemanticdigest" in event) != ("assaydigestprofile" in event):
        raise EventError("assaysemanticdigest and assaydigestprofile: expected both or neither")
