"""What each step costs in CPU time, each group beside a yardstick that does the least that any such step must.

Run by `make bench`, never by `make test`. The first of a group is its yardstick; the figures are printed by conftest.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import grpc
import orjson
import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from attest.verify import verify_file
from evidence.bundle import EvidenceBundle
from evidence.formulas import Context
from evidence.lint.lint import LintedBundle, Options, lint
from evidence.packs import BUILTIN, builtin
from evidence.scores import Assessment, Scores
from evidence.timestamp import from_unix_nano
from sidecar.cli.garbage import rare_collections
from sidecar.exporter.backend import Backend
from sidecar.exporter.exporter import Exporter
from sidecar.exporter.source import ExportFrame
from sidecar.journal import JournalLimits, JournalWriter
from sidecar.mapping import MappingAgain
from sidecar.otlp.signal import OtlpSignal
from sidecar.receiver.admission import Accepted, Admission
from sidecar.recorder.books import Books
from sidecar.recorder.store import RunStore
from sidecar.translation import FrameTranslator
from tests.benchmarks import workload

pytestmark = pytest.mark.bench

SPANS = 4_000
NONE = "sha256:" + "0" * 64  # nobody reads these events out of a bundle
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    return [body for body, _ in workload.bodies(workload.AGENT, SPANS)]


@pytest.fixture(scope="module")
def spans() -> int:
    return sum(count for _, count in workload.bodies(workload.AGENT, SPANS))


# ---------------------------------------------------------------- acknowledge


@pytest.mark.benchmark(group="acknowledge: 10 spans a request, one after the other")
def test_append_and_fdatasync_each_body(cost, bodies, spans, tmp_path):
    descriptor = os.open(tmp_path / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def work():
        for body in bodies:
            os.write(descriptor, body)
            os.fdatasync(descriptor)

    cost(work, spans)
    os.close(descriptor)


@pytest.mark.benchmark(group="acknowledge: 10 spans a request, one after the other")
@pytest.mark.parametrize("at_once", [1, 8])
def test_decode_judge_and_commit_to_the_journal(cost, bodies, spans, tmp_path, at_once):
    journal = JournalWriter.open(tmp_path / "journal", limits=JournalLimits(disk_bytes_max=4 << 30))
    admission = Admission(journal)

    async def send(share: list[bytes]) -> None:
        for body in share:
            assert isinstance(await admission.telemetry(OtlpSignal.TRACES, "protobuf", body), Accepted)

    async def all_of_them() -> None:
        await asyncio.gather(*(send(bodies[start::at_once]) for start in range(at_once)))

    cost(lambda: asyncio.run(all_of_them()), spans)
    journal.close()


# ---------------------------------------------------------------- translate


@pytest.mark.benchmark(group="translate: 1.4 KB an event, two spans in five change")
def test_parse_and_serialize(cost, bodies, spans):
    cost(lambda: [ExportTraceServiceRequest.FromString(body).SerializeToString() for body in bodies], spans)


@pytest.mark.benchmark(group="translate: 1.4 KB an event, two spans in five change")
def test_parse_translate_apply_and_serialize(cost, spans):
    frames = list(workload.frames(workload.AGENT, SPANS))

    def work(translate):
        for frame in frames:
            translate.exported(frame, keep_unmapped=True)

    cost(work, spans, setup=lambda: ((FrameTranslator(workload.translator()),), {}))


@pytest.mark.benchmark(group="translate: OpenInference, 7 KB an event, every span changes")
def test_parse_and_serialize_heavy(cost):
    found = list(workload.bodies(workload.HEAVY, SPANS // 4))
    spans = sum(count for _, count in found)
    cost(lambda: [ExportTraceServiceRequest.FromString(body).SerializeToString() for body, _ in found], spans)


@pytest.mark.benchmark(group="translate: OpenInference, 7 KB an event, every span changes")
def test_parse_translate_apply_and_serialize_heavy(cost):
    frames = list(workload.frames(workload.HEAVY, SPANS // 4))
    spans = sum(count for _, count in workload.bodies(workload.HEAVY, SPANS // 4))

    def work(translate):
        for frame in frames:
            translate.exported(frame, keep_unmapped=True)

    cost(work, spans, setup=lambda: ((FrameTranslator(workload.translator()),), {}))


# ---------------------------------------------------------------- export


@pytest.fixture(scope="module")
def sink():
    """The address of an OTLP sink in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "sidecar.sink"], stdout=subprocess.PIPE)
    try:
        yield orjson.loads(process.stdout.readline())["grpc"]
    finally:
        process.terminate()
        process.wait(30)


