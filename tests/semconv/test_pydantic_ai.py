"""pydantic-ai under its instrumentation versions: what recorded spans become, and those of older versions, and why."""

import json

from semconv import otlp_json
from tests.semconv.golden import lost, made, new, result, translate
from tests.semconv.recorded import recorded, span

NATIVE, BOTH = "pydantic-ai-slim@*", "openinference-instrumentation-pydantic-ai@*"
SCOPE = "pydantic-ai"


def test_a_call_of_a_model(translator):
    item = span(NATIVE, "anthropic_tools", "chat claude-sonnet-4-5")
    found = translate(translator, item)
    assert found.profiles == ("otel_genai", "otel_legacy_genai", "pydantic_ai", "logfire")
    assert new(found) == {
        "gen_ai.output.type": "text",  # the output mode in model_request_parameters
        "gen_ai.usage.cache_write.input_tokens": 100,  # until 2026-08 called cache_creation
    }
    assert found.removed == (
        "gen_ai.system",  # the provider once more
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.details.cache_creation_input_tokens",  # the same four counts in the provider's words
        "gen_ai.usage.details.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cache_write_tokens",
    )
    reasons = lost(found)
    assert reasons["model_request_parameters#/function_tools"] == "superseded"  # gen_ai.tool.definitions has them
    assert reasons["operation.cost"] == "no_concept"
    assert reasons["logfire.json_schema"] == "vendor_internal"
    assert not found.conflicts


def test_an_agent_run_of_version_2(translator):
    item = span(NATIVE, "tools_loop.v2", "agent run")
    found = translate(translator, item)
    assert found.name == "invoke_agent weather_agent"
    said = new(found)
    # pydantic_ai.all_messages has the history, the run and the answer in one list.
    talk = said.pop("gen_ai.input.messages")
    assert [message["role"] for message in talk] == ["system", "user", "assistant", "tool", "assistant", "tool"]
    assert said == {
        "gen_ai.request.model": "gpt-4o-mini",  # model_name
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "It is 18C and sunny in Paris, and 17 + 25 = 42."}],
                "finish_reason": "stop",
            }
        ],
        "gen_ai.response.finish_reasons": ["stop"],
    }
    assert found.removed == ("agent_name", "model_name", "pydantic_ai.all_messages")
    reasons = lost(found)
    assert "@name" not in reasons  # it said no more than the operation
    assert reasons["final_result"] == "superseded"  # the text of the answer once more


def test_sums_over_a_run_do_not_count_twice(translator):
    item = span(NATIVE, "anthropic_tools", "invoke_agent claude_agent")
    found = translate(translator, item)
    sums = {key for key in result(item, found) if key.startswith("gen_ai.aggregated_usage.")}
    assert {lost(found)[key] for key in sums} == {"aggregate"}
    assert len(sums) == 8
    assert not [key for key in result(item, found) if key.startswith("gen_ai.usage.")]


def test_an_outcome_that_is_an_object_stays_the_text_it_was_written_as(translator):
    found = translate(translator, span(NATIVE, "structured", "invoke_agent structured_agent"))
    assert new(found)["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [{"type": "text", "content": '{"city":"Paris","confidence":25.0}'}]}
    ]


def test_a_tool_of_version_2(translator):
    found = translate(translator, span(NATIVE, "tools_loop.v2", "running tool"))
    assert found.name == "execute_tool get_weather"
    assert new(found) == {
        "gen_ai.tool.call.arguments": {"city": "Paris"},
        "gen_ai.tool.call.result": {"city": "Paris", "temp_c": 18, "sky": "sunny"},
    }
    assert lost(found) == {
        "gen_ai.agent.call.id": "no_concept",
        "logfire.json_schema": "vendor_internal",
        "logfire.msg": "derivable",
    }


