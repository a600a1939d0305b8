"""`verify` warns of exactly what lowers the confidence to low, and says it by name."""

import pytest

from attest.bundle_checks import check_bundle
from evidence.limits import DEFAULT
from tests.attest import world
from tests.evidence.make import gap, receipt, sealed, span, whole

SAID = {"spans_ended": "1"}
DOUBTED = {
    "what_the_sender_dropped": (whole(span(1), sender_counts={**SAID, "spans_dropped": "1"}), "sender_dropped_spans 1"),
    "what_never_ended": (whole(span(1), sender_counts={**SAID, "spans_started": "3"}), "sender_unended_spans 2"),
    "what_was_not_sampled": (
        whole(span(1), sender_counts={**SAID, "spans_unsampled": "4"}),
        "sender_unsampled_spans 4",
    ),
    "spans_that_did_not_come": (whole(sender_counts=SAID), "sender_missing_spans 1"),
    "holes_in_receipts": (whole(receipt("note", {}, sequence=3)), "missing_receipts 2"),
    "a_gap": (whole(gap("journal", 7)), "gaps 1"),
    "no_end": (whole(span(1))[:-1], "unclosed"),
}
TRUSTED = {
    "no_counts": whole(span(1)),
    "an_orphan": whole(span(1, parentSpanId="00000000000000ff"), sender_counts=SAID),
    "a_repetition": whole(span(1), span(1), sender_counts=SAID),
    "nothing_wrong": whole(span(1), sender_counts=SAID),
}


def events_check(folder, items):
    reading = check_bundle(sealed(folder, items).path, [], DEFAULT)
    return next(check for check in reading.checks if check.id == "events")


@pytest.mark.parametrize("name", DOUBTED)
def test_a_run_that_may_not_be_whole_is_warned_of(tmp_path, name):
    items, said = DOUBTED[name]
    check = events_check(tmp_path, items)
    assert check.outcome == "warn"
    assert said in check.reason.split("may not be whole: ")[1].split(", ")


@pytest.mark.parametrize("name", TRUSTED)
def test_a_run_of_which_nothing_need_be_missing_is_not(tmp_path, name):
    assert events_check(tmp_path, TRUSTED[name]).outcome == "pass"


@pytest.mark.parametrize(("meta", "outcome"), [({"closed_at": world.at(0)}, "warn"), ({}, "pass")])
def test_events_dated_after_the_run_was_closed_are_warned_of(tmp_path, meta, outcome):
    facts = world.seal_run(tmp_path, **meta)
    check = next(each for each in check_bundle(facts.path, [], DEFAULT).checks if each.id == "events")
    assert check.outcome == outcome
    assert ("after it was closed at" in check.reason) == (outcome == "warn")
