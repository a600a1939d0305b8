"""The exporter's own promises: cursors, stopping, failures on our side, sizes."""

import subprocess
import sys
import threading
from collections import Counter

import pytest

from sidecar.errors import JournalError
from sidecar.exporter.exporter import Exporter
from sidecar.exporter.outcome import Accepted, Refused, Retry
from sidecar.exporter.source import ExportFrame
from sidecar.exporter.stop import Stop
from sidecar.limits import Limits
from sidecar.otlp.signal import OtlpSignal
from sidecar.sink.sink import Answer

TRACES = OtlpSignal.TRACES


class FakeTransport:
    """A backend in memory: answers by a function of the body."""

    def __init__(self, answer=lambda body: Accepted()):
        self.answer = answer
        self.bodies = []
        self.timeouts = []
        self.closed = False

    def __call__(self, backend, *, clock, limits):
        return self

    def send(self, signal, body, timeout_seconds):
        self.bodies.append(body)
        self.timeouts.append(timeout_seconds)
        return self.answer(body)

    def close(self):
        self.closed = True


def test_the_cursor_follows_what_was_accepted_and_progress_follows_the_cursor(world, frame, protocol):
    """`on_progress` hears of a sequence only once it is on disk: whoever releases the journal relies on it."""
    served = world.serve(protocol)
    on_disk = []
    world.source.add(*(frame(sequence) for sequence in range(1, 6)))
    exporter = world.export(
        world.backend(served, batch_bytes_max=1),
        on_progress=lambda sequence: on_disk.append((sequence, world.cursor.stored[-1])),
    )
    assert exporter.stop(20)
    assert world.cursor.stored == [0, 1, 2, 3, 4, 5]
    assert [(sequence, sequence) for sequence in range(1, 6)] == on_disk


def test_an_exporter_begins_after_its_cursor(world, frame, protocol):
    served = world.serve(protocol)
    world.source.add(frame(1), frame(2), frame(3))
    world.cursor.stored = [2]
    world.drain(served)
    assert [frame(3).body] == [received.body for received in served.sink.taken]


def test_cursors_are_stored_seldom_under_load_and_at_the_end(world, frame):
    """Each store is an fsync: a hundred requests in a row need not pay for a hundred."""
    world.source.add(*(frame(sequence) for sequence in range(1, 101)))
    backend = world.backend(world.serve("http/protobuf"), batch_bytes_max=1)
    limits = Limits(export_cursor_lag_seconds_max=3600)
    assert world.export(backend, connect=FakeTransport(), limits=limits).stop(20)
    assert world.cursor.stored == [0, 100]


def test_a_cursor_is_stored_before_a_wait(world, frame):
    """What was accepted before an outage is not sent again after a crash in it."""
    answers = iter([Accepted()])
    transport = FakeTransport(lambda body: next(answers, Retry(reason="http 503", after_seconds=3600)))
    world.source.add(frame(1), frame(2))
    backend = world.backend(world.serve("http/protobuf"), batch_bytes_max=1)
    world.export(backend, connect=transport, limits=Limits(export_cursor_lag_seconds_max=3600))
    world.until(lambda: world.cursor.stored[-1] == 1)


def test_a_cursor_that_cannot_be_stored_is_counted_and_stored_later(world, frame):
    """A full disk costs duplicates after a crash, never the thread."""
    world.cursor.error = OSError("no space left on device")
    world.source.add(frame(1))
    progressed = []
    backend = world.backend(world.serve("http/protobuf"))
    exporter = world.export(backend, on_progress=progressed.append, connect=FakeTransport())
    world.until(lambda: exporter.stats().errors)
    assert (progressed, exporter.stats().position, exporter.stats().cursor) == ([], 1, 0)
    world.cursor.error = None
    world.until(lambda: progressed == [1])
    assert exporter.stats().cursor == 1


def test_a_source_that_fails_is_counted_and_read_again(world, frame):
    """Reading is another room's work; its failure must not end the export."""
    frames, failures = world.source.frames, iter([JournalError("segment 7: bad crc"), ValueError("a bug")])

    def failing(after):
        if error := next(failures, None):
            raise error
        return frames(after)

    world.source.frames = failing
    world.source.add(frame(1))
    transport = FakeTransport()
    exporter = world.export(world.backend(world.serve("http/protobuf")), connect=transport)
    world.until(lambda: world.cursor.stored[-1] == 1)
    assert exporter.stats().errors == 2


