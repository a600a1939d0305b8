"""Text in columns: as wide as it looks, never wider than asked for; amounts in few characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sidecar.cli.columns import Chunk, clip, folded, wrapped
from sidecar.cli.evidence.amounts import count, fact_words, seconds
from sidecar.cli.printable import printable, printable_json

WORDS = st.text(max_size=40) | st.sampled_from(
    ["日本語のテキスト", "e\u0301" * 20, "👩‍👩‍👧‍👦 family", "\u202eright", "\x1b[31m"]
)


@given(WORDS, st.integers(0, 60))
def test_a_clipped_text_fits_and_is_printable(text, columns):
    clipped = clip(text, columns)
    assert cell_len(clipped) <= columns
    assert clipped.isprintable()


@given(WORDS)
def test_a_text_that_fits_is_only_made_printable(text):
    assert clip(text, cell_len(printable(text))) == printable(text)


@given(WORDS, st.integers(2, 60))
def test_a_folded_text_fits_and_is_whole(text, columns):
    lines = folded(text, columns)
    assert "".join(lines) == printable(text)
    assert all(cell_len(line) <= columns for line in lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("the weather in Paris", ["the weather ", "in Paris"]),
        ("weather: sunny in Paris", ["weather: ", "sunny in ", "Paris"]),
        ("twelve signs and on", ["twelve signs", " and on"]),
        ("an inParisAndLondonAtOnce", ["an inParisAn", "dLondonAtOnc", "e"]),
        ("日本語 テキスト", ["日本語 ", "テキスト"]),
    ],
)
def test_words_stay_whole_where_a_space_is_near(text, lines):
    assert folded(text, 12) == lines


@given(st.lists(WORDS, max_size=12), st.integers(1, 60), st.sampled_from(["  ", ", ", " "]))
def test_wrapped_lines_fit_and_keep_every_chunk_in_order(texts, columns, gap):
    lines = list(wrapped([Chunk(text) for text in texts], columns, gap))
    for line in lines:
        assert sum(cell_len(chunk.text) for chunk in line) <= columns
    room = columns - len(gap.rstrip())
    kept = [chunk.text for line in lines for chunk in line if chunk.text not in {gap, gap.rstrip()}]
    assert kept == [text for text in (clip(each, room) for each in texts) if text not in {gap, gap.rstrip()}]


def test_a_character_of_two_columns_counts_as_two():
    assert clip("日本語", 6) == "日本語"
    assert clip("日本語", 5) == "日本…"
    assert clip("日本語", 4) == "日…"


@pytest.mark.parametrize(
    ("nanos", "words"),
    [
        (0, "0 s"),
        (999, "0 µs"),
        (1_500, "1 µs"),
        (999_999, "999 µs"),
        (1_000_000, "1 ms"),
        (999_999_999, "999 ms"),
        (1_000_000_000, "1.00 s"),
        (59_999_999_999, "59.99 s"),
        (60_000_000_000, "1m 00s"),
        (3_599_999_999_999, "59m 59s"),
        (3_600_000_000_000, "1h 00m"),
        (86_400_000_000_000, "1 d"),
        (-1_500_000, "-1 ms"),
    ],
)
def test_durations_are_cut_and_never_rounded_up(nanos, words):
    assert seconds(nanos) == words


@given(st.integers(-(2**64), 2**64))
def test_no_duration_takes_more_than_nine_columns(nanos):
    assert len(seconds(nanos, signed=True)) <= 9


def test_counts_and_facts_read_as_words():
    assert (count(1, "span"), count(0, "span"), count(1234, "event")) == ("1 span", "0 spans", "1,234 events")
    assert (fact_words(True), fact_words(["a", 1]), fact_words(0.5)) == ("true", "a, 1", "0.5")


def test_json_that_no_terminal_obeys_is_the_same_json():
    import orjson

    text = orjson.dumps(["\x9b2J", "\u202e", "\U000e0001", "日本", "\x1b"]).decode()
    assert printable_json(text).isprintable()
    assert orjson.loads(printable_json(text)) == orjson.loads(text)
