"""Langfuse's SDK: what recorded observations become, and why."""

import pytest

from semconv.value import document
from semconv.view import SpanView
from tests.semconv.golden import lost
from tests.semconv.recorded import span

LANGFUSE = "langfuse@*"
CLIENT = 3


def test_a_generation_is_taken_apart(translated):
    """Parameters, usage and messages are one JSON each; the model is the one that answered."""
    found = translated(span(LANGFUSE, "chat", "OpenAI-generation"))
    assert (found.name, found.kind) == ("chat", CLIENT)  # nothing says which model was asked for
    assert found.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.frequency_penalty": 0.0,
        "gen_ai.request.presence_penalty": 0.0,
        "gen_ai.request.seed": 7,
        "openai.response.service_tier": "default",
        "gen_ai.usage.input_tokens": 34,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 17,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "gen_ai.usage.audio.input_tokens": 0,
        "gen_ai.usage.audio.output_tokens": 0,
        "gen_ai.input.messages": '[{"role":"system","parts":[{"type":"text","content":"You are a helpful assistant. Be brief."}]},'
        '{"role":"user","parts":[{"type":"text","content":"What is the capital of France?"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello! The capital of France is Paris."}]}]',
    }
    assert lost(found) == {
        "@name": "name_changed",
        "langfuse.internal.is_app_root": "vendor_internal",
        "langfuse.observation.usage_details#/completion_tokens_details": "partial_no_concept",  # of predictions
    }


def test_a_failed_generation_has_the_model_asked_for_and_no_invented_limit(translated):
    found = translated(span(LANGFUSE, "err429", "OpenAI-generation"))
    assert found.name == "chat gpt-4o-err429"
    assert found.attributes["gen_ai.request.model"] == "gpt-4o-err429"
    assert "gen_ai.request.max_tokens" not in found.attributes  # the text "Infinity"
    assert lost(found)["langfuse.observation.level"] == "derivable"  # the status says it


def test_usage_is_put_together_with_the_details_that_were_taken_out_of_it(translated):
    """The LangChain handler subtracts every detail, cached tokens first: 5 of 10 here. The total holds the sum to account."""
    found = translated(span(LANGFUSE, "langgraph_multi_agent.langchain", "ChatOpenAI"))
    assert found.attributes["gen_ai.usage.cache_read.input_tokens"] == 5
    assert found.attributes["gen_ai.usage.input_tokens"] == 10
    assert found.attributes["gen_ai.usage.output_tokens"] == 10
    assert not [path for path in lost(found) if path.startswith("langfuse.observation.usage_details")]
    assert found.name == "chat gpt-4o-mini"  # its metadata says which model was asked for
    assert found.attributes["gen_ai.provider.name"] == "openai"


def test_a_tool_is_named_by_its_span(translated):
    found = translated(span(LANGFUSE, "decorators_workflow", "get_weather"))
    assert found.name == "execute_tool get_weather"
    assert found.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.arguments": '{"args": [], "kwargs": {"city": "Paris"}}',
        "gen_ai.tool.call.result": '{"city": "Paris", "temp_c": 18, "sky": "sunny"}',
    }
    assert not found.loss


def test_tools_beside_messages_are_definitions(translated):
    found = translated(span(LANGFUSE, "decorators_workflow", "OpenAI-generation"))
    [tool] = document(found.attributes["gen_ai.tool.definitions"])
    assert tool["name"] == "get_weather"
    [answer] = document(found.attributes["gen_ai.output.messages"])
    assert [(part["type"], part["id"]) for part in answer["parts"]] == [("tool_call", "call_a63973e6fb0647c8b2c3")]


def test_an_agent_is_named_by_its_span_and_a_chain_stays_what_it_is(translated):
    assert translated(span(LANGFUSE, "decorators_workflow", "weather_agent")).name == "invoke_agent weather_agent"
    chain = translated(span(LANGFUSE, "decorators_workflow", "plan_task"))
    assert chain.name is None
    assert lost(chain)["langfuse.observation.type"] == "enum_no_equivalent"
    assert lost(chain)["langfuse.observation.input"] == "unstructured"  # a function's arguments are no messages


