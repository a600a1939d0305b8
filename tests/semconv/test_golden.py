"""Recorded spans and, beside each, what it says in the target: written by hand from the recording, not by the translator.

Each test holds the whole of the translated attributes, so that nothing can be added or go missing unseen. Structures are
compared parsed. `stays` are the source keys that are still there, `lost` every entry of the loss.
"""

import json
from typing import Any

import pytest

from semconv import otlp_json
from semconv.apply import apply_json
from semconv.translate import Translator
from tests.semconv.golden import translate
from tests.semconv.recorded import span
from tests.tools.translators import loaded

SYSTEM = {"role": "system", "parts": [{"type": "text", "content": "You are a helpful assistant. Be brief."}]}
QUESTION = {"role": "user", "parts": [{"type": "text", "content": "What is the capital of France?"}]}
ANSWER = {"role": "assistant", "parts": [{"type": "text", "content": "Hello! The capital of France is Paris."}]}


def translated(
    translator: Translator, producer: str, scenario: str, name: str
) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """The translated span with plain attributes, its attributes that are new, and the translation."""
    recorded = span(producer, scenario, name)
    translation = translator.span(
        otlp_json.span_view(recorded.item, otlp_json.surroundings(recorded.resource, recorded.scope))
    )
    result = apply_json(recorded.item, translation)
    plain = otlp_json.attributes(result.get("attributes", []))
    for key, value in plain.items():
        if key in translation.attributes and isinstance(value, str) and value[:1] in ("[", "{"):
            plain[key] = json.loads(value)
    new = {key: plain[key] for key in translation.attributes}
    return {**result, "attributes": plain}, new, translation


def lost(translation: Any) -> dict[str, str]:
    return {loss.path: loss.reason for loss in translation.loss}


def test_openinference_chat(translator):
    result, new, translation = translated(
        translator, "openinference-instrumentation-openai@0.1.66", "chat", "ChatCompletion"
    )
    assert new == {
        "gen_ai.operation.name": "chat",  # openinference.span.kind LLM
        "gen_ai.provider.name": "openai",  # llm.system, there is no llm.provider
        "gen_ai.input.messages": [SYSTEM, QUESTION],
        "gen_ai.output.messages": [ANSWER],  # the source gives the reason for the call, not for the message
        "gen_ai.request.model": "gpt-4o-mini",  # asked for: in the invocation parameters
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",  # llm.model_name, which there is an answer to
        "gen_ai.response.id": "chatcmpl-8bf54d08e8534afe9f61b391",  # from the raw answer
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 34,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 17,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "gen_ai.usage.audio.input_tokens": 0,
        "gen_ai.usage.audio.output_tokens": 0,
        "openai.response.service_tier": "default",  # from the raw answer
        "openai.response.system_fingerprint": "fp_44709d6fcb",
        "user.id": "user-1",  # the end user in the invocation parameters
    }
    assert (result["name"], result["kind"]) == ("chat gpt-4o-mini", 3)
    assert set(result["attributes"]) - set(new) == {
        "input.value",
        "output.value",
    }  # what is lost of them stays readable
    assert lost(translation) == {
        "@name": "name_changed",
        "input.value#/messages": "superseded",
        "output.value#/choices": "superseded",
        "output.value#/created": "partial_no_concept",
        "output.value#/object": "partial_no_concept",
        "output.value#/usage/completion_tokens_details": "partial_no_concept",
    }


def test_openinference_tool_that_failed(translator):
    producer = "openinference-instrumentation-claude-agent-sdk@0.1.22"
    result, new, translation = translated(translator, producer, "query_chat", "Read")
    assert new == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "Read",
        "gen_ai.tool.call.id": "toolu_d12dcbf7c1ff467c9ec634",
        "gen_ai.tool.call.arguments": {"file_path": "/no/such/file.txt"},
        "error.type": "Exception",  # the status is an error, and the exception event says which
    }
    assert (result["name"], result["kind"]) == ("execute_tool Read", 1)
    assert set(result["attributes"]) == set(new)
    assert [event["name"] for event in result["events"]] == ["exception"]
    assert translation.synthesized == (("error.type", "exception.type"),)
    assert not translation.loss


