"""When runs end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.store import RunRow

NANOS = 1_000_000_000
LIFECYCLE = Lifecycle(quiet_seconds=5, idle_seconds=60, age_seconds_max=3600, bytes_max=1000)


def run(*, opened=0, last=0, root_ended=0, size=0) -> RunRow:
    return RunRow(
        run_id="r",
        part=1,
        opened_unix_nano=opened,
        last_unix_nano=last,
        root_ended=root_ended,
        first_seq=0,
        next_seq=1,
        bytes=size,
    )


@pytest.mark.parametrize(
    ("row", "at_seconds", "reason"),
    [
        (run(), 59.9, None),
        (run(), 60, "idle"),
        (run(root_ended=1), 4.9, None),
        (run(root_ended=1), 5, "root_ended"),
        (run(last=3590 * NANOS), 3599.9, None),
        (run(last=3590 * NANOS), 3600, "age"),
        (run(size=1000), 0, "size"),
        (run(last=10 * NANOS), 0, None),
    ],
)
def test_a_run_is_due_for_the_first_reason_that_applies(row, at_seconds, reason):
    assert LIFECYCLE.due(row, int(at_seconds * NANOS)) == reason


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 1), st.integers(0, 10**13))
def test_a_run_is_due_exactly_from_its_deadline_on(opened, last, root_ended, now):
    """Law: due(now) is a reason if and only if now has reached next_unix_nano."""
    row = run(opened=opened, last=last, root_ended=root_ended)
    assert (LIFECYCLE.due(row, now) is not None) == (now >= LIFECYCLE.next_unix_nano(row))
