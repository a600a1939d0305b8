"""RFC 9162 section 2.1: known values of the reference test data of Certificate Transparency, and the laws of proofs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.merkle import (
    EMPTY_ROOT,
    MerkleTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and roots that Certificate Transparency's implementations share as test data.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

leaves_lists = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


@pytest.mark.parametrize("size", range(1, 9))
def test_the_root_of_known_leaves_is_the_known_one(size):
    tree = MerkleTree()
    for leaf in LEAVES[:size]:
        tree.append(bytes.fromhex(leaf))
    assert ROOTS[size - 1] == tree.root().hex()


def test_the_empty_tree_has_the_hash_of_nothing():
    assert (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        == MerkleTree().root().hex()
        == EMPTY_ROOT.hex()
    )


@given(leaves_lists)
def test_growing_a_tree_gives_the_recursive_definition(leaves):
    tree = MerkleTree()
    for leaf in leaves:
        tree.append(leaf)
    assert root_of([leaf_hash(leaf) for leaf in leaves]) == tree.root()
    assert len(leaves) == tree.size


def test_a_leaf_cannot_pass_for_a_node():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


@given(leaves_lists, st.data())
def test_an_inclusion_proof_holds_for_its_leaf_and_place_only(leaves, data):
    hashes = [leaf_hash(leaf) for leaf in leaves]
    index = data.draw(st.integers(0, len(leaves) - 1))
    path, root = inclusion_proof(hashes, index), root_of(hashes)
    assert verify_inclusion(hashes[index], index, len(leaves), path, root)
    assert not verify_inclusion(leaf_hash(b"another leaf"), index, len(leaves), path, root)
    assert not verify_inclusion(hashes[index], index, len(leaves), [*path, root], root)
    assert not verify_inclusion(hashes[index], len(leaves), len(leaves), path, root)
    if path:
        assert not verify_inclusion(hashes[index], index, len(leaves), path[:-1], root)


@given(leaves_lists, st.data())
def test_a_consistency_proof_holds_for_a_prefix_only(leaves, data):
    hashes = [leaf_hash(leaf) for leaf in leaves]
    first = data.draw(st.integers(1, len(leaves)))
    path, old, new = consistency_proof(hashes, first), root_of(hashes[:first]), root_of(hashes)
    assert verify_consistency(first, len(leaves), path, old, new)
    assert not verify_consistency(first, len(leaves), path, leaf_hash(b"another history"), new)
    assert not verify_consistency(first, len(leaves), [*path, new], old, new)
    assert not verify_consistency(0, len(leaves), path, old, new)


@pytest.mark.parametrize("cut", [0, 1, 31, 33, 64])
def test_a_proof_of_hashes_of_another_length_proves_nothing(cut):
    """Two children joined and parted elsewhere make the same node."""
    both = leaf_hash(b"a") + leaf_hash(b"b")
    root = node_hash(both[:32], both[32:])
    assert verify_inclusion(both[:32], 0, 2, [both[32:]], root)
    assert not verify_inclusion(both[:cut], 0, 2, [both[cut:]], root)
    assert verify_consistency(1, 2, [both[32:]], both[:32], root)
    assert not verify_consistency(1, 2, [both[cut:]], both[:cut], root)


def test_proofs_outside_the_tree_are_not_made():
    with pytest.raises(IndexError):
        inclusion_proof([leaf_hash(b"")], 1)
    with pytest.raises(IndexError):
        consistency_proof([leaf_hash(b"")], 2)


@given(st.lists(st.lists(st.binary(max_size=8), max_size=20), max_size=6))
def test_leaves_added_some_at_a_time_give_the_tree_of_leaves_added_one_by_one(blocks):
    one_by_one, some_at_a_time = MerkleTree(), MerkleTree()
    for block in blocks:
        some_at_a_time.extend(block)
        for leaf in block:
            one_by_one.append(leaf)
        assert (some_at_a_time.size, some_at_a_time.root()) == (one_by_one.size, one_by_one.root())
