"""The recorder: every item in exactly one run, once, whatever stops it and whatever comes twice."""

from __future__ import annotations

import random
from pathlib import Path

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sidecar.journal import Frame, FrameSignal
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.store import RunStore
from sidecar.translation import FrameTranslator
from tests.tools.translators import loaded

NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 40)
TRANSLATOR = loaded()


class World:
    """A recorder over a file; `crash` is what kill -9 leaves: committed transactions and nothing else."""

    def __init__(self, folder: Path, lifecycle: Lifecycle = NEVER, run_key=("affidavit.run.id", "trace_id")) -> None:
        self._path, self._lifecycle, self._run_key = folder / "runs.sqlite", lifecycle, run_key
        self._sequence = 0
        self.unrecorded: list[tuple[int, str]] = []
        self.crash()

    def crash(self) -> None:
        self.store = RunStore(self._path, durable=False)
        self.recorder = Recorder(
            store=self.store,
            lifecycle=self._lifecycle,
            translate=FrameTranslator(TRANSLATOR),
            run_key=self._run_key,
            source="urn:affidavit:test",
            unrecorded=lambda frame, reason: self.unrecorded.append((frame.sequence, reason)),
        )

    def frame(self, signal: int, body: bytes, at: int = 1_000) -> Frame:
        self._sequence += 1
        return Frame(self._sequence, at, signal, 0, body)

    def spans(self, *spans: dict, at: int = 1_000, resource: dict | None = None) -> Frame:
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        for key, value in (resource or {}).items():
            group.resource.attributes.add(key=key).value.string_value = value
        scope = group.scope_spans.add()
        for span in spans:
            attributes = span.pop("attributes", {})
            made = scope.spans.add(**{"trace_id": b"t" * 16, "name": "s", **span})
            for key, value in attributes.items():
                made.attributes.add(key=key).value.string_value = value
        return self.frame(FrameSignal.TRACES, request.SerializeToString(), at)

    def close(self, run_id: str, at: int = 2_000, **counts: int) -> Frame:
        request = pb.CloseRunRequest(run_id=run_id, counts=pb.SenderCounts(**counts) if counts else None)
        return self.frame(FrameSignal.CLOSE_RUN, request.SerializeToString(), at)

    def receipt(self, run_id: str, key: str, body: bytes = b"{}", sequence: int = 0) -> Frame:
        receipt = pb.Receipt(run_id=run_id, kind="k", idempotency_key=key, body_json=body, sequence=sequence)
        return self.frame(FrameSignal.RECEIPTS, pb.SubmitReceiptsRequest(receipts=[receipt]).SerializeToString())

    def events(self, run_id: str, part: int = 1) -> list[dict]:
        row = next(row for row in self.store.parts(run_id) if row.part == part)
        return [orjson.loads(line) for piece in self.store.lines(row) for line in piece.splitlines()]

    def types(self, run_id: str, part: int = 1) -> list[str]:
        return [event["type"].removeprefix("affidavit.").removesuffix(".v1") for event in self.events(run_id, part)]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


TRACE = (b"t" * 16).hex()


def test_a_resource_and_a_scope_are_recorded_once_before_the_first_span_that_refers_to_them(world):
    world.recorder.record(
        [world.spans({"span_id": b"1" * 8}, {"span_id": b"2" * 8}), world.spans({"span_id": b"3" * 8})]
    )
    assert world.types(TRACE) == ["run.opened", "otel.resource", "otel.scope", "otel.span", "otel.span", "otel.span"]
    opened, resource, scope, *spans = world.events(TRACE)
    assert {span["data"]["resource"] for span in spans} == {resource["data"]["digest"]}
    assert {span["data"]["scope"] for span in spans} == {scope["data"]["digest"]}
    assert opened["seq"] == 0


@pytest.mark.parametrize("crash_between", [False, True])
def test_a_repeated_span_is_recorded_once_and_counted_even_across_a_crash(world, crash_between):
    world.recorder.record([world.spans({"span_id": b"1" * 8})])
    if crash_between:
        world.crash()
    world.recorder.record([world.spans({"span_id": b"1" * 8})])
    world.recorder.close_all("shutdown", 5)
    assert world.types(TRACE).count("otel.span") == 1
    assert world.events(TRACE)[-1]["data"]["duplicates"] == 1


