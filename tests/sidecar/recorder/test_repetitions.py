"""Repetitions: told from what is new whatever was forgotten in between, in bounded memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sidecar.journal import Frame
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.store import RunStore
from sidecar.translation import FrameTranslator
from tests.tools.translators import loaded

NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 40)
TRANSLATOR = loaded()


def recorder(folder: Path) -> Recorder:
    return Recorder(
        store=RunStore(folder / "runs.sqlite", durable=False),
        lifecycle=NEVER,
        translate=FrameTranslator(TRANSLATOR),
        run_key=("trace_id",),
        source="urn:affidavit:test",
        unrecorded=lambda frame, reason: pytest.fail(reason),
    )


def frame(sequence: int, trace: int, number: float) -> Frame:
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=trace.to_bytes(16, "big"), span_id=b"12345678", name="s")
    )
    span.attributes.add(key="number").value.double_value = number
    return Frame(sequence, 5, 1, 0, request.SerializeToString())


def counts(folder: Path) -> list[tuple[int, int]]:
    """Spans and repetitions of each run."""
    store = RunStore(folder / "runs.sqlite", read_only=True)
    return [(run.spans, run.duplicates) for run in store.in_state("open")]


@pytest.mark.parametrize("number", [1.0, 0.0, -0.0, 0.5, 1e-6, float("nan"), float("inf"), -(2.0**52)])
def test_a_number_is_the_same_before_and_after_it_was_read_back(tmp_path, number):
    recorder(tmp_path).record([frame(1, 1, number)])
    recorder(tmp_path).record([frame(2, 1, number)])
    assert counts(tmp_path) == [(1, 1)]


def test_another_content_told_twice_is_recorded_once(tmp_path):
    recorder(tmp_path).record([frame(1, 1, 0.5), frame(2, 1, 1.5), frame(3, 1, 1.5), frame(4, 1, 0.5)])
    assert counts(tmp_path) == [(2, 2)]


def test_runs_that_had_to_be_forgotten_still_know_their_items(tmp_path, monkeypatch):
    monkeypatch.setattr("sidecar.recorder.open_runs._ITEMS_REMEMBERED_MAX", 3)
    one = recorder(tmp_path)
    for sequence in range(1, 41):
        one.record([frame(sequence, sequence % 8 + 1, 0.5)])
        assert sum(len(run.seen) for run in one._runs._open.values()) <= 3
    assert counts(tmp_path) == [(1, 4)] * 8


def test_a_run_larger_than_the_bound_is_not_forgotten_while_it_is_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("sidecar.recorder.open_runs._ITEMS_REMEMBERED_MAX", 3)
    one = recorder(tmp_path)
    one.record([frame(n, 1, n + 0.5) for n in range(1, 10)])
    assert [len(run.seen) for run in one._runs._open.values()] == [9]
