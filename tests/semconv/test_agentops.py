"""AgentOps: what recorded spans of it become, and why."""

from tests.semconv.golden import lost, made, new, translate
from tests.semconv.recorded import span

PRODUCER = "agentops@*"


def test_a_call_of_a_model_with_tools(translator):
    found = translate(translator, span(PRODUCER, "tools_loop", "openai.chat.completion", nth=2))
    assert found.name == "chat gpt-4o-mini"
    said = new(found)
    assert said["gen_ai.operation.name"] == "chat"
    assert said["gen_ai.request.stream"] is False
    assert [tool["name"] for tool in said["gen_ai.tool.definitions"]] == ["get_weather", "get_time", "add"]
    assert said["gen_ai.tool.definitions"][2]["parameters"]["required"] == ["a", "b"]
    assert lost(found) == {}


def test_an_answer_with_no_message_still_says_why_it_ended(translator):
    found = translate(translator, span(PRODUCER, "tools_loop_stream", "openai.chat.completion"))
    assert found.attributes["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert "gen_ai.output.messages" not in found.attributes
    assert found.attributes["gen_ai.response.time_to_first_chunk"] == 0.0446476936340332


def test_a_call_that_was_asked_for_is_no_run_of_a_tool(translator):
    """The span is made from the model's answer, before anything runs."""
    found = translate(translator, span(PRODUCER, "tools_loop", "tool_call.get_weather"))
    assert new(found) == {
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_e271ea268fd5463f8d75",
        "gen_ai.tool.call.arguments": {"city": "Paris"},
    }
    assert (found.name, lost(found)) == (None, {})


def test_a_decorated_tool_is_one(translator):
    said = {"agentops.span.kind": "tool", "agentops.entity.name": "add", "agentops.entity.output": "3"}
    found = translate(translator, made("agentops", "add.tool", said))
    assert found.name == "execute_tool add"
    assert found.attributes["gen_ai.tool.call.result"] == "3"
