"""The exporter's items of the OTLP checklist, each against a real backend on loopback."""

import gzip
import threading
from datetime import UTC, datetime
from random import Random

import pytest

from sidecar.errors import ConfigError
from sidecar.exporter.backend import Backend, signals_named
from sidecar.exporter.backoff import Backoff
from sidecar.exporter.exporter import Exporter
from sidecar.exporter.source import ExportFrame
from sidecar.otlp.signal import OtlpSignal
from sidecar.sink.sink import Answer

GRPC_CODES = {
    "CANCELLED": True,
    "UNKNOWN": False,
    "INVALID_ARGUMENT": False,
    "DEADLINE_EXCEEDED": True,
    "NOT_FOUND": False,
    "ALREADY_EXISTS": False,
    "PERMISSION_DENIED": False,
    "RESOURCE_EXHAUSTED": False,
    "FAILED_PRECONDITION": False,
    "ABORTED": True,
    "OUT_OF_RANGE": True,
    "UNIMPLEMENTED": False,
    "INTERNAL": False,
    "UNAVAILABLE": True,
    "DATA_LOSS": True,
    "UNAUTHENTICATED": False,
}
"""Every gRPC status code but OK: whether a client may send again (OTLP, "Failures")."""

ERRORS = [
    400,
    401,
    403,
    404,
    405,
    408,
    409,
    410,
    411,
    413,
    415,
    422,
    425,
    426,
    428,
    431,
    451,
    500,
    501,
    505,
    507,
    508,
    511,
]
"""HTTP errors that are not to be sent again: all but the four of OTLP, "Retryable Response Codes"."""


def failure(**how):
    """A failure on either protocol."""
    return Answer(**{"code": "UNAVAILABLE", "status": 503, **how})


@pytest.mark.parametrize("signal", OtlpSignal)
def test_otlp_03_partial_success_is_counted_and_never_sent_again(world, frame, protocol, signal):
    """Rejected items are counted with the backend's reason; the request went out once."""
    served = world.serve(protocol, Answer(rejected=2, message="too old"))
    world.source.add(frame(1, "a", "b", "c", signal=signal))
    stats = world.drain(served).stats()
    assert [1, {signal: 1}, {signal: 2}] == [len(served.sink.received), stats.exported, stats.rejected]
    assert [stats.cursor, stats.last_error, stats.retries] == [1, "too old", {}]


def test_otlp_04_warning_is_logged_and_the_exporter_goes_on(world, frame, protocol, caplog):
    """A message without a rejection is a success that is logged."""
    served = world.serve(protocol, Answer(message="please upgrade"))
    world.source.add(frame(1))
    stats = world.drain(served).stats()
    assert (stats.exported, stats.rejected, stats.warnings) == ({OtlpSignal.TRACES: 1}, {OtlpSignal.TRACES: 0}, 1)
    assert "please upgrade" in caplog.text


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_otlp_05_compression_none_and_gzip(world, frame, protocol, compression):
    """What arrives is what was to be sent; on the wire it is small when compression was asked for, and whole when not."""
    served = world.serve(protocol)
    relay = world.relay(served)
    large = frame(1, *["the same name"] * 1000)
    world.source.add(large)
    world.drain(served, endpoint=f"http://{relay.address}", compression=compression)
    (received,) = served.sink.taken
    assert large.body == received.body
    assert (relay.sent_bytes < len(large.body) / 4) == (compression == "gzip")
    if protocol == "http/protobuf" and compression == "gzip":
        assert (large.body, "gzip") == (gzip.decompress(received.wire), received.headers["content-encoding"])
        assert bytes(4) == received.wire[4:8]  # no time in the header: a retry is equal to the byte


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", ["90", "Tue, 01 Sep 2026 12:01:30 GMT"])
def test_otlp_15_retry_after_is_read_in_both_forms(world, frame, hurried, status, value):
    """Seconds and HTTP-date name the same wait of 90 s, which is kept in place of the backoff's milliseconds."""
    served = world.serve("http/protobuf", Answer(status=status, headers={"Retry-After": value}))
    world.source.add(frame(1))
    now = datetime(2026, 9, 1, 12, 0, 0, tzinfo=UTC)
    exporter = world.export(world.backend(served), clock=lambda: int(now.timestamp() * 1e9), stop=hurried)
    world.until(lambda: served.sink.taken)
    assert hurried.waits == [(90.0, True)]
    assert {f"http {status}": 1} == exporter.stats().retries


