"""A perturbed run against the recorder itself: what would it have written, had only this arrived?"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evidence import event as types
from evidence.soak.rerecording import Arrival, rerecorded
from semconv.translate import Translator
from sidecar.journal import Frame, FrameEncoding, FrameSignal
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.store import RunStore
from sidecar.translation import FrameTranslator

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
RECORDINGS = [
    "openllmetry-openai-agents@0.62.4/tools_responses",
    "pydantic-ai-slim@2.68.0/tools_loop",
    "openinference-instrumentation-langchain@0.1.80/agent_tools_loop",
]
RUN_ID = "soaked"
NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 62)
Lines = list[bytes]


@pytest.fixture(scope="module")
def translator():
    return Translator.load("gen-ai-dev")


def single_spans(recording: str) -> list[bytes]:
    """Each span of a recording as a request of its own, all in one run."""
    request = ExportTraceServiceRequest.FromString((CORPUS / f"{recording}.traces.otlp.pb").read_bytes())
    bodies = []
    for whole in request.resource_spans:
        for scoped in whole.scope_spans:
            for span in scoped.spans:
                one = ExportTraceServiceRequest()
                resource = one.resource_spans.add(resource=whole.resource, schema_url=whole.schema_url)
                resource.resource.attributes.add(key="affidavit.run.id").value.string_value = RUN_ID
                kept = resource.scope_spans.add(scope=scoped.scope, schema_url=scoped.schema_url)
                kept.spans.add().CopyFrom(span)
                bodies.append(one.SerializeToString())
    return bodies


def receipts(count: int) -> list[bytes]:
    made = []
    for number in range(1, count + 1):
        one = pb.Receipt(
            run_id=RUN_ID, kind="step", idempotency_key=f"k{number}", body_json=b'{"a":1}', sequence=number
        )
        made.append(pb.SubmitReceiptsRequest(receipts=[one]).SerializeToString())
    return made


def record(
    folder: Path, translator: Translator, bodies: list[tuple[FrameSignal, bytes]], close: pb.CloseRunRequest | None
) -> Lines:
    """What the recorder writes of some requests, received a second apart."""
    frames = [*bodies]
    if close is not None:
        frames.append((FrameSignal.CLOSE_RUN, close.SerializeToString()))
    store = RunStore(folder / "runs.sqlite", durable=False)
    recorder = Recorder(
        store=store,
        lifecycle=NEVER,
        translate=FrameTranslator(translator),  # which knows frames by their number: one for each series of them
        run_key=("affidavit.run.id",),
        source="urn:affidavit:test",
        unrecorded=lambda _frame, reason: pytest.fail(reason),
    )
    recorder.record([Frame(n, 0, signal, FrameEncoding.PROTOBUF, body) for n, (signal, body) in enumerate(frames, 1)])
    (row,) = store.parts(RUN_ID)
    lines = b"".join(store.lines(row)).splitlines()
    store.close()
    return lines


def again(lines: Lines, keep) -> Lines:
    """The run recorded again, of its spans and receipts those whose place among them `keep` takes."""
    arrivals, place = [], 0
    for line in lines:
        event = orjson.loads(line)
        absent = False
        if event["type"] in {types.SPAN, types.RECEIPT}:
            absent, place = not keep(place), place + 1
        arrivals.append(Arrival(event, line, absent=absent))
    return [line for _, line in rerecorded(arrivals)]


@pytest.mark.parametrize("counted", [True, False], ids=["counted by the sender", "not counted"])
@pytest.mark.parametrize("recording", RECORDINGS)
def test_a_run_of_which_items_are_lost_is_what_the_recorder_writes_without_them(
    tmp_path, translator, recording, counted
):
    bodies = [(FrameSignal.TRACES, body) for body in single_spans(recording)]
    for number, body in enumerate(receipts(4)):
        bodies.insert(2 * number + 1, (FrameSignal.RECEIPTS, body))
    close = pb.CloseRunRequest(run_id=RUN_ID, outcome_json=b'{"ok":true}')
    if counted:
        close.counts.spans_ended, close.counts.receipts, close.counts.logs = len(bodies) - 4, 4, 0
    (tmp_path / "whole").mkdir()
    whole = record(tmp_path / "whole", translator, bodies, close)
    assert again(whole, lambda _: True) == whole
    for step in (2, 3):
        folder = tmp_path / f"part{step}"
        folder.mkdir()
        kept = [body for place, body in enumerate(bodies) if place % step]
        # The run is opened by its first item, and by no other.
        expected = record(folder, translator, [bodies[0], *kept], close)
        assert again(whole, lambda place, step=step: place == 0 or place % step) == expected


def test_a_repetition_is_counted_as_the_recorder_counts_it(tmp_path, translator):
    bodies = [(FrameSignal.TRACES, body) for body in single_spans(RECORDINGS[1])]
    close = pb.CloseRunRequest(run_id=RUN_ID)
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
    once = record(tmp_path / "once", translator, bodies, close)
    twice = record(tmp_path / "twice", translator, [*bodies, *bodies[1:]], close)
    arrivals = []
    for line in once:
        arrival = Arrival(orjson.loads(line), line)
        arrivals.append(arrival)
        if arrival.event["type"] == types.SPAN and len([a for a in arrivals if a.event["type"] == types.SPAN]) > 1:
            arrivals.append(arrival._replace(again=True))
    assert [line for _, line in rerecorded(arrivals)] == twice
