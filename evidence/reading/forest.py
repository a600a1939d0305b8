"""Trees over numbered nodes: broken cycles, the order of reading, and the part that is shown under a limit.

Law: every node has exactly one place, whatever the parents are; no function here recurses, so depth costs nothing.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

NONE = -1
"""In place of a parent: there is none."""

Order = Callable[[int], Any]
"""What nodes are sorted by."""


def break_cycles(parents: MutableSequence[int], order: Order) -> set[int]:
    """Make the first node of every cycle a root, in place; which ones."""
    roots = set()
    state = bytearray(len(parents))  # 1: on the way up from the node looked at; 2: known to reach a root
    for start in range(len(parents)):
        way, node = [], start
        while node != NONE and not state[node]:
            state[node] = 1
            way.append(node)
            node = parents[node]
        if node != NONE and state[node] == 1:
            root = min(way[way.index(node) :], key=order)
            parents[root] = NONE
            roots.add(root)
        for each in way:
            state[each] = 2
    return roots


def preorder(parents: Sequence[int], order: Order) -> list[int]:
    """Every node, each before what is below it, siblings by `order`; `parents` is without cycles."""
    count = len(parents)
    first, beside = array("q", [NONE]) * (count + 1), array("q", [NONE]) * count
    for node in sorted(range(count), key=order, reverse=True):
        beside[node] = first[parents[node]]
        first[parents[node]] = node  # the roots hang on the last place, which is NONE
    nodes = []
    stack = [first[NONE]]
    while stack:
        node = stack.pop()
        if node != NONE:
            nodes.append(node)
            stack += (beside[node], first[node])
    return nodes


def below(nodes: Sequence[int], parents: Sequence[int], tops: Collection[int]) -> set[int]:
    """Those of `nodes`, in preorder, that are one of `tops` or below one."""
    inside = set(tops)
    for node in nodes:
        if parents[node] in inside:
            inside.add(node)
    return inside


@dataclass(frozen=True, slots=True)
class Selection:
    """The nodes that are shown, and where the others went."""

    shown: Mapping[int, tuple[int, int]]
    """Node: the nearest node above that is shown, or NONE, and how many above are; in preorder."""
    hidden: Mapping[int, list[int]]
    """Nodes that are wanted and not shown, by the nearest shown one above, or NONE."""


def select(nodes: Sequence[int], parents: Sequence[int], wanted: Sequence[int], limit: int | None) -> Selection:
    """The wanted nodes as a tree of their own, at most `limit` of them: those nearest to the root, then the earlier.

    Args:
        nodes: all nodes in preorder.
        parents: the parent of each.
        wanted: for each node whether it is to be shown, 0 or 1.
        limit: how many at most; None for all.
    """
    above, depth = array("q", [NONE]) * len(parents), array("q", [0]) * len(parents)
    for node in nodes:
        if (parent := parents[node]) != NONE:
            near = parent if wanted[parent] else above[parent]
            above[node], depth[node] = near, depth[near] + 1 if near != NONE else 0
    chosen = [node for node in nodes if wanted[node]]
    if limit is None or len(chosen) <= limit:
        return Selection({node: (above[node], depth[node]) for node in chosen}, {})
    levels = Counter(depth[node] for node in chosen)
    last, room = 0, limit
    while levels[last] <= room:
        room -= levels[last]
        last += 1
    shown: dict[int, tuple[int, int]] = {}
    hidden: dict[int, list[int]] = {}
    owner: dict[int, int] = {}  # of a hidden node: the nearest shown one above
    for node in chosen:
        if depth[node] < last or (depth[node] == last and room > 0):
            room -= depth[node] == last
            shown[node] = above[node], depth[node]
        else:
            near = above[node]
            owner[node] = owner.get(near, near)
            hidden.setdefault(owner[node], []).append(node)
    return Selection(shown, hidden)
