"""The words of a table, one at a time: a small profile, an item, and what becomes of it."""

import json
from functools import cache

from semconv.translate import Translator
from semconv.view import EventView, MetricView, SpanView

HEAD = b"""
id: mine
version: "1"
detect: {threshold: 1, keys: {mine.*: 1}}
namespaces: [mine.]
"""


@cache
def translator(table: bytes) -> Translator:
    return Translator.load(user_profiles={"mine.yaml": table})


def translated(rows: bytes, attributes, events=(), head=HEAD):
    view = SpanView(name="s", attributes={"mine.mark": "x", **attributes}, events=list(events))
    found = Translator.load(
        user_profiles={"mine.yaml": head + b"rows:\n  - {key: mine.mark, derived: true}\n" + rows}
    ).span(view)
    assert found.tally.balanced, found.tally
    return found


def event(name, **attributes):
    return EventView(
        name=name, attributes={key.replace("__", "."): value for key, value in attributes.items()}, time_unix_nano=0
    )


def reasons(found):
    return {loss.path: loss.reason for loss in found.loss}


# ---------------------------------------------------------------- also


def test_one_value_may_say_several_things():
    rows = b"  - {key: mine.agent, to: gen_ai.agent.name, also: {to: gen_ai.agent.id, op: {affix: {prefix: id-}}}}\n"
    found = translated(rows, {"mine.agent": "a"})
    assert found.attributes == {"gen_ai.agent.name": "a", "gen_ai.agent.id": "id-a"}
    assert found.removed == ("mine.agent", "mine.mark")
    assert not found.loss


def test_a_further_claim_gives_way_to_what_stands():
    rows = b"  - {key: mine.agent, to: gen_ai.agent.name, also: {to: gen_ai.agent.id}}\n"
    found = translated(rows, {"mine.agent": "a", "gen_ai.agent.id": "b"})
    assert found.attributes == {"gen_ai.agent.name": "a"}
    assert not found.conflicts


def test_a_further_claim_is_heard_although_the_value_itself_is_lost():
    rows = b"  - {key: mine.all, lost: partial, also: {to: gen_ai.input.messages, role: user}}\n"
    found = translated(rows, {"mine.all": "Hello"})
    assert json.loads(found.attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Hello"}]}
    ]
    assert reasons(found) == {"mine.all": "partial"}


def test_a_further_claim_whose_operation_does_not_apply_says_nothing():
    rows = b"  - {key: mine.agent, to: gen_ai.agent.name, also: {to: gen_ai.agent.id, op: {trim: {prefix: id-}}}}\n"
    assert translated(rows, {"mine.agent": "a"}).attributes == {"gen_ai.agent.name": "a"}


# ---------------------------------------------------------------- conditions


def test_a_condition_may_ask_for_a_truth_value():
    rows = (
        b'  - {key: mine.a, to: gen_ai.agent.name, when: {value: {mine.on: ["true"]}}}\n'
        b"  - {key: [mine.a, mine.on], lost: no_concept}\n"
    )
    assert translated(rows, {"mine.a": "a", "mine.on": True}).attributes == {"gen_ai.agent.name": "a"}
    assert translated(rows, {"mine.a": "a", "mine.on": False}).attributes == {}
    assert translated(rows, {"mine.a": "a", "mine.on": 1}).attributes == {}


def test_a_condition_may_ask_for_the_empty_text():
    rows = (
        b'  - {key: mine.a, derived: true, when: {value: {mine.a: [""]}}}\n  - {key: mine.a, to: gen_ai.agent.name}\n'
    )
    assert translated(rows, {"mine.a": ""}).attributes == {}
    assert translated(rows, {"mine.a": "a"}).attributes == {"gen_ai.agent.name": "a"}


# ---------------------------------------------------------------- nothing, sentinels, bare keys


def test_a_key_that_holds_nothing_keeps_nothing_out():
    rows = b"  - {key: mine.a, to: gen_ai.agent.name}\n"
    found = translated(rows, {"mine.a": "a", "gen_ai.agent.name": None, "gen_ai.usage.input_tokens": None})
    assert found.attributes == {"gen_ai.agent.name": "a"}
    assert not found.loss
    assert not found.notes


def test_a_sentinel_is_seen_where_the_key_is_only_renamed():
    rows = (
        b"  - {key: mine.a, to: gen_ai.agent.name}\n  - {key: 'mine.t.*', to: 'gen_ai.prompt.variable.*'}\n"
        b"sentinels: {GONE: redacted_at_source}\n"
    )
    found = translated(rows, {"mine.a": "GONE", "mine.t.x": "GONE"})
    assert found.attributes == {}
    assert found.source_side == (("redacted_at_source", 2),)
    kept = translated(rows, {"mine.a": "a", "mine.t.x": "y"})
    assert kept.attributes == {"gen_ai.agent.name": "a", "gen_ai.prompt.variable.x": "y"}


