"""What capture health is made of: texts that were cut, sampling, the numbers of receipts, counts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.capture.counts import count_of
from evidence.capture.receipt_numbers import ReceiptNumbers
from evidence.capture.sampling import is_thinned, is_unsampled
from evidence.capture.truncation import count_cut, is_cut
from evidence.limits import Limits

# ------------------------------------------------------------------ texts that were cut

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
LONG = "a text that is long enough to have met a limit of its length, as most bodies are"


@given(VALUES, st.sampled_from([None, 1]), st.booleans(), st.data())
def test_json_that_stops_anywhere_before_its_end_is_cut_and_whole_it_is_not(value, indent, is_ascii, data):
    text = json.dumps([LONG, value, {"more": value}], indent=indent, ensure_ascii=is_ascii)
    assert not is_cut(text)
    assert is_cut(text[: data.draw(st.integers(64, len(text) - 1))])


@given(
    st.text(min_size=64), st.sampled_from(["", "{", "[", "[INST] ", "{name}, ", "[{'role': 'user', ", '{"a": 1} and '])
)
def test_a_text_that_could_not_go_on_as_json_is_not_cut(text, beginning):
    """Prompts, templates, representations of objects, and JSON with something behind it."""
    whole_text = f"{beginning}{text} "
    expected = False
    try:
        json.loads(whole_text + "\x00")  # no continuation helps a text in which something else is wrong
    except json.JSONDecodeError as error:
        expected = error.pos >= len(whole_text) or "Unterminated" in error.msg
    if not expected:
        assert not is_cut(whole_text)


@pytest.mark.parametrize("text", ["[1,", '{"a', "[" * 40])
def test_a_piece_of_a_stream_is_too_short_to_be_called_cut(text):
    assert not is_cut(text)


def test_nesting_beyond_what_anybody_writes_is_not_called_cut():
    assert not is_cut("[" * 200_000)


def test_only_texts_that_stand_for_themselves_are_looked_at():
    cut = '{"a": "' + "x" * 80
    inside = {"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": cut}}]}}
    assert count_cut([{"key": "a", "value": inside}, {"key": "b", "value": {"stringValue": cut}}]) == 1


@pytest.mark.parametrize(
    "odd", [5, None, {}, {"key": "c"}, {"value": None}, {"value": {"stringValue": 5}}, {"value": {"stringValue": [""]}}]
)
def test_what_is_no_pair_hides_no_cut_text_beside_it(odd):
    cut = {"key": "b", "value": {"stringValue": '{"a": "' + "x" * 80}}
    assert count_cut([odd, cut]) == count_cut([cut, odd]) == 1
    assert count_cut(odd) == 0


# ------------------------------------------------------------------ sampling, numbers


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(0, False), (1, False), (3, False), (2, True), (0x100, False), (0x102, True), (0x301, False)],
)
def test_only_trace_flags_that_are_there_say_that_something_was_not_sampled(flags, expected):
    assert is_unsampled(flags) is expected


@pytest.mark.parametrize(
    ("trace_state", "expected"),
    [
        ("ot=th:8", True),
        ("ot=th:0", False),
        ("ot=th:00000000000000", False),
        ("ot=th:00000000000001", True),
        ("ot=rv:6e6d1a75832a2f;th:c", True),
        ("vendor=x , ot=th:8 ,z=1", True),
        ("ot=th:8;rv:1", True),
        ("ot=xth:8", False),
        ("ot=th:000000000000008", False),
        ("ot=th:G", False),
        ("got=th:8", False),
        ("vendor=ot=th:8", False),
        ("vendor=a;th:8", False),
        ("", False),
        (None, False),
    ],
)
def test_a_threshold_above_nothing_says_that_others_were_thrown_away(trace_state, expected):
    assert is_thinned(trace_state) is expected


@given(st.lists(st.integers(1, 60)), st.integers(1, 3))
def test_holes_are_what_lies_below_the_highest_number_in_any_order(numbers, part):
    found = ReceiptNumbers()
    for number in numbers:
        found.add(number)
    first = 1 if part == 1 else min(numbers, default=1)
    assert found.missing(part) == len(set(range(first, max(numbers, default=0) + 1)) - set(numbers))
    assert found.repeated == len(numbers) - len(set(numbers))
    assert found.highest == max(numbers, default=0)


@given(st.lists(st.integers(1, 200), unique=True))
def test_numbers_that_do_not_fit_are_said(numbers):
    bounded, free = ReceiptNumbers(Limits(number_ranges_max=4)), ReceiptNumbers()
    for number in numbers:
        bounded.add(number)
        free.add(number)
    assert bounded.untracked > 0 or bounded.missing(1) == free.missing(1)


@pytest.mark.parametrize("odd", [None, True, -1, 1.5, "", "-1", "1.0", "\u0661", "9" * 21, [], {}])
def test_what_is_no_count_counts_as_nothing(odd):
    assert count_of(odd) == 0


@given(st.integers(0, 2**64 - 1))
def test_a_count_is_read_as_a_number_and_as_its_text(number):
    assert count_of(number) == count_of(str(number)) == number
