"""CrewAI: what spans become that its source writes, and why. There is no recording of it."""

from tests.semconv.golden import lost, made, new, translate


def test_a_crew_is_a_workflow(translator):
    attributes = {
        "crewai.event_name": "crew_kickoff_started",
        "crewai.crew.name": "research",
        "crewai.crew.inputs": '{"topic":"tea"}',
        "crewai.crew.output": "Tea is a drink.",
        "crewai.crew.usage_metrics": '{"total_tokens":5}',
    }
    found = translate(translator, made("crewai", "crew research", attributes))
    assert found.name == "invoke_workflow research"
    assert new(found) == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "research",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": '{"topic":"tea"}'}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Tea is a drink."}]}],
    }
    assert lost(found) == {"@name": "name_changed", "crewai.crew.usage_metrics": "aggregate"}


def test_a_call_of_a_server_s_tool(translator):
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "crewai.mcp.tool_name": "add",
        "crewai.mcp.tool_args": '{"a":1}',
        "crewai.mcp.tool_result": "1",
        "crewai.mcp.server_url": "http://tools.example:8080/mcp",
        "crewai.mcp.transport_type": "streamable-http",
        "crewai.mcp.connection_duration_ms": 3,
    }
    found = translate(translator, made("crewai", "mcp", attributes))
    assert found.name == "execute_tool add"
    assert found.attributes == {
        "gen_ai.tool.name": "add",
        "gen_ai.tool.call.arguments": '{"a":1}',
        "gen_ai.tool.call.result": "1",
        "server.address": "tools.example",
        "server.port": 8080,
        "network.transport": "tcp",
    }
    assert lost(found) == {
        "@name": "name_changed",
        "crewai.mcp.connection_duration_ms": "no_concept",
        "crewai.mcp.server_url#/path": "path_lost",
    }


def test_its_anonymous_telemetry_says_nothing_of_a_run(translator):
    attributes = {"crewai_version": "1.15.30", "crew_key": "k", "crew_agents": "[]", "tool_name": "add", "attempts": 1}
    found = translate(translator, made("crewai.telemetry", "Tool Usage", attributes))
    assert new(found) == {"gen_ai.tool.name": "add"}
    assert set(lost(found).values()) == {"vendor_internal"}
    assert not found.unknown


def test_an_event_that_is_no_operation(translator):
    found = translate(translator, made("crewai", "x", {"crewai.event_name": "task_started", "crewai.task.name": "t"}))
    assert not found.changed
    assert lost(found) == {"crewai.event_name": "enum_no_equivalent", "crewai.task.name": "no_concept"}
