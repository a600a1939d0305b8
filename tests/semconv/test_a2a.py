"""A2A: spans made by hand from the source of a2a-sdk 1.1.0. There is no recording of it."""

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import translate


def test_a_method_of_the_sdk_is_no_operation_and_keeps_its_name(translator):
    item = made("a2a-python-sdk", "a2a.client.transports.jsonrpc.JsonRpcTransport.send_message", {}, kind=3)
    found = translate(translator, item)
    assert found.profiles == ("a2a",)
    assert not found.changed
    assert not found.loss


def test_a_context_is_a_conversation(translator):
    """The protocol: a contextId groups the tasks and messages of one conversation."""
    for key in ("a2a.context.id", "a2a.context_id"):
        found = translate(translator, made("app", "POST /a2a", {key: "c-1", "a2a.task.id": "t-1"}, kind=2))
        assert new(found) == {"gen_ai.conversation.id": "c-1"}
        assert lost(found) == {"a2a.task.id": "no_concept"}


def test_what_is_said_of_another_agent_is_not_said_of_this_one(translator):
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a", "gen_ai.agent.peer.name": "b"}
    found = translate(translator, made("app", "invoke_agent a", attributes))
    assert not found.changed
    assert lost(found) == {"gen_ai.agent.peer.name": "no_concept"}
    assert not found.unknown