def test_a_source_that_promises_what_it_cannot_give_is_not_asked_without_a_pause(world, frame, hurried):
    """The end of a journal may be unreadable: that must not cost a core."""
    rounds = []
    world.source.frames = lambda after: rounds.append(after) or iter(())
    world.source.add(frame(1))
    exporter = world.export(world.backend(world.serve("http/protobuf")), connect=FakeTransport(), stop=hurried)
    world.until(lambda: len(hurried.waits) >= 3)
    assert exporter.stop(20)
    assert len(rounds) <= len(hurried.waits) + 3


def test_a_source_that_fails_midway_does_not_pass_the_frame_it_failed_at(world, frame):
    """What was read before is delivered by the next reading; nothing is skipped."""
    frames, once = world.source.frames, iter([True])

    def failing(after):
        for each in frames(after):
            if each.sequence == 2 and next(once, False):
                raise JournalError("torn")
            yield each

    world.source.frames = failing
    world.source.add(frame(1), frame(2), frame(3))
    transport = FakeTransport()
    world.export(world.backend(world.serve("http/protobuf")), connect=transport)
    world.until(lambda: world.cursor.stored[-1] == 3)
    assert b"".join(frame(sequence).body for sequence in (1, 2, 3)) == b"".join(transport.bodies)


def test_a_drop_record_that_cannot_be_kept_does_not_repeat_the_request(world, frame):
    def fails(drop):
        raise OSError("no space left on device")

    transport = FakeTransport(lambda body: Refused(reason="http 400"))
    world.source.add(frame(1))
    exporter = world.export(world.backend(world.serve("http/protobuf")), connect=transport, on_drop=fails)
    assert exporter.stop(20)
    assert (len(transport.bodies), exporter.stats().errors, exporter.stats().dropped) == (1, 1, {"http 400": 1})


def test_requests_that_the_backend_finds_too_large_are_joined_less(world, frame):
    """We made them that large: nothing is dropped before the frames went as the agent sent them."""
    limits = Limits(export_batch_bytes_min=1, export_idle_wait_seconds=0.005)
    frames = [frame(sequence) for sequence in range(1, 33)]
    size = len(frames[0].body)
    transport = FakeTransport(
        lambda body: Refused(reason="http 413", too_large=True) if len(body) > 3 * size else Accepted()
    )
    world.source.add(*frames)
    exporter = world.export(
        world.backend(world.serve("http/protobuf"), batch_bytes_max=32 * size), connect=transport, limits=limits
    )
    assert exporter.stop(20)
    assert (exporter.stats().dropped, exporter.stats().exported) == ({}, {TRACES: 32})


def test_a_single_frame_that_is_too_large_is_dropped_and_those_after_it_arrive(world, frame):
    limits = Limits(export_batch_bytes_min=1, export_idle_wait_seconds=0.005)
    transport = FakeTransport(
        lambda body: Refused(reason="http 413", too_large=True) if len(body) > 1000 else Accepted()
    )
    world.source.add(frame(1), frame(2, "x" * 2000), frame(3))
    exporter = world.export(world.backend(world.serve("http/protobuf")), connect=transport, limits=limits)
    assert exporter.stop(20)
    assert (
        exporter.stats().dropped,
        exporter.stats().exported,
        exporter.stats().cursor,
    ) == ({"http 413": 1}, {TRACES: 2}, 3)


def test_a_backend_that_refuses_every_size_ends_in_drops_and_no_loop(world, frame):
    """The floor holds: a quota that answers as if size were the matter does not make us ask frame by frame."""
    transport = FakeTransport(lambda body: Refused(reason="grpc RESOURCE_EXHAUSTED", too_large=True))
    world.source.add(*(frame(sequence) for sequence in range(1, 101)))
    exporter = world.export(world.backend(world.serve("http/protobuf")), connect=transport)
    assert exporter.stop(20)
    assert exporter.stats().dropped == {"grpc RESOURCE_EXHAUSTED": 100}
    assert len(transport.bodies) < 6  # 4 MiB, 2, 1, 512 KiB, 256 KiB


