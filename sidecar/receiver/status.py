"""google.rpc.Status, the body of every OTLP failure, and the details that say when to come back.

https://opentelemetry.io/docs/specs/otlp/#failures, https://opentelemetry.io/docs/specs/otlp/#failures-1
"""

from __future__ import annotations

from typing import NoReturn, TypeAlias

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from evidence.redaction.detectors import hidden
from sidecar.limits import DEFAULT
from sidecar.receiver.admission import Refused

__all__ = ["Context", "abort", "status"]

Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"

_CODES = {
    "bad_data": grpc.StatusCode.INVALID_ARGUMENT,
    "too_large": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "overloaded": grpc.StatusCode.UNAVAILABLE,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
}


def status(refused: Refused) -> status_pb2.Status:
    """The Status of a refusal.

    RetryInfo stands in it exactly when trying again may help; bad data is named as a BadRequest.
    """
    reason = hidden(refused.reason)[: DEFAULT.error_message_chars_max]
    message = status_pb2.Status(code=_CODES[refused.kind].value[0], message=reason)
    if refused.retry_after_seconds > 0:
        delay = Duration()
        delay.FromNanoseconds(int(refused.retry_after_seconds * 1_000_000_000))
        message.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    if refused.kind == "bad_data":
        violation = error_details_pb2.BadRequest.FieldViolation(description=reason)
        message.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    return message


async def abort(context: Context, refused: Refused) -> NoReturn:
    """Ends a gRPC call with the Status of a refusal, in full in `grpc-status-details-bin`."""
    message = status(refused)
    context.set_trailing_metadata((("grpc-status-details-bin", message.SerializeToString()),))
    await context.abort(_CODES[refused.kind], message.message)
    raise AssertionError("abort raises")
