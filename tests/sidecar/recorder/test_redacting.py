"""What is withheld before anything is hashed: the same again when a frame is read again, and never by another way round."""

from __future__ import annotations

import sqlite3

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evidence.redaction.commitment import marks
from evidence.redaction.disclosures import Piece, read
from evidence.redaction.policy import read_policy
from evidence.redaction.proof import Proof
from sidecar.journal import Frame, FrameSignal
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.recorder import store as store_module
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.redacting import Redacting
from sidecar.recorder.store import RunRow, RunStore
from sidecar.redaction import Redactor
from sidecar.translation import FrameTranslator
from tests.evidence.secret_examples import found
from tests.tools.translators import loaded

NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 40)
TRANSLATOR = loaded()
SECRET = next(each.secret for each in found() if each.detector == "github_token")
TRACE = b"t" * 16
KEYS = [bytes([number]) * 32 for number in range(1, 9)]


class World:
    """A recorder over a file, and what it keeps."""

    def __init__(self, folder, policy: str = "secrets: true") -> None:
        self._path = folder / "runs.sqlite"
        self._sequence = 0
        self._keys = iter(KEYS)
        self.unrecorded: list[str] = []
        self.start(policy)

    def start(self, policy: str = "secrets: true") -> None:
        """As after kill -9, perhaps with another policy."""
        made = read_policy(f"id: p\nversion: '1'\n{policy}\n".encode(), "p", ("llm_io_bodies",))
        self.store = RunStore(self._path, durable=False)
        self.recorder = Recorder(
            store=self.store,
            lifecycle=NEVER,
            translate=FrameTranslator(TRANSLATOR),
            run_key=("affidavit.run.id", "trace_id"),
            source="urn:affidavit:test",
            unrecorded=lambda _, reason: self.unrecorded.append(reason),
            redacting=Redacting(Redactor(made, TRANSLATOR)),
            new_key=lambda _run, _part: next(self._keys),
        )

    def record(self, signal: int, request) -> None:
        self._sequence += 1
        self.recorder.record([Frame(self._sequence, 1_000, signal, 0, request.SerializeToString())])

    def spans(self, *names: str, first_id: int = 1, resource: str = "") -> None:
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        if resource:
            group.resource.attributes.add(key="db.password").value.string_value = resource
        spans = group.scope_spans.add().spans
        for number, name in enumerate(names, first_id):
            spans.add(trace_id=TRACE, span_id=number.to_bytes(8, "big"), name=name)
        self.record(FrameSignal.TRACES, request)

    def close(self) -> None:
        self.recorder.close_all("requested", 2_000)

    def rows(self) -> list[RunRow]:
        return [*self.store.in_state("open"), *self.store.in_state("closed")]

    def events(self) -> list[dict]:
        lines = (line for row in self.rows() for piece in self.store.lines(row) for line in piece.splitlines())
        return [orjson.loads(line) for line in lines]

    def pieces(self) -> list[Piece]:
        header = b'{"part":1,"policy":{},"run_id":"r","schema_version":"disclosures-v1"}'
        lines = (line for row in self.rows() for some in self.store.withheld(row) for line in some.splitlines())
        return list(read([header, *lines], "f")[1])

    def of(self, type_: str) -> list[dict]:
        return [event["data"] for event in self.events() if event["type"] == f"affidavit.{type_}.v1"]


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def names(world: World) -> list[str]:
    return [data["span"]["name"] for data in world.of("otel.span")]


def test_equal_secrets_have_distinct_commitments_wherever_they_stand(world):
    world.spans(f"{SECRET} {SECRET}", SECRET)
    digests = [mark.digest for name in names(world) for mark in marks(name)]
    assert len(digests) == len(set(digests)) == 3
    assert SECRET not in orjson.dumps(world.events()).decode()