def test_the_session_of_a_trace_is_its_conversation_and_stays_a_session(translated):
    found = translated(span(LANGFUSE, "decorators_workflow", "trip_workflow"))
    assert found.attributes["gen_ai.conversation.id"] == "s-1"
    assert "session.id" not in found.removed


def test_a_retriever_has_its_query_and_documents(translated):
    found = translated(span(LANGFUSE, "retriever_rag.langchain", "VectorStoreRetriever"))
    assert (found.name, found.kind) == ("retrieval", CLIENT)
    assert found.attributes["gen_ai.retrieval.query.text"] == "What is the capital of France?"
    [held] = document(found.attributes["gen_ai.retrieval.documents"])
    assert held["content"] == "Lima is in Peru"


def test_an_embedding_has_its_dimensions_and_tokens(translated):
    found = translated(span(LANGFUSE, "embeddings", "OpenAI-embedding"))
    assert found.name == "embeddings text-embedding-3-small"
    assert found.attributes["gen_ai.embeddings.dimension.count"] == 8
    assert found.attributes["gen_ai.usage.input_tokens"] == 10


def test_metadata_of_an_answer_is_json_within_text(translated):
    found = translated(span(LANGFUSE, "responses_stream", "OpenAI-generation"))
    assert found.attributes["gen_ai.response.id"].startswith("resp_")  # without the quotes
    assert found.attributes["gen_ai.usage.cache_read.input_tokens"] == 4
    assert not any(path.startswith("langfuse.observation.usage_details") for path in lost(found))


@pytest.fixture
def generation(translator):
    def made(**attributes):
        return translator.span(
            SpanView(
                scope_name="langfuse-sdk",
                name="generation",
                attributes={
                    "langfuse.observation.type": "generation",
                    **{f"langfuse.observation.{key}": value for key, value in attributes.items()},
                },
            )
        )

    return made


@pytest.mark.parametrize("quoted", ['"{}"', "{}"])
def test_metadata_says_the_same_with_quotes_and_without(generation, quoted):
    """One SDK writes a text of the metadata as JSON, the other as it is."""
    found = generation(
        **{"metadata.ls_model_name": quoted.format("gpt-4o"), "metadata.ls_provider": quoted.format("openai")}
    )
    assert (found.attributes["gen_ai.request.model"], found.attributes["gen_ai.provider.name"]) == ("gpt-4o", "openai")


def test_a_response_s_tools_and_instructions_are_taken_from_the_metadata(generation):
    response = {"metadata.reasoning": "{}", "metadata.status": "completed", "metadata.instructions": "Be brief"}
    tools = '[{"type":"function","name":"look","parameters":{"type":"object"}}]'
    found = generation(**response, **{"metadata.tools": tools})
    assert document(found.attributes["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief"}]
    assert document(found.attributes["gen_ai.tool.definitions"])[0]["name"] == "look"
    alone = generation(**{"metadata.instructions": "Be brief"})
    assert "gen_ai.system_instructions" not in alone.attributes


def test_no_output_is_no_message(generation):
    found = generation(input="hi", output="")
    assert "gen_ai.output.messages" not in found.attributes


def test_details_of_usage_have_the_suffix_of_tokens_too(generation):
    found = generation(
        usage_details='{"input":24,"output":7,"input_cached_tokens":16,"input_audio_tokens":2,"output_audio_tokens":5}'
    )
    assert found.attributes["gen_ai.usage.input_tokens"] == 42
    assert found.attributes["gen_ai.usage.output_tokens"] == 12
    assert found.attributes["gen_ai.usage.audio.input_tokens"] == 2
    assert found.attributes["gen_ai.usage.audio.output_tokens"] == 5