def test_keys_without_a_namespace_may_belong_to_a_convention():
    found = translated(b"bare_keys: true\n", {"attempt": 1, "http.method": "GET"})
    assert found.unknown == ("attempt",)
    assert reasons(found) == {"attempt": "no_concept"}
    assert translated(b"", {"attempt": 1}).unknown == ()


# ---------------------------------------------------------------- span events


def test_an_event_may_hold_attributes_of_the_span_under_other_names():
    rows = (
        b"events:\n  - {event: mine.call, attributes: {in: {to: gen_ai.tool.call.arguments}, n: {lost: no_concept}}}\n"
    )
    found = translated(rows, {}, [event("mine.call", **{"in": '{"a":1}'})])
    assert found.attributes == {"gen_ai.tool.call.arguments": '{"a":1}'}
    assert found.events_removed == (0,)
    stays = translated(rows, {}, [event("mine.call", n=1)])
    assert stays.events_removed == ()
    assert reasons(stays) == {"@events/mine.call/n": "no_concept"}


def test_an_attribute_of_an_event_that_holds_nothing_says_nothing():
    rows = b"events:\n  - {event: mine.call, attributes: {in: {to: gen_ai.tool.call.arguments}, out: {to: gen_ai.tool.call.result}}}\n"
    found = translated(rows, {}, [event("mine.call", **{"in": None, "out": "18 C"})])
    assert found.attributes == {"gen_ai.tool.call.result": "18 C"}
    assert found.events_removed == (0,)


def test_a_member_that_holds_nothing_is_no_value():
    rows = b"  - {key: mine.a, split: {args: {to: gen_ai.tool.call.arguments}}}\n"
    assert translated(rows, {"mine.a": '{"args":null}'}).attributes == {}


def test_the_first_row_whose_body_an_event_has_is_taken():
    rows = (
        b"events:\n  - {event: mine.said, to: gen_ai.input.messages, role: user, body: text}\n"
        b"  - {event: mine.said, lost: unstructured}\n"
    )
    found = translated(rows, {}, [event("mine.said", text="Hi"), event("mine.said", other="Hi")])
    assert found.events_removed == (0,)
    assert reasons(found) == {"@events/mine.said": "unstructured"}


def test_a_row_for_events_may_ask_for_a_condition_and_beats_the_older_conventions():
    rows = b"events:\n  - {event: gen_ai.choice, when: {operation: execute_tool}, attributes: {message: {to: gen_ai.tool.call.result}}}\n"
    tool = translated(rows, {"gen_ai.operation.name": "execute_tool"}, [event("gen_ai.choice", message="18 C")])
    assert tool.attributes == {"gen_ai.tool.call.result": "18 C"}
    chat = translated(rows, {"gen_ai.operation.name": "chat"}, [event("gen_ai.choice", message="18 C")])
    assert list(chat.attributes) == ["gen_ai.output.messages"]


def test_the_same_list_given_twice_is_said_once():
    said = '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]'
    more = '[{"role":"user","parts":[{"type":"text","content":"Bye"}]}]'
    name = "gen_ai.client.inference.operation.details"
    events = [event(name, gen_ai__input__messages=text) for text in (said, said, more)]
    found = translated(b"", {"gen_ai.operation.name": "chat"}, events)
    texts = [message["parts"][0]["content"] for message in json.loads(found.attributes["gen_ai.input.messages"])]
    assert texts == ["Hi", "Bye"]
    assert found.events_removed == (0, 1, 2)


def test_an_event_of_the_convention_that_no_row_knows_is_unknown_and_stays():
    found = translated(b"", {}, [event("mine.new", a=1), event("theirs.new", a=1)])
    assert found.unknown == ("@events/mine.new",)
    assert reasons(found) == {"@events/mine.new": "no_concept"}
    assert found.events_removed == ()


def test_names_of_events_may_be_beginnings():
    found = translated(b"events:\n  - {event: mine.chunk.*, lost: no_concept}\n", {}, [event("mine.chunk.7", a=1)])
    assert found.unknown == ()
    assert reasons(found) == {"@events/mine.chunk.7": "no_concept"}


# ---------------------------------------------------------------- operations that look around


def test_a_number_may_be_put_together_from_the_members_beside_it():
    rows = (
        b"  - {key: mine.u, rest: {lost: partial},\n"
        b'     split: {in: {to: gen_ai.usage.input_tokens, op: {plus: [.cached, ".more_*", mine.x]}}}}\n'
    )
    found = translated(rows, {"mine.u": '{"in":1,"cached":2,"more_a":4,"more_b":8}', "mine.x": 16})
    assert found.attributes == {"gen_ai.usage.input_tokens": 31}


