"""LlamaIndex's own exporter: spans as llama-index-observability-otel 0.7.0 was seen to send them, with ids shortened."""

import json

import pytest

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import translate, with_events

SCOPE = "llamaindex.opentelemetry.tracer"
AROUND = {"timestamp": "2026-11-21 12:45:00.000001", "id_": "e-1", "span_id": "OpenAI.chat-1"}
MODEL = {
    "model_dict.class_name": "openai_llm",
    "model_dict.model_name": "gpt-5",
    "model_dict.temperature": 0.1,
    "model_dict.context_window": 3900,
}
MESSAGES = json.dumps(
    [
        {"role": "system", "additional_kwargs": {}, "blocks": [{"block_type": "text", "text": "Be brief."}]},
        {"role": "user", "additional_kwargs": {}, "blocks": [{"block_type": "text", "text": "Hi"}]},
    ]
)


def test_a_chat_is_what_its_start_and_its_end_say_together(translator):
    span = with_events(
        made(SCOPE, "OpenAI.chat", {"llamaindex.run_id": "r-1"}),
        ("LLMChatStartEvent", {**AROUND, **MODEL, "messages": MESSAGES, "class_name": "LLMChatStartEvent"}),
        (
            "LLMChatEndEvent",
            {
                **AROUND,
                "messages": MESSAGES,
                "response.message.role": "assistant",
                "response.message.blocks": json.dumps(
                    [
                        {"block_type": "text", "text": "Ho"},
                        {
                            "block_type": "tool_call",
                            "tool_call_id": "c-1",
                            "tool_name": "look",
                            "tool_kwargs": {"x": 1},
                        },
                    ]
                ),
                "response.raw.id": "chatcmpl-1",
                "response.raw.model": "gpt-5-2026",
                "response.raw.usage.prompt_tokens": 3,
                "response.additional_kwargs.prompt_tokens": 3,
                "response.raw.usage.completion_tokens": 2,
                "response.delta": "null",
                "class_name": "LLMChatEndEvent",
            },
        ),
    )
    found = translate(translator, span)
    assert (found.name, found.kind) == ("chat gpt-5", 3)
    said = new(found)
    assert [message["role"] for message in said["gen_ai.input.messages"]] == ["system", "user"]
    assert said["gen_ai.input.messages"][1]["parts"] == [{"type": "text", "content": "Hi"}]
    parts = said["gen_ai.output.messages"][0]["parts"]
    assert [part["type"] for part in parts] == ["text", "tool_call"]
    assert (parts[1]["id"], parts[1]["name"], parts[1]["arguments"]) == ("c-1", "look", {"x": 1})
    assert said["gen_ai.operation.name"] == "chat"
    assert said["gen_ai.provider.name"] == "openai"
    assert said["gen_ai.request.temperature"] == 0.1
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (3, 2)
    assert (said["gen_ai.response.id"], said["gen_ai.response.model"]) == ("chatcmpl-1", "gpt-5-2026")
    assert set(lost(found).values()) == {"internal_id", "derivable", "no_concept", "name_changed"}
    assert lost(found)["@events/LLMChatStartEvent/model_dict.context_window"] == "no_concept"


def test_a_completion_and_a_class_that_is_no_provider(translator):
    span = with_events(
        made(SCOPE, "MockLLM.complete", {}),
        (
            "LLMCompletionStartEvent",
            {
                "prompt": "Hi",
                "model_dict.class_name": "MockLLM",
                "model_dict.model_name": "unknown",
                "class_name": "LLMCompletionStartEvent",
            },
        ),
        ("LLMCompletionEndEvent", {"prompt": "Hi", "response.text": "Ho", "class_name": "LLMCompletionEndEvent"}),
    )
    found = translate(translator, span)
    assert found.name == "text_completion"
    assert new(found) == {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}],
    }
    assert lost(found) == {
        "@events/LLMCompletionStartEvent/model_dict.class_name": "enum_no_equivalent",
        "@events/LLMCompletionStartEvent/model_dict.model_name": "absent_at_source",
        "@name": "name_changed",
    }


def test_a_retriever_and_an_embedder(translator):
    node = {"id_": "n-1", "embedding": None, "metadata": {"a": 1}, "text": "A cat.", "class_name": "TextNode"}
    span = with_events(
        made(SCOPE, "VectorIndexRetriever.retrieve", {}),
        ("RetrievalStartEvent", {"str_or_query_bundle.query_str": "cats", "class_name": "RetrievalStartEvent"}),
        (
            "RetrievalEndEvent",
            {
                "str_or_query_bundle.query_str": "cats",
                "nodes": json.dumps([{"node": node, "score": 0.9, "class_name": "NodeWithScore"}]),
                "class_name": "RetrievalEndEvent",
            },
        ),
    )
    found = translate(translator, span)
    assert (found.name, found.kind) == ("retrieval", 3)
    document = new(found)["gen_ai.retrieval.documents"][0]
    assert (document["id"], document["score"], document["content"]) == ("n-1", 0.9, "A cat.")
    assert new(found)["gen_ai.retrieval.query.text"] == "cats"

    span = with_events(
        made(SCOPE, "OpenAIEmbedding.get_query_embedding", {}),
        (
            "EmbeddingStartEvent",
            {
                "model_dict.class_name": "OpenAIEmbedding",
                "model_dict.model_name": "text-embedding-3-small",
                "class_name": "EmbeddingStartEvent",
            },
        ),
        ("EmbeddingEndEvent", {"chunks": ["cats"], "embeddings": "[[0.5]]", "class_name": "EmbeddingEndEvent"}),
    )
    found = translate(translator, span)
    assert (found.name, found.kind) == ("embeddings text-embedding-3-small", 3)
    assert lost(found) == {
        "@events/EmbeddingEndEvent/chunks": "no_concept",
        "@events/EmbeddingEndEvent/embeddings": "no_concept",
        "@name": "name_changed",
    }


def test_steps_of_a_workflow_have_no_home(translator):
    attributes = {"llamaindex.run_id": "r-1", "llamaindex.step.input_event": "ToolCall"}
    attributes["llamaindex.step.input_summary"] = "ToolCall(tool_name='look')"
    span = with_events(
        made(SCOPE, "BaseWorkflowAgent.call_tool", attributes),
        ("step.output", {"output": "ToolCallResult(tool_name='look')", "class_name": "step.output"}),
        ("exception", {"exception.type": "TypeError"}),
    )
    found = translate(translator, span)
    assert not found.changed
    assert lost(found) == {
        "@events/step.output": "unstructured",
        "llamaindex.run_id": "internal_id",
        "llamaindex.step.input_event": "no_concept",
        "llamaindex.step.input_summary": "unstructured",
    }
    assert not found.unknown


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("FunctionTool.acall", "execute_tool"),
        ("QueryEngineTool.call", "execute_tool"),
        ("FunctionAgent.run", "invoke_agent"),
        ("AgentWorkflow.run", "invoke_workflow"),
    ],
)
def test_tools_and_agents_say_what_they_are_by_the_names_of_their_spans(translator, name, operation):
    found = translate(translator, with_events(made(SCOPE, name, {}), ("workflow.output", {"output": "Ho"})))
    assert found.name == operation
    assert new(found) == {"gen_ai.operation.name": operation}
    # Several names say the same, so that the one it had is not in the new one.
    assert lost(found) == {"@name": "name_changed", "@events/workflow.output": "unstructured"}


def test_a_method_that_is_not_known_is_nothing(translator):
    assert not translate(translator, made(SCOPE, "BaseWorkflowAgent.parse_agent_output", {})).changed
