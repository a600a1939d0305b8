"""Capture health: one small run for every counter, and its bounds."""

import pytest

from evidence import event as types
from evidence.canonical import canonical
from evidence.capture.health import COUNTERS, CaptureHealth
from evidence.capture.tolerance import CLOCK_SKEW_NANOS_MAX
from evidence.limits import Limits
from evidence.timestamp import from_unix_nano
from tests.evidence.make import START, decoded, gap, log, opened, receipt, span, whole


def health(items, limits=Limits()):  # noqa: B008 - frozen
    capture = CaptureHealth(limits)
    for event, line in decoded(items):
        capture.add(event, line)
    return capture.result()


def raised(items):
    """The counters that are not zero or false, besides the plain counts and the missing sender's counts."""
    plain = {"spans", "logs", "metrics", "receipts", "sender_uncounted"}
    return {name: count for name, count in health(items).items() if count and name not in plain}


FLAW = {"loss": {"no_target": ["attributes.x"]}}


def _lossy():
    item = span(1)
    item[1].update(FLAW)
    return item


def _received(item, before_it_happened):
    """An item that was received some nanoseconds before it claims to have happened; it is the second event of its run."""
    item[1]["received"] = from_unix_nano(START + 1 - before_it_happened)
    return item


def _child(early):
    """A run of two spans of which the second starts some nanoseconds before its parent."""
    child = span(2, parentSpanId=f"{1:016x}", startTimeUnixNano=str(START - early))
    return whole(span(1), child)


def _numbered(*numbers):
    return [receipt("note", {}, sequence=number) for number in numbers]


def _of_part(part, *items):
    run = whole(*items)
    run[0][1]["part"] = part
    return run


def _said(*items, **counts):
    return whole(*items, sender_counts={name: str(count) for name, count in counts.items()})


JSON = '[{"role":"user","parts":[{"type":"text","content":"' + "what is the weather? " * 4 + '"}]}]'
CUT = JSON[:-20]

