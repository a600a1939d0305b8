"""Trees over numbered nodes: every node has one place, whatever the parents are."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from evidence.reading import forest
from evidence.reading.forest import NONE


@st.composite
def forests(draw: st.DrawFn) -> array:
    size = draw(st.integers(0, 40))
    return array("q", draw(st.lists(st.integers(NONE, size - 1), min_size=size, max_size=size)) if size else [])


def ancestors(parents, node):
    found = []
    while (node := parents[node]) != NONE:
        found.append(node)
    return found


@given(forests())
def test_after_cycles_are_broken_every_node_reaches_a_root_and_no_other_parent_changed(parents):
    before = list(parents)
    roots = forest.break_cycles(parents, lambda node: node)
    for node in range(len(parents)):
        assert len(ancestors(parents, node)) < len(parents)
        assert parents[node] == (NONE if node in roots else before[node])


def test_a_cycle_is_broken_at_its_first_node_and_what_hangs_on_it_stays():
    parents = array("q", [2, 0, 1, 1, 4])
    assert forest.break_cycles(parents, lambda node: -node) == {2, 4}
    assert list(parents) == [2, 0, NONE, 1, NONE]


@given(forests())
def test_preorder_has_every_node_once_and_a_parent_right_before_all_that_is_below_it(parents):
    forest.break_cycles(parents, lambda node: node)
    nodes = forest.preorder(parents, lambda node: node)
    assert sorted(nodes) == list(range(len(parents)))
    place = {node: position for position, node in enumerate(nodes)}
    for node in nodes:
        below = [each for each in nodes if node in ancestors(parents, each)]
        assert sorted(place[each] for each in below) == list(range(place[node] + 1, place[node] + 1 + len(below)))


@given(forests(), st.data())
def test_a_selection_is_closed_upwards_within_the_limit_and_loses_nothing(parents, data):
    """Every wanted node is either shown or counted as hidden at the nearest shown node above it, exactly once."""
    forest.break_cycles(parents, lambda node: node)
    nodes = forest.preorder(parents, lambda node: node)
    wanted = bytearray(data.draw(st.lists(st.integers(0, 1), min_size=len(nodes), max_size=len(nodes))))
    limit = data.draw(st.none() | st.integers(1, 45))
    chosen = forest.select(nodes, parents, wanted, limit)

    hidden = [node for rows in chosen.hidden.values() for node in rows]
    assert sorted([*chosen.shown, *hidden]) == [node for node in range(len(nodes)) if wanted[node]]
    assert len(chosen.shown) == min(sum(wanted), limit or len(nodes))
    for node, (above, depth) in chosen.shown.items():
        wanted_above = [each for each in ancestors(parents, node) if wanted[each]]
        assert (above, depth) == (wanted_above[0] if wanted_above else NONE, len(wanted_above))
        assert above == NONE or above in chosen.shown
    for near, rows in chosen.hidden.items():
        for node in rows:
            assert near == next((each for each in ancestors(parents, node) if each in chosen.shown), NONE)


def test_a_chain_of_a_hundred_thousand_nodes_costs_no_recursion():
    parents = array("q", range(-1, 99_999))
    assert forest.break_cycles(parents, lambda node: node) == set()
    nodes = forest.preorder(parents, lambda node: node)
    shown = forest.select(nodes, parents, bytearray([1]) * 100_000, 3).shown
    assert shown == {0: (NONE, 0), 1: (0, 1), 2: (1, 2)}


def test_below_takes_the_node_and_all_under_it():
    parents = array("q", [NONE, 0, 1, 0, NONE])
    assert forest.below(forest.preorder(parents, int), parents, {1}) == {1, 2}
