"""What a sink does with a request, whichever way it came.

Law: what it answered with success is in the file before the answer leaves; a request that it was told to fail is not. Each line
of the file is one request in OTLP/JSON, so the file is input for whatever reads OTLP/JSON.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any, Final, Literal

from google.protobuf.message import DecodeError as WireError
from google.protobuf.message import Message

from sidecar.errors import DecodeError
from sidecar.otlp import json_codec
from sidecar.otlp.signal import OtlpSignal, Request

_HOLD_SECONDS_MAX: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it arrived."""

    signal: OtlpSignal
    transport: Literal["grpc", "http"]
    wire: bytes
    """The body as it was on the wire; over gRPC, which inflates by itself, the same as `body`."""
    body: bytes
    """The body inflated."""
    headers: dict[str, str]
    """By lower-case name."""
    peer: str
    """The address of the client's end, which tells connections apart."""
    encoding: Literal["protobuf", "json"] = "protobuf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to answer one request with. The default is a full success."""

    rejected: int = 0
    """In `partial_success`."""
    message: str = ""
    code: str = "OK"
    """Over gRPC, the name of the status code."""
    retry_info_seconds: float | None = None
    """Over gRPC, the delay of a RetryInfo; None sends none."""
    status: int = 200
    """Over HTTP."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Over HTTP, such as Retry-After."""
    body: bytes | None = None
    """Over HTTP, sent instead of the message that belongs there."""
    hold: Event | None = None
    """Answer only once this is set."""
    cut: bool = False
    """Close the connection without an answer."""

    def succeeds(self, transport: Literal["grpc", "http"]) -> bool:
        """Whether the client is told that its telemetry was taken."""
        return not self.cut and (self.code == "OK" if transport == "grpc" else 200 <= self.status < 300)

    def response(self, signal: OtlpSignal) -> Message:
        """The message of a success; `partial_success` stays unset when there is nothing to say (OTLP, "Full Success")."""
        response: Any = signal.response()
        if self.rejected or self.message:
            setattr(response.partial_success, signal.rejected_field, self.rejected)
            response.partial_success.error_message = self.message
        return response  # type: ignore[no-any-return]  # generated messages share no type that has their fields


SUCCESS = Answer()
"""The answer of a sink that nobody told otherwise."""


class Sink:
    """Takes requests, writes them down, and answers as it is told.

    Args:
        out: Where requests go, one in OTLP/JSON a line; None writes nothing.
        script: The answers to the first requests, in order.
        then: The answer to every other one.
        keep: Whether `received` and `taken` are kept in memory: for tests, which send little.
    """

    def __init__(
        self, out: Path | None = None, *, script: Iterable[Answer] = (), then: Answer = SUCCESS, keep: bool = False
    ) -> None:
        self._out = out.open("ab") if out else None
        self._script = deque(script)
        self._lock = Lock()
        self._keep = keep
        self.then = then
        self.received: list[Received] = []
        """Everything that arrived."""
        self.taken: list[Received] = []
        """What was answered with success."""
        self.requests: Counter[OtlpSignal] = Counter()
        """Taken requests."""
        self.items: Counter[OtlpSignal] = Counter()
        """Spans, log records and metrics in them."""
        self.undecodable = 0
        """Requests that were not OTLP."""

    def take(self, received: Received) -> Answer:
        """Deal with one request and say how to answer it.

        Raises:
            DecodeError: When the body is not an Export request.
        """
        with self._lock:
            if self._keep:
                self.received.append(received)
            answer = self._script.popleft() if self._script else self.then
        if answer.hold:
            answer.hold.wait(_HOLD_SECONDS_MAX)
        if answer.succeeds(received.transport):
            self._write(received)
        return answer

    def counts(self) -> dict[str, object]:
        """What was taken, for people and for the demo."""
        with self._lock:
            return {
                "requests": {signal.name.lower(): count for signal, count in sorted(self.requests.items())},
                "items": {signal.name.lower(): count for signal, count in sorted(self.items.items())},
                "undecodable": self.undecodable,
            }

    def close(self) -> None:
        """Close the file."""
        if self._out:
            self._out.close()

    def _write(self, received: Received) -> None:
        try:
            request = _decode(received)
        except DecodeError:
            with self._lock:
                self.undecodable += 1
            raise
        items = sum(len(found) for _, _, found in received.signal.groups(request))
        with self._lock:
            if self._out:
                self._out.write(json_codec.dump(request) + b"\n")
                self._out.flush()
            if self._keep:
                self.taken.append(received)
            self.requests[received.signal] += 1
            self.items[received.signal] += items


def _decode(received: Received) -> Request:
    if received.encoding == "json":
        return json_codec.load(received.signal.request, received.body)
    try:
        return received.signal.request.FromString(received.body)
    except WireError as error:
        name = received.signal.request.DESCRIPTOR.name
        raise DecodeError(name, got=str(error), expected="protobuf", where="body") from error