def test_answers_of_tools_in_a_user_s_turn_are_the_tools(translator):
    """Until version 6 they stand in a message of the user, their value under `result`."""
    found = translate(translator, span(NATIVE, "tools_loop.v2", "chat gpt-4o-mini", nth=1))
    answers = new(found)["gen_ai.input.messages"][3]
    assert answers["role"] == "tool"
    assert [part["type"] for part in answers["parts"]] == ["tool_call_response"] * 2
    assert answers["parts"][1]["response"] == "12:30 in Tokyo"
    assert answers["parts"][1]["name"] == "get_time"  # the target has no field for it: it rides along


def test_embeddings(translator):
    item = span(NATIVE, "embeddings", "embeddings text-embedding-3-small")
    found = translate(translator, item)
    assert found.kind == 3
    assert "inputs_count" in found.removed  # the length of inputs
    reasons = lost(found)
    assert {key: reasons[key] for key in ("inputs", "embeddings", "input_type")} == dict.fromkeys(
        ("inputs", "embeddings", "input_type"), "no_concept"
    )


def test_tools_without_definitions_beside_them(translator):
    tool = {"name": "add", "description": "Sum.", "parameters_json_schema": {"type": "object"}, "strict": None}
    parameters = {"function_tools": [tool], "output_tools": [], "output_mode": "native"}
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "model_request_parameters": json.dumps(parameters),
    }
    found = translate(translator, made(SCOPE, "chat m", attributes))
    assert new(found) == {
        "gen_ai.output.type": "json",
        "gen_ai.tool.definitions": [
            {"type": "function", "name": "add", "description": "Sum.", "parameters": {"type": "object"}}
        ],
    }


def test_no_tools_are_no_definitions(translator):
    """Of two lists the empty one does not stand in the way of the other."""
    tool = {"name": "final_result", "parameters_json_schema": {"type": "object"}}
    attributes = {"model_request_parameters": json.dumps({"function_tools": [], "output_tools": [tool]})}
    found = translate(translator, made(SCOPE, "chat m", attributes))
    assert [definition["name"] for definition in new(found)["gen_ai.tool.definitions"]] == ["final_result"]
    attributes = {"model_request_parameters": json.dumps({"function_tools": [], "output_tools": []})}
    assert not translate(translator, made(SCOPE, "chat m", attributes)).attributes


def test_an_agent_run_before_there_were_operations(translator):
    attributes = {"agent_name": "a", "model_name": "m", "all_messages_events": "[]", "final_result": "yes"}
    found = translate(translator, made(SCOPE, "agent run", attributes))
    assert found.name == "invoke_agent a"
    assert ("gen_ai.operation.name", "agent_name, model_name") in found.synthesized
    assert new(found)["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": "yes"}]
    assert not found.loss  # an empty list says nothing


def test_events_of_a_run_of_version_1_are_its_messages(translator):
    events = [
        {"event.name": "gen_ai.system.message", "role": "system", "content": "Be brief."},
        {"event.name": "gen_ai.user.message", "role": "user", "content": "Hi"},
        {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "Hello"}},
    ]
    attributes = {"agent_name": "a", "model_name": "m", "all_messages_events": json.dumps(events)}
    said = new(translate(translator, made(SCOPE, "agent run", attributes)))
    assert [message["role"] for message in said["gen_ai.input.messages"]] == ["system", "user"]
    assert said["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": "Hello"}]


def test_a_count_that_does_not_say_of_what_is_not_guessed(translator):
    attributes = {"gen_ai.usage.details.audio_tokens": 3, "gen_ai.usage.details.input_audio_tokens": 2}
    found = translate(translator, made(SCOPE, "chat m", attributes))
    assert new(found) == {"gen_ai.usage.audio.input_tokens": 2}
    assert lost(found) == {"gen_ai.usage.details.audio_tokens": "ambiguous"}


def test_cost_has_no_metric_in_the_target(translator):
    costs = [item for item in recorded("metrics", NATIVE) if item.item["name"] == "operation.cost"]
    assert costs
    for item in costs:
        found = translator.metric(otlp_json.metric_view(item.item, otlp_json.surroundings(item.resource, item.scope)))
        assert lost(found) == {"@metrics/operation.cost": "no_concept"}
        assert found.name is None
