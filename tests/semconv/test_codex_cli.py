"""Codex: what recorded log events of it become, and why."""

from semconv import otlp_json
from semconv.view import LogView
from tests.semconv.golden import lost
from tests.semconv.recorded import Recorded, recorded

SCOPE = {"name": "codex_otel.log_only"}


def view(item) -> LogView:
    return otlp_json.log_view(item.item, otlp_json.surroundings(item.resource, item.scope))


def named(event):
    found = (i for i in recorded("logs", "codex-cli@*") if i.scope["name"] == SCOPE["name"])
    return next(view(i) for i in found if otlp_json.attributes(i.item["attributes"])["event.name"] == event)


def test_a_tool_s_result(translator):
    found = translator.log(named("codex.tool_result"))
    assert found.profiles == ("codex_cli",)
    assert found.attributes["gen_ai.tool.name"] == "exec_command"
    assert found.attributes["gen_ai.tool.call.arguments"] == {"cmd": "echo hello"}
    assert found.attributes["gen_ai.tool.call.result"].endswith("Output:\nhello\n")
    assert found.attributes["gen_ai.conversation.id"]
    assert {"slug", "model", "call_id", "arguments", "output"} <= set(found.removed)  # the slug is the model once more


def test_a_prompt_taken_out_at_the_source_is_no_message(translator):
    found = translator.log(named("codex.user_prompt"))
    assert "gen_ai.input.messages" not in found.attributes
    assert found.source_side == (("redacted_at_source", 1),)


def test_numbers_written_as_text_are_numbers(translator):
    said = {
        "event.name": "codex.sse_event",
        "input_token_count": "5263",
        "output_token_count": "10",
        "cached_token_count": "5",
        "reasoning_token_count": "2",
        "tool_token_count": "5273",
    }
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]
    found = translator.log(view(Recorded("", "", {"attributes": pairs}, {}, SCOPE)))
    assert found.attributes == {
        "gen_ai.usage.input_tokens": 5263,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 2,
    }
    assert lost(found) == {}  # what it calls the tool's tokens is the sum


def test_every_key_is_known(translator):
    assert {key for item in recorded("logs", "codex-cli@*") for key in translator.log(view(item)).unknown} == set()
