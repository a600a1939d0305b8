"""Lines read all at once against the same lines read one by one: the same events, or the same refusal."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.bundle.block import read_block
from evidence.bundle.sequence import EventSequence
from evidence.canonical import parse_object, parse_objects
from evidence.errors import CanonicalError, EventError
from evidence.event import METRIC, RECEIPT, RUN_GAP, RUN_OPENED, EvidenceEvent
from evidence.limits import DEFAULT, Limits
from evidence.timestamp import are_times, is_time
from tests.evidence import make

GOOD = [
    *make.lines(
        [
            (RUN_OPENED, {"run_id": make.RUN_ID, "part": 1, "reason": "first_item"}),
            make.span(1, make.CHAT),
            make.span(2, {"note": "emoji 😀, a version 1.0, a list [1.0,-6] and 1e+16,"}),
            make.span(3, make.TOOL, kind=3, status={}),
            (RUN_GAP, {"kind": "k", "count": 1}),
            (RECEIPT, {"kind": "k", "idempotency_key": "i", "body": {"": [], "a": {"b": 0.25}, "more": ["1.0", 2.5]}}),
            (METRIC, {"resource": make.DIGEST, "scope": make.SCOPE, "metric": {"name": "m", "x": [1.5, 2]}}),
        ]
    ),
    *(
        EvidenceEvent(
            run_id=make.RUN_ID,
            seq=seq,
            type=RUN_GAP,
            time=f"2023-11-14T22:13:2{seq - 7}.000000001Z",
            data={"kind": "k", "count": seq},
            source=make.SOURCE,
            subject="s",
            traceparent=f"00-{make.TRACE}-00000000000000a{seq - 7}-01",
        ).line()
        for seq in (7, 8)
    ),
]

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 9),
    st.sampled_from([2**31, 2**53, 0.5, 1.0, 1e16, 1e-6, -0.0, "", "x", "1.0", "2023-02-30T00:00:00.000000000Z", "²"]),
    st.sampled_from(["sha256:" + "AB" * 32, "run-2", "run-1:1", "urn:other", "affidavit.drift.v1", [], {}, [[]]]),
)
TOKENS = (
    b"1.0",
    b"1",
    b"-0.0",
    b"1e16",
    b"1e+16",
    b"1e-6",
    b"0.000001",
    b"9007199254740993",
    b"NaN",
    b"\xff",
    b"\\u0041",
)
EXTRA = ("kind", "count", "resource", "scope", "span", "body", "b", "extra", "\U00010000", "\uffff")
MEMBERS = (*json.loads(GOOD[-1]), *EXTRA)


def set_member(line: bytes, name: str, value: object) -> bytes:
    """The line with every member `name` of it set, written as orjson writes it."""

    def walk(node: object) -> object:
        if isinstance(node, dict):
            return {key: value if key == name else walk(item) for key, item in node.items()}
        return [walk(item) for item in node] if isinstance(node, list) else node

    event = orjson.loads(line)
    event = walk(event) if name not in EXTRA[-3:] else event | {name: value}
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def splice(line: bytes, at: int, token: bytes, cut: int) -> bytes:
    at %= len(line)
    return line[:at] + token + line[at + cut :]


def number_for(line: bytes, which: int, token: bytes) -> bytes:
    """The line with one of its numbers written as `token`."""
    places = [at for at in range(1, len(line)) if line[at - 1 : at] in {b":", b"["} and line[at : at + 1].isdigit()]
    at = places[which % len(places)]
    end = next(end for end in range(at, len(line)) if line[end : end + 1] in b",}]")
    return line[:at] + token + line[end:]


indexes = st.integers(0, len(GOOD) - 1)
changes = st.one_of(
    st.builds(lambda name, value: lambda line: set_member(line, name, value), st.sampled_from(MEMBERS), VALUES),
    st.builds(
        lambda at, token, cut: lambda line: splice(line, at, token, cut),
        st.integers(0, 999),
        st.sampled_from((*TOKENS, b"", b" ", b'"', b",", b"{}", b"\x7f", b"a")),
        st.integers(0, 2),
    ),
    st.builds(
        lambda which, token: lambda line: number_for(line, which, token), st.integers(0, 9), st.sampled_from(TOKENS)
    ),
)


def one_by_one(lines, sequence):
    return [sequence.add(line) for line in lines]


def all_at_once(lines, sequence):
    return sequence.add_all(lines)


def halves(lines, sequence):
    half = len(lines) // 2
    return sequence.add_all(lines[:half]) + sequence.add_all(lines[half:])


def outcome(read, lines, limits=DEFAULT, first_seq=0):
    sequence = EventSequence(run_id=make.RUN_ID, first_seq=first_seq, limits=limits)
    try:
        found = list(map(orjson.dumps, read(lines, sequence)))
    except EventError as error:
        return str(error)
    return found, sequence.root_hex, sequence.size, sequence.source, sequence.first_time, sequence.last_time


@given(st.lists(st.tuples(indexes, changes), max_size=3), st.permutations(GOOD) | st.just(GOOD))
def test_changed_lines_come_to_the_same_as_one_by_one(changed, lines):
    lines = list(lines)
    for index, change in changed:
        try:
            lines[index] = change(lines[index])
        except (ValueError, ZeroDivisionError):  # no longer JSON, or without a number
            continue
    expected = outcome(one_by_one, lines)
    assert outcome(all_at_once, lines) == expected
    assert outcome(halves, lines) == expected


def test_good_lines_are_read_at_once():
    events = read_block(GOOD[1:], run_id=make.RUN_ID, source=make.SOURCE, first_seq=1, limits=DEFAULT)
    assert events == [orjson.loads(line) for line in GOOD[1:]]


@pytest.mark.parametrize(
    "token", [b"1.0", b"-0.0", b"1e16", b"1e+16", b"1e-6", b"-9.5e-6", b"1E2", b"01", b"9007199254740993"]
)
@pytest.mark.parametrize("place", [b'{"a":%b}', b'{"a":[%b]}', b'{"a":[%b,2]}', b'{"a":["x",%b]}', b'{"a":%b,"b":""}'])
def test_a_number_in_another_spelling_is_not_certain_and_refused(place, token):
    assert parse_objects([b"{}", place % token]) is None
    with pytest.raises(CanonicalError):
        parse_object(place % token)


@pytest.mark.parametrize(
    "lines",
    [
        [b'{"a":[1', b"2]}"],
        [b'{"a":[{}', b'{}]},{"b":{}}'],
        [b"{},{}", b"{}"],
        [b"{}", b""],
        [b"{} ", b"{}"],
        [b"[]", b"{}"],
        [b"1", b"{}"],
        [b'{"b":1,"a":2}'],
        [b'{"a":1,"a":1}'],
        [b'{"\xef\xbf\xbf":1,"\xf0\x90\x80\x80":2}'],
    ],
)
def test_texts_that_are_no_canonical_objects_by_themselves_are_not_certain_together(lines):
    assert parse_objects(lines) is None


@given(st.lists(st.dictionaries(st.text(max_size=3), st.floats() | st.integers() | st.text(max_size=9)), max_size=4))
def test_what_is_certain_is_what_each_text_gives(objects):
    lines = [
        json.dumps(each, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
        for each in objects
    ]
    found = parse_objects(lines)
    if found is not None:
        assert [repr(parse_object(line)) for line in lines] == list(map(repr, found))


@pytest.mark.parametrize(
    "limits",
    [Limits(events_max=5), Limits(line_bytes_max=400), Limits(json_depth_max=4)],
    ids=["events", "bytes", "depth"],
)
def test_bounds_hold_for_lines_read_at_once(limits):
    expected = outcome(one_by_one, GOOD, limits)
    assert isinstance(expected, str)
    assert outcome(all_at_once, GOOD, limits) == expected


def test_numbers_end_where_they_end_one_by_one():
    last = 2**31 - 1
    lines = make.lines([make.span(1), make.span(2)], first_seq=last - 1)
    lines.append(lines[-1].replace(b"%d" % last, b"%d" % (last + 1)))
    assert "seq" in outcome(one_by_one, lines, first_seq=None)
    assert outcome(all_at_once, lines, first_seq=None) == outcome(one_by_one, lines, first_seq=None)


TIMES = ("2026-01-01T00:00:00.000000000Z", "2026-02-28T23:59:59.999999999Z")


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00.000000000Z",
        "2026-01-01T24:00:00.000000000Z",
        "2016-12-31T23:59:60.000000000Z",
        "2026-01-01T00:00:00.00000000Z",
        "2026-01-01T00:00:00.000000000z",
        "2026-01-01T00:00:00.00000000²Z",
        "",
    ],
)
def test_one_text_that_is_no_time_is_found_among_times(text):
    assert not is_time(text)
    assert are_times(TIMES)
    assert not are_times((*TIMES, text))
    assert not are_times((TIMES[0] + "2", TIMES[1][1:]))


def test_parents_that_only_together_look_like_two_are_refused():
    """One is a character short and the next as much too long."""
    first, second = (orjson.loads(line)["traceparent"] for line in GOOD[-2:])
    lines = [
        *GOOD[:-2],
        set_member(GOOD[-2], "traceparent", first[:-1]),
        set_member(GOOD[-1], "traceparent", first[-1] + second),
    ]
    expected = outcome(one_by_one, lines)
    assert isinstance(expected, str)
    assert outcome(all_at_once, lines) == expected
