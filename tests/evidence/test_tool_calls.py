"""Requested tool calls and the spans that carry them out, by themselves: what is paired, and what a bound makes of the rest."""

from evidence.checks.tool_calls import ToolCalls
from evidence.limits import Limits


def pairing(most):
    settled = []
    return ToolCalls(lambda call, carried: settled.append((call, carried)), Limits(open_instances_max=most)), settled


def test_a_call_is_carried_out_by_a_span_of_its_id_whichever_is_told_first():
    calls, settled = pairing(8)
    calls.request("a", "search", "first")
    calls.carry_out("a", "search")
    calls.carry_out("b", "search")
    calls.request("b", "search", "second")
    assert settled == [("first", True), ("second", True)]
    assert calls.is_known("a")
    assert not list(calls.open())


def test_a_call_that_does_not_fit_in_memory_counts_as_not_carried_out():
    calls, settled = pairing(1)
    calls.request("a", "search", "first")
    calls.request("b", "search", "second")
    assert settled == [("second", False)]
    assert list(calls.open()) == [("first", False)]


def test_a_span_that_does_not_fit_in_memory_carries_out_no_call():
    calls, settled = pairing(1)
    calls.carry_out("a", "search")
    calls.carry_out("b", "search")
    calls.request("b", "search", "second")
    assert settled == []
    assert list(calls.open()) == [("second", False)]


def test_a_span_without_id_stands_for_one_open_call_of_its_name():
    calls, _ = pairing(8)
    calls.request("a", "search", "first")
    calls.request("", "search", "second")
    calls.request("c", "other", "third")
    calls.carry_out("", "search")
    assert list(calls.open()) == [("first", True), ("second", False), ("third", False)]