def test_a_member_of_a_value_may_be_what_is_claimed():
    rows = b"  - {key: mine.a, to: gen_ai.agent.name, op: {member: agent.name}}\n  - {key: mine.a, lost: partial}\n"
    assert translated(rows, {"mine.a": '{"agent":{"name":"a"}}'}).attributes == {"gen_ai.agent.name": "a"}
    assert reasons(translated(rows, {"mine.a": '{"agent":{"name":null}}'})) == {"mine.a": "partial"}
    assert reasons(translated(rows, {"mine.a": "a"})) == {"mine.a": "partial"}


def test_the_name_of_a_metric_is_no_event():
    table = HEAD.replace(b"keys: {mine.*: 1}", b"metrics: {mine.*: 1}")
    found = translator(table).metric(MetricView(name="mine.count", points=[{}]))
    assert found.unknown == ("@metrics/mine.count",)
    assert reasons(found) == {"@metrics/mine.count": "no_concept"}


# ---------------------------------------------------------------- names, and what must not stay


def test_a_name_may_say_what_a_span_is():
    rows = (
        b"names:\n  - {pattern: 'Tool.call', says: {gen_ai.operation.name: execute_tool, gen_ai.tool.type: function}}\n"
    )
    table = HEAD + b"rows:\n  - {key: mine.mark, derived: true}\n" + rows
    found = translator(table).span(SpanView(name="Tool.call", attributes={"mine.mark": "x"}))
    assert found.attributes == {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.type": "function"}
    assert found.synthesized == (("gen_ai.operation.name", "name"), ("gen_ai.tool.type", "name"))
    assert found.name == "execute_tool"
    other = translator(table).span(SpanView(name="Tool.calls", attributes={"mine.mark": "x"}))
    assert other.attributes == {}


def test_what_a_name_says_gives_way_to_what_an_attribute_says():
    rows = b"names:\n  - {pattern: s, says: {gen_ai.operation.name: execute_tool}}\n"
    found = translated(rows, {"gen_ai.operation.name": "chat"})
    assert "gen_ai.operation.name" not in found.attributes


def test_what_a_row_refuses_of_the_target_s_own_key_does_not_stay():
    rows = (
        b"  - {key: gen_ai.provider.name, to: gen_ai.provider.name, evict: true, op: {refuse: {enum: none, reason: absent_at_source}}}\n"
        b"enums:\n  none: {NOBODY: nothing}\n"
    )
    refused = translated(rows, {"gen_ai.provider.name": "NOBODY"})
    assert refused.removed == ("gen_ai.provider.name", "mine.mark")
    assert reasons(refused) == {"gen_ai.provider.name": "absent_at_source"}
    assert translated(rows, {"gen_ai.provider.name": "openai"}).attributes == {}


# ---------------------------------------------------------------- conversations

TALK = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "c", "content": "18 C"},
    {"role": "assistant", "content": "18 C."},
]


def contents(found, key):
    return [message["role"] for message in json.loads(found.attributes[key])]


def test_of_a_whole_conversation_the_answer_is_its_end_and_the_rest_is_not_passed_off_as_one():
    rows = b"  - {key: mine.out, to: gen_ai.output.messages, take: answer}\n"
    found = translated(rows, {"mine.out": json.dumps(TALK)})
    assert json.loads(found.attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "18 C."}]}
    ]
    assert reasons(found) == {"mine.out#/history": "superseded"}
    assert "mine.out" not in found.removed


def test_answer_and_history_of_one_conversation_may_both_find_their_place():
    rows = b"  - {key: mine.all, to: gen_ai.output.messages, take: answer, also: {to: gen_ai.input.messages, take: history}}\n"
    found = translated(rows, {"mine.all": json.dumps(TALK)})
    assert contents(found, "gen_ai.output.messages") == ["assistant"]
    assert contents(found, "gen_ai.input.messages") == ["user", "assistant", "tool"]
    assert not found.loss
    assert "mine.all" in found.removed


def test_a_conversation_without_an_answer_has_none():
    rows = b"  - {key: mine.out, to: gen_ai.output.messages, take: answer}\n"
    found = translated(rows, {"mine.out": json.dumps(TALK[:1])})
    assert "gen_ai.output.messages" not in found.attributes
    assert reasons(found) == {"mine.out": "unstructured"}


def test_why_an_answer_ended_is_not_why_the_turns_before_it_did():
    rows = b"  - {key: mine.out, to: gen_ai.output.messages, take: answer}\n"
    talk = [{**TALK[0]}, {**TALK[1], "finish_reason": "tool_calls"}, TALK[2], {**TALK[3], "finish_reason": "stop"}]
    found = translated(rows, {"mine.out": json.dumps(talk)})
    assert found.attributes["gen_ai.response.finish_reasons"] == ["stop"]
