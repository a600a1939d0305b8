"""OpenInference from instrumentations the corpus does not have: spans as these were seen to send them, shortened."""

import json

import pytest

from tests.semconv.golden import lost, made, new, result
from tests.semconv.lawful import translate

SCOPE = "openinference.instrumentation."
REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}


def spoken(kind, **attributes):
    """The attributes of a span of a kind, structures as the instrumentations write them."""
    said = {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in attributes.items()}
    return {"openinference.span.kind": kind, **said}


def test_an_answer_of_a_role_alone_leaves_the_word_to_the_raw_answer(translator):
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    answer = {"choices": [{"finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call]}}]}
    said = spoken("LLM", **{"llm.output_messages.0.message.role": "assistant", "output.value": answer})
    translation = translate(translator, made(SCOPE + "portkey", "Completions", said))
    message = new(translation)["gen_ai.output.messages"][0]
    assert message["parts"] == [
        {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}}
    ]
    assert lost(translation)["llm.output_messages.0.message.role"] == "superseded"


def test_a_role_alone_is_a_message_where_nothing_else_is(translator):
    said = spoken("LLM", **{"llm.output_messages.0.message.role": "assistant"})
    translation = translate(translator, made(SCOPE + "portkey", "Completions", said))
    assert new(translation)["gen_ai.output.messages"] == [{"role": "assistant", "parts": []}]


def test_the_name_of_an_object_in_memory_is_no_answer(translator):
    said = spoken("LLM", **{"output.value": "<groq.Stream object at 0x7f18e50af8f0>"})
    translation = translate(translator, made(SCOPE + "groq", "Completions", said))
    assert "gen_ai.output.messages" not in new(translation)
    assert lost(translation)["output.value"] == "unstructured"


@pytest.mark.parametrize("unset", ["<openai.Omit object at 0x7f434fe73830>", "NOT_GIVEN", ""])
def test_a_setting_that_was_not_set_is_none(translator, unset):
    names = ("reasoning_effort", "stop", "service_tier", "temperature", "max_tokens", "seed")
    said = spoken("LLM", **{"llm.invocation_parameters": {"model": "gpt-4o", **dict.fromkeys(names, unset)}})
    translation = translate(translator, made(SCOPE + "portkey", "Completions", said))
    assert new(translation) == {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    assert {f"llm.invocation_parameters#/{name}" for name in names} <= lost(translation).keys()


def test_settings_that_are_set_pass_beside_those_that_are_not(translator):
    settings = {"reasoning_effort": "low", "stop": ["x"], "service_tier": "flex", "top_p": ""}
    said = spoken("LLM", **{"llm.invocation_parameters": settings})
    assert new(translate(translator, made(SCOPE + "mistralai", "MistralClient.chat", said))) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.request.stop_sequences": ["x"],
        "openai.request.service_tier": "flex",
    }


def test_no_settings_are_no_loss(translator):
    translation = translate(
        translator, made(SCOPE + "smolagents", "x", spoken("LLM", **{"llm.invocation_parameters": {}}))
    )
    assert "llm.invocation_parameters" not in lost(translation)
    assert translation.tally.balanced


def test_the_properties_of_a_schema_are_not_what_a_tool_was_called_with(translator):
    properties = {"city": {"type": "string", "description": "The city."}}
    called = {"args": ["Paris"], "sanitize_inputs_outputs": False, "kwargs": {}}
    said = spoken("TOOL", **{"tool.name": "weather", "tool.parameters": properties, "input.value": called})
    attributes = new(translate(translator, made(SCOPE + "smolagents", "SimpleTool", said)))
    assert attributes["gen_ai.tool.call.arguments"] == called
    assert attributes["gen_ai.tool.definitions"] == [
        {"type": "function", "name": "weather", "parameters": {"properties": properties}}
    ]


def test_what_a_tool_is_called_with_stands_apart_from_the_options_of_its_runner(translator):
    said = spoken("TOOL", **{"tool.name": "weather", "input.value": {"input": {"city": "Paris"}, "options": None}})
    attributes = new(translate(translator, made(SCOPE + "beeai", "weather", said)))
    assert attributes["gen_ai.tool.call.arguments"] == {"city": "Paris"}


def test_a_message_written_down_whole_is_one_with_its_role_and_its_calls(translator):
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    said = spoken("LLM", **{"output.value": {"role": "assistant", "content": "Look.", "tool_calls": [call]}})
    translation = translate(translator, made("my.app", "model", said))
    assert new(translation)["gen_ai.output.messages"] == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "Look."},
                {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {}},
            ],
        }
    ]
    assert set(lost(translation)) == {"@name"}


