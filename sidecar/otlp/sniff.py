"""What a file of telemetry holds: the requests in it, each with its signal and encoding.

Law: what is found is everything in the file, in its order, or a `DecodeError` that names the file; it is never guessed.

- JSON, when the first byte that is not white space is `{`: documents one per line or one after the other. The keys of
  a document say which signal it holds; one that holds several is given once for each.
- Otherwise protobuf. Requests written one after the other are one request, for concatenation is how protobuf merges.
  The three requests are built alike, so their bytes alone do not say which one it is. A file name that says it
  (`.traces.`, `.logs.`, `.metrics.`) decides. Without one, the signals as whose request the bytes can be read without
  an unknown field are in question; if these are several, those where each item has what it cannot do without: a span
  its ids, a log record a time or a body, a metric a name and data. One signal must remain, and none does when the file
  holds no item at all.
- Nothing, or white space only, holds nothing.
"""

from collections.abc import Callable, Iterator
from pathlib import PurePath

from google.protobuf.message import DecodeError as WireError

from evidence.redaction.detectors import hidden
from sidecar.errors import DecodeError
from sidecar.limits import DEFAULT, Limits
from sidecar.otlp import json_text
from sidecar.otlp.reject import reject_span
from sidecar.otlp.signal import Encoding, Item, OtlpSignal, Request
from sidecar.otlp.unknown import has_unknown_fields
from sidecar.otlp.wire import split_protobuf

_SPACE = b" \t\r\n"


def sniff(data: bytes, name: str = "", limits: Limits = DEFAULT) -> list[tuple[OtlpSignal, Encoding, bytes]]:
    """Find the export requests in the content of a file.

    Does not decode them: a body that is found may still be refused by `decode`.

    Args:
        data: the content.
        name: the file's name, for its hint and for errors.
        limits: no protobuf body is made larger than `request_bytes_max`; what is longer is cut between its parts.
            `json_containers_max` holds for each JSON document.

    Raises:
        DecodeError: neither OTLP/JSON nor OTLP protobuf, or a signal that cannot be told.
    """
    if not data.strip(_SPACE):
        return []
    try:
        if _is_json(data):
            return [(signal, "json", body) for signal, body in _documents(data, limits)]
        bodies = list(split_protobuf(data, limits.request_bytes_max))
        signal = _hinted(name) or _told(bodies[0])
    except DecodeError as error:
        raise DecodeError(f"{name or 'the input'}: {error}") from error
    return [(signal, "protobuf", body) for body in bodies]


def _is_json(data: bytes) -> bool:
    """Whether it begins like JSON. A newline is also how protobuf begins, so after one a document must follow."""
    text = data.lstrip(_SPACE)
    if not text.startswith(b"{"):
        return False
    if not data.startswith(b"\n"):
        return True
    try:
        json_text.parse(next(json_text.split_json(data)))
    except DecodeError:
        return False
    return True


def _documents(data: bytes, limits: Limits) -> Iterator[tuple[OtlpSignal, bytes]]:
    for number, body in enumerate(json_text.split_json(data), 1):
        document = json_text.parse(body, what=f"document {number}", limits=limits)
        found = [signal for signal in OtlpSignal if isinstance(document, dict) and signal.json_key in document]
        if not found:
            keys = ", ".join(signal.json_key for signal in OtlpSignal)
            raise DecodeError(f"document {number}", got=_outline(document), expected=f"one of the keys {keys}")
        yield from ((signal, body) for signal in found)


def _outline(document: object) -> str:
    if not isinstance(document, dict):
        return type(document).__name__
    return f"an object with the keys {hidden(', '.join(sorted(document)[:5]))[:200]}" if document else "an empty object"


def _hinted(name: str) -> OtlpSignal | None:
    """The signal that a file's name says; None when it says none, or several."""
    found = [signal for signal in OtlpSignal if signal.hint in PurePath(name).name]
    return found[0] if len(found) == 1 else None


def _told(body: bytes) -> OtlpSignal:
    """The one signal that a protobuf body can be."""
    known = {signal: request for signal in OtlpSignal if (request := _as_known(signal, body)) is not None}
    sensible = [signal for signal, request in known.items() if len(known) == 1 or _is_sensible(signal, request)]
    if len(sensible) == 1:
        return sensible[0]
    got = " or ".join(signal.name.lower() for signal in sensible or known)
    raise DecodeError(
        "its signal cannot be told",
        got=got or "neither OTLP/JSON nor an OTLP request without unknown fields",
        expected="`.traces.`, `.logs.` or `.metrics.` in the file name",
    )


def _as_known(signal: OtlpSignal, body: bytes) -> Request | None:
    try:
        request = signal.request.FromString(body)
    except WireError:
        return None
    return None if has_unknown_fields(request) else request


def _is_sensible(signal: OtlpSignal, request: Request) -> bool:
    items = [item for _, _, items in signal.groups(request) for item in items]
    return bool(items) and all(map(_SENSIBLE[signal], items))


_SENSIBLE: dict[OtlpSignal, Callable[[Item], bool]] = {
    OtlpSignal.TRACES: lambda span: reject_span(span) is None,
    OtlpSignal.LOGS: lambda log: bool(log.time_unix_nano or log.observed_time_unix_nano or log.HasField("body")),
    OtlpSignal.METRICS: lambda metric: bool(metric.name and metric.WhichOneof("data")),
}
