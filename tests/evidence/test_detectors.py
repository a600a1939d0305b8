"""Secrets are found where they stand and nowhere else, and bytes that are not suspected hold none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from evidence.errors import PackError
from evidence.redaction.detectors import detectors, findings, named, read_detectors, suspect
from tests.evidence.secret_examples import found, names, passed

FOUND = found()
IDS = [f"{each.detector}-{number}" for number, each in enumerate(FOUND)]


def covered(text: str) -> str:
    """The text with whatever is found in it taken out."""
    left = text
    for each in reversed(list(findings(text))):
        left = left[: each.start] + "\N{FULL BLOCK}" + left[each.end :]
    return left


@pytest.mark.parametrize("example", FOUND, ids=IDS)
def test_a_secret_is_found_wholly_by_its_own_detector(example):
    row = next(row for row in detectors().rows if row.id == example.detector)
    at = example.text.index(example.secret)
    assert any(each.start <= at and each.end >= at + len(example.secret) for each in findings(example.text))
    assert [each.detector for each in row.secrets(example.text)] == [example.detector]


@pytest.mark.parametrize(
    "before", ["\\n", "\\t", "\\u003d", "%3D", "%22", "\\x00", "_", "-", ".", "\u00e9", '\\"', "\\\\\\n"]
)
def test_an_escape_before_a_secret_does_not_hide_it(before):
    for example in FOUND:
        text = before + example.text
        assert suspect(text.encode()), example.detector
        assert example.secret not in covered(text), example.detector


@pytest.mark.parametrize(("detector", "text"), passed())
def test_what_only_looks_near_to_a_secret_is_left(detector, text):
    assert list(findings(text)) == []


def test_every_detector_has_examples_of_both_kinds():
    assert names() == [row.id for row in detectors().rows]
    assert {each.detector for each in FOUND} == {name for name, _ in passed()} == set(names())


@given(st.sampled_from(FOUND), st.binary(max_size=40), st.binary(max_size=40))
def test_bytes_around_a_text_hide_no_secret_from_the_first_look(example, before, after):
    assert suspect(before + example.text.encode() + after)


@pytest.mark.parametrize("example", FOUND, ids=IDS)
def test_a_secret_in_a_span_is_suspected_wherever_it_stands(example):
    for span in (
        Span(name=example.text),
        Span(attributes=[{"key": "k", "value": {"string_value": example.text}}]),
        Span(events=[{"attributes": [{"key": example.text, "value": {"bool_value": True}}]}]),
    ):
        assert suspect(span.SerializeToString())


@pytest.mark.parametrize("key", ["password", "db.password", "DB_PASSWORD", "userPassword", "smtp.pwd", "passphrase"])
@given(value=st.sampled_from(["hunter2", "swordfish", "it's", 'a"b', "with blanks", "ümlaut"]))
def test_a_value_behind_a_name_for_a_password_is_a_secret(key, value):
    assert named(key, value) == "named_password"
    assert suspect(Span(attributes=[{"key": key, "value": {"string_value": value}}]).SerializeToString())


@pytest.mark.parametrize(
    "key", ["api_key", "x-api-key", "http.request.header.authorization", "clientSecret", "AWS_SECRET_ACCESS_KEY"]
)
def test_a_value_behind_a_name_for_a_key_is_a_secret_when_it_looks_random(key):
    assert named(key, "4f9a8b7c6d5e4f3a2b1c") == "named_secret"
    assert named(key, "see the handbook") is None
    assert suspect(
        Span(attributes=[{"key": key, "value": {"string_value": "4f9a8b7c6d5e4f3a2b1c"}}]).SerializeToString()
    )


@pytest.mark.parametrize(
    "key", ["gen_ai.usage.input_tokens", "gen_ai.token.type", "server.address", "password_policy", ""]
)
@pytest.mark.parametrize("value", ["4f9a8b7c6d5e4f3a2b1c", "12345678", "", "text"])
def test_a_value_behind_another_name_is_none(key, value):
    assert named(key, value) is None


@given(st.lists(st.sampled_from(FOUND), min_size=1, max_size=4), st.sampled_from([" ", "\n", " and ", '", "']))
def test_what_is_found_stands_apart_and_in_order(examples, between):
    text = between.join(each.text for each in examples)
    spans = [(each.start, each.end) for each in findings(text)]
    assert all(start < end for start, end in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert spans


@given(st.text(max_size=200))
def test_no_text_breaks_a_detector(text):
    for each in findings(text):
        assert 0 <= each.start < each.end <= len(text)


@given(st.sampled_from(FOUND))
def test_a_text_cut_off_within_a_long_password_is_still_covered(example):
    if example.detector == "named_password":
        cut = example.text[: example.text.index(example.secret) + max(4, len(example.secret) // 2)]
        assert example.secret[: max(4, len(example.secret) // 2)] not in covered(cut)


BROKEN = {
    "unknown-key": ("anchors: [A]\n    pattern: A\n    patern: x", "unknown key"),
    "no-pivot": ("anchors: [EEEE]\n    pattern: EEEE", "one of the characters"),
    "not-a-pattern": ("anchors: [A]\n    pattern: '(['", "not a pattern"),
    "unknown-check": ("anchors: [A]\n    pattern: A\n    check: nice", "expected one of"),
    "not-folded": ("anchors: [kEy]\n    any_case: true\n    pattern: A", "lower case"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_table_that_cannot_be_right_is_refused_with_its_line(name):
    row, expected = BROKEN[name]
    data = f"id: x\nversion: '1'\ndetectors:\n  - id: a\n    title: t\n    {row}\n"
    with pytest.raises(PackError, match=expected) as refused:
        read_detectors(data.encode(), "mine.yaml")
    assert str(refused.value).startswith("mine.yaml:")
