"""The closed set of operations: total, documented, and undone where they say that they can be."""

import math
import re
from importlib import resources

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semconv import ops
from semconv.ops import OPS, Miss, Scope
from tests.semconv.strategies import VALUES
from tests.tools.examples import times

ENUMS = {"words": {"a": "one", "b": "two"}, "many": {"a": "one", "b": "one"}}
ARGUMENTS = {
    "before": ".",
    "after": ".",
    "trim": {"prefix": "<", "suffix": ">"},
    "affix": {"prefix": "<", "suffix": ">"},
    "scale": [1, 1000],
    "enum": "words",
    "refuse": {"enum": "words", "reason": "sentinel"},
    "has": ["a"],
    "has_any": ["a", "b"],
    "only": ["a"],
    "is": ["object", "text"],
    "member": "a.b",
    "plus": ["key", ".sibling"],
    "const": 7,
    "nest": {"as": "value", "beside": {"b": "key"}},
}
ROW = re.compile(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \| .* \| (none|`[a-z_]+`)[^|]*\|$", re.MULTILINE)
ANY = settings(max_examples=times(0.5), suppress_health_check=list(HealthCheck))
TEXTS = st.sampled_from(
    ["<x>", "a.b", "[1]", '{"a": {"b": 1}}', "{'a': {'b': None}}", "https://u:p@h:99999/x?y", "7", "true"]
)
ANYTHING = (
    VALUES
    | TEXTS
    | st.recursive(st.none() | st.integers() | st.text(max_size=2), lambda inner: st.lists(inner, max_size=2))
)


def steps(name):
    return ops.compiled({name: ARGUMENTS[name]} if name in ARGUMENTS else name, (), ENUMS)


def documented():
    text = resources.files("semconv").joinpath("profiles", "README.md").read_text(encoding="utf-8")
    return {name: inverse.strip("`") for names, inverse in ROW.findall(text) for name in re.findall(r"`(\w+)`", names)}


def test_every_operation_is_documented_with_its_inverse():
    assert documented() == {name: op.inverse or "none" for name, op in OPS.items()}


@pytest.mark.parametrize("name", OPS)
@given(value=ANYTHING, beside=VALUES)
@ANY
def test_an_operation_answers_whatever_the_value(name, value, beside):
    result = ops.run(steps(name), value, Scope({"key": beside}))
    if isinstance(result, Miss):
        assert result.reason


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.inverse == "keep"])
@given(value=ANYTHING)
@ANY
def test_a_guard_passes_a_value_as_it_is_or_not_at_all(name, value):
    result = ops.run(steps(name), value, Scope({}))
    assert isinstance(result, Miss) or result is value


@pytest.mark.parametrize(("name", "value"), [
    ("trim", "<x>"), ("affix", "x"), ("wrap_list", "x"), ("unwrap_list", ["x"]), ("parse_json", '{"a":1}'),
    ("json_text", {"a": 1}), ("enum", "a"),
])  # fmt: skip
def test_the_inverse_gives_back_the_value(name, value):
    made = ops.run(steps(name), value, Scope({}))
    assert made != value
    inverse = OPS[name].inverse
    if name == "enum":
        back = {said: word for word, said in ENUMS["words"].items()}[made]
    else:
        back = ops.run(steps(inverse), made, Scope({}))
    assert back == value


def test_a_table_that_makes_two_words_one_has_no_inverse():
    assert ops.compiled({"enum": "words"}, (), ENUMS)[0].inverse == "enum"
    assert ops.compiled({"enum": "many"}, (), ENUMS)[0].inverse is None


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
@ANY
def test_a_scaled_number_is_finite_or_a_miss(value):
    result = ops.run(steps("scale"), value, Scope({}))
    assert isinstance(result, Miss) or math.isfinite(result)