CASES = {
    "nothing_wrong": (whole(span(1), span(2, parentSpanId=f"{1:016x}")), {}),
    "dropped_attributes": (whole(span(1, droppedAttributesCount=3)), {"dropped_attributes_at_source": 3}),
    "dropped_events": (whole(span(1, droppedEventsCount=2)), {"dropped_events_at_source": 2}),
    "dropped_links": (whole(span(1, droppedLinksCount=1)), {"dropped_links_at_source": 1}),
    "dropped_log_attributes": (whole(log(1, {}, droppedAttributesCount=4)), {"dropped_attributes_at_source": 4}),
    "end_before_start": (whole(span(1, endTimeUnixNano=str(START - 1))), {"clock_skew": 1}),
    "end_missing": (whole(span(1, endTimeUnixNano="0")), {"clock_skew": 1}),
    "repeated": (whole(span(1), span(1)), {"duplicates": 1}),
    "repeated_twice": (whole(span(1), span(1), span(1)), {"duplicates": 2}),
    "conflicting": (whole(span(1), span(1, {"a": 1})), {"conflicting_ids": 1}),
    "repetitions_at_the_door": (whole(span(1), duplicates=5), {"duplicates": 5}),
    "orphans_of_one_parent": (
        whole(span(1, parentSpanId="00000000000000ff"), span(2, parentSpanId="00000000000000ff")),
        {"orphan_spans": 2, "missing_parents": 1},
    ),
    "parent_told_later": (whole(span(2, parentSpanId=f"{1:016x}"), span(1)), {}),
    "parent_of_another_trace": (
        whole(span(1), span(2, parentSpanId=f"{1:016x}", traceId="ff" * 16)),
        {"orphan_spans": 1, "missing_parents": 1},
    ),
    "remote_parent": (whole(span(1, parentSpanId="00000000000000ff", flags=0x301)), {"remote_parents": 1}),
    "gap": (whole(gap("journal", 3)), {"gaps": 1, "gap_items": 3}),
    "sender_missing": (whole(gap("sender_spans_ended", 7)), {"gaps": 1, "gap_items": 7, "sender_missing_spans": 7}),
    "receipt_hole": (whole(gap("receipt_sequence", 1)), {"gaps": 1, "gap_items": 1, "missing_receipts": 1}),
    "lossy": (whole(_lossy()), {"lossy_items": 1}),
    "not_closed": ([opened(), span(1)], {"unclosed": True}),
    "not_opened": (whole(span(1))[1:], {"unopened": True, "count_mismatch": 1}),
    "opened_late": ([span(1), opened()], {"unopened": True, "unclosed": True}),
    "holes_in_the_receipts": (whole(*_numbered(1, 3, 6)), {"missing_receipts": 3}),
    "receipts_in_any_order": (whole(*_numbered(3, 1, 2)), {}),
    "first_receipts_missing": (whole(*_numbered(3)), {"missing_receipts": 2}),
    "holes_that_the_recorder_tells_too": (
        whole(*_numbered(1, 3), gap("receipt_sequence", 1)),
        {"missing_receipts": 1, "gaps": 1, "gap_items": 1},
    ),
    "more_holes_than_the_recorder_tells": (
        whole(*_numbered(1, 9), gap("receipt_sequence", 1)),
        {"missing_receipts": 7, "gaps": 1, "gap_items": 1},
    ),
    "receipts_go_on_in_a_later_part": (_of_part(2, *_numbered(6, 7)), {}),
    "holes_in_a_later_part": (_of_part(2, *_numbered(6, 9)), {"missing_receipts": 2}),
    "two_senders_number_alike": (whole(*_numbered(1, 2, 1, 2)), {"repeated_receipt_numbers": 2}),
    "sender_has_more_spans": (_said(span(1), spans_ended=3), {"sender_missing_spans": 2}),
    "sender_has_more_spans_as_the_recorder_tells_too": (
        _said(span(1), gap("sender_spans_ended", 2), spans_ended=3),
        {"sender_missing_spans": 2, "gaps": 1, "gap_items": 2},
    ),
    "a_repetition_stands_for_no_other_span": (
        _said(span(1), span(1), spans_ended=2),
        {"sender_missing_spans": 1, "duplicates": 1},
    ),
    "sender_has_more_logs": (_said(log(1, {}), spans_ended=0, logs=2), {"sender_missing_logs": 1}),
    "sender_has_more_receipts": (_said(spans_ended=0, receipts=1), {"sender_missing_receipts": 1}),
    "sender_has_fewer": (_said(span(1), span(2), log(1, {}), spans_ended=1, logs=0), {"sender_surplus": 2}),
    "sender_counted_no_logs": (_said(log(1, {}), spans_ended=0), {}),
    "sender_never_ended": (_said(span(1), spans_started=3, spans_ended=1), {"sender_unended_spans": 2}),
    "sender_dropped": (
        _said(span(1), spans_started=3, spans_ended=3, spans_dropped=2),
        {"sender_missing_spans": 2, "sender_dropped_spans": 2},
    ),
    "sender_left_out": (_said(span(1), spans_ended=1, spans_unsampled=4), {"sender_unsampled_spans": 4}),
    "sender_ended_more_than_it_started": (
        _said(span(1), spans_started=0, spans_ended=1),
        {"sender_contradictions": 1},
    ),
    "sender_dropped_more_than_it_ended": (
        _said(span(1), spans_ended=1, spans_dropped=2),
        {"sender_contradictions": 1, "sender_dropped_spans": 2},
    ),
    "not_sampled": (whole(span(1, flags=0x302), log(1, {}, flags=2)), {"unsampled_items": 2}),
    "sampled": (whole(span(1, flags=0x101), log(1, {}, flags=3)), {}),
    "trace_flags_left_empty": (whole(span(1, flags=0x100), log(1, {}, flags=0)), {}),
    "sampled_at_half": (whole(span(1, traceState="a=b,ot=rv:12;th:8;x:y")), {"thinned_spans": 1}),
    "sampled_at_all": (whole(span(1, traceState="ot=th:0")), {}),
    "child_before_its_parent": (_child(CLOCK_SKEW_NANOS_MAX + 1), {"early_children": 1}),
    "child_a_little_before_its_parent": (_child(CLOCK_SKEW_NANOS_MAX), {}),
    "received_before_it_happened": (whole(_received(span(1), CLOCK_SKEW_NANOS_MAX + 1)), {"future_items": 1}),
    "received_a_little_before_it_happened": (whole(_received(span(1), CLOCK_SKEW_NANOS_MAX)), {}),
    "receipt_from_the_future": (whole(_received(receipt("note", {}), CLOCK_SKEW_NANOS_MAX + 1)), {"future_items": 1}),
    "received_at_no_time": (whole((types.LOG, {**log(1, {})[1], "received": "soon"})), {}),
    "text_cut": (
        whole(span(1, {"a": CUT, "b": JSON}), log(1, {"a": CUT}, body={"stringValue": CUT})),
        {"truncated_texts": 3},
    ),
    "text_cut_by_its_emitter": (
        whole(span(1, {"output.value": "x" * 197 + "...", "input.value": "x" * 197 + "..."})),
        {"truncated_texts": 1},
    ),
    "span_taken_out": ([*whole(span(1), span(2))[:2], whole(span(1), span(2))[3]], {"count_mismatch": 2}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_run_raises_exactly_the_counters_that_its_flaw_is_about(name):
    items, expected = CASES[name]
    assert raised(items) == expected


def test_plain_counts_are_by_type():
    counts = health(whole(span(1), log(1, {}), log(2, {}), receipt("note", {})))
    assert (counts["spans"], counts["logs"], counts["receipts"], counts["metrics"]) == (1, 2, 1, 0)


def test_the_senders_counts_lower_the_flag():
    assert health(whole(span(1)))["sender_uncounted"] is True
    assert health(whole(span(1), sender_counts={"spans_ended": 1}))["sender_uncounted"] is False


def test_a_sender_that_counts_something_else_has_not_counted_its_spans():
    assert health(whole(span(1), sender_counts={"logs": "0", "spans_started": "1"}))["sender_uncounted"] is True


def test_receipts_beyond_the_bound_are_counted_and_not_forgotten():
    counts = health(whole(*_numbered(1, 3, 5, 7, 2, 9)), Limits(number_ranges_max=3))
    assert (counts["receipts"], counts["untracked_receipts"], counts["missing_receipts"]) == (6, 1, 4)


def test_times_that_go_backwards_are_counted():
    events = decoded(whole(span(1), span(2)))
    events[2][0]["time"] = "2000-01-01T00:00:00.000000000Z"
    capture = CaptureHealth()
    for event, line in events:
        capture.add(event, line)
    assert capture.result()["time_regressions"] == 1


def test_spans_beyond_the_bound_are_counted_and_not_forgotten():
    counts = health(whole(*(span(number) for number in range(1, 6))), Limits(spans_tracked_max=3))
    assert (counts["spans"], counts["untracked_spans"], counts["duplicates"]) == (5, 2, 0)


def test_what_senders_claim_adds_up_to_what_json_can_hold():
    most = 2**53 - 1
    counts = health(whole(gap("sender_logs", most), gap("sender_logs", most), gap("journal", 1)))
    assert (counts["sender_missing_logs"], counts["gap_items"], counts["gaps"]) == (most, most, 3)
    assert b'"gap_items":9007199254740991' in canonical(counts)


def test_every_member_of_the_result_is_a_documented_counter():
    assert set(health(whole())) == COUNTERS


def test_asking_twice_changes_nothing():
    capture = CaptureHealth()
    for event, line in decoded(whole(span(1), span(1))):
        capture.add(event, line)
    assert capture.result() == capture.result()


@pytest.mark.parametrize(
    "fields",
    [
        {"droppedAttributesCount": "x"},
        {"spanId": "zz"},
        {"flags": None},
        {"parentSpanId": 5},
        {"endTimeUnixNano": 5},
        {"startTimeUnixNano": []},
        {"startTimeUnixNano": "99999999999999999999"},
        {"attributes": 5},
        {"attributes": [5, None]},
        {"attributes": [{"key": "a", "value": {"stringValue": 5}}]},
        {"traceState": 5},
        {"parentSpanId": "-1"},
    ],
)
def test_odd_values_count_as_nothing(fields):
    item = span(1)
    item[1]["span"].update(fields)
    assert health(whole(item))["spans"] == 1


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_comparing_share_by_share_finds_what_comparing_at_once_finds(monkeypatch, at_once):
    items = [span(n % 11 + 1, {"a": n % 3}, parentSpanId=f"{n % 11 * 2 + 1:016x}") for n in range(60)]
    expected = raised(whole(*items))
    assert expected["duplicates"] > 0
    assert expected["conflicting_ids"] > 0
    assert expected["orphan_spans"] > expected["missing_parents"] > 0
    monkeypatch.setattr("evidence.capture.span_graph._COMPARED_AT_ONCE", at_once)
    assert raised(whole(*items)) == expected
