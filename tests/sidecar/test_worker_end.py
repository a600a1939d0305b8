"""What a worker whose state directory cannot be written leaves in the log: a sentence, and no traceback."""

import sqlite3
from types import SimpleNamespace

import pytest

from sidecar import worker
from sidecar.recorder.store import RunStore


class Ended(BaseException):
    """In place of the end of this process."""


@pytest.mark.parametrize("error", [sqlite3.OperationalError("database or disk is full"), OSError(28, "No space left")])
def test_a_disk_that_is_full_ends_the_worker_with_a_sentence(error, monkeypatch, capfd):
    class Failing:
        def __init__(self, *_):
            """Opens nothing."""

        def run(self, _):
            raise error

    def end(code):
        raise Ended(code)

    monkeypatch.setattr(worker, "_read_spec", lambda _: SimpleNamespace(log_level="info", log_form="text"))
    monkeypatch.setattr(worker, "Worker", Failing)
    monkeypatch.setattr(worker.os, "_exit", end)
    monkeypatch.setattr(worker, "_listen", lambda *_: None)
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    monkeypatch.setattr(worker.Log, "adopt", lambda _: None)
    monkeypatch.setattr(worker.gc, "freeze", lambda: None)
    with pytest.raises(Ended) as caught:
        worker.main()
    assert caught.value.args == (1,)
    said = capfd.readouterr().err
    assert "the state directory cannot be read or written" in said
    assert str(error) in said
    assert "Traceback" not in said


def test_a_transaction_that_was_rolled_back_already_says_why_it_failed(tmp_path):
    store = RunStore(tmp_path / "runs.sqlite", durable=False)

    def fail():
        with store.transaction():
            store._db.execute("ROLLBACK")  # as SQLite does by itself where the disk is full
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        fail()
