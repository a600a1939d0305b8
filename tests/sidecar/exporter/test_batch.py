"""Joining frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sidecar.exporter.batch import batches
from sidecar.exporter.source import ExportFrame
from sidecar.otlp.signal import OtlpSignal

ALL = frozenset(OtlpSignal)


def numbered(parts):
    return [ExportFrame(sequence, signal, body, 1) for sequence, (signal, body) in enumerate(parts, start=1)]


frames_of_anything = st.lists(st.tuples(st.sampled_from(list(OtlpSignal)), st.binary(max_size=12))).map(numbered)


@given(frames_of_anything, st.sets(st.sampled_from(list(OtlpSignal))), st.integers(1, 20), st.integers(1, 6))
def test_batches_hold_every_wanted_frame_once_and_in_order(frames, signals, bytes_max, frames_max):
    """Prefix and balance: nothing is lost, doubled or reordered, every bound holds, and the cursor ends at the end."""
    found = list(batches(frames, signals, bytes_max=bytes_max, frames_max=frames_max))
    assert [f for f in frames if f.body and f.signal in signals] == [f for batch in found for f in batch.frames]
    assert all(b.body == b"".join(f.body for f in b.frames) for b in found)
    assert all(len({f.signal for f in b.frames}) <= 1 for b in found)
    assert all(len(b.body) <= bytes_max or len(b.frames) == 1 for b in found)
    assert all(len(b.frames) <= frames_max for b in found)
    throughs = [b.through for b in found]
    assert throughs == sorted(set(throughs))
    assert (frames[-1].sequence if frames else None) == (throughs[-1] if throughs else None)


@given(frames_of_anything, st.integers(1, 20))
def test_a_position_between_two_batches_leaves_the_right_rest(frames, bytes_max):
    """Whoever stops after any batch and reads on from its `through` sends exactly what was not sent."""
    found = list(batches(frames, ALL, bytes_max=bytes_max, frames_max=4))
    for index, batch in enumerate(found):
        rest = [f for f in frames if f.sequence > batch.through and f.body]
        assert rest == [f for later in found[index + 1 :] for f in later.frames]


@given(st.lists(st.lists(st.text(max_size=5), max_size=3), min_size=1, max_size=5))
def test_joined_bodies_decode_to_the_items_of_all_in_order(names_of_frames):
    """Protobuf merges what is joined: the law that joining rests on."""
    bodies = []
    for names in names_of_frames:
        request = ExportTraceServiceRequest()
        for name in names:
            request.resource_spans.add().scope_spans.add().spans.add(name=name)
        bodies.append(request.SerializeToString())
    joined = ExportTraceServiceRequest.FromString(b"".join(bodies))
    names = [span.name for group in joined.resource_spans for scope in group.scope_spans for span in scope.spans]
    assert [name for names in names_of_frames for name in names] == names


def test_at_most_one_frame_is_read_ahead():
    """What waits lies in the source: a batch is given before the frame after the next is asked for."""
    read = []

    def endless():
        for sequence in range(1, 1_000_000_000):
            read.append(sequence)
            yield ExportFrame(sequence, OtlpSignal.TRACES, b"12345678", 1)

    batch = next(batches(endless(), ALL, bytes_max=80, frames_max=1000))
    assert (len(batch.frames), len(read)) == (10, 11)


@pytest.mark.parametrize("signals", [frozenset(), ALL])
def test_a_run_of_frames_with_nothing_to_send_moves_the_cursor_in_steps(signals):
    """A long stretch of other records neither holds the cursor back nor keeps a stop waiting."""
    frames = [ExportFrame(sequence, OtlpSignal.LOGS, b"" if signals else b"x", 0) for sequence in range(1, 11)]
    found = list(batches(frames, signals, bytes_max=100, frames_max=4))
    assert [(len(batch.frames), batch.through) for batch in found] == [(0, 4), (0, 8), (0, 10)]
