"""Deadlines against looking at every run."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.recorder.deadlines import Deadlines
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.store import RunRow

SECOND = 1_000_000_000
LIFECYCLE = Lifecycle(quiet_seconds=2, idle_seconds=7, age_seconds_max=20, bytes_max=1000)

steps = st.lists(st.tuples(st.sampled_from(["item", "root", "ask"]), st.integers(0, 4), st.integers(0, 4)), max_size=60)


@given(steps)
def test_whoever_looks_only_at_deadlines_sees_the_runs_that_are_due_when_all_are_looked_at(steps):
    deadlines = Deadlines(LIFECYCLE, [])
    runs: dict[str, RunRow] = {}
    rows = 0
    now = 0
    for step, number, seconds in steps:
        now += seconds * SECOND
        name = f"run-{number}"
        if step == "ask":
            expected = [(run, reason) for run in runs.values() if (reason := LIFECYCLE.due(run, now))]
            assert sorted(expected, key=lambda each: each[0].row) == deadlines.due(now, runs.get)
            for run, _ in expected:
                del runs[run.run_id]
            earliest = min((LIFECYCLE.next_unix_nano(run) for run in runs.values()), default=None)
            assert earliest is None or deadlines.next_unix_nano <= earliest
            continue
        if name not in runs:
            rows += 1
            runs[name] = RunRow(
                row=rows, run_id=name, part=1, opened_unix_nano=now, last_unix_nano=now, first_seq=0, next_seq=0
            )
            deadlines.note(runs[name])
        runs[name].last_unix_nano = now
        if step == "root" and not runs[name].root_ended:
            runs[name].root_ended = 1
            deadlines.note(runs[name])


def test_a_run_over_its_size_is_due_at_once_whatever_the_clock_says():
    run = RunRow(row=1, run_id="r", part=1, opened_unix_nano=9, last_unix_nano=9, first_seq=0, next_seq=0, bytes=1000)
    deadlines = Deadlines(LIFECYCLE, [run])
    assert deadlines.due(0, {"r": run}.get) == [(run, "size")]


def test_a_run_that_has_ended_meanwhile_is_not_given():
    run = RunRow(row=1, run_id="r", part=1, opened_unix_nano=0, last_unix_nano=0, first_seq=0, next_seq=0)
    deadlines = Deadlines(LIFECYCLE, [run])
    run.state = "closed"
    assert deadlines.due(99 * SECOND, {"r": run}.get) == []
    assert deadlines.next_unix_nano is None
