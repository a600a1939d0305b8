"""google.rpc.Status, the body of every OTLP failure, and the details that say when to come back."""

from __future__ import annotations

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from sidecar.limits import DEFAULT
from sidecar.receiver.admission import Refused

__all__ = ["GRPC_CODES", "status"]

GRPC_CODES = {
    "bad_data": grpc.StatusCode.INVALID_ARGUMENT,
    "too_large": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "overloaded": grpc.StatusCode.UNAVAILABLE,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
}


def status(refused: Refused) -> status_pb2.Status:
    """The Status of a refusal; with RetryInfo exactly when trying again may help (OTLP, "OTLP/gRPC Throttling")."""
    message = status_pb2.Status(
        code=GRPC_CODES[refused.kind].value[0], message=refused.reason[: DEFAULT.error_message_chars_max]
    )
    if refused.retry_after_seconds > 0:
        delay = Duration()
        delay.FromNanoseconds(int(refused.retry_after_seconds * 1_000_000_000))
        message.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return message
