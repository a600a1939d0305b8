"""The Anthropic SDK's own spans, below whatever instrumentation there is."""

from tests.semconv.golden import lost, new, result, translate
from tests.semconv.recorded import recorded

SCOPE = "com.anthropic.sdk.python"
SPANS = [item for item in recorded("traces", "*anthropic*") if item.scope["name"] == SCOPE]


def test_a_call_has_the_reason_why_it_ended(translator):
    ended = [i for i in SPANS if any(a["key"] == "anthropic.message.stop_reason" for a in i.item["attributes"])]
    assert len(ended) > 20
    for item in ended:
        found = translate(translator, item)
        assert found.profiles == ("otel_genai", "anthropic_sdk")
        assert (found.name or "").startswith("chat claude-")
        assert set(new(found)) == {"gen_ai.response.finish_reasons"}
        assert "anthropic.message.stop_reason" in found.removed
        assert set(lost(found).values()) == {"no_concept"}  # ids of requests, tiers, halves of the cache


def test_the_input_includes_the_cache_already(translator):
    item = next(i for i in SPANS if any(a["key"].startswith("gen_ai.usage.cache_write") for a in i.item["attributes"]))
    said = result(item, translate(translator, item))
    assert said["gen_ai.usage.input_tokens"] >= (
        said["gen_ai.usage.cache_read.input_tokens"] + said["gen_ai.usage.cache_write.input_tokens"]
    )


def test_every_key_is_known(translator):
    assert {key for item in SPANS for key in translate(translator, item).unknown} == set()