def test_otlp_16_resource_exhausted_with_retry_info_is_sent_again(world, frame):
    """RetryInfo says that the server can recover."""
    exhausted = Answer(code="RESOURCE_EXHAUSTED", retry_info_seconds=0.02)
    served = world.serve("grpc", exhausted, exhausted)
    world.source.add(frame(1))
    stats = world.drain(served).stats()
    assert (
        len(served.sink.received),
        len(served.sink.taken),
        stats.retries,
        stats.dropped,
    ) == (3, 1, {"grpc RESOURCE_EXHAUSTED": 2}, {})


def test_otlp_16_resource_exhausted_without_retry_info_is_dropped_and_counted(world, frame):
    """Without RetryInfo the code is final."""
    served = world.serve("grpc", Answer(code="RESOURCE_EXHAUSTED"))
    world.source.add(frame(1, "a", "b"))
    stats = world.drain(served).stats()
    assert (len(served.sink.received), stats.dropped, stats.retries) == (1, {"grpc RESOURCE_EXHAUSTED": 2}, {})


@pytest.mark.parametrize("code", GRPC_CODES)
def test_otlp_17_retryable_grpc_codes_exactly(world, frame, code):
    """Of all codes exactly those of the table are sent again; every other one is dropped and counted."""
    served = world.serve("grpc", Answer(code=code, message="no"))
    world.source.add(frame(1))
    stats = world.drain(served).stats()
    retried = GRPC_CODES[code]
    assert (2 if retried else 1) == len(served.sink.received)
    assert ({f"grpc {code}": 1} if retried else {}) == stats.retries
    assert ({} if retried else {f"grpc {code}": 1}) == stats.dropped


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_otlp_18_retryable_http_codes_are_sent_again(world, frame, status):
    """The four of the table."""
    served = world.serve("http/protobuf", Answer(status=status))
    world.source.add(frame(1))
    stats = world.drain(served).stats()
    assert (2, {f"http {status}": 1}, {}) == (len(served.sink.received), stats.retries, stats.dropped)


@pytest.mark.parametrize("status", ERRORS)
def test_otlp_18_other_http_errors_are_not_retried(world, frame, status):
    """500 among them."""
    served = world.serve("http/protobuf", Answer(status=status))
    world.source.add(frame(1))
    stats = world.drain(served).stats()
    assert (1, {}, {f"http {status}": 1}) == (len(served.sink.received), stats.retries, stats.dropped)


def test_otlp_18_500_is_not_retried(world, frame):
    """The counter-example that the checklist names."""
    served = world.serve("http/protobuf", Answer(status=500, message="panic"))
    world.source.add(frame(1))
    stats = world.drain(served).stats()
    assert (len(served.sink.received), stats.dropped, stats.last_error) == (1, {"http 500": 1}, "http 500: panic")


def test_otlp_18_a_redirect_is_not_followed(world, frame):
    """A redirect would turn the POST into a GET, or send credentials elsewhere: it is refused by name."""
    elsewhere = world.serve("http/protobuf")
    served = world.serve("http/protobuf", Answer(status=307, headers={"Location": elsewhere.url + "/v1/traces"}))
    world.source.add(frame(1))
    assert world.drain(served).stats().dropped == {"http 307": 1}
    assert not elsewhere.sink.received


def test_otlp_19_backoff_is_exponential_with_jitter():
    """Intervals double up to the maximum; each wait lies in the upper half of its interval, and two seeds differ."""
    waits = [Backoff(initial_seconds=1, max_seconds=30, random=Random(seed)) for seed in (1, 2)]
    first, second = ([backoff.next_seconds() for _ in range(8)] for backoff in waits)
    assert all(low / 2 <= wait <= low for wait, low in zip(first, [1, 2, 4, 8, 16, 30, 30, 30], strict=True))
    assert first != second


def test_otlp_19_backoff_begins_again_after_a_success(world, frame, protocol, hurried):
    """Waits of one run of failures say nothing about the next."""
    down = failure()
    served = world.serve(protocol, down, down, down, Answer(), down)
    world.source.add(frame(1), frame(2))
    world.export(world.backend(served, retry_initial_seconds=1, batch_bytes_max=1, retry_max_seconds=30), stop=hurried)
    world.until(lambda: len(served.sink.taken) == 2)
    waits = zip([seconds for seconds, _ in hurried.waits], [1, 2, 4, 1], strict=True)
    assert all(interval / 2 <= seconds <= interval for seconds, interval in waits)


