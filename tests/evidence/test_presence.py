"""What counts as there and what only looks so, over what senders write in place of content."""

import pytest

from evidence.checks.presence import NONE, Presence

INPUT = "gen_ai.input.messages"
PRESENCE = Presence(NONE)


def is_there(key, value):
    return PRESENCE.state(key, value) is not None


def message(*parts):
    return '[{"role":"user","parts":[' + ",".join(parts) + "]}]"


HOLLOW = {
    "null": "null",
    "blank": " \n",
    "blank_text_in_json": '" "',
    "empty_object": "{}",
    "list_of_nothing": "[{}]",
    "list_of_lists": "[[]]",
    "list_of_null": "[null]",
    "message_of_a_role": '[{"role":"user"}]',
    "message_of_blank_content": '[{"role":"user","content":" "}]',
    "message_whose_parts_are_blank": '[{"role":"user","parts":" "}]',
    "part_without_anything": message("{}"),
    "part_of_a_type_alone": message('{"type":"picture"}'),
    "part_that_is_a_list": message("[]"),
    "one_of_two_parts": message('{"type":"text","content":"hi"}', '{"type":"text"}'),
}


@pytest.mark.parametrize("text", HOLLOW.values(), ids=HOLLOW)
def test_messages_that_say_nothing_are_absent(text):
    assert not is_there(INPUT, {"stringValue": text})


def test_structured_messages_that_say_nothing_are_absent():
    nested: dict[str, object] = {"arrayValue": {"values": [{"arrayValue": {}}]}}
    assert not any(is_there(INPUT, value) for value in (nested, {"arrayValue": {}}, {"kvlistValue": {}}))


SAID = {
    "text": "hello",
    "number": "0",
    "one_message": message('{"type":"text","content":"hi"}'),
    "empty_answer_of_a_tool": message('{"type":"tool_call_response","response":""}'),
    "part_of_an_unknown_type": message('{"type":"picture","pixels":"00"}'),
    "message_of_another_form": '[{"role":"user","content":"hi"}]',
}


@pytest.mark.parametrize("text", SAID.values(), ids=SAID)
def test_messages_that_say_something_are_there(text):
    assert is_there(INPUT, {"stringValue": text})


@pytest.mark.parametrize("blank", ["", " ", "\t\r\n", "\u00a0"])
def test_a_blank_text_is_absent_wherever_it_stands(blank):
    attribute = {"gen_ai.request.model": {"stringValue": blank}}
    assert PRESENCE.states(attribute, {"gen_ai.request.model": 1}, is_marked=False) == (0, {})
    assert not is_there("gen_ai.request.model", attribute["gen_ai.request.model"])
    assert PRESENCE.plain_state(blank) is None
