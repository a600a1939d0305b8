"""A JSON text whose object names a member twice says two things: it is read as neither, and nothing of it goes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semconv.value import document
from semconv.view import SpanView

REAL, OTHER = '"content":"what was said"', '"content":"what was not"'
TWICE = {
    "side by side": f'[{{"role":"user",{REAL},{OTHER}}}]',
    "white space before the colon": '[{"role":"user","content" \n\t: "a","content"\r:"b"}]',
    "deep inside": '{"messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]}',
    "a name that ends with a backslash": '{"a\\\\":1,"a\\\\":2}',
    "a name with a quote in it": '{"a\\":b":1,"a\\":b":2}',
    "beside a text that looks like a name": '{"a\\\\":1,"b":"\\":","a\\\\":2}',
    "the same letters, one of them escaped": '{"a":1,"\\u0061":2}',
    "beside a number of many digits": '{"x":18446744073709551617,"x":1}',
}


@pytest.mark.parametrize("text", TWICE.values(), ids=TWICE)
def test_a_text_that_names_a_member_twice_is_no_document(text):
    assert json.loads(text)  # readers take it
    assert document(text) is None


def test_what_such_a_text_says_is_not_rewritten_with_half_of_it(translator):
    attributes = {"openinference.span.kind": "LLM", "input.value": TWICE["side by side"], "llm.model_name": "m"}
    found = translator.span(SpanView(name="s", attributes=attributes))
    shown = json.dumps(found.attributes) + ("" if "input.value" in found.removed else attributes["input.value"])
    assert "what was said" in shown
    assert "what was not" in shown


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('":\\ a\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('":\\ a\n', max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=3), st.sampled_from([(", ", ": "), (",", ":"), (" ,", " :"), (",", "\n: ")]))
def test_a_text_whose_names_are_all_different_is_read(value, separators):
    assert document(json.dumps(value, separators=separators)) == value


@given(
    st.dictionaries(st.text('":\\ a\n', max_size=4), json_values, min_size=1, max_size=3),
    st.sampled_from([":", " :", "\t:"]),
)
def test_a_text_with_any_member_once_more_is_not(value, colon):
    members = [f"{json.dumps(name)}{colon}{json.dumps(inner)}" for name, inner in value.items()]
    assert document("{" + ",".join([*members, members[0]]) + "}") is None


def test_the_bound_of_depth_holds_beside_a_number_of_many_digits():
    assert document('{"x":18446744073709551617,"y":' + "[" * 23 + "]" * 23 + "}") is not None
    for depth in (24, 60, 900, 5000):
        assert document('{"x":18446744073709551617,"y":' + "[" * depth + "]" * depth + "}") is None
