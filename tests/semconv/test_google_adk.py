"""Google's Agent Development Kit: what recorded spans of it become, and those of its first versions, and why."""

import json

from tests.semconv.golden import lost, made, new, result, translate
from tests.semconv.recorded import span

NATIVE, BOTH = "google-adk-native@*", "openinference-instrumentation-google-adk@*"
SCOPE = "gcp.vertex.agent"


def request(**config):
    contents = [
        {"role": "user", "parts": [{"text": "weather?"}]},
        {"role": "model", "parts": [{"function_call": {"id": "c1", "name": "get_weather", "args": {"city": "Paris"}}}]},
        {"role": "user", "parts": [{"function_response": {"id": "c1", "response": {"sky": "sunny"}}}]},
    ]
    return json.dumps({"model": "gemini-2.0-flash", "config": config, "contents": contents})


def response(**usage):
    content = {"role": "model", "parts": [{"text": "Sunny."}]}
    return json.dumps({"content": content, "finish_reason": "STOP", "usage_metadata": usage})


def test_a_call_of_a_model_is_current_but_for_ids_of_its_own(translator):
    item = span(NATIVE, "chat", "generate_content gemini-2.5-flash")
    found = translate(translator, item)
    assert not found.changed
    assert lost(found) == {
        "gcp.vertex.agent.event_id": "no_concept",
        "gcp.vertex.agent.invocation_id": "no_concept",
    }


def test_a_tool_s_class_says_what_type_of_tool_it_is(translator):
    assert new(translate(translator, span(NATIVE, "tools_loop", "execute_tool get_weather"))) == {
        "gen_ai.tool.type": "function"  # FunctionTool
    }
    assert new(translate(translator, span(NATIVE, "mcp_agent", "execute_tool get_weather"))) == {
        "gen_ai.tool.type": "extension"  # McpTool: the agent's side calls another's interface
    }


def test_tools_that_ran_together_are_named_by_what_stands_for_their_name(translator):
    found = translate(translator, span(NATIVE, "tools_loop", "execute_tool (merged)"))
    assert found.name == "execute_tool (merged tools)"
    assert "@name" not in lost(found)  # "(merged)" says no more


def test_two_vocabularies_on_one_span(translator):
    found = translate(translator, span(BOTH, "agent_as_tool", "invoke_agent helper"))
    assert found.profiles == ("otel_genai", "openinference", "google_adk")
    assert not found.conflicts


def test_a_request_of_the_first_versions(translator):
    attributes = {
        "gen_ai.system": "gcp.vertex.agent",
        "gen_ai.request.model": "gemini-2.0-flash",
        "gcp.vertex.agent.session_id": "s-1",
        "gcp.vertex.agent.llm_request": request(
            system_instruction="Be brief.",
            temperature=0.5,
            tools=[{"function_declarations": [{"name": "get_weather", "parameters": {"type": "OBJECT"}}]}],
            labels={"adk_agent": "a"},
        ),
        "gcp.vertex.agent.llm_response": response(
            prompt_token_count=20, candidates_token_count=5, total_token_count=25
        ),
    }
    item = made(SCOPE, "call_llm", attributes)
    found = translate(translator, item)
    assert found.name == "generate_content gemini-2.0-flash"
    assert new(found) == {
        "gen_ai.operation.name": "generate_content",  # nothing else says so: the request is there
        "gen_ai.conversation.id": "s-1",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.tool.definitions": [{"type": "function", "name": "get_weather", "parameters": {"type": "OBJECT"}}],
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "weather?"}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Paris"}},
                ],
            },
            {
                "role": "tool",  # a user's turn of nothing but answers of tools
                "parts": [{"type": "tool_call_response", "id": "c1", "response": {"sky": "sunny"}}],
            },
        ],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Sunny."}]}],
        "gen_ai.response.finish_reasons": ["STOP"],
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 5,
    }
    assert ("gen_ai.operation.name", "gcp.vertex.agent.llm_request") in found.synthesized
    assert lost(found) == {
        "gen_ai.system": "not_a_provider",
        "gcp.vertex.agent.llm_request#/config/labels": "partial_no_concept",
    }
    assert "gcp.vertex.agent.llm_request" in result(item, found)


def test_candidates_and_thoughts_together_are_the_output(translator):
    """Gemini counts them apart: candidates taken alone would be a plausible wrong number."""
    usage = response(prompt_token_count=20, candidates_token_count=5, thoughts_token_count=7, total_token_count=32)
    attributes = {"gcp.vertex.agent.llm_request": request(), "gcp.vertex.agent.llm_response": usage}
    found = translate(translator, made(SCOPE, "call_llm", attributes))
    said = new(found)
    assert said["gen_ai.usage.input_tokens"] == 20
    assert said["gen_ai.usage.reasoning.output_tokens"] == 7
    assert said["gen_ai.usage.output_tokens"] == 12
    assert not [path for path in lost(found) if "usage_metadata" in path]  # the total is the sum


def test_content_that_was_not_captured_is_the_source_s_doing(translator):
    attributes = {"gcp.vertex.agent.llm_request": "{}", "gcp.vertex.agent.llm_response": "{}"}
    found = translate(translator, made(SCOPE, "call_llm", attributes))
    assert dict(found.source_side) == {"redacted_at_source": 2}
    assert not found.loss


def test_a_request_that_was_cut_off_is_unparseable(translator):
    cut = request()[:-3]
    found = translate(translator, made(SCOPE, "call_llm", {"gcp.vertex.agent.llm_request": cut}))
    assert lost(found) == {"gcp.vertex.agent.llm_request": "unparseable"}


def test_a_tool_call_of_the_first_versions(translator):
    attributes = {
        "gen_ai.tool.name": "get_weather",
        "gcp.vertex.agent.llm_request": "{}",  # two places its own screens expect, empty on every tool
        "gcp.vertex.agent.llm_response": "{}",
        "gcp.vertex.agent.tool_call_args": '{"city":"Paris"}',
        "gcp.vertex.agent.tool_response": '{"sky":"sunny"}',
    }
    found = translate(translator, made(SCOPE, "execute_tool get_weather", attributes))
    assert new(found) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.arguments": {"city": "Paris"},
        "gen_ai.tool.call.result": {"sky": "sunny"},
    }
    assert not found.source_side
    assert not found.loss
