"""Where tiles lie, what is in them, and what is refused."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.errors import InvalidError
from attest.tlog.tiles import Tiles, entries_path, tile_path, tile_width, write_entry
from evidence.merkle import leaf_hash, root_of


@pytest.mark.parametrize(
    ("index", "path"),
    [
        (0, "000"),
        (7, "007"),
        (999, "999"),
        (1000, "x001/000"),
        (1234067, "x001/x234/067"),  # the specification's own example
        (10**9, "x001/x000/x000/000"),
    ],
)
def test_a_tile_index_is_written_in_groups_of_three_digits(index, path):
    assert tile_path(3, index) == f"tile/3/{path}"
    assert tile_path(0, index, 1) == f"tile/0/{path}.p/1"
    assert entries_path(index, 255) == f"tile/entries/{path}.p/255"


def test_a_tree_of_seventy_thousand_has_the_tiles_that_the_specification_counts():
    widths = [tile_width(0, index, 70_000) for index in range(275)]
    assert widths == [*[256] * 273, 112, -144]
    assert [tile_width(1, index, 70_000) for index in range(3)] == [256, 17, -239]
    assert [tile_width(2, index, 70_000) for index in range(2)] == [1, -255]


def test_a_tree_of_256_has_one_full_tile_and_one_above_of_width_one():
    assert (tile_width(0, 0, 256), tile_width(1, 0, 256), tile_width(2, 0, 256)) == (256, 1, 0)


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_two_tiles_never_share_a_path(one, other):
    assert (tile_path(0, one) == tile_path(0, other)) == (one == other)


@pytest.fixture
def log(tmp_path):
    hashes = [leaf_hash(bytes([at])) for at in range(3)]
    for path, data in (
        (tile_path(0, 0, 3), b"".join(hashes)),
        (entries_path(0, 3), b"".join(write_entry(bytes([at])) for at in range(3))),
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


def test_an_entry_stands_behind_its_length_in_sixteen_bits(log):
    assert (log / "tile/entries/000.p/3").read_bytes() == bytes.fromhex("0001 00 0001 01 0001 02")
    assert write_entry(bytes(258))[:2] == b"\x01\x02"
    with pytest.raises(ValueError, match="65536 bytes, expected at most 65535"):
        write_entry(bytes(65536))


def test_a_node_is_the_root_over_the_leaves_below_it(log):
    hashes = [leaf_hash(bytes([at])) for at in range(3)]
    tiles = Tiles(log, 3)
    assert [tiles.node(0, at) for at in range(3)] == hashes
    assert tiles.node(1, 0) == root_of(hashes[:2])
    assert list(tiles.entries()) == [b"\0", b"\1", b"\2"]


def test_a_full_tile_stands_for_a_partial_one_that_was_deleted(log):
    full = b"".join(leaf_hash(bytes([at])) for at in range(256))
    (log / "tile/0/000").write_bytes(full)
    (log / "tile/0/000.p/3").unlink()
    assert Tiles(log, 3).tile(0, 0) == full[:96]


DAMAGED = {
    "missing": (None, "is not there"),
    "empty": (b"", "has 0 bytes, expected 96"),
    "cut": (bytes(95), "has 95 bytes, expected 96"),
    "one_short": (bytes(64), "has 64 bytes, expected 96"),
    "too_large": (bytes(8193), "more than 8192 bytes"),
}


@pytest.mark.parametrize("defect", DAMAGED)
def test_a_damaged_tile_is_refused_by_its_defect(log, defect):
    data, message = DAMAGED[defect]
    path = log / tile_path(0, 0, 3)
    path.write_bytes(data) if data is not None else path.unlink()
    with pytest.raises(InvalidError, match=message):
        Tiles(log, 3).node(0, 0)


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\1", b"\0\1a\0\1b", b"\0\1a\0\1b\0\2c", b"\0\1a\0\1b\0\1c\0", b"\xff\xffabc"]
)
def test_an_entry_bundle_whose_lengths_do_not_come_out_even_is_refused(log, data):
    (log / entries_path(0, 3)).write_bytes(data)
    with pytest.raises(InvalidError, match=r"tile/entries/000\.p/3 is not 3 entries"):
        list(Tiles(log, 3).entries())


def test_a_tile_beyond_the_tree_is_not_looked_for(log):
    with pytest.raises(InvalidError, match="a tree of 3 leaves has no tile"):
        Tiles(log, 3).tile(0, 1)


def test_a_pipe_in_the_place_of_a_tile_is_not_waited_for(log):
    path = log / tile_path(0, 0, 3)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InvalidError, match="is not there"):
        Tiles(log, 3).node(0, 0)
