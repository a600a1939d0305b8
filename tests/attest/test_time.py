"""The row `time`, at the edges of what two clocks may contradict each other by."""

import pytest

from attest.checks.material import Dated
from attest.checks.time import check_time
from attest.limits import DEFAULT
from attest.trust.trust import Required
from attest.verdict import ProvenTime
from evidence.timestamp import from_unix_nano, to_unix_nano

CLOSED = "2026-03-01T12:00:00.900000000Z"


@pytest.mark.parametrize(
    ("after_ms", "outcome"),
    [(-300_001, "fail"), (-300_000, "warn"), (-1_001, "warn"), (-1_000, "pass"), (0, "pass"), (10**9, "pass")],
)
def test_a_proven_time_may_be_a_second_early_for_its_grain_and_five_minutes_with_a_warning(after_ms, outcome):
    time = from_unix_nano(to_unix_nano(CLOSED) + after_ms * 1_000_000)
    dated = Dated(logged=ProvenTime(time=time, source="log", by="log.example"))
    assert check_time(dated, Required(), CLOSED, DEFAULT, by_key=False).outcome == outcome


@pytest.mark.parametrize(("after_ms", "outcome"), [(30_000, "pass"), (30_001, "fail")])
def test_the_longest_delay_is_itself_allowed(after_ms, outcome):
    time = from_unix_nano(to_unix_nano(CLOSED) + after_ms * 1_000_000)
    dated = Dated(logged=ProvenTime(time=time, source="log", by="log.example"))
    assert check_time(dated, Required(delay_seconds_max=30), CLOSED, DEFAULT, by_key=False).outcome == outcome
