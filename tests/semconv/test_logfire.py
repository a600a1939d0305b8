"""Logfire's instrumentations of model SDKs: what recorded spans become, and those of older versions, and why."""

import json

from tests.semconv.golden import lost, made, new, result, translate
from tests.semconv.recorded import span

PRODUCER = "logfire@*"
CHAT = "Chat Completion with {request_data[model]!r}"


def test_a_call_of_a_model(translator):
    item = span(PRODUCER, "chat", CHAT)
    found = translate(translator, item)
    assert found.profiles == ("otel_genai", "otel_legacy_genai", "logfire")
    assert found.name == "chat gpt-4o-mini"
    assert new(found) == {
        "gen_ai.request.stop_sequences": ["END"],  # lists as JSON text at the source
        "gen_ai.response.finish_reasons": ["stop"],
        # Only in the provider's own account of the usage:
        "gen_ai.usage.cache_read.input_tokens": 17,
        "gen_ai.usage.audio.input_tokens": 0,
        "gen_ai.usage.audio.output_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
    }
    assert found.removed == ("gen_ai.system", "request_data")  # the model once more
    assert lost(found) == {
        "async": "vendor_internal",
        "gen_ai.usage.raw#/completion_tokens_details": "partial_no_concept",  # predictions
        "logfire.json_schema": "vendor_internal",
        "logfire.msg": "derivable",
        "logfire.msg_template": "derivable",
        "logfire.span_type": "vendor_internal",
        "logfire.tags": "user_defined",
        "operation.cost": "no_concept",
    }
    assert result(item, found)["logfire.msg"] == "Chat Completion with 'gpt-4o-mini'"  # its screens go on working


def test_a_template_as_name_is_not_lost_with_the_name(translator):
    found = translate(translator, span(PRODUCER, "chat", CHAT))
    assert "@name" not in lost(found)  # logfire.msg_template holds it


def test_usage_of_the_responses_interface(translator):
    item = span(PRODUCER, "responses_tools_reasoning", "Responses API with {gen_ai.request.model!r}")
    said = new(translate(translator, item))
    assert said["gen_ai.usage.cache_read.input_tokens"] == 11
    assert said["gen_ai.usage.cache_write.input_tokens"] == 0
    assert said["gen_ai.usage.reasoning.output_tokens"] == 7


def test_counts_that_leave_out_the_cache_have_it_added_to_become_the_input(translator):
    raw = {"input_tokens": 15, "output_tokens": 9, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 100}
    found = translate(translator, made("logfire.anthropic", "m", {"gen_ai.usage.raw": json.dumps(raw)}))
    assert new(found) == {
        "gen_ai.usage.cache_read.input_tokens": 200,
        "gen_ai.usage.cache_write.input_tokens": 100,
        "gen_ai.usage.input_tokens": 315,
        "gen_ai.usage.output_tokens": 9,
    }
    assert not found.loss


def test_whole_requests_and_answers_of_older_versions(translator):
    request = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.1, "stream": False}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    attributes = {
        "gen_ai.system": "openai",
        "gen_ai.request.model": "m",
        "request_data": json.dumps(request),
        "response_data": json.dumps({"message": {"role": "assistant", "content": "yes"}, "usage": usage}),
    }
    found = translate(translator, made("logfire.openai", CHAT, attributes))
    assert new(found) == {
        "gen_ai.provider.name": "openai",
        "gen_ai.request.temperature": 0.1,
        "gen_ai.request.stream": False,
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "yes"}]}],
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
    }
    assert not found.loss  # the total is the sum


def test_what_a_stream_said_is_the_answer(translator):
    answer = json.dumps({"combined_chunk_content": "yes", "chunk_count": 2})
    found = translate(translator, made("logfire.openai", "streaming response", {"response_data": answer}))
    assert new(found) == {
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "yes"}]}]
    }
    assert lost(found) == {"response_data#/chunk_count": "partial_no_concept"}


def test_a_span_of_a_user_keeps_everything(translator):
    attributes = {"logfire.msg": "Hello Ann", "logfire.msg_template": "Hello {name}", "name": "Ann", "events": "[]"}
    item = made("logfire", "Hello {name}", attributes)
    found = translate(translator, item)
    assert not found.changed
    assert result(item, found) == attributes