@pytest.mark.parametrize(("rejected", "counted"), [(-1, 0), (5, 3), (2**63 - 1, 3)])
def test_a_backend_cannot_reject_more_than_it_was_sent(world, frame, rejected, counted):
    """exported + rejected = sent, whatever the backend claims."""
    served = world.serve("grpc", Answer(rejected=rejected, message="?"))
    world.source.add(frame(1, "a", "b", "c"))
    stats = world.drain(served).stats()
    assert ({TRACES: 3 - counted}, {TRACES: counted}) == (stats.exported, stats.rejected)


def test_the_response_limit_holds_over_http_and_makes_the_answer_final(world, frame):
    """OTLP, "OTLP/HTTP Response": a client must not read more, and must not send again."""
    served = world.serve("http/protobuf", Answer(status=200, body=b"x" * 2000), Answer(status=503, body=b"x" * 2000))
    world.source.add(frame(1), frame(2))
    limits = Limits(response_bytes_max=1000, export_idle_wait_seconds=0.005)
    exporter = world.export(world.backend(served, batch_bytes_max=1), limits=limits)
    assert exporter.stop(20)
    stats = exporter.stats()
    assert (stats.dropped, stats.retries) == ({"http response too large": 2}, {})


def test_the_response_limit_holds_over_grpc_and_makes_the_answer_final(world, frame):
    """OTLP, "OTLP/gRPC Response": gRPC itself reports RESOURCE_EXHAUSTED."""
    served = world.serve("grpc", Answer(message="x" * 2000))
    world.source.add(frame(1))
    exporter = world.export(
        world.backend(served), limits=Limits(response_bytes_max=1000, export_idle_wait_seconds=0.005)
    )
    assert exporter.stop(20)
    assert exporter.stats().dropped == {"grpc RESOURCE_EXHAUSTED": 1}


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_2xx_with_any_body_is_a_success(world, frame, status):
    """Some backends answer 201, or 200 with a page: sending again would double what they have."""
    served = world.serve("http/protobuf", Answer(status=status, body=b"<html>thanks</html>"))
    world.source.add(frame(1))
    stats = world.drain(served).stats()
    assert (stats.exported, len(served.sink.received)) == ({TRACES: 1}, 1)


def test_headers_and_our_name_are_sent_with_every_request(world, frame, protocol):
    served = world.serve(protocol)
    world.source.add(frame(1), frame(2))
    world.drain(served, headers={"Authorization": "Bearer x"}, batch_bytes_max=1)
    for received in served.sink.taken:
        assert received.headers["authorization"] == "Bearer x"
        assert received.headers["user-agent"].startswith("affidavit")


def test_signals_with_endpoints_of_their_own_go_there(world, frame, protocol):
    common, own = world.serve(protocol), world.serve(protocol)
    path = "/v1/logs" if protocol == "http/protobuf" else ""
    world.source.add(frame(1), frame(2, signal=OtlpSignal.LOGS))
    world.drain(common, signal_endpoints={OtlpSignal.LOGS: own.url + path})
    assert [received.signal for received in common.sink.taken] == [TRACES]
    assert [received.signal for received in own.sink.taken] == [OtlpSignal.LOGS]


def test_stop_drains_what_is_there(world, frame, protocol):
    """Frames that nobody had read when the stop came are delivered within its deadline."""
    served = world.serve(protocol)
    world.source.add(*(frame(sequence) for sequence in range(1, 51)))
    assert world.export(world.backend(served, batch_bytes_max=1)).stop(20)
    assert 50 == len(served.sink.taken) == world.cursor.stored[-1]


def test_stop_ends_at_its_deadline_under_a_backend_that_hangs(world, frame, protocol):
    """The request under way is given up, the cursor stays, and a late answer changes nothing any more."""
    hold = threading.Event()
    world.stack.callback(hold.set)
    served = world.serve(protocol, Answer(hold=hold))
    world.source.add(frame(1))
    exporter = world.export(world.backend(served, timeout_seconds=3600))
    world.until(lambda: served.sink.received)
    assert not exporter.stop(0.02)
    hold.set()
    world.until(lambda: served.sink.taken)
    assert world.cursor.stored == [0]


def test_no_request_during_a_stop_may_take_longer_than_the_stop(world, frame):
    """A timeout of an hour shrinks to what is left of the deadline."""
    transport = FakeTransport()
    stop = Stop()
    stop.request(20)
    world.source.add(frame(1))
    backend = world.backend(world.serve("http/protobuf"), timeout_seconds=3600)
    assert world.export(backend, connect=transport, stop=stop).join()
    assert [seconds <= 20 for seconds in transport.timeouts] == [True]


