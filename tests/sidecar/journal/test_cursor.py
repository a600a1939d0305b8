"""Positions in a file."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import JournalError
from sidecar.journal import CursorFile
from tests.sidecar.journal.memory_disk import MemoryDisk, Stopped


def test_a_cursor_without_a_file_is_zero(tmp_path):
    assert CursorFile(tmp_path / "cursor").load() == 0


def test_a_cursor_is_what_was_stored_last_also_for_another_process(tmp_path):
    mine, theirs = CursorFile(tmp_path / "cursor"), CursorFile(tmp_path / "cursor")
    for position in (5, 9, 2**64 - 1, 3):
        mine.store(position)
        assert position == theirs.load() == CursorFile(tmp_path / "cursor").load()
    CursorFile(tmp_path / "cursor").store(7)
    assert theirs.load() == 7


@given(
    st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=9), st.integers(1, 40), st.integers(0, 2**32)
)
def test_a_power_cut_leaves_the_position_stored_or_the_one_before(positions, stop_at, seed):
    disk = MemoryDisk(random.Random(seed), stop_at=stop_at)
    cursor = CursorFile(Path("/cursors/one"), disk=disk)
    stored, begun = 0, 0
    try:
        for begun in positions:
            cursor.store(begun)
            stored = begun
    except Stopped:
        pass
    assert CursorFile(Path("/cursors/one"), disk=disk.power_cut()).load() in {stored, begun}


@pytest.mark.parametrize("damage", [b"", b"\xff" * 1200, b"short"], ids=["empty", "garbage", "short"])
def test_a_damaged_cursor_is_zero_so_that_everything_is_delivered_again(tmp_path, damage):
    (tmp_path / "cursor").write_bytes(damage)
    cursor = CursorFile(tmp_path / "cursor")
    assert cursor.load() == 0
    cursor.store(4)
    assert cursor.load() == 4


def test_one_damaged_slot_leaves_the_other(tmp_path):
    cursor = CursorFile(tmp_path / "cursor")
    cursor.store(11)
    cursor.store(12)
    data = bytearray((tmp_path / "cursor").read_bytes())
    data[0] ^= 0xFF  # the second generation stands in the first slot
    (tmp_path / "cursor").write_bytes(data)
    assert CursorFile(tmp_path / "cursor").load() == 11


def test_a_cursor_that_cannot_be_stored_is_the_disks_fault(tmp_path):
    with pytest.raises(JournalError, match="cannot store the cursor"):
        CursorFile(tmp_path / "no folder" / "cursor").store(1)
