"""Each of the sixteen signals over real recordings: one run in which it is captured, one in which it is missing.

Recordings are sealed as `affidavit seal` does, and the report is read from the bundle. Where no recording shows a state, because it
hangs on receipts or on how a run was opened and closed, a recorded run goes through the recorder with those beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evidence.bundle.reader import EvidenceBundle
from evidence.manifest import CLOSURE
from evidence.signals import registry
from semconv.translate import Translator
from sidecar.journal import Frame, FrameEncoding, FrameSignal
from sidecar.offline import Inputs, seal_files
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.store import RunStore
from sidecar.translation import FrameTranslator
from tests.evidence.signal_evaluator import SignalEvaluator

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
RUN_KEY = ("affidavit.run.id", "trace_id")
NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 40)

# For each signal: a recording that captures it, and recordings in which it is missing, each for another reason.
RECORDED: dict[str, tuple[str, list[str]]] = {
    "agent_identity": (
        "pydantic-ai-slim@2.68.0/tools_loop",
        ["otel-js-openai@0.21.0/chat", "openinference-instrumentation-openai-agents@2.6.0/handoff"],
    ),
    "model_identity": (
        "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
        ["strands-native@1.62.0/chat", "langfuse@5.0.4/err429"],
    ),
    "prompt_lineage": (
        "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
        ["opentelemetry-instrumentation-openai-v2@2.4b0/chat.nocontent", "pydantic-ai-slim@2.68.0/chat.nocontent"],
    ),
    "llm_io_bodies": (
        "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
        [
            "opentelemetry-instrumentation-openai-v2@2.4b0/chat.nocontent",
            "openlit@1.45.0/chat.nocontent",
            "agentops@0.4.21/tools_loop_stream",
        ],
    ),
    "tool_calls": (
        "pydantic-ai-slim@2.68.0/mcp_agent",
        [
            "openinference-instrumentation-openai@0.1.66/tools_loop_in_app_span",
            "openinference-instrumentation-openai-agents@2.6.0/handoff",
        ],
    ),
    "tool_io_bodies": (
        "pydantic-ai-slim@2.68.0/mcp_agent",
        ["mcp@2.3.0/stdio_ok", "vercel-ai-sdk@7.0.173/tools_loop.nocontent"],
    ),
    "tool_definitions": (
        "opentelemetry-instrumentation-genai-langchain@1.3b0/agent_tools_loop.latest-span_and_event",
        ["ms-agent-framework@1.23.0/tool_error", "pydantic-ai-slim@2.68.0/mcp_agent"],
    ),
    "delegation_chain": (
        "pydantic-ai-slim@2.68.0/multi_agent_delegation",
        ["openinference-instrumentation-openai@0.1.66/decorators_workflow"],
    ),
    "memory_context": (
        "opentelemetry-instrumentation-genai-langchain@1.3b0/retriever_rag.latest-span_and_event",
        ["opentelemetry-instrumentation-genai-langchain@1.3b0/retriever_rag"],
    ),
    "sampling_params": (
        "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
        ["pydantic-ai-slim@2.68.0/tools_loop"],
    ),
    "errors_incidents": (
        "opentelemetry-instrumentation-genai-langchain@1.3b0/err_tool.latest-span_and_event",
        ["langfuse@5.0.4/err429"],
    ),
}

# What nothing is said of is unknown: recordings that have no such operation.
UNKNOWN = {
    "model_identity": "mcp@2.3.0/stdio_ok",
    "llm_io_bodies": "openllmetry-openai@0.62.4/embeddings",
    "prompt_lineage": "openllmetry-openai@0.62.4/embeddings",
    "sampling_params": "openllmetry-openai@0.62.4/embeddings",
    "tool_calls": "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
    "tool_io_bodies": "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
    "tool_definitions": "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
    "memory_context": "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
    "delegation_chain": "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
    "errors_incidents": "opentelemetry-instrumentation-openai-v2@2.4b0/chat",
    "policy_decisions": "pydantic-ai-slim@2.68.0/tools_loop",
    "human_approvals": "pydantic-ai-slim@2.68.0/tools_loop",
}


@cache
def translator() -> Translator:
    return Translator.load("gen-ai-dev")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The states of each run of a recording, by the report in its bundle, the largest last; each recording is sealed once."""

    @cache
    def states(recording: str) -> list[dict[str, str]]:
        producer, _, scenario = recording.partition("/")
        parts = sorted((CORPUS / producer).glob(f"{scenario}.*.otlp.pb"), key=lambda path: "traces" not in path.name)
        parts = [path for path in parts if path.name.removeprefix(f"{scenario}.").count(".") == 2]
        assert parts, f"no recording {recording}"
        out = tmp_path_factory.mktemp("sealed")
        inputs = Inputs(parts)
        sealed = list(
            seal_files(inputs, out, packs=[], translator=translator(), profiles={}, run_key=RUN_KEY, signer=None)
        )
        assert inputs.refused == []
        return [states for _, states in sorted((_facts(out / each.file) for each in sealed), key=lambda run: run[0])]

    return states


