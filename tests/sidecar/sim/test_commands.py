"""Commands under soak, against a real sidecar in this process: agents that succeed, fail, hang, say nothing, meet faults."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from evidence.bundle.reader import EvidenceBundle
from evidence.packs import builtin
from evidence.soak.faults import Fault
from evidence.soak.perturbation import Profile, profiles
from evidence.soak.soak import DecisionPolicy, Soak
from sidecar.settings import load
from sidecar.sim.commands import Commands
from sidecar.sim.local import LocalSidecar
from sidecar.sim.soak import Plan, run_soak
from tests.tools.process import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

AGENT = """
import os, sys, time
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.resources import Resource

if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

iteration = int(os.environ["SOAK_ITERATION"])
provider = TracerProvider(resource=Resource.create({"service.name": "agent"}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("agent")
chat = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}
with tracer.start_as_current_span("invoke_agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
    with tracer.start_as_current_span("chat m", attributes=chat) as span:
        if iteration % 2 or "always" in sys.argv:
            span.set_attribute("gen_ai.response.model", "m-1")
provider.shutdown()
print("iteration", iteration, "of run", os.environ["SOAK_RUN_ID"], "seed", os.environ["SOAK_SEED"])
if "fail" in sys.argv:
    sys.exit(3)
if "hang" in sys.argv:
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory):
    """One for all tests here; each iteration's runs are collected before the next one's."""
    made = LocalSidecar(tmp_path_factory.mktemp("soak") / "state", load(None, {}), ["baseline"], seed=7)
    others = psutil.Process().children()  # such as what earlier tests' libraries keep for this process
    made.start()
    yield made
    children = [child for child in psutil.Process().children() if child not in others]
    made.stop()
    made.stop()
    assert children
    assert all(not child.is_running() for child in children)


@pytest.fixture
def agent(tmp_path) -> Path:
    path = tmp_path / "agent.py"
    path.write_text(AGENT)
    return path


@contextmanager
def target(
    sidecar: LocalSidecar,
    *argv: str,
    protocol: str = "http/protobuf",
    keep: Path | None = None,
    seconds: float = PATIENCE_SECONDS,
    seed: int = 7,
):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/elsewhere",
        "OTEL_EXPORTER_OTLP_TIMEOUT": str(PATIENCE_SECONDS),
    }
    yield Commands(
        [sys.executable, *argv],
        sidecar,
        seed=seed,
        protocol=protocol,
        timeout_seconds=seconds,
        environment=environment,
        keep=keep,
    )
    assert not list((sidecar._state.bundles).iterdir())


def soaked(commands: Commands, *, iterations: int = 2, profile: Profile | None = None, budget: int = 100) -> Soak:
    plan = Plan(
        packs=(builtin("baseline"),),
        profile=profile or profiles().named("none"),
        iterations=iterations,
        seed=7,
        time_budget_seconds=budget,
        policy=DecisionPolicy(),
        keep_runs=True,
    )
    return run_soak(commands, plan)


def statuses(soak: Soak) -> list[str]:
    return [run["status"] for run in soak.runs]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_each_run_of_a_command_is_sealed_and_judged_by_what_it_sent(sidecar, agent, tmp_path, protocol):
    keep = tmp_path / "kept"
    with target(sidecar, str(agent), protocol=protocol, keep=keep) as commands:
        soak = soaked(commands, iterations=2)
    assert statuses(soak) == ["pass", "fail"]
    assert soak.results()["violations_by_rule"] == {f"{builtin('baseline').id}:BASE-002": 1}
    assert all(run["duration_ms"] > 0 for run in soak.runs)
    assert (keep / "000002-output.txt").read_text() == "iteration 2 of run soak-7-2 seed 7\n"
    (bundle,) = keep.glob("000002-*.evidence.tar.gz")
    with EvidenceBundle.open(bundle) as opened:
        assert opened.manifest["run_id"] == "soak-7-2"
        assert opened.manifest["close_reason"] == "requested"
        assert len(list(opened.events())) == opened.manifest["event_count"] > 4
        opened.finish()


def test_a_command_that_fails_has_no_verdict_and_its_runs_do_not_reach_the_next(sidecar, agent):
    with target(sidecar, str(agent), "always", "fail") as commands:
        soak = soaked(commands)
    assert dict(soak.infra) == {"subprocess_failed": 2}
    assert soak.infra_example == {"subprocess_failed": "the command ended with exit code 3"}
    assert soak.results()["pass_rate"] == 0.0
    assert commands.failed is not None
    assert b"iteration 1" in commands.failed.output
    with target(sidecar, str(agent), "always") as commands:
        assert statuses(soaked(commands, iterations=1)) == ["pass"]


