"""LiteLLM's callback: what recorded spans of it become, and why."""

from tests.semconv.golden import lost, made, new, result, translate
from tests.semconv.recorded import span

PRODUCER = "litellm-native@*"


def test_a_call_of_a_model(translator):
    found = translate(translator, span(PRODUCER, "anthropic", "litellm_request"))
    assert (found.name, found.kind) == ("chat claude-sonnet-4-5", 3)
    assert new(found) == {
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.stream": False,  # from text
        "gen_ai.response.finish_reasons": ["stop"],  # from the JSON of a list
        "openai.response.service_tier": "standard",
        # From the usage object, in Python's notation.
        "gen_ai.usage.cache_read.input_tokens": 200,
        "gen_ai.usage.cache_write.input_tokens": 100,
        "gen_ai.usage.reasoning.output_tokens": 0,
    }
    assert "llm.request.type" in found.removed  # it calls a chat a completion
    assert lost(found)["gen_ai.cost.total_cost"] == "no_concept"


def test_a_provider_that_was_not_looked_up_stands_before_the_model(translator):
    for scenario, name in (("embeddings", "embeddings text-embedding-3-small"), ("responses", "chat gpt-4o-mini")):
        found = translate(translator, span(PRODUCER, scenario, "litellm_request"))
        assert (found.name, found.attributes["gen_ai.provider.name"]) == (name, "openai")
        assert lost(found)["gen_ai.system"] == "absent_at_source"


def test_the_payload_below_is_no_second_call(translator):
    item = span(PRODUCER, "anthropic", "raw_gen_ai_request")
    found = translate(translator, item)
    assert not found.changed
    assert set(lost(found).values()) == {"superseded", "vendor_internal"}


def test_a_usage_object_that_is_json_says_more_than_the_span(translator):
    usage = '{"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}}'
    item = made("litellm", "litellm_request", {"gen_ai.operation.name": "chat", "metadata.usage_object": usage})
    said = result(item, translate(translator, item))
    assert said["gen_ai.usage.input_tokens"] == 9
    assert said["gen_ai.usage.cache_read.input_tokens"] == 4
