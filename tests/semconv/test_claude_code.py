"""Claude Code: what recorded spans and records of it become, and why."""

from tests.semconv.golden import lost, made, new, result, translate
from tests.semconv.recorded import recorded, span
from tests.semconv.translated import record, translated

PRODUCER = "claude-code-native@*"
SCOPE = "com.anthropic.claude_code.tracing"


def test_a_call_of_a_model_counts_the_cache_into_its_input(translator):
    item = span(PRODUCER, "client_two_turns", "claude_code.llm_request")
    found = translate(translator, item)
    assert (found.name, found.kind) == ("chat claude-sonnet-4-5", 3)
    assert new(found) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.time_to_first_chunk": 0.035,
        "gen_ai.usage.input_tokens": 372,  # 72 and what the cache gave and took
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 200,
        "gen_ai.usage.cache_write.input_tokens": 100,
    }
    assert {"model", "stop_reason", "gen_ai.system", "span.type", "duration_ms"} <= set(found.removed)
    assert lost(found)["@events/gen_ai.request.attempt"] == "no_concept"


def test_a_turn_is_an_agent_with_what_it_was_asked(translator):
    found = translate(translator, span(PRODUCER, "client_two_turns", "claude_code.interaction"))
    assert found.name == "invoke_agent"
    assert new(found) == {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "weather in Paris?"}]}]
    }


def test_a_prompt_taken_out_at_the_source_is_no_message(translator):
    found = translate(
        translator, made(SCOPE, "claude_code.interaction", {"span.type": "interaction", "user_prompt": "<REDACTED>"})
    )
    assert "gen_ai.input.messages" not in found.attributes


def test_waiting_for_the_user_and_running_are_no_second_tool(translator):
    for name in ("claude_code.tool.blocked_on_user", "claude_code.tool.execution"):
        item = span(PRODUCER, "client_two_turns", name)
        found = translate(translator, item)
        assert found.name is None
        assert "gen_ai.operation.name" not in result(item, found)
        assert lost(found)["span.type"] == "enum_no_equivalent"


def test_a_failed_tool_keeps_the_error_type_that_is_there(translator):
    item = next(i for i in recorded("traces", PRODUCER) if any(a["key"] == "error_class" for a in i.item["attributes"]))
    found = translate(translator, item)
    assert result(item, found)["error.type"] == "tool_error"
    assert lost(found)["error_class"] == "superseded"


def test_records_say_what_spans_say(translator):
    asked = translated(translator, "logs", record(PRODUCER, "api_request"))
    assert asked.attributes["gen_ai.usage.input_tokens"] == 372
    assert asked.attributes["gen_ai.conversation.id"]
    assert lost(asked)["cost_usd"] == "no_concept"
    said = translated(translator, "logs", record(PRODUCER, "assistant_response")).attributes["gen_ai.output.messages"]
    assert [message["role"] for message in said] == ["assistant"]
    assert translated(translator, "logs", record(PRODUCER, "tool_result")).attributes["gen_ai.tool.call.arguments"] == {
        "command": "echo hello",
        "description": "say hello",
    }
