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
    request_parts_max: int = 1_000_000
    """Resources, scopes and items of one request. Empty ones take two bytes each, and the door looks at every one."""
    json_containers_max: int = 2_000_000
    """Arrays and objects of one OTLP/JSON body, counted before it is parsed: empty ones take three bytes each in the
    text and a hundred times that in memory. A full 64 MiB of ordinary spans has some 1.3 million."""
    receiving_bytes_max: int = 64 * MIB
    """Bodies being received and decoded, all requests together. A single one above it is taken when nothing else is held."""
    receiving_retry_seconds: float = 1.0
    """What a sender is told to wait when that bound is reached."""
    gzip_members_max: int = 1024
    """Members of one gzip body. Senders use one; an empty one costs more time than its 20 bytes."""
    http_head_bytes_max: int = 64 * KIB
    """Request line and headers of one HTTP request."""
    http_unread_bytes_max: int = 256 * MIB
    """Of a body behind its refusal, read past so that the client can read that refusal and use the connection again."""
    http_body_wait_seconds: float = 30.0
    """How long the next piece of an HTTP body may take."""
    grpc_streams_max: int = 128
    """Calls at once on one gRPC connection; more wait in the client."""
    receipts_max: int = 10_000
    """Receipts of one request."""
    receipt_body_bytes_max: int = 1 * MIB
    """One receipt's body, or the JSON object of OpenRun and CloseRun."""
    receipt_depth_max: int = 64
    """Nested arrays and objects of those."""
    receipt_keys_max: int = 50_000
    """Keys of recent receipts that the receiver remembers, some 200 bytes each."""
    run_id_bytes_max: int = 1024
    """One run id in UTF-8."""
    seal_wait_seconds_max: float = 600.0
    """How long SealRun waits when its caller set no deadline."""
    bundle_piece_bytes: int = 1 * MIB
    """One message of GetBundle."""
    input_bytes_max: int = 4 * 1024 * MIB
    """One file given to the offline twin (`affidavit seal`, `affidavit semconv map`)."""
    unrecorded_bytes_max: int = 1024 * MIB
    """Frames kept because they could not be recorded wholly."""
    export_batch_frames_max: int = 1024
    """Journal frames read for one export request."""
    export_batch_bytes_min: int = 256 * KIB
    """How far the size of export requests is lowered for a backend that says they are too large."""
    export_told_wait_seconds_max: float = 3600.0
    """The longest wait that a backend's Retry-After or RetryInfo can ask for."""
    export_told_wait_seconds_min: float = 0.01
    """The shortest; less would have us ask without a pause."""
    export_cursor_lag_seconds_max: float = 0.25
    """Cursors are stored at most this often while requests follow each other, and at once when they pause."""
    export_idle_wait_seconds: float = 0.25
    """How long an exporter waits for something new before it looks whether it should stop."""
    export_drop_records_max: int = 100
    """Requests that a backend refused for good, remembered for each backend."""
    export_log_interval_seconds: float = 60.0
    """A condition of a backend that persists is logged at most this often."""


DEFAULT = Limits()
"""The bounds when nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLimits:
    """The bounds of the journal."""

    body_bytes_max: int = 64 * MIB
    """One frame's body; at most 4 GiB, for its length is written in four bytes."""
    segment_bytes: int = 64 * MIB
    """One segment, reserved at once and used again. A larger frame gets a segment of its own size."""
    group_bytes_max: int = 8 * MIB
    """Bodies made durable by one fdatasync; a larger one goes alone."""
    group_frames_max: int = 4096
    """Frames made durable by one fdatasync."""
    in_flight_bytes_max: int = 64 * MIB
    """Bodies accepted and not yet durable. A single body above it is taken when nothing else is in flight."""
    disk_bytes_max: int = 4 * 1024 * MIB
    """All segments that hold frames. Segments are at most an eighth of it."""
    spare_segments_max: int = 2
    """Recycled segments kept for use, beside the above."""
    busy_retry_seconds: float = 1.0
    """What a sender is told to wait when too much is in flight."""
    full_retry_seconds: float = 10.0
    """What a sender is told to wait when the disk bound is reached."""


JOURNAL = JournalLimits()
"""The bounds of the journal when nobody says otherwise."""
