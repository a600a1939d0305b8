"""Every bound of the sidecar, named with its unit.

Law: no queue, message, loop or cache of this room is without a bound, and each bound stands here.
"""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds in force. What a user may change comes from the settings; the rest is fixed."""

    request_bytes_max: int = 64 * MIB
    """One request body, compressed or not, before and after inflating (OTLP, "OTLP/gRPC Request" recommends 64 MiB)."""
    response_bytes_max: int = 4 * MIB
    """One response body (OTLP recommends 4 MiB)."""
    error_message_chars_max: int = 1024
    """`partial_success.error_message` and `Status.message`: shortened rather than refused."""
    json_depth_max: int = 200
    """Nested arrays and objects of an OTLP/JSON body. An AnyValue of depth 32 needs about 100."""
    input_bytes_max: int = 4 * 1024 * MIB
    """One file given to the offline twin (`affidavit seal`, `affidavit semconv map`)."""


DEFAULT = Limits()
"""The bounds when nobody says otherwise."""
