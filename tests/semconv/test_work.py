"""How much work a translation is, counted and not timed: texts parsed, functions called."""

import json
import sys
from collections import Counter
from types import SimpleNamespace

import orjson
import pytest

from semconv import value
from semconv.view import LogView, SpanView
from tests.benchmarks import made
from tests.semconv.recorded import recorded
from tests.semconv.translated import translate

MEGABYTE = 1 << 20
OPENINFERENCE = "openinference.instrumentation.openai"


@pytest.fixture
def parses(monkeypatch):
    """How often each text was parsed."""
    found = Counter()
    counting = SimpleNamespace(
        loads=lambda text: found.update([text]) or orjson.loads(text),
        dumps=orjson.dumps,
        OPT_SORT_KEYS=orjson.OPT_SORT_KEYS,
    )
    monkeypatch.setattr(value, "orjson", counting)
    return found


def long_message(member):
    return json.dumps([{"role": "user", "parts": [{"type": "text", member: "a b " * (MEGABYTE // 4)}]}])


@pytest.mark.parametrize(
    ("attributes", "scope"),
    [
        ({**made.current(1), "gen_ai.input.messages": long_message("content")}, "openai"),
        ({**made.current(1), "gen_ai.input.messages": long_message("text")}, "openai"),
        (
            {**made.openllmetry(1), "gen_ai.input.messages": long_message("text")},
            "opentelemetry.instrumentation.openai.v1",
        ),
        ({**made.openinference(1), "input.value": long_message("content")}, OPENINFERENCE),
        ({**made.current(1), "gen_ai.input.messages": long_message("content")[:-1]}, "openai"),
    ],
    ids=["current", "other_shape", "openllmetry", "openinference_input", "cut_off"],
)
def test_a_message_of_a_megabyte_is_parsed_once(translator, parses, attributes, scope):
    translator.span(SpanView(name="chat", kind=3, attributes=attributes, scope_name=scope))
    assert [count for text, count in parses.items() if len(text) > MEGABYTE] == [1]


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_no_attribute_of_a_recorded_item_is_parsed_twice(translator, parses, signal):
    parsed = 0
    for item in recorded(signal):
        texts = Counter(pair["value"].get("stringValue") for pair in item.item.get("attributes", []))
        parses.clear()
        translate(translator, signal, item)
        # a short one may stand inside another attribute as well, where it is another text
        again = {text: count for text, count in parses.items() if len(text) > 100 and 0 < texts[text] < count}
        assert again == {}, str(item)
        parsed += len(parses)
    assert parsed > 50


def calls(work):
    """How many functions of Python a call comes to."""
    count = 0

    def seen(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def grown(translate, planner, view, *, new):
    """The calls for 200, 400 and 800 attributes; nothing is known of a new shape or of its keys."""
    found = []
    for attributes in (200, 400, 800):
        seen = view(attributes)
        translate(seen)
        if new:
            planner._shapes.clear()
            planner._facts.clear()
        found.append(calls(lambda seen=seen: translate(seen)))
    return found


@pytest.mark.parametrize("make", [made.others, made.conversation], ids=["nobodys", "messages"])
@pytest.mark.parametrize("new", [False, True], ids=["shape_known", "shape_new"])
def test_work_grows_with_the_number_of_attributes_and_no_faster(translator, make, new):
    """Twice the attributes are twice the calls, for a shape that is known as for one that is planned first."""
    first, second, third = grown(
        translator.span,
        translator._spans,
        lambda attributes: SpanView(name="s", attributes=make(attributes), scope_name=OPENINFERENCE),
        new=new,
    )
    assert third - second <= 2.1 * (second - first), (first, second, third)


@pytest.mark.parametrize("new", [False, True], ids=["shape_known", "shape_new"])
def test_work_on_a_log_record_grows_with_the_number_of_attributes_and_no_faster(translator, new):
    first, second, third = grown(
        translator.log,
        translator._logs,
        lambda attributes: LogView(event_name="e", attributes=made.conversation(attributes), scope_name=OPENINFERENCE),
        new=new,
    )
    assert third - second <= 2.1 * (second - first), (first, second, third)