def test_otlp_19_retry_info_wins_over_the_backoff(world, frame, hurried):
    """The wait is the one that the backend names; without a name the backoff goes on from where it is."""
    served = world.serve("grpc", Answer(code="UNAVAILABLE", retry_info_seconds=123.5), Answer(code="UNAVAILABLE"))
    world.source.add(frame(1))
    world.export(world.backend(served, retry_initial_seconds=1, retry_max_seconds=30), stop=hurried)
    world.until(lambda: served.sink.taken)
    (first, second) = hurried.waits
    assert first == (123.5, True)
    assert (1 <= second[0] <= 2, second[1]) == (True, False)


def test_otlp_19_retry_after_wins_over_the_backoff(world, frame, hurried):
    """As with RetryInfo, over HTTP."""
    served = world.serve("http/protobuf", Answer(status=502, headers={"Retry-After": "7"}))
    world.source.add(frame(1))
    world.export(world.backend(served, retry_initial_seconds=3600, retry_max_seconds=3600), stop=hurried)
    world.until(lambda: served.sink.taken)
    assert hurried.waits == [(7.0, True)]


def test_otlp_19_reconnecting_uses_the_same_backoff_and_jitter(world, frame, protocol, hurried):
    """Nobody listens: each try waits longer than the last, and once somebody does, everything arrives."""
    served = world.serve(protocol)
    served.server.stop()
    world.source.add(frame(1))
    world.export(world.backend(served, retry_initial_seconds=0.1, retry_max_seconds=1), stop=hurried)
    world.until(lambda: len(hurried.waits) >= 6)
    served.server.start()
    world.until(lambda: served.sink.taken)
    intervals = [0.1, 0.2, 0.4, 0.8, 1, 1]
    waits = zip(hurried.waits, intervals, strict=False)
    assert all(interval / 2 <= seconds <= interval and not binding for (seconds, binding), interval in waits)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_otlp_20_disconnect_without_an_answer_sends_the_same_bytes_again(world, frame, protocol, compression):
    """Two cut connections, then a success: three requests, equal to the byte."""
    served = world.serve(protocol, Answer(cut=True), Answer(cut=True))
    world.source.add(frame(1, "a"), frame(2, "b"))
    exporter = world.export(world.backend(served, compression=compression))
    world.until(lambda: served.sink.taken)
    assert len(served.sink.received) == 3
    assert len({received.wire for received in served.sink.received}) == 1
    assert sum(exporter.stats().retries.values()) >= 2  # connecting anew may fail as well


def test_otlp_20_no_answer_within_the_timeout_sends_the_same_bytes_again(world, frame, protocol):
    """A backend that hangs is asked again with the same request."""
    hold = threading.Event()
    world.stack.callback(hold.set)
    served = world.serve(protocol, Answer(hold=hold))
    world.source.add(frame(1))
    exporter = world.export(world.backend(served, timeout_seconds=0.1))
    world.until(lambda: len(served.sink.received) >= 2)
    assert len({received.wire for received in served.sink.received}) == 1
    assert exporter.stats().retries == {"grpc DEADLINE_EXCEEDED": 1} or exporter.stats().retries == {"http timeout": 1}


def test_otlp_21_refused_data_leaves_the_queue_counted_with_its_reason(world, frame, protocol):
    """What follows is delivered, the cursor moves on, and a record says what was refused and where it lies."""
    served = world.serve(protocol, Answer(code="INVALID_ARGUMENT", status=400, message="bad span"))
    drops = []
    world.source.add(frame(7, "a", "b"))
    exporter = world.export(world.backend(served), on_drop=drops.append, clock=lambda: 42)
    world.until(lambda: world.cursor.stored[-1] == 7)
    world.source.add(frame(8))
    world.until(lambda: served.sink.taken)
    (drop,) = drops
    assert drop == exporter.stats().drops[0]
    assert (
        drop.first_sequence,
        drop.last_sequence,
        drop.signal,
        drop.items,
        drop.time_unix_nano,
    ) == (7, 7, OtlpSignal.TRACES, 2, 42)
    assert drop.message == "bad span"
    assert drop.reason in {"grpc INVALID_ARGUMENT", "http 400"}


def test_otlp_30_unknown_fields_reach_the_backend_byte_for_byte(world, protocol):
    """Fields of a later OTLP version are carried along, in each frame of a joined request."""
    unknown = b"\xfa\x7f\x05later"  # field 2047, length-delimited
    frames = [ExportFrame(sequence, OtlpSignal.TRACES, unknown, 0) for sequence in (1, 2)]
    served = world.serve(protocol)
    world.source.add(*frames)
    world.drain(served)
    assert [unknown * 2] == [received.body for received in served.sink.taken]


