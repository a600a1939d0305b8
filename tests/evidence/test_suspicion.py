"""The quick look for secrets: whatever holds one is suspected, wherever it stands and whatever was seen before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.checks import content
from evidence.checks.suspicion import Suspicion
from evidence.limits import Limits
from evidence.redaction.detectors import findings
from tests.evidence import secret_examples
from tests.evidence.make import CHAT, START, decoded, log, receipt, resource, span

KEY = "AKIA" + "IOSFODNN7ABCDEFG"
EVENTS = [{"timeUnixNano": str(START), "name": KEY, "attributes": [{"key": "a", "value": {"stringValue": "x"}}]}]
NESTED = {
    "arrayValue": {"values": [{"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": f"{KEY} it is"}}]}}]}
}
MAPPED = {"attributes": [{"key": "b", "value": {"stringValue": KEY}}], "removed": [], "profiles": ["p"]}


def with_data(item, **members):
    item[1].update(members)
    return item


PLACES = {
    "an_attribute": span(1, CHAT | {"a": KEY}),
    "a_nested_attribute": span(1, {"a": NESTED}),
    "the_name": span(1, {}, name=KEY),
    "an_event_of_a_span": span(1, {}, events=EVENTS),
    "a_link": span(1, {}, links=[{"traceState": f"a={KEY}"}]),
    "the_status": span(1, {}, status={"code": 2, "message": f"no {KEY}"}),
    "an_id_too_long_to_be_one": span(1, {}, parentSpanId=f"00000000000000ff{KEY}"),
    "a_translated_attribute": with_data(span(1, {}), mapped=MAPPED),
    "what_translation_removed": with_data(span(1, {}), mapped={**MAPPED, "attributes": [], "removed": [f"key.{KEY}"]}),
    "what_translation_lost": with_data(span(1, {}), loss={"no_concept": [f"attributes.{KEY}"]}),
    "a_time_that_is_none": with_data(span(1, {}), received=f"at {KEY}"),
    "unknown_fields": with_data(span(1, {}), unknown_fields=f"b {KEY}"),
    "the_body_of_a_log": log(1, {}, body={"stringValue": f"use {KEY}"}),
    "a_receipt": receipt("note", {"a": [KEY]}),
    "a_resource": resource({"a": KEY}),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_suspected_wherever_it_stands(place):
    (event, line), (_, clean) = decoded([PLACES[place], span(9, CHAT)])
    suspicion = Suspicion()
    assert any(findings(text) for _, text in content.texts(event))
    assert suspicion.falls_on(event, line)
    assert suspicion.falls_on(event, line), "a text with a secret is not taken for clean"
    assert not suspicion.falls_on(decoded([span(9, CHAT)])[0][0], clean)


@pytest.mark.parametrize("index", range(len(secret_examples.found())))
def test_every_example_of_the_detectors_is_suspected_among_other_texts(index):
    text = secret_examples.found()[index].text
    if not any(findings(text)):
        pytest.skip("an example that is found by the name it stands behind")
    event, line = decoded([span(1, CHAT | {"a": "before", "b": text, "c": "behind it"})])[0]
    assert Suspicion().falls_on(event, line)


@given(st.lists(st.sampled_from(["clean text", "other text", "x" * 80, f"use {KEY}"]), min_size=1, max_size=8))
def test_what_was_seen_before_changes_nothing(texts):
    """Law: an event whose texts hold a secret is always suspected."""
    small = Suspicion(Limits(open_instances_max=1))
    for suspicion in (Suspicion(), small):
        for event, line in decoded([span(number, {"a": text}) for number, text in enumerate(texts, 1)]):
            expected = any(True for _, text in content.texts(event) for _ in findings(text))
            assert suspicion.falls_on(event, line) or not expected
