"""The file of runs: what is forgotten, and what is not."""

import pytest

from sidecar.recorder.store import RunRow, RunStore


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs.sqlite", durable=False)


def add(store: RunStore, run_id: str, state: str) -> None:
    store.save(
        RunRow(run_id=run_id, part=1, state=state, opened_unix_nano=0, last_unix_nano=0, first_seq=0, next_seq=1)
    )


def test_pruning_forgets_the_oldest_finished_runs_and_no_other(store):
    for number in range(10):
        add(store, f"run-{number}", "open" if number == 2 else "closed" if number == 4 else "attested")
    store.prune(3)
    kept = sorted(row.run_id for state in ("open", "closed", "sealed", "attested") for row in store.in_state(state))
    assert kept == ["run-2", "run-4", "run-7", "run-8", "run-9"]


def test_pruning_looks_at_what_it_forgets_and_at_nothing_else(store):
    """It runs after every sealing: a walk over all that is kept would cost more than the sealing."""
    said: list[str] = []
    store._db.set_trace_callback(said.append)
    store.prune(3)
    store._db.set_trace_callback(None)
    (statement,) = said
    plan = [step[3] for step in store._db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert plan
    assert not [step for step in plan if step.startswith("SCAN")]
