"""Signing apart from sealing, in a real sidecar: what is sealed while nobody can date it is kept over kill -9 and restarts."""

from __future__ import annotations

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from attest import sigstore_bundle
from attest.trust import Trust, TrustedRoot
from attest.verify import verify_file
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from tests.sigstore.loopback import Fault
from tests.tools.process import PATIENCE_SECONDS, Sidecar, running, wait_until

pytestmark = pytest.mark.integration

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def send(sidecar: Sidecar, *traces: int) -> None:
    with grpc.insecure_channel(sidecar.grpc) as channel:
        for trace in traces:
            request = ExportTraceServiceRequest()
            spans = request.resource_spans.add().scope_spans.add().spans
            spans.add(trace_id=trace.to_bytes(16, "big"), span_id=b"s" * 8, name="s")
            channel.unary_unary(EXPORT)(request.SerializeToString())


def seal(sidecar: Sidecar, trace: int) -> pb.Run:
    with grpc.insecure_channel(sidecar.grpc) as channel:
        request = pb.SealRunRequest(run_id=f"{trace:032x}")
        return EvidenceServiceStub(channel).SealRun(request, timeout=PATIENCE_SECONDS).run


def said(sidecar: Sidecar, event: str) -> list[dict]:
    return [line for line in sidecar.log if line["event"] == event]


def attestations(sidecar: Sidecar) -> list:
    return sorted((sidecar.state / "bundles").glob("*.sigstore.json"))


def test_what_is_sealed_while_the_authority_is_down_is_attested_by_a_later_process(tmp_path, sigstore):
    settings = {"ATTEST__TIMESTAMP_URL": sigstore.tsa_url, "ATTEST__RETRY_MAX_SECONDS": "1"}
    sigstore.faults.set("tsa", Fault(status=503))
    with running(tmp_path / "state", **settings) as sidecar:
        send(sidecar, 1)
        assert seal(sidecar, 1).state == pb.RUN_STATE_SEALED, (
            "whoever asks for the bundle is not kept waiting for its signature"
        )
        wait_until(lambda: said(sidecar, "not attested yet; tried again"), "word of what waits")
        sidecar.kill()
    with running(tmp_path / "state", **settings) as sidecar:
        send(sidecar, 2)
        wait_until(lambda: said(sidecar, "not attested yet; tried again"), "another try")
        assert sidecar.stop() == 0
        (kept,) = said(sidecar, "not all attested; kept for the next start")
        assert (kept["waiting"], attestations(sidecar)) == (2, [])
    sigstore.faults.clear()
    with running(tmp_path / "state", **settings) as sidecar:
        wait_until(lambda: len(attestations(sidecar)) == 2, "two attestations")
        assert sidecar.stop() == 0
    root = TrustedRoot(name="loopback", data=sigstore.trusted_root, sha256="")
    trust = Trust(keys=Trust.load([sidecar.public_key]).keys, roots=(root,))
    for bundle, attestation in zip(sidecar.bundles, attestations(sidecar), strict=True):
        found = verify_file(bundle, trust=trust)
        assert found.verdict == "verified"
        assert next(check for check in found.checks if check.id == "time").outcome == "pass"
        assert len(sigstore_bundle.read(attestation.read_bytes()).timestamps) == 1


def test_runs_that_close_together_share_a_signature_when_they_may_wait_for_it(tmp_path):
    with running(tmp_path / "state", ATTEST__BATCH_WAIT_SECONDS="600") as sidecar:
        send(sidecar, 1, 2, 3)
        assert sidecar.stop() == 0
    assert len({path.stat().st_ino for path in attestations(sidecar)}) == 1
    trust = Trust.load([sidecar.public_key])
    assert [verify_file(bundle, trust=trust).verdict for bundle in sidecar.bundles] == ["verified"] * 3