def test_openinference_retriever(translator):
    producer = "openinference-instrumentation-haystack@0.1.46"
    result, new, translation = translated(translator, producer, "pipeline_rag", "InMemoryBM25Retriever.run")
    assert new == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": "capital France",  # the query in the JSON of input.value
        "gen_ai.retrieval.documents": [
            {
                "id": "413dccdf51a54cca75b7ed2eddac04e6e58560bd2f0caf4106a3efc023fe3651",
                "score": 1.654101226336233,
                "content": "Paris is the capital of France",
                "metadata": {},
            }
        ],
    }
    assert (result["name"], result["kind"]) == ("retrieval", 3)  # no data source: the template ends at its gap
    assert lost(translation) == {"@name": "name_changed", "output.value": "unstructured"}  # reprs of Python objects


def test_openinference_tool_use_in_contents_and_again_in_tool_calls(translator):
    producer = "openinference-instrumentation-anthropic@3.1.0"
    _, new, _ = translated(translator, producer, "tools_loop", "messages.create")
    calls = [part for part in new["gen_ai.output.messages"][0]["parts"] if part["type"] == "tool_call"]
    assert [(call["name"], call["arguments"]) for call in calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_time", {"city": "Tokyo"}),
    ]
    assert all(set(call) == {"type", "id", "name", "arguments"} for call in calls)
    assert new["gen_ai.tool.definitions"][0] == {
        "type": "function",
        "name": "get_weather",
        "description": "Get the current weather for a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }


def test_openllmetry_with_messages_of_the_conventions(translator):
    result, new, translation = translated(translator, "openllmetry-openai@0.62.4", "chat", "openai.chat")
    assert new == {
        "gen_ai.request.stream": False,  # gen_ai.is_streaming
        "gen_ai.usage.reasoning.output_tokens": 0,
        "openai.response.system_fingerprint": "fp_44709d6fcb",
        "server.address": "127.0.0.1",  # gen_ai.openai.api_base taken apart
        "server.port": 8901,
        "user.id": "user-1",
    }
    assert result["name"] == "chat gpt-4o-mini"  # openai.chat said the provider, which an attribute says too
    assert lost(translation) == {"gen_ai.openai.api_base#/path": "path_lost"}
    assert "gen_ai.usage.total_tokens" not in result["attributes"]  # 34 + 10


def test_indexed_prompts_and_completions(translator):
    result, new, _ = translated(translator, "agentops@0.4.21", "chat", "openai.chat.completion")
    assert new == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.stream": False,
        "gen_ai.provider.name": "openai",
        "gen_ai.input.messages": [SYSTEM, QUESTION],
        "gen_ai.output.messages": [{**ANSWER, "finish_reason": "stop"}],
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 34,
        "gen_ai.usage.output_tokens": 10,
        "openai.response.system_fingerprint": "fp_44709d6fcb",
        "user.id": "user-1",
    }
    assert not [key for key in result["attributes"] if key.startswith(("gen_ai.prompt.", "gen_ai.completion."))]


def test_openllmetry_tool_of_an_mcp_server(translator):
    result, new, translation = translated(translator, "openllmetry-mcp@0.62.4", "http_error", "fail_tool.tool")
    assert new == {
        "gen_ai.operation.name": "execute_tool",  # traceloop.span.kind tool
        "gen_ai.tool.name": "fail_tool",
        "gen_ai.tool.call.arguments": {"city": "Paris"},  # out of the envelope of traceloop.entity.input
        "gen_ai.tool.call.result": "Error executing tool fail_tool: upstream weather service unavailable for Paris",
    }
    assert (result["name"], result["kind"]) == ("execute_tool fail_tool", 1)
    assert result["attributes"]["error.type"] == "tool_error"
    assert lost(translation) == {"traceloop.entity.output#/is_error": "partial_no_concept"}


def test_a_framework_is_no_provider(translator):
    result, _, translation = translated(
        translator, "openllmetry-langchain@0.62.4", "agent_astream", "execute_tool get_weather"
    )
    assert "gen_ai.provider.name" not in result["attributes"]
    assert lost(translation)["gen_ai.provider.name"] == "not_a_provider"


def test_legacy_keys_of_2025(translator):
    result, new, translation = translated(
        translator, "opentelemetry-instrumentation-openai-v2@2.4b0", "chat", "chat gpt-4o-mini"
    )
    assert new == {"gen_ai.provider.name": "openai", "openai.response.service_tier": "default"}
    assert translation.removed == ("gen_ai.openai.response.service_tier", "gen_ai.system")
    assert not translation.loss
    assert translation.reversal == "lossless"
    assert result["name"] == "chat gpt-4o-mini"


