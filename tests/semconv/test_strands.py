"""Strands Agents: what recorded spans of it become, and why."""

from semconv import otlp_json
from tests.semconv.golden import lost, made, new, result, translate
from tests.semconv.recorded import recorded, span

PRODUCERS = ["strands-native@*", "openinference-instrumentation-strands-agents@*"]
SCOPE = "strands.telemetry.tracer"


def test_a_call_of_a_model(translator):
    item = span("strands-native@*", "agent_as_tool", "chat")
    found = translate(translator, item)
    assert found.profiles == ("otel_genai", "otel_legacy_genai", "strands")
    assert found.name == "chat gpt-4o-mini"
    assert new(found) == {
        # Span events with blocks of Bedrock Converse: text, toolUse.
        "gen_ai.input.messages": [
            {"role": "system", "parts": [{"type": "text", "content": "You are a helpful assistant. Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "weather in Paris?"}]},
        ],
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "tool_call",
                        "id": "call_aba102800aa547eeb9f4",
                        "name": "ask_weather_agent",
                        "arguments": {"question": "Find the weather in Paris"},
                    }
                ],
                "finish_reason": "tool_call",
            }
        ],
        "gen_ai.response.finish_reasons": ["tool_use"],
        "gen_ai.response.time_to_first_chunk": 0.111,  # 111 ms under a key of the metrics
    }
    assert found.removed == (
        "gen_ai.event.end_time",  # text of the span's own times
        "gen_ai.event.start_time",
        "gen_ai.server.time_to_first_token",
        "gen_ai.usage.cache_read_input_tokens",  # 18 once more
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.total_tokens",  # 53 = 37 + 16
    )
    assert lost(found) == {"gen_ai.system": "not_a_provider"}


def test_a_tool_that_failed_inside_its_answer(translator):
    """No exception on the span: that it failed is in its status and in a word of the SDK's."""
    item = span("strands-native@*", "mcp_agent", "execute_tool fail_tool")
    found = translate(translator, item)
    said = new(found)
    assert said["error.type"] == "tool_error"
    assert said["gen_ai.tool.definitions"] == [
        {
            "type": "function",
            "name": "fail_tool",  # beside the schema, on the span
            "description": "A tool that always fails.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"title": "City", "type": "string"}},
                "required": ["city"],
                "title": "fail_toolArguments",
            },
        }
    ]
    assert "gen_ai.tool.status" in found.removed
    assert lost(found) == {"gen_ai.system": "not_a_provider"}


def test_a_tool_that_succeeded_has_no_error(translator):
    found = translate(translator, span("strands-native@*", "agent_as_tool", "execute_tool get_weather"))
    assert "error.type" not in found.attributes
    assert "gen_ai.tool.status" in found.removed


def test_a_graph_of_agents_is_a_workflow(translator):
    """In-process, so INTERNAL; that it was a graph has no home, and the loss says so."""
    item = span("strands-native@*", "graph_multi_agent", "invoke_graph")
    found = translate(translator, item)
    assert (found.name, found.kind) == ("invoke_workflow", 1)
    assert found.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert lost(found)["@kind"] == "kind_changed"


def test_the_names_of_an_agents_tools_are_no_definitions(translator):
    item = span("strands-native@*", "agent_as_tool", "invoke_agent boss")
    found = translate(translator, item)
    assert result(item, found)["gen_ai.agent.tools"] == '["ask_weather_agent"]'
    assert lost(found)["gen_ai.agent.tools"] == "partial"


def test_a_search_of_a_memory(translator):
    attributes = {
        "gen_ai.operation.name": "memory.search",
        "memory.query": "where does she live",
        "memory.result.count": 2,
        "memory.store.name": "facts",
        "memory.max_search_results": 3,
    }
    found = translate(translator, made(SCOPE, "memory.search", attributes))
    assert (found.name, new(found)) == (
        "search_memory",
        {
            "gen_ai.operation.name": "search_memory",
            "gen_ai.memory.query.text": "where does she live",
            "gen_ai.memory.record.count": 2,
            "gen_ai.memory.store.id": "facts",
        },
    )
    assert lost(found)["memory.max_search_results"] == "no_concept"


def test_a_total_that_is_no_sum_is_lost_and_not_guessed(translator):
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1, "gen_ai.usage.total_tokens": 9}
    assert lost(translate(translator, made(SCOPE, "chat", attributes)))["gen_ai.usage.total_tokens"] == "no_concept"


def test_durations_are_the_target_s_and_milliseconds_become_seconds(translator):
    found = {
        item.item["name"]: translator.metric(
            otlp_json.metric_view(item.item, otlp_json.surroundings(item.resource, item.scope))
        )
        for item in recorded("metrics", "strands-native@*")
    }
    tools = found["strands.tool.duration"]
    assert tools.name == "gen_ai.execute_tool.duration"
    assert tools.points[0].attributes["gen_ai.tool.name"] == "get_weather"
    first = found["strands.model.time_to_first_token"]
    assert (first.name, first.unit, first.scale) == ("gen_ai.client.inference.time_to_first_chunk", "s", (1, 1000))
    assert lost(found["strands.event_loop.latency"]) == {"@metrics/strands.event_loop.latency": "ambiguous"}


def test_the_message_events_of_a_tool_span_are_its_call_and_its_result(translator):
    found = translate(translator, span("strands-native@*", "agent_as_tool", "execute_tool get_weather"))
    said = new(found)
    assert said["gen_ai.tool.call.arguments"] == {"city": "Paris"}
    assert said["gen_ai.tool.call.result"] == [{"text": '{"city": "Paris", "temp_c": 18, "sky": "sunny"}'}]
    assert "gen_ai.input.messages" not in said
    assert "gen_ai.output.messages" not in said
    assert found.events_removed == (0, 1)


def test_what_several_events_give_one_attribute_stands_there_in_their_order(translator):
    item = span("strands-native@*", "graph_multi_agent.latest", "execute_event_loop_cycle")
    found = translate(translator, item)
    parts = [message["parts"][0]["type"] for message in new(found)["gen_ai.input.messages"]]
    assert parts == ["text", "tool_call_response"]
    assert len(found.events_removed) == 2
    assert not found.conflicts
