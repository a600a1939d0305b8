"""What a sender writes to make a reader see something else: it stays, is carried, or is named in the account."""

import pytest

from semconv.view import EventView, SpanView
from tests.semconv.strategies import TRANSLATOR

INPUT = "gen_ai.input.messages"
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
FLAT = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "said"}
SAID = '[{"role":"user","parts":[{"type":"text","content":"said"}]}]'


def of(attributes, events=()):
    span = SpanView(name="chat", attributes=attributes, events=[EventView(*event) for event in events])
    found = TRANSLATOR.span(span)
    assert found.tally.balanced
    return found


@pytest.mark.parametrize(
    ("attributes", "events"),
    [(FLAT, ()), ({}, [("gen_ai.user.message", {"content": "said"})])],
    ids=["flat attributes", "an event"],
)
def test_an_empty_list_under_the_targets_key_hides_nothing_that_another_source_says(attributes, events):
    found = of({**CHAT, INPUT: "[]", **attributes}, events)
    assert found.attributes[INPUT] == SAID and not found.loss


def test_messages_under_the_targets_key_stand_and_what_another_source_says_stays_and_is_named():
    found = of({**CHAT, INPUT: SAID.replace("said", "other"), **FLAT})
    assert INPUT not in found.attributes and not found.removed
    assert {loss.path for loss in found.loss} == set(FLAT)


@pytest.mark.parametrize(
    "content", ["hidden " * 20, '{"content": "' + "hidden " * 20 + '"}', b"\0" * 65, ["hidden"]], ids=repr
)
def test_a_content_where_a_derivable_label_should_be_stays_and_is_counted(content):
    found = of({**CHAT, "openinference.span.kind": "LLM", "input.value": "x", "input.mime_type": content})
    assert "input.mime_type" not in found.removed
    assert [loss.path for loss in found.loss] == ["input.mime_type"]


def test_a_derivable_label_goes():
    found = of({**CHAT, "openinference.span.kind": "LLM", "input.value": "x", "input.mime_type": "text/plain"})
    assert "input.mime_type" in found.removed and not found.loss
