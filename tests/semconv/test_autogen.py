"""AutoGen: what recorded spans become, and those of its runtime, and why."""

from tests.semconv.golden import lost, made, result, translate
from tests.semconv.recorded import span

PRODUCER = "autogen-native@*"


def test_a_framework_is_no_provider(translator):
    item = span(PRODUCER, "agent_tools", "invoke_agent weather_agent")
    found = translate(translator, item)
    assert found.profiles == ("otel_genai", "otel_legacy_genai", "autogen")
    assert not found.changed
    assert lost(found) == {"gen_ai.system": "not_a_provider"}
    assert result(item, found)["gen_ai.system"] == "autogen"


def test_what_the_runtime_delivers_is_messaging(translator):
    """Conventions of another kind: kept as they are, but for the class of the message."""
    attributes = {
        "messaging.operation": "publish",
        "messaging.destination": "topic",
        "messaging.message.type": "TextMessage",
    }
    item = made("autogen SingleThreadedAgentRuntime", "autogen publish topic", attributes, kind=4)
    found = translate(translator, item)
    assert found.profiles == ("autogen",)
    assert lost(found) == {"messaging.message.type": "no_concept"}
    assert result(item, found) == attributes
