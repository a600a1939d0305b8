"""Spans of one operation inside each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.limits import Limits
from evidence.nesting import Nesting, operation_of


def nested(*spans, limits=Limits()):  # noqa: B008 - frozen
    """Spans as (key, parent) with an operation and an id where they say one; each tells its own key."""
    nesting = Nesting(limits)
    for key, parent, operation, call_id in spans:
        nesting.add(key, parent, operation, call_id, key)
    return nesting


def span(key, parent="", operation="inference", call_id=""):
    return key, parent, operation, call_id


CHAIN = [span("framework"), span("client", "framework"), span("server", "client")]


@given(st.permutations(CHAIN))
def test_spans_inside_each_other_tell_of_one_operation_whatever_the_order(spans):
    nesting = nested(*spans)
    assert [nesting.others(key) for key in ("framework", "client", "server")] == [
        ["client", "server"],
        ["framework", "server"],
        ["framework", "client"],
    ]
    assert sorted(nesting.pairs()) == [("client", "framework"), ("server", "client")]


def test_two_beside_each_other_are_two():
    nesting = nested(span("wrapper"), span("first", "wrapper"), span("second", "wrapper"))
    assert [nesting.others(key) for key in ("wrapper", "first", "second")] == [[], [], []]
    assert list(nesting.pairs()) == []


@pytest.mark.parametrize(
    "inner",
    [
        span("inner", "outer", operation="embeddings"),
        span("inner", "outer", call_id="call-2"),
        span("inner", "elsewhere"),
        span("inner"),
    ],
    ids=["another_operation", "another_call", "another_parent", "no_parent"],
)
def test_a_span_of_something_else_speaks_for_itself(inner):
    nesting = nested(span("outer", call_id="call-1"), inner)
    assert nesting.others("inner") == nesting.others("outer") == []


def test_a_span_that_says_no_id_is_of_the_call_it_is_in():
    assert nested(span("outer", call_id="call-1"), span("inner", "outer")).others("inner") == ["outer"]


def test_a_span_that_nobody_told_of_is_alone():
    assert nested(*CHAIN).others("elsewhere") == []


@pytest.mark.parametrize(
    "spans",
    [[span("a", "a")], [span("a", "b"), span("b", "a")], [span("a", "c"), span("b", "a"), span("c", "b")]],
    ids=["itself", "each_other", "in_a_ring"],
)
def test_spans_that_claim_to_be_inside_each_other_end(spans):
    assert len(nested(*spans).others("a")) == len(spans) - 1


def test_what_does_not_fit_speaks_for_itself():
    nesting = nested(*CHAIN, limits=Limits(open_instances_max=2))
    assert nesting.others("framework") == ["client"]
    assert nesting.others("server") == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("execute_tool", "", "add"), ("execute_tool", "tools/call", "add"), True),
        (("execute_tool", "", "add"), ("", "tools/call", "sub"), False),
        (("execute_tool", "", ""), ("execute_tool", "", ""), False),
        (("chat", "", ""), ("text_completion", "", ""), True),
        (("chat", "", ""), ("embeddings", "", ""), False),
        (("", "tools/list", ""), ("", "tools/list", ""), True),
        (("invoke_agent", "", ""), ("invoke_agent", "", ""), False),
        (("", "", ""), ("", "", ""), False),
    ],
)
def test_which_spans_can_be_of_one_operation(one, other, same):
    assert (operation_of(*one) == operation_of(*other) != "") is same