def test_stop_gives_up_at_once_on_a_wait_beyond_its_deadline(world, frame):
    """A backend that asked for an hour is not asked again before, and the shutdown does not wait for it either."""
    transport = FakeTransport(lambda body: Retry(reason="http 503", after_seconds=3600))
    world.source.add(frame(1))
    exporter = world.export(world.backend(world.serve("http/protobuf")), connect=transport)
    world.until(lambda: transport.bodies)
    assert not exporter.stop(60)
    assert (len(transport.bodies), transport.closed) == (1, True)


def test_stop_cuts_the_backoff_short_for_one_more_try(world, frame):
    """The backend may have come back meanwhile."""
    answers = iter([Retry(reason="http 503")])
    transport = FakeTransport(lambda body: next(answers, Accepted()))
    world.source.add(frame(1))
    backend = world.backend(world.serve("http/protobuf"), retry_initial_seconds=3000, retry_max_seconds=3000)
    exporter = world.export(backend, connect=transport)
    world.until(lambda: exporter.stats().failing)
    assert exporter.stop(20)
    assert len(transport.bodies) == 2


def test_stop_before_start_is_harmless(world):
    assert not Exporter(world.backend(world.serve("grpc")), world.source, world.cursor).stop(1)


def test_a_pause_never_goes_beyond_the_deadline():
    """The law of `Stop`, on a clock of its own."""
    stop = Stop(clock_seconds=lambda: 100.0)
    stop.request(5)
    assert stop.remaining_seconds() == 5
    assert not stop.pause(5.1, binding=True)
    assert stop.pause(3600, binding=False)
    stop.request(50)
    assert stop.remaining_seconds() == 5


def test_every_item_is_accounted_for(world, frame):
    """Balance: exported + rejected + dropped = read, by items, whatever mixture of answers comes."""
    outcomes = [
        Accepted(),
        Accepted(rejected=1),
        Refused(reason="http 400"),
        Retry(reason="http 503"),
        Accepted(rejected=99),
        Refused(reason="http 401"),
    ]
    answers = iter(outcomes * 20)
    transport = FakeTransport(lambda body: next(answers))
    frames = [frame(sequence, *"abc"[: sequence % 3 + 1]) for sequence in range(1, 61)]
    world.source.add(*frames)
    backend = world.backend(world.serve("http/protobuf"), batch_bytes_max=1)
    exporter = world.export(backend, connect=transport)
    assert exporter.stop(20)
    stats = exporter.stats()
    counted = sum(stats.exported.values()) + sum(stats.rejected.values()) + sum(stats.dropped.values())
    assert sum(each.items for each in frames) == counted
    assert Counter(stats.dropped).keys() == {"http 400", "http 401"}


def test_neither_grpc_nor_urllib3_is_loaded_before_a_backend_needs_it():
    """The worker's idle memory: 20 MiB and 12 MiB."""
    code = (
        "import sys, sidecar.exporter.exporter, sidecar.exporter.backend;"
        "print([m for m in ('grpc', 'urllib3', 'ssl', 'isal', 'http.client') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_records_of_drops_are_bounded(world, frame):
    transport = FakeTransport(lambda body: Refused(reason="http 400"))
    world.source.add(*(frame(sequence) for sequence in range(1, 21)))
    limits = Limits(export_drop_records_max=5, export_idle_wait_seconds=0.005)
    backend = world.backend(world.serve("http/protobuf"), batch_bytes_max=1)
    exporter = world.export(backend, connect=transport, limits=limits)
    assert exporter.stop(20)
    assert (
        [drop.first_sequence for drop in exporter.stats().drops],
        exporter.stats().dropped,
    ) == ([16, 17, 18, 19, 20], {"http 400": 20})


def test_an_empty_frame_moves_the_cursor_without_a_request(world):
    """A journal that gets receipts alone must still be released."""
    transport = FakeTransport()
    world.source.add(ExportFrame(1, TRACES, b"", 0), ExportFrame(2, TRACES, b"", 0))
    assert world.export(world.backend(world.serve("http/protobuf")), connect=transport).stop(20)
    assert (transport.bodies, world.cursor.stored[-1]) == ([], 2)
