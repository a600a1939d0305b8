"""What holds for all tests: none fails because the machine was busy, and each meets the same examples every time."""

import gc

import pytest

from tests.tools import examples

pytest_plugins = ["tests.sigstore.plugin"]

examples.usual()

PROCESSES_SECONDS = 400
"""Bound of a test that starts processes: more than each of its own waits, which say what never came."""

YOUNG_MAX = 20_000
"""Objects between two searches for circular garbage; Python's own 700 made that a fifth of the work."""


def pytest_collection_modifyitems(items):
    for item in items:
        own = item.get_closest_marker("timeout") or item.get_closest_marker("soak")  # `make soak` bounds those
        if item.get_closest_marker("integration") and not own:
            item.add_marker(pytest.mark.timeout(PROCESSES_SECONDS))


def pytest_collection_finish():
    """What is there now, modules and ten thousand tests, stays to the end: no search for garbage walks through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, *gc.get_threshold()[1:])
