"""What a policy and a person decided, sent by an agent as receipts, decides the rules of the first gate over the sealed run."""

from __future__ import annotations

import hashlib
import json
import time

import grpc
import pytest
from click.testing import CliRunner
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from evidence.packs import BUILTIN
from sidecar.cli.main import affidavit
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from tests.tools.process import PATIENCE_SECONDS, Sidecar, running

pytestmark = pytest.mark.integration

ARGUMENTS = '{"amount": 5, "to": "bob"}'
POLICY = {"policy": {"id": "payments", "gated_tools": ["transfer_*"], "approval_tools": ["transfer_*"]}}


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory):
    packs = json.dumps(list(BUILTIN))
    with running(tmp_path_factory.mktemp("policy") / "state", EVIDENCE__PACKS=packs) as process:
        yield process


def receipt(run_id: str, kind: str, **body: str) -> pb.Receipt:
    said = {"tool_call_id": "call-1", "tool_name": "transfer_money", **body}
    return pb.Receipt(
        run_id=run_id,
        kind=kind,
        idempotency_key=kind,
        time_unix_nano=time.time_ns(),
        body_json=json.dumps(said).encode(),
    )


def transfer(sidecar: Sidecar, run_id: str) -> None:
    """The agent's side: a tool call, as the stock SDK sends it."""
    provider = TracerProvider(resource=Resource.create({"service.name": "agent", "affidavit.run.id": run_id}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"http://{sidecar.grpc}", insecure=True)))
    tracer = provider.get_tracer("agent")
    with tracer.start_as_current_span(
        "invoke_agent a", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}
    ):
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "transfer_money",
            "gen_ai.tool.call.id": "call-1",
            "gen_ai.tool.call.arguments": ARGUMENTS,
            "gen_ai.tool.call.result": "done",
        }
        with tracer.start_as_current_span("execute_tool transfer_money", attributes=attributes):
            pass
    provider.shutdown()


@pytest.mark.parametrize(
    ("decision", "approved", "failing"),
    [
        ("allow", ARGUMENTS, set()),
        ("deny", ARGUMENTS, {"CICD-008"}),
        ("allow", '{"amount": 500, "to": "bob"}', {"CICD-009"}),
        (None, ARGUMENTS, {"CICD-007", "CICD-008"}),
    ],
    ids=["as_it_should_be", "denied_and_done", "other_arguments_approved", "never_decided"],
)
def test_a_call_under_policy_is_judged_by_what_was_decided_before_it(sidecar, decision, approved, failing, request):
    run_id = request.node.callspec.id
    digest = "sha256:" + hashlib.sha256(approved.encode()).hexdigest()
    receipts = [receipt(run_id, "human_approval", approver="ann", decision="approve", argument_digest=digest)]
    if decision:
        receipts.append(receipt(run_id, "policy_decision", decision=decision, policy_id="payments"))
    with grpc.insecure_channel(sidecar.grpc) as channel:
        service = EvidenceServiceStub(channel)
        service.OpenRun(pb.OpenRunRequest(run_id=run_id, context_json=json.dumps(POLICY).encode()))
        assert not service.SubmitReceipts(pb.SubmitReceiptsRequest(receipts=receipts)).rejected
        transfer(sidecar, run_id)
        service.CloseRun(pb.CloseRunRequest(run_id=run_id, counts=pb.SenderCounts(spans_ended=2)))
        run = service.SealRun(pb.SealRunRequest(run_id=run_id), timeout=PATIENCE_SECONDS).run
    bundle = sidecar.state / "bundles" / run.bundle_file
    done = CliRunner().invoke(affidavit, ["evidence", "lint", str(bundle)])
    assert done.exit_code == (5 if failing else 0), done.output
    assert {rule for rule in ("CICD-007", "CICD-008", "CICD-009") if f":{rule}]" in done.output} == failing
