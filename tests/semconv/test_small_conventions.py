"""Conventions with few keys of their own: spans made by hand from the sources their tables name. There is no recording of any."""

import json

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import translate, with_events

HIDDEN = "HIDDEN:non-empty"
HI = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
HO = [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}]


# ------------------------------------------------------------------ AG2


def test_ag2_says_twice_what_a_span_is(translator):
    """As ag2 1.2.1 was seen to send it."""
    attributes = {
        "ag2.span.type": "llm",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.input.messages": '[{"content": "Hi", "role": "user"}]',
        "gen_ai.output.messages": json.dumps(
            [
                {
                    "content": None,
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "c-1", "type": "function", "function": {"arguments": '{"x": 1}', "name": "look"}}
                    ],
                }
            ]
        ),
        "gen_ai.usage.cache_read_input_tokens": 4,
        "gen_ai.usage.thinking_tokens": 2,
    }
    found = translate(translator, made("opentelemetry.instrumentation.ag2", "chat gpt-5", attributes, kind=3))
    assert new(found) == {
        "gen_ai.input.messages": HI,
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "c-1", "name": "look", "arguments": {"x": 1}}],
            }
        ],
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 2,
    }
    assert "ag2.span.type" in found.removed
    assert lost(found) == {}


def test_ag2_of_before_had_reasons_as_json_and_a_cost(translator):
    attributes = {"ag2.span.type": "llm", "gen_ai.operation.name": "chat", "gen_ai.usage.cost": 0.1}
    attributes["gen_ai.response.finish_reasons"] = '["stop"]'
    found = translate(translator, made("ag2", "chat", attributes, kind=3))
    assert new(found) == {"gen_ai.response.finish_reasons": ["stop"]}
    assert lost(found) == {"gen_ai.usage.cost": "no_concept"}


def test_ag2_s_own_operations_stay_its_own(translator):
    attributes = {
        "ag2.span.type": "speaker_selection",
        "gen_ai.operation.name": "speaker_selection",
        "ag2.speaker_selection.candidates": '["critic"]',
        "ag2.speaker_selection.selected": "critic",
    }
    found = translate(translator, made("ag2", "speaker_selection", attributes))
    assert not found.changed
    assert lost(found) == {
        "ag2.span.type": "enum_no_equivalent",
        "ag2.speaker_selection.candidates": "no_concept",
        "ag2.speaker_selection.selected": "no_concept",
    }


# ------------------------------------------------------------------ Koog


def test_koog_s_hidden_content_is_none(translator):
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look",
        "gen_ai.tool.call.arguments": HIDDEN,
        "gen_ai.tool.call.result": '{"seen":"a cat"}',
        "koog.event.id": "e-1",
    }
    found = translate(translator, made("koog-app", "execute_tool look", attributes))
    assert found.removed == ("gen_ai.tool.call.arguments",)
    assert lost(found) == {"gen_ai.tool.call.arguments": "redacted_at_source", "koog.event.id": "internal_id"}

    attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": HIDDEN, "koog.event.id": "e-1"}
    found = translate(translator, made("koog-app", "chat", attributes, kind=3))
    assert found.removed == ("gen_ai.input.messages",)


def test_koog_s_nodes_have_no_home(translator):
    attributes = {
        "koog.node.id": "ask",
        "koog.node.input": HIDDEN,
        "koog.node.output": "a cat",
        "koog.strategy.name": "s",
    }
    found = translate(translator, made("koog-app", "node ask", attributes))
    assert not found.changed
    assert found.source_side == (("redacted_at_source", 1),)
    assert lost(found) == {
        "koog.node.id": "no_concept",
        "koog.node.output": "unstructured",
        "koog.strategy.name": "no_concept",
    }


# ------------------------------------------------------------------ vLLM


def test_vllm_s_request_is_the_server_s(translator):
    attributes = {
        "gen_ai.request.id": "chatcmpl-1",
        "gen_ai.request.n": 2,
        "gen_ai.request.max_tokens": 10,
        "gen_ai.response.model": "qwen",
        "gen_ai.usage.num_sequences": 2,
        "gen_ai.usage.prompt_tokens": 3,
        "gen_ai.usage.completion_tokens": 2,
        "gen_ai.latency.time_in_queue": 0.001,
        "gen_ai.latency.e2e": 0.5,
    }
    found = translate(translator, made("vllm.llm_engine", "llm_request", attributes, kind=2))
    assert (found.name, found.kind) == (None, None)
    assert new(found) == {
        "gen_ai.request.choice.count": 2,
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
    }
    assert lost(found) == {
        "gen_ai.latency.e2e": "no_concept",
        "gen_ai.latency.time_in_queue": "no_concept",
        "gen_ai.request.id": "internal_id",
        "gen_ai.usage.num_sequences": "no_concept",
    }
    assert not found.unknown


