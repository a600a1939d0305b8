"""What Python's repr writes is read back, nothing is run, and whatever else is no document."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from semconv.python_repr import REPR_CHARACTERS_MAX, parse_repr
from semconv.value import JSON_DEPTH_MAX

ANY = settings(suppress_health_check=list(HealthCheck))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(DOCUMENTS, max_size=3) | st.dictionaries(st.text(max_size=3), DOCUMENTS, max_size=3))
@ANY
def test_what_repr_writes_is_read_back(value):
    assert parse_repr(repr(value)) == value


@given(st.text(max_size=40) | st.text(alphabet="[](){}<>'\"\\,:=.0aNT ", max_size=40))
@example("[" * 100_000)
@example("{'a': " * 5000)
@example("f(" * 5000)
@example("<" * 100_000)
@example("'" + "\\" * 99_999)
@example("[" + "1" * 100_000 + "]")
@example("['\\U00110000']")
@example("['\\ud800']")
@ANY
def test_any_text_is_a_document_or_none(text):
    assert isinstance(parse_repr(text), dict | list | None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Message(role='user', text=\"it's\", calls=None)", {"type": "Message", "role": "user", "text": "it's", "calls": None}),
        ("f(1, 'x', key=True)", {"type": "f", "key": True, "args": [1, "x"]}),
        ("Part(type='text', text='a')", {"type": "text", "source_type": "Part", "text": "a"}),
        ("[<Role.USER: 'user'>, <Kind.ONE: 1>, <Odd.X: (1, 2)>]", ["user", 1, "(1, 2)"]),
        ("[<function f at 0x7f>]", ["<function f at 0x7f>"]),
        ("[datetime.datetime(2026, 1, 2)]", [{"type": "datetime.datetime", "args": [2026, 1, 2]}]),
        ("OrderedDict({'a': 1})", {"a": 1}),
        ("[(1, 2), {3}, frozenset({4}), b'x', r'\\n', 'a' 'b']", [[1, 2], [3], [4], "x", "\\n", "ab"]),
        ("{1: 'a', None: 'b'}", {"1": "a", "None": "b"}),
        ("  {'a': 1,}  ", {"a": 1}),
    ],
)  # fmt: skip
def test_what_python_writes_in_other_ways(text, value):
    assert parse_repr(text) == value


@pytest.mark.parametrize(
    "text", ["", "7", "'text'", "Paris is (I think) sunny", "[1 2]", "[1", "{'a': 1, 2}", "{[1]: 2}", "f('x').y",
     "__import__('os').x()", "a.b", "[x]", "[lambda: 1]", "[1] [2]"],
)  # fmt: skip
def test_other_texts_are_no_document(text):
    assert parse_repr(text) is None


def test_nesting_and_size_are_bounded():
    fits = "[" * JSON_DEPTH_MAX + "]" * JSON_DEPTH_MAX
    assert parse_repr(fits) is not None
    assert parse_repr(f"[{fits}]") is None
    long = "['" + "x" * REPR_CHARACTERS_MAX + "']"
    assert parse_repr(long) is None