def test_messages_in_span_events(translator):
    result, new, translation = translated(translator, "strands-native@1.62.0", "chat", "chat")
    assert new == {
        "gen_ai.input.messages": [SYSTEM, QUESTION],
        "gen_ai.output.messages": [{**ANSWER, "finish_reason": "stop"}],  # end_turn, in the target's words
        "gen_ai.response.finish_reasons": ["end_turn"],  # and in the source's
        "gen_ai.response.time_to_first_chunk": 2.666,  # 2666 ms, under a key of the metrics
    }
    assert "events" not in result
    assert translation.events_removed == (0, 1, 2)
    assert lost(translation)["gen_ai.system"] == "not_a_provider"


def test_mcp_request_whose_tool_is_only_in_its_name(translator):
    result, new, translation = translated(translator, "mcp@2.3.0", "http_error", "MCP send tools/call fail_tool")
    assert new == {"gen_ai.tool.name": "fail_tool", "gen_ai.operation.name": "execute_tool"}
    assert (result["name"], result["kind"]) == ("tools/call fail_tool", 3)
    assert translation.synthesized == (
        ("gen_ai.tool.name", "name"),
        ("gen_ai.operation.name", "mcp.method.name=tools/call"),
    )


def test_fastmcp_server(translator):
    result, new, translation = translated(translator, "fastmcp@4.1.2", "http_error", "tools/call fail_tool")
    assert new == {"gen_ai.operation.name": "execute_tool"}
    assert result["kind"] == 2
    assert "fastmcp.component.key" not in result["attributes"]  # tool:fail_tool@ says the tool's name once more
    assert lost(translation) == {
        "fastmcp.component.type": "no_concept",
        "fastmcp.provider.type": "no_concept",
        "fastmcp.server.name": "no_concept",
        "fastmcp.span.seam": "vendor_internal",
    }


@pytest.mark.parametrize("keep_unmapped", [True, False])
def test_what_is_not_mapped_stays_unless_it_is_not_wanted(translator, keep_unmapped):
    recorded = span("fastmcp@4.1.2", "http_error", "tools/call fail_tool")
    translation = translator.span(
        otlp_json.span_view(recorded.item, otlp_json.surroundings(recorded.resource, recorded.scope))
    )
    result = apply_json(recorded.item, translation, keep_unmapped=keep_unmapped)
    kept = {pair["key"] for pair in result["attributes"] if pair["key"].startswith("fastmcp.")}
    assert len(kept) == (4 if keep_unmapped else 0)


def test_older_target_has_its_own_key_for_the_same_concept():
    """In 1.41.1 the tokens written to a cache are cache_creation, and there is no key for a prompt's version."""
    older = loaded("core-1.41.1")
    attributes = {
        "openinference.span.kind": "LLM",
        "llm.token_count.prompt_details.cache_write": 3,
        "llm.prompt_template.version": "v1",
        "llm.invocation_parameters": '{"top_k": 4}',
    }
    view = otlp_json.span_view(
        {"name": "x", "attributes": otlp_json.key_values(attributes)}, otlp_json.surroundings({}, {})
    )
    translation = older.span(view)
    assert translation.attributes["gen_ai.usage.cache_creation.input_tokens"] == 3
    assert translation.attributes["gen_ai.request.top_k"] == 4.0
    assert isinstance(translation.attributes["gen_ai.request.top_k"], float)
    assert lost(translation)["llm.prompt_template.version"] == "no_concept_at_version"


def test_langgraph_says_which_agent_and_which_call_in_what_it_writes_down(translator):
    """OpenInference has no attribute for either there; both join spans to each other."""
    agent = translate(translator, span("openinference-instrumentation-langchain@*", "agent_astream", "weather_agent"))
    assert agent.name == "invoke_agent weather_agent"
    assert agent.attributes["gen_ai.agent.name"] == "weather_agent"
    tool = translate(translator, span("openinference-instrumentation-langchain@*", "agent_astream", "get_weather"))
    assert tool.attributes["gen_ai.tool.call.id"].startswith("call_")