# ------------------------------------------------------------------ Azure AI Foundry


def test_a_run_of_a_thread_is_an_invocation_of_its_agent(translator):
    attributes = {
        "az.namespace": "Microsoft.CognitiveServices",
        "gen_ai.system": "az.ai.agents",
        "gen_ai.operation.name": "process_thread_run",
        "gen_ai.thread.id": "thread_1",
        "gen_ai.agent.id": "asst_1",
        "gen_ai.message.id": "msg_1",
        "gen_ai.thread.run.status": "completed",
        "gen_ai.thread.run.id": "run_1",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 2220,
        "gen_ai.usage.output_tokens": 194,
    }
    span = with_events(
        made("azure.ai.agents", "process_thread_run", attributes, kind=3),
        ("gen_ai.tool.message", {"gen_ai.event.content": '{"content": "Sunny", "id": "call_1"}'}),
        (
            "gen_ai.assistant.message",
            {"gen_ai.system": "az.ai.agents", "gen_ai.event.content": '{"content": "Ho", "role": "assistant"}'},
        ),
    )
    found = translate(translator, span)
    assert found.name == "invoke_agent"
    said = new(found)
    assert said["gen_ai.operation.name"] == "invoke_agent"
    assert said["gen_ai.provider.name"] == "azure.ai.agents"
    assert said["gen_ai.conversation.id"] == "thread_1"
    assert said["azure.resource_provider.namespace"] == "Microsoft.CognitiveServices"
    assert said["gen_ai.output.messages"][0]["parts"] == HO[0]["parts"]
    assert said["gen_ai.input.messages"][0]["parts"][0]["response"] == "Sunny"
    assert lost(found) == {
        "gen_ai.message.id": "internal_id",
        "gen_ai.thread.run.id": "internal_id",
        "gen_ai.thread.run.status": "no_concept",
    }


def test_an_agent_is_made_with_its_instructions(translator):
    attributes = {"gen_ai.system": "az.ai.agents", "gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "a"}
    span = with_events(
        made("azure.ai.agents", "create_agent a", attributes, kind=3),
        ("gen_ai.system.message", {"gen_ai.event.content": '{"content": "Be brief."}'}),
    )
    found = translate(translator, span)
    assert new(found) == {
        "gen_ai.provider.name": "azure.ai.agents",
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
    }


def test_other_services_of_azure_are_none_of_its(translator):
    found = translate(
        translator, made("azure.storage", "BlobClient.upload", {"az.namespace": "Microsoft.Storage"}, kind=3)
    )
    assert found.profiles == ()


# ------------------------------------------------------------------ ARMS, Dify


def test_a_node_of_dify_that_calls_a_model(translator):
    attributes = {
        "gen_ai.framework": "dify",
        "gen_ai.span.kind": "LLM",
        "node.id": "n-1",
        "node.execution_id": "x-1",
        "node.type": "llm",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.total_tokens": 5,
        "gen_ai.prompt": json.dumps([{"role": "user", "text": "Hi", "files": []}]),
        "gen_ai.completion": "Ho",
        "gen_ai.response.finish_reason": "stop",
        "gen_ai.input.messages": json.dumps(HI),
        "gen_ai.output.messages": json.dumps([{**HO[0], "finish_reason": "stop"}]),
        "input.value": '{"query":"Hi"}',
    }
    found = translate(translator, made("dify", "LLM", attributes))
    assert "arms_genai" in found.profiles
    assert (found.name, found.kind) == ("chat gpt-5", 3)
    assert new(found) == {"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": ["stop"]}
    assert lost(found)["gen_ai.framework"] == "not_a_provider"
    assert lost(found)["node.type"] == "no_concept"
    assert not found.unknown


def test_a_retriever_and_a_tool_of_dify(translator):
    attributes = {"gen_ai.framework": "dify", "gen_ai.span.kind": "RETRIEVER", "retrieval.query": "cats"}
    attributes["gen_ai.session.id"] = "s-1"
    attributes["gen_ai.user.id"] = "u-1"
    found = translate(translator, made("dify", "KNOWLEDGE_RETRIEVAL", attributes))
    assert found.name == "retrieval"
    assert new(found) == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": "cats",
        "gen_ai.conversation.id": "s-1",
        "user.id": "u-1",
    }
    attributes = {"gen_ai.framework": "dify", "gen_ai.span.kind": "TOOL", "gen_ai.tool.name": "look"}
    attributes["input.value"] = '{"x":1}'
    found = translate(translator, made("dify", "TOOL", attributes))
    assert found.name == "execute_tool look"
    assert new(found)["gen_ai.tool.call.arguments"] == {"x": 1}


