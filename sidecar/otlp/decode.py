"""The door: bytes of an OTLP request to a message, or a refusal.

Law: for every signal, encoding and body, `decode` gives a request whose accepted and rejected items add up to all of
its items, or raises `DecodeError`. Nothing else, whatever the bytes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError as WireError
from google.protobuf.message import Message

from sidecar.errors import DecodeError
from sidecar.limits import DEFAULT, Limits
from sidecar.otlp import json_codec
from sidecar.otlp.reject import RULES
from sidecar.otlp.signal import Encoding, Item, OtlpSignal, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A request that can be acknowledged, wholly or in part."""

    request: Request
    """The `Export*ServiceRequest` as received; the rejected items are still in it (skip them by `reject`)."""
    accepted: int
    """Spans, log records, or data points of metrics, as `partial_success` counts them."""
    items: int
    """Spans, log records or metrics that are not rejected. A metric without data points counts here alone: it is still evidence."""
    rejected: int
    error_message: str
    """Why items were rejected, with counts; empty when none was."""


def decode(signal: OtlpSignal, encoding: Encoding, body: bytes, limits: Limits = DEFAULT) -> Decoded:
    """Read one export request and judge its items.

    Args:
        signal: which of the three requests it is.
        encoding: "protobuf" or "json".
        body: the request, not compressed.
        limits: the bounds on bytes, parts and arrays and objects apply, and that on the length of `error_message`.

    Raises:
        DecodeError: over a bound, or not such a request in this encoding.
    """
    request = parse(signal, encoding, body, limits)
    items, total, reasons = _judge(signal, request)
    rejected = sum(reasons.values())
    message = _message(total, reasons)[: limits.error_message_chars_max]
    return Decoded(
        request=request, accepted=total - rejected, items=items - rejected, rejected=rejected, error_message=message
    )


def parse(signal: OtlpSignal, encoding: Encoding, body: bytes, limits: Limits = DEFAULT) -> Request:
    """Read one export request without judging its items; raises as `decode` does."""
    name = signal.request.DESCRIPTOR.name
    _within(limits.request_bytes_max, len(body), f"{name} in bytes")
    if encoding == "json":
        request: Request = json_codec.load(signal.request, body, limits)
    else:
        request = _from_wire(signal.request, body)
    parts = signal.count_parts(request, limits.request_parts_max)
    _within(limits.request_parts_max, parts, f"resources, scopes and items of {name}")
    return request


def accepted(signal: OtlpSignal, request: Request) -> int:
    """How many items a request has, as `partial_success` counts them."""
    return sum(_count(signal, items) for _, _, items in signal.groups(request))


def data_points(metric: Item) -> int:
    """How many data points a metric has, whatever its type."""
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def _count(signal: OtlpSignal, items: Sequence[Item]) -> int:
    return sum(map(data_points, items)) if signal is OtlpSignal.METRICS else len(items)


def _within(limit: int, size: int, thing: str) -> None:
    if size > limit:
        raise DecodeError(thing, got=str(size), expected=f"at most {limit}")


def _from_wire(message_type: type[Message], body: bytes) -> Message:
    try:
        return message_type.FromString(body)
    except WireError as error:
        name = message_type.DESCRIPTOR.name
        raise DecodeError(name, got=f"{len(body)} bytes that are not this message ({error})") from error


def _judge(signal: OtlpSignal, request: Request) -> tuple[int, int, Counter[str]]:
    """How many items a request has, how many as `partial_success` counts, and the rejected ones by reason."""
    rule = RULES[signal]
    count = total = 0
    reasons: Counter[str] = Counter()
    for _, _, items in signal.groups(request):
        count += len(items)
        total += _count(signal, items)
        if rule:
            reasons.update(reason for reason in map(rule, items) if reason)
    return count, total, reasons


def _message(total: int, reasons: Counter[str]) -> str:
    if not reasons:
        return ""
    listed = "; ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))
    return f"{sum(reasons.values())} of {total} rejected: {listed}"
