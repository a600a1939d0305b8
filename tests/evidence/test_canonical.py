"""RFC 8785 (https://www.rfc-editor.org/rfc/rfc8785): the examples it publishes, and equality with the reference package."""

import json
import math
import struct

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from evidence.canonical import ENCODER_DEPTH_MAX, _without_duplicates, canonical, check_depth, parse, parse_object
from evidence.errors import CanonicalError

# Appendix B of the RFC: IEEE 754 bits and the text they have.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

floats = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(min_value=-2e-5, max_value=2e-5),
    st.integers(min_value=-(2**70), max_value=2**70).map(float),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(min_value=-(2**53 - 1), max_value=2**53 - 1), floats, st.text(max_size=20)
)
keys = st.one_of(st.text(max_size=8), st.text(alphabet="a\ue000\uffff\U00010000\U0001f600", max_size=4))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=25,
)


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_a_number_has_the_text_of_appendix_b(bits, text):
    number = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert text.encode() == canonical(number)
    assert b"[" + text.encode() + b"]" == canonical([number])


def test_the_example_of_section_3_2_2_is_canonical():
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert expected.encode() == canonical(value)


def test_keys_are_ordered_by_utf_16_units_as_in_section_3_2_3():
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert order == list(parse(canonical(value)))


@given(values)
@example({"a": 1.0, "b": [-0.0, 1e16, 1e-6, 9.99e-6, 1e21]})
@example({"\ue000": 1, "\U00010000": 2})
@example(["1.0,", "1e5]", 'a"\\', {"e": "null"}])
@example({'\\"': 1.0})
def test_canonical_equals_the_reference_for_every_value(value):
    assert rfc8785.dumps(value) == canonical(value)


@given(values)
def test_parse_is_the_inverse_of_canonical(value):
    data = canonical(value)
    assert data == canonical(parse(data))
    assert value == parse(data)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        [math.nan],
        {"a": [-math.inf]},
        2**53,
        [-(2**53)],
        [2**64],
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        b"x",
        [{1}],
    ],
)
def test_a_value_without_canonical_form_is_refused_wherever_it_stands(value):
    with pytest.raises(CanonicalError):
        canonical(value)


@pytest.mark.parametrize(
    "text",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":-0}',
        b'{"a":1e2}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":1}\n',
        b' {"a":1}',
        b'{"a":9007199254740993}',
        b'{"a":"\\ud800"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":NaN}',
        b"",
        b"{",
        b'{"a":"\xff"}',
    ],
)
def test_a_text_that_is_not_canonical_is_refused(text):
    with pytest.raises(CanonicalError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1,"\\u0061":1}',
        b'{"a":NaN}',
        b"[Infinity]",
        b"[1e999]",
        b"[-1e999]",
        b'["\\ud800"]',
        b'[{"\\uDFFF":1}]',
        b'["\\ude00\\ud83d"]',
        b"\xff",
        b"\xef\xbb\xbf1",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-32-le"),
        b"[" * 100_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
    ],
)
def test_a_loose_text_that_is_not_utf_8_or_has_a_key_twice_no_number_half_a_character_or_too_much_depth_is_refused(
    text,
):
    with pytest.raises(CanonicalError):
        parse(text, require_canonical=False)


def test_a_key_twice_among_many_is_found_without_comparing_each_with_each():
    compared = []

    class Key(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            compared.append(other)
            return str.__eq__(self, other)

    keys = [Key(number) for number in range(1_000)]
    with pytest.raises(ValueError, match="duplicate key '999'"):
        _without_duplicates([(key, 1) for key in (*keys, Key(999))])
    assert len(compared) < 10_000


def test_a_loose_text_may_be_ordered_and_spaced_freely():
    assert parse(b' { "b" : 1, "a" : [ 1.0 ] }\n', require_canonical=False) == {"b": 1, "a": [1.0]}
    assert parse(b'["\\ud83d\\ude00", "\\\\ud800"]', require_canonical=False) == ["\N{GRINNING FACE}", "\\ud800"]


def test_depth_counts_brackets_outside_strings_only():
    text = canonical({"a": '\\"[[[[{{{{\\', "b": [[]], 'k"{': "}"})
    check_depth(text, 3)
    with pytest.raises(CanonicalError, match="deeper than 2"):
        check_depth(text, 2)


_nested = st.recursive(
    st.text(alphabet='[]{}",:\\a\n\xe9', max_size=6),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text('[{"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def _depth(value):
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)


@given(st.lists(_nested, max_size=4), st.booleans())
def test_depth_is_that_of_the_value_whatever_its_texts_hold(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    check_depth(text, _depth(value))
    with pytest.raises(CanonicalError, match="nested deeper"):
        check_depth(text, _depth(value) - 1)


def test_depth_of_siblings_does_not_add_up():
    check_depth(b"[" + b",".join([b"[]"] * 1000) + b"]", 2)


def test_the_deepest_value_that_can_be_written_can_be_read():
    value = []
    for _ in range(ENCODER_DEPTH_MAX - 1):
        value = [value]
    assert value == parse(canonical(value))
    with pytest.raises(CanonicalError):
        canonical([value])


@pytest.mark.parametrize("value", [1.5, [1.5] * 0])
def test_an_object_is_demanded_where_one_is_expected(value):
    with pytest.raises(CanonicalError, match="expected a JSON object"):
        parse_object(canonical(value))