def test_an_answer_of_the_api_that_has_a_role_is_still_taken_apart(translator):
    answer = {"id": "msg_1", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "Ho"}],
              "usage": {"input_tokens": 3, "output_tokens": 4}}  # fmt: skip
    attributes = new(translate(translator, made("my.app", "model", spoken("LLM", **{"output.value": answer}))))
    assert attributes["gen_ai.response.id"] == "msg_1"
    assert attributes["gen_ai.usage.output_tokens"] == 4
    assert attributes["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": "Ho"}]


def test_the_task_of_an_agent_is_what_it_was_told(translator):
    said = spoken("AGENT", **{"input.value": {"task": "Weather?", "stream": False, "images": None}})
    translation = translate(translator, made(SCOPE + "smolagents", "CodeAgent.run", said))
    assert new(translation)["gen_ai.input.messages"] == [
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}
    ]
    assert lost(translation)["input.value#/stream"] == "partial_no_concept"


def test_the_fields_of_a_program_are_no_messages(translator):
    said = spoken(
        "CHAIN", **{"input.value": {"question": "Why?"}, "output.value": {"reasoning": "So.", "answer": "42"}}
    )
    translation = translate(translator, made(SCOPE + "dspy", "ChainOfThought.forward", said))
    assert new(translation) == {}
    assert lost(translation)["output.value"] == "unstructured"


@pytest.mark.parametrize(
    ("kind", "name", "key", "value"),
    [
        ("TOOL", "weather.__call__", "gen_ai.tool.name", "weather"),
        ("AGENT", "Weather man._execute_core", "gen_ai.agent.name", "Weather man"),
        ("AGENT", "w.on_messages_stream", "gen_ai.agent.name", "w"),
    ],
)
def test_the_method_that_was_wrapped_is_no_part_of_a_name(translator, kind, name, key, value):
    translation = translate(translator, made(SCOPE + "x", name, spoken(kind)))
    assert new(translation)[key] == value
    assert translation.name.split(" ", 1)[1] == value


def test_what_single_instrumentations_add_is_known(translator):
    said = {
        "agno.agent.id": "weather-man", "agno.run.id": "r", "smolagents.max_steps": 3, "instructor.response_model": "User",
        "flow.node.type": "start", "tool.result_as_answer": False, "crew_key": "k", "crew_inputs": "{}",
        "input.images.0.image.url": "u", "trace.evaluations.0.evaluation.name": "e",
    }  # fmt: skip
    translation = translate(translator, made(SCOPE + "x", "x", {**spoken("AGENT"), **said}))
    assert translation.unknown == ()
    assert new(translation)["gen_ai.agent.id"] == "weather-man"
    assert lost(translation)["agno.run.id"] == "vendor_internal"


def test_a_knowledge_base_is_the_data_source_of_a_retrieval(translator):
    said = spoken("RETRIEVER", **{"input.value": "who?", "llm.invocation_parameters": {"knowledgeBaseId": "KB1"}})
    translation = translate(translator, made(SCOPE + "bedrock", "bedrock.retrieve", said))
    assert new(translation)["gen_ai.data_source.id"] == "KB1"
    assert translation.name == "retrieval KB1"


def test_a_request_for_text_is_taken_apart(translator):
    asked = {"inputText": "Hi", "textGenerationConfig": {"maxTokenCount": 5, "topP": 0.5}}
    said = spoken("LLM", **{"llm.invocation_parameters": asked})
    item = made(SCOPE + "bedrock", "bedrock.invoke_model", said)
    translation = translate(translator, item)
    assert new(translation) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.request.max_tokens": 5,
        "gen_ai.request.top_p": 0.5,
    }
    assert "llm.invocation_parameters" not in result(item, translation)
