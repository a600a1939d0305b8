"""A third party's OTLP receiver as the backend: agent -> sidecar -> rotel -> our sink, which tells what rotel understood.

rotel (https://github.com/streamfold/rotel) is written in Rust on other OTLP code than ours and than the OpenTelemetry SDK's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from semconv.translate import Translator
from sidecar.journal import Frame
from sidecar.otlp.signal import OtlpSignal
from sidecar.sink.grpc_server import GrpcServer
from sidecar.sink.sink import Sink
from sidecar.translation import FrameTranslator
from tests.tools.otlp import CORPUS, METHODS, items, signal_of
from tests.tools.process import PATIENCE_SECONDS, running, wait_until

_PACKAGE = importlib.util.find_spec("rotel")
BINARY = Path(_PACKAGE.origin).with_name("rotel-agent") if _PACKAGE and _PACKAGE.origin else None

pytestmark = [
    pytest.mark.integration,
    pytest.mark.rotel,
    pytest.mark.skipif(
        BINARY is None or not BINARY.exists(), reason="the rotel wheel with its agent is not installed on this platform"
    ),
]

RECORDINGS = sorted(
    file
    for producer in ("openinference-instrumentation-openai@0.1.66", "gemini-cli@0.61.0", "mcp@2.3.0")
    for file in (CORPUS / producer).glob("*.pb")
)


@dataclass(frozen=True)
class Rotel:
    grpc: str
    http: str
    sink: Sink

    def passed_on(self, signal: OtlpSignal) -> list:
        return items(signal, [received.body for received in self.sink.taken if received.signal is signal])


@contextlib.contextmanager
def rotel(folder: Path) -> Iterator[Rotel]:
    """rotel's agent on ports of its own, and a sink behind it."""
    folder.mkdir()
    sink = Sink(keep=True)
    behind = GrpcServer(sink, "127.0.0.1:0")
    behind.start()
    agent = Rotel(*_free_addresses(2), sink)
    command = [
        *(str(BINARY), "start", "--pid-file", str(folder / "pid"), "--log-file", str(folder / "log")),
        *("--otlp-grpc-endpoint", agent.grpc, "--otlp-http-endpoint", agent.http, "--batch-timeout", "20ms"),
        *("--exporter", "otlp", "--otlp-exporter-endpoint", f"http://{behind.address}"),
    ]
    process = subprocess.Popen(command, env={}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for address in (agent.grpc, agent.http):
            _wait_for(address, process)
        yield agent
    finally:
        process.kill()
        process.communicate()
        behind.stop()


def _version() -> str:
    """What the agent says of itself, or the loader of why it cannot: it is linked against the shared library of one Python."""
    asked = [str(BINARY), "--version"]
    return subprocess.run(asked, env={}, capture_output=True, text=True, timeout=PATIENCE_SECONDS).stderr.strip()


def _free_addresses(count: int) -> list[str]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


def _wait_for(address: str, process: subprocess.Popen) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port))):
            return
        time.sleep(0.02)
    process.kill()
    raise RuntimeError(f"rotel did not start: {process.communicate()[0]}")


def translated() -> dict[OtlpSignal, list]:
    """What the recordings are in the target conventions, by the translation that every exporter uses."""
    translate = FrameTranslator(Translator.load("gen-ai-dev"))
    bodies: dict[OtlpSignal, list[bytes]] = {signal: [] for signal in OtlpSignal}
    for sequence, file in enumerate(RECORDINGS, 1):
        frame = Frame(sequence, 0, signal_of(file), 0, file.read_bytes())
        bodies[signal_of(file)].append(translate.exported(frame, keep_unmapped=True)[0])
    return {signal: items(signal, found) for signal, found in bodies.items()}


def comparable(found: list) -> list[bytes]:
    return sorted(item.SerializeToString(deterministic=True) for item in found)


WAYS = tuple(itertools.product(("grpc", "http/protobuf"), ("none", "gzip")))
"""Protocol and compression."""


@dataclass(frozen=True)
class Passed:
    """What each rotel passed on, by the way it was reached, and what it should be."""

    found: dict[tuple[str, str], dict[OtlpSignal, list]]
    expected: dict[OtlpSignal, list]


@pytest.fixture(scope="module")
def passed(tmp_path_factory) -> Passed:
    """One sidecar with a rotel for each way as its backends."""
    if "error while loading shared libraries" in (said := _version()):
        pytest.skip(f"rotel's agent does not load here: {said}")
    folder, expected = tmp_path_factory.mktemp("rotel"), translated()
    assert all(expected.values()), "the recordings hold all three signals"
    with contextlib.ExitStack() as stack:
        agents = {way: stack.enter_context(rotel(folder / str(number))) for number, way in enumerate(WAYS)}
        backends = {}
        for number, ((protocol, compression), agent) in enumerate(agents.items()):
            address = agent.grpc if protocol == "grpc" else agent.http
            backends[f"EXPORTERS__R{number}__ENDPOINT"] = f"http://{address}"
            backends[f"EXPORTERS__R{number}__PROTOCOL"] = protocol
            backends[f"EXPORTERS__R{number}__COMPRESSION"] = compression
        with running(folder / "state", **backends) as sidecar:
            with grpc.insecure_channel(sidecar.grpc) as channel:
                for file in RECORDINGS:
                    channel.unary_unary(METHODS[signal_of(file)])(file.read_bytes())
            assert sidecar.stop() == 0
            assert [line for line in sidecar.log if line.get("level") != "info"] == []
        count = sum(map(len, expected.values()))
        for way, agent in agents.items():
            wait_until(lambda agent=agent: sum(agent.sink.items.values()) >= count, f"all items over {way}")
        found = {way: {signal: agent.passed_on(signal) for signal in OtlpSignal} for way, agent in agents.items()}
    return Passed(found, expected)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_rotel_takes_every_translated_item_and_understands_it_as_we_meant_it(passed, protocol, compression):
    for signal in OtlpSignal:
        assert comparable(passed.found[protocol, compression][signal]) == comparable(passed.expected[signal])
