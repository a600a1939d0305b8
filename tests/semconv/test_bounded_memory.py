"""What a translator remembers is bounded by what it weighs: whoever sends chooses keys, names and values, and how long they are."""

import tracemalloc

import pytest

from semconv.plan import planner
from semconv.plan.kept import Kept
from semconv.python_repr import parse_repr
from semconv.translate import Translator
from semconv.view import EventView, SpanView
from tests.tools.translators import loaded

TRANSLATOR = loaded()
PROFILED = {"traceloop.span.kind": "workflow"}
LONG = "x" * 20_000
HOSTILE = {
    "a scope of its own": lambda at: SpanView(name="x", attributes={}, scope_name=f"{at}{LONG}"),
    "an event name of its own": lambda at: SpanView(
        name="x", attributes=PROFILED, events=[EventView(f"{at}{LONG}", {})]
    ),
    "a key of its own": lambda at: SpanView(name="x", attributes={**PROFILED, f"traceloop.{at}{LONG}": 1}),
    "many keys of its own": lambda at: SpanView(
        name="x", attributes={**PROFILED, **{f"traceloop.{at}.{one}.{'x' * 400}": 1 for one in range(20)}}
    ),
    "a number of atoms of its own": lambda at: SpanView(
        name="x", attributes={**PROFILED, f"traceloop.{LONG}": 1}, resource={str(one): 1 for one in range(at)}
    ),
    "a resource of its own": lambda at: SpanView(
        name="x", attributes=PROFILED, resource={key: f"{at}{LONG}" for key, _ in TRANSLATOR._spans.resource_marks}
    ),
    "a kind of part of its own": lambda at: SpanView(
        name="x",
        attributes={
            **PROFILED,
            "gen_ai.input.messages": f'[{{"role":"user","content":[{{"type":"{at}{LONG}","text":"x"}}]}}]',
        },
    ),
}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(planner, "SHAPES_BYTES_MAX", 1 << 19)
    monkeypatch.setattr(planner, "KEYS_BYTES_MAX", 1 << 19)
    return Translator(TRANSLATOR.target, list(TRANSLATOR.profiles), TRANSLATOR.message_shapes)


@pytest.mark.parametrize("span", HOSTILE.values(), ids=HOSTILE)
def test_spans_that_each_have_something_long_of_their_own_are_not_all_remembered(small, span):
    small.span(span(0))
    tracemalloc.start()
    try:
        for at in range(200):
            assert small.span(span(at)).tally.balanced
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 3 << 20  # together they are four megabytes, and every one would be kept more than once


def test_what_is_too_heavy_for_a_cache_leaves_the_rest_of_it_alone():
    kept = Kept(100)
    kept.keep("a", 1, 10)
    kept.keep("b", 2, 26)
    assert kept == {"a": 1} and kept.weight == 10


def test_a_cache_that_came_to_weigh_too_much_begins_anew():
    kept = Kept(100)
    for number in range(11):
        kept.keep(number, number, 10)
    assert kept == {10: 10} and kept.weight == 10


def test_half_a_character_in_the_repr_of_a_text_is_left_as_it_is_written():
    assert parse_repr(r"['\ud800', '\u00e9']") == [r"\ud800", "é"]


def test_an_event_that_repeats_a_list_said_by_an_earlier_event_says_nothing_new():
    said = [f'[{{"role":"user","parts":[{{"type":"text","content":"{text}"}}]}}]' for text in "cac"]
    key, name = "gen_ai.input.messages", "gen_ai.client.inference.operation.details"
    span = SpanView(
        name="x",
        attributes={"gen_ai.operation.name": "chat"},
        events=[EventView(name, {key: body}) for body in said],
    )
    found = TRANSLATOR.span(span)
    assert found.attributes[key] == "[" + ",".join(body[1:-1] for body in said[:2]) + "]"
    assert found.tally.balanced
