"""Collections are rare inside, and as they were afterwards, whatever happens."""

import gc

import pytest

from sidecar.cli.garbage import rare_collections


def test_thresholds_are_what_they_were_afterwards():
    before = gc.get_threshold()

    def fail_inside():
        with rare_collections():
            assert gc.get_threshold()[0] > before[0]
            raise KeyError

    with pytest.raises(KeyError):
        fail_inside()
    assert gc.get_threshold() == before
    assert gc.isenabled()
