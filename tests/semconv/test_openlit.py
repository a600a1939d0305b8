"""OpenLIT: what recorded spans of it become, and why."""

from tests.semconv.golden import lost, made, new, result, translate
from tests.semconv.recorded import recorded, span

PRODUCER = "openlit@*"


def test_a_call_of_a_model(translator):
    item = span(PRODUCER, "chat.nocontent", "chat gpt-4o-mini")
    found = translate(translator, item)
    assert new(found) == {
        "gen_ai.response.time_to_first_chunk": 0.048192739486694336,
        "gen_ai.usage.cache_write.input_tokens": 0,
        "user.id": "user-1",
    }
    assert "gen_ai.client.token.usage" in found.removed  # 44 = 34 + 10
    assert lost(found) == {
        "gen_ai.sdk.version": "vendor_internal",
        "gen_ai.server.time_per_output_token": "no_concept",
        "gen_ai.usage.cost": "no_concept",
        "openlit.agent.version_hash": "vendor_internal",
    }
    assert result(item, found)["telemetry.sdk.name"] == "openlit"


def test_the_arguments_of_a_call_that_a_model_asks_for_are_in_its_message(translator):
    item = next(
        i for i in recorded("traces", PRODUCER) if any(a["key"] == "gen_ai.tool.args" for a in i.item["attributes"])
    )
    assert lost(translate(translator, item))["gen_ai.tool.args"] == "superseded"


def test_a_tool_s_arguments_are_its_own(translator):
    said = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add", "gen_ai.tool.args": '{"a": 1}'}
    found = translate(translator, made("openlit.instrumentation.crewai", "execute_tool add", said))
    assert new(found) == {"gen_ai.tool.call.arguments": {"a": 1}}


def test_spans_of_other_instrumentations_in_its_process_are_not_its(translator):
    others = [i for i in recorded("traces", PRODUCER) if not i.scope["name"].startswith("openlit")]
    assert others
    assert all(translate(translator, item).profiles == () for item in others)
