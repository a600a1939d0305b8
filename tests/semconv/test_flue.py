"""Flue: spans made by hand from the source of @flue/opentelemetry 2.0.3 and of its 1.0 betas. There is no recording."""

import json

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import translate

SCOPE = "@flue/opentelemetry"


def test_a_turn_of_2_0_is_current_but_for_its_own_identifiers(translator):
    attributes = {
        "flue.instance.id": "i-1",
        "flue.agent.name": "triage",
        "flue.turn.id": "t-1",
        "flue.turn.purpose": "agent",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.request.stream": True,
        "gen_ai.agent.name": "triage",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 10,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "flue.usage.total_tokens": 15,
    }
    found = translate(translator, made(SCOPE, "chat gpt-5", attributes, kind=3))
    assert new(found) == {"gen_ai.usage.cache_write.input_tokens": 0}
    assert set(found.removed) == {
        "flue.agent.name",
        "flue.usage.total_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
    }
    assert lost(found) == {
        "flue.instance.id": "internal_id",
        "flue.turn.id": "internal_id",
        "flue.turn.purpose": "no_concept",
    }
    assert not found.unknown


def test_what_a_tool_gives_that_is_no_object_has_a_key_of_its_own(translator):
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look",
        "gen_ai.tool.call.arguments": '{"x":1}',
        "flue.tool.call.result": "a cat",
        "flue.tool.origin": "model",
    }
    found = translate(translator, made(SCOPE, "execute_tool look", attributes))
    assert new(found) == {"gen_ai.tool.call.result": "a cat"}
    assert lost(found) == {"flue.tool.origin": "no_concept"}


def test_spans_of_the_betas_say_what_they_are_by_their_keys(translator):
    tool = {"flue.tool.name": "look", "flue.tool.call_id": "c-1", "flue.tool.arguments": '{"x":1}', "flue.run.id": "r"}
    found = translate(translator, made(SCOPE, "flue.tool look", tool))
    assert found.name == "execute_tool look"
    assert new(found) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look",
        "gen_ai.tool.call.id": "c-1",
        "gen_ai.tool.call.arguments": {"x": 1},
    }
    assert lost(found) == {"flue.run.id": "internal_id"}

    found = translate(translator, made(SCOPE, "flue.workflow triage", {"flue.workflow.name": "triage"}))
    assert found.name == "invoke_workflow triage"
    found = translate(
        translator, made(SCOPE, "flue.task helper", {"flue.task.agent": "helper", "flue.task.prompt": "Go."})
    )
    assert found.name == "invoke_agent helper"
    assert new(found)["gen_ai.input.messages"] == [{"role": "user", "parts": [{"type": "text", "content": "Go."}]}]


def test_messages_of_a_turn_of_the_betas(translator):
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude",
        "flue.turn.input": json.dumps(
            {
                "systemPrompt": "Be brief.",
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                    {
                        "role": "assistant",
                        "content": [{"type": "toolCall", "id": "c-1", "name": "look", "arguments": {"x": 1}}],
                    },
                    {
                        "role": "toolResult",
                        "toolCallId": "c-1",
                        "toolName": "look",
                        "content": [{"type": "text", "text": "a cat"}],
                        "isError": False,
                    },
                ],
                "tools": [{"name": "look", "description": "Look.", "parameters": {"type": "object"}}],
            }
        ),
        "flue.turn.output": json.dumps({"role": "assistant", "content": [{"type": "text", "text": "Ho"}]}),
    }
    found = translate(translator, made(SCOPE, "chat claude", attributes, kind=3))
    assert new(found) == {
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "c-1", "name": "look", "arguments": {"x": 1}}],
            },
            {
                "role": "tool",
                "parts": [{"type": "tool_call_response", "id": "c-1", "response": "a cat"}],
                "toolName": "look",
                "isError": False,
            },
        ],
        "gen_ai.tool.definitions": [
            {"type": "function", "name": "look", "description": "Look.", "parameters": {"type": "object"}}
        ],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
    }
    assert lost(found) == {}
