"""Matching without going back says what the standard library says, and cannot be made to take for ever."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attest.errors import PolicyError
from attest.trust.linear_match import fullmatch

CHARACTERS = st.sampled_from(
    ["a", "b", ".", r"\.", r"\d", r"\W", "[ab]", "[^a]", "[a-c1]", r"[^\w/]", "/", "", "^", "$"]
)
PATTERNS = st.recursive(
    CHARACTERS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        inner.map(lambda one: f"({one})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "+?", "{2}", "{1,3}", "{2,}", "{,2}"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    ),
    max_leaves=6,
)


@given(pattern=PATTERNS, text=st.text("ab/1.\n", max_size=8))
@example(pattern="a$[^a]", text="a\n")  # the end is also before a last newline
@example(pattern="a$[^a]", text="ab")
@example(pattern="a$[^a]b", text="a\nb")
@example(pattern="a.?", text="a\n")
def test_it_says_what_the_standard_library_says(pattern, text):
    assert fullmatch(pattern, text) == (re.fullmatch(pattern, text) is not None)


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "(a|a)*", "(a|aa)+", "a*a*a*a*a*a*a*a*", "([^!]*)*", "((a?){50}){50}", "(a*)*b"]
)
def test_a_pattern_that_hangs_elsewhere_answers_at_once(pattern):
    """Each takes the standard library longer than the world has been there, or nearly."""
    assert not fullmatch(pattern, "a" * 400 + "!")


@pytest.mark.parametrize(
    "pattern", ["(", "a{2,1}", "(?i)a", "(?=a)a", r"(a)\1", r"\ba", "a++", "(?>a)", "(?i:a)", "(?<!b)a", "a" * 3 + "["]
)
def test_what_is_no_plain_pattern_is_refused(pattern):
    with pytest.raises(PolicyError):
        fullmatch(pattern, "a")


def test_a_pattern_means_the_whole_text():
    assert fullmatch("https://ci", "https://ci")
    assert not fullmatch("https://ci", "https://ci/x")
    assert not fullmatch("https://ci", "xhttps://ci")
    assert not fullmatch("a|b", "ab")