def test_nanoseconds_become_seconds(translator):
    attributes = {"gen_ai.span.kind": "LLM", "dify.app_id": "a", "gen_ai.user.time_to_first_token": 500_000_000}
    found = translate(translator, made("dify", "chat", attributes))
    assert found.attributes["gen_ai.response.time_to_first_chunk"] == 0.5


# ------------------------------------------------------------------ gateways


def test_truefoundry_s_numbers_are_the_model_s(translator):
    attributes = {
        "tfy.span_type": "Model",
        "tfy.request.model_name": "openai-main/gpt-5",
        "tfy.request.conversation_id": "c-1",
        "tfy.request.metadata": "{}",
        "tfy.input": json.dumps({"messages": [{"role": "user", "content": "Hi"}]}),
        "tfy.output": json.dumps({"choices": [{"message": {"role": "assistant", "content": "Ho"}}]}),
        "tfy.model.metric.input_tokens": 3,
        "tfy.model.metric.output_tokens": 2,
        "tfy.model.metric.cost_in_usd": 0.1,
    }
    found = translate(translator, made("tfy-llm-gateway", "Model", attributes))
    assert (found.name, found.kind) == ("chat openai-main/gpt-5", 3)
    assert new(found)["gen_ai.input.messages"] == HI
    assert new(found)["gen_ai.output.messages"][0]["parts"] == HO[0]["parts"]
    assert new(found)["gen_ai.usage.input_tokens"] == 3
    assert lost(found)["tfy.model.metric.cost_in_usd"] == "no_concept"
    assert lost(found)["tfy.request.metadata"] == "user_defined"
    found = translate(translator, made("tfy-llm-gateway", "ChatCompletion", {"tfy.span_type": "ChatCompletion"}))
    assert lost(found) == {"tfy.span_type": "enum_no_equivalent"}


def test_cloudflare_s_gateway_has_whole_requests(translator):
    attributes = {
        "gen_ai.request.model": "gpt-5",
        "gen_ai.model.provider": "openai",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.prompt_json": json.dumps([{"role": "user", "content": "Hi"}]),
        "gen_ai.completion_json": json.dumps({"choices": [{"message": {"role": "assistant", "content": "Ho"}}]}),
        "gen_ai.usage.cost": 0.1,
        "team": "a",
    }
    found = translate(translator, made("ai-gateway", "request", attributes))
    assert new(found)["gen_ai.provider.name"] == "openai"
    assert new(found)["gen_ai.input.messages"] == HI
    assert new(found)["gen_ai.output.messages"][0]["parts"] == HO[0]["parts"]
    assert lost(found) == {"gen_ai.usage.cost": "no_concept"}
    assert not found.unknown