def test_otlp_31_the_connection_is_kept(world, frame, protocol):
    """Requests one after the other, with pauses between, come over one connection."""
    served = world.serve(protocol)
    world.export(world.backend(served))
    for sequence in range(1, 6):
        world.source.add(frame(sequence))
        world.until(lambda sequence=sequence: len(served.sink.taken) == sequence)
    assert len({received.peer for received in served.sink.received}) == 1


def test_otlp_31_a_backend_that_restarts_loses_nothing(world, frame, protocol):
    """The server says goodbye, goes and comes back at its address; every frame arrives."""
    served = world.serve(protocol)
    world.export(world.backend(served))
    world.source.add(frame(1))
    world.until(lambda: served.sink.taken)
    served.server.stop()
    world.source.add(frame(2), frame(3))
    served.server.start()
    world.until(lambda: world.cursor.stored[-1] == 3)
    arrived = b"".join(received.body for received in served.sink.taken)
    assert all(f"item {sequence}".encode() in arrived for sequence in (1, 2, 3))


def test_otlp_32_a_slow_backend_holds_up_no_other(world, frame, protocol):
    """One backend hangs on its first request while the other gets everything; both read the same frames."""
    hold = threading.Event()
    world.stack.callback(hold.set)
    slow, quick = world.serve(protocol, Answer(hold=hold)), world.serve(protocol)
    cursors = type(world.cursor)(), type(world.cursor)()
    world.source.add(frame(1))
    world.export(world.backend(slow, name="slow"), cursor=cursors[0])
    world.until(lambda: slow.sink.received)
    world.export(world.backend(quick, name="quick"), cursor=cursors[1])
    for sequence in range(2, 30):
        world.source.add(frame(sequence))
    world.until(lambda: cursors[1].stored[-1] == 29)
    assert cursors[0].stored == [0]
    hold.set()
    world.until(lambda: cursors[0].stored[-1] == 29)


def test_otlp_37_an_item_above_the_batch_limit_goes_alone(world, frame, protocol):
    """Small, large, small: three requests, the large one whole, and no loop."""
    served = world.serve(protocol)
    frames = [frame(1, "small"), frame(2, "large" * 1000), frame(3, "small")]
    world.source.add(*frames)
    world.drain(served, batch_bytes_max=1000)
    assert [each.body for each in frames] == [received.body for received in served.sink.taken]


def test_otlp_38_shutdown_while_the_backend_is_down_keeps_what_was_in_flight(world, frame, protocol):
    """The cursor stays; the next start delivers."""
    served = world.serve(protocol)
    served.server.stop()
    world.source.add(frame(1), frame(2))
    exporter = world.export(world.backend(served))
    world.until(lambda: exporter.stats().retries)
    assert not exporter.stop(0.05)
    assert world.cursor.stored == [0]
    served.server.start()
    world.drain(served)
    assert world.cursor.stored[-1] == 2
    assert [frame(1).body + frame(2).body] == [received.body for received in served.sink.taken]


@pytest.mark.parametrize("name", ["profiles", "events", "", "Traces"])
def test_otlp_40_a_signal_that_a_backend_cannot_take_is_refused_at_start(name):
    """The key, what was got and what it takes are named."""
    with pytest.raises(ConfigError, match=rf"exporters\.mine\.signals: got '{name}', expected .*traces, logs, metrics"):
        signals_named(["traces", name], backend="mine")


def test_otlp_40_a_backend_without_signals_is_refused_at_start():
    """It would take nothing, and nobody would know."""
    with pytest.raises(ConfigError, match=r"exporters\.mine\.signals"):
        Backend(name="mine", endpoint="http://127.0.0.1:4317", signals=frozenset())


def test_signals_that_a_backend_is_not_sent_are_passed_over_without_a_request(world, frame, protocol):
    """The cursor moves past them, so that they never hold up the journal."""
    served = world.serve(protocol)
    world.source.add(frame(1, signal=OtlpSignal.LOGS), frame(2), frame(3, signal=OtlpSignal.METRICS))
    exporter: Exporter = world.drain(served, signals=frozenset({OtlpSignal.TRACES}))
    assert [received.signal for received in served.sink.received] == [OtlpSignal.TRACES]
    assert (world.cursor.stored[-1], exporter.stats().exported) == (3, {OtlpSignal.TRACES: 1})