def test_a_span_id_that_comes_again_with_other_content_is_recorded_as_well(world):
    world.recorder.record([world.spans({"span_id": b"1" * 8}), world.spans({"span_id": b"1" * 8, "name": "other"})])
    assert world.types(TRACE).count("otel.span") == 2


def test_a_receipt_that_comes_again_with_other_content_is_recorded_and_named(world):
    world.recorder.record(
        [world.receipt("r", "k", b'{"a":1}'), world.receipt("r", "k", b'{"a":1}'), world.receipt("r", "k", b'{"a":2}')]
    )
    assert world.types("r") == ["run.opened", "receipt", "run.gap", "receipt"]
    assert world.events("r")[2]["data"]["kind"] == "conflicting_receipt"


def test_a_hole_in_the_receipts_of_a_sender_is_a_gap(world):
    world.recorder.record([world.receipt("r", "a", sequence=1), world.receipt("r", "b", sequence=4), world.close("r")])
    gap = world.events("r")[-2]["data"]
    assert (gap["kind"], gap["count"]) == ("receipt_sequence", 2)


def test_receipts_that_go_on_in_the_next_part_have_no_hole_and_one_between_them_is_a_gap(world):
    world.recorder.record([world.receipt("r", "a", sequence=1), world.receipt("r", "b", sequence=2), world.close("r")])
    world.recorder.record([world.receipt("r", "c", sequence=3), world.close("r")])
    world.recorder.record([world.receipt("r", "e", sequence=5), world.receipt("r", "g", sequence=7), world.close("r")])
    gaps = [[event["data"] for event in world.events("r", part) if "gap" in event["type"]] for part in (1, 2, 3)]
    assert [[(gap["kind"], gap["count"]) for gap in part] for part in gaps] == [[], [], [("receipt_sequence", 1)]]


def test_spans_that_the_sender_counted_and_that_did_not_arrive_are_a_gap(world):
    world.recorder.record([world.spans({"span_id": b"1" * 8}), world.close(TRACE, spans_ended=3)])
    gap, closed = world.events(TRACE)[-2:]
    assert (gap["data"]["kind"], gap["data"]["count"]) == ("sender_spans_ended", 2)
    assert closed["data"]["sender_counts"] == {"spans_ended": "3"}


def test_what_comes_after_the_end_opens_the_next_part_and_counts_on(world):
    world.recorder.record([world.spans({"span_id": b"1" * 8}), world.close(TRACE), world.spans({"span_id": b"2" * 8})])
    first, second = world.store.parts(TRACE)
    assert (first.state, second.state, second.first_seq) == ("closed", "open", first.next_seq)
    assert world.events(TRACE, part=2)[0]["data"]["reason"] == "late"


def test_closing_a_run_twice_changes_nothing(world):
    world.recorder.record([world.spans({"span_id": b"1" * 8}), world.close(TRACE)])
    before = world.events(TRACE)
    world.recorder.record([world.close(TRACE)])
    assert (world.events(TRACE), len(world.store.parts(TRACE))) == (before, 1)


def test_a_run_that_the_sender_closes_without_having_sent_anything_is_evidence(world):
    world.recorder.record([world.close("unheard-of", spans_ended=2)])
    assert world.types("unheard-of") == ["run.opened", "run.gap", "run.closed"]


def test_the_run_id_of_the_item_wins_over_its_resource_and_that_over_its_trace(world):
    span = {"span_id": b"1" * 8}
    world.recorder.record(
        [
            world.spans(
                {**span, "attributes": {"affidavit.run.id": "item"}}, resource={"affidavit.run.id": "resource"}
            ),
            world.spans(dict(span), resource={"affidavit.run.id": "resource"}),
            world.spans(dict(span)),
        ]
    )
    assert [len(world.store.parts(run_id)) for run_id in ("item", "resource", TRACE)] == [1, 1, 1]


