"""The fixture `sigstore`: one loopback a process (and so one a worker of xdist), as new for each test.

Nothing is imported before a test asks for it.
"""

import pytest


@pytest.fixture(scope="session")
def _loopback():
    from tests.sigstore.loopback import Sigstore

    with Sigstore.start() as sigstore:
        yield sigstore


@pytest.fixture
def sigstore(_loopback):
    """A loopback Sigstore without faults, skew, witnesses, or recorded requests."""
    _loopback.reset()
    yield _loopback
    _loopback.reset()
