"""The account kept while recording against the account that the recorded events give."""

from __future__ import annotations

import tempfile
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evidence.canonical import canonical
from sidecar.journal import Frame
from sidecar.mapping import MappingAgain
from sidecar.recorder.books import _ACCOUNTS_MAX, Books
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.store import RunRow, RunStore
from sidecar.translation import FrameTranslator
from tests.sidecar.otlp.corpus import signal_of, some_or_all
from tests.sidecar.otlp.strategies import requests
from tests.tools.translators import loaded

NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 40)
TRANSLATOR = loaded()


class World:
    """A recorder with books, whose process may die."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "runs.sqlite"
        self.start()

    def start(self) -> None:
        self.store, self.books = RunStore(self._path, durable=False), Books()
        self.recorder = Recorder(
            store=self.store,
            lifecycle=NEVER,
            translate=FrameTranslator(TRANSLATOR),
            run_key=("trace_id",),
            source="urn:affidavit:test",
            unrecorded=lambda frame, reason: None,
            books=self.books,
        )

    def translated_again(self, run: RunRow) -> bytes:
        again = MappingAgain(TRANSLATOR)
        for piece in self.store.lines(run):
            for line in piece.splitlines():
                assert again.event(orjson.loads(line)) is None
        return again.report()

    def assert_books_are_right(self) -> None:
        self.recorder.close_all("shutdown", 0)
        for run in self.store.in_state("closed"):
            assert self.translated_again(run) == canonical(self.books.take(run).report())


@some_or_all
def test_the_books_of_a_recording_are_those_of_its_events(tmp_path, files):
    """Two frames each, the second a repetition: what is not recorded is not entered."""
    world = World(tmp_path)
    for number, path in enumerate(files):
        body = path.read_bytes()
        world.recorder.record([Frame(2 * number + half, 5, signal_of(path), 0, body) for half in (1, 2)])
        world.assert_books_are_right()
        for run in world.store.in_state("closed"):
            run.state = "attested"
            world.store.save(run)


@given(requests())
def test_the_books_of_any_telemetry_are_those_of_its_events(signal_and_request):
    signal, request = signal_and_request
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.recorder.record([Frame(1, 5, signal, 0, request.SerializeToString())])
        world.assert_books_are_right()


def frame(sequence: int, spans: int = 1) -> Frame:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(spans):
        scope.spans.add(trace_id=b"t" * 16, span_id=(sequence * 1000 + number).to_bytes(8, "big"), name="s")
    return Frame(sequence, 5, 1, 0, request.SerializeToString())


def test_a_run_of_a_process_that_died_has_no_books(tmp_path):
    world = World(tmp_path)
    world.recorder.record([frame(1)])
    world.start()
    world.recorder.record([frame(2)])
    world.recorder.close_all("shutdown", 0)
    (run,) = world.store.in_state("closed")
    assert world.books.take(run) is None


def test_what_was_rolled_back_is_in_no_books(tmp_path):
    world = World(tmp_path)
    world.recorder.record([frame(1)])

    def frames():
        yield frame(2)
        raise OSError

    with pytest.raises(OSError):
        world.recorder.record(frames())
    world.recorder.record([frame(2)])
    world.recorder.close_all("shutdown", 0)
    (run,) = world.store.in_state("closed")
    assert (run.spans, world.books.take(run)) == (2, None)


def test_books_are_bounded_and_the_newest_stay():
    books = Books()
    runs = [
        RunRow(row=n, run_id=str(n), part=1, opened_unix_nano=0, last_unix_nano=0, first_seq=0, next_seq=0)
        for n in range(1, _ACCOUNTS_MAX + 2)
    ]
    for run in runs:
        books.open(run)
    assert books.take(runs[0]) is None
    assert all(books.take(run) for run in runs[1:])
