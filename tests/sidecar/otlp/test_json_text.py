"""JSON text, strictly; and streams of documents."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import DecodeError
from sidecar.otlp.json_text import parse, split_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: "\\ud" not in json.dumps(value))


@given(JSON)
def test_every_json_value_is_read_as_it_was_written(value):
    assert parse(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    {
        "nothing": b"",
        "white_space": b" \n",
        "cut": b'{"a":',
        "bytes_after_the_end": b"{} x",
        "second_document": b"{}{}",
        "nul_after_the_end": b"{}\x00",
        "byte_order_mark": b"\xef\xbb\xbf{}",
        "utf_16": '{"a":1}'.encode("utf-16"),
        "invalid_utf_8": b'{"a":"\xff"}',
        "overlong_utf_8": b'{"a":"\xc0\xaf"}',
        "surrogate_in_utf_8": b'{"a":"\xed\xa0\x80"}',
        "lone_surrogate_escape": b'{"a":"\\ud800"}',
        "raw_control_character": b'{"a":"\x01"}',
        "single_quotes": b"{'a':1}",
        "trailing_comma": b'{"a":1,}',
        "comment": b"{} // x",
        "unquoted_key": b"{a:1}",
        "nan": b"[NaN]",
        "infinity": b"[-Infinity]",
        "leading_zero": b"[01]",
        "number_out_of_range": b"[1e999]",
        "unbalanced": b"[}",
        "duplicate_key": b'{"a":1,"a":1}',
        "duplicate_key_by_escape": b'{"a":1,"\\u0061":2}',
        "duplicate_key_inside": b'[{"x":{"a":1,"b":2,"a":3}}]',
        "deep_arrays": b"[" * 10_000 + b"]" * 10_000,
        "deep_objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        "deep_and_never_closed": b"[" * 1_000_000,
        "digits_without_end": b"[" + b"1" * 5_000 + b"]",
    }.items(),
)
def test_what_is_not_one_strict_json_text_is_refused(name, text):
    with pytest.raises(DecodeError, match="the thing"):
        parse(text, what="the thing")


def test_a_duplicate_key_is_named():
    with pytest.raises(DecodeError, match="the key 'a' stands twice in one object"):
        parse(b'{"a":1,"a":1}')


@given(st.binary(max_size=40) | st.text('{}[]":,\\ 1ea\n').map(str.encode))
def test_any_bytes_give_a_value_or_a_decode_error(data):
    with contextlib.suppress(DecodeError):
        parse(data)


@given(st.lists(st.dictionaries(st.text(max_size=4), JSON, max_size=3)), st.sampled_from(["", "\n", "\r\n", " \t\n\n"]))
def test_documents_come_apart_as_they_were_put_together(documents, between):
    texts = [json.dumps(document, ensure_ascii=False).encode() for document in documents]
    data = between.encode().join(texts)
    assert texts == list(split_json(data))


def test_documents_over_several_lines_come_apart():
    pretty = json.dumps({"a": {"b": [1, "}{"]}}, indent=2).encode()
    assert [pretty, pretty] == list(split_json(pretty + b"\n" + pretty + b"\n"))


@given(st.binary(max_size=60) | st.text('{}[]":,\\ 1ea\n', max_size=60).map(str.encode))
def test_no_byte_but_white_space_is_lost_by_splitting(data):
    """Joined, the pieces are the data without the white space between them, whatever the data are."""
    position = 0
    for piece in split_json(data):
        found = data.index(piece, position)
        assert data[position:found].strip(b" \t\r\n") == b""
        position = found + len(piece)
    assert data[position:].strip(b" \t\r\n") == b""
