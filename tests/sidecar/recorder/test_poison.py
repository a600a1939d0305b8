"""Frames that cannot be recorded: a gap in evidence, the frame kept, and the next one recorded all the same."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evidence.limits import DEFAULT
from sidecar import limits
from sidecar.frames import JournalFrames
from sidecar.journal import Frame, FrameSignal
from sidecar.offline import Inputs, seal_files
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.run_writer import RunWriter
from sidecar.recorder.sealer import Sealer
from sidecar.recorder.store import RunStore
from sidecar.recorder.unrecorded import Unrecorded
from sidecar.tables import load_packs
from sidecar.translation import FrameTranslator
from tests.tools.translators import loaded

NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 40)
TRANSLATOR = loaded()
RUN = (b"r" * 16).hex()


class BrokenTables(FrameTranslator):
    """What a bug in the translator would be: one span on which it always raises."""

    def __call__(self, frame):
        for item in super().__call__(frame):
            if item.message.name == "poison":
                raise KeyError("what the span said")
            yield item

    def exported(self, frame, *, keep_unmapped):
        if b"poison" in frame.body:
            raise KeyError("what the span said")
        return super().exported(frame, keep_unmapped=keep_unmapped)


class World:
    def __init__(self, folder: Path) -> None:
        self.told: list[tuple[int, str]] = []
        self.store = RunStore(folder / "runs.sqlite", durable=False)
        self.recorder = Recorder(
            store=self.store,
            lifecycle=NEVER,
            translate=BrokenTables(TRANSLATOR),
            run_key=("trace_id",),
            source="urn:affidavit:test",
            unrecorded=lambda frame, reason: self.told.append((frame.sequence, reason)),
        )

    def events(self, run_id: str = RUN) -> list[dict]:
        pieces = self.store.lines(self.store.parts(run_id)[-1])
        return [orjson.loads(line) for piece in pieces for line in piece.splitlines()]

    def names(self) -> list[str]:
        return [event["data"]["span"]["name"] for event in self.events() if "span" in event["data"]]

    def gaps(self) -> list[dict]:
        return [event["data"] for event in self.events() if event["type"] == "affidavit.run.gap.v1"]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def spans(*names: str, resource: str = "", trace: bytes = b"r" * 16) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    if resource:
        group.resource.attributes.add(key="k").value.string_value = resource
    scope = group.scope_spans.add()
    for number, name in enumerate(names, 1):
        scope.spans.add(trace_id=trace, span_id=name[:2].encode() + number.to_bytes(6, "big"), name=name)
    return request.SerializeToString()


def frame(sequence: int, body: bytes, signal: int = FrameSignal.TRACES, encoding: int = 0) -> Frame:
    return Frame(sequence, 1_000, signal, encoding, body)


def test_a_frame_that_raises_is_a_gap_in_every_open_run_and_the_next_one_is_recorded(world):
    world.recorder.record([frame(1, spans("first"))])
    world.recorder.record([frame(2, spans("before", "poison", "behind")), frame(3, spans("next"))])
    assert world.names() == ["first", "before", "next"]
    assert [(gap["kind"], gap["count"]) for gap in world.gaps()] == [("unrecordable", 1)]
    assert world.recorder.cursor == 3
    assert [sequence for sequence, _ in world.told] == [2]


def test_what_is_said_of_a_frame_that_raises_names_the_place_and_not_its_content(world):
    world.recorder.record([frame(1, spans("first")), frame(2, spans("poison"))])
    assert "KeyError in test_poison.py, line" in world.told[0][1]
    assert "KeyError in test_poison.py, line" in world.gaps()[0]["detail"]
    assert "what the span said" not in world.told[0][1] + world.gaps()[0]["detail"]


@pytest.mark.parametrize(("signal", "encoding"), [(99, 0), (FrameSignal.TRACES, 9)])
def test_a_frame_of_a_newer_version_is_kept_and_passed(world, signal, encoding):
    world.recorder.record([frame(1, spans("first")), frame(2, b"?", signal, encoding), frame(3, spans("next"))])
    assert (world.names(), world.recorder.cursor) == (["first", "next"], 3)
    assert [sequence for sequence, _ in world.told] == [2]


def test_spans_whose_resource_does_not_fit_a_line_are_gaps_each_and_it_is_tried_once(world, monkeypatch):
    large = spans("one", "two", "three", resource="\x01" * (DEFAULT.line_bytes_max // 6))
    tried = []
    write = RunWriter.write
    monkeypatch.setattr(RunWriter, "write", lambda *a, **k: (tried.append(a[2]), write(*a, **k))[1])
    world.recorder.record([frame(1, large), frame(2, spans("fits"))])
    assert world.names() == ["fits"]
    assert [gap["kind"] for gap in world.gaps()] == ["unrecordable"] * 3
    assert all("its resource: event of" in gap["detail"] for gap in world.gaps())
    assert world.told == [(1, "3 of its items could not be recorded; the gaps in their runs say why")]
    assert tried.count("affidavit.otel.resource.v1") == 1 + 1


def test_a_sender_that_claims_more_spans_than_json_can_count_closes_its_run(world):
    body = pb.CloseRunRequest(run_id=RUN, counts=pb.SenderCounts(spans_ended=2**64 - 1)).SerializeToString()
    world.recorder.record([frame(1, spans("one")), frame(2, body, FrameSignal.CLOSE_RUN)])
    (gap,) = world.gaps()
    assert (gap["kind"], gap["count"]) == ("sender_spans_ended", 2**53 - 1)
    assert "18446744073709551615" in gap["detail"]
    assert world.events()[-1]["data"]["sender_counts"] == {"spans_ended": "18446744073709551615"}
    assert world.told == []


def test_a_disk_that_fails_is_not_taken_for_a_poison_frame(world, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    world.recorder.record([frame(1, spans("first"))])
    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "append", full)
        with pytest.raises(sqlite3.OperationalError):
            world.recorder.record([frame(2, spans("second"))])
    assert (world.told, world.recorder.cursor) == ([], 1)
    world.recorder.record([frame(2, spans("second"))])
    assert world.names() == ["first", "second"]


def test_a_request_of_many_spans_reaches_the_store_in_pieces(world):
    world.recorder.record([frame(1, spans(*(f"{number:04}" for number in range(5_000))))])
    pieces = list(world.store.lines(world.store.parts(RUN)[0]))
    assert max(map(len, pieces)) < 2 << 20
    assert len(world.names()) == 5_000


def test_what_was_acknowledged_under_wider_bounds_is_recorded_and_exported(world):
    """`receiver.request_bytes_max` is the operator's; what came under a wider bound must not stop a consumer with the default one."""
    body = spans("1" * (33 << 20), "2" * (33 << 20))
    assert len(body) > limits.DEFAULT.request_bytes_max
    world.recorder.record([frame(1, body)])
    assert [name[:1] for name in world.names()] == ["1", "2"]
    assert FrameTranslator(TRANSLATOR).exported(frame(1, body), keep_unmapped=True) == (body, 2)