def test_a_run_id_that_cannot_be_a_file_name_becomes_its_digest(world):
    world.recorder.record([world.spans({"span_id": b"1" * 8, "attributes": {"affidavit.run.id": "../../etc/passwd"}})])
    assert [row.run_id[:7] for row in world.store.in_state("open")] == ["sha256-"]


def test_other_keys_can_tell_runs_apart(tmp_path):
    world = World(tmp_path, run_key=("session.id", "trace_id"))
    world.recorder.record([world.spans({"span_id": b"1" * 8, "attributes": {"session.id": "s-1"}})])
    assert world.types("s-1")[-1] == "otel.span"


def test_logs_and_metrics_without_a_trace_make_a_run_of_their_resource(world):
    logs, metrics = ExportLogsServiceRequest(), ExportMetricsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(observed_time_unix_nano=5).body.string_value = "b"
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.sum.data_points.add(as_int=1, time_unix_nano=6)
    world.recorder.record(
        [
            world.frame(FrameSignal.LOGS, logs.SerializeToString()),
            world.frame(FrameSignal.METRICS, metrics.SerializeToString()),
        ]
    )
    (run,) = world.store.in_state("open")
    assert run.run_id.startswith("resource-")
    assert (run.logs, run.metrics) == (1, 1)


def test_a_run_that_reaches_its_size_closes_and_goes_on_in_the_next_part(tmp_path):
    world = World(tmp_path, Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=4_000))
    world.recorder.record([world.spans({"span_id": bytes([n + 1]) * 8}) for n in range(20)])
    parts = world.store.parts(TRACE)
    assert len(parts) > 1
    assert [part.close_reason for part in parts[:-1]] == ["size"] * (len(parts) - 1)
    assert sum(part.spans for part in parts) == 20


def test_damage_of_the_journal_is_a_gap_in_every_open_run(world):
    first = world.spans({"span_id": b"1" * 8})
    world._sequence += 3
    world.recorder.record([first, world.spans({"span_id": b"2" * 8, "trace_id": b"u" * 16})])
    gap = world.events(TRACE)[-1]["data"]
    assert (gap["kind"], gap["count"]) == ("journal", 3)


def test_a_rejected_span_does_not_spoil_the_others(world):
    world.recorder.record([world.spans({"span_id": bytes(8)}, {"span_id": b"2" * 8})])
    assert world.types(TRACE).count("otel.span") == 1


def test_what_is_recorded_does_not_depend_on_where_the_recorder_was_killed(tmp_path):
    """Law: however frames are cut into transactions and whenever the process dies between them, the events are the same."""

    def play(folder: Path, seed: int | None) -> dict[str, list[dict]]:
        folder.mkdir()
        world = World(folder)
        frames = [
            world.spans({"span_id": (n % 17 + 1).to_bytes(8, "big"), "trace_id": bytes([n % 3 + 1]) * 16}, at=n)
            for n in range(60)
        ]
        frames += [world.receipt("r", f"k{n % 5}", sequence=n % 5 + 1) for n in range(10)] + [world.close("r")]
        chance = random.Random(seed)
        while frames:
            size = chance.randint(1, 9) if seed is not None else len(frames)
            world.recorder.record(frames[:size])
            frames = frames[size:]
            if seed is not None and chance.random() < 0.5:
                world.crash()
        world.recorder.close_all("shutdown", 99)
        return {row.run_id: world.events(row.run_id) for row in world.store.in_state("closed")}

    expected = play(tmp_path / "whole", None)
    for seed in range(5):
        assert play(tmp_path / str(seed), seed) == expected, f"seed {seed}"


def test_a_failing_transaction_leaves_neither_events_nor_cursor(world, monkeypatch):
    world.recorder.record([world.spans({"span_id": b"1" * 8})])
    monkeypatch.setattr(world.store, "append", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    frame = world.spans({"span_id": b"2" * 8})
    with pytest.raises(OSError, match="disk full"):
        world.recorder.record([frame])
    monkeypatch.undo()
    assert world.recorder.cursor == 1
    world.recorder.record([frame])
    assert [event["seq"] for event in world.events(TRACE)] == [0, 1, 2, 3, 4]
