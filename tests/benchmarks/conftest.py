"""Prints what each step costs per span or event, beside the yardstick of its group. Nothing here judges: no figure fails a run."""

from __future__ import annotations

import gc
from itertools import groupby

import pytest

ROUNDS = 7


@pytest.fixture
def cost(benchmark):
    """Measures `work`, which handles `items` things at once. The figure is the least CPU time of some rounds: others only add to it."""

    def measure(work, items, setup=None):
        benchmark.extra_info["items"] = items
        gc.collect()
        gc.freeze()  # what pytest holds is no part of the work
        return benchmark.pedantic(work, setup=setup, rounds=ROUNDS, warmup_rounds=1)

    return measure


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    done = [bench for bench in session.benchmarks if bench.stats.data] if session else []
    if not done:
        return
    terminalreporter.section("CPU per span or event")
    terminalreporter.write_line(f"{'':58}{'µs each':>9}{'each CPU-second':>17}{'x yardstick':>13}{'± IQR':>8}")
    for group, members in groupby(done, key=lambda bench: bench.group):
        terminalreporter.write_line(f"{group}")
        yardstick = None
        for bench in members:
            each = bench.stats.min / bench.extra_info["items"]
            yardstick = yardstick or each
            name = bench.name.removeprefix("test_").replace("_", " ")
            spread = bench.stats.iqr / bench.stats.median
            terminalreporter.write_line(
                f"  {name:56}{each * 1e6:9.2f}{1 / each:17,.0f}{each / yardstick:13.1f}{spread:8.0%}"
            )
