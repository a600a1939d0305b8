"""Signing apart from sealing, in a real sidecar: what is sealed while nobody can date it is kept over kill -9 and restarts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from attest.attestation import sigstore_bundle
from attest.trust.trust import Identity, Trust, TrustedRoot
from attest.verify import verify_file
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from tests.sigstore.loopback import IDENTITY, Fault
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


def seal(sidecar: Sidecar, trace: int, timeout: float = PATIENCE_SECONDS) -> pb.Run:
    with grpc.insecure_channel(sidecar.grpc) as channel:
        request = pb.SealRunRequest(run_id=f"{trace:032x}")
        return EvidenceServiceStub(channel).SealRun(request, timeout=timeout).run


@contextmanager
def sealing(sidecar: Sidecar, trace: int) -> Iterator[grpc.Future]:
    """Asks for a bundle, without waiting: the answer waits for a signature, and for long."""
    with grpc.insecure_channel(sidecar.grpc) as channel:
        request = pb.SealRunRequest(run_id=f"{trace:032x}")
        yield EvidenceServiceStub(channel).SealRun.future(request, timeout=PATIENCE_SECONDS)


def sealed_without_waiting(sidecar: Sidecar, trace: int) -> pb.Run:
    """What is answered to whoever has just enough time for a bundle to be sealed, on however busy a machine."""
    seconds = 2.0
    while True:
        try:
            return seal(sidecar, trace, timeout=seconds)
        except grpc.RpcError as error:
            seconds *= 2
            assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            assert seconds < PATIENCE_SECONDS


def said(sidecar: Sidecar, event: str) -> list[dict]:
    return [line for line in sidecar.log if line["event"] == event]


def attestations(sidecar: Sidecar) -> list:
    return sorted((sidecar.state / "bundles").glob("*.sigstore.json"))


def test_what_is_sealed_while_the_authority_is_down_is_attested_by_a_later_process(tmp_path, sigstore):
    settings = {"ATTEST__TIMESTAMP_URL": sigstore.tsa_url, "ATTEST__RETRY_MAX_SECONDS": "1"}
    sigstore.faults.set("tsa", Fault(status=503))
    with running(tmp_path / "state", **settings) as sidecar:
        send(sidecar, 1)
        state = sealed_without_waiting(sidecar, 1).state
        assert state == pb.RUN_STATE_SEALED, "whoever asks for the bundle is not kept waiting for its signature"
        wait_until(lambda: said(sidecar, "not attested yet; tried again"), "word of what waits")
        sidecar.kill()
    sigstore.faults.clear()
    with running(tmp_path / "state", **settings) as sidecar:
        wait_until(lambda: attestations(sidecar), "an attestation")
        sigstore.faults.set("tsa", Fault(status=503))
        send(sidecar, 2)
        assert sidecar.stop() == 0
        (kept,) = said(sidecar, "not all attested; kept for the next start")
        assert kept["waiting"] == 1
    root = TrustedRoot(name="loopback", data=sigstore.trusted_root, sha256="")
    trust = Trust(keys=Trust.load([sidecar.public_key]).keys, roots=(root,))
    (attestation,) = attestations(sidecar)
    found = verify_file(attestation.with_name(f"{1:032x}.evidence.tar.gz"), trust=trust)
    assert found.verdict == "verified"
    assert next(check for check in found.checks if check.id == "time").outcome == "pass"
    assert len(sigstore_bundle.read(attestation.read_bytes()).timestamps) == 1


def test_an_identity_signs_in_place_of_a_key(tmp_path, sigstore):
    (tmp_path / "config.json").write_bytes(sigstore.trust_config(version=2))
    (tmp_path / "token").write_text(sigstore.token(IDENTITY))
    settings = {
        "ATTEST__METHOD": "keyless",
        "ATTEST__KEYLESS__TRUST_CONFIG_FILE": str(tmp_path / "config.json"),
        "ATTEST__KEYLESS__TOKEN_FILE": str(tmp_path / "token"),
    }
    with running(tmp_path / "state", **settings) as sidecar:
        send(sidecar, 1)
        assert seal(sidecar, 1).state in {pb.RUN_STATE_ATTESTED, pb.RUN_STATE_SEALED}
        wait_until(lambda: attestations(sidecar), "an attestation")
        assert sidecar.stop() == 0
    assert not sidecar.public_key.exists(), "nobody needs a key"
    root = TrustedRoot(name="loopback", data=sigstore.trusted_root, sha256="")
    trust = Trust(roots=(root,), identities=(Identity(identity=IDENTITY, issuer=sigstore.url),))
    assert verify_file(sidecar.bundles[0], trust=trust).verdict == "verified"