def _facts(path: Path) -> tuple[int, dict[str, str]]:
    """How many spans a bundle has, and the states that its report gives."""
    with EvidenceBundle.open(path) as bundle:
        for _ in bundle.events():
            pass
        facts = bundle.finish()
    by_signal = orjson.loads(facts.reports[CLOSURE])["completeness"]["by_signal"]
    return facts.manifest["capture_health"]["spans"], {name: detail["status"] for name, detail in by_signal.items()}


@pytest.mark.parametrize("signal", RECORDED)
def test_a_recording_captures_the_signal(recorded, signal):
    assert recorded(RECORDED[signal][0])[-1][signal] == "captured"


@pytest.mark.parametrize(
    ("signal", "recording"), [(signal, recording) for signal, (_, missing) in RECORDED.items() for recording in missing]
)
def test_a_recording_lacks_the_signal(recorded, signal, recording):
    assert recorded(recording)[-1][signal] == "missing"


@pytest.mark.parametrize("signal", UNKNOWN)
def test_a_recording_says_nothing_of_the_signal(recorded, signal):
    assert recorded(UNKNOWN[signal])[-1][signal] == "unknown"


SILENT = sorted(
    {f"{path.parent.name}/{path.name.rsplit('.', 3)[0]}" for path in CORPUS.glob("*/*nocontent*.traces.otlp.pb")}
)
"""Recordings made with content capture switched off."""


@pytest.mark.parametrize("recording", SILENT)
def test_no_body_counts_as_captured_where_content_capture_was_off(recorded, recording):
    for states in recorded(recording):
        assert "captured" not in {states["llm_io_bodies"], states["tool_io_bodies"]}


def test_there_are_recordings_without_content():
    assert len(SILENT) >= 20


# ------------------------------------------------------------------ through the recorder, with what senders say besides

TOOLS = "pydantic-ai-slim@2.68.0/tools_loop"


