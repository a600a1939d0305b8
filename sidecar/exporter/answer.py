"""What an answer on the wire means: the tables of OTLP, one for each protocol.

OTLP, "Failures", "OTLP/gRPC Throttling", "Retryable Response Codes", "OTLP/HTTP Throttling"
(https://opentelemetry.io/docs/specs/otlp/). Pure: the time of day is passed in.

Law: whatever a backend answers, the result is an outcome whose reason is one of few words and whose message is short and
printable.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, Final, Literal

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from sidecar.exporter.outcome import Accepted, Outcome, Refused, Retry
from sidecar.limits import DEFAULT, Limits
from sidecar.otlp.signal import OtlpSignal

_Rule = Literal["retry", "retry if told when", "refuse"]

GRPC_RULES: Final[Mapping[str, _Rule]] = MappingProxyType(
    {
        "CANCELLED": "retry",
        "UNKNOWN": "refuse",
        "INVALID_ARGUMENT": "refuse",
        "DEADLINE_EXCEEDED": "retry",
        "NOT_FOUND": "refuse",
        "ALREADY_EXISTS": "refuse",
        "PERMISSION_DENIED": "refuse",
        "RESOURCE_EXHAUSTED": "retry if told when",
        "FAILED_PRECONDITION": "refuse",
        "ABORTED": "retry",
        "OUT_OF_RANGE": "retry",
        "UNIMPLEMENTED": "refuse",
        "INTERNAL": "refuse",
        "UNAVAILABLE": "retry",
        "DATA_LOSS": "retry",
        "UNAUTHENTICATED": "refuse",
    }
)
"""OTLP, "Failures": the table of gRPC codes. A code that is not here is refused."""

HTTP_RETRYABLE: Final = frozenset({429, 502, 503, 504})
"""OTLP, "Retryable Response Codes". No other status is; 500 is not."""

_TOO_LARGE_OF_GRPC: Final = "RESOURCE_EXHAUSTED"
_TOO_LARGE_OF_HTTP: Final = 413


def accepted(signal: OtlpSignal, body: bytes, limits: Limits = DEFAULT) -> Accepted:
    """A success, full or partial. A response that cannot be read is a success all the same: the status says so."""
    try:
        partial: Any = getattr(signal.response.FromString(body), "partial_success")  # noqa: B009  (no type they share has it)
    except DecodeError:
        return Accepted(message="the response is not an Export response")
    return Accepted(
        rejected=max(0, getattr(partial, signal.rejected_field)), message=printable(partial.error_message, limits)
    )


def grpc_outcome(code: str, message: str, status_details: bytes, limits: Limits = DEFAULT) -> Outcome:
    """What a gRPC status other than OK means.

    Args:
        code: The name of the status code.
        message: The status message, from the backend.
        status_details: The `grpc-status-details-bin` trailer; empty when there is none.
        limits: Bounds the message and the wait.
    """
    rule = GRPC_RULES.get(code, "refuse")
    told, after_seconds = _retry_info(status_details, limits)
    reason, message = f"grpc {code}", printable(message, limits)
    if rule == "retry" or (rule == "retry if told when" and told):
        return Retry(reason=reason, message=message, after_seconds=after_seconds)
    return Refused(reason=reason, message=message, too_large=code == _TOO_LARGE_OF_GRPC)


def http_outcome(
    signal: OtlpSignal,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now_unix_nano: int,
    limits: Limits = DEFAULT,
) -> Outcome:
    """What an HTTP response means.

    Any 2xx is a success: OTLP asks servers for 200, and some that are in use answer 201 or 202.

    Args:
        signal: What was sent.
        status: The status code.
        headers: Of the response, looked up by lower-case name.
        body: Not compressed, at most `response_bytes_max`.
        now_unix_nano: The time of day, for a Retry-After that is a date.
        limits: Bounds the message and the wait.
    """
    if 200 <= status < 300:
        is_protobuf = headers.get("content-type", "").split(";")[0].strip().lower() == "application/x-protobuf"
        return accepted(signal, body, limits) if is_protobuf else Accepted()
    reason, message = f"http {status}", _error_message(headers, body, limits)
    if status in HTTP_RETRYABLE:
        after_seconds = retry_after_seconds(headers.get("retry-after", ""), now_unix_nano=now_unix_nano, limits=limits)
        return Retry(reason=reason, message=message, after_seconds=after_seconds)
    return Refused(reason=reason, message=message, too_large=status == _TOO_LARGE_OF_HTTP)


def retry_after_seconds(value: str, *, now_unix_nano: int, limits: Limits = DEFAULT) -> float | None:
    """The wait that a Retry-After asks for, in either form (RFC 9110, section 10.2.3); None when it asks for none."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return _bounded(float(value), limits)
    try:
        date = parsedate_to_datetime(value)
        return _bounded(date.timestamp() - now_unix_nano / 1e9, limits)
    except (ValueError, OverflowError):
        return None


def printable(text: str, limits: Limits = DEFAULT) -> str:
    """`text` from a backend, fit for a log line: short, and without control characters."""
    return "".join(c if c.isprintable() else " " for c in text[: limits.error_message_chars_max]).strip()


def _retry_info(status_details: bytes, limits: Limits) -> tuple[bool, float | None]:
    """Whether there is a RetryInfo, and the wait it asks for (google/rpc/error_details.proto)."""
    info = RetryInfo()
    try:
        told = any(detail.Unpack(info) for detail in Status.FromString(status_details).details)
    except DecodeError:
        return False, None
    return told, _bounded(info.retry_delay.seconds + info.retry_delay.nanos / 1e9, limits) if told else None


def _bounded(seconds: float, limits: Limits) -> float | None:
    """A wait of nothing leaves it to the backoff, or a careless answer would have us ask without a pause."""
    if seconds <= 0:
        return None
    return max(limits.export_told_wait_seconds_min, min(seconds, limits.export_told_wait_seconds_max))


def _error_message(headers: Mapping[str, str], body: bytes, limits: Limits) -> str:
    """The message of a `google.rpc.Status`, else the body as text, as far as either can be read."""
    content_type = headers.get("content-type", "").lower()
    if "protobuf" in content_type:
        try:
            return printable(Status.FromString(body).message, limits)
        except DecodeError:
            return "the response is not a Status"
    return printable(body[: 4 * limits.error_message_chars_max].decode("utf-8", "replace"), limits)
