"""Microsoft Agent Framework: what recorded spans become, and the spans of its workflows, and why."""

import pytest

from semconv import otlp_json
from tests.semconv.golden import lost, made, new, result, translate
from tests.semconv.recorded import span

PRODUCER = "ms-agent-framework@*"
SCOPE = "agent_framework"


def test_an_agent_run(translator):
    item = span(PRODUCER, "chat", "invoke_agent weather_agent")
    found = translate(translator, item)
    assert found.profiles == ("otel_genai", "agent_framework")
    assert new(found) == {"gen_ai.response.finish_reasons": ["stop"]}  # JSON text at the source
    assert "gen_ai.provider.name" not in result(item, found)  # an agent of this process has none
    assert lost(found) == {"gen_ai.provider.name": "not_a_provider"}


def test_a_tool_and_how_long_its_function_took(translator):
    found = translate(translator, span(PRODUCER, "tools_loop", "execute_tool get_weather"))
    assert not found.changed
    assert lost(found) == {"agent_framework.function.invocation.duration": "no_concept"}


def test_a_run_of_a_workflow(translator):
    attributes = {"workflow.id": "w-1", "workflow.name": "triage", "workflow.description": "Who helps?"}
    found = translate(translator, made(SCOPE, "workflow.run", attributes))
    assert found.name == "invoke_workflow triage"
    assert new(found) == {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "triage"}
    assert found.synthesized == (("gen_ai.operation.name", "workflow.id"),)
    assert lost(found) == {"workflow.id": "no_concept", "workflow.description": "no_concept"}


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("workflow.build", {"workflow.id": "w-1", "workflow.definition": "{}", "workflow_builder.name": "triage"}),
        ("executor.process a", {"workflow.id": "w-1", "executor.id": "a", "executor.type": "Agent"}),
        ("edge_group.process", {"edge_group.type": "Single", "message.source_id": "a", "message.target_id": "b"}),
    ],
)
def test_building_a_workflow_and_its_steps_are_no_operations(translator, name, attributes):
    found = translate(translator, made(SCOPE, name, attributes))
    assert "gen_ai.operation.name" not in found.attributes
    assert found.name is None
    assert not found.unknown


def test_the_duration_of_a_function_is_that_of_a_tool(translator):
    point = {
        "attributes": [{"key": "agent_framework.function.name", "value": {"stringValue": "add"}}],
        "count": "1",
        "sum": 0.1,
    }
    metric = {
        "name": "agent_framework.function.invocation.duration",
        "unit": "s",
        "histogram": {"dataPoints": [point], "aggregationTemporality": 2},
    }
    found = translator.metric(otlp_json.metric_view(metric, otlp_json.surroundings({}, {"name": SCOPE})))
    assert found.name == "gen_ai.execute_tool.duration"
    assert found.points[0].attributes == {"gen_ai.tool.name": "add"}
