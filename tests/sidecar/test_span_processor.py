"""The span processor in the agent, with a sidecar that is made up."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import pytest
from opentelemetry import context as otel
from opentelemetry import trace as api
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, Sampler, SamplingResult

from sidecar.run_client import Endpoint
from sidecar.span_processor import RunSpanProcessor, install

ROOT = Path(__file__).resolve().parents[2]
_QUIET = otel._SUPPRESS_INSTRUMENTATION_KEY


class Gone(grpc.RpcError, grpc.Call):
    """What gRPC raises when nobody answers, or when somebody does not want it."""

    def __init__(self, code=grpc.StatusCode.DEADLINE_EXCEEDED):
        self._code = code

    def code(self):
        return self._code

    def _of_no_interest(self, *_):
        raise AssertionError("a closing run asks for the code alone")

    add_callback = cancel = details = initial_metadata = is_active = time_remaining = trailing_metadata = (
        _of_no_interest
    )


Gone.__abstractmethods__ = frozenset()


class Sidecar:
    """Takes closings as `RunClient` sends them."""

    timeout_seconds = 5.0
    endpoint = Endpoint(target="nowhere:1")

    def __init__(self, exporter=None, fails=None) -> None:
        self.exporter, self.fails = exporter, fails
        self.closed = {}
        self.had = {}
        self.calls = 0
        self.quiet = []

    def close_run(self, run_id, counts, outcome_json=b"", *, timeout_seconds=None):
        self.calls += 1
        self.quiet.append(otel.get_value(_QUIET))
        if self.fails and (error := self.fails(run_id)):
            raise error
        self.closed.setdefault(run_id, []).append((counts, outcome_json))
        self.had[run_id] = len(self.exporter.get_finished_spans()) if self.exporter else 0
        return True

    def close(self):
        pass

    def only(self):
        """The counts of the one run that was closed: started, ended, dropped, unsampled."""
        ((run_id, ((counts, _),)),) = self.closed.items()
        return run_id, (counts.spans_started, counts.spans_ended, counts.spans_dropped, counts.spans_unsampled)


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


def agent(exporter, sidecar, *, sampler=ALWAYS_ON, resource=None, **options):
    processor = RunSpanProcessor(exporter, sidecar, **options)
    provider = TracerProvider(sampler=processor.sampler(sampler, resource), resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider, processor


def run(provider, children=1, **attributes):
    tracer = provider.get_tracer("agent")
    with tracer.start_as_current_span("root", attributes=attributes) as root:
        for _ in range(children):
            tracer.start_span("child", attributes=attributes).end()
    return f"{root.get_span_context().trace_id:032x}"


@pytest.mark.parametrize("batch", [BatchSpanProcessor, SimpleSpanProcessor])
def test_a_run_is_closed_once_its_root_has_ended_and_after_its_spans_have_gone_out(exporter, batch):
    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar, batch=batch)
    trace = run(provider, children=2)
    assert provider.force_flush()
    assert sidecar.only() == (trace, (3, 3, 0, 0))
    assert sidecar.had[trace] == 3
    provider.shutdown()
    assert sidecar.calls == 1


def test_a_run_that_is_not_over_is_closed_at_shutdown_with_what_never_ended(exporter):
    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar)
    provider.get_tracer("agent").start_span("root")
    assert provider.force_flush()
    assert sidecar.closed == {}
    provider.shutdown()
    assert sidecar.only()[1] == (1, 0, 0, 0)
    provider.shutdown()
    run(provider)
    assert sidecar.calls == 1


def test_the_last_acknowledgements_are_counted_before_the_last_runs_are_closed(exporter):
    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar, linger_seconds=60.0)
    run(provider, **{"affidavit.run.id": "session"})
    provider.shutdown()
    assert sidecar.only() == ("session", (2, 2, 0, 0))


class Failing(SpanExporter):
    """Acknowledges nothing, in the way that is asked for."""

    def __init__(self, how):
        self.how = how

    def export(self, spans):
        if self.how == "raises":
            raise ConnectionError
        return SpanExportResult.FAILURE

    def shutdown(self):
        pass


@pytest.mark.parametrize("how", ["raises", "fails"])
@pytest.mark.parametrize("batch", [BatchSpanProcessor, SimpleSpanProcessor])
def test_what_the_exporter_does_not_acknowledge_is_dropped(how, batch):
    sidecar = Sidecar()
    provider, _ = agent(Failing(how), sidecar, batch=batch)
    run(provider)
    provider.shutdown()
    assert sidecar.only()[1] == (2, 2, 2, 0)


class Recording(Sampler):
    """Records what it does not sample, or every other span."""

    def __init__(self, decision):
        self.decision = decision

    def should_sample(self, parent_context, trace_id, name, *_):
        return SamplingResult(Decision.RECORD_AND_SAMPLE if name == "root" else self.decision)

    def get_description(self):
        return "Recording"


@pytest.mark.parametrize("decision", [Decision.DROP, Decision.RECORD_ONLY])
def test_what_is_not_sampled_is_counted_once_recorded_or_not(exporter, decision):
    sidecar = Sidecar(exporter)
    provider, processor = agent(exporter, sidecar, sampler=Recording(decision))
    run(provider, children=3)
    provider.shutdown()
    assert sidecar.only()[1] == (1, 1, 0, 3)
    assert processor.sampler(ALWAYS_OFF).get_description() == ALWAYS_OFF.get_description()


REMOTE = api.SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=api.TraceFlags(api.TraceFlags.SAMPLED))


def remote(provider):
    parent = api.set_span_in_context(api.NonRecordingSpan(REMOTE))
    tracer = provider.get_tracer("agent")
    with tracer.start_as_current_span("server", context=parent):
        tracer.start_span("child").end()


def test_a_run_that_began_elsewhere_is_left_to_who_began_it(exporter):
    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar)
    remote(provider)
    provider.shutdown()
    assert (sidecar.closed, len(exporter.get_finished_spans())) == ({}, 2)


def test_a_run_that_began_elsewhere_is_closed_where_nobody_else_does(exporter):
    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar, closes_remote=True)
    remote(provider)
    assert provider.force_flush()
    assert sidecar.only() == (f"{0xABC:032x}", (2, 2, 0, 0))
    provider.shutdown()


KEY = ("affidavit.run.id", "trace_id")
NAMED = {
    "by_attribute": (KEY, {"affidavit.run.id": "s"}, {}, "s"),
    "by_resource": (KEY, {}, {"affidavit.run.id": "r"}, "r"),
    "by_attribute_before_resource": (KEY, {"affidavit.run.id": "s"}, {"affidavit.run.id": "r"}, "s"),
    "not_by_a_number": (KEY, {"affidavit.run.id": 7}, {}, None),
    "not_by_an_empty_text": (KEY, {"affidavit.run.id": ""}, {}, None),
    "by_another_key": (("session.id", *KEY), {"session.id": "x", "affidavit.run.id": "s"}, {}, "x"),
}


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
def test_a_span_is_counted_in_the_run_that_the_sidecar_gives_it(exporter, name, sampler):
    key, attributes, resource, run_id = NAMED[name]
    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar, run_key=key, resource=Resource(resource), sampler=sampler)
    trace = run(provider, **attributes)
    provider.shutdown()
    assert sidecar.only() == (run_id or trace, (2, 2, 0, 0) if sampler is ALWAYS_ON else (0, 0, 0, 2))


def test_where_no_key_names_a_run_nothing_is_counted(exporter):
    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar, run_key=("session.id",))
    run(provider)
    provider.shutdown()
    assert (sidecar.closed, len(exporter.get_finished_spans())) == ({}, 2)


def test_a_run_may_be_closed_by_hand_with_its_outcome(exporter):
    sidecar = Sidecar(exporter)
    provider, processor = agent(exporter, sidecar, linger_seconds=60.0)
    run(provider, **{"affidavit.run.id": "session"})
    assert provider.force_flush()
    assert sidecar.closed == {}  # another trace of it may come
    processor.close_run("session", b'{"ok":true}')
    assert provider.force_flush()
    ((_, outcome),) = sidecar.closed["session"]
    assert outcome == b'{"ok":true}'
    provider.shutdown()


def test_without_a_sidecar_the_agent_goes_on_and_the_log_says_it_once(exporter, caplog):
    sidecar = Sidecar(exporter, fails=lambda _: Gone())
    provider, _ = agent(exporter, sidecar)
    with caplog.at_level(logging.DEBUG, "sidecar"):
        for _ in range(20):
            run(provider)
        assert provider.force_flush()
        provider.shutdown()
    (line,) = caplog.messages
    assert "nowhere:1" in line
    assert "DEADLINE_EXCEEDED" in line
    assert len(exporter.get_finished_spans()) == 40


def test_each_outage_is_said_once(exporter, caplog):
    broken = [True]
    sidecar = Sidecar(exporter, fails=lambda _: Gone(grpc.StatusCode.UNAVAILABLE) if broken[0] else None)
    provider, _ = agent(exporter, sidecar)
    for state in (True, True, False, True, True):
        broken[0] = state
        run(provider)
        assert provider.force_flush()
    assert len(caplog.messages) == 2
    assert len(sidecar.closed) == 1
    provider.shutdown()


def test_a_run_that_the_sidecar_refuses_holds_up_no_other(exporter, caplog):
    sidecar = Sidecar(
        exporter, fails=lambda run_id: Gone(grpc.StatusCode.INVALID_ARGUMENT) if run_id == "bad" else None
    )
    provider, _ = agent(exporter, sidecar, linger_seconds=60.0)
    for name in ("bad", "good"):
        run(provider, **{"affidavit.run.id": name})
    provider.shutdown()
    assert sidecar.only()[0] == "good"
    assert "INVALID_ARGUMENT" in caplog.text


def test_what_is_counted_is_bounded_and_the_log_says_when_it_is_not_enough(exporter, caplog):
    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar, runs_max=3)
    spans = [provider.get_tracer("agent").start_span("root", context=otel.Context()) for _ in range(10)]
    for span in spans:
        span.end()
    assert provider.force_flush()
    assert 3 <= len(sidecar.closed) <= 10
    assert len(caplog.messages) == 1
    assert "oldest" in caplog.text
    provider.shutdown()


def test_where_no_thread_can_be_started_any_more_runs_are_closed_at_shutdown(exporter, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread at interpreter shutdown")

    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        run(provider)
    assert sidecar.closed == {}
    provider.shutdown()
    assert sidecar.only()[1] == (2, 2, 0, 0)


class Broken(SimpleSpanProcessor):
    """A processor whose flush raises."""

    def force_flush(self, timeout_millis=30000):
        raise ConnectionError("no")


def test_a_processor_that_cannot_flush_keeps_no_run_open(exporter, caplog):
    closed = threading.Event()

    class Telling(Sidecar):
        def close_run(self, *arguments, **options):
            super().close_run(*arguments, **options)
            closed.set()

    sidecar = Telling(exporter)
    provider, _ = agent(exporter, sidecar, batch=Broken)
    run(provider)
    assert closed.wait(20)
    assert sidecar.only()[1] == (2, 2, 0, 0)
    assert "could not be sent" in caplog.text
    provider.shutdown()


def test_closing_a_run_is_part_of_no_run(exporter):
    """Instrumented gRPC would otherwise make a span of each closing, and each such span a run to be closed."""
    sidecar = Sidecar(exporter)
    provider, _ = agent(exporter, sidecar, linger_seconds=60.0)
    run(provider)
    assert provider.force_flush()
    run(provider, **{"affidavit.run.id": "session"})
    provider.shutdown()
    assert sidecar.quiet == [True, True]
    assert otel.get_value(_QUIET) is None


def test_install_counts_for_tracers_that_were_made_before_too(exporter):
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    before = provider.get_tracer("before")
    if not hasattr(provider, "_tracers"):
        pytest.skip("this SDK keeps no list of its tracers")
    processor = install(provider, endpoint="127.0.0.1:1", exporter=exporter)
    sidecar = processor._closer._client = Sidecar(exporter)
    before.start_span("root").end()
    provider.get_tracer("after").start_span("root").end()
    provider.shutdown()
    assert [counts.spans_unsampled for ((counts, _),) in sidecar.closed.values()] == [1, 1]


def test_install_makes_the_exporter_for_the_same_place(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    provider = TracerProvider(shutdown_on_exit=False)
    processor = install(provider)
    exporter = processor._inner.span_exporter._exporter
    assert processor._closer._client.endpoint.target == exporter._endpoint == "127.0.0.1:4317"
    provider.shutdown()


def test_the_processor_needs_nothing_of_the_server():
    code = "import sys, json, sidecar.span_processor; print(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    ours = {name for name in loaded if name.split(".")[0] in {"sidecar", "evidence", "semconv", "attest"}}
    parts = ("run_client", "run_closer", "run_tally", "span_processor")
    assert ours == {"sidecar", *(f"sidecar.{part}" for part in parts)}
    distributions = {
        "google",
        "orjson",
        "pydantic",
        "uvicorn",
        "yaml",
        "cryptography",
        "opentelemetry.exporter",
        "click",
    }
    assert loaded & distributions == set()
