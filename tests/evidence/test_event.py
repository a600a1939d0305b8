"""Events, run facts, names and times: one form each. Broken lines are in test_bundle.py, sealed for real."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import CanonicalError, EventError, EvidenceError, RunError
from evidence.event import RUN_GAP, TYPES, EvidenceEvent, decode
from evidence.limits import Limits
from evidence.run import CLOSE_REASONS, RunMeta, attestation_file_name, bundle_file_name, safe_run_id
from evidence.timestamp import from_unix_nano, is_time, to_unix_nano
from tests.evidence import make

times = st.integers(0, 2**64 - 1).map(from_unix_nano)
run_ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")


def event(**changes):
    facts = {
        "run_id": "r",
        "seq": 0,
        "type": RUN_GAP,
        "time": "2026-01-01T00:00:00.000000000Z",
        "data": {"kind": "k", "count": 1},
        "source": "urn:a",
    }
    return EvidenceEvent(**(facts | changes))


@given(run_ids, st.integers(0, 2**31 - 1), times, st.none() | st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_line_decodes_to_the_event_it_was_made_of(run_id, seq, time, subject):
    made = event(run_id=run_id, seq=seq, time=time, subject=subject)
    assert decode(made.line()) == made.to_json()
    assert decode(made.line())["id"] == f"{run_id}:{seq}"


def test_a_line_is_the_same_whatever_order_its_data_came_in():
    assert event(data={"count": 1, "kind": "k"}).line() == event(data={"kind": "k", "count": 1}).line()


def test_an_event_carries_its_trace_context():
    traceparent = "00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01"
    assert decode(event(traceparent=traceparent, subject="s").line())["traceparent"] == traceparent


BROKEN = {
    "run_id_empty": {"run_id": ""},
    "run_id_path": {"run_id": "../a"},
    "run_id_too_long": {"run_id": "a" * 129},
    "seq_negative": {"seq": -1},
    "seq_beyond_cloudevents_integer": {"seq": 2**31},
    "type_unknown": {"type": "affidavit.run.gap.v2"},
    "time_empty": {"time": ""},
    "time_leap_second": {"time": "2016-12-31T23:59:60.000000000Z"},
    "data_without_required": {"data": {"kind": "k"}},
    "data_of_another_type": {"data": {"kind": "k", "count": "1"}},
    "data_null": {"data": {"kind": None, "count": 1}},
    "source_relative": {"source": "a"},
    "source_starts_with_colon": {"source": ":a"},
    "subject_empty": {"subject": ""},
    "traceparent_short": {"traceparent": "00-1-2-01"},
}


@pytest.mark.parametrize("defect", BROKEN)
def test_an_event_with_a_defect_is_not_written(defect):
    with pytest.raises(EventError):
        event(**BROKEN[defect]).line()


def test_data_without_canonical_form_is_not_written():
    with pytest.raises(CanonicalError):
        event(data={"kind": "k", "count": 1, "ratio": float("nan")}).line()


def test_a_line_over_its_bound_is_refused_before_it_is_parsed():
    with pytest.raises(EventError, match="at most 10 bytes"):
        decode(b"[" * 11, Limits(line_bytes_max=10))


def test_every_type_of_event_is_versioned():
    assert all(name.startswith("affidavit.") and name.endswith(".v1") for name in TYPES)


# ------------------------------------------------------------------ times


@given(st.integers(0, 2**64 - 1))
def test_a_time_survives_its_text(unix_nano):
    assert to_unix_nano(from_unix_nano(unix_nano)) == unix_nano


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_times_sort_as_text(one, other):
    assert (from_unix_nano(one) < from_unix_nano(other)) == (one < other)


def test_known_times_have_their_text():
    assert from_unix_nano(0) == "1970-01-01T00:00:00.000000000Z"
    assert from_unix_nano(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123456789Z"
    assert to_unix_nano("1969-12-31T23:59:59.000000000Z") == -1_000_000_000


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.000000000+00:00",
        "2026-01-01 00:00:00.000000000Z",
        "2026-13-01T00:00:00.000000000Z",
        "2026-02-29T00:00:00.000000000Z",
        "2026-01-01T24:00:00.000000000Z",
        "2026-01-01T00:00:00.000000000z",
        "\uff12026-01-01T00:00:00.000000000Z",
        "0000-02-30T00:00:00.000000000Z",
        "",
        None,
        0,
    ],
)
def test_what_is_no_time_is_told(text):
    assert not is_time(text)


@pytest.mark.parametrize("unix_nano", [-1, 2**64])
def test_a_time_outside_otlps_range_is_refused(unix_nano):
    with pytest.raises(EvidenceError):
        from_unix_nano(unix_nano)


def test_text_that_is_no_time_has_no_nanoseconds():
    with pytest.raises(EvidenceError, match="RFC 3339"):
        to_unix_nano("2026-02-30T00:00:00.000000000Z")


# ------------------------------------------------------------------ runs


@given(st.text())
def test_a_safe_run_id_is_always_a_run_id_and_stays_itself(raw):
    safe = safe_run_id(raw)
    assert make.meta(run_id=safe).run_id == safe
    assert safe_run_id(safe) == safe


@given(st.text(), st.text())
def test_two_raw_ids_do_not_meet(one, other):
    assert (safe_run_id(one) == safe_run_id(other)) == (one == other)


def test_files_are_named_after_run_and_part():
    assert bundle_file_name("r", 1) == "r.evidence.tar.gz"
    assert bundle_file_name("r", 2) == "r.part2.evidence.tar.gz"
    assert attestation_file_name("r.part2.evidence.tar.gz") == "r.part2.sigstore.json"
    with pytest.raises(RunError):
        attestation_file_name("r.tar.gz")


@pytest.mark.parametrize(
    "change",
    [
        {"run_id": "a/b"},
        {"part": 0},
        {"opened_at": "now"},
        {"closed_at": ""},
        {"close_reason": "tired"},
        {"source": "x"},
        {"amends": "ab"},
    ],
)
def test_facts_that_cannot_stand_in_a_manifest_are_refused(change):
    with pytest.raises(RunError, match=next(iter(change))):
        make.meta(**change)


def test_every_reason_to_close_can_be_said():
    assert [make.meta(close_reason=reason).close_reason for reason in CLOSE_REASONS] == list(CLOSE_REASONS)
    assert isinstance(make.meta(), RunMeta)


def test_the_lines_that_tests_make_are_canonical():
    for line in make.lines(make.whole(make.span(1, make.CHAT))):
        assert decode(line) == orjson.loads(line)