class Ready:
    """A `FrameSource` of what was translated before; says when its end was passed."""

    def __init__(self, bodies: list[bytes], each: int) -> None:
        self._frames = [
            ExportFrame(number, OtlpSignal.TRACES, body, each) for number, body in enumerate(bodies, start=1)
        ]

    def frames(self, after: int):
        yield from self._frames[after:]

    def wait(self, after: int, timeout_seconds: float) -> bool:
        return after < len(self._frames)


class Nowhere:
    """A cursor that starts at the beginning and is not kept."""

    def load(self) -> int:
        return 0

    def store(self, sequence: int) -> None:
        pass


@pytest.mark.benchmark(group="export over gRPC: CPU of the sending process")
def test_bare_grpc_calls_of_4_mib(cost, bodies, spans, sink):
    data = b"".join(bodies)  # what protobuf calls a merge: one request of all
    cut = [b"".join(bodies[start : start + 600]) for start in range(0, len(bodies), 600)]
    assert sum(map(len, cut)) == len(data)
    with grpc.insecure_channel(sink) as channel:
        call = channel.unary_unary(EXPORT)
        cost(lambda: [call(body, timeout=30) for body in cut], spans)


@pytest.mark.benchmark(group="export over gRPC: CPU of the sending process")
def test_exporter(cost, bodies, spans, sink):
    backend = Backend(name="sink", endpoint=f"http://{sink}")

    def work():
        exporter = Exporter(backend, Ready(bodies, 10), Nowhere())
        exporter.start()
        assert exporter.stop(60.0)

    cost(work, spans)


# ---------------------------------------------------------------- record


@pytest.mark.benchmark(group="record: translate, events in canonical JSON, accounts, SQLite without sync")
def test_protobuf_to_json_by_its_own_library(cost, bodies, spans):
    cost(lambda: [MessageToJson(ExportTraceServiceRequest.FromString(body)) for body in bodies[::10]], spans / 10)


@pytest.mark.benchmark(group="record: translate, events in canonical JSON, accounts, SQLite without sync")
def test_record(cost, spans, tmp_path):
    frames = list(workload.frames(workload.AGENT, SPANS))

    def setup():
        (tmp_path / "runs.sqlite").unlink(missing_ok=True)
        return (RunStore(tmp_path / "runs.sqlite", durable=False),), {}

    def work(store):
        workload.record(store, frames)
        store.close()

    cost(work, spans, setup=setup)


# ---------------------------------------------------------------- seal and verify


