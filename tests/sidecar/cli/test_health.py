"""`affidavit health`: ready or not, and what waits, which is no reason to be unready."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner

from sidecar.cli.health import health
from sidecar.clock import now_unix_nano
from sidecar.recorder.store import RunRow, RunStore
from sidecar.state import StateDir


@pytest.fixture
def answering():
    """Something that answers `/readyz` with the status it is told, on a port of its own."""

    class Ready(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self):
            self.send_response(self.status)
            self.end_headers()

        def log_message(self, *_):
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Ready)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def state(tmp_path, monkeypatch, answering):
    monkeypatch.setenv("AFFIDAVIT_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("AFFIDAVIT_RECEIVER__HTTP__ENDPOINT", f"127.0.0.1:{answering.server_port}")
    return StateDir(tmp_path)


def part(state: StateDir, run_id: str, name: str, ago_seconds: int) -> None:
    closed = now_unix_nano() - ago_seconds * 1_000_000_000
    row = RunRow(run_id=run_id, part=1, state=name, opened_unix_nano=0, last_unix_nano=0, first_seq=0, next_seq=1)
    row.closed_unix_nano = closed
    RunStore(state.runs, durable=False).save(row)


def lines():
    done = CliRunner().invoke(health, catch_exceptions=False)
    return done.exit_code, done.output.splitlines()


def test_a_sidecar_that_never_recorded_is_ready_and_nothing_waits(state):
    code, (said,) = lines()
    assert (code, said.endswith(": ready")) == (0, True)


def test_what_waits_is_said_with_the_age_of_the_oldest_and_is_ready_all_the_same(state):
    for number, name in enumerate(("open", "attested", "sealed", "sealed", "closed")):
        part(state, f"run-{number}", name, 7200 + 60 * number)
    code, (_, sealing, signing) = lines()
    assert code == 0
    assert sealing.startswith("1 run waits to be sealed, the oldest for 7,44")
    assert signing.startswith("2 bundles wait for their signature, the oldest for 7,38")


def test_a_file_of_runs_that_cannot_be_read_changes_nothing(state):
    state.runs.write_bytes(b"no database" * 100)
    code, said = lines()
    assert (code, len(said)) == (0, 1)


def test_not_ready_is_1_whatever_waits(state, answering):
    answering.RequestHandlerClass.status = 503
    part(state, "run-1", "sealed", 5)
    code, said = lines()
    assert (code, said[0].endswith("not ready (503)")) == (1, True)


def test_nobody_there_is_1(state, monkeypatch):
    monkeypatch.setenv("AFFIDAVIT_RECEIVER__HTTP__ENDPOINT", "127.0.0.1:1")
    assert lines()[0] == 1
