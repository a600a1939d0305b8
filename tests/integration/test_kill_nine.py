"""kill -9 in the middle of a send loop: everything acknowledged is in a bundle."""

from __future__ import annotations

import threading
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from attest.log_audit import LogAuditor, hold
from attest.tlog.note import VerifierKey
from attest.tlog.reader import LogReader
from evidence.bundle.reader import EvidenceBundle
from tests.tools.process import PATIENCE_SECONDS, running, start

pytestmark = pytest.mark.integration

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
KILLS = 4
SOAK_KILLS = 100


def body(number: int) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    spans.add(trace_id=(number // 50 + 1).to_bytes(16, "big"), span_id=number.to_bytes(8, "big"), name=str(number))
    return request.SerializeToString()


def send_until_killed(address: str, first: int, acknowledged: list[int], enough: threading.Event, wanted: int) -> int:
    number = first
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(EXPORT)
        try:
            while True:
                call(body(number), timeout=5)
                acknowledged.append(number)
                number += 1
                if number - first >= wanted:
                    enough.set()
        except grpc.RpcError:
            enough.set()
            return number + 1


def recorded(bundles: list[Path]) -> list[int]:
    found = []
    for path in bundles:
        with EvidenceBundle.open(path) as bundle:
            found += [int(event["data"]["span"]["name"]) for event, _ in bundle.events() if "span" in event["data"]]
            bundle.finish()
    return found


def send_and_kill(state: Path, first: int, wanted: int, acknowledged: list[int]) -> int:
    """Starts a sidecar, sends until it is killed in the middle; gives the number to go on with."""
    sidecar = start(state, RUN__QUIET_SECONDS="0.2")
    enough = threading.Event()
    ended: list[int] = []
    sender = threading.Thread(
        target=lambda: ended.append(send_until_killed(sidecar.grpc, first, acknowledged, enough, wanted))
    )
    sender.start()
    assert enough.wait(PATIENCE_SECONDS)
    sidecar.kill()
    sender.join(PATIENCE_SECONDS)
    return ended[0]


def kill_in_a_loop(state: Path, kills: int) -> None:
    acknowledged: list[int] = []
    number = 1
    for round_ in range(kills):
        number = send_and_kill(state, number, 20 + 62 * (round_ % KILLS), acknowledged)
    with running(state) as sidecar:
        assert sidecar.stop() == 0
        found = recorded(sidecar.bundles)
    assert sorted(set(acknowledged) - set(found)) == [], "acknowledged and lost"
    assert len(found) == len(set(found)), "recorded twice"
    logged(state)


def logged(state: Path) -> None:
    """Every bundle is in the log, once, and every attestation's checkpoint is a prefix of the last."""
    reader = LogReader(state / "log")
    key = VerifierKey.parse((state / "keys" / "log.vkey").read_text().strip())
    audit = LogAuditor(keys=[key]).audit(reader.checkpoint, reader, hold([state / "bundles"]))
    assert (audit.verdict, audit.findings) == ("verified", ())
    assert audit.leaves == reader.checkpoint.size > 0
    assert audit.older > 0


def test_four_kills_lose_nothing_acknowledged(tmp_path):
    kill_in_a_loop(tmp_path / "state", KILLS)


@pytest.mark.soak
def test_a_hundred_kills_lose_nothing_acknowledged(tmp_path):
    kill_in_a_loop(tmp_path / "state", SOAK_KILLS)
