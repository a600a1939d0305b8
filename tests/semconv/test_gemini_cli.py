"""Gemini CLI: what recorded spans and records of it become, and why."""

from tests.semconv.golden import lost, new, translate
from tests.semconv.recorded import span
from tests.semconv.translated import record, translated

PRODUCER = "gemini-cli@*"


def test_a_call_of_a_model(translator):
    found = translate(translator, span(PRODUCER, "prompt_tools", "llm_call"))
    assert (found.name, found.kind) == ("generate_content gemini-2.5-flash", 3)
    said = new(found)
    assert [(part["type"], part["name"]) for part in said["gen_ai.output.messages"][0]["parts"]] == [
        ("tool_call", "read_file"),
        ("tool_call", "run_shell_command"),
    ]
    assert len(said["gen_ai.tool.definitions"]) == 21
    assert lost(found) == {"gen_ai.prompt.name": "internal_id"}  # the id of a turn


def test_a_tool_s_run_has_arguments_and_result_out_of_the_scheduler_s_objects(translator):
    found = translate(translator, span(PRODUCER, "prompt_tools", "tool_call"))
    assert (found.name, found.kind) == ("execute_tool run_shell_command", None)
    said = new(found)
    assert said["gen_ai.tool.call.arguments"] == {"command": "echo hello", "description": "say hello"}
    assert said["gen_ai.tool.call.result"][0]["functionResponse"]["name"] == "run_shell_command"
    assert "error.type" not in said


def test_a_tool_that_failed_names_its_error_though_its_status_is_ok(translator):
    found = translate(translator, span(PRODUCER, "prompt_tools", "tool_call", nth=2))
    assert found.attributes["error.type"] == "mcp_tool_error"


def test_scheduling_is_no_operation_and_repeats_what_the_runs_say(translator):
    found = translate(translator, span(PRODUCER, "prompt_tools", "schedule_tool_calls"))
    assert not found.changed
    assert lost(found) == {"gen_ai.input.messages": "aggregate", "gen_ai.output.messages": "aggregate"}


def test_a_call_of_a_model_is_googles_whatever_the_endpoint(translator):
    found = translate(translator, span(PRODUCER, "prompt_tools", "llm_call"))
    assert found.attributes["gen_ai.provider.name"] == "gcp.gen_ai"
    assert "gen_ai.provider.name" in dict(found.synthesized)


def test_thoughts_are_output(translator):
    found = translated(translator, "logs", record(PRODUCER, "gemini_cli.api_response"))
    assert found.attributes["gen_ai.usage.input_tokens"] == 140
    assert found.attributes["gen_ai.usage.output_tokens"] == 54  # 49 said and 5 thought: 194 with the input
    assert found.attributes["gen_ai.usage.reasoning.output_tokens"] == 5
    assert found.attributes["gen_ai.usage.cache_read.input_tokens"] == 70
    assert "total_token_count" in found.removed
