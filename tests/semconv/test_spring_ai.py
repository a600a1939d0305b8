"""Spring AI's observations: what they become by their documented contract, and why. No recording is at hand."""

import pytest

from semconv.value import document
from semconv.view import SpanView
from tests.semconv.golden import lost

CLIENT, INTERNAL = 3, 1


@pytest.fixture
def observed(translator):
    return lambda name, attributes: translator.span(
        SpanView(scope_name="org.springframework.boot", name=name, kind=INTERNAL, attributes=attributes)
    )


def test_a_client_s_call_is_an_agent_and_its_framework_no_provider(observed):
    found = observed(
        "spring_ai chat_client",
        {
            "gen_ai.operation.name": "framework",
            "gen_ai.system": "spring_ai",
            "spring.ai.kind": "chat_client",
            "spring.ai.chat.client.stream": "false",
            "spring.ai.chat.client.conversation.id": "c-1",
            "spring.ai.chat.client.advisors": '["a"]',
        },
    )
    assert found.name == "invoke_agent"
    assert found.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.request.stream": False,
        "gen_ai.conversation.id": "c-1",
    }
    assert lost(found)["gen_ai.system"] == "not_a_provider"
    assert lost(found)["spring.ai.chat.client.advisors"] == "no_concept"


def test_a_tool_s_call_has_its_definition_arguments_and_result(observed):
    found = observed(
        "tool_call weather",
        {
            "gen_ai.operation.name": "framework",
            "gen_ai.system": "spring_ai",
            "spring.ai.kind": "tool_call",
            "spring.ai.tool.definition.name": "weather",
            "spring.ai.tool.definition.description": "Weather of a city.",
            "spring.ai.tool.definition.schema": '{"type": "object", "properties": {"city": {"type": "string"}}}',
            "spring.ai.tool.call.arguments": '{"city": "Lima"}',
            "spring.ai.tool.call.result": "18C",
        },
    )
    assert found.name == "execute_tool weather"
    assert found.attributes["gen_ai.tool.call.arguments"] == '{"city": "Lima"}'
    assert found.attributes["gen_ai.tool.call.result"] == "18C"
    [tool] = document(found.attributes["gen_ai.tool.definitions"])
    assert (tool["name"], tool["description"]) == ("weather", "Weather of a city.")
    assert tool["parameters"]["properties"] == {"city": {"type": "string"}}


def test_a_model_that_says_none_is_no_model(observed):
    found = observed(
        "image none",
        {"gen_ai.operation.name": "image", "gen_ai.request.image.size": "1x1", "gen_ai.request.model": "none"},
    )
    assert found.name == "generate_content"
    assert "gen_ai.request.model" in found.removed
    assert lost(found)["gen_ai.request.model"] == "absent_at_source"


def test_an_image_is_generated_content_and_texts_are_numbers(observed):
    found = observed(
        "image dall-e-3",
        {
            "gen_ai.operation.name": "image",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "dall-e-3",
            "gen_ai.request.image.size": "1x1",
            "gen_ai.usage.input_tokens": "3",
            "gen_ai.usage.output_tokens": "4",
            "gen_ai.usage.total_tokens": "7",
        },
    )
    assert (found.name, found.kind) == ("generate_content dall-e-3", None)
    assert found.attributes["gen_ai.output.type"] == "image"
    assert found.attributes["gen_ai.usage.input_tokens"] == 3
    assert "gen_ai.usage.total_tokens" in found.removed
    assert lost(found) == {"gen_ai.request.image.size": "no_concept", "@name": "name_changed"}


def test_a_vector_store_that_is_asked_is_a_retrieval_and_one_that_is_written_to_is_none(observed):
    asked = {
        "spring.ai.kind": "vector_store",
        "db.operation.name": "query",
        "db.collection.name": "docs",
        "db.vector.query.content": "capital?",
        "db.vector.query.top_k": "4",
    }
    found = observed("pg_vector query", asked)
    assert (found.name, found.kind) == ("retrieval docs", CLIENT)
    assert found.attributes["gen_ai.retrieval.query.text"] == "capital?"
    assert found.attributes["gen_ai.retrieval.top_k"] == 4
    assert "db.collection.name" not in found.removed  # a key of the database conventions in its own right
    written = observed("pg_vector add", {"spring.ai.kind": "vector_store", "db.operation.name": "add"})
    assert not written.attributes
    assert lost(written) == {"spring.ai.kind": "enum_no_equivalent"}