def test_cloudflare_s_gateway_may_have_the_body_of_the_request(translator):
    attributes = {
        "gen_ai.request.model": "gpt-5",
        "gen_ai.model.provider": "openai",
        "gen_ai.prompt_json": json.dumps({"messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5}),
        "gen_ai.completion_json": json.dumps(
            {"id": "r-1", "choices": [{"message": {"role": "assistant", "content": "Ho"}}]}
        ),
    }
    found = translate(translator, made("ai-gateway", "request", attributes))
    assert new(found)["gen_ai.input.messages"] == HI
    assert new(found)["gen_ai.request.temperature"] == 0.5
    assert new(found)["gen_ai.response.id"] == "r-1"
    assert lost(found) == {}


# ------------------------------------------------------------------ LangWatch


def test_langwatch_s_envelopes_say_what_is_in_them(translator):
    attributes = {
        "langwatch.span.type": "llm",
        "langwatch.sdk.name": "langwatch-observability-sdk",
        "langwatch.thread.id": "t-1",
        "langwatch.input": json.dumps({"type": "chat_messages", "value": [{"role": "user", "content": "Hi"}]}),
        "langwatch.output": json.dumps({"type": "text", "value": "Ho"}),
        "langwatch.metrics": json.dumps(
            {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.1, "first_token_ms": 450}
        ),
        "langwatch.params": json.dumps({"temperature": 0.5, "tool_choice": "auto"}),
        "langwatch.timestamps": json.dumps({"started_at": 1}),
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.prompt_tokens": 3,
        "gen_ai.usage.completion_tokens": 2,
    }
    found = translate(translator, made("langwatch", "call", attributes))
    assert (found.name, found.kind) == ("chat gpt-5", 3)
    assert new(found) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.conversation.id": "t-1",
        "gen_ai.input.messages": HI,
        "gen_ai.output.messages": HO,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.time_to_first_chunk": 0.45,
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
    }
    assert lost(found) == {
        "@name": "name_changed",
        "langwatch.metrics#/cost": "partial_no_concept",
        "langwatch.params#/tool_choice": "partial_no_concept",
        "langwatch.sdk.name": "vendor_internal",
        "langwatch.timestamps": "derivable",
    }


def test_langwatch_s_tools_and_the_metrics_of_javascript(translator):
    attributes = {
        "langwatch.span.type": "tool",
        "langwatch.input": json.dumps({"type": "json", "value": {"x": 1}}),
        "langwatch.output": json.dumps({"type": "text", "value": "a cat"}),
    }
    found = translate(translator, made("langwatch", "look", attributes))
    assert found.name == "execute_tool look"
    assert new(found)["gen_ai.tool.call.arguments"] == {"x": 1}
    assert new(found)["gen_ai.tool.call.result"] == "a cat"
    assert lost(found) == {}
    metrics = json.dumps({"type": "json", "value": {"promptTokens": 3, "completionTokens": 2}})
    found = translate(translator, made("langwatch", "x", {"langwatch.span.type": "llm", "langwatch.metrics": metrics}))
    assert found.attributes["gen_ai.usage.input_tokens"] == 3


# ------------------------------------------------------------------ DeepEval


def test_what_a_judge_should_know_is_no_part_of_the_conventions(translator):
    attributes = {
        "confident.span.type": "llm",
        "confident.llm.model": "gpt-5",
        "confident.llm.input_token_count": 3,
        "confident.span.input": "Hi",
        "confident.span.output": "Ho",
        "confident.span.expected_output": "Ha",
        "confident.trace.thread_id": "t-1",
        "confident.trace.input": "Hi",
    }
    found = translate(translator, made("deepeval", "call", attributes, kind=1))
    assert found.name == "chat gpt-5"
    assert new(found) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.conversation.id": "t-1",
        "gen_ai.input.messages": HI,
        "gen_ai.output.messages": HO,
    }
    assert lost(found)["confident.span.expected_output"] == "no_concept"
    assert lost(found)["confident.trace.input"] == "scope_collapsed"
    assert not found.unknown


# ------------------------------------------------------------------ Prompt flow


def test_prompt_flow_adds_tokens_up_over_the_spans_below(translator):
    given = json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5})
    attributes = {
        "framework": "promptflow",
        "span_type": "LLM",
        "function": "openai.resources.chat.completions.Completions.create",
        "inputs": given,
        "output": json.dumps({"id": "r-1", "choices": [{"message": {"role": "assistant", "content": "Ho"}}]}),
        "llm.generated_message": json.dumps({"role": "assistant", "content": "Ho"}),
        "llm.response.model": "gpt-5-2026",
        "llm.usage.prompt_tokens": 3,
        "llm.usage.completion_tokens": 2,
        "llm.usage.total_tokens": 5,
        "__computed__.cumulative_token_count.prompt": 3,
    }
    span = with_events(
        made("promptflow", "openai_chat", attributes), ("promptflow.function.inputs", {"payload": given})
    )
    found = translate(translator, span)
    assert found.name == "chat gpt-5"
    said = new(found)
    assert said["gen_ai.input.messages"] == HI
    assert said["gen_ai.output.messages"][0]["parts"] == HO[0]["parts"]
    assert said["gen_ai.response.model"] == "gpt-5-2026"
    assert said["gen_ai.response.id"] == "r-1"
    assert said["gen_ai.usage.input_tokens"] == 3
    assert lost(found)["__computed__.cumulative_token_count.prompt"] == "aggregate"
    assert lost(found)["@events/promptflow.function.inputs"] == "superseded"
    assert not found.unknown


def test_a_function_of_prompt_flow_is_no_operation(translator):
    attributes = {"framework": "promptflow", "span_type": "Function", "inputs": '{"q":1}', "output": "2"}
    found = translate(translator, made("promptflow", "step", attributes))
    assert not found.changed
    assert lost(found) == {
        "framework": "not_a_provider",
        "inputs": "unstructured",
        "output": "unstructured",
        "span_type": "enum_no_equivalent",
    }
