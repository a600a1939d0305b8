"""LiveKit agents: spans made by hand from the source of 1.7.0 and its keys before. There is no recording of it."""

import json

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import metric, translate

SCOPE = "livekit-agents"
CONTEXT = {
    "items": [
        {"id": "i-1", "type": "message", "role": "system", "content": ["Be brief."], "interrupted": False},
        {"id": "i-2", "type": "message", "role": "user", "content": ["What is it?"], "interrupted": False},
        {"id": "i-3", "type": "function_call", "call_id": "c-1", "arguments": '{"x":1}', "name": "look"},
        {"id": "i-4", "type": "function_call_output", "name": "look", "call_id": "c-1", "output": "a cat"},
    ]
}


def test_what_a_model_is_given_and_says(translator):
    attributes = {
        "lk.pii.chat_ctx": json.dumps(CONTEXT),
        "lk.function_tools": ["look"],
        "lk.pii.response.text": "A cat.",
        "lk.pii.response.function_calls": json.dumps(
            [{"id": "i-5", "call_id": "c-2", "name": "feed", "arguments": "{}"}]
        ),
        "lk.response.ttft": 0.4,
        "gen_ai.request.model": "gpt-5",
        "gen_ai.provider.name": "openai",
    }
    found = translate(translator, made(SCOPE, "llm_node", attributes))
    sent = new(found)["gen_ai.input.messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool"]
    assert sent[1]["parts"] == [{"type": "text", "content": "What is it?"}]
    assert sent[2]["parts"][0]["arguments"] == {"x": 1}
    assert sent[3]["parts"][0]["response"] == "a cat"
    said = new(found)["gen_ai.output.messages"]
    assert [part["type"] for part in said[0]["parts"]] == ["text", "tool_call"]
    assert said[0]["parts"][1]["name"] == "feed"
    assert new(found)["gen_ai.response.time_to_first_chunk"] == 0.4
    assert "gen_ai.operation.name" not in new(found)  # the call itself is the span below
    assert lost(found) == {"lk.function_tools": "partial", "lk.pii.response.text": "superseded"}


def test_a_call_of_a_model_says_its_tokens_twice(translator):
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "lk.llm_metrics": json.dumps(
            {
                "request_id": "r-1",
                "ttft": 0.4,
                "prompt_tokens": 12,
                "completion_tokens": 3,
                "prompt_cached_tokens": 0,
                "total_tokens": 15,
            }
        ),
    }
    found = translate(translator, made(SCOPE, "llm_request", attributes))
    assert (found.name, found.kind) == ("chat gpt-5", 3)
    assert new(found) == {"gen_ai.response.id": "r-1"}
    assert lost(found) == {"lk.llm_metrics#/ttft": "partial_no_concept"}


def test_tools_in_both_spellings(translator):
    for pii in ("", "pii."):
        attributes = {
            "lk.function_tool.id": "c-1",
            "lk.function_tool.name": "look",
            f"lk.{pii}function_tool.arguments": '{"x":1}',
            f"lk.{pii}function_tool.output": "a cat",
            "lk.function_tool.is_error": False,
        }
        found = translate(translator, made(SCOPE, "function_tool", attributes))
        assert found.name == "execute_tool look"
        assert found.attributes == {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "look",
            "gen_ai.tool.call.id": "c-1",
            "gen_ai.tool.call.arguments": '{"x":1}',
            "gen_ai.tool.call.result": "a cat",
        }
        assert lost(found) == {"lk.function_tool.is_error": "no_concept"}


def test_a_turn_is_an_invocation_of_the_agent(translator):
    attributes = {
        "lk.generation_id": "g-1",
        "lk.speech_id": "s-1",
        "lk.pii.instructions": "Be brief.",
        "lk.pii.user_input": "Hi",
        "lk.pii.response.text": "Ho",
        "lk.interrupted": False,
        "lk.e2e_latency": 1.5,
    }
    found = translate(translator, made(SCOPE, "agent_turn", attributes))
    assert (found.name, found.kind) == ("invoke_agent", None)
    assert new(found) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}],
    }
    assert lost(found) == {
        "lk.generation_id": "internal_id",
        "lk.speech_id": "internal_id",
        "lk.interrupted": "no_concept",
        "lk.e2e_latency": "no_concept",
    }


def test_a_realtime_model_s_tokens_by_modality(translator):
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.input_text_tokens": 4,
        "gen_ai.usage.input_audio_tokens": 6,
        "gen_ai.usage.input_cached_tokens": 2,
        "gen_ai.usage.output_audio_tokens": 5,
        "lk.realtime_model_metrics": "{}",
    }
    found = translate(translator, made(SCOPE, "realtime_metrics", attributes))
    assert new(found) == {
        "gen_ai.usage.text.input_tokens": 4,
        "gen_ai.usage.audio.input_tokens": 6,
        "gen_ai.usage.cache_read.input_tokens": 2,
        "gen_ai.usage.audio.output_tokens": 5,
    }
    assert not found.unknown


def test_speech_and_turn_detection_have_no_home(translator):
    attributes = {"lk.eou.probability": 0.9, "lk.pii.user_transcript": "Hi", "lk.participant_id": "p-1"}
    found = translate(translator, made(SCOPE, "user_turn", attributes))
    assert not found.changed
    assert set(lost(found).values()) == {"no_concept", "internal_id"}
    assert not found.unknown


def test_its_metrics_are_known_to_be_its_own(translator):
    found = translate(translator, metric(SCOPE, "lk.agents.turn.llm_ttft", {"model_name": "gpt-5"}), "metric")
    assert found.profiles == ("livekit",)
