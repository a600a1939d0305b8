"""Plays the demo: sink and sidecar as processes of their own, recorded runs over gRPC and HTTP, verification offline.

Law: everything shown was just done by the product; the exit code is 0 only when it all holds.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import grpc
import orjson
import urllib3
from isal import igzip
from rich.console import Console
from rich.table import Table

from attest.trust.trust import Trust
from attest.verification import Verification
from attest.verify import verify_file
from sidecar.demo.recordings import RECORDINGS, Recording
from sidecar.errors import SidecarError
from sidecar.mapping import MappingAgain
from sidecar.otlp import json_codec
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from sidecar.state import StateDir

__all__ = ["Demo"]

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_DEADLINE_SECONDS = 10.0
_MARKER = ".affidavit-demo"
_TEXT_COLUMNS = {"run", "producer", "verdict"}


@dataclass(slots=True)
class _Outcome:
    recording: Recording
    run: Any
    bundle: Path
    verification: Verification


class Demo:
    """One playing of the demo into a folder."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._console = Console(highlight=False)
        self._mapping = MappingAgain()  # one for all bundles: reading the tables costs more than verifying one
        self._processes: list[subprocess.Popen[str]] = []

    def run(self) -> int:
        """Plays it; gives the exit code."""
        self._fresh_folder()
        began = time.monotonic()
        try:
            sink = self._start(
                "sink", "-m", "sidecar.sink", "--grpc", "127.0.0.1:0", "--out", str(self._out / "received.ndjson")
            )
            backend = orjson.loads(_line(sink, sink.stdout))["grpc"]
            config = self._write_config(backend)
            self._write_policy()
            sidecar = self._start("sidecar", "-m", "sidecar", "run", "--config", str(config))
            ready = self._await_ready(sidecar)
            self._console.print(
                f"A sidecar listens on [b]{ready['grpc']}[/b] (gRPC) and [b]{ready['http']}[/b] (HTTP) "
                f"and passes on to an OTLP backend on {backend}.\n"
                f"Agents send {len(RECORDINGS)} recorded runs over {', '.join(sorted({each.transport for each in RECORDINGS}))}.\n",
                soft_wrap=True,
            )
            outcomes = self._play(ready)
            self._end(sidecar)
            received = self._received(sink)
        finally:
            self._stop_all()
        self._show(outcomes)
        tampering_noticed = self._tamper(outcomes[0])
        self._say_what_next(outcomes[0], received, sum(outcome.recording.span_count() for outcome in outcomes), began)
        verified = all(outcome.verification.verdict == "verified" for outcome in outcomes)
        return 0 if verified and tampering_noticed else 1

    # ---------------------------------------------------------------- before

    def _fresh_folder(self) -> None:
        if self._out.exists():
            if any(self._out.iterdir()) and not (self._out / _MARKER).exists():
                raise SidecarError(f"{self._out} exists and is not an earlier demo's; name another folder with --out")
            shutil.rmtree(self._out)
        self._out.mkdir(parents=True)
        (self._out / _MARKER).touch()

    def _write_config(self, backend: str) -> Path:
        path = self._out / "affidavit.yaml"
        path.write_text(
            f"# What the demo ran with. Every setting is explained in config/affidavit.yaml.\n"
            f"name: demo\n"
            f"state_dir: {orjson.dumps(str(self._out / 'state')).decode()}\n"
            f"receiver:\n  grpc: {{endpoint: '127.0.0.1:0'}}\n  http: {{endpoint: '127.0.0.1:0'}}\n"
            f"exporters:\n  sink: {{endpoint: 'http://{backend}', protocol: grpc}}\n"
            f"log: {{format: json}}\n"
        )
        return path

    def _write_policy(self) -> None:
        (self._out / "policy.yaml").write_text(
            "# What an auditor might ask of these runs. docs/policy.md explains every key.\n"
            "schema: affidavit.policy.v1\n"
            "name: demo\n"
            'version: "1"\n'
            "keys: [{file: state/keys/signing.pem.pub}]\n"
            "closure: {min: 0.6}\n"
        )

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        with (self._out / f"{name}.log").open("w") as log:
            error: int | IO[str] = subprocess.PIPE if name == "sidecar" else log
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                [sys.executable, "-P", *arguments], stdout=subprocess.PIPE, stderr=error, text=True
            )
        self._processes.append(process)
        return process

    def _await_ready(self, sidecar: subprocess.Popen[str]) -> dict[str, str]:
        seen = []
        while line := _line(sidecar, sidecar.stderr):
            seen.append(line)
            if (fact := orjson.loads(line))["event"] == "ready":
                return dict(fact)
        raise SidecarError("the sidecar did not start:\n" + "".join(seen))

    # ---------------------------------------------------------------- the play

    def _play(self, ready: dict[str, str]) -> list[_Outcome]:
        with grpc.insecure_channel(ready["grpc"]) as channel:
            service = EvidenceServiceStub(channel)
            for recording in RECORDINGS:
                _SEND[recording.transport](channel, ready["http"], recording)
                counts = pb.SenderCounts(spans_ended=recording.span_count())
                service.CloseRun(
                    pb.CloseRunRequest(run_id=recording.run_id(), counts=counts), timeout=_DEADLINE_SECONDS
                )
            trust = Trust.load([self._key])
            return [self._outcome(service, recording, trust) for recording in RECORDINGS]

    def _outcome(self, service: EvidenceServiceStub, recording: Recording, trust: Trust) -> _Outcome:
        run = service.SealRun(pb.SealRunRequest(run_id=recording.run_id()), timeout=_DEADLINE_SECONDS).run
        bundle = self._out / "state" / "bundles" / run.bundle_file
        return _Outcome(recording, run, bundle, verify_file(bundle, trust=trust, mapping=self._mapping))

    @property
    def _key(self) -> Path:
        return self._out / "state" / "keys" / "signing.pem.pub"

    # ---------------------------------------------------------------- after

    def _end(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=_DEADLINE_SECONDS)
        (self._out / "sidecar.log").write_text(error or "")
        if process.returncode != 0:
            raise SidecarError(f"the sidecar ended with {process.returncode}; see {self._out / 'sidecar.log'}")

    def _received(self, sink: subprocess.Popen[str]) -> int:
        sink.send_signal(signal.SIGTERM)
        output, _ = sink.communicate(timeout=_DEADLINE_SECONDS)
        return int(orjson.loads(output.splitlines()[-1])["items"]["traces"])

    def _stop_all(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    # ---------------------------------------------------------------- what is shown

    def _show(self, outcomes: list[_Outcome]) -> None:
        table = Table(
            title="Runs, each sealed, signed, and verified offline",
            title_justify="left",
            box=None,
            padding=(0, 1, 0, 0),
        )
        for heading in ("run", "producer", "spans", "loss", "completeness", "closure", "verdict"):
            table.add_column(heading, no_wrap=True, justify="left" if heading in _TEXT_COLUMNS else "right")
        for outcome in outcomes:
            totals = (outcome.verification.facts.mapping_loss or {}).get("totals", {})
            verdict = outcome.verification.verdict
            table.add_row(
                outcome.run.run_id[:8],
                outcome.recording.title,
                str(outcome.run.span_count),
                f"{_gone(totals):.1%}",
                f"{outcome.run.completeness:.0%}",
                f"{outcome.run.closure:.2f}",
                f"[{'green' if verdict == 'verified' else 'red'}]{verdict}[/]",
            )
        self._console.print(table)
        self._console.print()

    def _tamper(self, outcome: _Outcome) -> bool:
        """Changes one byte of a copy, and shows that it is noticed."""
        folder = self._out / "tampered"
        folder.mkdir()
        copy = folder / outcome.bundle.name
        data = bytearray(outcome.bundle.read_bytes())
        data[len(data) // 2] ^= 0x01
        copy.write_bytes(data)
        attestation = Path(outcome.verification.attestation or "")
        shutil.copy(attestation, folder / attestation.name)
        again = verify_file(copy, trust=Trust.load([self._key]), mapping=self._mapping)
        failed = next((check for check in again.checks if check.outcome == "fail"), None)
        reason = f"{failed.id}: {failed.reason}" if failed else "nothing failed"
        self._console.print(f"One byte of a copy changed: [red]{again.verdict}[/] ({reason})", soft_wrap=True)
        return again.exit_code == 1

    def _say_what_next(self, outcome: _Outcome, received: int, sent: int, began: float) -> None:
        command = "affidavit" if shutil.which("affidavit") else sys.argv[0]
        state = StateDir(self._out / "state")
        vkey = state.log_key.with_suffix(".vkey").read_text().strip()
        self._console.print(
            f"\n{sent} spans were sent; the backend received {received}, in today's conventions "
            f"({self._out / 'received.ndjson'}). {time.monotonic() - began:.1f} s.\n\n"
            f"bundles   {outcome.bundle.parent}\nkey       {self._key}\nconfig    {self._out / 'affidavit.yaml'}\n\n"
            f"What to type next:\n"
            f"  {command} verify {outcome.bundle} --key {self._key}\n"
            f"  {command} verify {outcome.bundle.parent} --policy {self._out / 'policy.yaml'}\n"
            f"  {command} log verify {outcome.bundle.parent} --log {state.log} --log-key {vkey}\n"
            f"  {command} evidence show {outcome.bundle}\n"
            f"  {command} evidence lint {outcome.bundle.parent}\n"
            f"  tar -xOzf {outcome.bundle} reports/mapping-loss.json\n"
            f"  {command} run --config {self._out / 'affidavit.yaml'}",
            soft_wrap=True,
        )


def _line(process: subprocess.Popen[str], stream: IO[str] | None) -> str:
    line = stream.readline() if stream else ""
    if not line and process.poll() not in {None, 0}:
        raise SidecarError(f"{' '.join(map(str, process.args[1:4]))} ended with {process.returncode}")  # type: ignore[index]  # a list of ours
    return line


# ---------------------------------------------------------------- the agents' side of the wire


def _send_grpc(channel: grpc.Channel, _: str, recording: Recording) -> None:
    channel.unary_unary(_EXPORT)(recording.request().SerializeToString(), timeout=_DEADLINE_SECONDS)


def _send_protobuf(_: grpc.Channel, http: str, recording: Recording) -> None:
    _post(http, recording.request().SerializeToString(), {"content-type": "application/x-protobuf"})


def _send_json(_: grpc.Channel, http: str, recording: Recording) -> None:
    body = igzip.compress(json_codec.dump(recording.request()))
    _post(http, body, {"content-type": "application/json", "content-encoding": "gzip"})


def _post(http: str, body: bytes, headers: dict[str, str]) -> None:
    answer = urllib3.request("POST", f"http://{http}/v1/traces", body=body, headers=headers, timeout=_DEADLINE_SECONDS)
    if answer.status != 200:
        raise SidecarError(f"the sidecar answered {answer.status}: {answer.data[:200]!r}")


_SEND = {"gRPC": _send_grpc, "HTTP protobuf": _send_protobuf, "HTTP JSON, gzip": _send_json}


def _gone(totals: dict[str, Any]) -> float:
    """The share of atoms that have no home in the conventions; what is said elsewhere once more is not among them."""
    dropped = totals.get("dropped_by_severity", {})
    atoms = totals.get("atoms_in", 0)
    return (dropped.get("minor", 0) + dropped.get("major", 0)) / atoms if atoms else 0.0