class Sender:
    """A recorded run whose agent also sends receipts, opens the run and closes it."""

    def __init__(self, recording: str) -> None:
        self.body = (CORPUS / f"{recording}.traces.otlp.pb").read_bytes()
        request = ExportTraceServiceRequest.FromString(self.body)
        self.spans = [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
        (trace,) = {span.trace_id.hex() for span in self.spans}
        self.run_id = trace
        self.frames: list[tuple[int, bytes]] = []

    def open(self, **policy: Sequence[str]) -> None:
        context = json.dumps({"policy": {"id": "p", **policy}}).encode()
        self._say(FrameSignal.OPEN_RUN, pb.OpenRunRequest(run_id=self.run_id, context_json=context))

    def run(self) -> None:
        self.frames.append((FrameSignal.TRACES, self.body))

    def receipt(self, kind: str, body: dict[str, object], at_unix_nano: int = 0) -> None:
        data = json.dumps(body).encode()
        key = f"{kind}-{len(self.frames)}"
        receipt = pb.Receipt(
            run_id=self.run_id, kind=kind, idempotency_key=key, body_json=data, time_unix_nano=at_unix_nano
        )
        self._say(FrameSignal.RECEIPTS, pb.SubmitReceiptsRequest(receipts=[receipt]))

    def close(self, *, counted: bool = True) -> None:
        counts = pb.SenderCounts(spans_ended=len(self.spans)) if counted else None
        self._say(FrameSignal.CLOSE_RUN, pb.CloseRunRequest(run_id=self.run_id, counts=counts))

    def calls(self) -> list[tuple[str, str, str, int]]:
        """Id, tool, arguments and start of each tool call in the recording."""
        found = []
        for span in self.spans:
            said = {pair.key: pair.value.string_value for pair in span.attributes}
            if said.get("gen_ai.operation.name") == "execute_tool":
                tool, arguments = said["gen_ai.tool.name"], said["gen_ai.tool.call.arguments"]
                found.append((said["gen_ai.tool.call.id"], tool, arguments, span.start_time_unix_nano))
        assert len(found) >= 3
        return found

    def decide(self, *, but: int = 0, late: bool = False) -> None:
        """A decision before every call but the first few; `late`: after they began."""
        for call_id, tool, _, start in self.calls()[but:]:
            body = {"decision": "allow", "policy_id": "p", "tool_call_id": call_id, "tool_name": tool}
            self.receipt("policy_decision", body, start + 1 if late else start - 1)

    def approve(self, *, altered: int = 0, decision: str = "approve") -> None:
        """An approval of every call's arguments; of the first few, of others."""
        for number, (call_id, _, arguments, start) in enumerate(self.calls()):
            digest = hashlib.sha256((arguments + "!" * (number < altered)).encode()).hexdigest()
            body = {"approver": "kim", "decision": decision, "tool_call_id": call_id, "argument_digest": digest}
            self.receipt("human_approval", body, start - 1)

    def reject(self) -> None:
        self.approve(decision="reject")

    def states(self, folder: Path) -> dict[str, str]:
        """What the recorder's events of the run come to, be it open or closed."""
        store = RunStore(folder / "runs.sqlite", durable=False)
        recorder = Recorder(
            store=store,
            lifecycle=NEVER,
            translate=FrameTranslator(translator()),
            run_key=RUN_KEY,
            source="urn:affidavit:test",
            unrecorded=lambda _frame, reason: pytest.fail(reason),
        )
        recorder.record(
            [Frame(n, 0, kind, FrameEncoding.PROTOBUF, body) for n, (kind, body) in enumerate(self.frames, 1)]
        )
        (row,) = store.parts(self.run_id)
        evaluator = SignalEvaluator(registry())
        for line in b"".join(store.lines(row)).splitlines():
            evaluator.add(orjson.loads(line))
        store.close()
        return {name: ledger.status for name, ledger in evaluator.result().items()}

    def _say(self, kind: int, message: object) -> None:
        self.frames.append((kind, message.SerializeToString()))


def _sends(*steps: Callable[[Sender], object]) -> Sender:
    sender = Sender(TOOLS)
    for step in steps:
        step(sender)
    return sender


GATED = {"gated_tools": ["*"]}
APPROVED = {"approval_tools": ["get_*", "add"]}

# For each signal that hangs on more than telemetry: what the sender does, and what comes of it.
SENT: dict[str, list[tuple[str, Callable[[], Sender], str]]] = {
    "policy_decisions": [
        ("decided", lambda: _sends(lambda s: s.open(**GATED), Sender.decide, Sender.run, Sender.close), "captured"),
        ("decided_and_told_later", lambda: _sends(lambda s: s.open(**GATED), Sender.run, Sender.decide, Sender.close), "captured"),
        ("undecided", lambda: _sends(lambda s: s.open(**GATED), Sender.run, Sender.close), "missing"),
        ("one_undecided", lambda: _sends(lambda s: s.open(**GATED), lambda s: s.decide(but=1), Sender.run, Sender.close), "missing"),
        ("late", lambda: _sends(lambda s: s.open(**GATED), lambda s: s.decide(late=True), Sender.run, Sender.close), "missing"),
        ("under_no_policy", lambda: _sends(Sender.run, Sender.close), "unknown"),
    ],
    "human_approvals": [
        ("approved", lambda: _sends(lambda s: s.open(**APPROVED), Sender.approve, Sender.run, Sender.close), "captured"),
        ("one_altered", lambda: _sends(lambda s: s.open(**APPROVED), lambda s: s.approve(altered=1), Sender.run, Sender.close), "missing"),
        ("rejected", lambda: _sends(lambda s: s.open(**APPROVED), Sender.reject, Sender.run, Sender.close), "missing"),
        ("not_asked", lambda: _sends(lambda s: s.open(**APPROVED), Sender.run, Sender.close), "missing"),
        ("needs_none", lambda: _sends(lambda s: s.open(**GATED), Sender.run, Sender.close), "unknown"),
    ],
    "environment_provenance": [
        ("receipt", lambda: _sends(Sender.run, lambda s: s.receipt("environment", {"digest": "sha256:00"}), Sender.close), "captured"),
        ("bill_of_materials", lambda: _sends(Sender.run, lambda s: s.receipt("ai_bom", {"digest": "sha256:00"}), Sender.close), "captured"),
        ("another_receipt", lambda: _sends(Sender.run, lambda s: s.receipt("note", {"digest": "sha256:00"}), Sender.close), "missing"),
        ("nothing", lambda: _sends(Sender.run, Sender.close), "missing"),
    ],
    "session_lifecycle": [
        ("closed", lambda: _sends(Sender.run, Sender.close), "captured"),
        ("open", lambda: _sends(Sender.run), "missing"),
    ],
    "capture_health": [
        ("counted", lambda: _sends(Sender.run, Sender.close), "captured"),
        ("uncounted", lambda: _sends(Sender.run, lambda s: s.close(counted=False)), "missing"),
        ("open", lambda: _sends(Sender.run), "missing"),
    ],
}  # fmt: skip
WAYS = [(signal, way) for signal, ways in SENT.items() for way, _, _ in ways]


@pytest.mark.parametrize(("signal", "way"), WAYS)
def test_what_a_sender_says_beside_its_telemetry_decides_the_signal(tmp_path, signal, way):
    sends, state = next((sends, state) for name, sends, state in SENT[signal] if name == way)
    assert sends().states(tmp_path)[signal] == state


def test_every_signal_has_a_passing_and_a_failing_run():
    assert set(RECORDED) | set(SENT) == set(registry().signals)
    assert all({"captured", "missing"} <= {state for _, _, state in ways} for ways in SENT.values())
