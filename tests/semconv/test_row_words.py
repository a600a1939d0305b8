"""Rows in words: whatever a table says is said, in words or as it is written."""

import pytest

from semconv.ops import OPS
from semconv.profile import words
from semconv.profile.sources import sources
from semconv.reasons import REASONS
from tests.semconv.strategies import TRANSLATOR

ENUMS = {profile.id: profile.enums for profile in TRANSLATOR.profiles}
ROWS = [
    (source.id, word, row)
    for source in sources({})
    for word, rows in source.content.items()
    if isinstance(rows, list)
    for row in rows
    if isinstance(row, dict)
]


def inside(row):
    yield row
    for _, member in words.members(row):
        yield from inside(member)


def said(id_, row):
    return "\n".join(
        text
        for each in inside(row)
        for text in (
            words.goes(each),
            words.condition(each),
            *words.remarks(each),
            *(step.words for step in words.operations(each, ENUMS[id_])),
        )
    )


def scalars(value):
    """Everything written in a row but the names it is for, flags, and the words themselves."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scalars(inner)
    elif isinstance(value, str):
        yield value


def test_nothing_that_a_built_in_row_says_is_left_out():
    assert len(ROWS) > 1000
    for id_, word, row in ROWS:
        told = said(id_, row)
        for text in scalars({name: value for name, value in row.items() if name != words.NAMES.get(word)}):
            bare = text in OPS and f"`{text}`" not in told  # an operation has words of its own
            assert bare or text in told, (id_, row, text)


def test_every_reason_a_row_names_is_named():
    for id_, _, row in ROWS:
        for text in scalars(row):
            if text in REASONS:
                assert f"`{text}`" in said(id_, row)


def test_operations_keep_their_order_and_say_what_undoes_them():
    row = {
        "op": [
            {"trim": {"prefix": "a.", "suffix": '"'}},
            {"before": "."},
            "lower",
            {"refuse": {"enum": "frameworks", "reason": "not_a_provider"}},
        ]
    }
    assert [(step.words, step.inverse) for step in words.operations(row, ENUMS["openinference"])] == [
        ('without `a.` and `"`', "affix"),
        ("what stands before `.`", None),
        ("in lower case", None),
        ("if it is not in `frameworks` (else `not_a_provider`)", "keep"),
    ]  # fmt: skip


def test_a_table_of_values_has_an_inverse_only_when_no_two_values_are_one():
    enums = {"one": {"a": "x", "b": "y"}, "two": {"a": "x", "b": "x"}}
    assert [words.operations({"op": {"enum": name}}, enums)[0].inverse for name in enums] == ["enum", None]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"when": {"operation": ["chat", "embeddings"]}}, "operation `chat` or `embeddings`"),
        ({"when": {"absent": ["a", "b.*"], "scope": "x*"}}, "without `a` or `b.*`, scope `x*`"),
        ({"when": {"value": {"kind": ["t", "u"]}, "present": ["k"]}}, "with `k`, `kind` is `t` or `u`"),
        ({"when": {"sampled": [1, 2]}}, "`sampled: [1,2]`"),
        ({}, ""),
    ],
)
def test_conditions(row, told):
    assert words.condition(row) == told


def test_a_word_that_has_no_words_is_told_as_it_is_written():
    row = {"key": "a", "to": "gen_ai.agent.name", "sparkle": {"deep": [1, "x"]}, "shine": True, "copy": False}
    assert words.remarks(row) == ['`sparkle: {"deep":[1,"x"]}`', "`shine`"]


def test_members_are_rows_of_their_own_and_the_rest_is_always_said():
    row = {"split": {"a.b": {"lost": "no_concept"}}}
    assert list(words.members(row)) == [
        ("#/a/b", {"lost": "no_concept"}),
        ("the rest", {"lost": "partial_no_concept"}),
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"pattern": "x"}, "nothing more than the attributes do"),
        ({"pattern": "x {gen_ai.tool.name}"}, "`gen_ai.tool.name`, if nothing else says it"),
        (
            {"pattern": "x.{gen_ai.tool.name}", "says": {"gen_ai.operation.name": "execute_tool"}},
            "`gen_ai.tool.name` and `gen_ai.operation.name` is `execute_tool`, if nothing else says it",
        ),
    ],
)
def test_a_span_name_says_what_nothing_else_does(row, told):
    assert words.goes(row) == told
