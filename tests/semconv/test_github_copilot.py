"""GitHub Copilot: spans and log records made by hand from its documentation of 2026-07. There is no recording of it."""

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import log, translate

GIT = {
    "github.copilot.git.repository": "https://git.example/a/b",
    "github.copilot.git.branch": "main",
    "copilot_chat.repo.remote_url": "https://git.example/a/b",
    "copilot_chat.repo.head_branch_name": "main",
}


def test_what_the_older_namespace_says_once_more_goes(translator):
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "github",
        "gen_ai.agent.name": "copilot",
        "github.copilot.agent.type": "builtin",
        **GIT,
        "copilot_chat.turn_count": 2,
    }
    found = translate(translator, made("copilot-chat", "invoke_agent copilot", attributes))
    assert new(found) == {}
    assert found.removed == ("copilot_chat.repo.head_branch_name", "copilot_chat.repo.remote_url")
    assert lost(found) == {
        "copilot_chat.turn_count": "no_concept",
        "github.copilot.agent.type": "no_concept",
        "github.copilot.git.branch": "no_concept",
        "github.copilot.git.repository": "no_concept",
    }


def test_a_call_of_a_model_counts_in_seconds(translator):
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "github",
        "gen_ai.request.model": "gpt-5",
        "copilot_chat.time_to_first_token": 450,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "gen_ai.usage.reasoning_tokens": 7,
        "gen_ai.usage.cache_creation.input_tokens": 3,
    }
    found = translate(translator, made("copilot-chat", "chat gpt-5", attributes, kind=3))
    assert new(found) == {"gen_ai.response.time_to_first_chunk": 0.45, "gen_ai.usage.cache_write.input_tokens": 3}
    assert lost(found) == {}
    assert not found.unknown


def test_a_tool_that_is_a_skill(translator):
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "skill",
        "github.copilot.tool.parameters.skill_name": "review",
        "github.copilot.tool.parameters.mcp_tool_name": "add",
    }
    found = translate(translator, made("copilot-chat", "execute_tool skill", attributes))
    assert new(found) == {"gen_ai.skill.name": "review"}
    assert lost(found) == {"github.copilot.tool.parameters.mcp_tool_name": "no_concept"}


def test_a_hook_is_an_operation_of_its_own(translator):
    attributes = {"gen_ai.operation.name": "execute_hook", "github.copilot.hook.decision": "pass"}
    found = translate(translator, made("copilot-chat", "execute_hook PreToolUse", attributes))
    assert not found.changed
    assert lost(found) == {"github.copilot.hook.decision": "no_concept"}


def test_its_events_have_no_home(translator):
    found = translate(translator, log("copilot-chat", "copilot_chat.session.start", {}, body="started"), "log")
    assert found.profiles == ("github_copilot",)
    assert lost(found) == {"@body": "no_concept"}