class Closed:
    """A run that waits to be sealed, as often as it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        store = RunStore(folder / "closed.sqlite", durable=False)
        workload.record(store, list(workload.frames(workload.AGENT, SPANS)))
        (self.run,) = store.in_state("closed")
        self.lines = b"".join(store.lines(self.run))
        store.close()
        assert 1300 < len(self.lines) / self.run.event_count < 1500, "the figures say 1.4 KB"
        assert 0.3 < self.lines.count(b'"mapped":') / self.run.spans < 0.6, "the figures say two in five"

    def store(self) -> RunStore:
        for old in self.folder.glob("copy.sqlite*"):
            old.unlink()
        shutil.copy(self.folder / "closed.sqlite", self.folder / "copy.sqlite")
        return RunStore(self.folder / "copy.sqlite", durable=False)

    def books(self) -> Books:
        """What the recorder would have kept."""
        books = Books()
        books.open(self.run)
        translate = FrameTranslator(workload.translator())
        for frame in workload.frames(workload.AGENT, SPANS):
            for item in translate(frame):
                books.enter(self.run, item)
        return books


@pytest.fixture(scope="module")
def closed(tmp_path_factory) -> Closed:
    return Closed(tmp_path_factory.mktemp("closed"))


@pytest.fixture(scope="module")
def bundle(closed, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("bundles")
    return out / seal(closed.store(), out, Books())


def seal(store: RunStore, out: Path, books: Books) -> str:
    def failed(_run, error):
        raise error

    (sealed,) = workload.sealer(store, out, books).seal_closed(failed)
    store.close()
    return sealed.file


@pytest.mark.benchmark(group="seal: 4,000 events of 1.4 KB")
def test_sha256_and_gzip_of_the_same_bytes(cost, closed):
    cost(lambda: (hashlib.sha256(closed.lines).digest(), zlib.compress(closed.lines, 6)), closed.run.event_count)


@pytest.mark.benchmark(group="seal: 4,000 events of 1.4 KB")
@pytest.mark.parametrize("kept", [True, False], ids=["books_kept", "translated_again"])
def test_seal(cost, closed, tmp_path, kept):
    cost(
        lambda store, books: seal(store, tmp_path, books),
        closed.run.event_count,
        setup=lambda: ((closed.store(), closed.books() if kept else Books()), {}),
    )


@pytest.mark.benchmark(group="verify: the same events")
def test_sha256_of_the_same_bytes(cost, closed):
    cost(lambda: hashlib.sha256(closed.lines).digest(), closed.run.event_count)


@pytest.mark.benchmark(group="verify: the same events")
def test_gunzip_parse_and_write_canonically_what_any_reader_must(cost, bundle, closed):
    """Inflate, JSON in and out by orjson, and SHA-256 of each line: integrity with nothing around it."""
    data = bundle.read_bytes()

    def work():
        zlib.decompress(data, 31)
        for line in closed.lines.splitlines():
            assert orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS) == line
            hashlib.sha256(line).digest()

    cost(work, closed.run.event_count)


@pytest.mark.benchmark(group="verify: the same events")
def test_integrity_alone(cost, bundle, closed):
    @rare_collections()
    def work():
        assert verify_file(bundle, recompute=False).check("events").outcome != "fail"

    cost(work, closed.run.event_count)


@pytest.mark.benchmark(group="verify: the same events")
def test_integrity_and_reports(cost, bundle, closed):
    @rare_collections()
    def work():
        assert verify_file(bundle).check("reports").outcome == "pass"

    cost(work, closed.run.event_count)


@pytest.mark.benchmark(group="verify: the same events")
def test_integrity_reports_and_every_translation(cost, bundle, closed):
    """The tables are loaded once, before: a run of 4,000 events would carry 40 µs each of it."""
    mapping = MappingAgain()
    assert verify_file(bundle, mapping=mapping).check("mapping").outcome == "pass"

    @rare_collections()
    def work():
        assert verify_file(bundle, mapping=mapping).check("mapping").outcome == "pass"

    cost(work, closed.run.event_count)


@pytest.mark.benchmark(group="lint: the same events")
def test_reading_strictly(cost, bundle, closed):
    @rare_collections()
    def work():
        with EvidenceBundle.open(bundle) as reading:
            assert sum(1 for _ in reading.events()) == closed.run.event_count
            reading.finish()

    cost(work, closed.run.event_count)


@pytest.mark.benchmark(group="lint: the same events")
@pytest.mark.parametrize(
    "names", [("baseline",), ("cicd-starter",), BUILTIN], ids=["baseline", "cicd-starter", "all_packs"]
)
def test_lint(cost, bundle, closed, names):
    options = Options(packs=tuple(builtin(name) for name in names))

    @rare_collections()
    def work():
        assert isinstance(lint(bundle, options), LintedBundle)

    cost(work, closed.run.event_count)


# ---------------------------------------------------------------- assess


class Parsed:
    """The events of a run, parsed beforehand: what looking at them costs, and nothing else."""

    def __init__(self, lines: bytes) -> None:
        self.lines = lines.splitlines()
        self.events = [(orjson.loads(line), line) for line in self.lines]

    def assess(self, packs: tuple[str, ...]) -> Scores:
        assessment = Assessment([builtin(name) for name in packs])
        for event, line in self.events:
            assessment.add(event, line)
        return assessment.scores(CONTEXT)


CONTEXT = Context(run_id="r", computed_at=from_unix_nano(0), manifest_digest=NONE, events_digest=NONE)
WORKLOADS = {"agent": workload.AGENT, "heavy": workload.HEAVY}


@pytest.fixture(scope="module", params=WORKLOADS)
def parsed(request, tmp_path_factory) -> Parsed:
    store = RunStore(tmp_path_factory.mktemp("parsed") / "runs.sqlite", durable=False)
    workload.record(store, list(workload.frames(WORKLOADS[request.param], SPANS)))
    lines = b"".join(store.lines(store.in_state("closed")[0]))
    store.close()
    return Parsed(lines)


@pytest.mark.benchmark(group="assess: events that are parsed already; agent 1.4 KB, heavy 7 KB")
def test_parse_and_sha256_each_line(cost, parsed):
    cost(lambda: [(orjson.loads(line), hashlib.sha256(line).digest()) for line in parsed.lines], len(parsed.lines))


@pytest.mark.benchmark(group="assess: events that are parsed already; agent 1.4 KB, heavy 7 KB")
@pytest.mark.parametrize("packs", [(), ("baseline",), BUILTIN], ids=["no_pack", "baseline", "all_packs"])
def test_capture_health_scores_and_rules(cost, parsed, packs):
    cost(lambda: parsed.assess(packs), len(parsed.lines))
