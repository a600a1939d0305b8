"""Haystack's own tracer: what pipelines, components and agents become, and why."""

import json

from semconv.value import document
from semconv.view import SpanView
from tests.semconv.golden import lost
from tests.semconv.recorded import span

HAYSTACK = "haystack-native@*"
CLIENT = 3


def component(translator, kind, module, given, made):
    """A component's run as the tracer writes it; the scope's name is the application's choice."""
    return translator.span(
        SpanView(
            scope_name="my.app",
            name="haystack.component.run",
            attributes={
                "haystack.component.name": "part",
                "haystack.component.type": kind,
                "haystack.component.fully_qualified_type": f"{module}.{kind}",
                "haystack.component.input": json.dumps(given),
                "haystack.component.output": json.dumps(made),
            },
        )
    )


def test_a_chat_generator_is_a_call_of_its_provider(translated):
    """What a component is follows from its class, whose it is from the module the class is in."""
    found = translated(span(HAYSTACK, "err429", "haystack.component.run"))
    assert (found.name, found.kind) == ("chat", CLIENT)
    assert found.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"What is the capital of France?"}],"meta":{}}]',
        "error.type": "haystack.core.errors.PipelineRuntimeError",
    }
    assert lost(found) == {
        "haystack.component.name": "no_concept",
        "haystack.component.input_spec": "vendor_internal",
        "haystack.component.input_types": "vendor_internal",
        "haystack.component.output_spec": "vendor_internal",
    }


def test_a_pipeline_is_a_workflow(translated):
    found = translated(span(HAYSTACK, "err429", "haystack.pipeline.run"))
    assert (found.name, found.kind) == ("invoke_workflow", None)
    assert lost(found)["haystack.pipeline.input_data"] == "unstructured"  # by component, whatever each of them takes


def test_a_reply_with_tool_calls_and_the_answer_to_one(translator):
    found = component(
        translator,
        "AnthropicChatGenerator",
        "haystack_integrations.components.generators.anthropic.chat.chat_generator",
        {
            "messages": [
                {
                    "role": "tool",
                    "name": None,
                    "meta": {},
                    "content": [{"tool_call_result": {"result": "18C", "origin": {"id": "c1", "tool_name": "w"}}}],
                }
            ],
            "generation_kwargs": {"temperature": 0.5},
        },
        {
            "replies": [
                {
                    "role": "assistant",
                    "meta": {"model": "claude"},
                    "content": [
                        {"text": "Let me see."},
                        {"tool_call": {"id": "c2", "tool_name": "w", "arguments": {"city": "Lima"}}},
                    ],
                }
            ]
        },
    )
    assert found.attributes["gen_ai.provider.name"] == "anthropic"
    assert found.attributes["gen_ai.request.temperature"] == 0.5
    [given] = document(found.attributes["gen_ai.input.messages"])
    assert given["role"] == "tool"
    assert given["parts"][0]["type"] == "tool_call_response"
    assert (given["parts"][0]["id"], given["parts"][0]["response"]) == ("c1", "18C")
    [made] = document(found.attributes["gen_ai.output.messages"])
    assert made["parts"] == [
        {"type": "text", "content": "Let me see."},
        {"type": "tool_call", "id": "c2", "name": "w", "arguments": {"city": "Lima"}},
    ]


def test_a_retriever_has_its_query_and_documents(translator):
    found = component(
        translator,
        "InMemoryBM25Retriever",
        "haystack.components.retrievers.in_memory.bm25_retriever",
        {"query": "capital?", "top_k": 3, "filters": None},
        {"documents": [{"id": "d1", "content": "Paris", "score": 0.5, "meta": {}}]},
    )
    assert (found.name, found.kind) == ("retrieval", CLIENT)
    assert found.attributes["gen_ai.retrieval.query.text"] == "capital?"
    assert found.attributes["gen_ai.retrieval.top_k"] == 3
    assert document(found.attributes["gen_ai.retrieval.documents"])[0]["score"] == 0.5
    assert "gen_ai.provider.name" not in found.attributes


def test_an_embedder_gives_its_dimensions_and_model(translator):
    found = component(
        translator,
        "OpenAITextEmbedder",
        "haystack.components.embedders.openai_text_embedder",
        {"text": "hello"},
        {"embedding": [0.1, 0.2], "meta": {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 1}}},
    )
    assert found.attributes["gen_ai.embeddings.dimension.count"] == 2
    assert found.attributes["gen_ai.response.model"] == "text-embedding-3-small"
    assert found.attributes["gen_ai.usage.input_tokens"] == 1
    assert lost(found)["haystack.component.output#/embedding"] == "no_concept"


def test_any_other_component_says_no_operation(translator):
    found = component(translator, "PromptBuilder", "haystack.components.builders.prompt_builder", {"a": 1}, {"b": 2})
    assert not found.attributes
    assert found.name is None
    assert lost(found)["haystack.component.type"] == "enum_no_equivalent"
    assert lost(found)["haystack.component.input"] == "unstructured"