def test_a_command_that_hangs_is_ended_at_its_deadline(sidecar, agent):
    with target(sidecar, str(agent), "always", "hang", seconds=0.5) as commands:
        soak = soaked(commands, iterations=1)
    assert dict(soak.infra) == {"subprocess_timeout": 1}
    assert soak.infra_example["subprocess_timeout"] == "the command did not end in 0.5 s"


def test_a_command_is_ended_when_the_time_budget_is_used_up(sidecar, agent):
    with target(sidecar, str(agent), "always", "hang") as commands:
        soak = soaked(commands, iterations=5, budget=1)
    assert dict(soak.infra) == {"time_budget_exceeded": 1}


def test_a_command_that_sends_nothing_has_made_no_run(sidecar):
    with target(sidecar, "-c", "print('nothing')") as commands:
        soak = soaked(commands, iterations=1)
    assert dict(soak.infra) == {"no_run": 1}


def test_a_run_that_is_not_sealed_in_time_is_no_other_iterations(sidecar, agent, monkeypatch):
    """The sidecar gets no time for the first run. It seals it all the same, while the second is made."""
    with target(sidecar, str(agent), "always", seed=8) as commands:
        collect = sidecar.collect
        monkeypatch.setattr(sidecar, "collect", lambda _: monkeypatch.undo() or collect(0.0))
        soak = soaked(commands, iterations=2)
    assert statuses(soak) == ["infra_error", "pass"]
    assert dict(soak.infra) == {"sidecar_failed": 1}


LATE = """
import os, grpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("agent")
names = {"provider.name": "openai", "request.model": "m", "response.model": "m-1", "operation.name": "chat"}
tracer.start_span("chat", attributes={f"gen_ai.{k}": v for k, v in names.items()}).end()
with grpc.insecure_channel(os.environ["SOAK_SIDECAR"]) as channel:
    EvidenceServiceStub(channel).CloseRun(pb.CloseRunRequest(run_id=os.environ["SOAK_RUN_ID"]), timeout=60)
tracer.start_span("chat", attributes={"gen_ai.operation.name": "chat"}).end()
provider.shutdown()
"""


def test_what_comes_after_the_close_is_no_run_of_its_own(sidecar, tmp_path):
    keep = tmp_path / "kept"
    with target(sidecar, "-c", LATE, keep=keep, seed=9) as commands:
        soak = soaked(commands, iterations=1)
    assert [path.name for path in sorted(keep.glob("*.gz"))] == [
        "000001-soak-9-1.evidence.tar.gz",
        "000001-soak-9-1.part2.evidence.tar.gz",
    ]
    assert statuses(soak) == ["pass"]  # the part after it names no model


def test_faults_of_the_run_meet_what_a_command_sent(sidecar, agent):
    with target(sidecar, str(agent), "always") as commands:
        soak = soaked(commands, iterations=1, profile=profiles().named("unclosed"))
    assert soak.results()["violations_by_rule"] == {f"{builtin('baseline').id}:BASE-001": 1}


FAULTS = {
    "refusals": Fault(kind="refuse", chance=0.2, seconds=0.1),  # the second request of this seed
    "delays": Fault(kind="delay", chance=1.0, seconds=0.3),
    "a restart": Fault(kind="restart", chance=1.0),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_exporter_that_tries_again_loses_nothing_to_a_fault_at_the_door(sidecar, agent, tmp_path, fault):
    profile = Profile(name="one", title="One", receiver=(fault,))
    keep = tmp_path / "kept"
    with target(sidecar, str(agent), "always", keep=keep) as commands:
        soak = soaked(commands, iterations=1, profile=profile)
    assert statuses(soak) == ["pass"], (keep / "000001-output.txt").read_text()
    (bundle,) = keep.glob("000001-*.evidence.tar.gz")
    with EvidenceBundle.open(bundle) as opened:
        assert opened.manifest["capture_health"]["spans"] == 2


def test_a_connection_that_is_always_reset_lets_nothing_through(sidecar, agent):
    profile = Profile(name="one", title="One", receiver=(Fault(kind="reset", chance=1.0, octets=100),))
    with target(sidecar, str(agent), "always", seconds=1.5) as commands:
        soak = soaked(commands, iterations=1, profile=profile)
    assert soak.infra.keys() <= {"no_run", "subprocess_timeout"}
    assert soak.infra_errors == 1
