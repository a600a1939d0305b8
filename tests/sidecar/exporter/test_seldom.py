"""Warnings without a flood."""

import logging

from sidecar.exporter.seldom import Seldom


def test_one_warning_of_a_kind_in_an_interval_and_the_rest_counted(caplog):
    """Kinds do not silence each other."""
    now = 0.0
    warn = Seldom(logging.getLogger("test"), 60, lambda: now)
    for now in (0, 1, 59, 60, 61, 120):
        warn("down", "%s is down", "b")
        warn(f"other {now}", "other")
    down = [record.getMessage() for record in caplog.records if "down" in record.getMessage()]
    assert down == ["b is down", "b is down (and 2 more like it)", "b is down (and 1 more like it)"]
    assert len([record for record in caplog.records if record.getMessage() == "other"]) == 6
