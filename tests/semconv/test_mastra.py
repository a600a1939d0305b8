"""Mastra: spans by hand from the source of its exporter before 1.0, and as 1.4.0 was seen to send them. There is no recording of it."""

import json

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import translate

CLIENT, SERVER = 3, 2
BEFORE = {
    "span.kind": "client",
    "mastra.trace_id": "0af7",
    "mastra.span_id": "b7ad",
    "mastra.start_time": "2025-11-01T10:00:00.000Z",
    "mastra.duration_ms": 12,
}
BEFORE_LOST = {
    "span.kind": "derivable",
    "mastra.trace_id": "internal_id",
    "mastra.span_id": "internal_id",
    "mastra.start_time": "derivable",
    "mastra.duration_ms": "derivable",
}


def test_a_model_call_before_1_0_has_its_content_twice(translator):
    given = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})
    attributes = {
        **BEFORE,
        "gen_ai.operation.name": "chat",
        "mastra.span.type": "llm_generation",
        "input": given,
        "gen_ai.prompt": given,
        "output": '{"text":"Ho"}',
        "gen_ai.completion": '{"text":"Ho"}',
        "gen_ai.request.model": "gpt-5",
        "gen_ai.system": "openai.responses",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.total_tokens": 5,
        "gen_ai.usage.cached_input_tokens": 1,
        "gen_ai.usage.reasoning_tokens": 1,
        "gen_ai.request.stop_sequences": '["x"]',
        "gen_ai.response.finish_reasons": "stop",
        "threadId": "t-1",
    }
    found = translate(translator, made("@mastra/otel", "chat gpt-5", attributes, kind=CLIENT))
    assert new(found) == {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}],
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.cache_read.input_tokens": 1,
        "gen_ai.usage.reasoning.output_tokens": 1,
        "gen_ai.request.stop_sequences": ["x"],
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.conversation.id": "t-1",
    }
    assert set(found.removed) >= {"input", "output", "mastra.span.type", "gen_ai.usage.total_tokens"}
    assert lost(found) == BEFORE_LOST


def test_names_and_operations_before_1_0(translator):
    tool = {
        **BEFORE,
        "gen_ai.operation.name": "tool.execute",
        "mastra.span.type": "tool_call",
        "gen_ai.tool.name": "look",
        "input": '{"x":1}',
        "gen_ai.tool.input": '{"x":1}',
        "gen_ai.tool.output": '"a cat"',
        "gen_ai.tool.success": True,
    }
    found = translate(translator, made("@mastra/otel", "tool.execute look", tool))
    assert found.name == "execute_tool look"
    assert found.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.arguments": '{"x":1}',
        "gen_ai.tool.call.result": '"a cat"',
    }
    assert lost(found) == {**BEFORE_LOST, "gen_ai.tool.success": "no_concept"}

    agent = {**BEFORE, "gen_ai.operation.name": "agent.run", "mastra.span.type": "agent_run", "agent.id": "weather"}
    agent |= {"agent.max_steps": 5, "agent.available_tools": '["look"]', "input": "Hi", "output": '{"text":"Ho"}'}
    found = translate(translator, made("@mastra/otel", "agent.weather", agent, kind=SERVER))
    assert (found.name, found.kind) == ("invoke_agent", None)
    assert new(found)["gen_ai.agent.id"] == "weather"
    assert new(found)["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": "Ho"}]

    flow = {"gen_ai.operation.name": "workflow.run", "mastra.span.type": "workflow_run", "workflow.id": "plan"}
    found = translate(translator, made("@mastra/otel", "workflow.plan", {**flow, "input": '{"days":3}'}, kind=SERVER))
    assert (found.name, found.kind) == ("invoke_workflow plan", 1)
    assert lost(found) == {"@kind": "kind_changed", "input": "unstructured"}


def test_since_1_0_the_keys_are_the_conventions_own(translator):
    attributes = {
        "gen_ai.operation.name": "chat",
        "mastra.span.type": "model_generation",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]),
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": 2,
        "gen_ai.usage.audio_input_tokens": 1,
        "gen_ai.response.finish_reasons": '["stop"]',
        "mastra.completion_start_time": "2026-08-01T10:00:00.000Z",
        "mastra.metadata.runId": "r-1",
    }
    found = translate(translator, made("@mastra/otel-exporter", "chat gpt-5", attributes, kind=CLIENT))
    assert new(found) == {
        "gen_ai.usage.cache_write.input_tokens": 2,
        "gen_ai.usage.audio.input_tokens": 1,
        "gen_ai.response.finish_reasons": ["stop"],
    }
    assert lost(found) == {"mastra.completion_start_time": "no_concept", "mastra.metadata.runId": "user_defined"}
    assert not found.unknown


def test_a_workflow_names_itself_in_the_span_s_name_alone(translator):
    attributes = {
        "gen_ai.operation.name": "invoke_workflow",
        "mastra.span.type": "workflow_run",
        "mastra.workflow_run.input": '{"days":3}',
        "mastra.workflow_run.status": "success",
    }
    found = translate(translator, made("@mastra/otel-exporter", "invoke_workflow plan", attributes))
    assert new(found) == {"gen_ai.workflow.name": "plan"}
    assert lost(found) == {"mastra.workflow_run.input": "unstructured", "mastra.workflow_run.status": "no_concept"}


def test_a_step_keeps_the_operation_it_claims(translator):
    attributes = {"gen_ai.operation.name": "workflow_step", "mastra.span.type": "workflow_step"}
    found = translate(translator, made("@mastra/otel-exporter", "workflow_step a", attributes))
    assert not found.changed
    assert lost(found) == {"mastra.span.type": "enum_no_equivalent"}


def test_the_generation_and_its_steps_say_what_went_into_the_model(translator):
    step = {
        "gen_ai.operation.name": "agent_step",
        "mastra.span.type": "model_step",
        "mastra.model_step.input": json.dumps(
            [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
        ),
        "mastra.model_step.output": json.dumps(
            {"text": "", "toolCalls": [{"toolCallId": "c1", "toolName": "look", "args": {"x": 1}}]}
        ),
    }
    said = new(translate(translator, made("@mastra/otel-exporter", "agent_step Guide", step)))
    assert [message["role"] for message in said["gen_ai.input.messages"]] == ["system", "user"]
    call = {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"x": 1}}
    assert said["gen_ai.output.messages"] == [{"role": "assistant", "parts": [call]}]

    generation = {
        "gen_ai.operation.name": "model_generation",
        "mastra.span.type": "model_generation",
        "mastra.model_generation.input": json.dumps(
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}
        ),
        "mastra.model_generation.output": json.dumps({"files": [], "reasoning": [], "text": "Ho", "warnings": []}),
    }
    found = translate(translator, made("@mastra/otel-exporter", "model_generation gpt-5", generation))
    assert new(found) == {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}],
    }
    assert lost(found) == {
        "mastra.model_generation.output#/files": "partial_no_concept",
        "mastra.model_generation.output#/reasoning": "partial_no_concept",
        "mastra.model_generation.output#/warnings": "partial_no_concept",
        "mastra.span.type": "info_folded",
    }
