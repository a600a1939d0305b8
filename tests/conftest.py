"""What holds for all tests: none fails because the machine was busy."""

import pytest
from hypothesis import settings

pytest_plugins = ["tests.sigstore.plugin"]

settings.register_profile("affidavit", deadline=None)
settings.load_profile("affidavit")

PROCESSES_SECONDS = 400
"""Bound of a test that starts processes: more than each of its own waits, which say what never came."""


def pytest_collection_modifyitems(items):
    for item in items:
        own = item.get_closest_marker("timeout") or item.get_closest_marker("soak")  # `make soak` bounds those
        if item.get_closest_marker("integration") and not own:
            item.add_marker(pytest.mark.timeout(PROCESSES_SECONDS))
