"""Langtrace: spans as langtrace-python-sdk 3.8.21 was seen to send them, those of frameworks by hand from its source."""

import json

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import translate, with_events

SCOPE = "langtrace_python_sdk.instrumentation.openai.instrumentation"
OWN = {
    "langtrace.service.name": "OpenAI",
    "langtrace.service.type": "llm",
    "langtrace.service.version": "3.54.0",
    "langtrace.version": "3.8.21",
    "langtrace.sdk.name": "langtrace-python-sdk",
}
CALL = {
    **OWN,
    "url.full": "http://127.0.0.1/v1/",
    "url.path": "/chat/completions",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.system": "openai",
    "gen_ai.response.model": "gpt-5-2026",
    "gen_ai.system_fingerprint": "fp",
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 2,
    "gen_ai.usage.total_tokens": 5,
    "gen_ai.usage.cached_tokens": 0,
}


def prompt(*messages):
    return ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(messages)})


def completion(*messages):
    return ("gen_ai.content.completion", {"gen_ai.completion": json.dumps(messages)})


def others(found):
    return {path: reason for path, reason in lost(found).items() if not path.startswith("langtrace.")}


def test_a_chat_and_the_messages_on_its_events(translator):
    span = with_events(
        made(SCOPE, "openai.chat.completions.create", {**CALL, "gen_ai.request.log_props": True}),
        prompt({"role": "user", "content": "Hi"}, {"role": "system", "content": "Be brief."}),
        completion({"role": "assistant", "content": "Ho"}),
    )
    found = translate(translator, span)
    assert found.name == "chat gpt-5"
    said = new(found)
    assert [message["role"] for message in said["gen_ai.input.messages"]] == ["user", "system"]
    assert said["gen_ai.output.messages"] == [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}]
    assert said["gen_ai.provider.name"] == "openai"
    assert said["gen_ai.usage.cache_read.input_tokens"] == 0
    assert said["openai.response.system_fingerprint"] == "fp"
    assert "gen_ai.usage.total_tokens" in found.removed
    assert others(found) == {"@name": "name_changed", "gen_ai.request.log_props": "no_concept"}
    assert {reason for path, reason in lost(found).items() if path.startswith("langtrace.")} == {"vendor_internal"}


def test_tools_are_json_in_json_and_calls_stand_where_text_should(translator):
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"x":1}'}}
    span = with_events(
        made(
            SCOPE, "openai.chat.completions.create", {**CALL, "gen_ai.request.tools": json.dumps([json.dumps([tool])])}
        ),
        completion({"role": "assistant", "content": [call]}),
    )
    said = new(translate(translator, span))
    assert said["gen_ai.tool.definitions"] == [{"type": "function", "name": "look", "parameters": {"type": "object"}}]
    part = {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"x": 1}}
    assert said["gen_ai.output.messages"] == [{"role": "assistant", "parts": [part]}]


def test_embeddings_have_another_name(translator):
    attributes = {
        **OWN,
        "gen_ai.operation.name": "embed",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.request.embedding_inputs": '["cats"]',
        "gen_ai.system": "vertex ai",
    }
    found = translate(translator, made(SCOPE, "openai.embeddings.create", attributes))
    assert found.name == "embeddings text-embedding-3-small"
    assert new(found) == {"gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "gcp.vertex_ai"}
    assert others(found)["gen_ai.request.embedding_inputs"] == "no_concept"


def test_an_operation_of_its_own_stays(translator):
    attributes = {**OWN, "gen_ai.operation.name": "rerank", "gen_ai.system": "cohere"}
    assert new(translate(translator, made(SCOPE, "cohere.rerank", attributes))) == {"gen_ai.provider.name": "cohere"}


def test_a_framework_is_no_provider(translator):
    attributes = {
        **OWN,
        "langtrace.service.type": "framework",
        "gen_ai.system": "langchain core",
        "langchain.task.name": "runnable",
        "langchain.inputs": '{"a":"b"}',
        "langchain.metadata": "{}",
    }
    found = translate(translator, made("langtrace_python_sdk.instrumentation.langchain_core", "x", attributes))
    assert new(found) == {}
    assert others(found) == {
        "gen_ai.system": "not_a_provider",
        "langchain.inputs": "unstructured",
        "langchain.metadata": "user_defined",
        "langchain.task.name": "no_concept",
    }
