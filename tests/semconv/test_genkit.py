"""Genkit's actions: what they become by their documented contract and as recorded, and why."""

import json

import pytest

from semconv.value import document
from semconv.view import SpanView
from tests.semconv.golden import lost

CLIENT, INTERNAL = 3, 1


@pytest.fixture
def action(translator):
    def made(name, subtype, given, result, **more):
        return translator.span(
            SpanView(
                scope_name="genkit-tracer",
                name=name,
                kind=INTERNAL,
                attributes={
                    "genkit:type": "action",
                    "genkit:metadata:subtype": subtype,
                    "genkit:name": name,
                    "genkit:path": f"/{{{name}}}",
                    "genkit:state": "success",
                    "genkit:input": json.dumps(given),
                    "genkit:output": json.dumps(result),
                    **more,
                },
            )
        )

    return made


def test_a_model_s_request_and_answer_are_taken_apart(action):
    found = action(
        "googleai/gemini-2.5-flash",
        "model",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"text": "What is this?"}, {"media": {"url": "data:image/png;base64,aGk="}}],
                },
                {"role": "model", "content": [{"toolRequest": {"name": "look", "ref": "r1", "input": {"x": 1}}}]},
                {"role": "tool", "content": [{"toolResponse": {"name": "look", "ref": "r1", "output": "a cat"}}]},
            ],
            "config": {"temperature": 0.5, "topK": 4, "maxOutputTokens": 10},
            "tools": [{"name": "look", "description": "Look.", "inputSchema": {"type": "object"}}],
            "output": {"format": "json"},
        },
        {
            "message": {"role": "model", "content": [{"text": "A cat."}]},
            "finishReason": "stop",
            "usage": {"inputTokens": 7, "outputTokens": 3, "thoughtsTokens": 2, "totalTokens": 12},
            "latencyMs": 12.5,
        },
    )
    assert (found.name, found.kind) == ("chat googleai/gemini-2.5-flash", CLIENT)
    sent = document(found.attributes["gen_ai.input.messages"])
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert sent[0]["parts"][1] == {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "aGk="}
    assert sent[1]["parts"] == [{"type": "tool_call", "id": "r1", "name": "look", "arguments": {"x": 1}}]
    assert sent[2]["parts"][0]["response"] == "a cat"
    assert document(found.attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "A cat."}]}
    ]
    assert document(found.attributes["gen_ai.tool.definitions"])[0]["parameters"] == {"type": "object"}
    assert found.attributes["gen_ai.request.temperature"] == 0.5
    assert found.attributes["gen_ai.request.top_k"] == 4
    assert found.attributes["gen_ai.request.max_tokens"] == 10
    assert found.attributes["gen_ai.output.type"] == "json"
    assert found.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert found.attributes["gen_ai.usage.input_tokens"] == 7
    assert found.attributes["gen_ai.usage.reasoning.output_tokens"] == 2
    assert found.attributes["gen_ai.usage.output_tokens"] == 5  # the total has what was thought, so the output must
    assert lost(found) == {
        "genkit:path": "derivable",
        "genkit:state": "derivable",
        "genkit:output#/latencyMs": "derivable",
    }


def test_a_tool_has_arguments_and_result(action):
    found = action("look", "tool", {"x": 1}, "a cat", **{"genkit:sessionId": "s-1"})
    assert (found.name, found.kind) == ("execute_tool look", None)
    assert found.attributes["gen_ai.tool.call.arguments"] == '{"x": 1}'
    assert found.attributes["gen_ai.tool.call.result"] == '"a cat"'
    assert found.attributes["gen_ai.conversation.id"] == "s-1"


def test_a_flow_is_a_workflow_and_its_input_whatever_it_takes(action):
    found = action("plan", "flow", {"days": 3}, {"plan": []})
    assert found.name == "invoke_workflow plan"
    assert found.attributes == {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "plan"}
    assert lost(found)["genkit:input"] == lost(found)["genkit:output"] == "unstructured"


def test_a_step_is_no_operation(action):
    found = action("util", "util", {}, {})
    assert not found.attributes
    assert lost(found)["genkit:metadata:subtype"] == "enum_no_equivalent"


def test_what_stands_around_models_and_tools_says_an_answer_and_no_numbers(translator):
    """The answer's message is the message; its request, its numbers and what it ended with are not inside it."""
    found = translator.span(
        SpanView(
            scope_name="genkit-tracer",
            name="generate",
            kind=INTERNAL,
            attributes={
                "genkit:type": "util",
                "genkit:name": "generate",
                "genkit:output": json.dumps(
                    {
                        "message": {"role": "model", "content": [{"text": "Sunny."}]},
                        "finishReason": "stop",
                        "usage": {"inputTokens": 40, "outputTokens": 12},
                        "request": {"messages": [{"role": "user", "content": [{"text": "Rain?"}]}]},
                    }
                ),
            },
        )
    )
    assert document(found.attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "Sunny."}]}
    ]
    assert found.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert "gen_ai.usage.input_tokens" not in found.attributes
    gone = lost(found)
    assert (gone["genkit:output#/usage"], gone["genkit:output#/request"]) == ("aggregate", "superseded")


def test_a_retriever_is_asked_with_a_document_of_one_text(action):
    found = action(
        "docs", "retriever", {"query": {"content": [{"text": "rain?"}]}, "options": {"k": 2}}, {"documents": []}
    )
    assert (found.attributes["gen_ai.retrieval.query.text"], found.attributes["gen_ai.retrieval.top_k"]) == ("rain?", 2)