def test_what_is_kept_beside_proves_what_was_withheld(world):
    world.spans(f"a {SECRET}", resource="hunter2")
    world.close()
    pieces = world.pieces()
    assert sorted(piece.body for piece in pieces) == sorted([SECRET, "hunter2"])
    header, _ = read([b'{"part":1,"policy":{},"run_id":"r","schema_version":"disclosures-v1"}'], "f")
    proof = Proof(header, pieces)
    for event in world.events():
        proof.event(event)
    proof.finish()


def test_a_repetition_is_one_still_also_after_a_crash(world):
    world.spans(SECRET, resource="hunter2")
    world.spans(SECRET, resource="hunter2")
    world.start()
    world.spans(SECRET, resource="hunter2")
    world.close()
    assert len(world.of("otel.span")) == len(world.of("otel.resource")) == 1
    assert world.of("run.closed")[0]["duplicates"] == 2
    assert len(world.pieces()) == 2


def test_a_frame_that_is_recorded_again_after_a_crash_gives_the_same_bytes(tmp_path):
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        world = World(tmp_path / name)
        world.spans(SECRET)
        if name == "b":
            world.start()  # between two frames: what follows is made by another process
        logs = ExportLogsServiceRequest()
        records = logs.resource_logs.add().scope_logs.add().log_records
        for _ in range(2):
            records.add(trace_id=TRACE).body.string_value = f"it is {SECRET}"
        world.record(FrameSignal.LOGS, logs)
        world.close()
        made.append((world.events(), world.pieces()))
    assert made[0] == made[1]
    bodies = [data["log"]["body"]["stringValue"] for data in (event["data"] for event in made[0][0]) if "log" in data]
    assert bodies[0] != bodies[1], "two equal records have two places"


def test_the_closing_says_how_much_was_withheld_and_why(world):
    world.spans(SECRET, f"{SECRET} {SECRET}", resource="hunter2")
    request = pb.CloseRunRequest(run_id=TRACE.hex(), outcome_json=orjson.dumps({"said": SECRET}))
    world.record(FrameSignal.CLOSE_RUN, request)
    (said,) = world.of("redaction")
    assert said["withheld"] == {"secret/github_token": 4, "secret/named_password": 1}
    assert said["policy"]["id"] == "p"
    assert [event["type"] for event in world.events()][-2:] == ["affidavit.redaction.v1", "affidavit.run.closed.v1"]
    assert len(world.pieces()) == 5


def test_of_a_run_without_a_secret_nothing_is_said_and_nothing_kept(world):
    world.spans("a", "b")
    world.close()
    assert world.of("redaction") == []
    assert world.pieces() == []


def test_context_receipts_and_the_gaps_that_quote_them_hold_no_secret(world):
    run_id = "r"
    world.record(FrameSignal.OPEN_RUN, pb.OpenRunRequest(run_id=run_id, context_json=orjson.dumps({"by": SECRET})))
    for body in ({"note": SECRET}, {"note": "other"}):
        receipt = pb.Receipt(run_id=run_id, kind="k", idempotency_key=SECRET, body_json=orjson.dumps(body))
        world.record(FrameSignal.RECEIPTS, pb.SubmitReceiptsRequest(receipts=[receipt]))
    world.close()
    assert SECRET not in orjson.dumps(world.events()).decode()
    assert next(data["kind"] for data in world.of("run.gap")) == "conflicting_receipt"
    assert len(world.of("receipt")) == 2


def test_a_secret_names_no_run(world):
    traces = ExportTraceServiceRequest()
    span = traces.resource_spans.add().scope_spans.add().spans.add(trace_id=TRACE, span_id=b"s" * 8, name="n")
    span.attributes.add(key="affidavit.run.id").value.string_value = SECRET
    world.record(FrameSignal.TRACES, traces)
    world.record(FrameSignal.OPEN_RUN, pb.OpenRunRequest(run_id=SECRET))
    assert [row.run_id for row in world.rows()] == [TRACE.hex(), "withheld"]