# ---------------------------------------------------------------- kept, and sealed later


def test_a_kept_frame_is_a_file_that_seal_takes_as_it_is(tmp_path):
    text = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%s","spanId":"%s"}]}]}]}' % (b"0a" * 16, b"0b" * 8)
    keep = Unrecorded(tmp_path / "unrecorded")
    kept = [
        keep.keep(frame(7, spans("kept"))),
        keep.keep(frame(8, text, encoding=1)),
        keep.keep(frame(7, spans("kept"))),
    ]
    assert [path.name for path in kept] == ["7.traces.pb", "8.traces.json", "7.traces.pb"]
    inputs = Inputs(kept[:2])
    tables = {"packs": load_packs(["baseline"]), "translator": TRANSLATOR, "profiles": {}, "run_key": ("trace_id",)}
    assert {sealed.run_id for sealed in seal_files(inputs, tmp_path / "out", signer=None, **tables)} == {RUN, "0a" * 16}
    assert inputs.refused == []


def test_what_is_kept_is_bounded_and_whoever_asked_is_told(tmp_path):
    keep = Unrecorded(tmp_path / "unrecorded", bytes_max=100)
    assert keep.keep(frame(1, b"x" * 60, FrameSignal.RECEIPTS)).name == "1.receipts.pb"
    assert keep.keep(frame(2, b"x" * 60)) is None
    assert keep.keep(frame(1, b"x" * 60, FrameSignal.RECEIPTS)).read_bytes() == b"x" * 60
    assert keep.keep(frame(3, b"x" * 40, 99, 9)).name == "3.signal-99.encoding-9"


# ---------------------------------------------------------------- the other consumers


def test_a_frame_on_which_the_translation_fails_is_exported_as_it_came(tmp_path):
    bodies = {1: spans("fine"), 2: spans("poison"), 3: spans("fine")}
    failed: list[int] = []

    class Reader:
        def frames(self, after):
            yield from (frame(sequence, body) for sequence, body in bodies.items() if sequence > after)

    source = JournalFrames(
        Reader(),
        BrokenTables(TRANSLATOR),
        keep_unmapped=True,
        untranslated=lambda frame, error: failed.append((frame.sequence, type(error))),
    )
    assert [(each.sequence, each.body, each.items) for each in source.frames(0)] == [
        (sequence, body, 1) for sequence, body in bodies.items()
    ]
    assert failed == [(2, KeyError)]


def test_a_run_that_cannot_be_sealed_rests_and_does_not_hold_up_the_others(world, tmp_path, monkeypatch):
    world.recorder.record([frame(1, spans("one")), frame(2, spans("other", trace=b"o" * 16))])
    world.recorder.close_all("shutdown", 2_000)
    now, failures = [0.0], []
    sealer = Sealer(
        store=world.store,
        out=tmp_path,
        packs=load_packs(["baseline"]),
        translator=TRANSLATOR,
        profiles={},
        source="urn:affidavit:test",
        chained=True,
        clock_seconds=lambda: now[0],
    )
    seal = Sealer._seal

    def broken(self, run):
        if run.run_id == RUN:
            raise KeyError("a fault of ours")
        return seal(self, run)

    def one_pass() -> list[str]:
        return [sealed.run_id for sealed in sealer.seal_closed(lambda run, error: failures.append(now[0]))]

    with monkeypatch.context() as patch:
        patch.setattr(Sealer, "_seal", broken)
        assert one_pass() == [(b"o" * 16).hex()]
        for second in range(1, 12):
            now[0] = second / 2
            assert one_pass() == []
        assert failures == [0.0, 1.0, 3.0]
    now[0] = 7.0
    assert one_pass() == [RUN]
