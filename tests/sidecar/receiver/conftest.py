"""Fixtures of the receivers' tests."""

import pytest

from tests.sidecar.receiver.world import serving


@pytest.fixture
def world(tmp_path):
    with serving(tmp_path / "journal") as world:
        yield world