def test_a_run_that_is_named_by_its_resource_is_not_named_by_the_secret_in_it(tmp_path):
    ids = []
    for number, password in enumerate(("hunter2", "swordfish")):
        (tmp_path / str(number)).mkdir()
        world = World(tmp_path / str(number))
        metrics = ExportMetricsServiceRequest()
        group = metrics.resource_metrics.add()
        group.resource.attributes.add(key="db.password").value.string_value = password
        group.scope_metrics.add().metrics.add(name="m").gauge.data_points.add(as_int=1)
        world.record(FrameSignal.METRICS, metrics)
        ids.append(world.rows()[0].run_id)
    assert ids[0] == ids[1]
    assert ids[0].startswith("resource-")


def test_another_policy_is_a_gap_in_the_runs_that_are_open(world):
    world.spans("a")
    world.start("keys: [x]")
    world.spans("b", first_id=2)
    world.start("keys: [x]")
    world.spans("c", first_id=3)
    world.close()
    (gap,) = world.of("run.gap")
    assert gap["kind"] == "redaction_policy"
    assert gap["detail"].startswith("events before this one were recorded under the redaction policy sha256:")


def test_what_cannot_be_recorded_leaves_no_piece_behind(world, monkeypatch):
    from dataclasses import replace

    from sidecar.recorder import run_writer

    monkeypatch.setattr(run_writer, "DEFAULT", replace(run_writer.DEFAULT, line_bytes_max=600))
    world.spans(SECRET + " " + "long " * 200)
    world.close()
    assert world.of("otel.span") == []
    assert len(world.unrecorded) == 1
    assert SECRET not in world.unrecorded[0]
    assert world.pieces() == []
    assert SECRET not in orjson.dumps(world.events()).decode()


def test_a_file_of_runs_of_the_version_before_is_taken_over(tmp_path):
    path = tmp_path / "runs.sqlite"
    old = store_module._SCHEMA
    for line in ("disclosure_key", "policy_digest", "withheld_json"):
        old = "\n".join(each for each in old.splitlines() if line not in each)
    old = old[: old.index("CREATE TABLE piece")]
    database = sqlite3.connect(path)
    database.executescript(f"{old} PRAGMA user_version = 1;")
    database.execute(
        "INSERT INTO run (run_id, part, state, opened_unix_nano, last_unix_nano, first_seq, next_seq) VALUES ('r', 1, 'open', 0, 0, 0, 0)"
    )
    database.commit()
    database.close()
    world = World(tmp_path)
    assert [row.disclosure_key for row in world.rows()] == [b""]
    world.close()
    assert [data["kind"] for data in world.of("run.gap")] == ["redaction_policy"]
    assert [row.disclosure_key for row in world.rows()] == [KEYS[0]]


def test_what_is_translated_to_a_key_of_the_policy_is_withheld_under_its_own_key_too(tmp_path):
    """Whoever withholds gen_ai.input.messages means them in whatever convention they come."""
    world = World(tmp_path, "keys: [gen_ai.input.messages]")
    request = ExportTraceServiceRequest()
    scoped = request.resource_spans.add().scope_spans.add()
    scoped.scope.name = "openinference.instrumentation.openai"
    span = scoped.spans.add(trace_id=TRACE, span_id=b"12345678", name="ChatCompletion")
    said = {"role": "user", "content": "what was asked"}
    attributes = {f"llm.input_messages.0.message.{name}": text for name, text in said.items()}
    for key, text in {"openinference.span.kind": "LLM", "llm.model_name": "m", **attributes}.items():
        span.attributes.add(key=key).value.string_value = text
    world.record(FrameSignal.TRACES, request)
    (data,) = world.of("otel.span")
    assert "what was asked" not in orjson.dumps(data).decode()
    assert "gen_ai.input.messages" in [pair["key"] for pair in data["mapped"]["attributes"]]
    assert {piece.commitment.reason for piece in world.pieces()} == {"key/gen_ai.input.messages"}
