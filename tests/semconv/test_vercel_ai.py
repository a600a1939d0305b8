"""The Vercel AI SDK's two emitters: what recorded spans of each become, and why."""

import pytest

from semconv.value import document
from semconv.view import SpanView
from tests.semconv.golden import lost
from tests.semconv.recorded import recorded, span

FIVE, SEVEN = "vercel-ai-sdk@5.*", "vercel-ai-sdk@7.*"
CLIENT = 3


def test_a_call_says_once_what_the_emitter_says_in_two_vocabularies(translated):
    """The inner span is the inference; its JSON attributes become messages, its doubles of gen_ai keys go."""
    found = translated(span(FIVE, "agent_class", "ai.generateText.doGenerate"))
    assert (found.name, found.kind) == ("chat gpt-4o-mini", CLIENT)
    tools = document(found.attributes.pop("gen_ai.tool.definitions"))
    assert found.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",  # openai.chat is the provider and its API
        "gen_ai.conversation.id": "s-1",
        "user.id": "u-1",
        "gen_ai.input.messages": '[{"role":"system","parts":[{"type":"text","content":"You are a helpful assistant. Be brief."}]},'
        '{"role":"user","parts":[{"type":"text","content":"What is the weather and time in Paris, and what is 17 + 25?"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":['
        '{"type":"tool_call","id":"call_544c636b4aa04279b392","name":"get_weather","arguments":{"city":"Paris"}},'
        '{"type":"tool_call","id":"call_d2b18cc82f22463e815d","name":"add","arguments":{"a":17,"b":25}}],'
        '"finish_reason":"tool_call"}]',
    }
    assert [tool["name"] for tool in tools] == ["get_weather", "add", "get_time"]
    assert tools[0]["parameters"]["required"] == ["city"]  # the source calls it inputSchema
    assert {"ai.usage.promptTokens", "ai.response.id", "operation.name", "resource.name", "gen_ai.system"} <= {
        *found.removed
    }
    assert lost(found) == {
        "ai.prompt.toolChoice": "no_concept",
        "ai.request.headers.user-agent": "no_concept",
        "ai.response.providerMetadata#/openai": "partial_no_concept",
        "ai.response.timestamp": "no_concept",
        "ai.settings.maxRetries": "no_concept",
        "ai.telemetry.functionId": "no_concept",  # names the loop, not this call
        "ai.telemetry.metadata.tags": "user_defined",
    }


def test_an_outer_span_is_the_agent_and_its_tokens_do_not_count_again(translated):
    found = translated(span(FIVE, "agent_class", "ai.generateText"))
    assert (found.name, found.kind) == ("invoke_agent agent-class-fn", None)
    assert found.attributes["gen_ai.agent.name"] == "agent-class-fn"
    assert document(found.attributes["gen_ai.system_instructions"]) == [
        {"type": "text", "content": "You are a helpful assistant. Be brief."}
    ]
    assert found.attributes["gen_ai.output.messages"] == (
        '[{"role":"assistant","parts":[{"type":"text","content":"It is 18C and sunny in Paris, and 17 + 25 = 42."}],'
        '"finish_reason":"stop"}]'
    )
    assert "gen_ai.usage.input_tokens" not in found.attributes
    assert lost(found)["ai.usage.promptTokens"] == lost(found)["ai.usage.completionTokens"] == "aggregate"


def test_a_tool_call_is_a_tool_span_with_arguments_and_result(translated):
    found = translated(span(FIVE, "agent_class", "ai.toolCall"))
    assert (found.name, found.kind) == ("execute_tool get_weather", None)
    assert found.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.id": "call_544c636b4aa04279b392",
        "gen_ai.tool.call.arguments": '{"city":"Paris"}',
        "gen_ai.tool.call.result": '{"city":"Paris","temp_c":18}',
        "gen_ai.conversation.id": "s-1",
        "user.id": "u-1",
    }


def test_an_embedding_gives_its_dimensions_and_loses_its_vector(translated):
    """Of the two spans of one embedding the inner one is the call; counting both would count twice."""
    inner = translated(span(FIVE, "embed", "ai.embed.doEmbed"))
    assert (inner.name, inner.kind) == ("embeddings text-embedding-3-small", CLIENT)
    assert inner.attributes["gen_ai.embeddings.dimension.count"] == 8
    assert inner.attributes["gen_ai.usage.input_tokens"] == 5
    assert lost(inner)["ai.embeddings"] == lost(inner)["ai.values"] == "no_concept"
    outer = translated(span(FIVE, "embed", "ai.embed"))
    assert "gen_ai.operation.name" not in outer.attributes
    assert lost(outer)["ai.operationId"] == "enum_no_equivalent"
    assert lost(outer)["ai.usage.tokens"] == "aggregate"


def test_milliseconds_become_seconds_and_one_number_under_many_keys_one(translated):
    found = translated(span(SEVEN, "streamText.legacy", "ai.streamText.doStream"))
    assert found.attributes["gen_ai.response.time_to_first_chunk"] == pytest.approx(0.0628, abs=1e-4)
    assert found.attributes["gen_ai.usage.cache_read.input_tokens"] == 7
    assert found.attributes["gen_ai.usage.reasoning.output_tokens"] == 0
    assert not any(loss.path.startswith("ai.usage.") for loss in found.loss)


def test_a_text_beside_tool_calls_is_in_the_same_message(translator):
    """Three keys are one message; the text's own key stays, as what else was said there cannot be known to be nothing."""
    spoken = {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.response.text": "I will look.",
        "ai.response.reasoning": "They ask for the weather.",
        "ai.response.toolCalls": '[{"toolCallId":"c1","toolName":"get_weather","input":{"city":"Paris"}}]',
        "ai.response.finishReason": "tool-calls",
    }
    found = translator.span(SpanView(scope_name="ai", name="ai.generateText.doGenerate", attributes=spoken))
    assert document(found.attributes["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "They ask for the weather."},
                {"type": "text", "content": "I will look."},
                {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Paris"}},
            ],
            "finish_reason": "tool_call",
        }
    ]
    assert lost(found) == {"ai.response.text": "superseded", "ai.response.reasoning": "superseded"}


def test_a_failed_call_names_its_error(translated):
    found = translated(span(FIVE, "err500_stream", "ai.streamText.doStream"))
    assert found.attributes["error.type"] == "AI_APICallError"
    assert ("error.type", "exception.type") in found.synthesized


def test_the_newer_emitter_is_left_as_it_is(translated):
    """Its keys are the conventions' own; points of its metrics stand on its spans as well."""
    found = translated(span(SEVEN, "agent_class", "chat gpt-4o-mini"))
    assert not found.changed
    assert lost(found) == {"gen_ai.client.operation.duration": "derivable"}


def test_the_newer_emitter_has_the_time_to_first_chunk_under_the_metric_s_name(translated):
    item = next(
        item
        for item in recorded("traces", SEVEN)
        if any(pair["key"] == "gen_ai.client.operation.time_to_first_chunk" for pair in item.item.get("attributes", []))
    )
    found = translated(item)
    assert 0 < found.attributes["gen_ai.response.time_to_first_chunk"] < 1
    assert "gen_ai.client.operation.time_to_first_chunk" in found.removed


def test_the_newer_emitter_names_an_agent_by_its_model_and_the_target_by_its_name(translated):
    found = translated(span(SEVEN, "agent_class", "invoke_agent gpt-4o-mini"))
    assert found.name == "invoke_agent agent-class-fn"
    assert "@name" not in lost(found)  # the model it named is in gen_ai.request.model
