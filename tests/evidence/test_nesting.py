"""Spans of one operation inside each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.checks.nesting import Call, Nesting, operation_of
from evidence.limits import Limits


def nested(*spans, limits=Limits()):  # noqa: B008 - frozen
    """Each span tells its own key."""
    nesting = Nesting(limits)
    for key, parent, call in spans:
        nesting.add(key, parent, call, key)
    return nesting


def span(key, parent="", operation="inference", tool="", call_id=""):
    return key, parent, Call(operation, tool, call_id)


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


def test_what_is_learned_later_of_a_span_is_told_to_the_others():
    nesting = nested(*CHAIN)
    nesting.learn("server", lambda told: told + " and its log")
    nesting.learn("elsewhere", lambda told: told + " and its log")
    assert nesting.others("framework") == ["client", "server and its log"]


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


def test_a_second_one_that_does_not_fit_makes_two_all_the_same():
    spans = [span("wrapper"), span("first", "wrapper"), span("second", "wrapper")]
    assert nested(*spans, limits=Limits(open_instances_max=2)).others("first") == []


TOOL = "execute_tool"


def test_spans_of_one_tool_are_one_call():
    nesting = nested(span("outer", operation=TOOL, tool="add"), span("inner", "outer", operation=TOOL, tool="add"))
    assert nesting.others("inner") == ["outer"]


@pytest.mark.parametrize("tool", ["", "sub"])
def test_a_tool_that_calls_another_or_does_not_say_which_is_alone(tool):
    nesting = nested(span("outer", operation=TOOL, tool="add"), span("inner", "outer", operation=TOOL, tool=tool))
    assert nesting.others("inner") == nesting.others("outer") == []


@pytest.mark.parametrize("tool", ["", "sub", "add"])
def test_a_second_call_inside_makes_two_be_it_named_or_not(tool):
    """So what is filled in later, a name for instance, never takes away what a span was told."""
    first = span("first", "outer", operation=TOOL, tool="add")
    nesting = nested(
        span("outer", operation=TOOL, tool="add"), first, span("second", "outer", operation=TOOL, tool=tool)
    )
    assert nesting.others("outer") == nesting.others("first") == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("execute_tool", ""), ("execute_tool", "tools/call"), True),
        (("execute_tool", ""), ("", "tools/call"), True),
        (("chat", ""), ("text_completion", ""), True),
        (("chat", ""), ("embeddings", ""), False),
        (("", "tools/list"), ("", "tools/list"), True),
        (("invoke_agent", ""), ("invoke_agent", ""), False),
        (("", ""), ("", ""), False),
    ],
)
def test_which_spans_can_be_of_one_operation(one, other, same):
    assert (operation_of(*one) == operation_of(*other) != "") is same
