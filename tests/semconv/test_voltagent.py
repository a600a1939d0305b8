"""VoltAgent: spans made by hand from the source of @voltagent/core 2.9.0. There is no recording of it."""

import json

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import translate

SCOPE = "@voltagent/core"
ENTITY = {"entity.id": "a-1", "entity.type": "agent", "entity.name": "weather", "operation.id": "o-1"}


def test_the_span_of_an_agent(translator):
    attributes = {
        **ENTITY,
        "conversation.id": "c-1",
        "user.id": "u-1",
        "input": "Hi",
        "output": "Ho",
        "agent.messages": json.dumps([{"role": "user", "content": "Hi"}]),
        "agent.messages.ui": "[]",
        "agent.instructions": "Be brief.",
        "agent.state": "completed",
        "ai.model.name": "openai/gpt-5",
        "ai.model.temperature": 0.5,
        "ai.model.max_steps": 5,
        "ai.response.finish_reason": "stop",
        "usage.prompt_tokens": 3,
        "usage.total_tokens": 5,
    }
    found = translate(translator, made(SCOPE, "generateText", attributes))
    assert found.name == "invoke_agent weather"
    assert new(found) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.id": "a-1",
        "gen_ai.agent.name": "weather",
        "gen_ai.conversation.id": "c-1",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.request.model": "openai/gpt-5",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.finish_reasons": ["stop"],
    }
    assert lost(found) == {
        "@name": "name_changed",
        "agent.messages.ui": "superseded",
        "agent.state": "no_concept",
        "ai.model.max_steps": "no_concept",
        "operation.id": "internal_id",
        "usage.prompt_tokens": "aggregate",
        "usage.total_tokens": "aggregate",
    }
    assert not found.unknown


def test_a_call_of_a_model(translator):
    attributes = {
        **ENTITY,
        "span.type": "llm",
        "span.label": "gpt-5",
        "llm.operation": "generateText",
        "llm.model": "openai/gpt-5",
        "llm.provider": "openai",
        "llm.stream": False,
        "llm.messages.count": 1,
        "llm.messages": json.dumps([{"role": "user", "content": "Hi"}]),
        "llm.tools": "look",
        "llm.usage.prompt_tokens": 3,
        "llm.usage.completion_tokens": 2,
        "llm.usage.total_tokens": 5,
        "llm.finish_reason": "stop",
    }
    found = translate(translator, made(SCOPE, "llm:generateText", attributes, kind=3))
    assert found.name == "chat openai/gpt-5"
    assert new(found) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "openai/gpt-5",
        "gen_ai.request.stream": False,
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.response.finish_reasons": ["stop"],
    }
    assert "llm.usage.total_tokens" in found.removed
    assert not found.unknown


def test_a_tool_and_a_retriever(translator):
    attributes = {
        **ENTITY,
        "span.type": "tool",
        "tool.name": "look",
        "tool.call.id": "c-1",
        "tool.description": "Look.",
        "tool.parameters": "{}",
        "input": '{"x":1}',
        "output": '"a cat"',
    }
    found = translate(translator, made(SCOPE, "tool.execution:look", attributes, kind=3))
    assert (found.name, found.kind) == ("execute_tool look", 1)
    assert found.attributes["gen_ai.tool.call.arguments"] == '{"x":1}'
    assert found.attributes["gen_ai.agent.name"] == "weather"
    assert lost(found) == {
        "@kind": "kind_changed",
        "entity.type": "info_folded",
        "operation.id": "internal_id",
        "tool.parameters": "no_concept",
    }

    attributes = {**ENTITY, "span.type": "retriever", "retriever.name": "docs", "input": "cats", "output": "A cat."}
    found = translate(translator, made(SCOPE, "retriever.search", attributes))
    assert found.name == "retrieval"
    assert new(found) == {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": "cats"}
    assert lost(found)["output"] == "unstructured"


def test_on_a_subagent_s_span_the_entity_is_the_agent_that_called_it(translator):
    attributes = {**ENTITY, "subagent.id": "a-2", "subagent.name": "helper", "subagent.type": "agent", "input": "Go."}
    attributes["voltagent.is_subagent"] = True
    found = translate(translator, made(SCOPE, "subagent:helper", attributes))
    assert found.name == "invoke_agent helper"
    assert found.attributes["gen_ai.agent.id"] == "a-2"
    assert lost(found)["entity.name"] == "no_concept"


def test_workflows_and_their_steps(translator):
    entity = {"entity.id": "w-1", "entity.type": "workflow", "entity.name": "plan", "workflow.execution.id": "x-1"}
    found = translate(translator, made(SCOPE, "workflow.run", {**entity, "input": '{"days":3}'}))
    assert found.name == "invoke_workflow plan"
    assert new(found) == {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "plan"}
    assert lost(found)["input"] == "unstructured"
    step = {**entity, "span.type": "workflow-step", "workflow.step.type": "func", "workflow.step.index": 0}
    found = translate(translator, made(SCOPE, "workflow.step.func", step))
    assert not found.changed
    assert lost(found)["span.type"] == "enum_no_equivalent"
    assert not found.unknown


def test_what_is_written_to_a_conversation_has_its_ids_twice(translator):
    attributes = {
        "user.id": "u1",
        "conversation.id": "cv",
        "entity.type": "agent",
        "span.type": "memory",
        "memory.operation": "write_steps",
        "conversationId": "cv",
        "userId": "u1",
    }
    found = translate(translator, made("@voltagent/core", "memory.steps.write", attributes))
    assert new(found) == {"gen_ai.conversation.id": "cv"}
    assert found.removed == ("conversation.id", "conversationId", "userId")
    assert lost(found) == {
        "entity.type": "info_folded",
        "memory.operation": "no_concept",
        "span.type": "enum_no_equivalent",
    }
